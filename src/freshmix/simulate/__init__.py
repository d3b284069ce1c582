"""Finite samples: the loop run or its expectation computed, never by a refit for each weight (MATH sections 3 to 9)."""

import json
import math
import platform
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .. import __version__
from .._checks import Floats, choice, vector, whole
from ..loop import Loop
from ..population import Population
from ..sampling import Diagonal, Rows, Source, entries_of, source_of
from . import exact_law, redraw, spectral
from .replicates import finished, one_blas_thread
from .setting import Setting

# xarray is imported where a dataset is made: worker processes start without it.
if TYPE_CHECKING:
    import xarray as xr

ENGINES = ("auto", "spectral", "redraw", "exact-law")
WORKFLOWS = ("replace", "accumulate", "accumulate-subsample", "stack")
# Numbers in a design beyond which the exact law takes over where it can (2 GB).
_DENSE = 2.5e8
_MODULES = {"spectral": spectral, "redraw": redraw, "exact-law": exact_law}


def simulate(
    population: Population | Source,
    loop: Loop | Sequence[Loop],
    generations: int,
    *,
    rows: int | None = None,
    replicates: int = 1,
    seed: int = 0,
    real_weight: ArrayLike | None = None,
    penalty: ArrayLike | None = None,
    entries: str | ArrayLike = "gaussian",
    label_noise: str | ArrayLike = "gaussian",
    noise: str = "auto",
    engine: str = "auto",
    workflow: str = "replace",
    device: str | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    progress: bool | None = None,
    partial: bool = False,
) -> "xr.Dataset":
    """Excess risk by generation of finite samples.

    Parameters
    ----------
    population : Population or Source
        The data: a ``Population`` (p = aspect x rows features; shares become counts by largest remainder, an atom of share 0
        with signal one eigenvalue; coefficients uniform on each eigenspace's sphere), or one of ``freshmix.sampling``:
        ``Autoregressive``, ``Dense``, ``Rows`` (your own design or rows to resample).
    loop : Loop or sequence of Loop
        The training loop, or those of t = 1, 2, ... (fresh covariates). The aspect may be left out where the source fixes p.
    generations : int
        T.
    rows : int
        n, rows of generation 0; later ones have p / aspect rows. Left out for ``Rows``: all of them.
    replicates : int
        Independent repetitions.
    seed : int
        Each replicate, generation and purpose has a generator seeded from (seed, replicate, generation, purpose): the same
        seed gives the same bits in any order and for any number of workers.
    real_weight, penalty : (m,) arrays, optional
        Grids, on the same designs and noise; by default those of the loop.
    entries, label_noise : str or (m,) array
        Law of the independent entries of rows and of label noise: gaussian, rademacher, uniform, t5 (any degrees of freedom
        above 4), or numbers to resample (residuals, say), standardised.
    noise : "expected", "sampled" or "auto"
        The expectation over label noise given the design (frozen covariates only: exact for any n), or runs with drawn
        labels. ``auto`` is the expectation where there is one.
    engine : "auto", "spectral", "redraw" or "exact-law"
        Frozen covariates from one eigendecomposition; dense fits; or MATH section 8 in O(n) (gaussian, isotropic or spiked).
    workflow : str
        ``replace``: each generation is trained on its own rows, labels mixed. ``accumulate``: on all rows so far;
        ``accumulate-subsample``: on as many drawn from all so far; ``stack``: real and synthetic rows as separate rows of
        weight w and 1 - w.
    device : None or "cpu"
        Where to compute; graphics cards are not supported yet.
    workers : int
        Processes, with one BLAS thread each.
    executor : concurrent.futures.Executor, optional
        Runs the replicates in place of ``workers``, dask.distributed's ``client.get_executor()`` for one.
    progress : bool, optional
        A progress bar on stderr; by default on a terminal only.
    partial : bool
        Return what was finished when interrupted, instead of raising KeyboardInterrupt.

    Returns
    -------
    xarray.Dataset
        ``risk(replicate, [real_weight], [penalty], generation)``, with seed, versions, engine, population and loop as
        attributes.

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range, or the engine does not cover the setting.

    Warns
    -----
    UserWarning
        Where row weights are inert because the model interpolates, and at the interpolation threshold.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> found = simulate(Population.isotropic(), Loop(aspect=2.0), 3, rows=100, real_weight=[0.5, 1.0], replicates=2, seed=1)
    >>> dict(found.risk.sizes), found.attrs["engine"]
    ({'replicate': 2, 'real_weight': 2, 'generation': 4}, 'spectral')
    """
    name, setting = prepared(
        population,
        loop,
        generations,
        rows=rows,
        seed=seed,
        real_weight=real_weight,
        penalty=penalty,
        entries=entries,
        label_noise=label_noise,
        noise=noise,
        engine=engine,
        workflow=workflow,
        device=device,
    )
    _warn(setting)
    count = whole("replicates", replicates, low=1)
    workers = whole("workers", workers, low=1)
    with one_blas_thread():
        done = finished(_MODULES[name].risks, setting, count, workers, executor, progress, partial)
    return _dataset(done, setting, name, count)


