"""Tables into X and y: CSV and Parquet files through polars, arrays and data frames through narwhals."""

import difflib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from ._checks import Floats

MOST_BYTES = 2 * 1024**3
MOST_CATEGORIES = 20
_SUFFIXES = {".csv": ",", ".tsv": "\t", ".csv.gz": ",", ".tsv.gz": "\t", ".parquet": "", ".pq": ""}


@dataclass(frozen=True, eq=False)
class Table:
    """Features and labels of a file.

    Attributes
    ----------
    X, y : (n, p) and (n,) arrays
        Features (one-hot encoded where they were text) and target.
    features : tuple of str
        Names of the p columns of X.
    notes : tuple of str
        What was done to the file, one sentence each.
    time : (n,) array or None
        Time of each row, where a column was named.
    """

    X: Floats
    y: Floats
    features: tuple[str, ...]
    notes: tuple[str, ...]
    time: NDArray[Any] | None = None


def read_table(
    path: str | Path,
    target: str,
    *,
    time: str | None = None,
    drop_missing: bool = False,
    drop: Sequence[str] = (),
    max_bytes: int = MOST_BYTES,
) -> Table:
    """Read a CSV (also .tsv, .gz) or Parquet file.

    Numeric and boolean columns are used as they are; text columns of at most 20 values are one-hot encoded; others are
    refused by name. An empty target means "no real label" and becomes NaN.

    Parameters
    ----------
    path : str or Path
        The file.
    target : str
        Column of real labels.
    time : str, optional
        Column of time steps: numbers, dates or text that sorts; not a feature.
    drop_missing : bool
        Leave out rows with missing features instead of refusing them.
    drop : sequence of str
        Columns to leave out.
    max_bytes : int
        Largest table read, in bytes: on disk for CSV, as 8-byte numbers for Parquet.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it cannot be used; one line that names the columns.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "t.csv")
    ...     _ = file.write_text("size,kind,price\\n1,a,2.5\\n2,b,3\\n4,a,5\\n3,b,4\\n5,a,7\\n")
    ...     table = read_table(file, "price")
    >>> table.features, table.y.tolist()
    (('size', 'kind=b'), [2.5, 3.0, 5.0, 4.0, 7.0])
    """
    path = Path(path)
    frame = _read(path, max_bytes)
    for name in (target, *drop, *([time] if time is not None else [])):
        _known(name, frame.columns, path)
    if target in drop or target == time:
        raise ValueError(f"{'drop' if target in drop else 'time'} must not name the target {target!r}")
    frame = frame.drop(list(dict.fromkeys(drop)))
    notes = [f"columns left out: {', '.join(drop)}"] if drop else []
    y = _target(frame[target])
    times = None
    if time is not None:
        times = _times(frame[time])
        frame = frame.drop(time)
    columns = frame.drop(target)
    if not columns.width:
        raise ValueError(f"{path.name} must have a column beside the target {target!r}, got none")
    columns = columns.with_columns(pl.col(pl.String).replace("", None))
    columns, kept, note = _complete(columns, drop_missing)
    y = y[kept]
    X, features, more = _features(columns)
    to_arrays(X, y, features, unlabelled=True)
    return Table(X, y, features, (*notes, *note, *more), None if times is None else times[kept])


def split_time(X: Any, time: Any) -> tuple[Any, Any]:
    """X without its time column, and that column, where ``time`` is a name; both as they are otherwise."""
    if not isinstance(time, str):
        return X, time
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    if not isinstance(frame, nw.DataFrame):
        raise TypeError(f"time can be a name where X is a data frame, got {time!r} for {type(X).__name__}")
    if time not in frame.columns:
        near = difflib.get_close_matches(time, frame.columns, n=1)
        raise ValueError(f"time must name a column of X, got {time!r}" + (f" (did you mean {near[0]}?)" if near else ""))
    return frame.drop(time).to_native(), frame[time].to_numpy()


