"""What ridge regression keeps of rows: weighted moments, of which any number of generations can be added up."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from ..arguments import Floats


@dataclass(frozen=True, eq=False)
class Moments:
    """Sum of weights, means of X (p,) and y (m,), and X'AX (p, p) and X'Ay (p, m) of rows with these means taken off.

    Ridge needs no more of its rows: min_b sum_i a_i |y_i - x_i b|^2 + alpha |b - towards|^2 is solved by
    ``(X'AX + alpha I) b = X'Ay + alpha towards``.
    """

    weight: float
    mean_x: Floats
    mean_y: Floats
    xx: Floats
    xy: Floats

    @classmethod
    def of(cls, X: Floats, y: Floats, weights: Floats, centred: bool) -> "Moments":
        """Of (n, p) rows with (n, m) labels; without an intercept means stay 0."""
        total = float(weights.sum())
        mean_x, mean_y = np.zeros(X.shape[1]), np.zeros(y.shape[1])
        if centred and total > 0:
            mean_x, mean_y = weights @ X / total, weights @ y / total
        rows = X - mean_x
        weighted = rows.T * weights
        return cls(total, mean_x, mean_y, weighted @ rows, weighted @ (y - mean_y))

    def __add__(self, other: "Moments") -> "Moments":
        """Moments of both sets of rows: those about two means, and what the means are apart."""
        weight = self.weight + other.weight
        if weight == 0:
            return self
        part = other.weight / weight
        dx, dy = other.mean_x - self.mean_x, other.mean_y - self.mean_y
        between = self.weight * part
        return Moments(
            weight,
            self.mean_x + part * dx,
            self.mean_y + part * dy,
            self.xx + other.xx + between * np.outer(dx, dx),
            self.xy + other.xy + between * np.outer(dx, dy),
        )

    def times(self, factor: float) -> "Moments":
        """With all weights multiplied."""
        return Moments(factor * self.weight, self.mean_x, self.mean_y, factor * self.xx, factor * self.xy)

    def solve(self, alpha: float, towards: Floats) -> Floats:
        """(p, m) coefficients; without a penalty those nearest to ``towards`` (p, m) of all that fit best."""
        apart = self.xy - self.xx @ towards
        if alpha > 0:
            matrix = self.xx + alpha * np.eye(len(self.xx))
            return np.asarray(towards + scipy.linalg.solve(matrix, apart, assume_a="pos"))
        return np.asarray(towards + scipy.linalg.pinvh(self.xx) @ apart)

    def intercept(self, coefficients: Floats) -> Floats:
        """(m,) intercepts that go with (p, m) coefficients."""
        return np.asarray(self.mean_y - self.mean_x @ coefficients)


def solve_rows(X: Floats, y: Floats, weights: Floats, alpha: float, towards: Floats, centred: bool) -> tuple[Floats, Floats]:
    """(p, m) coefficients and (m,) intercepts of ridge on (n, p) rows, as ``Moments`` gives them, without a p x p matrix where
    p > n, and by an orthogonal method where alpha is 0.
    """
    total, p = float(weights.sum()), X.shape[1]
    mean_x, mean_y = np.zeros(p), np.zeros(y.shape[1])
    if centred:
        mean_x, mean_y = weights @ X / total, weights @ y / total
    root = np.sqrt(weights)[:, None]
    rows, apart = root * (X - mean_x), root * (y - mean_y)
    apart = apart - rows @ towards
    if alpha == 0:
        # Rows about their mean have one direction less than they seem to.
        gain = np.asarray(scipy.linalg.lstsq(rows, apart, cond=max(rows.shape) * np.finfo(np.float64).eps)[0])
    elif p <= len(X):
        gain = scipy.linalg.solve(rows.T @ rows + alpha * np.eye(p), rows.T @ apart, assume_a="pos")
    else:
        gain = rows.T @ scipy.linalg.solve(rows @ rows.T + alpha * np.eye(len(X)), apart, assume_a="pos")
    coefficients = towards + gain
    return coefficients, mean_y - mean_x @ coefficients