def prepared(
    population: Population | Source,
    loop: Loop | Sequence[Loop],
    generations: int,
    *,
    rows: int | None = None,
    seed: int = 0,
    real_weight: ArrayLike | None = None,
    penalty: ArrayLike | None = None,
    entries: str | ArrayLike = "gaussian",
    label_noise: str | ArrayLike = "gaussian",
    noise: str = "auto",
    engine: str = "auto",
    workflow: str = "replace",
    device: str | None = None,
) -> tuple[str, Setting]:
    """The engine and the checked setting of a ``simulate`` call, whose replicates ``one_replicate`` runs one by one."""
    loops = (loop,) if isinstance(loop, Loop) else tuple(loop) if isinstance(loop, Iterable) else ()
    if not loops or not all(isinstance(each, Loop) for each in loops):
        raise TypeError(f"loop must be a Loop or a sequence of at least one Loop, got {type(loop).__name__}")
    T = whole("generations", generations, low=0)
    source, counts = _sizes(population, loops, T, rows)
    setting = Setting(
        source=source,
        loops=loops,
        generations=T,
        rows=counts,
        weights=_grid("real_weight", real_weight, high=1.0),
        penalties=_grid("penalty", penalty),
        entries=entries_of(entries),
        label_noise=entries_of(label_noise, "label_noise"),
        expected=choice("noise", noise, ("auto", "expected", "sampled")) != "sampled",
        seed=whole("seed", seed, low=0),
        workflow=choice("workflow", workflow, WORKFLOWS),
    )
    _check_loops(setting)
    name = _engine(setting, choice("engine", engine, ENGINES), noise)
    if name != "spectral":
        setting = Setting(**{**setting.__dict__, "expected": False})
    if device not in (None, "cpu"):
        raise ValueError(f"device must be None or 'cpu' so far, got {device!r}")
    return name, setting


def one_replicate(engine: str, setting: Setting, replicate: int) -> Floats:
    """(W, P, T + 1) risks of one replicate, the same numbers as in ``simulate`` with any other replicates."""
    return np.asarray(_MODULES[engine].risks(setting, replicate))


def mean_and_error(dataset: "xr.Dataset") -> "xr.Dataset":
    """Mean over replicates and its Monte Carlo standard error (NaN for a single replicate).

    Parameters
    ----------
    dataset : xarray.Dataset
        What ``simulate`` returned.

    Returns
    -------
    xarray.Dataset
        ``mean`` and ``standard_error``, without the replicate dimension.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> found = simulate(Population.isotropic(), Loop(aspect=0.5, real_weight=0.6), 2, rows=60, replicates=8)
    >>> sorted(mean_and_error(found).data_vars)
    ['mean', 'standard_error']
    """
    import xarray as xr

    count = dataset.sizes["replicate"]
    mean = dataset.risk.mean("replicate", keep_attrs=True)
    spread = dataset.risk.std("replicate", ddof=1) if count > 1 else xr.full_like(mean, math.nan)
    return xr.Dataset({"mean": mean, "standard_error": spread / math.sqrt(count)}, attrs=dataset.attrs)


