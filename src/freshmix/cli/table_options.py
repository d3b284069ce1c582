"""Options that describe a table and its loop, shared by the commands that take one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

Tables = Annotated[
    list[Path],
    typer.Argument(
        metavar="TABLE...",
        help="CSV, Parquet, Arrow or Excel, a row per example; several, a pattern, or - (standard input).",
    ),
]
Target = Annotated[str, typer.Option("--target", metavar="COLUMN", help="Column that holds the real labels.")]
Penalty = Annotated[str, typer.Option(metavar="auto|VALUE", help="Ridge penalty lambda; 0 interpolates; auto finds the best.")]
Time = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of time steps: one generation each.")]
RowsPerGeneration = Annotated[
    int | None, typer.Option(metavar="N", help="New rows per generation; by default the median per time step.")
]
SyntheticLabels = Annotated[
    str | None,
    typer.Option(metavar="predictions|sampled", help="Plain predictions, or with the model's own noise."),
]
SyntheticNoise = Annotated[
    float | None,
    typer.Option(
        "--synthetic-noise-ratio",
        "--synthetic-noise",
        metavar="RHO",
        help="Noise of synthetic labels over that of real ones; in place of the above.",
    ),
]
Generations = Annotated[
    str | None, typer.Option(metavar="T|inf", help="Generation to be best at; inf: the long run (12 with fresh covariates).")
]
Separator = Annotated[str | None, typer.Option(metavar="SIGN", help="What separates fields; by default read off the file.")]
Decimal = Annotated[str | None, typer.Option(metavar=".|,", help="The decimal sign; by default read off the file.")]
Drop = Annotated[list[str] | None, typer.Option("--drop", metavar="COLUMN", help="Column to leave out; may be repeated.")]
DropMissing = Annotated[bool, typer.Option("--drop-missing", help="Leave out rows with missing features.")]
Impute = Annotated[
    str | None, typer.Option(metavar="mean|median", help="Fill missing features by that of the column on labelled rows.")
]
DropUnlabelled = Annotated[bool, typer.Option("--drop-unlabelled", help="Leave out rows with an empty target.")]
Standardize = Annotated[
    bool,
    typer.Option("--standardize/--no-standardize", show_default=False, help="Features of variance 1, or as they are scaled."),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Seed of the posterior draws.")]


def files(tables: Sequence[Path]) -> str | list[str]:
    """The names of the files, one alone as itself."""
    names = [str(each) for each in tables]
    return names[0] if len(names) == 1 else names


def number_or_word(text: str | None) -> Any:
    """A number, whole where it is written so, or the text as it is: whether it will do is for the parameter to say."""
    for kind in (int, float):
        try:
            return kind(text or "")
        except ValueError:
            pass
    return text
