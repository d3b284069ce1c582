"""How much coefficients drift between time steps, from a table with times (mathematics.md section 7).

Rows x at step t and x~ at step u covary as b (x.Dx~) c^|t-u| in their signals, and sigma^2 is the noise of each: coefficients
follow beta_t = c beta_{t-1} + sqrt(1-c^2) xi_t with energies b D. D is 1 for the intercept and, along principal directions of
the other features, tau^a in units of what leaves the signal's variance as for a = 0. The likelihood, at its best (b, sigma^2),
is a curve in c; a is that of the greatest likelihood under a wide prior.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh, solve_triangular
from scipy.optimize import minimize, minimize_scalar

from ..arguments import Floats
from ..population import Population
from ..threads import on_one_blas_thread

# Twice the fall of the log-likelihood at the ends of a 90% interval is the 90% point of chi-square with one degree of freedom.
_FALL = 2.706 / 2
# 1 - c: no drift, then towards steps that have nothing in common.
_GAPS = np.concatenate([[0.0], np.geomspace(5e-4, 1.0, 12)])
# Of many rows with many features so many are taken, evenly over time.
MOST_ROWS = 1100
# Each of the energies that are tried takes an eigendecomposition of so many of these.
FEW_ROWS = 300
# Bands of eigenvalues of a population, and what counts as an eigenvalue of 0.
_BANDS, _NULL = 10, 1e-9
# So much of the unit prior keeps a covariance from losing its rank to rounding.
_JITTER = 1e-13
# Logarithms of sigma^2 over b times the mean size of a row, with how far apart three of them are that a parabola goes through.
_RATIOS, _APART = (-14.0, 9.0), 0.4
# How far a goes, whose prior is standard normal; first steps, in log sigma^2/b, a and log(1-c), and evaluations of its search.
_STEEPEST, _STEPS, _EVALUATIONS = 3.0, (0.5, 0.5, -0.5), 80
# Directions count as no smaller than this part of the largest.
_LEAST = 1e-4

# log det V and y'V^-1 y by log(sigma^2 / b), where the covariance of the labels is b V.
Curve = Callable[[float], tuple[float, float]]


class _Likelihood(Protocol):
    def at(self, persistence: float, size: Floats) -> Curve:
        """The two terms of the likelihood at a persistence, with energies b ``size`` (p,) of the coefficients."""


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

    def at(self, persistence: float, size: Floats) -> Curve:
        """With m, P = LL' before a step's rows, r = sigma^2/b and A = I + L'X'XL/r = CC', of a step

        log det = n log r + log det A,   quadratic = |y - Xm|^2 / r - |h|^2,   h = C^-1 L'X'(y - Xm)/r
        and after it m + LC'^-1 h and L A^-1 L'; between steps c m and c^2 P + (1-c^2) I.
        """
        c, p, unit = persistence, self.crossed.shape[1], np.sqrt(size)
        grams, moments = self.gram * np.outer(unit, unit), self.crossed * unit

        def curve(log_ratio: float) -> tuple[float, float]:
            r = math.exp(log_ratio)
            mean, spread, eye = np.zeros(p), np.eye(p), np.eye(p)
            determinant, quadratic = float(self.rows.sum()) * log_ratio, self.energy / r
            for gram, crossed, rows in zip(grams, moments, self.rows, strict=True):
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

    def at(self, persistence: float, size: Floats) -> Curve:
        """From the eigenvalues of (x.Dx~) c^|t-u|."""
        apart = np.abs(np.subtract.outer(self.steps, self.steps))
        s, U = eigh(((self.X * size) @ self.X.T) * persistence**apart, check_finite=False, overwrite_a=True)
        s, squares = np.maximum(s, 0.0), (U.T @ self.y) ** 2

        def curve(log_ratio: float) -> tuple[float, float]:
            total = s + math.exp(log_ratio)
            return float(np.log(total).sum()), float((squares / total).sum())

        return curve


@dataclass(frozen=True, eq=False)
class Drift:
    """Persistence c, and energies of coefficients and sigma^2 at it, with what the likelihood says of others.

    Attributes
    ----------
    persistence : float
        c of the greatest likelihood.
    interval : (float, float)
        90% interval of c, by the fall of the likelihood.
    energy, noise_variance : float
        b and sigma^2.
    size : (p,) array
        Energies over b: the intercept's, then those along the other features' principal directions, by rising eigenvalues.
    gaps, falls, energies, noises : (k,) arrays
        By 1 - c, rising: how far the log-likelihood falls below its best, and b and sigma^2 there.
    """

    gaps: Floats
    falls: Floats
    energies: Floats
    noises: Floats
    size: Floats

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

    def at(self, gap: float) -> tuple[float, float]:
        """b and sigma^2 at any 1 - c."""
        b, noise = (float(np.exp(np.interp(gap, self.gaps, np.log(values)))) for values in (self.energies, self.noises))
        return b, noise

    def draws(self, count: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """(count,) evenly probable persistences, under a flat prior, with b and sigma^2 to each."""
        fine = np.unique(np.concatenate([np.linspace(a, b, 20) for a, b in zip(self.gaps, self.gaps[1:], strict=False)]))
        density = np.exp(-(np.interp(fine, self.gaps, np.sqrt(self.falls)) ** 2))
        mass = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(fine))])
        gaps = np.interp((np.arange(count) + rng.random(count)) / count * mass[-1], mass, fine)
        b, noise = (np.exp(np.interp(gaps, self.gaps, np.log(values))) for values in (self.energies, self.noises))
        return 1 - gaps, b, noise


@on_one_blas_thread
def drift_of(X: Floats, y: Floats, steps: NDArray[np.intp], second_moments: Floats | None = None) -> Drift:
    """The drift behind (n, p) labelled rows, their labels and their time steps 0, 1, ...; the order within a step is nothing.

    The first feature is the intercept's, which drifts too. ``second_moments`` (p, p) are those of all rows, or else of these.
    Rows are thinned evenly over time where their features are too many for the moments of each step.
    """
    n, p = X.shape
    tau, V = directions(X.T @ X / n if second_moments is None else second_moments)
    X = np.column_stack([X[:, :1], X[:, 1:] @ V])
    order = np.argsort(steps, kind="stable")
    kept = order[np.linspace(0, n - 1, min(n, MOST_ROWS)).astype(int)]
    scale = float(np.einsum("ij,ij->", X, X) / n)
    if (int(steps.max()) + 1) * p**3 < kept.size**3:
        return _Profile(Filtered.of(X, y, steps), n, scale, tau).drift()
    few = kept[np.linspace(0, kept.size - 1, min(kept.size, FEW_ROWS)).astype(int)]
    whole, coarse = (_Profile(Dense(X[part], y[part], steps[part]), part.size, scale, tau) for part in (kept, few))
    return whole.drift(coarse)


def directions(second_moments: Floats) -> tuple[Floats, Floats]:
    """(p-1,) eigenvalues, rising, and (p-1, p-1) principal directions of the features beside the intercept."""
    tau, V = np.linalg.eigh(second_moments[1:, 1:])
    return np.maximum(tau, 0.0), V


@dataclass(frozen=True, eq=False)
class _Profile:
    """-log L + constant = (n log b + log det V)/2 with b = y'V^-1 y/n, at its least over the ratio sigma^2/b, by 1 - c.

    ``scale`` is the mean size of a row, ``tau`` the eigenvalues of the features beside the intercept.
    """

    likelihood: _Likelihood
    rows: int
    scale: float
    tau: Floats

    def drift(self, coarse: "_Profile | None" = None) -> Drift:
        """With equal energies at a few c; then a, of fewer rows, together with c from the best of them; then the curve."""
        points = self.curve(0.0, _GAPS[::3])
        best = min(points, key=lambda gap: points[gap][0])
        shape = (coarse or self).shape(best, math.log(points[best][2] / points[best][1]))
        points = self.fine(self.curve(shape, _GAPS), shape)
        gaps = np.array(sorted(points))
        found = np.array([points[gap] for gap in gaps.tolist()])
        return Drift(gaps, found[:, 0] - found[:, 0].min(), found[:, 1], found[:, 2], self.size(shape))

    def size(self, a: float) -> Floats:
        """(p,) energies over b."""
        if self.tau.size == 0 or self.tau[-1] == 0:
            return np.ones(self.tau.size + 1)
        size = np.maximum(self.tau / self.tau[-1], _LEAST) ** a
        return np.append(1.0, size * (self.tau.sum() / (self.tau @ size)))

    def value(self, curve: Curve, log_ratio: float) -> float:
        """-log L at a ratio."""
        determinant, quadratic = curve(log_ratio)
        return (self.rows * math.log(max(quadratic, 1e-300) / self.rows) + determinant) / 2

    def shape(self, gap: float, log_ratio: float) -> float:
        """a of the greatest likelihood under its prior, from a persistence and a ratio, which move with it."""

        def value(point: Floats) -> float:
            ratio, a, log_gap = (float(each) for each in point)
            return self.value(self.likelihood.at(1 - min(math.exp(log_gap), 1.0), self.size(a)), ratio) + a * a / 2

        first = np.array([log_ratio, 0.0, math.log(max(gap, _GAPS[1]))])
        simplex = np.vstack([first, first + np.diag(_STEPS)])
        options = {"initial_simplex": simplex, "maxfev": _EVALUATIONS, "xatol": 0.02, "fatol": 0.02}
        bounds = [(None, None), (-_STEEPEST, _STEEPEST), (math.log(_GAPS[1]), 0.0)]
        return float(minimize(value, first, method="Nelder-Mead", bounds=bounds, options=options).x[1])

    def curve(self, shape: float, gaps: Floats) -> dict[float, tuple[float, float, float]]:
        """1 - c -> (-log L, b, sigma^2)."""
        points: dict[float, tuple[float, float, float]] = {}
        for gap in gaps.tolist():
            self.point(points, gap, shape)
        return points

    def point(self, points: dict[float, tuple[float, float, float]], gap: float, shape: float) -> float:
        """One more of them, from the ratio at the nearest."""
        if gap in points:
            return points[gap][0]
        curve = self.likelihood.at(1 - gap, self.size(shape))
        low, high = (math.log(self.scale) + end for end in _RATIOS)
        if points:
            near = min(points, key=lambda known: abs(known - gap))
            centre = float(np.clip(math.log(points[near][2] / points[near][1]), low + _APART, high - _APART))
            values = [self.value(curve, centre + step) for step in (-_APART, 0.0, _APART)]
            bend = values[0] - 2 * values[1] + values[2]
            move = (values[0] - values[2]) / (2 * bend) if bend > 0 else math.inf
            if abs(move) <= 1:
                low = high = centre + move * _APART
            else:
                low, high = max(low, centre - 6 * _APART), min(high, centre + 6 * _APART)
        if low < high:
            options = {"xatol": 0.02}
            low = float(minimize_scalar(partial(self.value, curve), bounds=(low, high), method="bounded", options=options).x)
        b = max(curve(low)[1], 1e-300) / self.rows
        points[gap] = (self.value(curve, low), b, b * math.exp(low))
        return points[gap][0]

    def fine(self, points: dict[float, tuple[float, float, float]], shape: float) -> dict[float, tuple[float, float, float]]:
        """With more points near the best."""
        best = int(np.argmin([points[gap][0] for gap in _GAPS.tolist()]))
        ends = float(_GAPS[max(best - 1, 0)]), float(_GAPS[min(best + 1, _GAPS.size - 1)])
        options = {"xatol": 1e-4, "maxiter": 8}
        minimize_scalar(lambda gap: self.point(points, float(gap), shape), bounds=ends, method="bounded", options=options)
        return points


def drifting(second_moments: Floats, persistence: float, energy: Floats, noise_variance: float) -> Population:
    """Features of these second moments (p, p), the intercept's first; ``energy`` (p,) as in ``Drift.size``.

    Eigenvalues beside the intercept's are gathered into ten bands.
    """
    tau, _ = directions(second_moments)
    positive = tau > _NULL * tau[-1] if tau.size else np.zeros(0, dtype=bool)
    atoms: list[tuple[Floats, ...]] = [(second_moments[:1, 0], np.ones(1), energy[:1])]
    if positive.any():
        kept, rest = tau[positive], energy[1:][positive]
        place = np.log(kept / kept[0]) / max(math.log(kept[-1] / kept[0]), 1e-300)
        band = np.minimum((place * _BANDS).astype(int), _BANDS - 1)
        count = np.bincount(band, minlength=_BANDS)
        full = count > 0
        mean = np.bincount(band, kept, _BANDS)[full] / count[full]
        # The signal's variance is kept.
        atoms.append((mean, count[full].astype(np.float64), np.bincount(band, kept * rest, _BANDS)[full] / mean))
    if not positive.all():
        atoms.append((np.zeros(1), np.array([tau.size - positive.sum()], dtype=np.float64), np.zeros(1)))
    values, sizes, energies = (np.concatenate(each) for each in zip(*atoms, strict=True))
    return Population(values, sizes / energy.size, energies, noise_variance, persistence=persistence)
