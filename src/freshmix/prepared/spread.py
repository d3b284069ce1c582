"""Means and sums of squares of the columns of some rows, which add up over blocks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..tables.blocks import Column

# The same test of variation as in memory, where it is the largest deviation that counts.
_VARIES = 1e-13


@dataclass(frozen=True, eq=False)
class Spread:
    """Count, means and sums of squared deviations of rows: (p,) arrays."""

    rows: int
    mean: Floats
    squares: Floats

    @classmethod
    def of(cls, columns: Sequence[Column]) -> "Spread":
        """From (m,) columns of any kind of number."""
        if not columns[0].size:
            return cls(0, np.zeros(len(columns)), np.zeros(len(columns)))
        mean = np.array([column.mean(dtype=np.float64) for column in columns])
        with np.errstate(invalid="ignore"):
            squares = np.array([float(np.sum((column - m) ** 2)) for column, m in zip(columns, mean, strict=True)])
        return cls(columns[0].size, mean, squares)

    @property
    def deviation(self) -> Floats:
        """(p,) standard deviations."""
        return np.asarray(np.sqrt(self.squares / self.rows))

    @property
    def varies(self) -> NDArray[np.bool_]:
        """(p,) which columns vary beyond rounding."""
        return np.asarray(self.deviation > _VARIES * np.abs(self.mean))

    def merge(self, other: "Spread") -> "Spread":
        """Those of both sets of rows."""
        if not (self.rows and other.rows):
            return self if self.rows else other
        part, gap = other.rows / (self.rows + other.rows), other.mean - self.mean
        return Spread(
            self.rows + other.rows, self.mean + part * gap, self.squares + other.squares + self.rows * part * gap * gap
        )
