"""The parts of a table: files of text, Parquet, Arrow and Excel, what comes through a pipe, and data frames."""

import contextlib
import io
import os
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from glob import escape, glob
from pathlib import Path

import polars as pl

from ..extras import extra
from ..machine import free_memory
from .names import header_names
from .textfile import Content, NotRead, TextPart, packing, size_read, text_part

MOST_BYTES = 2 * 1024**3
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
_TEXT = {".csv": ",", ".tsv": "\t", ".txt": "\t", ".csv.gz": ",", ".tsv.gz": "\t"}
_PARQUET, _ARROW, _EXCEL = (".parquet", ".pq"), (".feather", ".arrow", ".ipc"), (".xlsx", ".xls", ".xlsb", ".ods")
SUFFIXES = (*_TEXT, *_PARQUET, *_ARROW, *_EXCEL)


@dataclass(frozen=True)
class ColumnarPart:
    """A file that keeps columns apart and knows their types: Parquet or Arrow (Feather)."""

    name: str
    content: Content
    arrow: bool = False
    text = False
    separator = ","

    @property
    def scan(self) -> pl.LazyFrame:
        """All of it."""
        source = io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content
        return pl.scan_ipc(source) if self.arrow else pl.scan_parquet(source)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        try:
            return header_names(self.scan.collect_schema().names())
        except pl.exceptions.PolarsError as problem:
            raise self.unreadable(problem) from None

    def lazy(self, columns: Sequence[str], numbers: Sequence[str] = ()) -> pl.LazyFrame:
        """The columns, as they are."""
        scan = self.scan
        raw = dict(zip(header_names(scan.collect_schema().names()), scan.collect_schema().names(), strict=True))
        return scan.select(pl.col(raw[name]).alias(name) for name in columns)

    def frames(self, columns: Sequence[str], size: int | None = None, numbers: Sequence[str] = ()) -> Iterator[pl.DataFrame]:
        """The rows in blocks of some ``size``, or at once."""
        try:
            lazy = self.lazy(columns)
            yield from [lazy.collect()] if size is None else lazy.collect_batches(chunk_size=size)
        except pl.exceptions.PolarsError as problem:
            raise self.unreadable(problem) from None

    def unreadable(self, problem: Exception) -> NotRead:
        """What is said of a file that polars does not read."""
        kind = "Arrow" if self.arrow else "Parquet"
        return NotRead(f"{self.name} cannot be read as {kind}: {str(problem).splitlines()[0]}")


@dataclass(frozen=True)
class FramePart:
    """A data frame in memory; ``text`` where its rows are counted below a header, and what separated its fields there."""

    name: str
    frame: pl.DataFrame
    text: bool = False
    separator: str = ","

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return header_names(self.frame.columns)

    def lazy(self, columns: Sequence[str], numbers: Sequence[str] = ()) -> pl.LazyFrame:
        """The columns, as they are."""
        at = dict(zip(self.names, self.frame.columns, strict=True))
        return self.frame.select(pl.col(at[name]).alias(name) for name in columns).lazy()

    def frames(self, columns: Sequence[str], size: int | None = None, numbers: Sequence[str] = ()) -> Iterator[pl.DataFrame]:
        """All rows."""
        yield self.lazy(columns).collect()


Part = TextPart | ColumnarPart | FramePart


def list_paths(path: Paths) -> list[Path]:
    """The files that are meant: one, several, or all that a pattern matches, in order of their names."""
    listed: list[Path] = []
    for each in [path] if isinstance(path, str | os.PathLike) else list(path):
        text = os.fspath(each)
        # A Path has one of an address's two strokes.
        if re.match(r"(https?|s3|gs|ftp):/", text):
            raise ValueError(f"a table must be a file on this machine, got the address {text!r}: download it first")
        if any(sign in text for sign in "*?[") and not os.path.exists(text):
            matches = sorted(glob(text))
            if not matches:
                raise FileNotFoundError(2, "no file matches", text)
            listed += map(Path, matches)
        else:
            listed.append(Path(text))
    if not listed:
        raise ValueError("path must name at least one file, got none")
    return listed


def parts_of(paths: Sequence[Path], separator: str | None = None) -> list[Part]:
    """The parts that the names stand for; ``-`` is the standard input, and what comes through a pipe is read at once."""
    _check_separator(separator)
    return [_part(path, separator) for path in paths]


def _check_separator(separator: str | None) -> None:
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        raise ValueError(f"separator must be one sign such as ; or a tab, got {separator!r}")


def _part(path: Path, separator: str | None) -> Part:
    if path.is_dir():
        raise ValueError(f"{path} must be a file, got a folder: name files in it, such as {Path(path) / '*.parquet'}")
    if str(path) == "-":
        return _piped("standard input", sys.stdin.buffer.read(MOST_BYTES + 1), separator)
    if not path.exists():
        raise FileNotFoundError(2, f"no such file{_advice(path)}", str(path))
    if not path.is_file():
        with path.open("rb") as file:
            return _piped(str(path), file.read(MOST_BYTES + 1), separator)
    name = path.name.lower()
    if not name.endswith(SUFFIXES):
        raise ValueError(f"{path.name} must end in one of {', '.join(SUFFIXES)}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty")
    return _made(path.name, path, _form(name), separator, _usual(name))


def _advice(path: Path) -> str:
    """The file that may have been meant: one of nearly that name, or of that name a folder below."""
    with contextlib.suppress(OSError):
        near = get_close_matches(path.name, os.listdir(path.parent), n=1, cutoff=0.8)
        meant = [path.with_name(name) for name in near] or sorted(path.parent.glob(f"*/{escape(path.name)}"))
        if meant:
            return f" (did you mean {meant[0]}?)"
    return ""