def to_arrays(
    X: Any, y: Any, names: Sequence[str] | None = None, unlabelled: bool = False
) -> tuple[Floats, Floats, tuple[str, ...] | None]:
    """Check features and labels: arrays, lists or data frames into float64 arrays, with column names if there are any.

    Parameters
    ----------
    X : (n, p) array, nested sequence or data frame (pandas, polars, pyarrow ...)
        Numeric or boolean features.
    y : (n,) or (n, 1) array, sequence or series
        Labels.
    names : sequence of str, optional
        Column names for messages, where X has none.
    unlabelled : bool
        Whether NaN in y is allowed: a row without a real label. At least 3 rows must have one.

    Raises
    ------
    TypeError
        If the data are not numbers.
    ValueError
        On wrong shapes, fewer than 3 rows, NaN or infinity, a target without variation, or rows without a real label.

    Examples
    --------
    >>> X, y, names = to_arrays([[1, 2], [3, 4.5], [0, 1]], [True, False, True])
    >>> X.shape, y.tolist(), names
    ((3, 2), [1.0, 0.0, 1.0], None)
    """
    data, found = _plain(X)
    names = found or (tuple(names) if names is not None else None)
    features = _floats("X", data)
    labels = _floats("y", _plain(y)[0])
    if features.ndim != 2 or features.shape[1] == 0:
        raise ValueError(f"X must be two-dimensional with at least one column, got shape {features.shape}")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(f"y must be one-dimensional, got shape {labels.shape}")
    n = labels.size
    if features.shape[0] != n:
        raise ValueError(f"X and y must have as many rows, got {features.shape[0]} and {n}")
    if n < 3:
        raise ValueError(f"X and y must have at least 3 rows, got {n}")
    _no_gaps(features, names)
    known = labels[~np.isnan(labels)]
    if known.size < (3 if unlabelled else n):
        raise ValueError(_unlabelled("y is NaN", n - known.size, n))
    if not np.isfinite(known).all():
        raise ValueError(f"y must be finite, got {np.isinf(known).sum()} infinite values")
    if _constant(known):
        raise ValueError(f"y must vary, got {known[0]:g} in all {known.size} rows")
    return features, labels, names


def _plain(data: Any) -> tuple[Any, tuple[str, ...] | None]:
    """A data frame or series as an array, with its column names."""
    native = nw.from_native(data, eager_only=True, allow_series=True, pass_through=True)
    if isinstance(native, nw.DataFrame):
        bad = [str(name) for name, kind in native.schema.items() if not (kind.is_numeric() or kind == nw.Boolean)]
        if bad:
            raise TypeError(f"X must have numeric columns, got others: {_some(bad)}; encode or drop them")
        columns = [_column(column) for column in native.iter_columns()]
        return np.column_stack(columns) if columns else np.empty((len(native), 0)), tuple(map(str, native.columns))
    if isinstance(native, nw.Series):
        if not (native.dtype.is_numeric() or native.dtype == nw.Boolean):
            raise TypeError(f"y must be numeric, got a series of {native.dtype}")
        return _column(native), None
    return data, None


def _column(series: Any) -> Floats:
    return np.asarray(series.cast(nw.Float64).to_numpy(), dtype=np.float64)


def _floats(name: str, data: Any) -> Floats:
    try:
        array = np.asarray(data)
    except ValueError:
        raise ValueError(f"{name} must be a regular array, got rows of different lengths") from None
    if array.dtype == object:
        # Lists with None, or decimals: numbers if they convert, with None as NaN.
        try:
            return np.array(array, dtype=np.float64, order="C")
        except (TypeError, ValueError):
            raise TypeError(f"{name} must hold numbers, got an array of objects") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, got an array of {array.dtype}")
    return np.ascontiguousarray(array, dtype=np.float64)


def _no_gaps(features: Floats, names: Sequence[str] | None) -> None:
    if np.isfinite(features).all():
        return
    for test, word in ((np.isnan, "missing"), (np.isinf, "infinite")):
        counts = test(features).sum(axis=0)
        bad = [int(i) for i in np.flatnonzero(counts)]
        if bad:
            listed = _some([f"{names[i] if names else f'column {i}'} ({counts[i]})" for i in bad])
            raise ValueError(f"X must be finite, got {word} values in {listed}")


