"""Learners of replays: ridge regression, scikit-learn's and a fast one for many columns of labels."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arguments import Floats
from .run import Learner


@dataclass
class FastRidge:
    """(X'AX + alpha I)^-1 X'A labels without an intercept, in the smaller of its two forms; least norm where alpha is 0.

    scikit-learn's ``Ridge(alpha, fit_intercept=False)``, without its checks of each fit. With coefficients to go ``towards`` it
    is fitted to what they leave of the labels.
    """

    alpha: float
    towards: Floats | None = None
    coef_: Floats = field(init=False, repr=False)

    def fit(self, X: Floats, labels: Floats, sample_weight: Floats | None = None) -> "FastRidge":
        """Fit (n, p) rows to (n,) or (n, m) labels; A are the weights of the rows."""
        if self.towards is not None:
            labels = labels - X @ self.towards
        if sample_weight is not None:
            root = np.sqrt(sample_weight)
            X, labels = X * root[:, None], (labels.T * root).T
        n, p = X.shape
        if self.alpha == 0:
            coefficients = np.linalg.lstsq(X, labels, rcond=None)[0]
        elif p <= n:
            coefficients = np.linalg.solve(X.T @ X + self.alpha * np.eye(p), X.T @ labels)
        else:
            coefficients = X.T @ np.linalg.solve(X @ X.T + self.alpha * np.eye(n), labels)
        self.coef_ = np.asarray(coefficients) if self.towards is None else self.towards + coefficients
        return self

    def predict(self, X: Floats) -> Floats:
        """(k, p) rows to (k,) or (k, m) predictions."""
        return np.asarray(X @ self.coef_)


@dataclass
class AnyModel:
    """Any regressor, or a classifier of so many ``classes`` whose labels are their numbers; ``before`` is added to it.

    Settings of random numbers that are not fixed are drawn from ``seed``, so that a fit is the same in any process.
    """

    estimator: Any
    classes: int = 0
    seed: int | None = None
    anchor: float = 0.0
    before: "AnyModel | None" = None
    # The only class of the fit, which no classifier takes.
    _only: int | None = field(default=None, init=False)

    @property
    def weight_name(self) -> str | None:
        """The keyword of ``fit`` for weights of rows; None where there is none."""
        from sklearn.utils.validation import has_fit_parameter

        steps = getattr(self.estimator, "steps", None)
        last, name = (steps[-1][1], f"{steps[-1][0]}__sample_weight") if steps else (self.estimator, "sample_weight")
        return name if has_fit_parameter(last, "sample_weight") else None

    def fit(self, X: Any, labels: Floats, sample_weight: Floats | None = None) -> "AnyModel":
        """Fit a clone, to what the model before leaves of the labels."""
        from sklearn.base import clone

        self.estimator = clone(self.estimator)
        if self.seed is not None:
            names = [
                name for name, value in self.estimator.get_params().items() if name.endswith("random_state") and value is None
            ]
            self.estimator.set_params(**dict.fromkeys(names, self.seed))
        if self.before is not None:
            labels = labels - self.anchor * self.before.predict(X)
        self._only = None
        if self.classes:
            labels = labels.astype(np.intp)
            if labels.min() == labels.max():
                self._only = int(labels[0])
                return self
        weights = {} if sample_weight is None else {str(self.weight_name): sample_weight}
        self.estimator.fit(X, labels, **weights)
        return self

    def predict(self, X: Any) -> Floats:
        """(k,) numbers, of classes theirs."""
        if self._only is not None:
            return np.full(len(X), float(self._only))
        predicted = np.asarray(self.estimator.predict(X), dtype=np.float64)
        return predicted if self.before is None else np.asarray(self.anchor * self.before.predict(X) + predicted)

    @property
    def gives_probabilities(self) -> bool:
        """Whether the estimator has ``predict_proba``."""
        return hasattr(self.estimator, "predict_proba")

    def probabilities(self, X: Any) -> Floats:
        """(k, classes), 0 for classes that were not in the fit."""
        if self._only is not None:
            return np.asarray(np.eye(self.classes)[np.full(len(X), self._only)])
        found = np.zeros((len(X), self.classes))
        found[:, self.estimator.classes_] = self.estimator.predict_proba(X)
        return found


def ridge(alpha: float) -> Learner:
    """scikit-learn's ridge with an intercept; without a penalty, least squares of least norm."""
    from sklearn.linear_model import LinearRegression, Ridge

    learner: Learner = Ridge(alpha=alpha) if alpha > 0 else LinearRegression()
    return learner
