"""Deterministic equivalents: the companion transform v(z) and the traces built on it (MATH sections 2 and 7).

One protocol joins theory and data. ``of_population`` solves the companion equation, ``of_sample`` reads the same
quantities off eigenvalues and rotated responses; limits, risks by generation and optima take either. Two phases: ``solve``
once for an array of z, then any number of traces of one or two solved points.
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from ._checks import Floats, number, vector
from .population import Population

Numbers = NDArray[Any]  # float64, or complex128 on a contour

MOST_STEPS = 100
# Newton's method doubles the digits: after a step of this size the next one ends at rounding.
_LAST_STEP = 1e-9


@dataclass(frozen=True)
class Solved:
    """The companion transform at m points: z and z v(z) of shape (m,); a row of factors and of 1 - factor for each."""

    z: Numbers
    zv: Numbers
    rows: Numbers
    rest: Numbers

    def __getitem__(self, index: Any) -> "Solved":
        return Solved(self.z[index], self.zv[index], self.rows[index], self.rest[index])


class Equivalents(Protocol):
    """What a limit formula may ask, of a population or of a sample.

    ``pairing`` of two solved points: elementwise by default; ``table=True`` pairs every one with every other.
    """

    noise_variance: float
    null_risk: float
    mean_trace: float  # (1/n) tr Sigma = gamma sum h tau
    tolerance: float  # to which a quadrature is worth refining
    # Ends of an interval that holds the positive eigenvalues of S; whether S is singular in the signal's directions.
    bulk: tuple[float, float]
    singular: bool

    def solve(self, z: ArrayLike) -> Solved:
        """Solve at real z in [0, inf] or at complex z off the real axis; a number or a (m,) array."""

    def bias(self, one: Solved, two: Solved, *, table: bool = False) -> Numbers:
        """beta' z1 (S+z1)^-1 Sigma z2 (S+z2)^-1 beta; at z1 = z2 the ridge bias B(z)."""

    def variance(self, one: Solved, two: Solved, *, table: bool = False) -> Numbers:
        """x12 / (1 - x12), the part of a variance that two penalties share; at z1 = z2 it is Vr(z)."""

    def trace(self, one: Solved) -> Numbers:
        """T(z) = (1/n) tr Sigma (S+z)^-1."""

    def spread(self, one: Solved) -> Numbers:
        """(1/n) tr Sigma S (S+z)^-1 = gamma sum h tau - z T(z), without cancellation at large z."""


def pairing(one: Numbers, weights: Numbers, two: Numbers, table: bool) -> Numbers:
    """sum_j one_j weights_j two_j, row by row, or every row of one with every row of two."""
    weighted = one * weights
    if table:
        return np.asarray(weighted @ two.T)
    return np.asarray(np.einsum("...j,...j->...", weighted, two))