def _constant(y: Floats) -> bool:
    # Halves, so that the range of the largest numbers does not overflow.
    return bool(y.max() / 2 - y.min() / 2 <= 5e-14 * np.abs(y).max())


def _unlabelled(where: str, count: int, rows: int) -> str:
    return f"{where} in {count} of {rows} rows, which means that they have no real label: at least 3 rows must have one"


def _some(names: Iterable[str], most: int = 8) -> str:
    kept = list(names)
    return ", ".join(kept[:most]) + (f" and {len(kept) - most} more" if len(kept) > most else "")


def _known(name: str, columns: Sequence[str], path: Path) -> None:
    if name in columns:
        return
    near = difflib.get_close_matches(name, columns, n=3, cutoff=0.5)
    lowered = [column for column in columns if column.lower().strip() == name.lower().strip()]
    near = list(dict.fromkeys([*lowered, *near]))
    hint = f"; nearest: {', '.join(map(repr, near))}" if near else f"; it has {_some(list(columns))}"
    raise ValueError(f"{path.name} has no column {name!r} among its {len(columns)}{hint}")


def _read(path: Path, max_bytes: int) -> pl.DataFrame:
    suffix = next((end for end in _SUFFIXES if path.name.lower().endswith(end)), None)
    if path.is_dir():
        raise ValueError(f"{path} must be a file, got a folder")
    if not path.exists():
        raise FileNotFoundError(2, "no such file", str(path))
    if suffix is None:
        raise ValueError(f"{path.name} must end in one of {', '.join(_SUFFIXES)}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty")
    try:
        if suffix in (".parquet", ".pq"):
            scan = pl.scan_parquet(path)
            width = len(scan.collect_schema())
            rows = int(scan.select(pl.len()).collect().item())
            _fits(path, rows * width * 8, max_bytes)
            frame = pl.read_parquet(path)
        else:
            _text_only(path)
            _fits(path, path.stat().st_size * (8 if suffix.endswith(".gz") else 1), max_bytes)
            frame = pl.read_csv(path, separator=_SUFFIXES[suffix], infer_schema_length=None, try_parse_dates=True)
    except pl.exceptions.PolarsError as problem:
        kind = "Parquet" if suffix in (".parquet", ".pq") else "CSV"
        raise ValueError(f"{path.name} cannot be read as {kind}: {str(problem).splitlines()[0]}") from None
    doubled = [name for name in frame.columns if "_duplicated_" in name]
    if doubled:
        raise ValueError(f"{path.name} has columns of the same name: {_some(doubled)}")
    if frame.height < 3:
        raise ValueError(f"{path.name} must have at least 3 rows, got {frame.height}")
    return frame


def _text_only(path: Path) -> None:
    """A CSV has no NUL bytes; a file of them would be read as one endless line."""
    with path.open("rb") as file:
        if b"\0" in file.read(65536) and not path.name.lower().endswith(".gz"):
            raise ValueError(f"{path.name} cannot be read as CSV: it holds NUL bytes")


def _fits(path: Path, size: int, max_bytes: int) -> None:
    """Refuse before memory goes: reading, centring and scaling take about four copies."""
    advice = "take a sample of its rows"
    if size > max_bytes:
        raise ValueError(f"{path.name} is too large ({size / 1e9:.2g} GB, limit {max_bytes / 1e9:.2g} GB): {advice}")
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return
    if 4 * size > free:
        raise ValueError(f"{path.name} ({size / 1e9:.2g} GB) needs more memory than the {free / 1e9:.2g} GB free: {advice}")


def _target(column: pl.Series) -> Floats:
    if column.dtype == pl.String:
        column = column.replace("", None)
    empty = column.null_count() + (int(column.is_nan().sum()) if column.dtype.is_float() else 0)
    if len(column) - empty < 3:
        raise ValueError(_unlabelled("the target is empty", empty, len(column)))
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        raise ValueError(f"the target {column.name!r} must be numeric, got {_kind(column)}")
    y = column.cast(pl.Float64).to_numpy().astype(np.float64)
    known = y[~np.isnan(y)]
    if not np.isfinite(known).all():
        raise ValueError(f"the target {column.name!r} must be finite, got {np.isinf(known).sum()} infinite values")
    if _constant(known):
        raise ValueError(f"the target {column.name!r} must vary, got {known[0]:g} in all {known.size} labelled rows")
    return y


