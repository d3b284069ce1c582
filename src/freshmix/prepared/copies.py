"""Rows that are there more than once, and whether chance explains it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats

# Columns by which rows are first told apart.
_COLUMNS = 8
# Of the columns, and of the different rows: one part in so many that tells nearly all apart shows that equal rows are copies.
_PARTS, _NEARLY_ALL = 10, 0.98


def copies(X: Floats) -> NDArray[np.intp]:
    """(n,) number of each row's group of identical rows, in the order in which they come first."""
    first = np.arange(len(X))
    alike = first
    # A few columns tell nearly all rows apart; only those that they do not are compared as a whole.
    for j in np.linspace(0, X.shape[1] - 1, min(_COLUMNS, X.shape[1])).astype(int):
        _, place, count = np.unique(X[alike, j], return_inverse=True, return_counts=True)
        alike = alike[count[place] > 1]
    if alike.size:
        _, at, place = np.unique(X[alike], axis=0, return_index=True, return_inverse=True)
        first[alike] = alike[at][place.ravel()]
    return np.asarray(np.unique(first, return_inverse=True)[1], dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Copies:
    """Records that are in a table several times, so that a new row is none of them; rows of a few values are met again.

    Attributes
    ----------
    group : (n,) array
        Number of each row's group of identical ones.
    times : (n,) array
        How often the record is there: the precision of its group over its own.
    """

    group: NDArray[np.intp]
    times: Floats

    @classmethod
    def of(cls, X: Floats, precision: Floats | None = None) -> Self | None:
        """From (n, p) rows; None where none is there twice, or where that may be chance.

        It is no chance where a tenth of the columns tells the different rows apart: chance would make more rows meet there.
        """
        group = copies(X)
        count = int(group.max()) + 1
        if count == len(X):
            return None
        different = X[np.unique(group, return_index=True)[1]]
        parts = min(_PARTS, X.shape[1])
        if all(len(np.unique(different[:, j::parts], axis=0)) < _NEARLY_ALL * count for j in range(parts)):
            return None
        return cls(group, times(group, precision))

    def means(self, y: Floats, precision: Floats | None = None) -> Floats:
        """(n,) mean of (n,) labels over each row's group."""
        a = np.ones(y.size) if precision is None else precision
        return np.asarray((np.bincount(self.group, a * y) / np.bincount(self.group, a))[self.group])


def times(group: NDArray[np.intp], precision: Floats | None = None) -> Floats:
    """(n,) precision of all rows of a row's group over its own."""
    a = np.ones(group.size) if precision is None else precision
    return np.asarray(np.bincount(group, a)[group] / a)
