"""Monte Carlo points beside theory, a small batch of runs with each request: the browser keeps what is done.

Run number r is the same whatever batch and process it is in: ``fm.simulate`` with the same seed and ``first_replicate``.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from ..simulation import mean_and_error, simulate
from ..words import simulating as words
from .state import State

ROWS, REPLICATES = 200, 24
MOST_ROWS, MOST_REPLICATES = 4_000, 200
# Seconds of one core: all of a simulation, and one run of it.
MOST_SECONDS, MOST_EACH = 120.0, 2.0
# A batch takes about this long, so that others get their turn.
_BATCH = 0.25
# Seconds for a multiplication of dense linear algebra, and for what a run takes beside it.
_EACH, _BESIDE = 1e-10, 3e-3
_SEED = 0


@dataclass(frozen=True)
class Simulation:
    """What is simulated: the loop of a state, with some rows, so many times.

    Raises
    ------
    ValueError
        If a number is none that will do, or all of it takes too long for a page; one sentence.
    """

    state: State
    rows: int = ROWS
    replicates: int = REPLICATES

    def __post_init__(self) -> None:
        for name, label, most in (("rows", words.ROWS, MOST_ROWS), ("replicates", words.REPLICATES, MOST_REPLICATES)):
            given, low = getattr(self, name), 10 if name == "rows" else 2
            if isinstance(given, bool) or not isinstance(given, int | float) or not low <= given <= most or given != int(given):
                raise ValueError(words.not_whole(label, low, most, given))
            object.__setattr__(self, name, int(given))
        each = self.seconds
        if each > MOST_EACH:
            raise ValueError(words.one_too_large(self.rows, self.features, self.state.generations))
        if each * self.replicates > MOST_SECONDS:
            raise ValueError(
                words.too_much(
                    self.rows,
                    self.features,
                    self.replicates,
                    self.state.generations,
                    each * self.replicates,
                    MOST_SECONDS,
                )
            )

    @property
    def features(self) -> int:
        """p, at the aspect of the loop."""
        return max(1, round(self.state.aspect * self.rows))

    @property
    def seconds(self) -> float:
        """About what one run takes: a fit of each generation's rows, or one eigendecomposition of rows that stay."""
        loop, n = self.state.loop(), max(self.rows, round(self.state.first_rows * self.rows))
        fits = self.state.generations if loop.covariates == "fresh" else 3
        # Of kept rows those of all generations are in the fit.
        kept = loop.kept_generations
        stacked = 1 if kept == 0 else 1 + min(self.state.generations if kept is None else kept, self.state.generations)
        side = min(stacked * n, self.features)
        return _BESIDE + _EACH * fits * stacked * n * self.features * side

    def lines(self, done: int) -> str:
        """The Python lines of so many runs of it."""
        return words.lines(self.state.generations, self.rows, done, _SEED)

    def batch(self, first: int) -> tuple[list[list[float | None]], list[str]]:
        """Excess risks of the next few runs by generation, from number ``first`` on, and what the user should know of them.

        None stands for what is unbounded.
        """
        count = min(self.replicates - first, max(1, int(_BATCH / self.seconds)))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", UserWarning)
            found = simulate(
                self.state.population(),
                self.state.loop(),
                self.state.generations,
                rows=self.rows,
                replicates=count,
                first_replicate=first,
                seed=_SEED,
            )
        risks = [[value if math.isfinite(value) else None for value in run] for run in found.risk.values.tolist()]
        return risks, [str(each.message) for each in told]


def _checked(runs: Any, simulation: Simulation) -> list[list[float | None]]:
    """Runs as ``batch`` made them: they were with the browser in the meantime."""
    length = simulation.state.generations + 1
    good = isinstance(runs, list) and len(runs) <= simulation.replicates
    if not good or not all(isinstance(run, list) and len(run) == length and all(map(_is_risk, run)) for run in runs):
        raise ValueError(words.OTHER_RUNS)
    return list(runs)


def _is_risk(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and math.isfinite(value))


def points(runs: Sequence[Sequence[float | None]]) -> xr.Dataset:
    """``mean`` and ``standard_error`` by generation of what ``batch`` gave so far."""
    values = np.array([[np.inf if value is None else value for value in run] for run in runs])
    found = xr.Dataset({"risk": (("replicate", "generation"), values)}, {"generation": np.arange(values.shape[1])})
    with np.errstate(invalid="ignore"):
        return mean_and_error(found)


def next_of(run: Mapping[str, Any]) -> dict[str, Any]:
    """A run of the page, one batch further: ``query`` of the state, ``rows``, ``replicates``, and the ``runs`` that are done.

    Raises ValueError as ``Simulation`` does, and where the runs are not those of this page.
    """
    simulation = Simulation(State.from_query(run["query"]), run["rows"], run["replicates"])
    done = _checked(run["runs"], simulation)
    told = list(run.get("told", ()))
    if len(done) < simulation.replicates:
        more, told = simulation.batch(len(done))
        done += more
    return {**run, "runs": done, "told": told}
