"""Rows of several weights: the leverage of a row, and the sample's equivalents when rows count differently.

A row of weight a in the loss, with label noise of variance sigma^2 / a, is the row sqrt(a) x with noise sigma^2: everything
about labels stays as it is. What changes is how the scaled rows see Sigma. With delta(z) = (1/n) tr Sigma (S+z)^-1 a row's
leverage is a delta / (1 + a delta) (mathematics.md section 5), so that

    mean z/(s+z) = mean 1/(1 + a delta)

gives delta from the eigenvalues alone, and leave-one-out errors, in place of mathematics.md section 7,

    mean z1 z2 c^2 / ((s+z1)(s+z2)) = sigma^2 mean D1 D2 + R12 mean a D1 D2,   D = 1/(1 + a delta).

For rows of one weight these are delta = 1/(z v) - 1 and the formulas of mathematics.md section 7.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import Floats
from . import Numbers, SampleEquivalents, Solved, pairing

# Weights are gathered into at most this many values, and those below this part of the largest into one.
_VALUES, _LEAST_WEIGHT = 48, 1e4
_STEPS, _SETTLED, _ROUNDING = 200, 1e-13, 1e-15
# Points on the way to one off the real axis need only be on the right branch.
_ON_THE_WAY = 1e-3
# No leverage is told from 1 beyond this.
_MOST = 1e100
# Each step from far away to a point off the real axis is this much nearer than the last.
_RATIOS = (4.0, 1.5, 1.1)
# Of the covariance of the directions that must remain.
_LEAST_PART = 0.005
# z -> mean z/(s+z), mean s/(s+z).
Means = Callable[[Numbers], tuple[Numbers, Numbers]]


@dataclass(frozen=True, eq=False)
class RowWeights:
    """Weights of mean 1: (b,) ascending values and the share of rows with each."""

    value: Floats
    share: Floats

    @classmethod
    def of(cls, weights: Floats) -> "RowWeights":
        """From (n,) positive weights; neighbours are gathered where there are many different ones."""
        value, count = np.unique(weights, return_counts=True)
        index = np.arange(value.size)
        if value.size > _VALUES:
            # By ratio: the largest weights decide most, and those far below them next to nothing.
            ratio = value[-1] / np.maximum(value, value[-1] / _LEAST_WEIGHT)
            depth = np.log(ratio) / math.log(ratio[0])
            index = _VALUES - 1 - np.minimum(depth * _VALUES, _VALUES - 1).astype(int)
        share = np.bincount(index, count) / weights.size
        total = np.bincount(index, count * value) / weights.size
        kept = share > 0
        return cls(total[kept] / share[kept] / total.sum(), share[kept])

    def delta(self, z: Numbers, means: Means, size: float) -> Numbers:
        """(m,) delta at z real or complex, from the eigenvalues' mean z/(s+z) and mean s/(s+z); ``size`` is their largest.

        On the real axis Newton's method starts left of the root of a convex function, and climbs to it. Off it there are
        roots on other branches: the right one is followed from far away, along a line parallel to the imaginary axis. Raises
        ArithmeticError if it is lost.
        """
        if not np.iscomplexobj(z):
            free, fitted = means(z)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                start = np.fmax(fitted / free, (self.share[-1] / free - 1) / self.value[-1])
            found, settled = self._newton(np.where(free > 0, start, np.inf), free, fitted)
        else:
            for ratio in _RATIOS:
                found, settled = self._from_far(z, means, size, ratio)
                if settled.all():
                    break
        if not settled.all():
            raise ArithmeticError(f"the leverages of weighted rows did not settle at z = {z[~settled][0]!r}")
        return found

    def _from_far(self, z: Numbers, means: Means, size: float, ratio: float) -> tuple[Numbers, NDArray[np.bool_]]:
        far = 1j * np.sign(z.imag) * 8 * (np.abs(z) + size)
        free, fitted = means(z + far)
        found, settled = self._newton(fitted / free, free, fitted, _ON_THE_WAY)
        while far.any():
            far = np.where(np.abs(far) > 0.05 * np.abs(z.imag), far / ratio, 0.0)
            found, good = self._newton(found, *means(z + far), _ON_THE_WAY if far.any() else _SETTLED)
            settled &= good
        return found, settled

    def _newton(
        self, start: Numbers, free: Numbers, fitted: Numbers, tolerance: float = _SETTLED
    ) -> tuple[Numbers, NDArray[np.bool_]]:
        delta = start.copy()
        settled = np.isinf(delta)
        active = np.flatnonzero(~settled)
        for _ in range(_STEPS):
            if not active.size:
                break
            d = 1 / (1 + np.multiply.outer(delta[active], self.value))
            slope = d**2 @ (self.share * self.value)
            # Both forms are the same number; each keeps its digits on its side.
            near = np.abs(free[active]) < 0.5
            weighted = d @ (self.share * self.value)
            excess = np.where(near, d @ self.share - free[active], fitted[active] - delta[active] * weighted)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                step = excess / slope
                moved = delta[active] + step
            good = np.isfinite(moved) & (np.abs(moved) < _MOST)
            delta[active[good]] = moved[good]
            # Where it hardly depends on delta, the equation itself is known to rounding only.
            rounding = _ROUNDING * np.where(near, np.abs(free[active]), np.abs(fitted[active]))
            done = good & ((np.abs(step) <= tolerance * np.abs(moved)) | (np.abs(excess) <= rounding))
            settled[active[done]] = True
            active = active[good & ~done]
        return delta, settled

    def free(self, delta: Numbers) -> Numbers:
        """(m, b) D = 1/(1 + a delta): what a row's own residual is of its leave-one-out error."""
        return 1 / (1 + np.multiply.outer(delta, self.value))


