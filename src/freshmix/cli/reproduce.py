"""``freshmix reproduce``: the paper's figures, theory beside simulation."""

from pathlib import Path
from typing import Annotated

import typer

from .output import say

Figures = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FIGURE]...", help="Numbers or names, such as 2 or ridge-weight: {figures}; all by default."),
]
Quick = Annotated[bool, typer.Option("--quick", help="Fewer and smaller runs: two minutes on two cores.")]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder for the figures and their data, such as --out figures.")]
Store = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help=("Folder for the runs, from which the same command continues; by default store in the folder of the figures."),
    ),
]
Workers = Annotated[
    int | None, typer.Option(metavar="K", help="Worker processes, such as --workers 4; by default one for each core.")
]
List = Annotated[bool, typer.Option("--list", help="Name the figures and exit.")]

EXAMPLES = ("freshmix reproduce --list", "freshmix reproduce --quick", "freshmix reproduce 2 --out figures")


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