def _grid(name: str, values: ArrayLike | None, high: float = math.inf) -> Floats | None:
    if values is None:
        return None
    grid = vector(name, np.atleast_1d(np.asarray(values)), low=0.0)
    if grid.max() > high:
        raise ValueError(f"{name} must hold numbers between 0 and {high:g}, got {float(grid.max())!r}")
    return grid


def _sizes(population: Any, loops: Sequence[Loop], T: int, rows: int | None) -> tuple[Source, tuple[int, ...]]:
    """The source, and the rows of generations 0 ... T."""
    if not isinstance(population, Population) and not hasattr(population, "task"):
        raise TypeError(f"population must be a Population or a source of freshmix.sampling, got {type(population).__name__}")
    if rows is None:
        if not isinstance(population, Rows):
            raise TypeError("rows, the number of rows of generation 0, is needed")
        rows = population.X.shape[0]
    n = whole("rows", rows, low=1)
    first = loops[0].aspect
    if isinstance(population, Population):
        if first is None:
            raise ValueError("the loop needs an aspect (features / rows per generation), got none")
        source: Source = source_of(population, max(1, round(first * n)))
        p = source.features
    else:
        source, p = population, population.features
        if first is not None and abs(p / n - first) > 1e-9 * first:
            raise ValueError(f"aspect must be features / rows = {p / n:g} or left out, got {first!r}")
        first = p / n
    counts = [n]
    for t in range(1, T + 1):
        aspect = loops[min(t, len(loops)) - 1].aspect
        counts.append(n if aspect is None or aspect == first else max(1, round(p / aspect)))
    return source, tuple(counts)


def _check_loops(setting: Setting) -> None:
    for each in setting.loops:
        if each.covariates == "frozen" and len(setting.loops) > 1:
            raise ValueError("a sequence of loops needs covariates='fresh' in all of them: frozen rows cannot change")
        if each.groups is None and each.schedule is None and setting.weights is None and setting.generations > 0:
            raise ValueError("the loop needs a real_weight, a schedule or groups, or a grid of real_weight")
        if each.schedule is not None and setting.weights is not None:
            raise ValueError("real_weight is a grid of constant weights: give the loop no schedule beside it")
        if each.groups is not None and any(group.row_weight <= 0 for group in each.groups):
            raise ValueError("groups must have row weights above 0 to be simulated: leave out rows of weight 0")
    if setting.weights is not None:
        # Loops without weights of their own take them all from the grid.
        filled = tuple(each if each.groups else each.replace(real_weight=1.0) for each in setting.loops)
        object.__setattr__(setting, "loops", filled)


def _engine(setting: Setting, asked: str, noise: str) -> str:
    """The engine asked for, if it covers the setting; otherwise the cheapest one that does."""
    reasons = {
        "spectral": _not_spectral(setting),
        "exact-law": _not_exact_law(setting, noise),
        "redraw": "noise='expected' needs frozen covariates on one group of rows" if noise == "expected" else "",
    }
    if asked != "auto":
        if reasons[asked]:
            raise ValueError(f"engine={asked!r} does not cover this: {reasons[asked]}")
        return asked
    size = setting.source.features * max(setting.rows)
    if size > _DENSE and not reasons["exact-law"]:
        return "exact-law"
    for name in ("spectral", "redraw"):
        if not reasons[name]:
            return name
    raise ValueError(f"noise={noise!r} is not covered here: {reasons['redraw']}")


