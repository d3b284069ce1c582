"""Text on the screen: verdicts, pairs, tables and lines under headings."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def plain_console() -> "Console":
    """Text wrapped at the terminal's width, with no markup or emoji codes: column names may hold brackets and colons."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def verdict(console: "Console", word: str, reason: str) -> None:
    """The word from the closed set, and why."""
    from rich.text import Text

    console.print()
    console.print(Text.assemble((word, "bold"), f": {reason}"))


def pairs(console: "Console", heading: str, rows: list[tuple[str, str]]) -> None:
    """Names and values under a heading."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(max_width=36)
    grid.add_column()
    for name, value in rows:
        grid.add_row(name, value)
    block(console, heading, grid)


def grid(console: "Console", heading: str, names: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 0) -> None:
    """Rows under names under a heading; all but the first ``left`` columns are numbers."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
    for place, name in enumerate(names):
        table.add_column(name, justify="left" if place < left else "right")
    for row in rows:
        table.add_row(*row)
    block(console, heading, table)


def lines(console: "Console", heading: str | None, texts: Iterable[str]) -> None:
    """Sentences under a heading; nothing where there are none."""
    from rich.table import Table

    texts = tuple(texts)
    if not texts:
        return
    grid = Table.grid(padding=(0, 1, 0, 0))
    for line in texts:
        grid.add_row("-", line)
    block(console, heading, grid)


def block(console: "Console", heading: str | None, body: Any) -> None:
    """Anything that rich prints, under a heading."""
    from rich.padding import Padding
    from rich.text import Text

    if heading is not None:
        console.print()
        console.print(Text(heading, style="bold"))
    console.print(Padding(body, (0, 0, 0, 2), expand=False))