class PopulationEquivalents:
    """The protocol for a population at an aspect ratio (MATH section 2). Rows hold d_j = 1 / (1 + tau_j v)."""

    def __init__(self, population: Population, aspect: float) -> None:
        number("aspect", aspect, above=0.0)
        self.tolerance = 1e-10
        self.noise_variance = population.noise_variance
        self.null_risk = population.null_risk
        # Null directions change nothing but the rank; dropping them here spares every formula a special case.
        positive = population.eigenvalues > 0
        self.tau = population.eigenvalues[positive]
        self.energy = self.tau * population.signal[positive]
        self.weight = aspect * population.shares[positive]  # gamma h_j
        # gamma share(tau > 0), as one product: a rounded sum of gamma h_j would cost ten digits of v near rank 1.
        self.rank = aspect if positive.all() else aspect * math.fsum(population.shares[positive])
        self.mean_trace = float(self.weight @ self.tau)
        self.singular = self.rank > 1
        edge = self.tau.min() * (1 - np.sqrt(self.rank)) ** 2
        self.bulk = (float(edge), float(self.tau.max() * (1 + np.sqrt(self.rank)) ** 2))

    def solve(self, z: ArrayLike) -> Solved:
        """Solve 1/v = z + gamma sum h tau / (1 + tau v) for v; see ``Equivalents.solve``."""
        points = np.atleast_1d(np.asarray(z))
        v = self._complex_companion(points) if np.iscomplexobj(points) else self.companion(points)
        tv = np.multiply.outer(v, self.tau)
        d = 1 / (1 + tv)
        # v is infinite only at z = 0 with rank <= 1, where z v tends to 1 - rank.
        beyond = np.isinf(v)
        with np.errstate(invalid="ignore"):
            zv = np.where(np.isinf(points), 1.0, np.where(beyond, 1 - self.rank, points * v))
            return Solved(points, zv, d, np.where(beyond[:, None], 1.0, tv * d))

    def companion(self, z: Floats) -> Floats:
        """v(z) at real z >= 0, to rounding (MATH section 2, companion equation); at z = 0 it is inf unless rank > 1.

        Newton's method for log(zv + gamma sum h a) = 0 in log v, a = tau v / (1 + tau v), kept inside a bracket that
        every step shrinks: at most ``MOST_STEPS`` steps whatever the spectrum.
        """
        z = np.asarray(z, dtype=np.float64)
        result = np.where(np.isinf(z), 0.0, np.inf)
        finite = np.flatnonzero(((z > 0) | (self.rank > 1)) & np.isfinite(z))
        if not finite.size:
            return result
        z = z[finite]
        low = -np.log(z + self.mean_trace)
        with np.errstate(divide="ignore"):
            high = -np.log(np.maximum(z, self.tau.min() * max(self.rank - 1, 0.0)))
        u, last = low.copy(), high - low
        active = np.arange(z.size)
        for _ in range(MOST_STEPS):
            excess, slope = self._excess(z[active], np.exp(u[active]))
            low[active] = np.where(excess < 0, u[active], low[active])
            high[active] = np.where(excess > 0, u[active], high[active])
            step = -np.log1p(excess) * (1 + excess) / slope
            moved = u[active] + step
            # A step that leaves the bracket, or that does not halve the last one, gives way to bisection.
            astray = ~((moved > low[active]) & (moved < high[active])) | (np.abs(step) > 0.5 * np.abs(last[active]))
            settled = np.abs(step) <= _LAST_STEP
            middle = (low[active] + high[active]) / 2
            new = np.where(astray & ~settled, middle, moved)
            last[active] = new - u[active]
            u[active] = new
            active = active[~settled]
            if not active.size:
                break
        else:
            raise ArithmeticError(f"the companion equation did not settle at z = {z[active][0]!r}")
        v = np.exp(u)
        excess, slope = self._excess(z, v)
        # The last step, on v itself: exp(u) carries the rounding of a large |u|.
        result[finite] = v * (1 - excess / slope)
        return result

    def _excess(self, z: Numbers, v: Numbers) -> tuple[Numbers, Numbers]:
        """zv + gamma sum h a - 1 and its derivative in log v; atoms with a above 1/2 enter through 1 - a.

        Near rank 1 the sum is close to 1 because almost every a is: written with 1 - a, nothing cancels.
        """
        tv = np.multiply.outer(v, self.tau)
        d = 1 / (1 + tv)
        a = tv * d
        large = a.real > 0.5
        whole = np.where(large.all(axis=1), self.rank, large @ self.weight)
        excess = (whole - 1) + z * v + np.where(large, -d, a) @ self.weight
        return excess, z * v + (a * d) @ self.weight

    def _complex_companion(self, z: Numbers) -> Numbers:
        """v(z) off the real axis: the only root with Im v Im z < 0.

        Newton's method from a few steps of the fixed-point map; points where that does not end on the right branch
        are reached from far away along a line parallel to the imaginary axis, which keeps off the spectrum.
        """
        if np.any(z.imag == 0):
            raise ValueError("complex z must lie off the real axis")
        v = 1 / (z + self.mean_trace)
        for _ in range(4):
            v = 1 / (z + (self.tau / (1 + np.multiply.outer(v, self.tau))) @ self.weight)
        v, good = self._newton(z, v)
        lost = np.flatnonzero(~good)
        if lost.size:
            v[lost] = self._from_far(z[lost])
        return v

    def _from_far(self, z: Numbers) -> Numbers:
        far = 8j * np.sign(z.imag) * (np.abs(z) + self.bulk[1])
        v = 1 / (z + far + self.mean_trace)
        while True:
            v, good = self._newton(z + far, v)
            if not good.all():
                raise ArithmeticError(f"the companion equation lost its branch at z = {(z + far)[~good][0]!r}")
            if not far.any():
                return v
            far = np.where(np.abs(far) > 0.05 * np.abs(z.imag), far / 2, 0.0)

    def _newton(self, z: Numbers, v: Numbers, steps: int = 20) -> tuple[Numbers, NDArray[np.bool_]]:
        v = v.copy()
        size = np.full(z.shape, np.inf)
        active = np.arange(z.size)
        for _ in range(steps):
            excess, slope = self._excess(z[active], v[active])
            step = -v[active] * excess / slope
            v[active] += step
            size[active] = np.abs(step) / np.abs(v[active])
            active = active[~(size[active] <= _LAST_STEP)]
            if not active.size:
                break
        return v, (size <= _LAST_STEP) & (v.imag * z.imag < 0)

    def _gap(self, one: Solved, two: Solved, table: bool) -> tuple[Numbers, Numbers]:
        """x12 = gamma sum h a1 a2, and 1 - x12 = z1 v1 + gamma sum h a1 d2, each without cancellation."""
        x = pairing(one.rest, self.weight, two.rest, table)
        zv = one.zv[:, None] if table else one.zv
        return x, zv + pairing(one.rest, self.weight, two.rows, table)

    def bias(self, one: Solved, two: Solved, *, table: bool = False) -> Numbers:
        """sum tau g d1 d2 / (1 - x12); see ``Equivalents.bias``."""
        _, rest = self._gap(one, two, table)
        return _divide(pairing(one.rows, self.energy, two.rows, table), rest)

    def variance(self, one: Solved, two: Solved, *, table: bool = False) -> Numbers:
        """x12 / (1 - x12); see ``Equivalents.variance``."""
        x, rest = self._gap(one, two, table)
        return _divide(x, rest)

    def trace(self, one: Solved) -> Numbers:
        """T(z) = gamma sum h a / (z v); see ``Equivalents.trace``."""
        return one.rest @ self.weight / one.zv

    def spread(self, one: Solved) -> Numbers:
        """gamma sum h tau a; see ``Equivalents.spread``."""
        return one.rest @ (self.weight * self.tau)