def _not_spectral(setting: Setting) -> str:
    loop = setting.loops[0]
    if loop.covariates == "fresh":
        return "it is for frozen covariates"
    if setting.workflow != "replace":
        return f"workflow {setting.workflow!r} needs engine='redraw'"
    if not _all_alike(loop):
        return "rows of different weights need engine='redraw'"
    return ""


def _all_alike(loop: Loop) -> bool:
    """Whether all rows have one real weight and row weight 1."""
    groups = loop.groups or ()
    return all(group.row_weight == 1 and group.real_weight == groups[0].real_weight for group in groups)


def _not_exact_law(setting: Setting, noise: str) -> str:
    if not isinstance(setting.source, Diagonal):
        return "it is for a Population"
    if noise == "expected":
        return "it gives runs with drawn labels (noise='sampled')"
    if setting.entries.name != "gaussian" or setting.label_noise.name != "gaussian":
        return "it is for gaussian entries and noise"
    if setting.workflow != "replace":
        return f"workflow {setting.workflow!r} needs engine='redraw'"
    if not all(map(_all_alike, setting.loops)):
        return "rows of different weights need engine='redraw'"
    if min(setting.source.features, *setting.rows) < 2:
        return "it needs at least two rows and two features"
    return exact_law.not_covered(setting)


def _warn(setting: Setting) -> None:
    free = any(np.any(setting.penalty(t) == 0) for t in range(setting.generations + 1))
    if not free:
        return
    p = setting.source.features
    for t in range(1, setting.generations + 1):
        different = len({group.row_weight for group in setting.groups(t)}) > 1
        stacked = setting.workflow == "stack" and p >= 2 * setting.rows[t]
        if (different and p >= setting.rows[t]) or stacked:
            warnings.warn(
                "row weights are inert without a penalty where features are at least as many as rows: the model fits every "
                "row exactly, whatever its weight; mix labels, or use a penalty",
                stacklevel=3,
            )
            break
    if p in setting.rows and setting.workflow in ("replace", "stack"):
        warnings.warn(
            "at the interpolation threshold (features = rows, no penalty) risks have no finite mean: use a penalty, or more or "
            "fewer features",
            stacklevel=3,
        )


def _dataset(done: dict[int, Floats], setting: Setting, engine: str, asked: int) -> "xr.Dataset":
    import xarray as xr

    order = sorted(done)
    values = np.stack([done[replicate] for replicate in order]) if order else np.empty((0, *setting.shape))
    dims = ["replicate"]
    coords: dict[str, Any] = {"replicate": order}
    for axis, (name, grid) in enumerate((("real_weight", setting.weights), ("penalty", setting.penalties)), start=1):
        if grid is not None:
            dims.append(name)
            coords[name] = grid
        else:
            values = np.take(values, [0], axis=axis)
    shape = [len(coords[name]) for name in dims] + [setting.generations + 1]
    found = xr.Dataset(
        {"risk": ([*dims, "generation"], values.reshape(shape))}, {**coords, "generation": np.arange(setting.generations + 1)}
    )
    found["risk"].attrs = {"long_name": "excess risk", "units": "squared label units"}
    source = setting.source
    found.attrs = {
        "engine": engine,
        "noise": "expected" if setting.expected else "sampled",
        "workflow": setting.workflow,
        "entries": str(setting.entries),
        "label_noise": str(setting.label_noise),
        "seed": setting.seed,
        "replicates": asked,
        "partial": int(len(order) < asked),
        "rows": json.dumps(setting.rows),
        "features": source.features,
        "population": repr(source.population if isinstance(source, Diagonal) else source),
        "loop": repr(setting.loops[0] if len(setting.loops) == 1 else setting.loops),
        "versions": _versions(),
    }
    return found


@cache
def _versions() -> str:
    libraries = {name: version(name) for name in ("numpy", "scipy", "xarray")}
    return json.dumps({"freshmix": __version__, "python": platform.python_version()} | libraries)
