"""Rows as they are: the sample's equivalents by leave-one-out, whatever the law of a row (mathematics.md section 7).

With XX'/n = U s U' of centred rows and q = z/(s+z), the fit of all rows but row i is known from the fit of all of them. Its
prediction of row i is off by e_i / D_i, where D_i(z) = sum_k U_ik^2 q_k is one less the row's leverage, so that

    bias(z1, z2) = mean_i sum_k U_ik^2 q1 q2 (c_k^2 - sigma^2) / (D1_i D2_i)
    V12(z1, z2)  = mean_i sum_k U_ik^2 q1 q2 / (D1_i D2_i) - 1,      T(z) = mean_i (1/D_i - 1)

the error of the intercept included, which is T(inf). Rows alike are D_i = mean D. Rows whose leverage is nearly the same at
every z are gathered into classes, which makes all of this as cheap as there. Where rows were scaled by the roots of their
weights a, the means are those of rows over a: a new row comes without a weight.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import Floats
from .protocol import Numbers, Solved
from .sample import SampleEquivalents

# Classes of rows, and the penalties, of the mean eigenvalue, at which rows of one class are much alike.
CLASSES = 32
_PROFILE = np.geomspace(1e-3, 1e1, 5)
# The bias counts a row as its own leverage says up to so many times as much as the row that a tenth of the rows are beyond.
_MOST, _BEYOND = 2.0, 0.1
# How much more such rows count at the upper end of an interval.
_FAR = 100.0
# Where it is asked: penalties at which the mean leverage is between 3% and 90%.
_BOUND_AT, _LEVERAGES = np.geomspace(1e-7, 1e1, 61), (0.03, 0.9)
# The rows whose errors show a tail, and the least exponent that it is taken to have: of 1 or less it has no mean.
_TAIL, _LEAST_EXPONENT = 0.1, 1.25
# Rows that have no part beyond this in the directions of eigenvalue 0 are fitted whatever they hold.
_NOTHING = 1e-9
# Penalties no further apart than this are a pair that partial fractions lose digits of.
_NEAR = 1e-3
# bias or variance of solved points.
Formula = Callable[[Solved, Solved], Numbers]
# Rows of U, weights of these rows, and how many times each is there, in pieces.
Pieces = Callable[[], Iterable[tuple[Floats, Floats, Floats]]]


@dataclass(frozen=True, eq=False)
class RowClasses:
    """Rows of nearly the same leverage at every penalty.

    Attributes
    ----------
    share : (C,) array
        Share of the rows.
    inverse : (C,) array
        Mean of 1/a over the class: 1 where rows are not weighted.
    squares : (C, r + 1) array
        Means of U_ik^2; the last column is what a row has in the directions of eigenvalue 0, so that a row of it sums to one
        less the leverage of the intercept.
    own : (C,) array
        In [0, 1]: how far the bias takes a class's own leverage, and for the rest that of the mean row. A handful of rows far
        beyond all others says little of what such rows are like.
    """

    share: Floats
    inverse: Floats
    squares: Floats
    own: Floats

    @classmethod
    def of(cls, pieces: Pieces, eigenvalues: Floats, rows: int) -> "RowClasses":
        """From rows of U beside (r,) ``eigenvalues`` s > 0, their weights a of mean 1, and their times k, read twice.

        They may be some of the n ``rows`` of the fit. k records of one row are left out together: they count as one row of
        weight k a.
        """
        s = eigenvalues
        kept = 1 / (1 + np.multiply.outer(1 / (float(s.mean()) * _PROFILE), s))
        profiles, spent = [], []
        for U, a, times in pieces():
            profiles.append(np.hstack([times[:, None] * (U**2 @ (1 - kept).T), np.log(a * times)[:, None]]))
            spent.append(a * times)
        profile, weight = np.vstack(profiles), np.concatenate(spent)
        leverage = np.clip(profile[:, :-1] + (weight / rows)[:, None], 1e-12, 1 - 1e-12)
        profile[:, :-1] = np.log(leverage / (1 - leverage))
        index = _split(profile, CLASSES)
        count = np.bincount(index).astype(np.float64)
        squares, start = np.zeros((count.size, s.size)), 0
        for U, _, times in pieces():
            which = np.zeros((count.size, len(U)))
            which[index[start : start + len(U)], np.arange(len(U))] = times
            squares += which @ U**2
            start += len(U)
        squares /= count[:, None]
        left = 1 - np.bincount(index, weight) / count / rows - squares.sum(axis=1)
        squares = np.column_stack([squares, np.where(left > _NOTHING, left, 0.0)])
        inverse = np.bincount(index, 1 / weight) / count
        share = count / count.sum()
        return cls(share, inverse, squares, _own(share, squares, s))

    @property
    def spent(self) -> Floats:
        """(C,) leverage of the intercept."""
        return np.asarray(1 - self.squares.sum(axis=1))

    def leverage(self, z: Floats, eigenvalues: Floats) -> Floats:
        """(m, C) leverages of the classes, the intercept's included."""
        fitted = np.append(eigenvalues, 0.0) / np.add.outer(z, np.append(eigenvalues, 0.0))
        return np.asarray(fitted @ self.squares.T + self.spent)

    def gathered(self, index: NDArray[np.intp], size: int) -> "RowClasses":
        """With directions summed into ``size`` groups: (r,) ``index`` names that of each; the last column stays apart."""
        squares = np.zeros((self.share.size, size + 1))
        np.add.at(squares.T, index, self.squares[:, :-1].T)
        squares[:, -1] = self.squares[:, -1]
        return RowClasses(self.share, self.inverse, squares, self.own)