def held_part(name: str, content: bytes, separator: str | None = None, max_bytes: int = MOST_BYTES) -> Part:
    """The part that the bytes of a file stand for, by the name that it had: nothing is looked for under that name.

    Raises
    ------
    ValueError
        If it is empty, of a kind that is not read, or larger than ``max_bytes`` once unpacked.
    """
    _check_separator(separator)
    lowered = name.lower()
    if not lowered.endswith(SUFFIXES):
        raise ValueError(f"{name} must end in one of {', '.join(SUFFIXES)}")
    if not content:
        raise ValueError(f"{name} is empty")
    if _size(name, content, _form(lowered), max_bytes) > max_bytes:
        raise ValueError(f"{name} is too large (more than {max_bytes / 1e6:.3g} MB, unpacked): take a sample of its rows")
    return _made(name, content, _form(lowered), separator, _usual(lowered))


def _form(name: str) -> str:
    """How a file is written, by its name in small letters."""
    forms = {"Parquet": _PARQUET, "Arrow": _ARROW, "Excel": _EXCEL}
    return next((form for form, suffixes in forms.items() if name.endswith(suffixes)), "text")


def _usual(name: str) -> str:
    """What usually separates the fields of a file of that name."""
    return next((sign for suffix, sign in _TEXT.items() if name.endswith(suffix)), ",")


def _made(name: str, content: Content, form: str, separator: str | None, usual: str) -> Part:
    if form in ("Parquet", "Arrow"):
        return ColumnarPart(name, content, form == "Arrow")
    return _excel(name, content) if form == "Excel" else text_part(name, content, separator, usual)


def _piped(name: str, content: bytes, separator: str | None) -> Part:
    starts = {b"PAR1": "Parquet", b"ARROW1": "Arrow", b"PK\x03\x04": "Excel"}
    form = next((form for start, form in starts.items() if content.startswith(start)), "text")
    if _size(name, content, form, MOST_BYTES) > MOST_BYTES:
        raise ValueError(f"{name} is too large for a pipe (limit {MOST_BYTES / 1e9:.2g} GB): name a file")
    return _made(name, content, form, separator, ",")


def _excel(name: str, content: Content) -> FramePart:
    """The first sheet, its cells as text."""
    fastexcel = extra("excel", "fastexcel", name, ", or save it as CSV")
    try:
        book = fastexcel.read_excel(content)
        text, numbers = (book.load_sheet(0, header_row=None, dtypes=kind).to_polars() for kind in ("string", "float"))
    except Exception as problem:
        # Its errors are of its own kind, in a package that need not be there.
        raise NotRead(f"{name} cannot be read as a spreadsheet: {[*str(problem).splitlines(), problem][0]}") from None
    if not text.height:
        raise ValueError(f"{name} is empty")
    names = header_names([each or "" for each in text.row(0)])
    columns = zip(names, text[1:].get_columns(), numbers[1:].get_columns(), strict=True)
    return FramePart(name, pl.DataFrame([_exact(text, number).alias(each) for each, text, number in columns]), text=True)


def _exact(text: pl.Series, number: pl.Series) -> pl.Series:
    """Cells of a spreadsheet as text: where that shows a number, cut after nine digits, with all of them."""
    exact, shown = number.cast(pl.Float64, strict=False), text.cast(pl.Float64, strict=False)
    return exact.cast(pl.String).zip_with((exact != shown).fill_null(value=False), text)


def size_problem(paths: Sequence[Path], max_bytes: int = MOST_BYTES) -> str | None:
    """Why the files cannot be read at once, if so: reading, centring and scaling take about four copies."""
    size, more = 0, ""
    for path in paths:
        size += _size_of(path, max_bytes)
        if size > max_bytes and is_packed(path):
            # Nothing is unpacked beyond the limit.
            more = "more than "
            break
    name = paths[0].name + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    if size > max_bytes:
        return f"{name} is too large ({more}{size / 1e9:.2g} GB, limit {max_bytes / 1e9:.2g} GB)"
    free = free_memory()
    if 4 * size > free:
        return f"{name} ({size / 1e9:.2g} GB) needs more memory than the {free / 1e9:.2g} GB free"
    return None


def is_packed(path: Path) -> bool:
    """Whether a file of text is packed, whatever its name."""
    return path.is_file() and not path.name.lower().endswith((*_PARQUET, *_ARROW, *_EXCEL)) and bool(packing(path))


def _size_of(path: Path, most: int) -> int:
    """Bytes of a file as they are read, none for what is no file."""
    if not path.is_file():
        return 0
    return _size(path.name, path, _form(path.name.lower()) if path.stat().st_size else "text", most)


def _size(name: str, content: Content, form: str, most: int) -> int:
    """Bytes: unpacked for text and Excel, as 8-byte numbers for Parquet and Arrow."""
    file = io.BytesIO(content) if isinstance(content, bytes) else content
    if form == "Excel" and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            return sum(each.file_size for each in packed.infolist())
    if form not in ("Parquet", "Arrow"):
        return size_read(name, content, most)
    scan = ColumnarPart(name, content, form == "Arrow")
    size = len(scan.names) * int(scan.scan.select(pl.len()).collect().item()) * 8
    # A page of one long text repeated is a few bytes on disk.
    texts = [name for name, kind in scan.scan.collect_schema().items() if kind == pl.String]
    if size <= most and texts:
        lengths = scan.scan.select(pl.col(name).str.len_bytes().cast(pl.Int64).sum() for name in texts)
        try:
            size += sum(lengths.collect(engine="streaming").row(0))
        except pl.exceptions.PolarsError as problem:
            raise scan.unreadable(problem) from None
    return size
