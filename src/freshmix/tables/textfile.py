"""Files of text: how their fields are separated, their header, and their rows as polars reads them."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, cast

import polars as pl

from .lines import other_line_end, stray_quote, uneven_line
from .marks import MISSING
from .names import header_names

SEPARATORS = (",", "\t", ";", "|")
_HEAD = 1 << 18
# Of larger files the quotation marks are looked at where polars stumbles.
_CHECKED = 1 << 26
# The longest line of a packed file, in bytes.
_LONGEST = 1 << 26
# Rows that tell whether a column may be read as numbers at once; a cell further down that is none is found all the same.
_SAMPLE = 1000
Content = Path | bytes


# How packed files begin.
_PACKED = {
    "gzip": rb"\x1f\x8b",
    "zstd": rb"\x28\xb5\x2f\xfd",
    "bzip2": rb"BZh\d1AY&SY",
    "xz": rb"\xfd7zXZ\x00",
    "zip": rb"PK\x03\x04",
    "zlib": rb"x[\x01\x5e\x9c\xda]",
}


def _plain(content: Content) -> IO[bytes]:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def packing(content: Content) -> str:
    """What a file is packed by, as its first bytes tell, whatever its name; nothing for plain text."""
    with _plain(content) as file:
        start = file.read(10)
    return next((name for name, pattern in _PACKED.items() if re.match(pattern, start)), "")


def opened(content: Content) -> IO[bytes]:
    """The bytes of a file, unpacked."""
    if packing(content) == "gzip":
        return cast(IO[bytes], gzip.open(io.BytesIO(content) if isinstance(content, bytes) else content))
    return _plain(content)


def size_read(name: str, content: Content, most: int) -> int:
    """Bytes of a file of text, unpacked, or as 8-byte numbers where cells are short; counted until they are more than ``most``.

    Raises ValueError where it cannot be unpacked.
    """
    try:
        with opened(content) as file:
            head = file.read(_HEAD)
            # Below the header, which may be longer than any row.
            sample = head[head.find(b"\n") + 1 :] or head
            cells = max(sample.count(each.encode()) for each in SEPARATORS) + sample.count(b"\n")
            each = max(1.0, 8 * cells / max(1, len(sample)))
            if packing(content) != "gzip":
                return round(each * (len(content) if isinstance(content, bytes) else content.stat().st_size))
            size, line = len(head), 0
            while each * size <= most and (piece := file.read(1 << 20)):
                size += len(piece)
                line = line + len(piece) if b"\n" not in piece else len(piece) - piece.rfind(b"\n")
                if line > _LONGEST:
                    raise NotRead(f"{name} must be lines of fields, got one of more than {_LONGEST >> 20} MB")
    except (OSError, EOFError, zlib.error) as problem:
        raise NotRead(f"{name} cannot be unpacked: {problem}") from None
    return round(each * size)


@dataclass(frozen=True)
class TextPart:
    """A file of separated fields; ``names`` are those of its columns, as they are told apart in messages."""

    name: str
    content: Content
    separator: str
    end: str
    names: tuple[str, ...]
    lossy: bool = False
    text = True

    def lazy(self, columns: Sequence[str], numbers: Sequence[str] = ()) -> pl.LazyFrame:
        """The columns as text; those of ``numbers`` as floats, where a cell that is none is an error."""
        options: dict[str, Any] = {"separator": self.separator, "infer_schema": False, "eol_char": self.end}
        scan = self._scan(**options)
        raw = scan.collect_schema().names()
        at = {name: raw[self.names.index(name)] for name in columns}
        if numbers:
            options["schema_overrides"] = {at[name]: pl.Float64 for name in numbers}
            options["null_values"] = [each for each in MISSING if each]
            scan = self._scan(**options)
        return scan.select(pl.col(at[name]).alias(name) for name in columns)

    def _scan(self, **options: Any) -> pl.LazyFrame:
        source = io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content
        return pl.scan_csv(source, encoding="utf8-lossy" if self.lossy else "utf8", **options)

    def frames(self, columns: Sequence[str], size: int | None = None, numbers: Sequence[str] = ()) -> Iterator[pl.DataFrame]:
        """The rows in blocks of some ``size``, or at once.

        Raises
        ------
        ValueError
            Where lines have too few or too many fields, or quotes that do not pair; one line that names the row.
        """
        last = self.names[-1]
        wanted = columns if last in columns else [*columns, last]
        short = False
        try:
            lazy = self.lazy(wanted, numbers)
            for frame in [lazy.collect()] if size is None else lazy.collect_batches(chunk_size=size):
                short = short or bool(frame[last].null_count())
                yield frame.select(columns)
        except pl.exceptions.PolarsError as problem:
            if not numbers and not self.lossy and "utf-8" in str(problem).lower():
                yield from replace(self, lossy=True).frames(columns, size)
                return
            said = str(problem).splitlines()[0]
            raise NotRead(self.uneven(sure=True) or f"{self.name} cannot be read as CSV: {said}") from None
        if short:
            # Polars fills up short rows without a word.
            said_of_lines = self.uneven()
            if said_of_lines is not None:
                raise NotRead(said_of_lines)

    def uneven(self, sure: bool = False) -> str | None:
        """The message for the first line that does not fit, if there is one; ``sure``: there is."""
        with opened(self.content) as file:
            stray = stray_quote(self.name, file, self.separator, self.end)
        if stray is not None:
            return stray
        return uneven_line(self.name, lambda: opened(self.content), self.separator, self.end, sure)

    def numeric(self, columns: Sequence[str]) -> bool:
        """Whether the first rows of all these columns hold plain numbers, and markers of missing ones."""
        try:
            head = self.lazy(columns).head(_SAMPLE).collect()
        except pl.exceptions.PolarsError:
            return False
        for column in head.get_columns():
            text = column.filter(~column.is_in(MISSING))
            if not len(text) or text.cast(pl.Float64, strict=False).null_count():
                return False
        return True


class NotRead(ValueError):
    """A file that cannot be read as it is meant."""


def text_part(name: str, content: Content, separator: str | None, usual: str) -> TextPart:
    """A file of text, once its first lines are looked at; ``usual`` separates fields where its first line tells nothing else.

    Raises
    ------
    ValueError
        If it is empty, no text, or its quotes do not pair.
    """
    packed = packing(content)
    if packed not in ("", "gzip"):
        raise ValueError(f"{name} is packed by {packed}: unpack it, or pack it by gzip")
    try:
        with opened(content) as file:
            start = file.read(_HEAD)
            # A header of many columns goes on.
            while len(start) < _LONGEST and not re.search(rb"[^\r\n][\r\n]", start) and (more := file.read(len(start))):
                start += more
    except (OSError, EOFError, zlib.error) as problem:
        raise NotRead(f"{name} cannot be unpacked: {problem}") from None
    if not start:
        raise ValueError(f"{name} is empty")
    if b"\0" in start:
        why = "is UTF-16: save it as UTF-8" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "holds NUL bytes"
        raise ValueError(f"{name} cannot be read as CSV: it {why}")
    end = "\r" if b"\r" in start and b"\n" not in start else "\n"
    first = start.decode("utf-8-sig", errors="replace").lstrip("\r\n")
    chosen = separator or _separator(first, usual)
    if size_read(name, content, _CHECKED) <= _CHECKED:
        with opened(content) as file:
            odd = stray_quote(name, file, chosen, end)
            file.seek(0)
            odd = odd or other_line_end(name, file, end)
        if odd is not None:
            raise NotRead(odd)
    lines = io.StringIO(first, newline="")
    try:
        header = next(csv.reader(lines, delimiter=chosen))
    except csv.Error as problem:
        raise NotRead(f"{name} must have names of columns in its first line, got one that cannot be read: {problem}") from None
    return TextPart(name, content, chosen, end, header_names(header))


def _separator(start: str, usual: str) -> str:
    """What separates the fields of the first line: the usual sign where it is there, else the most frequent other one."""
    first = start.replace("\r", "\n").split("\n", 1)[0]
    bare = "".join(first.split('"')[::2])
    counts = {each: bare.count(each) for each in SEPARATORS}
    if counts[usual]:
        return usual
    best = max(SEPARATORS, key=lambda each: counts[each])
    return best if counts[best] else usual
