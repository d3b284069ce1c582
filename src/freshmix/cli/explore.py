"""``freshmix explore``: the explorer, a page in the browser."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from freshmix.extras import extra

from . import table_options as options
from .output import quiet, say, waiting

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
    drop: options.Drop = None,
    drop_missing: options.DropMissing = False,
    impute: options.Impute = None,
    separator: options.Separator = None,
    decimal: options.Decimal = None,
) -> None:
    """Theory under your fingers: a page in the browser, served by this machine alone."""
    extra("explorer", "dash", "explore")
    start: Callable[[], str] = str
    if table is not None:
        if target is None:
            raise ValueError("--target is needed with a table, such as --target price: the column with the real labels")
        reading = {"drop": drop or (), "drop_missing": drop_missing, "impute": impute}
        start = partial(_query, str(table), target, time=time, separator=separator, decimal=decimal, **reading)
    elif target is not None or time is not None:
        raise ValueError("--target and --time go with a table, got none")
    from freshmix.explorer.server import serve
    from freshmix.words import explorer as words

    serve(host, port, workers, start, lambda at: say(words.at(at)), open_browser)


def _query(table: str, target: str, **asked: Any) -> str:
    """The state that the page starts with: what a recommendation for the table estimates and advises."""
    import freshmix as fm
    from freshmix.explorer.state import State
    from freshmix.explorer.uploaded import Recommended, set_to

    with quiet(), waiting():
        found = fm.recommend(table, target, **asked)
    state, _ = set_to(State(), Recommended.of(found))
    return state.to_query()
