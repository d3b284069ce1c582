"""Rows that come block by block, for tables larger than memory: anything that iterates.

A block is ``(columns, y)``: a sequence of p one-dimensional arrays and the labels beside them, NaN where a row has none.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..words.table import named
from .arrays import unmasked
from .gaps import Gaps

Column = NDArray[Any]
Result = TypeVar("Result")
BlockFunction = Callable[[Sequence[Column], Column], Result]

# A block of this many bytes as 8-byte numbers stays near the caches and keeps the matrix product at full speed.
BLOCK_BYTES = 24 * 1024**2
FEWEST_ROWS, MOST_ROWS = 1024, 65536


def block_rows(features: int) -> int:
    """Rows of a block that is worked on at a time."""
    return int(np.clip(BLOCK_BYTES // (8 * (features + 1)), FEWEST_ROWS, MOST_ROWS))


class Blocks:
    """A table as an iterable of ``(X block, y block)`` pairs of arrays, read once from front to back.

    Parameters
    ----------
    pairs : iterable of ((m, p) array, (m,) array)
        Blocks of rows, of any length each; NaN in y where a row has no real label.
    features : int
        p.
    names : sequence of str, optional
        Names of the p columns.
    drop_missing : bool
        Leave out rows with missing features instead of refusing them.
    impute : str, optional
        ``mean``: fill missing features by the mean of their column over the labelled rows, which takes one more pass.

    Examples
    --------
    >>> pairs = ((np.full((4, 2), i), np.arange(4.0)) for i in range(3))
    >>> Blocks(pairs, 2).fold(lambda columns, y: len(y), lambda a, b: a + b)
    12
    """

    def __init__(
        self,
        pairs: Iterable[tuple[Any, Any]],
        features: int,
        names: Sequence[str] | None = None,
        drop_missing: bool = False,
        impute: str | None = None,
    ) -> None:
        Gaps(drop_missing, impute)
        if impute == "median":
            raise ValueError("impute must be mean for a table that is read in blocks, which shows no medians, got median")
        if impute is not None and isinstance(pairs, Iterator):
            raise ValueError("impute needs blocks that can be read twice, got an iterator: hand over a list, say")
        self.pairs = pairs
        self.drop_missing, self.impute = drop_missing, impute
        self.rows_per_generation: int | None = None
        self.features = features
        self.names = None if names is None else tuple(names)
        # The column of the table that each of the p columns was made of, of which a category has several.
        self.origins = list(names or (named(None, i) for i in range(features)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the table when it was last read, one sentence each."""
        return ()

    @property
    def rows(self) -> int | None:
        """Number of rows, where it is known without reading all of them and ``column_blocks`` works."""
        return None

    def parts(self, function: BlockFunction[Result]) -> Iterator[Result]:
        """What the function makes of each block, one after the other."""
        for X, y in self.pairs:
            yield from each_part(function, X, y, self.features)

    def fold(self, function: BlockFunction[Result], merge: Callable[[Result, Result], Result]) -> Result:
        """The results of all blocks, merged two at a time; a block and two results are all that is held."""
        total: Result | None = None
        for part in self.parts(function):
            total = part if total is None else merge(total, part)
        if total is None:
            raise ValueError("the table must have at least 3 rows, got none")
        return total

    def column_blocks(self) -> Iterator[Floats]:
        """The (n, 1) labels, then (n, k) arrays with the columns from left to right."""
        raise NotImplementedError


def each_part(function: BlockFunction[Result], X: Any, y: Any, features: int) -> Iterator[Result]:
    """The function over parts of one block that are small enough to be fast."""
    X, y = np.asarray(unmasked(X)), np.asarray(unmasked(y))
    if X.ndim != 2 or X.shape[1] != features or y.shape not in ((len(X),), (len(X), 1)):
        raise ValueError(
            f"blocks must hold (m, {features}) features and (m,) labels, got blocks of shapes {X.shape} and {y.shape}"
        )
    if X.dtype.kind not in "biuf" or y.dtype.kind not in "biuf":
        raise TypeError(f"blocks must hold real numbers, got {X.dtype} and {y.dtype}")
    size = block_rows(features)
    for start in range(0, len(X), size):
        part = np.asfortranarray(X[start : start + size])
        yield function(list(part.T), y.ravel()[start : start + size])
