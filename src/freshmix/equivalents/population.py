"""The protocol for a population: the companion equation solved (mathematics.md section 2)."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import Floats, number
from ..population import Population
from .protocol import Numbers, Solved, pairing

MOST_STEPS = 100
# Newton's method doubles the digits: after a step of this size the next one ends at rounding.
_LAST_STEP = 1e-9
# A penalty this far below the largest eigenvalue is none: tau v would overflow.
_NOTHING = 1e-306


class PopulationEquivalents:
    """The protocol for a population at an aspect ratio (mathematics.md section 2). Rows hold d_j = 1 / (1 + tau_j v)."""

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
        # Penalties down to this one count.
        self.least = _NOTHING * float(self.tau.max()) if self.rank < 1 else 0.0
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
        """v(z) at real z >= 0, to rounding (mathematics.md section 2, companion equation); at z = 0 it is inf unless rank > 1.

        Newton's method for log(zv + gamma sum h a) = 0 in log v, a = tau v / (1 + tau v), kept inside a bracket that
        every step shrinks: at most ``MOST_STEPS`` steps whatever the spectrum.
        """
        z = np.asarray(z, dtype=np.float64)
        result = np.where(np.isinf(z), 0.0, np.inf)
        # Below rank 1 v grows like (1 - rank)/z: it is infinite before tau v overflows.
        finite = np.flatnonzero(((z > self.least) | (self.rank > 1)) & np.isfinite(z))
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
            raise ArithmeticError(f"the companion equation did not settle at z = {float(z[active][0])!r}")
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
                raise ArithmeticError(f"the companion equation lost its branch at z = {complex((z + far)[~good][0])!r}")
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
