"""The protocol for a population: the companion equation solved (mathematics.md section 2)."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from ..arguments import Floats, number
from ..population import Population
from .protocol import Numbers, Solved, pairing

MOST_STEPS = 100
# Newton's method doubles the digits: after a step of this size the next one ends at rounding.
_LAST_STEP = 1e-9
# Tables of (points, atoms) are cut into pieces of so many numbers.
_MOST_NUMBERS = 2**14
# A penalty this far below the largest eigenvalue is none: tau v would overflow.
_NOTHING = 1e-306


class PopulationEquivalents:
    """The protocol for a population at an aspect ratio (mathematics.md section 2). Rows hold d_j = 1 / (1 + tau_j v).

    Where rows differ in size b there are further columns, one for each size: D = 1 / (1 + b delta) in ``rows``, and in ``rest``
    u = b D / mean(b D), a row's leverage over the mean one. (For rows alike D = z v and u = 1.)
    """

    def __init__(self, population: Population, aspect: float) -> None:
        number("aspect", aspect, above=0.0)
        self.tolerance = 1e-10
        self.intercept = 0.0
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
        # b and pi: rows alike are one size.
        self.sizes, self.size_shares = population.row_sizes or (np.ones(1), np.ones(1))
        self.alike = population.row_sizes is None
        edge = self.sizes.min() * self.tau.min() * (1 - np.sqrt(self.rank)) ** 2
        self.bulk = (float(edge), float(self.sizes.max() * self.tau.max() * (1 + np.sqrt(self.rank)) ** 2))

    def solve(self, z: ArrayLike) -> Solved:
        """Solve the companion equation for v; see ``Equivalents.solve``.

        1/v = z + gamma sum h tau d, or with row sizes v = mean(b / (1 + b delta)) / z, delta = gamma sum h tau d / z.
        """
        points = np.atleast_1d(np.asarray(z))
        v = self._complex_companion(points) if np.iscomplexobj(points) else self.companion(points)
        tv = np.multiply.outer(v, self.tau)
        d = 1 / (1 + tv)
        # v is infinite only at z = 0 with rank <= 1, where z v tends to 1 - rank.
        beyond = np.isinf(v)
        with np.errstate(invalid="ignore"):
            zv = np.where(np.isinf(points), 1.0, np.where(beyond, 1 - self.rank, points * v))
            a = np.where(beyond[:, None], 1.0, tv * d)
        if self.alike:
            return Solved(points, zv, d, a)
        D, u = self._of_rows(points, d, beyond | (points == 0))
        # z v = mean(b D).
        zv = np.where(beyond, (D * self.sizes) @ self.size_shares, zv)
        return Solved(points, zv, np.hstack([d, D]), np.hstack([a, u]))

    def _of_rows(self, z: Numbers, d: Numbers, nothing: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
        """D = 1 / (1 + b delta) and u = b D / mean(b D), (m, sizes)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            # 1/delta: at z = 0 it is 0 where the rank is above 1, and solves mean 1/(1 + b delta) = 1 - rank where it is below.
            inverse = z / (d @ (self.weight * self.tau))
            if nothing.any():
                inverse = np.where(nothing, self._inverse_at_zero(), inverse)
            far = np.isinf(inverse)
            inverse = np.where(far, 1.0, inverse)[:, None]
            D, taken = inverse / (inverse + self.sizes), self.sizes / (inverse + self.sizes)
        u = taken / (taken @ self.size_shares)[:, None]
        return np.where(far[:, None], 1.0, D), np.where(far[:, None], self.sizes, u)

    def _inverse_at_zero(self) -> float:
        """1/delta at z = 0: least squares fits all rows but for mean D = 1 - rank."""
        if self.rank >= 1:
            return 0.0

        def excess(x: float) -> float:
            return float(self.size_shares @ (self.sizes / (math.exp(x) + self.sizes))) - self.rank

        # Between those of the least and of the largest row.
        middle = math.log((1 - self.rank) / self.rank)
        ends = middle + math.log(self.sizes.min()), middle + math.log(self.sizes.max())
        return math.exp(brentq(excess, ends[0] - 1e-9, ends[1] + 1e-9, xtol=1e-15, rtol=1e-15))

    def companion(self, z: Floats) -> Floats:
        """v(z) at real z >= 0, to rounding (mathematics.md section 2, companion equation); at z = 0 it is inf unless rank > 1.

        At z < 0 it is that beyond the spectrum, NaN where the spectrum reaches.

        Newton's method for log(zv + gamma sum h a) = 0 in log v, a = tau v / (1 + tau v), kept inside a bracket that
        every step shrinks: at most ``MOST_STEPS`` steps whatever the spectrum.
        """
        z = np.asarray(z, dtype=np.float64)
        result = np.where(np.isinf(z), 0.0, np.inf)
        if np.any(z < 0):
            result[z < 0] = self._beyond_the_spectrum(z[z < 0])
        # Below rank 1 v grows like (1 - rank)/z: it is infinite before tau v overflows.
        finite = np.flatnonzero(((z > self.least) | ((self.rank > 1) & (z >= 0))) & np.isfinite(z))
        if not finite.size:
            return result
        z = z[finite]
        # Rounding may put it above a root that it equals.
        low = np.log(self._least_companion(z)) - 1e-12
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

    def _least_companion(self, z: Floats) -> Floats:
        """A lower bound of v(z) at z > 0, or z = 0 of rank above 1.

        For rows alike that of a single eigenvalue t, the mean of the positive ones: tau / (1 + tau v) is concave in tau, and
        t z v^2 + (z + t (rank - 1)) v = 1 has the larger right side. Else mean b/(z + b mean_trace), where every direction is
        fitted as the largest.
        """
        if not self.alike:
            return np.asarray((self.sizes / np.add.outer(z, self.sizes * self.mean_trace)) @ self.size_shares)
        t = self.mean_trace / self.rank
        middle = z + t * (self.rank - 1)
        root = np.sqrt(middle**2 + 4 * t * z)
        # Each where nothing cancels.
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(middle > 0, 2 / (middle + root), (root - middle) / (2 * t * z))

    def _excess(self, z: Numbers, v: Numbers) -> tuple[Numbers, Numbers]:
        """``_excess_at`` in pieces that stay in the cache: tables of all points cost several times their arithmetic."""
        rows = max(_MOST_NUMBERS // self.tau.size, 1)
        if z.size <= rows:
            return self._excess_at(z, v)
        parts = [self._excess_at(z[i : i + rows], v[i : i + rows]) for i in range(0, z.size, rows)]
        excess, slope = (np.concatenate(each) for each in zip(*parts, strict=True))
        return excess, slope

    def _excess_at(self, z: Numbers, v: Numbers) -> tuple[Numbers, Numbers]:
        """zv + gamma sum h a - 1 and its derivative in log v; atoms with a above 1/2 enter through 1 - a.

        Near rank 1 the sum is close to 1 because almost every a is: written with 1 - a, nothing cancels. Where rows differ in
        size mean D stands for zv: the mean leverage of a row, 1 - mean D, is gamma sum h a.
        """
        tv = np.multiply.outer(v, self.tau)
        d = 1 / (1 + tv)
        a = tv * d
        large = a.real > 0.5
        whole = np.where(large.all(axis=1), self.rank, large @ self.weight)
        fitted, change = (whole - 1) + np.where(large, -d, a) @ self.weight, (a * d) @ self.weight
        return (fitted + z * v, change + z * v) if self.alike else self._excess_of_rows(z, v, d, a, fitted, change)

    def _excess_of_rows(
        self, z: Numbers, v: Numbers, d: Numbers, a: Numbers, fitted: Numbers, change: Numbers
    ) -> tuple[Numbers, Numbers]:
        """mean D + gamma sum h a - 1, or where rows are hardly fitted its multiple z v / mean(b D) - 1; D at delta(v)."""
        scaled, share = self.weight * self.tau, self.size_shares
        delta, fall = (d @ scaled) / np.where(z == 0, 1.0, z), ((a * d) @ scaled) / np.where(z == 0, 1.0, z)
        D = np.where(z[:, None] == 0, 0.0, 1 / (1 + np.multiply.outer(delta, self.sizes)))
        taken = (D * self.sizes) @ share
        hardly = (np.abs(fitted + 1) < 0.5) & (z != 0)
        ratio = z * v / np.where(hardly, taken, 1.0)
        excess = np.where(hardly, ratio - 1, D @ share + fitted)
        ratio_slope = ratio * (1 - (D * self.sizes) ** 2 @ share * fall / np.where(hardly, taken, 1.0))
        return excess, np.where(hardly, ratio_slope, (D**2 * self.sizes) @ share * fall + change)

    def _beyond_the_spectrum(self, z: Floats) -> Floats:
        """v(z) at z < 0, NaN unless -z is above every eigenvalue of S: followed from far away, where v is nearly 1/z.

        There x = x(v, v) < 1, 1 + tau v > 0 and 1 + b delta > 0; no other root has all three.
        """
        v, at = 1 / (64 * z), 64 * z
        live = np.flatnonzero(np.isfinite(z))
        v[~np.isfinite(z)] = 0.0
        while live.size:
            at[live] = np.minimum(at[live] * 0.8, z[live])
            moved, settled = self._newton(at[live], v[live])
            v[live] = np.where(settled, moved, np.nan)
            live = live[settled & (at[live] < z[live])]
        d = 1 / (1 + np.multiply.outer(v, self.tau))
        delta = (d @ (self.weight * self.tau)) / z
        D = 1 / (1 + np.multiply.outer(delta, self.sizes))
        with np.errstate(invalid="ignore"):
            x = (
                (1 - d) ** 2
                @ self.weight
                * ((D * self.sizes) ** 2 @ self.size_shares)
                / ((D * self.sizes) @ self.size_shares) ** 2
            )
            proper = (x < 1) & np.all(d[:, (self.weight > 0) | (self.energy > 0)] > 0, axis=1) & np.all(D > 0, axis=1)
        return np.where(proper | np.isinf(z), v, np.nan)

    def _complex_companion(self, z: Numbers) -> Numbers:
        """v(z) off the real axis: the only root with Im v Im z < 0.

        Newton's method from a few steps of the fixed-point map; points where that does not end on the right branch
        are reached from far away along a line parallel to the imaginary axis, which keeps off the spectrum.
        """
        if np.any(z.imag == 0):
            raise ValueError("complex z must lie off the real axis")
        v = 1 / (z + self.mean_trace)
        for _ in range(4):
            trace = (self.tau / (1 + np.multiply.outer(v, self.tau))) @ self.weight
            v = (self.sizes / (z[:, None] + np.multiply.outer(trace, self.sizes))) @ self.size_shares
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
            # Astray it may go anywhere.
            with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
                excess, slope = self._excess(z[active], v[active])
                step = -v[active] * excess / slope
                moved = v[active] + step
                size[active] = np.abs(step) / np.abs(moved)
                # Beside a pole (tau v = -1) steps are short too, but there the equation is far from true.
                size[active] = np.where(np.abs(excess) < 0.5, size[active], np.maximum(size[active], 1.0))
            good = np.isfinite(moved) & np.isfinite(size[active])
            v[active[good]] = moved[good]
            size[active[~good]] = np.inf
            active = active[good & ~(size[active] <= _LAST_STEP)]
            if not active.size:
                break
        on_branch = v.imag * z.imag < 0 if np.iscomplexobj(z) else np.ones(z.shape, dtype=bool)
        return v, (size <= _LAST_STEP) & on_branch

    def _split(self, solved: Solved) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """d and a of the atoms, D and u of the row sizes."""
        k = self.tau.size
        return solved.rows[:, :k], solved.rest[:, :k], solved.rows[:, k:], solved.rest[:, k:]

    def _gap(self, one: Solved, two: Solved, table: bool) -> tuple[Numbers, Numbers]:
        """gamma sum h a1 a2, and 1 - x12 = mean(u1 D2) + mean(u1 u2) gamma sum h d1 a2, each without cancellation.

        For rows alike the second is z1 v1 + gamma sum h a1 d2.
        """
        (d1, a1, _, u1), (d2, a2, D2, u2) = self._split(one), self._split(two)
        x = pairing(a1, self.weight, a2, table)
        if self.alike:
            return x, (one.zv[:, None] if table else one.zv) + pairing(a1, self.weight, d2, table)
        spread = pairing(u1, self.size_shares, u2, table)
        return x, pairing(u1, self.size_shares, D2, table) + spread * pairing(d1, self.weight, a2, table)

    def bias(self, one: Solved, two: Solved, *, table: bool = False) -> Numbers:
        """sum tau g d1 d2 / (1 - x12); see ``Equivalents.bias``."""
        _, rest = self._gap(one, two, table)
        return _divide(pairing(self._split(one)[0], self.energy, self._split(two)[0], table), rest)

    def variance(self, one: Solved, two: Solved, *, table: bool = False) -> Numbers:
        """mean(u1 u2 / b) gamma sum h a1 a2 / (1 - x12), x12 / (1 - x12) for rows alike; see ``Equivalents.variance``."""
        x, rest = self._gap(one, two, table)
        if not self.alike:
            x = x * pairing(self._split(one)[3], self.size_shares / self.sizes, self._split(two)[3], table)
        return _divide(x, rest)

    def trace(self, one: Solved) -> Numbers:
        """T(z) = delta = gamma sum h a / (z v); see ``Equivalents.trace``."""
        return self._split(one)[1] @ self.weight / one.zv

    def spread(self, one: Solved) -> Numbers:
        """gamma sum h tau a; see ``Equivalents.spread``."""
        return self._split(one)[1] @ (self.weight * self.tau)


def _divide(top: Numbers, bottom: Numbers) -> Numbers:
    """top / bottom, with 0 / 0 = 0 and x / 0 = inf: at the interpolation threshold 1 - x is exactly 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(top == 0, 0.0, top / bottom)
