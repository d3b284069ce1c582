"""Learners of replays: ridge regression, scikit-learn's and a fast one for many columns of labels."""

import copy
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
    """Any regressor, or a classifier of so many ``classes`` whose labels are their numbers.

    With a model ``before``, ``anchor`` times it is an offset that is added to the fit; or the fit goes on from it, by the
    estimator's ``warm_start`` or from it as its ``init``. Settings of random numbers that are not fixed are drawn from
    ``seed``, so that a fit is the same in any process.
    """

    estimator: Any
    classes: int = 0
    seed: int | None = None
    anchor: float = 0.0
    anchoring: str = "none"
    before: "AnyModel | None" = None
    # The only class of the fit, which no classifier takes.
    _only: int | None = field(default=None, init=False)

    @property
    def _last(self) -> tuple[str, Any]:
        """What settings of the last step of a pipeline begin with, and that step; of no pipeline the estimator."""
        steps = getattr(self.estimator, "steps", None)
        return (f"{steps[-1][0]}__", steps[-1][1]) if steps else ("", self.estimator)

    def has(self, setting: str) -> bool:
        """Whether the estimator, or the last step of a pipeline, has a setting of this name."""
        return setting in self._last[1].get_params(deep=False)

    @property
    def weight_name(self) -> str | None:
        """The keyword of ``fit`` for weights of rows; None where there is none."""
        from sklearn.utils.validation import has_fit_parameter

        prefix, last = self._last
        return f"{prefix}sample_weight" if has_fit_parameter(last, "sample_weight") else None

    def fit(self, X: Any, labels: Floats, sample_weight: Floats | None = None) -> "AnyModel":
        """Fit a clone, to what the model before leaves of the labels."""
        from sklearn.base import clone

        self.estimator = clone(self.estimator)
        if self.seed is not None:
            names = [
                name for name, value in self.estimator.get_params().items() if name.endswith("random_state") and value is None
            ]
            self.estimator.set_params(**dict.fromkeys(names, self.seed))
        self._only = None
        if self._offset is not None:
            labels = labels - self.anchor * self._offset.predict(X)
        elif self.before is not None and self.before._knows(labels):
            self._continue(self.before.estimator)
        # All that is needed of it is in the fit.
        self.before = self._offset
        if self.classes:
            labels = labels.astype(np.intp)
            if labels.min() == labels.max():
                self._only = int(labels[0])
                return self
        weights = {} if sample_weight is None else {str(self.weight_name): sample_weight}
        self.estimator.fit(X, labels, **weights)
        return self

    @property
    def _offset(self) -> "AnyModel | None":
        return self.before if self.anchoring == "offset" else None

    def _knows(self, labels: Floats) -> bool:
        """Whether a fit to labels can go on from this one: a classifier's has the same classes."""
        return not self.classes or (self._only is None and np.array_equal(np.unique(labels), self.estimator.classes_))

    def _continue(self, before: Any) -> None:
        """Let the fit begin at one that was made."""
        prefix, last = self._last
        if self.anchoring == "init":
            from sklearn.frozen import FrozenEstimator

            self.estimator.set_params(**{f"{prefix}init": FrozenEstimator(before.steps[-1][1] if prefix else before)})
            return
        own = self.estimator.get_params()
        # Trees and rounds of boosting come on top of those that are there; passes over the rows start again.
        grows = next(
            (name for name in ("n_estimators", "max_iter") if name in last.get_params() and _counts_trees(last, name)), None
        )
        self.estimator = copy.deepcopy(before)
        changed = {name: value for name, value in own.items() if name.endswith("random_state")} | {f"{prefix}warm_start": True}
        if grows is not None:
            changed[prefix + grows] = self.estimator.get_params()[prefix + grows] + own[prefix + grows]
        self.estimator.set_params(**changed)

    def predict(self, X: Any) -> Floats:
        """(k,) numbers, of classes theirs."""
        if self._only is not None:
            return np.full(len(X), float(self._only))
        predicted = np.asarray(self.estimator.predict(X), dtype=np.float64)
        return predicted if self._offset is None else np.asarray(self.anchor * self._offset.predict(X) + predicted)

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


def _counts_trees(estimator: Any, setting: str) -> bool:
    """Whether a setting is a number of trees: of histogram boosting ``max_iter`` is."""
    return setting == "n_estimators" or "hist_gradient_boosting" in type(estimator).__module__


def ridge(alpha: float) -> Learner:
    """scikit-learn's ridge with an intercept; without a penalty, least squares of least norm."""
    from sklearn.linear_model import LinearRegression, Ridge

    learner: Learner = Ridge(alpha=alpha) if alpha > 0 else LinearRegression()
    return learner
