"""The protocol read off data: eigenvalues and rotated responses (mathematics.md section 7)."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from ..arguments import number, vector
from .protocol import Numbers, Solved, pairing


class SampleEquivalents:
    """The protocol read off data (mathematics.md section 7). Rows hold 1 / ((s_i + z) v), of weighted mean 1.

    Parameters
    ----------
    eigenvalues : (k,) array
        s, eigenvalues of XX'/n.
    squares : (k,) array
        c^2, squared responses in the eigenvectors' directions (raw, or smoothed by ``estimate``); sigma^2 at an eigenvalue 0,
        where rows hold nothing of the signal: risks by generation count on it.
    multiplicity : (k,) array
        How many directions each entry stands for: the zeros of XX'/n need no entries of their own.
    noise_variance : float
        sigma^2.
    """

    def __init__(self, eigenvalues: ArrayLike, squares: ArrayLike, multiplicity: ArrayLike, noise_variance: float) -> None:
        self.tolerance = 1e-6
        self.intercept = 0.0
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
        s, share = self.s[positive] / least, self.share[positive]
        # zeta v(-zeta), rising from -zeros at 0 to infinity at the least eigenvalue; in its units.
        return least * float(brentq(lambda x: -zeros + x * np.sum(share / (s - x)), 0.0, 1 - 1e-12))

    def solve(self, z: ArrayLike) -> Solved:
        """v = mean 1/(s+z); see ``Equivalents.solve``."""
        points = np.atleast_1d(np.asarray(z))
        if not np.iscomplexobj(points):
            points = np.where((points < 0) & (points >= -self.bulk[1]), np.nan, points)
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
