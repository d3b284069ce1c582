"""Lines of a file that do not fit: too few or too many fields, and quotation marks that do not pair."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import IO

_BLOCK = 1 << 22
_SHOWN = 60


def stray_quote(name: str, file: IO[bytes], separator: str, end: str) -> str | None:
    """The message for the first line with a quotation mark that neither opens nor closes a field; None where there is none."""
    if not any(b'"' in block for block in _blocks(file)):
        return None
    file.seek(0)
    apart = re.escape(separator.encode())
    field = rb'(?:[^"' + apart + rb']*|"(?:[^"]|"")*")'
    sound = re.compile(field + rb"(?:" + apart + field + rb")*")
    unfinished = re.compile(rb"(?:" + field + apart + rb')*"(?:[^"]|"")*')
    pending, began = b"", 0
    for row, line in enumerate(_lines(file, end.encode())):
        if b'"' not in line:
            pending += line + b"\n" if pending else b""
            continue
        whole = pending + line
        began = began if pending else row
        if sound.fullmatch(whole):
            pending = b""
        elif unfinished.fullmatch(whole) and len(whole) < _BLOCK:
            # A field may hold line ends.
            pending = whole + b"\n"
        else:
            return _stray(name, began, whole)
    return _stray(name, began, pending) if pending else None


def other_line_end(name: str, file: IO[bytes], end: str) -> str | None:
    """The message for the first line with a line end of another kind inside; None where a quoted field may hold one."""
    if end != "\n":
        return None
    returns, ends, last = 0, 0, b""
    for block in _blocks(file):
        if b'"' in block:
            return None
        returns += block.count(b"\r")
        ends += block.count(b"\r\n") + (last == b"\r" and block[:1] == b"\n")
        last = block[-1:]
    if returns == ends:
        return None
    file.seek(0)
    rows = (row for row, line in enumerate(_lines(file, b"\n")) if b"\r" in line)
    row = next(rows, None)
    return None if row is None else f"{name} must have line ends of one kind, got another (CR) within line {row + 1}"


def _stray(name: str, row: int, line: bytes) -> str:
    text = line.split(b"\n")[0].decode(errors="replace")
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    where = f"row {row} below its header (line {row + 1})" if row else "its header"
    return f"{name} has a quotation mark that neither opens nor closes a field in {where}: {shown!r}; double it within quotes"


def _lines(file: IO[bytes], end: bytes) -> Iterator[bytes]:
    if end == b"\n":
        for line in file:
            yield line.rstrip(b"\r\n")
    else:
        yield from file.read().split(end)


def uneven_line(name: str, opened: Callable[[], IO[bytes]], separator: str, end: str, sure: bool) -> str | None:
    """The message for the first line whose number of fields is not that of the header; None where all have it.

    ``sure``: one has not, and sums that happen to agree do not matter.
    """
    with opened() as file:
        if not sure and not _suspicious(file, separator.encode(), end.encode()):
            return None
    with opened() as file:
        reader = csv.reader(io.TextIOWrapper(file, "utf-8", errors="replace", newline=end), delimiter=separator)
        expected = 0
        try:
            expected = len(next(reader))
            for row, fields in enumerate(reader, start=1):
                if fields and len(fields) != expected:
                    return (
                        f"{name} must have {expected} fields in each row, as in its header, got {len(fields)} in row "
                        f"{row} below it (line {reader.line_num})"
                    )
        except csv.Error as problem:
            mixed = "line ends of several kinds in it" if "new-line" in str(problem) else f"what cannot be read: {problem}"
            return f"{name} must have {expected} fields in each row, got line {reader.line_num} with {mixed}"
    return None


def _suspicious(file: IO[bytes], separator: bytes, end: bytes) -> bool:
    """Whether separators and lines do not add up; counting bytes is a hundred times as fast as parsing them."""
    if end != b"\n":
        return True
    wanted = file.readline().rstrip(b"\r\n").count(separator)
    separators = lines = 0
    last = b"\n"
    for block in _blocks(file):
        if b'"' in block:
            # A field may hold separators and line ends.
            return True
        separators += block.count(separator)
        lines += block.count(b"\n")
        last = block[-1:]
    return separators != wanted * (lines + (last != b"\n"))


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block
