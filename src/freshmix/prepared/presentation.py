"""An order of rows and columns, and signs, that are a table's own: however it is presented, the same numbers follow.

Rows in another order, columns in another order or with other signs, or labels with another sign are the same table to a loop.
Rounding, the signs of eigenvectors and random draws would tell them apart. Hashes of cells as they were read, added up over
rows and columns as integers, give each row and column a key of its own; they are then put in the order of their keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from .kernels import Kernel

Keys = NDArray[np.uint64]
Values = TypeVar("Values", Floats, NDArray[np.intp])
# Cells that are hashed at a time stay in the cache.
_CELLS = 2**15
# Rounds of telling columns apart by rows and rows by columns; nearly always one is enough.
_ROUNDS = 3
_GOLDEN, _ODD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SIZE = np.uint64(2**63 - 1)


@dataclass(frozen=True, eq=False)
class Presentation:
    """How a table is presented to what follows: ``rows`` (n,) and ``columns`` (p,) in order, and the signs they are taken with.

    ``sign`` is that of the labels and ``signs`` (p,) those of the columns in their order, each 1 or -1.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    signs: Floats
    sign: float

    @classmethod
    def of(cls, X: Floats, y: Floats, *marks: Floats) -> "Presentation":
        """Of (n, p) features and (n,) labels, NaN where there are none, and what else is known of each row.

        Keys of columns are sums over rows of hashed cells times the rows' keys, and the other way round. A column's sum
        changes its sign with the column's, which orients it; constant columns are left out. Rows come in the order of their
        labels' keys first, which no scale of the features moves.
        """
        plain, labels = _known(y, *marks)
        plain, sign = _oriented(plain, labels, plain)
        rows = plain
        for _ in range(_ROUNDS):
            sums = _over_rows(X, rows)
            varies = sums != hashed(X[0]) * rows.sum()
            turned = sums.view(np.int64) < 0
            columns = np.where(varies & (sums != 0), mixed(np.where(turned, -sums, sums)), np.uint64(0))
            rows = mixed(plain + _over_columns(X, np.where(turned, -columns, columns)))
            if not sign:
                plain, sign = _oriented(plain, labels, rows)
            told_apart = np.unique(columns[columns > 0]).size == varies.sum()
            if told_apart and sign:
                break
        order = np.lexsort((mixed(rows + plain), plain))
        across = np.argsort(columns, kind="stable")
        return cls(order, across, np.where(turned[across], -1.0, 1.0), float(sign or 1))

    @classmethod
    def of_kernel(cls, gram: Floats, y: Floats, *marks: Floats) -> "Presentation":
        """Of an (n, n) kernel matrix, whose columns are its rows."""
        plain, labels = _known(y, *marks)
        plain, sign = _oriented(plain, labels, plain)
        rows = mixed(plain + hashed(np.diag(gram)) + _over_columns(gram, plain))
        if not sign:
            plain, sign = _oriented(plain, labels, rows)
        order = np.lexsort((mixed(rows + plain + _over_columns(gram, mixed(rows + plain))), plain))
        return cls(order, order, np.ones(order.size), float(sign or 1))

    @classmethod
    def of_table(cls, X: Floats, y: Floats, kernel: Kernel, *marks: Floats) -> "Presentation":
        """As far as a kernel does not care: a function may ask for columns by place, and some kernels for positive features."""
        if kernel == "precomputed":
            return cls.of_kernel(X, y, *marks)
        found = cls.of(X, y, *marks)
        if kernel == "linear":
            return found
        plain = replace(found, signs=np.ones(found.signs.size))
        return plain if isinstance(kernel, str) else replace(plain, columns=np.arange(found.columns.size))

    def features(self, X: Floats) -> Floats:
        """(n, p) features as they are presented."""
        taken = np.empty(X.shape)
        step = max(1, _CELLS // X.shape[1])
        for start in range(0, len(X), step):
            part = slice(start, start + step)
            np.multiply(X[self.rows[part]].take(self.columns, axis=1), self.signs, out=taken[part])
        return taken

    def labels(self, y: Floats) -> Floats:
        """(n,) labels as they are presented."""
        return self.sign * y[self.rows]

    def by_row(self, values: Values | None) -> Values | None:
        """(n,) values of the rows in their order, if there are any."""
        return None if values is None else values[self.rows]


def _known(y: Floats, *marks: Floats) -> tuple[Keys, Keys]:
    """(n,) keys of rows by what is known of them beside features and the labels' signs, and hashes of the labels."""
    missing = np.isnan(y)
    plain = mixed(hashed(np.where(missing, np.inf, np.abs(y))) + _GOLDEN)
    for mark in marks:
        plain = mixed(plain + hashed(mark))
    return plain, hashed(np.where(missing, 0.0, y))


def _oriented(plain: Keys, labels: Keys, rows: Keys) -> tuple[Keys, int]:
    """Keys of rows with the labels' signs, once they are oriented by their sum times some other keys; 0 where that is 0."""
    sign = int(np.sign((labels * rows).sum().view(np.int64)))
    return mixed(plain + np.uint64(sign % 2**64) * labels), sign


def hashed(x: Floats) -> Keys:
    """A hash of each number, of which that of -x is the negative and that of 0 is 0."""
    bits = x.view(np.uint64)
    found = bits & _SIZE
    found *= _GOLDEN
    found ^= found >> np.uint64(32)
    found *= _ODD
    # All ones where x is negative: ~z + 1 is -z.
    below = (x.view(np.int64) >> 63).view(np.uint64)
    found ^= below
    found -= below
    return found


def mixed(z: Keys) -> Keys:
    """The finaliser of splitmix64: every bit of z moves every other."""
    z = (z ^ (z >> np.uint64(30))) * _ODD
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def _parts(X: Floats) -> Iterator[tuple[slice, Keys]]:
    step = max(1, _CELLS // X.shape[1])
    for start in range(0, len(X), step):
        part = slice(start, start + step)
        yield part, hashed(X[part])


def _over_rows(X: Floats, rows: Keys) -> Keys:
    """(p,) sums over rows of hashed cells times the rows' keys."""
    found = np.zeros(X.shape[1], dtype=np.uint64)
    for part, cells in _parts(X):
        found += rows[part] @ cells
    return found


def _over_columns(X: Floats, columns: Keys) -> Keys:
    """(n,) sums over columns of hashed cells times the columns' keys."""
    return np.concatenate([cells @ columns for _, cells in _parts(X)])
