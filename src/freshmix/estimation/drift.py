"""How much coefficients drift between time steps, from a table with times (mathematics.md section 7).

Rows x at step t and x~ at step u covary as b (x.x~) c^|t-u| in their signals, and sigma^2 is the noise of each: coefficients
follow beta_t = c beta_{t-1} + sqrt(1-c^2) xi_t with energy b each. Their likelihood, at its best (b, sigma^2), is a curve in c.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh, solve_triangular
from scipy.optimize import minimize_scalar

from ..arguments import Floats
from ..population import Population
from ..threads import on_one_blas_thread

# Twice the fall of the log-likelihood at the ends of a 90% interval is the 90% point of chi-square with one degree of freedom.
_FALL = 2.706 / 2
# 1 - c: no drift, then towards steps that have nothing in common.
_GAPS = np.concatenate([[0.0], np.geomspace(5e-4, 1.0, 12)])
# Of many rows with many features so many are taken, evenly over time.
MOST_ROWS = 1100
# Bands of eigenvalues of a population, and what counts as an eigenvalue of 0.
_BANDS, _NULL = 10, 1e-9
# So much of the unit prior keeps a covariance from losing its rank to rounding.
_JITTER = 1e-13
# Logarithms of sigma^2 over b times the mean size of a row; how far it moves between neighbouring c.
_RATIOS, _NEAR = (-14.0, 9.0), 1.5

# log det V and y'V^-1 y by log(sigma^2 / b), where the covariance of the labels is b V.
Curve = Callable[[float], tuple[float, float]]


class _Likelihood(Protocol):
    def at(self, persistence: float) -> Curve:
        """The two terms of the likelihood at a persistence."""


@dataclass(frozen=True, eq=False)
class Filtered:
    """By Kalman's filter: all rows, by the moments X'X, X'y and y'y of their steps; the cost of a step is p^3."""

    gram: Floats  # (T, p, p)
    crossed: Floats  # (T, p)
    energy: float
    rows: NDArray[np.intp]  # (T,)

    @classmethod
    def of(cls, X: Floats, y: Floats, steps: NDArray[np.intp]) -> "Filtered":
        """From labelled rows, in any order within a step."""
        order = np.argsort(steps, kind="stable")
        rows = np.bincount(steps)
        parts = np.split(order, np.cumsum(rows)[:-1])
        gram = np.array([X[part].T @ X[part] for part in parts])
        return cls(gram, np.array([X[part].T @ y[part] for part in parts]), float(y @ y), rows)

    def at(self, persistence: float) -> Curve:
        """With m, P = LL' before a step's rows, r = sigma^2/b and A = I + L'X'XL/r = CC', of a step

        log det = n log r + log det A,   quadratic = |y - Xm|^2 / r - |h|^2,   h = C^-1 L'X'(y - Xm)/r
        and after it m + LC'^-1 h and L A^-1 L'; between steps c m and c^2 P + (1-c^2) I.
        """
        c, p = persistence, self.crossed.shape[1]

        def curve(log_ratio: float) -> tuple[float, float]:
            r = math.exp(log_ratio)
            mean, spread, eye = np.zeros(p), np.eye(p), np.eye(p)
            determinant, quadratic = float(self.rows.sum()) * log_ratio, self.energy / r
            for gram, crossed, rows in zip(self.gram, self.crossed, self.rows, strict=True):
                if rows:
                    root = cholesky(spread + _JITTER * eye, lower=True, check_finite=False)
                    factor = cholesky(eye + root.T @ (gram / r) @ root, lower=True, check_finite=False)
                    back = solve_triangular(factor, root.T, lower=True, check_finite=False)
                    seen = gram @ mean
                    h = back @ (crossed - seen) / r
                    quadratic += float((mean @ seen - 2 * (mean @ crossed)) / r - h @ h)
                    determinant += 2 * float(np.log(np.diag(factor)).sum())
                    mean, spread = mean + back.T @ h, back.T @ back
                mean, spread = c * mean, c * c * spread + (1 - c * c) * eye
            return determinant, quadratic

        return curve


@dataclass(frozen=True, eq=False)
class Dense:
    """By the covariance of all labels at once: for few rows, or features that are many."""

    X: Floats
    y: Floats
    steps: NDArray[np.intp]

    def at(self, persistence: float) -> Curve:
        """From the eigenvalues of (x.x~) c^|t-u|."""
        apart = np.abs(np.subtract.outer(self.steps, self.steps))
        s, U = eigh((self.X @ self.X.T) * persistence**apart, check_finite=False, overwrite_a=True)
        s, squares = np.maximum(s, 0.0), (U.T @ self.y) ** 2

        def curve(log_ratio: float) -> tuple[float, float]:
            total = s + math.exp(log_ratio)
            return float(np.log(total).sum()), float((squares / total).sum())

        return curve


@dataclass(frozen=True, eq=False)
class Drift:
    """Persistence c, and energy b of a coefficient and sigma^2 at it, with what the likelihood says of others.

    Attributes
    ----------
    persistence : float
        c of the greatest likelihood.
    interval : (float, float)
        90% interval of c, by the fall of the likelihood.
    energy, noise_variance : float
        b and sigma^2.
    gaps, falls, energies, noises : (k,) arrays
        By 1 - c, rising: how far the log-likelihood falls below its best, and b and sigma^2 there.
    """

    gaps: Floats
    falls: Floats
    energies: Floats
    noises: Floats

    @property
    def _best(self) -> int:
        return int(np.argmin(self.falls))

    @property
    def persistence(self) -> float:
        """c."""
        return float(1 - self.gaps[self._best])

    @property
    def energy(self) -> float:
        """b."""
        return float(self.energies[self._best])

    @property
    def noise_variance(self) -> float:
        """sigma^2."""
        return float(self.noises[self._best])

    @cached_property
    def interval(self) -> tuple[float, float]:
        """90% interval of c: the root of the fall is nearly straight on either side."""
        best, root = self._best, np.sqrt(self.falls)
        high = np.interp(math.sqrt(_FALL), root[best:], self.gaps[best:])
        low = np.interp(math.sqrt(_FALL), root[best::-1], self.gaps[best::-1])
        return float(1 - high), float(1 - low)

    def draws(self, count: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """(count,) evenly probable persistences, under a flat prior, with b and sigma^2 to each."""
        fine = np.unique(np.concatenate([np.linspace(a, b, 20) for a, b in zip(self.gaps, self.gaps[1:], strict=False)]))
        density = np.exp(-(np.interp(fine, self.gaps, np.sqrt(self.falls)) ** 2))
        mass = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(fine))])
        gaps = np.interp((np.arange(count) + rng.random(count)) / count * mass[-1], mass, fine)
        b, noise = (np.exp(np.interp(gaps, self.gaps, np.log(values))) for values in (self.energies, self.noises))
        return 1 - gaps, b, noise


@on_one_blas_thread
def drift_of(X: Floats, y: Floats, steps: NDArray[np.intp]) -> Drift:
    """The drift behind (n, p) labelled rows, their labels and their time steps 0, 1, ...; the order within a step is nothing.

    An intercept that drifts has to be among the features. Rows are thinned evenly over time where their features are too many
    for the moments of each step.
    """
    n, p = X.shape
    order = np.argsort(steps, kind="stable")
    kept = order[np.linspace(0, n - 1, min(n, MOST_ROWS)).astype(int)]
    filtered = (int(steps.max()) + 1) * p**3 < kept.size**3
    found: _Likelihood = Filtered.of(X, y, steps) if filtered else Dense(X[kept], y[kept], steps[kept])
    return _profile(found, n if filtered else kept.size, float(np.einsum("ij,ij->", X, X) / n))


def _profile(likelihood: _Likelihood, rows: int, size: float) -> Drift:
    """-log L + constant = (n log b + log det V)/2 with b = y'V^-1 y/n, at the best ratio: a grid of c, then nearer its best."""
    points: dict[float, tuple[float, float, float]] = {}

    def at(gap: float) -> float:
        if gap in points:
            return points[gap][0]
        curve = likelihood.at(1 - gap)

        def value(log_ratio: float) -> float:
            determinant, quadratic = curve(log_ratio)
            return (rows * math.log(max(quadratic, 1e-300) / rows) + determinant) / 2

        low, high = (math.log(size) + end for end in _RATIOS)
        if points:
            near = min(points, key=lambda known: abs(known - gap))
            centre = math.log(points[near][2] / points[near][1])
            low, high = max(low, centre - _NEAR), min(high, centre + _NEAR)
        best = minimize_scalar(value, bounds=(low, high), method="bounded", options={"xatol": 0.02})
        b = max(curve(float(best.x))[1], 1e-300) / rows
        points[gap] = (float(best.fun), b, b * math.exp(float(best.x)))
        return points[gap][0]

    values = [at(gap) for gap in _GAPS.tolist()]
    best = int(np.argmin(values))
    ends = float(_GAPS[max(best - 1, 0)]), float(_GAPS[min(best + 1, _GAPS.size - 1)])
    minimize_scalar(at, bounds=ends, method="bounded", options={"xatol": 1e-4, "maxiter": 8})
    gaps = np.array(sorted(points))
    found = np.array([points[gap] for gap in gaps.tolist()])
    return Drift(gaps, found[:, 0] - found[:, 0].min(), found[:, 1], found[:, 2])


def drifting(second_moments: Floats, persistence: float, energy: float, noise_variance: float) -> Population:
    """Features of these second moments (p, p), each coefficient with the same energy; eigenvalues gathered into ten bands."""
    tau = np.linalg.eigvalsh(second_moments)
    positive = tau[tau > _NULL * tau[-1]]
    place = np.log(positive / positive[0]) / max(math.log(positive[-1] / positive[0]), 1e-300)
    band = np.minimum((place * _BANDS).astype(int), _BANDS - 1)
    count = np.bincount(band, minlength=_BANDS)
    kept = count > 0
    values, size = np.bincount(band, positive, _BANDS)[kept] / count[kept], count[kept].astype(np.float64)
    null = tau.size - positive.size
    if null:
        values, size = np.append(values, 0.0), np.append(size, float(null))
    return Population(values, size / tau.size, energy * size, noise_variance, persistence=persistence)
