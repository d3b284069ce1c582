"""Whether a table fits into memory decides how it is read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import parts as files
from .blocks import Blocks
from .chunks import DaskBlocks
from .fileblocks import FileBlocks
from .frames import is_frame, raw_frame, with_columns
from .gaps import Gaps, checked_impute
from .loading import Table, table_of
from .names import listed
from .parts import FramePart, Paths, list_paths, parts_of, size_problem
from .typed import Roles


def open_table(
    path: Paths | Any,
    target: Any,
    *,
    time: Any = None,
    sample_weight: Any = None,
    predictions: Any = None,
    drop_missing: bool = False,
    impute: str | None = None,
    drop_unlabelled: bool = False,
    drop: str | Sequence[str] = (),
    max_bytes: int | None = None,
    separator: str | None = None,
    decimal: str | None = None,
) -> Table | FileBlocks:
    """Read files that fit into memory, or get ready to read them block by block.

    Parameters, errors: those of ``read_table``; ``max_bytes`` is by default its limit. Beside a data frame ``target``,
    ``time``, ``sample_weight`` and ``predictions`` may be arrays or series, too. A table in blocks takes no weights, no
    predictions and no medians; of ``time`` it takes the rows per generation, without a backtest.

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
    gaps = Gaps(drop_missing, impute, drop_unlabelled)
    aside = {"time": time, "sample_weight": sample_weight, "predictions": predictions}
    if is_frame(path):
        frame, names = with_columns(path, {"y": target, **aside})
        roles = Roles(names["y"], names["time"], names["sample_weight"], names["predictions"], listed(drop))
        return table_of([FramePart("the table", frame)], roles, gaps, decimal)
    for name, value in {"target": target, **aside}.items():
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} must be the name of a column beside files, got {type(value).__name__}")
    paths = list_paths(path)
    too_large = size_problem(paths, files.MOST_BYTES if max_bytes is None else max_bytes)
    if too_large is None:
        roles = Roles(target, time, sample_weight, predictions, listed(drop))
        return table_of(parts_of(paths, separator), roles, gaps, decimal)
    for name, value in (("weights", sample_weight), ("predictions", predictions)):
        if value is not None:
            raise ValueError(
                f"{too_large} and must be read in blocks, where {name} are not supported: take a sample of its rows"
            )
    return FileBlocks(paths, target, listed(drop), drop_missing, time, separator, decimal, impute, drop_unlabelled)


def source_of(X: Any, y: Any, aside: Mapping[str, Any], **reading: Any) -> tuple[Table | Blocks | None, dict[str, Any]]:
    """A table of X, or None where that is an array that needs no reading; and what of ``aside`` is not part of it.

    ``aside`` holds ``time``, ``sample_weight`` and ``predictions``: names of columns, values of each row, or None.

    X is a table or blocks (without y), the names of files (y: their target), a data frame, an array or Dask arrays; ``reading``
    holds what else ``open_table`` takes.

    Raises
    ------
    TypeError, ValueError
        If X and y do not go together, or cannot be used.
    """
    asked = [name for name, value in reading.items() if value]
    if isinstance(X, Table | Blocks):
        if y is not None:
            raise TypeError(f"y must be left out where X is a {type(X).__name__}, which holds the labels")
        if asked:
            raise TypeError(f"{asked[0]} must be left out where X is a {type(X).__name__}, which has been read")
        return X, dict(aside)
    if are_files(X):
        if not isinstance(y, str):
            raise TypeError(f"y must be the name of the target column where X names files, got {type(y).__name__}")
        # Arrays beside them go by the rows that are read.
        named: dict[str, Any] = {name: value for name, value in aside.items() if isinstance(value, str)}
        found = open_table(X, y, **named, **reading)
        return found, {name: None if name in named else value for name, value in aside.items()}
    if y is None:
        raise TypeError("y must hold the labels or name their column, got nothing")
    if hasattr(X, "dask") and hasattr(X, "rechunk"):
        rest = [name for name in asked if name != "impute"]
        if rest:
            raise TypeError(f"{rest[0]} must be left out where X is a Dask array, which is used as it is")
        return DaskBlocks(X, y, impute=reading.get("impute")), dict(aside)
    if is_frame(X):
        return open_table(X, y, **aside, **reading), dict.fromkeys(aside)
    for name, value in {"y": y, **aside}.items():
        if isinstance(value, str):
            raise TypeError(f"{name} must hold a value for each row where X has no column names, got {value!r}")
    # Gaps of arrays are filled later.
    checked_impute(reading.get("impute"))
    if set(asked) - {"impute"}:
        return open_table(raw_frame(np.asanyarray(X)), y, **aside, **reading), dict.fromkeys(aside)
    return None, dict(aside)


def are_files(X: Any) -> bool:
    """Whether X is the name of a file, or several."""
    names = X if isinstance(X, list | tuple) and X else [X]
    return all(isinstance(each, str) or hasattr(each, "__fspath__") for each in names)
