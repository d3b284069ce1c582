"""The least and the largest value of each column, and whether one may stand for nothing; parts of a table merge."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..tables.blocks import Column, block_rows
from ..words.table import sentinel

# A value that so many rows share, further from all others than those are from each other, may stand for nothing.
_SHARED, _FEWEST_SHARED = 0.005, 3
# Rows that tell of nearly every column that its ends are not far from the rest, and of most of them.
_PROBE, _FIRST = 64, 8
_SIGNS = (1.0, -1.0)


@dataclass(frozen=True, eq=False)
class Ends:
    """Both ends of p columns: (2, p) arrays, the lower end first, the upper end as the lower one of -x.

    ``end`` is the least value and ``count`` the cells that hold it. Where it is ``near`` the others, as some value lies in the
    half of the range beside it, it stands for nothing else; otherwise ``second`` is the least of the others. ``third`` and
    ``second`` are different values of the column. ``known`` counts its cells.
    """

    end: Floats
    count: Floats
    near: NDArray[np.bool_]
    second: Floats
    third: Floats
    known: Floats

    @classmethod
    def of(cls, columns: Sequence[Column], extremes: tuple[Floats, Floats] | None = None) -> "Ends":
        """From (m,) columns of finite numbers, a few at least the same in length; ``extremes`` are their least and largest."""
        p = len(columns)
        end, second, third = (np.full((2, p), np.inf) for _ in range(3))
        if not p or not columns[0].size:
            return cls(end, np.zeros((2, p)), np.zeros((2, p), dtype=bool), second, third, np.zeros((2, p)))
        if extremes is None:
            extremes = np.array([float(each.min()) for each in columns]), np.array([float(each.max()) for each in columns])
        end[0], end[1] = extremes[0], -extremes[1]
        rows = columns[0].size
        probe = np.array([column[:: max(1, rows // _PROBE)] for column in columns], dtype=np.float64).T
        count = np.full((2, p), float(rows))
        near = np.zeros((2, p), dtype=bool)
        for side, sign in enumerate(_SIGNS):
            low, high = end[side], -end[1 - side]
            for part in (probe[:_FIRST], probe[_FIRST:]):
                if not len(part):
                    break
                left = np.flatnonzero(~near[side])
                signed = sign * part[:, left]
                # Halves, so that the range of the largest numbers does not overflow.
                with np.errstate(invalid="ignore"):
                    between = (signed > low[left]) & (signed / 2 - low[left] / 2 <= high[left] / 2 - signed / 2)
                here = between.any(axis=0)
                near[side, left] = here
                second[side, left[here]] = signed[between.argmax(axis=0), np.arange(left.size)][here]
            third[side, near[side]] = high[near[side]]
            for j in np.flatnonzero(~near[side] & (end[0] != -end[1])).tolist():
                others = columns[j] != sign * end[side, j]
                count[side, j] -= np.count_nonzero(others)
                if np.count_nonzero(columns[j] == sign * high[j]) == rows - count[side, j]:
                    second[side, j] = high[j]
                    continue
                rest = sign * columns[j][others]
                second[side, j] = least = rest.min()
                third[side, j] = rest[rest != least].min(initial=np.inf)
        return cls(end, count, near, second, third, np.full((2, p), float(rows)))

    @classmethod
    def of_rows(cls, X: Floats) -> "Ends":
        """From (n, p) finite numbers, in parts that stay near the caches."""
        size = block_rows(X.shape[1])
        parts = (X[start : start + size] for start in range(0, max(1, len(X)), size))

        def of(part: Floats) -> "Ends":
            extremes = (part.min(axis=0), part.max(axis=0)) if part.size else None
            return cls.of(list(np.asfortranarray(part).T), extremes)

        return reduce(cls.merge, map(of, parts))

    def merge(self, other: "Ends") -> "Ends":
        """Those of both sets of rows."""
        end = np.minimum(self.end, other.end)
        mine, theirs = self.end == end, other.end == end
        values = np.sort([self.end, self.second, self.third, other.end, other.second, other.third], axis=0)
        values[1:][values[1:] == values[:-1]] = np.inf
        values.sort(axis=0)
        count = self.count * mine + other.count * theirs
        near = self.near & mine | other.near & theirs
        return Ends(end, count, near, values[1], values[2], self.known + other.known)

    def beside(self, other: "Ends") -> "Ends":
        """Those of the columns of both."""
        both = (np.hstack([getattr(self, each.name), getattr(other, each.name)]) for each in fields(Ends))
        return Ends(*both)

    def sentinels(self, names: Sequence[str]) -> list[str]:
        """A sentence for each value far from the rest of its column that many rows share; the last column is the target."""
        names = [*names, "the target"]
        said: list[str] = []
        for side, sign in enumerate(_SIGNS):
            high = -self.end[1 - side]
            with np.errstate(invalid="ignore"):
                far = self.second[side] / 2 - self.end[side] / 2 > high / 2 - self.second[side] / 2
            shared = self.count[side] >= np.maximum(_FEWEST_SHARED, _SHARED * self.known[side])
            for j in np.flatnonzero(far & shared & ~self.near[side] & (self.third[side] < high)).tolist():
                value, rest = sign * self.end[side, j], sorted([sign * self.second[side, j], sign * high[j]])
                said.append(sentinel(names[j], value, self.count[side, j] / self.known[side, j], rest[0], rest[1]))
        return said