def _split(points: Floats, most: int) -> NDArray[np.intp]:
    """(n,) numbers of at most ``most`` groups: the widest is cut in two at its mean, again and again.

    Along the coordinate of its largest sum of squares. The order of the points does not matter.
    """

    def spread(group: NDArray[np.intp]) -> tuple[float, int]:
        inside = points[group]
        squares = ((inside - inside.mean(axis=0)) ** 2).sum(axis=0)
        return float(squares.max()), int(np.argmax(squares))

    groups = [np.arange(len(points))]
    spreads = [spread(groups[0])]
    while len(groups) < most:
        widest = max(range(len(groups)), key=lambda k: spreads[k][0])
        size, axis = spreads[widest]
        if size <= 1e-9:
            break
        group = groups[widest]
        above = points[group, axis] > points[group, axis].mean()
        groups[widest : widest + 1] = [group[~above], group[above]]
        spreads[widest : widest + 1] = [spread(groups[widest]), spread(groups[widest + 1])]
    index = np.empty(len(points), dtype=np.intp)
    for number, group in enumerate(groups):
        index[group] = number
    return index


def _own(share: Floats, squares: Floats, s: Floats) -> Floats:
    """min(1, 2 min_z (D / D of the row that a tenth are beyond)^2), over z that fit neither all nor nothing.

    See ``RowClasses.own``.
    """
    z = float(s.max()) * _BOUND_AT
    D = np.column_stack([1 / (1 + np.multiply.outer(1 / z, s)), np.ones(z.size)]) @ squares.T
    leverage = 1 - D @ share
    asked = (leverage > _LEVERAGES[0]) & (leverage < _LEVERAGES[1])
    D = D[asked] if asked.any() else D
    order = np.argsort(D, axis=1)
    place = np.argmax(np.cumsum(share[order], axis=1) >= _BEYOND, axis=1)
    beyond = np.take_along_axis(D, np.take_along_axis(order, place[:, None], axis=1), axis=1)
    return np.asarray(np.minimum(1.0, _MOST * (D / beyond) ** 2).min(axis=0))


