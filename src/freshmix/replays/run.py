"""The one runner of the loop on real rows: models are fitted, relabel the next rows, and are judged, whatever the learner."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats

Rows = NDArray[np.intp] | slice


class Learner(Protocol):
    """Anything that fits and predicts as scikit-learn's regressors do; ``sample_weight`` is for rows of different weight."""

    def fit(self, *args: Any, **options: Any) -> Any:
        """From (n, p) rows and (n,) or (n, m) labels."""

    def predict(self, X: Floats) -> Floats:
        """(k,) or (k, m) labels of (k, p) rows."""


@dataclass(frozen=True, eq=False)
class Turn:
    """One generation: what is fitted on which rows of the table, and which rows judge it.

    ``real`` holds the real labels of the rows, NaN where there is none, in one column or in one for each known signal, and
    ``noise`` what their synthetic labels have beyond predictions. ``real_weight`` (0 where there is no real label) and
    ``row_weight`` are those of each row, or of all. Kept rows are more rows, with labels that are real alone. An ``anchor``
    above 0, for a ``FastRidge``, pulls towards so much of the model before.
    """

    learner: Learner
    rows: Rows
    judged: Rows
    real: Floats
    noise: Floats | float = 0.0
    real_weight: Floats | float = 1.0
    row_weight: Floats | float = 1.0
    anchor: float = 0.0

    def anchored(self, model: Any) -> Learner:
        """The learner, pulled towards the model before, where there is one."""
        if model is None or self.anchor == 0:
            return self.learner
        return cast("Learner", replace(cast("Any", self.learner), towards=self.anchor * model.coef_))

    def labels(self, X: Floats, model: Learner | None) -> Floats:
        """w real + (1 - w) (prediction + noise), the latter from the model before; real ones alone where there is none."""
        w = np.reshape(self.real_weight, (-1, *(1 for _ in self.real.shape[1:])))
        if model is None or np.all(w == 1):
            return self.real
        synthetic = model.predict(X) + self.noise
        return np.where(w > 0, w * self.real + (1 - w) * synthetic, synthetic)


def fitted(learner: Learner, X: Floats, labels: Floats, weights: Floats | float = 1.0) -> Learner:
    """A copy of the learner, fitted on the rows of positive weight."""
    model, weights = copy.deepcopy(learner), np.broadcast_to(weights, len(X))
    counted = weights > 0
    if not counted.all():
        X, labels, weights = X[counted], labels[counted], weights[counted]
    # Learners that take no weights serve where rows count alike.
    model.fit(X, labels, **({} if np.all(weights == 1) else {"sample_weight": weights}))
    return model


def run(X: Floats, target: Floats, turns: Iterable[Turn], sample_weight: Floats | None = None) -> Floats:
    """(T + 1,) mean squared errors of generations 0 ... T on the rows that judge them, over all columns of ``target``.

    ``target`` is what predictions of the rows of X should be: known signals, which gives excess risks, or labels, which gives
    prediction errors. ``sample_weight`` of all rows counts in fits and errors. Nothing is drawn here: turns hold what was.
    """
    model, errors = None, []
    for turn in turns:
        rows, weights = X[turn.rows], turn.row_weight
        if sample_weight is not None:
            weights = weights * sample_weight[turn.rows]
        model = fitted(turn.anchored(model), rows, turn.labels(rows, model), weights)
        squares = (model.predict(X[turn.judged]) - target[turn.judged]) ** 2
        counts = None if sample_weight is None else sample_weight[turn.judged]
        errors.append(float(np.mean(np.average(squares, axis=0, weights=counts))))
    return np.array(errors)