class WeightedSampleEquivalents(SampleEquivalents):
    """``SampleEquivalents`` of rows scaled by the roots of their weights.

    Rows of a solved point hold the directions' factors as there, and then D / mean D for each weight.
    """

    def __init__(
        self, eigenvalues: ArrayLike, squares: ArrayLike, multiplicity: ArrayLike, noise_variance: float, weights: RowWeights
    ) -> None:
        super().__init__(eigenvalues, squares, multiplicity, noise_variance)
        self.weights = weights
        none = np.zeros(weights.value.size)
        self._signal = np.append(self.signal, none)
        self._covariance = np.append(self.share, -weights.share)
        self._scale = np.append(np.zeros(self.s.size), weights.share * weights.value)

    def _means(self, z: Numbers) -> tuple[Numbers, Numbers]:
        edge = np.isinf(z)
        near = 1 / np.add.outer(np.where(edge, 1.0, z), np.where(self.s > 0, self.s, np.inf))
        # Nothing cancels in either; where s = 0, z/(s+z) = 1 at any z.
        zeros = float(self.share[self.s == 0].sum())
        free = np.where(edge, 1.0, z * (near @ self.share) + zeros)
        return free, np.where(edge, 0.0, near @ (self.share * self.s))

    def solve(self, z: ArrayLike) -> Solved:
        """v and delta; see ``Equivalents.solve``."""
        base = super().solve(z)
        delta = self.trace(base)
        value, share = self.weights.value, self.weights.share
        beyond = np.isinf(delta)
        d = self.weights.free(np.where(beyond, 1.0, delta))
        leverage = d * np.multiply.outer(np.where(beyond, 1.0, delta), value)
        free = d @ share
        apart = (leverage - (leverage @ share)[:, None]) / free[:, None]
        # Without a penalty, where all rows are fitted: D is proportional to 1/a.
        limit = 1 / value / np.sum(share / value)
        rows = np.where(beyond[:, None], limit, d / free[:, None])
        rest = np.where(beyond[:, None], 1 - limit, apart)
        return Solved(base.z, base.zv, np.hstack([base.rows, rows]), np.hstack([base.rest, rest]))

    @property
    def reliable(self) -> bool:
        """Whether the variance, a difference of two covariances, is a fair part of the first at any two penalties.

        With few rows of large weight, or many more features than rows, little but the weights shows in the eigenvalues.
        """
        solved = self.solve(self.mean_trace * np.geomspace(1e-4, 1e4, 17))
        own = solved.rest[:, : self.s.size]
        left = pairing(solved.rest, self._covariance, solved.rest, True)
        return bool(np.all(left > _LEAST_PART * pairing(own, self.share, own, True)))

    def bias(self, one: Solved, two: Solved, *, table: bool = False) -> Numbers:
        """mean((c^2 - sigma^2) z1 z2 / ((s+z1)(s+z2))) / mean(a D1 D2); see ``Equivalents.bias``."""
        return pairing(one.rows, self._signal, two.rows, table) / pairing(one.rows, self._scale, two.rows, table)

    def variance(self, one: Solved, two: Solved, *, table: bool = False) -> Numbers:
        """(cov(z1/(s+z1), z2/(s+z2)) - cov(D1, D2)) / mean(a D1 D2); see ``Equivalents.variance``."""
        scale = pairing(one.rows, self._scale, two.rows, table)
        return pairing(one.rest, self._covariance, two.rest, table) / scale

    def trace(self, one: Solved) -> Numbers:
        """delta; see ``Equivalents.trace``."""
        return self.weights.delta(one.z, self._means, self.bulk[1])

    def spread(self, one: Solved) -> Numbers:
        """(-cov(s, z/(s+z)) + mean s cov(a, D)) / mean(a D); see ``Equivalents.spread``."""
        ends = np.append(self.share * self.s, -self.mean_trace * self.weights.share * self.weights.value)
        return np.asarray((one.rest @ ends) / (one.rows @ self._scale))


def sample_equivalents(
    eigenvalues: ArrayLike, squares: ArrayLike, multiplicity: ArrayLike, noise_variance: float, weights: RowWeights | None
) -> SampleEquivalents:
    """Those of rows of several weights, or of one (``weights`` None)."""
    if weights is None:
        return SampleEquivalents(eigenvalues, squares, multiplicity, noise_variance)
    return WeightedSampleEquivalents(eigenvalues, squares, multiplicity, noise_variance, weights)
