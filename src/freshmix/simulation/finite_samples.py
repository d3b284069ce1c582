"""Finite samples: the loop run or its expectation computed, never by a refit for each weight (mathematics.md 3 to 9)."""

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from ..arguments import Floats, process_count, whole
from ..loop import Loop
from ..machine import check_memory, memory
from ..population import Population
from ..sampling import Source
from ..threads import one_blas_thread
from .choose import warn
from .dataset import dataset_of
from .experiment import Experiment
from .inputs import prepared
from .replicates import computed, finished

# xarray is imported where a dataset is made: worker processes start without it.
if TYPE_CHECKING:
    import xarray as xr

# Bytes of a replicate beside its numbers.
_OVERHEAD = 300
# Their numbers are a word of their seeds.
_MOST_REPLICATES = 2**32


def simulate(
    population: Population | Source,
    loop: Loop | Sequence[Loop],
    generations: int,
    *,
    rows: int | None = None,
    replicates: int = 1,
    first_replicate: int = 0,
    seed: int = 0,
    real_weight: ArrayLike | None = None,
    penalty: ArrayLike | None = None,
    entries: str | ArrayLike = "gaussian",
    label_noise: str | ArrayLike = "gaussian",
    noise: str = "auto",
    engine: str = "auto",
    workflow: str = "replace",
    device: str | None = None,
    dtype: str = "float64",
    judged: str = "now",
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
        with signal one eigenvalue; coefficients uniform on each eigenspace's sphere; rows times the root of a size drawn from
        ``row_sizes``), or one of ``freshmix.sampling``:
        ``Autoregressive``, ``Dense``, ``Rows`` (your own design or rows to resample).
    loop : Loop or sequence of Loop
        The training loop, or those of t = 1, 2, ... (fresh covariates). The aspect may be left out where the source fixes p.
    generations : int
        T.
    rows : int
        n, rows of a generation at the first loop's aspect; a later loop has p / aspect rows, and generation 0 ``first_rows``
        times n. Left out for ``Rows``: all of them.
    replicates : int
        Independent repetitions.
    first_replicate : int
        The number of the first one: a run can be done in parts, whose replicates are those of the whole, bit for bit.
    seed : int
        Each replicate, generation and purpose has a generator seeded from (seed, replicate, generation, purpose): the same
        seed gives the same bits in any order and for any number of workers.
    real_weight, penalty : (m,) arrays, optional
        Grids, on the same designs and noise; by default those of the loop. Weights beyond [0, 1] are for frozen covariates.
    entries, label_noise : str or (m,) array
        Law of the independent entries of rows and of label noise: gaussian, rademacher, uniform, t5 (any degrees of freedom
        above 4), or numbers to resample (residuals, say), standardised.
    noise : "expected", "sampled" or "auto"
        The expectation over label noise given the design (frozen covariates only: exact for any n), or runs with drawn
        labels. ``auto`` is the expectation where there is one.
    engine : "auto", "spectral", "redraw" or "exact-law"
        Frozen covariates from one eigendecomposition; dense fits; or mathematics.md section 8 in O(n) (gaussian, isotropic or
        spiked).
    workflow : str
        ``replace``: each generation is trained on its own rows, labels mixed. ``accumulate``: on all rows so far;
        ``accumulate-subsample``: on as many drawn from all so far; ``stack``: real and synthetic rows as separate rows of
        weight w and 1 - w. Rows that the loop keeps (``kept_generations``) keep their real labels, and go with ``replace``
        and ``stack``.
    device : "cpu", "cuda" or "cuda:1" ...
        Where linear algebra of the spectral and redraw engines runs: NumPy, or torch on a graphics card. Numbers are drawn by
        NumPy in either case: results agree to rounding.
    dtype : "float64" or "float32"
        Precision of that linear algebra. Risks in float32 have relative errors of about 1e-7 times the condition number of
        S + lambda, S = X'X/n: 1e-6 for isotropic features far from p = n, 1e-4 near it. Where S has eigenvalues below 1e-5
        of its largest one, and the penalty is no larger, they are lost: use float64.
    judged : "now" or "next"
        The coefficients that a model is judged on: those that it was fitted under, or those of the next generation, which it
        meets in use. They differ where a ``Population`` has a persistence below 1.
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
        If a parameter is missing or out of range, the engine does not cover the setting, or the device is not there.

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
    options: dict[str, Any] = {"entries": entries, "label_noise": label_noise, "noise": noise, "engine": engine}
    options |= {"workflow": workflow, "device": device, "dtype": dtype, "judged": judged}
    grids: dict[str, Any] = {"real_weight": real_weight, "penalty": penalty}
    name, experiment = prepared(population, loop, generations, rows=rows, seed=seed, **grids, **options)
    warn(experiment, stacklevel=3)
    count, first = whole("replicates", replicates, low=1), whole("first_replicate", first_replicate, low=0)
    # Each as it comes, and all together.
    each = 16 * math.prod(experiment.shape) + _OVERHEAD
    check_memory(count * each, f"{count} replicates", f"ask for at most {int(memory() // each)}")
    if first + count > _MOST_REPLICATES:
        raise ValueError(f"first_replicate and replicates must add up to at most {_MOST_REPLICATES}, got {first} and {count}")
    with one_blas_thread():
        done = finished(
            name, experiment, range(first, first + count), process_count(workers, low=1), executor, progress, partial
        )
    return dataset_of(done, experiment, name, count)


def one_replicate(engine: str, experiment: Experiment, replicate: int) -> Floats:
    """(W, P, T + 1) risks of one replicate, the same numbers as in ``simulate`` with any other replicates."""
    return computed(engine, experiment, [replicate])[replicate]
