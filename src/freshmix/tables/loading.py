"""CSV and Parquet files into X and y, through polars."""

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..arguments import Floats
from ..words.table import some
from .arrays import to_arrays
from .cells import MISSING, bad_cell, numbers, uneven_line
from .columns import complete, features_of, target_of, times_of, weights_of, words_of

MOST_BYTES = 2 * 1024**3
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
_SUFFIXES = {".csv": ",", ".tsv": "\t", ".csv.gz": ",", ".tsv.gz": "\t", ".parquet": "", ".pq": ""}
_OTHER_SEPARATORS = (";", "\t", "|", ",")


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
    time, weight : (n,) array or None
        Time and sample weight of each row, where a column was named.
    """

    X: Floats
    y: Floats
    features: tuple[str, ...]
    notes: tuple[str, ...]
    time: NDArray[Any] | None = None
    weight: Floats | None = None

    @property
    def partly(self) -> bool:
        """Whether some rows have no real label."""
        return bool(np.isnan(self._counting).any())

    @property
    def share(self) -> float:
        """Share of rows with a real label."""
        return 1 - float(np.isnan(self._counting).mean())

    @property
    def _counting(self) -> Floats:
        """Labels of the rows that are not left out by a weight of 0."""
        return self.y if self.weight is None else self.y[self.weight > 0]


def read_table(
    path: Paths,
    target: str,
    *,
    time: str | None = None,
    weight: str | None = None,
    drop_missing: bool = False,
    drop: Sequence[str] = (),
    max_bytes: int = MOST_BYTES,
) -> Table:
    """Read a CSV (also .tsv, .gz) or Parquet file, or several of the same columns, one under the other.

    Numeric and boolean columns are used as they are; text columns of at most 20 values are one-hot encoded; others are
    refused by name. In numeric columns of a CSV, NA, N/A, NaN, null and None stand for nothing. An empty target means "no
    real label" and becomes NaN. Empty lines are no rows.

    Parameters
    ----------
    path : str or Path, or a sequence of them
        The file or files; a name with ``*``, ``?`` or ``[`` stands for all files it matches.
    target : str
        Column of real labels.
    time : str, optional
        Column of time steps: numbers, dates or text that sorts; not a feature.
    weight : str, optional
        Column of sample weights, at least 0: precisions of the labels; not a feature.
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
    paths = list_paths(path)
    frame = _columns(paths, _read_all(paths, max_bytes, time), target, drop, extra := {"time": time, "weight": weight})
    notes = [f"columns left out: {', '.join(drop)}"] if drop else []
    empty = pl.all_horizontal(pl.all().is_null())
    blank = int(frame.select(empty).to_series().sum())
    if blank:
        frame = frame.filter(~empty)
        notes.append(f"{blank} empty {'row' if blank == 1 else 'rows'} left out")
    return _used(frame, paths[0].name, target, extra, drop_missing, notes)


def _columns(
    paths: Sequence[Path], frames: Sequence[pl.DataFrame], target: str, drop: Sequence[str], extra: dict[str, str | None]
) -> pl.DataFrame:
    """The columns that are not left out, of all files together."""
    check_columns(
        [frame.columns for frame in frames], paths, (target, *drop, *(name for name in extra.values() if name is not None))
    )
    for option, name in (("drop", target if target in drop else None), *extra.items()):
        if name == target:
            raise ValueError(f"{option} must not name the target {target!r}")
    kept = [name for name in frames[0].columns if name not in drop]
    return _together(paths, [frame.select(kept) for frame in frames], extra["time"])


def _used(
    frame: pl.DataFrame, file: str, target: str, extra: dict[str, str | None], drop_missing: bool, notes: list[str]
) -> Table:
    """The table of a frame that is not empty."""
    labels, words = words_of(frame[target])
    y = target_of(labels)
    time, weight = extra["time"], extra["weight"]
    times = None if time is None else times_of(frame[time])
    weights = None if weight is None else weights_of(frame[weight])
    columns = frame.drop({target, *(name for name in extra.values() if name is not None)})
    if not columns.width:
        raise ValueError(f"{file} must have a column beside the target {target!r}, got none")
    columns, kept, dropped = complete(columns.with_columns(pl.col(pl.String).replace("", None)), drop_missing)
    X, features, made = features_of(columns)
    to_arrays(X, y[kept], features, unlabelled=True)
    times, weights = (None if each is None else each[kept] for each in (times, weights))
    return Table(X, y[kept], features, (*notes, *words, *dropped, *made), times, weights)


def list_paths(path: Paths) -> list[Path]:
    """The files that are meant: one, several, or all that a pattern matches, in order of their names."""
    given = [path] if isinstance(path, str | os.PathLike) else list(path)
    found: list[Path] = []
    for each in given:
        text = os.fspath(each)
        if any(sign in text for sign in "*?[") and not os.path.exists(text):
            matches = sorted(glob(text))
            if not matches:
                raise FileNotFoundError(2, "no file matches", text)
            found += map(Path, matches)
        else:
            found.append(Path(text))
    if not found:
        raise ValueError("path must name at least one file, got none")
    return found


def check_columns(columns: Sequence[Sequence[str]], paths: Sequence[Path], wanted: Sequence[str]) -> None:
    """Refuse files without a wanted column, and files whose columns differ from the first one's."""
    for name in wanted:
        _known(name, columns[0], paths[0])
    for path, names in zip(paths[1:], columns[1:], strict=False):
        apart = sorted(set(columns[0]) ^ set(names))
        if apart:
            raise ValueError(f"{path.name} must have the columns of {paths[0].name}, got a difference in {some(apart)}")


def _known(name: str, columns: Sequence[str], path: Path) -> None:
    if name in columns:
        return
    near = difflib.get_close_matches(name, columns, n=3, cutoff=0.5)
    lowered = [column for column in columns if column.lower().strip() == name.lower().strip()]
    near = list(dict.fromkeys([*lowered, *near]))
    hint = f"; nearest: {', '.join(map(repr, near))}" if near else f"; it has {some(list(columns))}"
    raise ValueError(f"{path.name} has no column {name!r} among its {len(columns)}{hint}")


def _read_all(paths: Sequence[Path], max_bytes: int, time: str | None) -> list[pl.DataFrame]:
    for path in paths:
        _openable(path)
    too_large = size_problem(paths, max_bytes)
    if too_large is not None:
        raise ValueError(f"{too_large}: take a sample of its rows")
    return [_read(path, time) for path in paths]


def _together(paths: Sequence[Path], frames: Sequence[pl.DataFrame], time: str | None) -> pl.DataFrame:
    """One frame, with the text of CSV files as numbers where it is that."""
    made = []
    for path, frame in zip(paths, frames, strict=True):
        text = [] if is_parquet(path) else [name for name, kind in frame.schema.items() if kind == pl.String and name != time]
        made.append(frame.with_columns(numbers(frame[name], path) for name in text))
    try:
        frame = made[0] if len(made) == 1 else pl.concat(made, how="vertical_relaxed")
    except pl.exceptions.PolarsError as problem:
        raise ValueError(f"files must have columns of the same kinds: {str(problem).splitlines()[0]}") from None
    if frame.height < 3:
        raise ValueError(f"{paths[0].name} must have at least 3 rows, got {frame.height}")
    return frame


def is_parquet(path: Path) -> bool:
    """Whether the name is that of a Parquet file."""
    return path.name.lower().endswith((".parquet", ".pq"))


def _openable(path: Path) -> str:
    """The suffix of a file that exists, is not empty and has a known one."""
    suffix = next((end for end in _SUFFIXES if path.name.lower().endswith(end)), None)
    if path.is_dir():
        raise ValueError(f"{path} must be a file, got a folder")
    if not path.exists():
        raise FileNotFoundError(2, "no such file", str(path))
    if suffix is None:
        raise ValueError(f"{path.name} must end in one of {', '.join(_SUFFIXES)}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty")
    return suffix


def _read(path: Path, time: str | None) -> pl.DataFrame:
    suffix = _openable(path)
    try:
        if is_parquet(path):
            frame = pl.read_parquet(path)
        else:
            _text_only(path, _SUFFIXES[suffix])
            # Times as text: polars reads 1/2/2025 with the day first, and does not say so.
            frame = pl.read_csv(
                path,
                separator=_SUFFIXES[suffix],
                infer_schema_length=None,
                try_parse_dates=True,
                schema_overrides=None if time is None else {time: pl.String},
            )
    except pl.exceptions.PolarsError as problem:
        raise unreadable(path, problem) from None
    _no_doubles(path, frame.columns)
    if not is_parquet(path) and frame.width and frame.to_series(frame.width - 1).null_count():
        # Polars fills up short rows without a word.
        even(path)
    return frame


def even(path: Path) -> None:
    """Refuse a CSV with rows of too few or too many fields."""
    said = uneven_line(path, _SUFFIXES[_openable(path)])
    if said is not None:
        raise ValueError(said)


def scan_file(path: Path, target: str) -> pl.LazyFrame:
    """A file to be streamed; of a CSV, whole numbers and the target are taken for floats, as late decimals may come."""
    suffix = _openable(path)
    try:
        if is_parquet(path):
            return pl.scan_parquet(path)
        if suffix.endswith(".gz"):
            raise ValueError(f"{path.name} is compressed and too large to be read at once: unpack it, or convert it to Parquet")
        _text_only(path, _SUFFIXES[suffix])
        options: dict[str, Any] = {"separator": _SUFFIXES[suffix], "infer_schema_length": 10_000, "try_parse_dates": True}
        options["null_values"] = list(MISSING)
        schema = pl.scan_csv(path, **options).collect_schema()
        _no_doubles(path, schema.names())
        floats = {name: pl.Float64 for name, kind in schema.items() if kind.is_integer()}
        if schema.get(target) != pl.Boolean:
            floats |= {target: pl.Float64} if target in schema else {}
        return pl.scan_csv(path, schema_overrides=floats, **options)
    except pl.exceptions.PolarsError as problem:
        raise unreadable(path, problem) from None


def unreadable(path: Path, problem: Exception, columns: Sequence[str] = ()) -> ValueError:
    """What polars could not read, in one line that names the file; the cell, if it is one of these columns of numbers."""
    if is_parquet(path):
        return ValueError(f"{path.name} cannot be read as Parquet: {str(problem).splitlines()[0]}")
    separator = _SUFFIXES[_openable(path)]
    said = uneven_line(path, separator)
    if said is None and columns and "could not parse" in str(problem):
        said = bad_cell(path, separator, columns)
    return ValueError(said or f"{path.name} cannot be read as CSV: {str(problem).splitlines()[0]}")


def _no_doubles(path: Path, columns: Sequence[str]) -> None:
    # The name that polars gives to a second column of a name.
    doubled = [name.rpartition("_duplicated_")[0] for name in columns if "_duplicated_" in name]
    if doubled:
        raise ValueError(f"{path.name} has columns of the same name: {some(dict.fromkeys(doubled))}")


def _text_only(path: Path, separator: str) -> None:
    """A CSV has no NUL bytes (a file of them would be read as one endless line), and its own separator in its first line."""
    if path.name.lower().endswith(".gz"):
        return
    with path.open("rb") as file:
        start = file.read(65536)
    if b"\0" in start:
        why = "is UTF-16: save it as UTF-8" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "holds NUL bytes"
        raise ValueError(f"{path.name} cannot be read as CSV: it {why}")
    header = start.split(b"\n")[0].decode(errors="replace")
    other = next((each for each in _OTHER_SEPARATORS if each in header), None)
    if separator not in header and other is not None:
        raise ValueError(f"{path.name} must have its fields separated by {separator!r}, got {other!r} in its first line")


def size_problem(paths: Sequence[Path], max_bytes: int = MOST_BYTES) -> str | None:
    """Why the files cannot be read at once, if so: reading, centring and scaling take about four copies."""
    size = sum(_size(path) for path in paths)
    name = paths[0].name + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    if size > max_bytes:
        return f"{name} is too large ({size / 1e9:.2g} GB, limit {max_bytes / 1e9:.2g} GB)"
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    if 4 * size > free:
        return f"{name} ({size / 1e9:.2g} GB) needs more memory than the {free / 1e9:.2g} GB free"
    return None


def _size(path: Path) -> int:
    """Bytes: on disk for CSV, as 8-byte numbers for Parquet."""
    suffix = _openable(path)
    if not is_parquet(path):
        return path.stat().st_size * (8 if suffix.endswith(".gz") else 1)
    try:
        scan = pl.scan_parquet(path)
        return len(scan.collect_schema()) * int(scan.select(pl.len()).collect().item()) * 8
    except pl.exceptions.PolarsError as problem:
        raise unreadable(path, problem) from None
