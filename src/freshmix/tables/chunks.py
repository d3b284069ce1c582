"""Dask arrays as blocks: each chunk of rows where it lies."""

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any

import numpy as np

from ..arguments import Floats
from .arrays import unmasked
from .blocks import BLOCK_BYTES, BlockFunction, Blocks, Result, each_part

# Results that a worker merges at a time.
_FAN_IN = 8


class DaskBlocks(Blocks):
    """Dask arrays X (n, p) and y (n,): each chunk of rows is worked on where it lies, on a cluster if there is one.

    Parameters
    ----------
    X, y : dask arrays
        Features and labels, with known chunk sizes.
    names : sequence of str, optional
        Names of the p columns.
    impute : str, optional
        As of ``Blocks``.

    Raises
    ------
    ValueError
        If shapes do not fit or chunk sizes are unknown.
    """

    def __init__(self, X: Any, y: Any, names: Sequence[str] | None = None, impute: str | None = None) -> None:
        if not hasattr(y, "rechunk"):
            raise TypeError(f"y must be a dask array where X is one, got {type(y).__name__}")
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if X.ndim != 2 or y.ndim != 1:
            raise ValueError(f"X must be two-dimensional and y one-dimensional, got shapes {X.shape} and {y.shape}")
        if any(size != size for size in (*X.shape, *y.shape)):
            raise ValueError("X and y must have known chunk sizes, got unknown ones: call compute_chunk_sizes() on them")
        if X.shape[0] != y.shape[0]:
            raise ValueError(f"X and y must have as many rows, got {X.shape[0]} and {y.shape[0]}")
        self.X = X.rechunk({1: -1})
        self.y = y.rechunk((self.X.chunks[0],))
        super().__init__((), int(X.shape[1]), names, impute=impute)

    @property
    def rows(self) -> int | None:
        """Number of rows; Dask arrays can be cut either way."""
        return int(self.X.shape[0])

    def fold(self, function: BlockFunction[Result], merge: Callable[[Result, Result], Result]) -> Result:
        """Each chunk's result where the chunk lies, merged in a tree by the scheduler; only the total travels to here."""
        from dask.delayed import delayed

        features = self.features

        def chunk(X: Any, y: Any) -> Result:
            return reduce(merge, each_part(function, X, y, features))

        def merged(results: list[Result]) -> Result:
            return reduce(merge, results)

        pairs = zip(self.X.to_delayed().ravel(), self.y.to_delayed().ravel(), strict=True)
        layer = [delayed(chunk)(X, y) for X, y in pairs]
        while len(layer) > 1:
            layer = [delayed(merged)(layer[i : i + _FAN_IN]) for i in range(0, len(layer), _FAN_IN)]
        found: Result = layer[0].compute()
        return found

    def column_blocks(self) -> Iterator[Floats]:
        """The labels, then (n, k) arrays of columns."""
        yield np.asarray(unmasked(self.y.compute()), dtype=np.float64)[:, None]
        size = max(1, 4 * BLOCK_BYTES // (8 * max(self.X.shape[0], 1)))
        for start in range(0, self.features, size):
            yield np.asarray(unmasked(self.X[:, start : start + size].compute()), dtype=np.float64)