class RowEquivalents(SampleEquivalents):
    """``SampleEquivalents`` of rows as they are: leverages of ``RowClasses`` in place of their mean.

    Rows of a solved point hold q/(z v) of the directions, and then D/(z v) of the classes.
    """

    def __init__(
        self, eigenvalues: ArrayLike, squares: ArrayLike, multiplicity: ArrayLike, noise_variance: float, rows: RowClasses
    ) -> None:
        super().__init__(eigenvalues, squares, multiplicity, noise_variance)
        self.rows = rows
        self.energy = self.signal / self.share  # c^2 - sigma^2
        # Directions of eigenvalue 0, where there are some, are one entry, the last.
        self.parts = rows.squares if self.s[-1] == 0 else rows.squares[:, :-1]
        self.a = self.parts.sum(axis=1)
        self.count = rows.share * rows.inverse
        # What the bias weighs in each class, at its own leverage, and in all of them at the mean one.
        own, others = self.count * rows.own, self.count * (1 - rows.own)
        self.signals = np.vstack([own[:, None] * self.parts, others @ self.parts]) * self.energy
        self.intercept = float(self.count @ ((1 - self.a) / self.a))
        ends = self.solve(np.inf)
        self.null_risk = float(self.bias(ends, ends)[0])
        self.mean_trace = float(self.count @ (self.parts @ self.s / self.a**2))
        if not self.singular:
            positive = self.s > 0
            left, least = self.parts[:, ~positive].sum(axis=1) / self.a, float(self.s[positive].min())
            # Copies of fewer rows than features: all are fitted whatever they hold, and S is singular for them.
            self.singular = not left.any()
            # Below the least eigenvalue each D(-x) has a zero, not before this.
            self.bulk = (least if self.singular else min(self.bulk[0], least * float(left.min())), self.bulk[1])

    def solve(self, z: ArrayLike) -> Solved:
        """q/(zv) and D/(zv); see ``Equivalents.solve``."""
        points = np.atleast_1d(np.asarray(z))
        if self.s[-1] == 0 and np.any(self.parts[:, -1] == 0):
            # A row that is fitted whatever it holds has a limit at z = 0, no value.
            points = np.where(points == 0, 1e-10 * self.s[self.s > 0].min(), points)
        base = super().solve(points)
        return Solved(
            base.z, base.zv, np.hstack([base.rows, base.rows @ self.parts.T]), np.hstack([base.rest, base.rest @ self.parts.T])
        )

    def _apart(self, solved: Solved) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        r = self.s.size
        return solved.rows[:, :r], solved.rows[:, r:], solved.rest[:, :r], solved.rest[:, r:]

    def _free(self, solved: Solved) -> tuple[Numbers, Numbers]:
        """q/(zv), and D/(zv) of the classes and of the mean row."""
        q, D, _, _ = self._apart(solved)
        return q, np.hstack([D, (D @ self.rows.share)[:, None]])

    def bias(self, one: Solved, two: Solved, *, table: bool = False) -> Numbers:
        """mean_i sum_k U_ik^2 q1 q2 (c^2 - sigma^2) / (D1 D2), each D in part the mean one; see ``Equivalents.bias``."""
        if table:
            return self._table(self.bias, self._bias_apart, one, two)
        (q1, D1), (q2, D2) = self._free(one), self._free(two)
        return np.asarray(((q1 * q2) @ self.signals.T / (D1 * D2)).sum(axis=1))

    def variance(self, one: Solved, two: Solved, *, table: bool = False) -> Numbers:
        """mean_i sum_k U_ik^2 q1 q2 / (D1 D2) - 1, as a covariance; see ``Equivalents.variance``."""
        if table:
            return self._table(self.variance, self._variance_apart, one, two)
        (q1, D1, rest1, e1), (q2, D2, rest2, e2) = self._apart(one), self._apart(two)
        apart = (rest1 * rest2) @ self.parts.T - e1 * e2 / self.a
        # Of a row that nearly determines its own fit both terms are a, and D far below.
        alone = np.minimum(np.abs(D1), np.abs(D2)) < self.a / 2
        direct = (q1 * q2) @ self.parts.T - D1 * D2 / self.a
        return np.asarray(np.where(alone, direct, apart) / (D1 * D2) @ self.count + self.intercept)

    @staticmethod
    def _table(pairwise: Formula, apart: Formula, one: Solved, two: Solved) -> Numbers:
        """Every point of one with every point of two: pairs that are ``apart`` by partial fractions, the others one by one."""
        inner1, inner2 = (np.isfinite(each.z) & (each.z != 0) for each in (one, two))
        z1, z2 = np.where(inner1, one.z, 1.0)[:, None], np.where(inner2, two.z, 1.0)
        near = np.abs(z1 - z2) <= _NEAR * np.maximum(np.abs(z1), np.abs(z2))
        near |= ~np.logical_and.outer(inner1, inner2)
        found = np.empty(near.shape, dtype=np.result_type(one.rows, two.rows))
        if not near.all():
            with np.errstate(divide="ignore", invalid="ignore"):
                found[:] = apart(one, two)
        i, j = np.nonzero(near)
        found[i, j] = pairwise(one[i], two[j])
        return found

    def _bias_apart(self, one: Solved, two: Solved) -> Numbers:
        """By 1/((s+z1)(s+z2)) = [(g-z2)/(s+z2) - (g-z1)/(s+z1)] / ((s+g)(z1-z2)), whatever g: no product of directions.

        With g amid the points no more digits are lost than the root of their range has.
        """
        sizes = np.abs(np.concatenate([one.z, two.z]))
        sizes = sizes[(sizes > 0) & np.isfinite(sizes)]
        g = float(np.sqrt(sizes.min()) * np.sqrt(sizes.max()))
        signals = (self.signals / (self.s + g)).T

        def halves(solved: Solved) -> tuple[Numbers, Numbers]:
            q, D = self._free(solved)
            return (g - solved.z)[:, None] * (q @ signals) / D, (solved.z / solved.zv)[:, None] / D

        (own1, other1), (own2, other2) = halves(one), halves(two)
        return np.asarray((other1 @ own2.T - own1 @ other2.T) / np.subtract.outer(one.z, two.z))

    def _variance_apart(self, one: Solved, two: Solved) -> Numbers:
        """[z1 T(z1) - z2 T(z2)] / (z1 - z2), in which z T(z) may be short of its limit at infinity by the spread."""
        traces, spreads = ([f(solved) for solved in (one, two)] for f in (lambda x: x.z * self.trace(x), self.spread))
        small, large = (np.add.outer(*map(np.abs, pair)) for pair in (traces, spreads))
        gap = np.where(small < large, np.subtract.outer(*traces), -np.subtract.outer(*spreads))
        return np.asarray(gap / np.subtract.outer(one.z, two.z) + self.intercept)

    def trace(self, one: Solved) -> Numbers:
        """T(z) = mean_i (1/D - 1), less the intercept's part T(inf); see ``Equivalents.trace``."""
        _, D, _, e = self._apart(one)
        alike = super().trace(Solved(one.z, one.zv, one.rows[:, : self.s.size], one.rest[:, : self.s.size]))
        return np.asarray((alike[:, None] + e / self.a) / D @ self.count)

    def spread(self, one: Solved) -> Numbers:
        """mean_i (a sum U^2 s^2/(s+z) - sum U^2 s sum U^2 s/(s+z)) / (a^2 D); see ``Equivalents.spread``."""
        q, D, _, _ = self._apart(one)
        first, second = q @ (self.parts * self.s).T, q @ (self.parts * self.s**2).T
        return np.asarray((second / self.a - (self.parts @ self.s) * first / self.a**2) / D @ self.count / one.z)

    def counting_far_rows(self) -> "RowEquivalents":
        """The same with rows far beyond all others counted ``_FAR`` times as much as in the bias here, or as they are."""
        rows = replace(self.rows, own=np.minimum(_FAR * self.rows.own, 1.0))
        return RowEquivalents(self.s, self.energy + self.noise_variance, self.share, self.noise_variance, rows)

    def row_spread(self, z: float) -> tuple[float, float]:
        """Relative standard deviation, over the rows, of the error that ridge makes at each of them, and its skewness.

        See ``_errors``.
        """
        share, error = self.rows.share, self._errors(z)
        mean = float(share @ error)
        deviation = math.sqrt(float(share @ (error - mean) ** 2))
        if not (mean > 0 and deviation > 1e-12 * mean):
            return 0.0, 0.0
        return deviation / mean, float(share @ ((error - mean) / deviation) ** 3)

    def beyond_rows(self, z: float, rows: float) -> float:
        """What rows whose like one in so many ``rows`` would be add to the mean error, which most tables lack.

        The errors e of the tenth of the rows with the largest ones have P(e > x) = q (u/x)^a, by Hill's estimate 1/a =
        mean log(e/u) where e > u and q is their share: beyond the one in n there is a/(a-1) u (q n)^(1/a) / n.
        """
        error = self._errors(z)
        order = np.argsort(-error)
        error, share = error[order], self.rows.share[order]
        least = float(error[min(int(np.searchsorted(np.cumsum(share), _TAIL)), error.size - 1)])
        above = error > least
        part, mean = float(share[above].sum()), float(share @ error)
        if not (mean > 0 and least > 0 and part * rows > 1):
            return 0.0
        a = max(part / float(share[above] @ np.log(error[above] / least)), _LEAST_EXPONENT)
        return float(a / (a - 1) * least * (part * rows) ** (1 / a) / rows / mean)

    def _errors(self, z: float) -> Floats:
        """(C,) error that ridge makes at a row of each class: bias + sigma^2 V12."""
        q, D, rest, e = self._apart(self.solve(z))
        q, D, rest, e = q[0], D[0], rest[0], e[0]
        own, share = self.rows.own, self.rows.share
        bias = (own / D**2 + (1 - own) / (D @ share) ** 2) * (self.parts @ (self.energy * q**2))
        variance = (self.parts @ rest**2 - e**2 / self.a) / D**2 + (1 - self.a) / self.a
        return np.asarray(self.rows.inverse * (bias + self.noise_variance * variance))
