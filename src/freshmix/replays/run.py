"""The one runner of the loop on real rows: models are fitted, relabel the next rows, and are judged, whatever the learner."""

import copy
from collections.abc import Iterable, Iterator
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

    def training(self, X: Any, model: Learner | None, counts: Floats | None) -> tuple[Any, Any, Floats | float]:
        """Rows, labels and weights of the fit, from the rows of the table, what they count, and the model before."""
        rows = rows_of(X, self.rows)
        weights = self.row_weight if counts is None else self.row_weight * counts[self.rows]
        return rows, self.labels(rows, model), weights

    def fitted(self, model: Any, X: Any, labels: Any, weights: Floats | float) -> Learner:
        """The learner fitted, pulled towards the model before, where there is one."""
        if model is None or self.anchor == 0:
            return fitted(self.learner, X, labels, weights)
        return fitted(replace(cast("Any", self.learner), towards=self.anchor * model.coef_), X, labels, weights)

    def labels(self, X: Floats, model: Learner | None) -> Floats:
        """w real + (1 - w) (prediction + noise), the latter from the model before; real ones alone where there is none."""
        w = np.reshape(self.real_weight, (-1, *(1 for _ in self.real.shape[1:])))
        if model is None or np.all(w == 1):
            return self.real
        synthetic = model.predict(X) + self.noise
        return np.where(w > 0, w * self.real + (1 - w) * synthetic, synthetic)


def rows_of(X: Any, rows: Any) -> Any:
    """Rows of an array or of a data frame."""
    if isinstance(X, np.ndarray):
        return X[rows]
    # Only for frames, which come with estimators: it takes a while to load.
    from sklearn.utils import _safe_indexing

    return _safe_indexing(X, np.arange(len(X))[rows])


def fitted(learner: Learner, X: Any, labels: Any, weights: Floats | float = 1.0) -> Learner:
    """A copy of the learner, fitted on the rows of positive weight."""
    model, weights = copy.deepcopy(learner), np.broadcast_to(weights, len(X))
    counted = weights > 0
    if not counted.all():
        X, labels, weights = rows_of(X, counted), labels[counted], weights[counted]
    # Learners that take no weights serve where rows count alike.
    model.fit(X, labels, **({} if np.all(weights == 1) else {"sample_weight": weights}))
    return model


def models(X: Any, turns: Iterable[Turn], sample_weight: Floats | None = None) -> Iterator[tuple[Turn, Learner]]:
    """Each turn with its model, fitted on labels that the one before it made; ``sample_weight`` of all rows counts in fits.

    Nothing is drawn here: turns hold what was.
    """
    model = None
    for turn in turns:
        rows, labels, weights = turn.training(X, model, sample_weight)
        model = turn.fitted(model, rows, labels, weights)
        yield turn, model


def run(X: Floats, target: Floats, turns: Iterable[Turn], sample_weight: Floats | None = None) -> Floats:
    """(T + 1,) mean squared errors of generations 0 ... T on the rows that judge them, over all columns of ``target``.

    ``target`` is what predictions of the rows of X should be: known signals, which gives excess risks, or labels, which gives
    prediction errors. ``sample_weight`` of all rows counts in fits and errors.
    """
    errors = []
    for turn, model in models(X, turns, sample_weight):
        squares = (model.predict(X[turn.judged]) - target[turn.judged]) ** 2
        counts = None if sample_weight is None else sample_weight[turn.judged]
        errors.append(float(np.mean(np.average(squares, axis=0, weights=counts))))
    return np.array(errors)
