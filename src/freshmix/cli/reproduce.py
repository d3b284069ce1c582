"""``freshmix reproduce``: the paper's figures, theory beside simulation."""

from pathlib import Path
from typing import Annotated

import typer

from .output import say

Figures = Annotated[list[str] | None, typer.Argument(metavar="[FIGURE]...", help="Numbers, or {figures}; all by default.")]
Quick = Annotated[bool, typer.Option("--quick", help="Fewer and smaller runs: two minutes on two cores.")]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder of the figures and their data.")]
Store = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of the runs, from which the same command goes on; OUT/store.")
]
Workers = Annotated[int | None, typer.Option(metavar="K", help="Processes; by default as many as cores.")]
List = Annotated[bool, typer.Option("--list", help="Name the figures and exit.")]


def reproduce(
    figures: Figures = None,
    quick: Quick = False,
    out: Out = Path("figures"),
    store: Store = None,
    workers: Workers = None,
    show_list: List = False,
) -> None:
    """The paper's figures: theory as lines, simulation as markers."""
    from freshmix.reproduce import NAMES, figure, reproduce

    if show_list:
        for number, name in enumerate(NAMES, start=1):
            say(f"{number}  {name:22}{figure(name).title}")
        return
    agree = True
    for verdict in reproduce(figures or (), out, store=store, quick=quick, workers=workers):
        agree = agree and verdict.agrees
        say(str(verdict))
        say(f"    {', '.join(str(path) for path in verdict.files)}")
    if not agree:
        raise typer.Exit(1)
