"""Whether a table fits into memory decides how it is read."""

from collections.abc import Sequence
from typing import Any

from . import parts as files
from .blocks import Blocks
from .chunks import DaskBlocks
from .fileblocks import FileBlocks
from .frames import is_frame, raw_frame
from .gaps import Gaps
from .loading import Table, table_of
from .parts import FramePart, Paths, list_paths, parts_of, size_problem
from .typed import Roles


def open_table(
    path: Paths | Any,
    target: str,
    *,
    time: str | None = None,
    weight: str | None = None,
    drop_missing: bool = False,
    impute: str | None = None,
    drop_unlabelled: bool = False,
    drop: Sequence[str] = (),
    max_bytes: int | None = None,
    separator: str | None = None,
    decimal: str | None = None,
) -> Table | FileBlocks:
    """Read files that fit into memory, or get ready to read them block by block.

    Parameters, errors: those of ``read_table``; ``max_bytes`` is by default its limit. A table in blocks takes no
    weights and no medians; of ``time`` it takes the rows per generation, without a backtest.

    Returns
    -------
    Table or FileBlocks
        Either can be handed to ``freshmix.recommend``.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "t.csv")
    ...     _ = file.write_text("size,age,price\\n1,7,2.5\\n2,1,3\\n4,2,5\\n3,6,4\\n5,3,7\\n")
    ...     small, large = open_table(file, "price"), open_table(file, "price", max_bytes=0)
    >>> type(small).__name__, type(large).__name__
    ('Table', 'FileBlocks')
    """
    roles, gaps = Roles(target, time, weight, tuple(drop)), Gaps(drop_missing, impute, drop_unlabelled)
    if is_frame(path):
        return table_of([FramePart("the table", raw_frame(path))], roles, gaps, decimal)
    paths = list_paths(path)
    too_large = size_problem(paths, files.MOST_BYTES if max_bytes is None else max_bytes)
    if too_large is None:
        return table_of(parts_of(paths, separator), roles, gaps, decimal)
    if weight is not None:
        raise ValueError(f"{too_large} and must be read in blocks, where weights are not supported: take a sample of its rows")
    return FileBlocks(paths, target, drop, drop_missing, time, separator, decimal, impute, drop_unlabelled)


def source_of(X: Any, y: Any, impute: str | None = None) -> Table | Blocks | None:
    """What X is, if it is no array or data frame: a table, blocks, the names of files (y: the target), Dask arrays."""
    if isinstance(X, Table | Blocks):
        if impute is not None:
            raise ValueError(f"impute must be left out where X is a {type(X).__name__}: say it where that is made")
        if y is not None:
            raise TypeError(f"y must be left out where X is a {type(X).__name__}, which holds the labels")
        return X
    named = isinstance(X, str) or hasattr(X, "__fspath__")
    if named or (isinstance(X, list | tuple) and X and all(isinstance(each, str) or hasattr(each, "__fspath__") for each in X)):
        if not isinstance(y, str):
            raise TypeError(f"y must be the name of the target column where X names files, got {type(y).__name__}")
        return open_table(X, y, impute=impute)
    if hasattr(X, "dask") and hasattr(X, "rechunk"):
        return DaskBlocks(X, y, impute=impute)
    return None
