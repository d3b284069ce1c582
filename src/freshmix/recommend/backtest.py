"""The recommended loop and its rivals on the table itself, in time order, judged on later rows."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._checks import Floats

MOST_STEPS = 24
FEWEST_STEPS = 3


@dataclass(frozen=True)
class Course:
    """One way of training: penalty of step t, real weight, row weight of rows without a label, and which rows it keeps."""

    penalty: Callable[[int], float]
    real_weight: float = 1.0
    row_weight: float = 0.0
    keeps: bool = False


def backtest(
    X: Floats,
    y: Floats,
    steps: NDArray[np.intp],
    courses: Mapping[str, Course],
    noise: float,
    rng: np.random.Generator,
) -> dict[str, tuple[float, float]] | None:
    """Mean squared error on the labelled rows of the next step, with its standard error over steps.

    Step 0 is fitted on real labels alone. Then each course labels the rows of its step by its previous model (plus noise of
    variance ``noise``), mixes, refits, and is judged on the rows of the step after, whose labels it has not seen. Returns
    None for fewer than three steps or too few labelled rows in one.
    """
    blocks = _blocks(steps)
    if len(blocks) < FEWEST_STEPS or any(np.isfinite(y[rows]).sum() < 2 for rows in blocks):
        return None
    drawn = math.sqrt(noise) * rng.standard_normal(y.size)
    found = {}
    for name, course in courses.items():
        models, errors = None, []
        kept: list[NDArray[np.intp]] = []
        for t, rows in enumerate(blocks[:-1]):
            labelled = rows[np.isfinite(y[rows])]
            kept = [*kept, labelled] if course.keeps else [labelled]
            if models is None or course.keeps:
                train, labels, weights = np.concatenate(kept), y[np.concatenate(kept)], None
                count = train.size
            else:
                synthetic = models(X[rows]) + drawn[rows]
                real = np.isfinite(y[rows])
                mixed = course.real_weight * y[rows] + (1 - course.real_weight) * synthetic
                labels = np.where(real, mixed, synthetic)
                weights = np.where(real, 1.0, course.row_weight)
                train, count = rows, rows.size
            models = _ridge(X[train], labels, count * course.penalty(t), weights)
            later = blocks[t + 1][np.isfinite(y[blocks[t + 1]])]
            errors.append(float(np.mean((models(X[later]) - y[later]) ** 2)))
        found[name] = (float(np.mean(errors)), float(np.std(errors, ddof=1) / math.sqrt(len(errors))))
    return found


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


def _blocks(steps: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Rows of each step in time order; many steps are gathered into at most MOST_STEPS blocks."""
    last = int(steps.max()) + 1
    block = steps if last <= MOST_STEPS else steps * MOST_STEPS // last
    return [np.flatnonzero(block == each) for each in range(int(block.max()) + 1)]


def _ridge(X: Floats, y: Floats, alpha: float, weights: Floats | None) -> Callable[[Floats], Floats]:
    """A fitted predictor: scikit-learn's ridge with an intercept; without a penalty, least squares of least norm."""
    from sklearn.linear_model import LinearRegression, Ridge

    model = Ridge(alpha=alpha) if alpha > 0 else LinearRegression()
    if weights is not None:
        X, y, weights = X[weights > 0], y[weights > 0], weights[weights > 0]
    predict: Callable[[Floats], Floats] = model.fit(X, y, sample_weight=weights).predict
    return predict
