"""What the cells of one column are, counted: summaries of blocks and files merge into that of the whole table."""

from dataclasses import dataclass, field

import polars as pl

from .marks import COMMA, MISSING, THOUSANDS, TRUTH

# Different texts of a column that are kept; a column with more holds no categories.
MOST_TEXTS = 2000
_EXAMPLES = 8


@dataclass(frozen=True)
class Cell:
    """How often a text occurs, and the part and row (from 0) where it does first."""

    count: int
    part: int
    row: int

    def merge(self, other: "Cell") -> "Cell":
        """Both together."""
        part, row = min((self.part, self.row), (other.part, other.row))
        return Cell(self.count + other.count, part, row)


Cells = dict[str, Cell]


@dataclass
class Summary:
    """Counts of one column over the rows that were seen.

    ``numbers`` counts plain numbers with a point or none (``dotted`` shows the former, looked for where ``dots`` is set),
    ``commas`` those with a decimal comma, of which ``thousands`` (1,234) may be whole numbers. ``others`` are texts that are no
    plain number, truth word or marker of a missing one; ``left_out`` of its rows hold texts beyond the first ``MOST_TEXTS``.
    ``kinds`` names types that are neither number nor text.
    """

    dots: bool = False
    rows: int = 0
    empty: int = 0
    numbers: int = 0
    infinite: int = 0
    commas: int = 0
    thousands: int = 0
    dotted: Cells = field(default_factory=dict)
    comma_cells: Cells = field(default_factory=dict)
    truths: Cells = field(default_factory=dict)
    markers: Cells = field(default_factory=dict)
    others: Cells = field(default_factory=dict)
    left_out: int = 0
    kinds: tuple[str, ...] = ()

    def add(self, column: pl.Series, part: int, start: int) -> None:
        """Count the cells of a block of rows, the first of which is row ``start`` of its part."""
        self.rows += len(column)
        self.empty += column.null_count()
        kind = column.dtype
        if kind.is_float():
            self._numbers(column, None)
        elif kind.is_numeric():
            self.numbers += len(column) - column.null_count()
        elif kind == pl.Boolean:
            for word, value in (("True", True), ("False", False)):
                self._note(self.truths, word, column == value, part, start)
        elif kind == pl.String:
            self._text(column, part, start)
        elif kind in (pl.Categorical, pl.Enum):
            self._text(column.cast(pl.String), part, start)
        elif column.null_count() < len(column):
            self.kinds = tuple(dict.fromkeys([*self.kinds, str(kind.base_type())]))

    def _note(self, cells: Cells, text: str, mask: pl.Series, part: int, start: int) -> None:
        count = int(mask.sum())
        if count:
            _put(cells, text, Cell(count, part, start + int(mask.arg_max() or 0)))

    def _text(self, column: pl.Series, part: int, start: int) -> None:
        value = column.cast(pl.Float64, strict=False)
        odd = value.is_null() & column.is_not_null()
        if odd.any():
            rows = pl.int_range(start, start + len(column), eager=True).filter(odd)
            table = pl.DataFrame({"text": column.filter(odd).str.strip_chars(), "row": rows})
            texts = table.group_by("text").agg(pl.len().alias("count"), pl.col("row").min()).sort("row")
            spaced = texts["text"].cast(pl.Float64, strict=False)
            self._numbers(spaced, texts["count"])
            self._odd(texts.filter(spaced.is_null()), part)
            if self.dots:
                pointed = texts.filter(spaced.is_not_null() & texts["text"].str.contains(".", literal=True))
                self._put_all(self.dotted, pointed, part, _EXAMPLES)
        self._numbers(value, None)
        if self.dots:
            mask = value.is_not_null() & column.str.contains(".", literal=True).fill_null(value=False)
            if mask.any():
                self._note(self.dotted, str(column.filter(mask)[0]), mask, part, start)

    def _numbers(self, value: pl.Series, counts: pl.Series | None) -> None:
        """Count values, each ``counts`` times; null where there is none."""

        def total(mask: pl.Series) -> int:
            return int(mask.sum()) if counts is None else int(counts.filter(mask.fill_null(value=False)).sum())

        gaps = total(value.is_nan())
        self.empty += gaps
        self.numbers += total(value.is_not_null()) - gaps
        self.infinite += total(value.is_infinite())

    def _odd(self, texts: pl.DataFrame, part: int) -> None:
        missing, truth = texts["text"].is_in(MISSING), texts["text"].str.to_lowercase().is_in(list(TRUTH))
        comma = texts["text"].str.contains(COMMA)
        for cells, mask in ((self.markers, missing), (self.truths, truth)):
            self._put_all(cells, texts.filter(mask), part)
        if comma.any():
            these = texts.filter(comma)
            self.commas += int(these["count"].sum())
            self.thousands += int(these.filter(these["text"].str.contains(THOUSANDS))["count"].sum())
            self._put_all(self.comma_cells, these, part, _EXAMPLES)
        self._put_all(self.others, texts.filter(~(missing | truth | comma)), part, MOST_TEXTS)

    def _put_all(self, cells: Cells, texts: pl.DataFrame, part: int, most: int | None = None) -> None:
        for text, count, row in texts.iter_rows():
            if most is None or text in cells or len(cells) < most:
                _put(cells, text, Cell(count, part, row))
            elif cells is self.others:
                self.left_out += count
            else:
                first = next(iter(cells))
                cells[first] = Cell(cells[first].count + count, cells[first].part, cells[first].row)

    @property
    def marked(self) -> int:
        """Rows with a marker of a missing value."""
        return sum(cell.count for cell in self.markers.values())

    @property
    def other(self) -> int:
        """Rows with other texts."""
        return sum(cell.count for cell in self.others.values()) + self.left_out


def _put(cells: Cells, text: str, cell: Cell) -> None:
    cells[text] = cells[text].merge(cell) if text in cells else cell
