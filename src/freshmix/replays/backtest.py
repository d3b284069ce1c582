"""The recommended loop and its rivals on the table itself, in time order, judged on later rows."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..loop import Group, Loop

FEWEST_STEPS = 3


@dataclass(frozen=True)
class Course:
    """One way of training: penalty and real weight of step t, row weights without and with a label, and which rows it keeps."""

    penalty: Callable[[int], float]
    real_weight: Callable[[int], float] = lambda t: 1.0
    row_weight: float = 0.0
    labelled_row_weight: float = 1.0
    keeps: bool = False

    @classmethod
    def of(cls, loops: Sequence[Loop], first_penalty: float) -> "Course":
        """Loops of t = 1, 2, ... with at most one labelled group: that of weight above 0 in any of them.

        The first model has real labels alone, at a penalty of its own.
        """
        real, *others = sorted(
            zip(*(loop.groups or (Group(1.0, 1.0, 0.0),) for loop in loops), strict=True),
            key=lambda group: -max(each.real_weight for each in group),
        )

        def weight(t: int) -> float:
            loop = loops[min(t, len(loops)) - 1]
            return real[min(t, len(real)) - 1].real_weight if loop.schedule is None else float(loop.weights(t)[-1])

        row_weight = others[0][0].row_weight if others else 0.0
        penalty = loops[-1].penalty
        return cls(lambda t: penalty if t else first_penalty, weight, row_weight, real[0].row_weight)


def thinned(y: Floats, share: float, rng: np.random.Generator) -> Floats:
    """The labels with only a share of them shown, NaN in place of the others."""
    return np.where(rng.random(y.size) < share, y, np.nan)


def backtest(
    X: Floats,
    y: Floats,
    shown: Floats,
    blocks: Sequence[NDArray[np.intp]],
    courses: Mapping[str, Course],
    noise: float,
    rng: np.random.Generator,
    sample_weight: Floats | None = None,
) -> tuple[dict[str, tuple[float, float]] | None, str | None]:
    """Mean squared error on the labelled rows of the next step, with its standard error over steps; or why there is none.

    Step 0 is fitted on real labels alone. Then each course labels the rows of its step by its previous model (plus noise of
    variance ``noise``), mixes in the labels that are ``shown``, refits, and is judged on the labels y of the step after,
    which it has not seen. ``blocks`` are the rows of each step in the order of time; steps at the end without a label are
    left out. ``sample_weight``, of mean 1, counts in fits and errors.
    """
    while blocks and not np.isfinite(y[blocks[-1]]).any():
        blocks = blocks[:-1]
    few = [t for t, rows in enumerate(blocks) if np.isfinite(shown[rows]).sum() < 2]
    if len(blocks) < FEWEST_STEPS or few:
        short = f"{len(few)} of {len(blocks)} steps have fewer than 2 labels"
        return None, f"no backtest: {short if few else f'it needs {FEWEST_STEPS} steps with labels, got {len(blocks)}'}"
    drawn = math.sqrt(noise) * rng.standard_normal(y.size)
    found = {}
    for name, course in courses.items():
        model, errors = None, []
        kept: list[NDArray[np.intp]] = []
        for t, rows in enumerate(blocks[:-1]):
            labelled = rows[np.isfinite(shown[rows])]
            kept = [*kept, labelled] if course.keeps else [labelled]
            if model is None or course.keeps:
                train = np.concatenate(kept)
                labels, weights = shown[train], np.ones(train.size)
            else:
                synthetic = model(X[rows]) + drawn[rows]
                real, w = np.isfinite(shown[rows]), course.real_weight(t)
                labels = np.where(real, w * shown[rows] + (1 - w) * synthetic, synthetic)
                weights = np.where(real, course.labelled_row_weight, course.row_weight)
                train = rows
            weights = weights if sample_weight is None else weights * sample_weight[train]
            model = _ridge(X[train], labels, train.size * course.penalty(t), weights)
            later = blocks[t + 1][np.isfinite(y[blocks[t + 1]])]
            counts = None if sample_weight is None else sample_weight[later]
            errors.append(float(np.average((model(X[later]) - y[later]) ** 2, weights=counts)))
        found[name] = (float(np.mean(errors)), float(np.std(errors, ddof=1) / math.sqrt(len(errors))))
    return found, None


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
    alpha = half * penalty
    before = (_ridge(X[early], y[early], alpha, None)(X[late]) - y[late]) ** 2
    own = np.empty(late.size)
    folds = np.arange(late.size) % 5
    for fold in range(5):
        rest = late[folds != fold]
        own[folds == fold] = (_ridge(X[rest], y[rest], alpha, None)(X[late[folds == fold]]) - y[late[folds == fold]]) ** 2
    gap = before - own
    z = float(gap.mean() / (gap.std(ddof=1) / math.sqrt(gap.size)))
    if z < 3.0 or before.mean() < 1.05 * own.mean():
        return None
    return (
        f"the coefficients drift: on the later half a model of the earlier half errs by {before.mean():.3g}, one of the later "
        f"half itself by {own.mean():.3g} (z = {z:.1f}); the theory assumes no drift"
    )


def _ridge(X: Floats, y: Floats, alpha: float, weights: Floats | None) -> Callable[[Floats], Floats]:
    """A fitted predictor: scikit-learn's ridge with an intercept; without a penalty, least squares of least norm."""
    from sklearn.linear_model import LinearRegression, Ridge

    model = Ridge(alpha=alpha) if alpha > 0 else LinearRegression()
    if weights is not None:
        X, y, weights = X[weights > 0], y[weights > 0], weights[weights > 0]
    predict: Callable[[Floats], Floats] = model.fit(X, y, sample_weight=weights).predict
    return predict