def _divide(top: Numbers, bottom: Numbers) -> Numbers:
    """top / bottom, with 0 / 0 = 0 and x / 0 = inf: at the interpolation threshold 1 - x is exactly 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(top == 0, 0.0, top / bottom)


class SampleEquivalents:
    """The protocol read off data (MATH section 7). Rows hold 1 / ((s_i + z) v), of weighted mean 1.

    Parameters
    ----------
    eigenvalues : (k,) array
        s, eigenvalues of XX'/n.
    squares : (k,) array
        c^2, squared responses in the eigenvectors' directions (raw, or smoothed by ``estimate``).
    multiplicity : (k,) array
        How many directions each entry stands for: the zeros of XX'/n need no entries of their own.
    noise_variance : float
        sigma^2.
    """

    def __init__(self, eigenvalues: ArrayLike, squares: ArrayLike, multiplicity: ArrayLike, noise_variance: float) -> None:
        self.tolerance = 1e-6
        self.s = vector("eigenvalues", eigenvalues, low=0.0)
        self.noise_variance = number("noise_variance", noise_variance, low=0.0)
        count = vector("multiplicity", multiplicity, low=0.0)
        self.share = count / count.sum()
        self.signal = self.share * (vector("squares", squares, low=0.0) - self.noise_variance)
        self.null_risk = float(self.signal.sum())
        self.mean_trace = float(self.share @ self.s)
        # XX' has zeros where there are more rows than features, and S has none then.
        self.singular = not np.any(self.s == 0)
        self.bulk = (self._lower_edge(), float(self.s.max()))

    def _lower_edge(self) -> float:
        """Where the positive eigenvalues begin; with zeros beside them, the root of v between 0 and the least one."""
        positive = self.s > 0
        least = float(self.s[positive].min())
        zeros = float(self.share[~positive].sum())
        if zeros == 0:
            return least
        s, share = self.s[positive], self.share[positive]
        # zeta v(-zeta), rising from -zeros at 0 to infinity at the least eigenvalue.
        return float(brentq(lambda x: -zeros + x * np.sum(share / (s - x)), 0.0, least * (1 - 1e-12)))

    def solve(self, z: ArrayLike) -> Solved:
        """v = mean 1/(s+z); see ``Equivalents.solve``."""
        points = np.atleast_1d(np.asarray(z))
        edge = np.isinf(points) | ((points == 0) & (not self.singular))
        # A stand-in for the points where z/(s+z) is 0 or 1, whose rows are set below.
        inner = np.where(edge, self.mean_trace, points)[:, None]
        rows = 1 / (inner + self.s)
        v = rows @ self.share
        # 1/(s+z) is compared with 1/(mean+z), so that 1 - row keeps its digits when z is far above every s.
        apart = rows * (self.s - self.mean_trace) / (inner + self.mean_trace)
        rows /= v[:, None]
        rest = (apart - (apart @ self.share)[:, None]) / v[:, None]
        zv = points * v if not edge.any() else np.where(edge, 1.0, inner[:, 0] * v)
        for index in np.flatnonzero(edge):
            zeros = self.s == 0
            empty = points[index] == 0
            rows[index] = zeros / self.share[zeros].sum() if empty else 1.0
            rest[index] = 1 - rows[index]
            zv[index] = self.share[zeros].sum() if empty else 1.0
        return Solved(points, zv, rows, rest)

    def bias(self, one: Solved, two: Solved, *, table: bool = False) -> Numbers:
        """mean((c^2 - sigma^2) / ((s+z1)(s+z2))) / (v1 v2); see ``Equivalents.bias``."""
        return pairing(one.rows, self.signal, two.rows, table)

    def variance(self, one: Solved, two: Solved, *, table: bool = False) -> Numbers:
        """cov(1/(s+z1), 1/(s+z2)) / (v1 v2); see ``Equivalents.variance``."""
        return pairing(one.rest, self.share, two.rest, table)

    def trace(self, one: Solved) -> Numbers:
        """T(z) = 1/(z v) - 1 = mean(s/(s+z)) / (z v); see ``Equivalents.trace``."""
        return np.asarray(one.rows @ (self.share * self.s) / one.z)

    def spread(self, one: Solved) -> Numbers:
        """-cov(s, 1/(s+z)) / v; see ``Equivalents.spread``."""
        return np.asarray(one.rest @ (self.share * self.s))
