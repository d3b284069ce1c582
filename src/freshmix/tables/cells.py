"""Cells of CSV files: what stands for a missing number, which cell is none, and lines of too few or too many fields."""

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import polars as pl

# Of numbers: in a column of words any of these may be a word.
MISSING = ("NA", "N/A", "na", "n/a", "NaN", "nan", "NAN", "null", "NULL", "Null", "None", "none", "NONE")
# Percent signs, currencies, separated thousands, decimal commas.
_DRESSED = r"^[$€£]?\s*[-+]?(\d{1,3}([,' \u00a0]\d{3})+(\.\d+)?|\d+([.,]\d+)?)\s*[%$€£]?$"
_TRUTH = ("true", "false")


def numbers(column: pl.Series, path: Path) -> pl.Series:
    """A text column as numbers, or truth values, where it holds those and missing markers alone; words as they are.

    Raises
    ------
    ValueError
        Where most of its different values are numbers and some are not, or are numbers but for signs such as 5% or 1,200.
    """
    text = column.str.strip_chars()
    text = text.set(text.is_in(["", *MISSING]), None)
    found = text.cast(pl.Float64, strict=False)
    other = text.filter(found.is_null() & text.is_not_null())
    if not len(other):
        return found.alias(column.name)
    if other.str.to_lowercase().is_in(_TRUTH).all():
        return (text.str.to_lowercase() == _TRUTH[0]).alias(column.name)
    if 2 * other.n_unique() < text.drop_nulls().n_unique() or other.str.contains(_DRESSED).all():
        raise ValueError(no_number(path, column.name, str(other[0]), _first(found.is_null() & text.is_not_null())))
    return column


def no_number(path: Path, name: str, value: str, row: int) -> str:
    """The message for a cell that is not a number in a column of numbers."""
    return (
        f"{path.name} must have numbers in column {name!r}, got {value!r} in row {row} below the header: write plain "
        "numbers such as 1234.5, NA or nothing where one is missing, or leave the column out (--drop COLUMN)"
    )


def _first(mask: pl.Series) -> int:
    return int(mask.arg_max() or 0) + 1


def bad_cell(path: Path, separator: str, columns: Sequence[str]) -> str | None:
    """The message for the first cell of these columns that is neither a number, a truth value nor missing."""
    scan = pl.scan_csv(path, separator=separator, infer_schema=False, null_values=["", *MISSING], truncate_ragged_lines=True)
    start = 0
    for frame in scan.select(columns).collect_batches(chunk_size=65536):
        for name in columns:
            text = frame[name]
            bad = text.is_not_null() & text.cast(pl.Float64, strict=False).is_null()
            bad &= ~text.str.to_lowercase().is_in(_TRUTH).fill_null(value=False)
            if bad.any():
                row = _first(bad)
                return no_number(path, name, str(text[row - 1]), start + row)
        start += frame.height
    return None


def uneven_line(path: Path, separator: str) -> str | None:
    """The message for the first line whose number of fields is not that of the header; None where all have it."""
    with _opened(path) as file:
        if not _suspicious(file, separator.encode()):
            return None
    with _opened(path) as file:
        reader = csv.reader(io.TextIOWrapper(file, "utf-8", errors="replace", newline=""), delimiter=separator)
        try:
            expected = len(next(reader))
            for row, fields in enumerate(reader, start=1):
                if fields and len(fields) != expected:
                    return (
                        f"{path.name} must have {expected} fields in each row, as in its header, got {len(fields)} in row "
                        f"{row} below it (line {reader.line_num})"
                    )
        except csv.Error:
            return None
    return None


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")  # type: ignore[return-value]


def _suspicious(file: IO[bytes], separator: bytes) -> bool:
    """Whether separators and lines do not add up; counting bytes is a hundred times as fast as parsing them."""
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
    while block := file.read(1 << 22):
        yield block
