"""Sweeps: simulations over grids of parameters, kept on disk, resumed where they stopped."""

import warnings
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from .grid import Sweep


def sweep(
    spec: "str | Path | Mapping[str, Any] | Sweep",
    store: str | Path,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    shard: tuple[int, int] | None = None,
    progress: bool | None = None,
) -> "xr.Dataset":
    """Run what a store lacks of a sweep.

    Parameters
    ----------
    spec : str, Path or mapping
        A TOML file, or a dictionary with what such a file would hold.
    store : str or Path
        Folder of the results; made where there is none. With the same sweep, or one with longer grids or more replicates,
        only what is missing is run.
    workers : int, optional
        Processes, with one BLAS thread each; by default one for each core. 0: in this process.
    executor : concurrent.futures.Executor, optional
        Runs the tasks in place of processes of our own: dask.distributed's ``client.get_executor()``, or a
        ``freshmix.processes.Processes`` that several sweeps share. ``workers`` is then how many tasks it runs at once.
    shard : (int, int), optional
        (i, N): only part i of N (from 1), in the store named ``STORE.i-of-N``, to be put together by ``merge``.
    progress : bool, optional
        A progress bar on stderr; by default on a terminal, and elsewhere a line each minute.

    Returns
    -------
    xarray.Dataset
        ``risk(axes ..., replicate, [real_weight], [penalty], generation)``, NaN where missing, and ``done``, which are
        finished; read from the store when used.

    Raises
    ------
    OSError
        If the store cannot be written to or another process holds it; what was finished before stays.
    ValueError
        If the description has faults (all of them are told), or the store belongs to another sweep.

    Warns
    -----
    UserWarning
        If tasks failed; the same call tries them again. If libraries are not those that the store was begun with.

    Examples
    --------
    >>> import tempfile
    >>> spec = {"generations": 3, "replicates": 2, "rows": 40, "loop": {"real_weight": 0.6}, "grid": {"aspect": [0.5, 2.0]}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = sweep(spec, folder + "/store", workers=0).load()
    >>> dict(found.risk.sizes), bool(found.done.all())
    ({'aspect': 2, 'replicate': 2, 'generation': 4}, True)
    """
    import xarray as xr

    from .complete import complete

    summary = complete(spec, store, workers=workers, executor=executor, shard=shard, progress=progress)
    if summary.versions:
        warnings.warn(f"the store was begun with other libraries, last digits may differ: {summary.versions}", stacklevel=2)
    if summary.failed:
        name, reason = next(iter(summary.failed.items()))
        warnings.warn(f"{len(summary.failed)} tasks failed, first {name}: {reason}", stacklevel=2)
    found: xr.Dataset = xr.open_zarr(summary.store, chunks=None)
    return found
