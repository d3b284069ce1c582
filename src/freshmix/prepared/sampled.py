"""A bounded uniform sample of the rows that pass, for a replay: the same whatever their order, blocks and workers."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arguments import Floats
from ..tables.blocks import Column
from .presentation import Keys, hashed, mixed

# Rows times features squared, which a replay can afford, and bounds.
_WORK, _FEWEST, _MOST = 1e8, 400, 1500
# Columns that tell rows apart, beside the label.
_COLUMNS = 8


@dataclass(frozen=True, eq=False)
class Sample:
    """The rows with the smallest keys: (k,) keys and (k, p + 1) rows, label last and NaN where there is none.

    A key is a hash of the row's own numbers in ``_COLUMNS`` columns, and of its label but for the sign; of rows with one key at
    the limit those are kept whose hash in all columns is smallest. ``tags`` (p,) tell columns apart: see ``column_tags``.
    """

    key: Keys
    rows: Floats
    tags: Keys

    @classmethod
    def of(cls, columns: Sequence[Column], y: Column, seen: Keys, tags: Keys) -> "Sample":
        """From one block: (m,) columns and labels. Rows behind all of as many ``seen`` keys as are kept are left out."""
        chosen = np.argsort(tags)[:_COLUMNS]
        key = mixed(hashed(np.abs(np.nan_to_num(y, nan=np.inf))))
        for j in chosen:
            key += hashed(np.ascontiguousarray(columns[j], dtype=np.float64)) * tags[j]
        key = mixed(key)
        first = np.flatnonzero(key <= _limit(key, len(columns)))
        if seen.size == most_rows(len(columns)):
            first = first[key[first] <= seen.max()]
        rows = np.empty((first.size, len(columns) + 1))
        for j, column in enumerate([*columns, y]):
            rows[:, j] = column[first]
        return cls(key[first], rows, tags).kept()

    def keys_after(self, seen: Keys) -> Keys:
        """The smallest keys of these rows and of those before, each once: a block may come again."""
        key = np.unique(np.concatenate([seen, self.key]))
        return key[: most_rows(self.tags.size)]

    def merge(self, other: "Sample") -> "Sample":
        """That of both."""
        return Sample(np.concatenate([self.key, other.key]), np.concatenate([self.rows, other.rows]), self.tags).kept()

    def kept(self) -> "Sample":
        """No more rows than are kept, whatever their order."""
        most = most_rows(self.tags.size)
        if self.key.size <= most:
            return self
        limit = _limit(self.key, self.tags.size)
        below, at = np.flatnonzero(self.key < limit), np.flatnonzero(self.key == limit)
        whole = (hashed(np.ascontiguousarray(self.rows[at, :-1])) * self.tags).sum(axis=1)
        first = np.concatenate([below, at[np.argsort(whole, kind="stable")[: most - below.size]]])
        return Sample(self.key[first], self.rows[first], self.tags)


def column_tags(names: Sequence[str] | None, features: int) -> Keys:
    """(p,) numbers that tell columns apart: by their names, in whatever order they come, or else by their places."""
    if names is None:
        return mixed(np.arange(1, features + 1, dtype=np.uint64))
    digests = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def most_rows(features: int) -> int:
    """How many rows are kept."""
    return int(np.clip(_WORK / features**2, _FEWEST, _MOST))


def _limit(key: Keys, features: int) -> np.uint64:
    """The largest key of the rows that are kept."""
    most = most_rows(features)
    return np.uint64(np.partition(key, most - 1)[most - 1] if key.size > most else 2**64 - 1)
