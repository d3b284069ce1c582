"""The recommended loop and its rivals on the table itself, in time order, judged on later rows."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..loop import Loop, takes_labels
from ..stages import at
from ..words import waiting
from ..words.replay import drifts, no_backtest
from .learners import FastRidge, ridge
from .run import Learner, Turn, fitted, run

FEWEST_STEPS = 3
Blocks = Sequence[NDArray[np.intp]]


@dataclass(frozen=True)
class Course:
    """One way of training: penalty and real weight of step t, row weights without and with a label, and which rows it keeps.

    ``learner`` makes one of a penalty on the sum over its rows; by default ridge whose intercept is among the features.
    """

    penalty: Callable[[int], float]
    real_weight: Callable[[int], float] = lambda t: 1.0
    row_weight: float = 0.0
    labelled_row_weight: float = 1.0
    keeps: bool = False
    learner: Callable[[float], Learner] = FastRidge

    @classmethod
    def of(cls, loops: Sequence[Loop], first_penalty: float) -> "Course":
        """Loops of t = 1, 2, ... with one labelled group; the first model has real labels alone, at a penalty of its own."""
        groups = loops[0].groups_at(1)
        real = takes_labels(groups).index(True)
        row_weights = [group.row_weight for group in groups]
        labelled_row_weight = row_weights.pop(real)
        penalty = loops[-1].penalty
        return cls(
            lambda t: penalty if t else first_penalty,
            lambda t: loops[min(t, len(loops)) - 1].groups_at(t)[real].real_weight,
            row_weights[0] if row_weights else 0.0,
            labelled_row_weight,
        )

    def turns(self, shown: Floats, noise: Floats, blocks: Blocks, later: Blocks) -> Iterator[Turn]:
        """Steps of a run with the labels shown, each judged by its rows of ``later``; the first has real labels alone."""
        kept = np.empty(0, dtype=np.intp)
        for t, (rows, judged) in enumerate(zip(blocks, later, strict=True)):
            real = np.isfinite(shown[rows])
            kept = np.concatenate([kept, rows[real]])
            if self.keeps or t == 0:
                rows, w, a = kept, np.ones(kept.size), np.ones(kept.size)
            else:
                w = np.where(real, self.real_weight(t), 0.0)
                a = np.where(real, self.labelled_row_weight, self.row_weight)
            yield Turn(self.learner(rows.size * self.penalty(t)), rows, judged, shown[rows], noise[rows], w, a)


@dataclass(frozen=True)
class Remembering:
    """A way to remember, as it is carried out: the penalty is per row of the fit; labelled rows have row weight 1.

    Of each step the rows with a real label are fitted, the others too where they have a ``row_weight``; labelled rows of the
    last ``kept_generations`` steps (None: of all) stay, with forgetting^age as their weight.
    """

    penalty: float
    real_weight: float = 1.0
    row_weight: float = 0.0
    anchor: float = 0.0
    kept_generations: int | None = 0
    forgetting: float = 1.0

    def turns(self, shown: Floats, noise: Floats, blocks: Blocks, later: Blocks) -> Iterator[Turn]:
        """Steps of a run with the labels shown, each judged by its rows of ``later``; the first has real labels alone."""
        past: list[NDArray[np.intp]] = []
        for t, (rows, judged) in enumerate(zip(blocks, later, strict=True)):
            real = np.isfinite(shown[rows])
            if t == 0 or self.row_weight == 0:
                rows, real = rows[real], real[real]
            w, a = np.where(real, self.real_weight, 0.0), np.where(real, 1.0, self.row_weight)
            oldest = len(past) if self.kept_generations is None else min(self.kept_generations, len(past))
            kept = past[::-1][:oldest]
            ages = [np.full(old.size, self.forgetting**age) for age, old in enumerate(kept, 1)]
            past.append(rows[real])
            rows = np.concatenate([rows, *kept])
            w, a = np.concatenate([w, *(np.ones(age.size) for age in ages)]), np.concatenate([a, *ages])
            learner = FastRidge(rows.size * self.penalty)
            yield Turn(learner, rows, judged, shown[rows], noise[rows], w, a, self.anchor)


def thinned(y: Floats, share: float, rng: np.random.Generator) -> Floats:
    """The labels with only a share of them shown, NaN in place of the others."""
    return np.where(rng.random(y.size) < share, y, np.nan)


def backtest(
    X: Floats,
    y: Floats,
    shown: Floats,
    blocks: Blocks,
    courses: Mapping[str, Course | Remembering],
    noise: float,
    rng: np.random.Generator,
    sample_weight: Floats | None = None,
) -> tuple[dict[str, tuple[float, float]] | None, str | None]:
    """Mean squared error on the labelled rows of the next step, with its standard error over steps; or why there is none."""
    found, why = errors_in_time(X, y, shown, blocks, courses, noise, rng, sample_weight)
    return (None if found is None else {name: mean_with_error(errors) for name, errors in found.items()}), why


def errors_in_time(
    X: Floats,
    y: Floats,
    shown: Floats,
    blocks: Blocks,
    courses: Mapping[str, Course | Remembering],
    noise: float,
    rng: np.random.Generator,
    sample_weight: Floats | None = None,
) -> tuple[dict[str, Floats] | None, str | None]:
    """Mean squared error of each step's model on the labelled rows of the next step; or why there is none.

    Step 0 is fitted on real labels alone. Then each course labels the rows of its step by its previous model (plus noise of
    variance ``noise``), mixes in the labels that are ``shown``, refits, and is judged on the labels y of the step after,
    which it has not seen. ``blocks`` are the rows of each step in the order of time; steps at the end without a label are
    left out. ``sample_weight``, of mean 1, counts in fits and errors.
    """
    while blocks and not np.isfinite(y[blocks[-1]]).any():
        blocks = blocks[:-1]
    few = sum(np.isfinite(shown[rows]).sum() < 2 for rows in blocks)
    if len(blocks) < FEWEST_STEPS or few:
        return None, no_backtest(len(blocks), few, FEWEST_STEPS)
    at(waiting.BACKTESTING)
    drawn = math.sqrt(noise) * rng.standard_normal(y.size)
    later = [rows[np.isfinite(y[rows])] for rows in blocks[1:]]
    turns = {name: each.turns(shown, drawn, blocks[:-1], later) for name, each in courses.items()}
    return {name: run(X, y, each, sample_weight) for name, each in turns.items()}, None


def mean_with_error(errors: Floats) -> tuple[float, float]:
    """Mean over the steps, and its standard error."""
    return float(np.mean(errors)), float(np.std(errors, ddof=1) / math.sqrt(len(errors)))


def drift(X: Floats, y: Floats, steps: NDArray[np.intp], penalty: float) -> str | None:
    """A sentence where a model of the earlier half predicts the later half worse than its own, beyond chance.

    Squared errors of the earlier half's model and of a cross-validated model of the later half, on the same later rows.
    """
    labelled = np.flatnonzero(np.isfinite(y))
    order = labelled[np.argsort(steps[labelled], kind="stable")]
    half = order.size // 2
    early, late = order[:half], order[half:]
    if half < 20:
        return None
    from sklearn.model_selection import PredefinedSplit, cross_val_predict

    learner = ridge(half * penalty)
    before = (fitted(learner, X[early], y[early]).predict(X[late]) - y[late]) ** 2
    own = (cross_val_predict(learner, X[late], y[late], cv=PredefinedSplit(np.arange(late.size) % 5)) - y[late]) ** 2
    gap = before - own
    z = float(gap.mean() / (gap.std(ddof=1) / math.sqrt(gap.size)))
    if z < 3.0 or before.mean() < 1.05 * own.mean():
        return None
    return drifts(before.mean(), own.mean(), z)
