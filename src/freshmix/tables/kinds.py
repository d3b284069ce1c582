"""What a whole column is, from the summary of its cells, and its cells as numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .marks import MISSING, PLACEHOLDERS, is_date, is_foreign, plain
from .summary import MOST_TEXTS, Cells, Summary

MOST_CATEGORIES = 20
# Different texts of one column, numbers too, in the order of their first rows.
Texts = Callable[[str], list[str]]


@dataclass(frozen=True)
class Kind:
    """A column that can be used: ``what`` is numbers, truth, words (with levels), or one of the reasons why it cannot.

    Those are empty, date (``shown`` says which), cells (``bad`` ones) and many (``shown`` says of what).
    """

    name: str
    what: str
    levels: tuple[str, ...] = ()
    decimal: str = "."
    bad: Cells | None = None
    shown: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of numbers that it becomes: two levels are one, as the other is its complement."""
        if self.what != "words":
            return (self.name,)
        return tuple(f"{self.name}={level}" for level in (self.levels[1:] if len(self.levels) == 2 else self.levels))

    def arrays(self, column: pl.Series) -> list[NDArray[np.floating[Any]]]:
        """The cells as float arrays, NaN where they are missing; floats keep their width."""
        if self.what != "words":
            if column.dtype.is_float():
                return [column.to_numpy()]
            return [self._values(column).to_numpy()]
        text = as_text(column)
        missing = (text.is_null() | (text == "")).to_numpy()
        shown = self.levels[1:] if len(self.levels) == 2 else self.levels
        found = [(text == level).fill_null(value=False).cast(pl.Float64).to_numpy(writable=True) for level in shown]
        for values in found:
            values[missing] = np.nan
        return found

    def _values(self, column: pl.Series) -> pl.Series:
        if column.dtype != pl.String and column.dtype not in (pl.Categorical, pl.Enum):
            return column.cast(pl.Float64)
        column = column.cast(pl.String)
        if self.what == "truth":
            text = column.str.strip_chars().str.to_lowercase()
            return text.replace_strict({"true": 1.0, "false": 0.0}, default=None, return_dtype=pl.Float64)
        value = plain(column, self.decimal)
        if (value.is_null() & column.is_not_null()).any():
            value = plain(column.str.strip_chars(), self.decimal)
        return value


def as_text(column: pl.Series) -> pl.Series:
    """Stripped text; whole numbers without a point."""
    if column.dtype.is_float():
        whole = column.is_finite() & (column == column.floor()) & (column.abs() < 2**53)
        exact = column.set(~whole.fill_null(value=False), None).cast(pl.Int64).cast(pl.String)
        column = exact.zip_with(exact.is_not_null(), column.fill_nan(None).cast(pl.String))
    elif column.dtype == pl.Boolean:
        column = column.cast(pl.Int8).replace_strict({1: "True", 0: "False"}, default=None, return_dtype=pl.String)
    return column.cast(pl.String).str.strip_chars()


def kind_of(name: str, cells: Summary, decimal: str, texts: Texts) -> Kind:
    """The kind of one column; ``decimal`` is the decimal sign of the table."""
    numbers, strange, words = _sorted_out(cells, decimal)
    if cells.kinds:
        return Kind(name, "date", shown=cells.kinds[0])
    if not (numbers or strange or words or cells.truths):
        return Kind(name, "empty")
    dates = {text: is_date(text) for text in words}
    if words and not numbers and not cells.truths and not cells.left_out and all(dates.values()):
        return Kind(name, "date", shown=next(filter(None, dates.values())))
    if cells.truths and not words:
        bad = {**cells.truths, **strange}
        return Kind(name, "cells", bad=bad) if numbers or strange else Kind(name, "truth")
    if not words:
        return Kind(name, "cells", bad=strange) if strange else Kind(name, "numbers", decimal=decimal)
    if numbers or strange:
        listed = texts(name)
        known = sum(text not in MISSING for text in listed)
        junk = set(words) <= set(PLACEHOLDERS) and not cells.left_out
        if junk or (2 * len(words) < known and not cells.left_out):
            return Kind(name, "cells", bad=_in_order({**words, **strange, **cells.truths}))
    else:
        listed = [*cells.markers, *cells.truths, *words]
    return _words(name, [text for text in listed if text], words, cells)


def _sorted_out(cells: Summary, decimal: str) -> tuple[int, Cells, Cells]:
    """How many plain numbers there are, which cells show numbers in another notation, and which are words."""
    strange = {text: cell for text, cell in cells.others.items() if is_foreign(text)}
    words = {text: cell for text, cell in cells.others.items() if text not in strange}
    if decimal == ",":
        dotted = sum(cell.count for cell in cells.dotted.values())
        return cells.numbers - dotted + cells.commas, {**strange, **cells.dotted}, words
    return cells.numbers, _in_order({**strange, **cells.comma_cells}), words


def _in_order(cells: Cells) -> Cells:
    return dict(sorted(cells.items(), key=lambda item: (item[1].part, item[1].row)))


def _words(name: str, texts: Sequence[str], words: Cells, cells: Summary) -> Kind:
    levels = tuple(sorted(set(texts)))
    rows = cells.rows - cells.empty - (cells.markers[""].count if "" in cells.markers else 0)
    if cells.left_out or len(levels) > MOST_CATEGORIES or 2 * len(levels) > rows:
        count = f"more than {MOST_TEXTS}" if cells.left_out or len(levels) > MOST_TEXTS else str(len(levels))
        return Kind(name, "many", levels, shown=f"{count} values", bad=words)
    return Kind(name, "words", levels, bad=words)


def gaps(cells: Summary, kind: Kind) -> int:
    """Rows in which the column is missing: a marker is a word among words."""
    if kind.what in ("words", "many"):
        return cells.empty + (cells.markers[""].count if "" in cells.markers else 0)
    return cells.empty + cells.marked
