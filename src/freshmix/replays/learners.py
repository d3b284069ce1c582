"""Learners of replays: ridge regression, scikit-learn's and a fast one for many columns of labels."""

from dataclasses import dataclass, field

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


def ridge(alpha: float) -> Learner:
    """scikit-learn's ridge with an intercept; without a penalty, least squares of least norm."""
    from sklearn.linear_model import LinearRegression, Ridge

    learner: Learner = Ridge(alpha=alpha) if alpha > 0 else LinearRegression()
    return learner
