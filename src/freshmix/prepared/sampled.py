"""A bounded uniform sample of the rows that pass, for a replay: the same whatever their order, blocks and workers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..tables.blocks import Column

# Rows times features squared, which a replay can afford, and bounds.
_WORK, _FEWEST, _MOST = 1e8, 400, 1500
# Columns that tell rows apart, beside the label.
_COLUMNS = 8


@dataclass(frozen=True, eq=False)
class Sample:
    """The rows with the smallest keys: (k,) keys and (k, p + 1) rows, label last and NaN where there is none.

    A key is a hash of the row's own numbers: rows that are the same in ``_COLUMNS`` columns and the label are kept together.
    """

    key: NDArray[np.uint64]
    rows: Floats

    @classmethod
    def of(cls, columns: Sequence[Column], y: Column, seen: NDArray[np.uint64]) -> "Sample":
        """From one block: (m,) columns and labels. Rows behind all of as many ``seen`` keys as are kept are left out."""
        chosen = np.linspace(0, len(columns) - 1, min(_COLUMNS, len(columns))).astype(int)
        key = np.zeros(len(y), dtype=np.uint64)
        for column in [y, *(columns[i] for i in chosen)]:
            key *= np.uint64(0x9E3779B97F4A7C15)
            key += np.ascontiguousarray(column, dtype=np.float64).view(np.uint64)
        key = _mixed(key)
        first = _smallest(key, len(columns))
        if seen.size == most_rows(len(columns)):
            first = first[key[first] <= seen.max()]
        rows = np.empty((first.size, len(columns) + 1))
        for j, column in enumerate([*columns, y]):
            rows[:, j] = column[first]
        return cls(key[first], rows)

    def keys_after(self, seen: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The smallest keys of these rows and of those before, each once: a block may come again."""
        key = np.unique(np.concatenate([seen, self.key]))
        return key[_smallest(key, self.rows.shape[1] - 1)]

    def merge(self, other: "Sample") -> "Sample":
        """That of both."""
        key = np.concatenate([self.key, other.key])
        first = _smallest(key, self.rows.shape[1] - 1)
        return Sample(key[first], np.concatenate([self.rows, other.rows])[first])

    def in_order(self) -> Floats:
        """The rows by key: an order without meaning, the same for the same table."""
        return np.asarray(self.rows[np.lexsort([*self.rows.T[::-1], self.key])])


def most_rows(features: int) -> int:
    """How many rows are kept."""
    return int(np.clip(_WORK / features**2, _FEWEST, _MOST))


def _smallest(key: NDArray[np.uint64], features: int) -> NDArray[np.intp]:
    most = most_rows(features)
    return np.arange(key.size) if key.size <= most else np.argpartition(key, most)[:most]


def _mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64: every bit of z moves every other."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))
