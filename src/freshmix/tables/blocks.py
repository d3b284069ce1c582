"""Rows that come block by block, for tables larger than memory: files through polars, Dask arrays, anything that iterates.

A block is ``(columns, y)``: a sequence of p one-dimensional arrays and the labels beside them, NaN where a row has none.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..arguments import Floats
from ..words.table import some
from .loading import check_columns, even, is_parquet, scan_file, unreadable

Column = NDArray[Any]
Result = TypeVar("Result")
BlockFunction = Callable[[Sequence[Column], Column], Result]

# A block of this many bytes as 8-byte numbers stays near the caches and keeps the matrix product at full speed.
BLOCK_BYTES = 24 * 1024**2
FEWEST_ROWS, MOST_ROWS = 1024, 65536
# Results that a worker merges at a time.
_FAN_IN = 8


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
    ) -> None:
        self.pairs = pairs
        self.drop_missing = drop_missing
        self.rows_per_generation: int | None = None
        self.features = features
        self.names = None if names is None else tuple(names)

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
    X, y = np.asarray(X), np.asarray(y)
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


class FileBlocks(Blocks):
    """One or several CSV or Parquet files with the same columns, streamed through polars in bounded memory.

    Numeric and boolean columns only; an empty target means a row without a real label.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    target : str
        Column of real labels.
    drop : sequence of str
        Columns to leave out.
    drop_missing : bool
        Leave out rows with missing features instead of refusing them.
    time : str, optional
        Column of time steps, read for the rows per generation alone.

    Raises
    ------
    ValueError
        If columns are missing, differ between files or cannot be streamed.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        target: str,
        drop: Sequence[str] = (),
        drop_missing: bool = False,
        time: str | None = None,
    ) -> None:
        self.paths, self.target = tuple(paths), target
        self.scans = [scan_file(path, target) for path in self.paths]
        schemas = [scan.collect_schema() for scan in self.scans]
        check_columns([schema.names() for schema in schemas], self.paths, (target, *drop, *([time] if time else [])))
        names = tuple(name for name in schemas[0].names() if name not in (target, time, *drop))
        if not names:
            raise ValueError(f"{self.paths[0].name} must have a column beside the target {target!r}, got none")
        for path, schema in zip(self.paths, schemas, strict=True):
            self._check_kinds(path, schema, names)
        super().__init__((), len(names), names, drop_missing)
        self.rows_per_generation = None if time is None else self._rows_per_step(time)

    def _check_kinds(self, path: Path, schema: pl.Schema, names: Sequence[str]) -> None:
        def fits(kind: pl.DataType) -> bool:
            return kind.is_numeric() or kind == pl.Boolean

        other = [f"{name} ({schema[name]})" for name in names if not fits(schema[name])]
        if other:
            raise ValueError(
                f"{path.name} is read in blocks, where columns must be numeric or boolean, got {some(other)}: encode them, or "
                "leave them out (--drop COLUMN)"
            )
        if not fits(schema[self.target]):
            raise ValueError(f"the target {self.target!r} must be numeric, got {schema[self.target]}")

    @property
    def rows(self) -> int | None:
        """Parquet files count their rows and keep columns apart; CSV files do neither."""
        if not all(is_parquet(path) for path in self.paths):
            return None
        return sum(int(scan.select(pl.len()).collect().item()) for scan in self.scans)

    def parts(self, function: BlockFunction[Result]) -> Iterator[Result]:
        """What the function makes of each block of each file, in order."""
        size = block_rows(self.features)
        for path, scan in zip(self.paths, self.scans, strict=True):
            names = (*(self.names or ()), self.target)
            lazy, short = _numbers(scan, names), False
            if not is_parquet(path):
                # Empty lines are no rows.
                lazy = lazy.filter(~pl.all_horizontal(pl.all().is_null()))
            last = max(names, key=scan.collect_schema().names().index)
            for frame in _readable(path, lambda lazy=lazy: lazy.collect_batches(chunk_size=size), names):  # type: ignore[misc]
                short = short or bool(frame[last].null_count())
                columns = [series.to_numpy() for series in frame.get_columns()]
                for start in range(0, frame.height, size):
                    part = [column[start : start + size] for column in columns]
                    yield function(part[:-1], part[-1])
            if short and not is_parquet(path):
                # Polars fills up short rows without a word.
                even(path)

    def column_blocks(self) -> Iterator[Floats]:
        """The labels, then (n, k) arrays of columns over all files."""
        size = max(1, 4 * BLOCK_BYTES // (8 * max(self.rows or 0, 1)))
        names = self.names or ()
        groups: list[Sequence[str]] = [names[start : start + size] for start in range(0, len(names), size)]
        for group in ((self.target,), *groups):
            parts = []
            for path, scan in zip(self.paths, self.scans, strict=True):
                lazy = _numbers(scan, group)
                parts += [f.to_numpy() for f in _readable(path, lambda lazy=lazy: iter([lazy.collect()]))]  # type: ignore[misc]
            yield np.concatenate(parts, dtype=np.float64)

    def _rows_per_step(self, time: str) -> int:
        """Median number of rows with the same value of a column, from one pass over that column."""
        parts = []
        for path, scan in zip(self.paths, self.scans, strict=True):
            lazy = scan.group_by(pl.col(time).cast(pl.String).alias("step")).agg(pl.len().alias("rows"))
            parts += list(_readable(path, lambda lazy=lazy: iter([lazy.collect(engine="streaming")])))  # type: ignore[misc]
        counts = pl.concat(parts).group_by("step").agg(pl.col("rows").sum())
        gaps = counts.filter(pl.col("step").is_null() | (pl.col("step") == ""))["rows"].sum()
        if gaps:
            raise ValueError(f"the time column {time!r} must not have gaps, got {gaps}")
        return max(3, int(counts["rows"].median()))  # type: ignore[arg-type]


def _numbers(scan: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    """The columns as floats; those that are floats already keep their width, which is cheaper to read."""
    schema = scan.collect_schema()
    return scan.select(pl.col(name) if schema[name].is_float() else pl.col(name).cast(pl.Float64) for name in names)


def _readable(path: Path, start: Callable[[], Iterator[pl.DataFrame]], columns: Sequence[str] = ()) -> Iterator[pl.DataFrame]:
    """The frames of a query, with polars' errors in one line that names the file."""
    try:
        yield from start()
    except pl.exceptions.PolarsError as problem:
        raise unreadable(path, problem, columns) from None


class DaskBlocks(Blocks):
    """Dask arrays X (n, p) and y (n,): each chunk of rows is worked on where it lies, on a cluster if there is one.

    Parameters
    ----------
    X, y : dask arrays
        Features and labels, with known chunk sizes.
    names : sequence of str, optional
        Names of the p columns.

    Raises
    ------
    ValueError
        If shapes do not fit or chunk sizes are unknown.
    """

    def __init__(self, X: Any, y: Any, names: Sequence[str] | None = None) -> None:
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
        super().__init__((), int(X.shape[1]), names)

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
        yield np.asarray(self.y.compute(), dtype=np.float64)[:, None]
        size = max(1, 4 * BLOCK_BYTES // (8 * max(self.X.shape[0], 1)))
        for start in range(0, self.features, size):
            yield np.asarray(self.X[:, start : start + size].compute(), dtype=np.float64)