def _times(column: pl.Series) -> NDArray[Any]:
    """Times that sort: numbers and dates as they are, text as text."""
    if column.dtype == pl.String:
        column = column.replace("", None)
    gaps = column.null_count() + (int(column.is_nan().sum()) if column.dtype.is_float() else 0)
    if gaps:
        raise ValueError(f"the time column {column.name!r} must not have gaps, got {gaps}")
    return column.rank("dense").to_numpy()


def _kind(column: pl.Series) -> str:
    if column.dtype != pl.String:
        return str(column.dtype)
    text = column.drop_nulls()
    words = text.filter(text.str.strip_chars().cast(pl.Float64, strict=False).is_null()).unique(maintain_order=True)
    return f"text such as {', '.join(repr(word) for word in words.head(3).to_list()) or 'numbers with spaces'}"


def _complete(columns: pl.DataFrame, drop_missing: bool) -> tuple[pl.DataFrame, NDArray[np.bool_], list[str]]:
    gaps = columns.select(
        pl.when(pl.col(name).is_null() | (pl.col(name).is_nan() if kind.is_float() else False))
        .then(True)
        .otherwise(False)
        .alias(name)
        for name, kind in columns.schema.items()
    )
    counts = {name: int(gaps[name].sum()) for name in gaps.columns}
    missing = [f"{name} ({count})" for name, count in counts.items() if count]
    rows = columns.height
    if not missing:
        return columns, np.ones(rows, dtype=np.bool_), []
    if not drop_missing:
        raise ValueError(f"features have missing values: {_some(missing)}; fill them, or leave such rows out (--drop-missing)")
    kept = ~gaps.select(pl.any_horizontal(pl.all())).to_series().to_numpy()
    if kept.sum() < 3:
        raise ValueError(f"leaving out rows with missing features leaves {kept.sum()} of {rows}: {_some(missing)}")
    note = f"{rows - int(kept.sum())} of {rows} rows with missing features left out"
    return columns.filter(pl.Series(kept)), kept, [note]


def _features(columns: pl.DataFrame) -> tuple[Floats, tuple[str, ...], list[str]]:
    """The (n, p) matrix and its names: numbers as they are, few categories one-hot, the rest refused by name."""
    parts: list[tuple[str, Floats]] = []
    notes, refused = [], []
    for column in columns.get_columns():
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            parts.append((column.name, column.cast(pl.Float64).to_numpy()))
        elif column.dtype == pl.String or column.dtype in (pl.Categorical, pl.Enum):
            levels = sorted(column.cast(pl.String).unique().to_list())
            if len(levels) > MOST_CATEGORIES or len(levels) * 2 > columns.height:
                refused.append(f"{column.name} ({len(levels)} values, {_kind(column.cast(pl.String))})")
                continue
            text = column.cast(pl.String)
            # Two levels are one column: the other is its complement.
            shown = levels[1:] if len(levels) == 2 else levels
            parts += [(f"{column.name}={level}", (text == level).cast(pl.Float64).to_numpy()) for level in shown]
            notes.append(f"column {column.name} one-hot encoded ({len(levels)} values)")
        else:
            refused.append(f"{column.name} ({column.dtype})")
    if refused:
        raise ValueError(
            f"columns are neither numeric nor of {MOST_CATEGORIES} categories at most: {_some(refused)}; convert them, or "
            "leave them out (--drop COLUMN)"
        )
    constant = [name for name, values in parts if values.min() == values.max()]
    if constant:
        notes.append(f"constant columns left out: {_some(constant)}")
    parts = [part for part in parts if part[0] not in constant]
    if not parts:
        raise ValueError("features must vary, got only constant columns")
    return np.column_stack([values for _, values in parts]), tuple(name for name, _ in parts), notes
