"""``fm.find_weight``: the best real weight of any model, by replays that are run longer for the better weights."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from ..arguments import Floats, number, vector, whole
from ..recommendation import recommend
from ..replays import replay
from ..views import Pictured, frame
from .mixed import GOLDEN

# Weights that are asked about by name.
NAMED = {"1/phi": GOLDEN, "1/2": 0.5, "1": 1.0}
_GRID = (0.05, 0.2, 0.35, 0.5, GOLDEN, 0.75, 0.9, 1.0)
# Weights among which the best one is chosen in the end; how many times the first repeats all are judged by after that.
_LAST, _FRESH = 3, 4
# Errors that differ by less than this part are the same to anybody: paired differences are known to more digits than matter.
_SAME = 1e-3


@dataclass(frozen=True, eq=False, repr=False)
class FoundWeight(Pictured):
    """The best real weight of a model on a table, and what is known of others.

    Attributes
    ----------
    real_weight : float
        The best one of those tried.
    interval : (float, float)
        From the least to the largest weight that is not worse beyond chance, at the stated level, by paired differences;
        nor by a thousandth of the best one's error. Chance is that of splits and draws, the table being given.
    within : dict
        ``1/phi``, ``1/2``, ``1`` -> whether it is among those.
    error, standard_error : float
        Of the best weight in the last generation.
    measure : str
        ``squared_error``, ``log_loss`` or ``inaccuracy`` (1 - accuracy).
    weights, errors, differences, difference_errors : (k,) arrays
        Weights tried, their mean errors, what they are above the best one and the standard error of that: on repeats that had
        no part in choosing it, the same ones for all.
    repeats : (k,) array
        How many each was run in all.
    theory : float or None
        The weight that ``recommend`` names for ridge on this table; None where it has no answer.
    mixing : str
        How rows with two labels were used (see ``replay``).
    """

    real_weight: float
    interval: tuple[float, float]
    within: Mapping[str, bool]
    error: float
    standard_error: float
    measure: str
    weights: Floats
    errors: Floats
    differences: Floats
    difference_errors: Floats
    repeats: Floats
    theory: float | None
    mixing: str

    _words = "best_weight"

    def to_frame(self) -> Any:
        """Weights tried as a data frame of pandas, with their errors, differences from the best one, and repeats."""
        return frame(
            {
                "real_weight": self.weights,
                "error": self.errors,
                "difference": self.differences,
                "difference_error": self.difference_errors,
                "repeats": self.repeats,
            }
        )


def find_weight(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    weights: Sequence[float] | None = None,
    generations: int = 5,
    repeats: int = 16,
    level: float = 0.9,
    seed: int = 0,
    workers: int = 1,
    executor: Executor | None = None,
    progress: bool = False,
    **options: Any,
) -> FoundWeight:
    """The best real weight for any model, by successive halving over weights and repeats of ``replay``.

    All weights are run ``repeats`` times on the same splits and draws; the better half of them twice as often, and so on, on
    new ones, until three are left and the best of these is chosen. Then all are run four times as often once more: errors,
    differences and the interval are of these repeats, which had no part in the choice. Rows that judge are never fitted on.

    Parameters
    ----------
    estimator, X, y
        As for ``replay``.
    weights : sequence of float, optional
        In [0, 1]; by default eight from 0.05 to 1 and what theory recommends for ridge on this table. 1/phi, 1/2 and 1
        are always among them.
    generations : int
        The generation whose error counts.
    repeats : int
        Of the first round, at least 3.
    level : float
        Of the interval.
    seed, workers, executor, progress
        As for ``replay``.
    **options
        Other parameters of ``replay`` (``labelled``, ``covariates``, ``workflow``, ``store`` ...).

    Returns
    -------
    FoundWeight

    Raises
    ------
    TypeError, ValueError
        As ``replay`` does.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((600, 10))
    >>> y = X.sum(axis=1) + rng.standard_normal(600)
    >>> found = find_weight(LinearRegression(), X, y, weights=[0.25], generations=2, repeats=3)
    >>> found.interval[0] <= found.real_weight <= found.interval[1], found.mixing
    (True, 'labels')
    """
    first, level = whole("repeats", repeats, low=3), number("level", level, above=0.0, high=0.999)
    tried = _GRID if weights is None else vector("weights", np.asarray(list(weights)), low=0.0).tolist()
    if max(tried) > 1:
        raise ValueError(f"weights must be numbers between 0 and 1, got {max(tried)!r}")
    theory = _theory(X, y, options) if weights is None else None
    grid = np.unique(np.round([*tried, *NAMED.values(), *([] if theory is None else [theory])], 6))
    shared: dict[str, Any] = {
        "generations": generations,
        "seed": seed,
        "workers": workers,
        "executor": executor,
        "progress": progress,
    }
    race = _Race(partial(replay, estimator, X, y, **shared, **options))
    best = _chosen(race.run, grid, first)
    losses = race.run(grid, _FRESH * first)
    fair, gap, error = _fair(losses, best, level)
    return FoundWeight(
        real_weight=float(grid[best]),
        interval=(float(grid[fair].min()), float(grid[fair].max())),
        within={name: bool(fair[np.argmin(np.abs(grid - value))]) for name, value in NAMED.items()},
        error=float(losses[best].mean()),
        standard_error=float(losses[best].std(ddof=1) / math.sqrt(losses.shape[1])),
        measure=race.measure,
        weights=grid,
        errors=losses.mean(axis=1),
        differences=gap,
        difference_errors=error,
        repeats=np.array([race.repeats[w] for w in grid.tolist()]),
        theory=theory,
        mixing=race.mixing,
    )


def _chosen(run: Callable[[Floats, int], Floats], grid: Floats, first: int) -> int:
    """Place of the best weight by successive halving; ``run`` gives the errors of weights on so many repeats."""
    left, count = np.arange(grid.size), first
    losses = np.full((grid.size, 0), np.nan)
    while True:
        column = np.full((grid.size, count), np.nan)
        column[left] = run(grid[left], count)
        losses, count = np.hstack([losses, column]), 2 * count
        # Those that are left were run together throughout.
        left = left[np.argsort(np.nanmean(losses[left], axis=1), kind="stable")]
        if left.size <= _LAST:
            return int(left[0])
        left = np.sort(left[: max(_LAST, math.ceil(left.size / 2))])


class _Race:
    """Replays of some weights, each run on draws that none before had."""

    measure, mixing = "", ""

    def __init__(self, replayed: Callable[..., Any]) -> None:
        self._replayed, self._done = replayed, 0
        self.repeats: Counter[float] = Counter()

    def run(self, weights: Floats, count: int) -> Floats:
        """(k, count) errors of the last generation."""
        found = self._replayed(real_weight=weights, repeats=count, first_repeat=self._done)
        self._done += count
        self.repeats.update(dict.fromkeys(weights.tolist(), count))
        self.mixing = found.attrs["mixing"]
        self.measure = next(name for name in ("squared_error", "log_loss", "accuracy") if name in found)
        last = found[self.measure].isel(generation=-1).transpose("real_weight", "repeat").to_numpy()
        if self.measure != "accuracy":
            return np.asarray(last)
        self.measure = "inaccuracy"
        return np.asarray(1 - last)


def _fair(losses: Floats, best: int, level: float) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """Which of k weights are not worse than the best one; mean differences on the same repeats, and their standard errors."""
    apart = losses - losses[best]
    gap, error = apart.mean(axis=1), apart.std(axis=1, ddof=1) / math.sqrt(losses.shape[1])
    beyond = student.ppf(level, losses.shape[1] - 1) * error
    return gap <= np.maximum(beyond, _SAME * float(losses[best].mean())), gap, error


def _theory(X: Any, y: Any, options: Mapping[str, Any]) -> float | None:
    """What theory recommends for ridge on the table, where it can read it."""
    frozen = options.get("covariates", "fresh") == "frozen"
    loop = {"labels": "frozen"} if frozen else {"labelled": options.get("labelled", 1.0)}
    loop["synthetic_labels"] = options.get("synthetic_labels", "predictions")
    try:
        found = recommend(np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64), **loop)
    except (TypeError, ValueError):
        # Classes in words, columns of text: theory is of numbers.
        return None
    return found.real_weight
