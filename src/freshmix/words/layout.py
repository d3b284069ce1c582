"""An answer as blocks, and the forms that a person reads it in: on a screen, as text, in a notebook, in ten lines."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from .signs import visible

if TYPE_CHECKING:
    from rich.console import Console

# Lines of a brief answer, and signs of a value in it.
_BRIEF, _WIDE = 10, 90
# The least width of a column that wraps in place of others.
_LEAST_WRAPPED = 14
_SIDES = ("right", "left")
_MORE = "print it for the whole answer"


class _Visible:
    """Names of columns and cells stand in what is said: in every form of it, nothing is for a terminal or a browser to obey."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            object.__setattr__(self, name, _visible(value))


def _visible(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    return value if value is None or isinstance(value, int) else [_visible(each) for each in value]


@dataclass(frozen=True)
class Block(_Visible):
    """Sentences, where there is nothing else to it."""

    texts: Sequence[str] = ()


@dataclass(frozen=True)
class Leads(_Visible):
    """Paragraphs, each after a few words that say what it is for; under a heading, or at the top."""

    rows: Sequence[tuple[str, str]]
    heading: str | None = None


@dataclass(frozen=True)
class Code(_Visible):
    """Lines of Python under a heading, never wrapped."""

    heading: str
    lines: str


@dataclass(frozen=True)
class Verdict(_Visible):
    """The word from the closed set, and why."""

    word: str
    reason: str


@dataclass(frozen=True)
class Pairs(_Visible):
    """Names and values under a heading."""

    heading: str | None
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Grid(_Visible):
    """Rows under names under a heading; all but the first ``left`` columns are numbers.

    Of the columns the one of that place ``wraps`` first.
    """

    heading: str
    names: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 0
    wraps: int | None = None


@dataclass(frozen=True)
class Lines(_Visible):
    """Sentences under a heading; nothing where there are none."""

    heading: str | None
    texts: Sequence[str] = field(default_factory=tuple)


Answer = Sequence[Block | Leads | Code | Verdict | Pairs | Grid | Lines]


def plain_console(file: Any = None) -> "Console":
    """Text wrapped at the terminal's width, with no markup or emoji codes: column names may hold brackets and colons."""
    from rich.console import Console

    return Console(file=file, highlight=False, markup=False, emoji=False)


def show(answer: Answer, console: "Console") -> None:
    """On a screen; headings and the verdict are bold where it can show that."""
    from rich.padding import Padding
    from rich.text import Text

    for place, block in enumerate(answer):
        if isinstance(block, Lines) and not block.texts:
            continue
        heading = None if isinstance(block, Block | Verdict) else block.heading
        if place and (heading is not None or isinstance(block, Verdict)):
            console.print()
        if heading is not None:
            console.print(Text(heading, style="bold"))
        if isinstance(block, Block):
            for each in block.texts:
                console.print(each)
        elif isinstance(block, Verdict):
            console.print(Text.assemble((block.word, "bold"), f": {block.reason}"))
        elif isinstance(block, Code):
            for code in block.lines.splitlines():
                console.print(f"  {code}".rstrip(), soft_wrap=True)
        elif isinstance(block, Leads):
            for lead, each in block.rows:
                paragraph = Text.assemble((lead, "bold" if heading is None else ""), f": {each}")
                console.print(paragraph if heading is None else Padding(paragraph, (0, 0, 0, 2), expand=False))
        else:
            console.print(Padding(_table(block, console.width - 2), (0, 0, 0, 2), expand=False))


def _table(block: Pairs | Grid | Lines, width: int) -> Any:
    from rich.table import Table

    if isinstance(block, Grid):
        grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
        whole = _whole(block, width)
        for place, name in enumerate(block.names):
            grid.add_column(name, justify="left" if place < block.left else "right", width=whole[place])
        for row in block.rows:
            grid.add_row(*row)
        return grid
    pairs = isinstance(block, Pairs)
    grid = Table.grid(padding=(0, 2 if pairs else 1, 0, 0))
    if isinstance(block, Pairs):
        grid.add_column(max_width=36)
        grid.add_column()
    for row in block.rows if isinstance(block, Pairs) else [("-", text) for text in block.texts]:
        grid.add_row(*row)
    return grid


def _whole(block: Grid, width: int) -> Sequence[int | None]:
    """Widths of the columns that need not wrap, where that leaves room for the one that does."""
    if block.wraps is None:
        return [None] * len(block.names)
    columns = zip(block.names, *block.rows, strict=True)
    cells = [max(min(len(name), _LEAST_WRAPPED), *map(len, column)) for name, *column in columns]
    others = sum(cells) - cells[block.wraps] + 2 * len(cells)
    fits = others + _LEAST_WRAPPED <= width
    return [cell if fits and place != block.wraps else None for place, cell in enumerate(cells)]


def text(answer: Answer) -> str:
    """As it is printed, without line ends around it."""
    file = io.StringIO()
    show(answer, plain_console(file))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()).strip("\n")


def html(answer: Answer) -> str:
    """For a notebook."""
    said = []
    for block in answer:
        if isinstance(block, Verdict):
            said.append(f"<p><strong>{escape(block.word)}</strong>: {escape(block.reason)}</p>")
        elif isinstance(block, Block):
            said += [f"<p>{escape(each)}</p>" for each in block.texts]
        elif isinstance(block, Leads):
            said += [] if block.heading is None else [f"<p><strong>{escape(block.heading)}</strong></p>"]
            said += [f"<p><strong>{escape(lead)}</strong>: {escape(each)}</p>" for lead, each in block.rows]
        elif isinstance(block, Code):
            said.append(f"<p><strong>{escape(block.heading)}</strong></p><pre>{escape(block.lines)}</pre>")
        elif not (isinstance(block, Lines) and not block.texts):
            said += [] if block.heading is None else [f"<p><strong>{escape(block.heading)}</strong></p>"]
            said.append(_html(block))
    return f"<div>{''.join(said)}</div>"


def _html(block: Pairs | Grid | Lines) -> str:
    if isinstance(block, Lines):
        return f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in block.texts)}</ul>"
    names, left = (block.names, block.left) if isinstance(block, Grid) else ((), 2)
    rows = ["".join(_cell("td", place < left, cell) for place, cell in enumerate(row)) for row in block.rows]
    head = ["".join(_cell("th", place < left, name) for place, name in enumerate(names))] if names else []
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in [*head, *rows])}</table>"


def _cell(tag: str, left: bool, content: str) -> str:
    return f"<{tag} style='text-align:{_SIDES[left]}'>{escape(content)}</{tag}>"


def brief(name: str, answer: Answer) -> str:
    """Ten lines at most: the verdict, the first figures, and how much else there is to say."""
    word = next((block.word for block in answer if isinstance(block, Verdict)), None)
    rows = next((list(block.rows) for block in answer if isinstance(block, Pairs | Leads)), [])[: _BRIEF - 2]
    wide = max((len(label) for label, _ in rows), default=0)
    shown = [f"  {label:<{wide}}  {value if len(value) <= _WIDE else value[: _WIDE - 3] + '...'}" for label, value in rows]
    listed = [block for block in answer if isinstance(block, Lines) and block.heading in ("Warnings", "Notes") and block.texts]
    more = [f"{block.heading}: {len(block.texts)}" for block in listed]
    return "\n".join([name if word is None else f"{name}: {word}", *shown, f"  ({'; '.join([*more, _MORE])})"])
