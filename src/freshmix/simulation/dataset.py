"""Risks of replicates as a labelled dataset that says where it comes from."""

import json
import platform
import warnings
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import Floats
from ..sampling import Diagonal
from ..version import __version__
from .experiment import Experiment

# xarray is imported where a dataset is made: worker processes start without it.
if TYPE_CHECKING:
    import xarray as xr


def mean_and_error(dataset: "xr.Dataset") -> "xr.Dataset":
    """Mean over the finished replicates and its Monte Carlo standard error (NaN for a single one).

    Parameters
    ----------
    dataset : xarray.Dataset
        What ``simulate`` returned.

    Returns
    -------
    xarray.Dataset
        ``mean`` and ``standard_error``, without the replicate dimension.

    Raises
    ------
    TypeError, ValueError
        If there is no risk by replicate, or not a single replicate.

    Examples
    --------
    >>> from freshmix import Loop, Population, simulate
    >>> found = simulate(Population.isotropic(), Loop(aspect=0.5, real_weight=0.6), 2, rows=60, replicates=8)
    >>> sorted(mean_and_error(found).data_vars)
    ['mean', 'standard_error']
    """
    import xarray as xr

    if not isinstance(dataset, xr.Dataset) or "replicate" not in dataset.dims or "risk" not in dataset:
        raise TypeError(f"dataset must be what simulate returns, with risk by replicate, got {type(dataset).__name__}")
    count = dataset.sizes["replicate"]
    if count == 0:
        raise ValueError("dataset must hold at least one replicate, got none: it was interrupted before the first")
    finished = dataset.risk.notnull().sum("replicate")
    with warnings.catch_warnings():
        # Fewer than two finished replicates have no spread.
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = dataset.risk.mean("replicate", keep_attrs=True)
        spread = dataset.risk.std("replicate", ddof=1)
        error = (spread / np.sqrt(finished)).where(finished > 1)
    return xr.Dataset({"mean": mean, "standard_error": error}, attrs=dataset.attrs)


def dataset_of(done: dict[int, Floats], experiment: Experiment, engine: str, asked: int) -> "xr.Dataset":
    """``risk(replicate, [real_weight], [penalty], generation)`` of the replicates that are done, of those asked for."""
    import xarray as xr

    order = sorted(done)
    values = np.stack([done[replicate] for replicate in order]) if order else np.empty((0, *experiment.shape))
    dims = ["replicate"]
    coords: dict[str, Any] = {"replicate": np.array(order, dtype=np.int64)}
    for axis, (name, grid) in enumerate((("real_weight", experiment.weights), ("penalty", experiment.penalties)), start=1):
        if grid is not None:
            dims.append(name)
            coords[name] = grid
        else:
            values = np.take(values, [0], axis=axis)
    shape = [len(coords[name]) for name in dims] + [experiment.generations + 1]
    found = xr.Dataset(
        {"risk": ([*dims, "generation"], values.reshape(shape))},
        {**coords, "generation": np.arange(experiment.generations + 1)},
    )
    found["risk"].attrs = {"long_name": "excess risk", "units": "squared label units"}
    source = experiment.source
    found.attrs = {
        "engine": engine,
        "noise": "expected" if experiment.expected else "sampled",
        "workflow": experiment.workflow,
        "judged": experiment.judged,
        "entries": str(experiment.entries),
        "label_noise": str(experiment.label_noise),
        "seed": experiment.seed,
        "replicates": asked,
        "partial": int(len(order) < asked),
        "device": experiment.arrays.device or "cpu",
        "dtype": experiment.arrays.dtype,
        "rows": json.dumps(experiment.rows),
        "features": source.features,
        "population": repr(source.population if isinstance(source, Diagonal) else source),
        "loop": repr(experiment.loops[0] if len(experiment.loops) == 1 else experiment.loops),
        "versions": _versions(experiment.arrays.library),
    }
    if isinstance(source, Diagonal):
        # As in a population file: the data can be made again from the result alone.
        found.attrs["atoms"] = json.dumps(source.population.as_dict())
    return found


@cache
def _versions(library: str) -> str:
    names = ("numpy", "scipy", "xarray", *(("torch",) if library.endswith("torch") else ()))
    libraries = {name: version(name) for name in names}
    return json.dumps({"freshmix": __version__, "python": platform.python_version()} | libraries)
