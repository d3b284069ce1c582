"""``freshmix explore``: the explorer, a page in the browser."""

from pathlib import Path
from typing import Annotated

import typer

from freshmix.extras import extra

from . import table_options as options
from .output import say

Table = Annotated[
    Path | None,
    typer.Argument(metavar="TABLE", help="A table, as recommend takes it: the page starts with its estimated population."),
]
Target = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Column of the table with the real labels, such as --target price.")
]
Host = Annotated[
    str,
    typer.Option(metavar="ADDRESS", help="Where the page is served, such as --host 0.0.0.0 for all who reach this machine."),
]
Port = Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="Port, such as --port 8400; 0 is any that is free.")]
Open = Annotated[bool, typer.Option("--open", help="Open the page in the browser.")]
Workers = Annotated[int, typer.Option(min=1, metavar="K", help="Processes that answer, such as --workers 4.")]

EXAMPLES = ("freshmix explore --open", "freshmix explore homes.csv --target value --time month --open")


def explore(
    table: Table = None,
    target: Target = None,
    time: options.Time = None,
    port: Port = 8321,
    host: Host = "127.0.0.1",
    open_browser: Open = False,
    workers: Workers = 2,
) -> None:
    """Theory under your fingers: a page in the browser, served by this machine alone."""
    extra("explorer", "dash", "explore")
    from freshmix.explorer.server import serve
    from freshmix.words import explorer as words

    serve(host, port, workers, "", lambda at: say(words.at(at)), open_browser)
