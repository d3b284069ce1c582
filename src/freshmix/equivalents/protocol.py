"""Deterministic equivalents: the companion transform v(z) and the traces built on it (mathematics.md sections 2 and 7).

One protocol joins theory and data: ``population`` solves the companion equation, ``sample`` and ``weights`` read the same
quantities off eigenvalues and rotated responses; limits, risks by generation and optima take either. Two phases: ``solve``
once for an array of z, then any number of traces of one or two solved points.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[Any]  # float64, or complex128 on a contour


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
    intercept: float  # variance of a fitted intercept over sigma^2: T(inf), which trace leaves out and variance holds
    tolerance: float  # to which a quadrature is worth refining
    # Ends of an interval that holds the positive eigenvalues of S; whether S is singular in the signal's directions.
    bulk: tuple[float, float]
    singular: bool

    def solve(self, z: ArrayLike) -> Solved:
        """Solve at real z in [0, inf] or at complex z off the real axis; a number or a (m,) array.

        At real z < 0 the spectrum must end below -z: where it does not, everything is NaN.
        """

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
