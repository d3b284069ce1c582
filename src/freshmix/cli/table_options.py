"""Options that describe a table and its loop, shared by the commands that take one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer


def _sign(text: str) -> str:
    """A sign as it is typed; a tab, which a terminal keeps for itself, by its name."""
    return "\t" if text in ("tab", "\\t") else text


Tables = Annotated[
    list[Path],
    typer.Argument(
        metavar="TABLE",
        help=(
            "The table: CSV, Parquet, Arrow or Excel, one row per example. Several files, a pattern such as "
            "'part-*.csv', or - for standard input."
        ),
    ),
]
Target = Annotated[
    str,
    typer.Option(
        "--target",
        metavar="COLUMN",
        help="Column with the real labels, such as --target price; an empty cell is a row without a real label.",
    ),
]
Penalty = Annotated[
    str,
    typer.Option(
        metavar="auto|VALUE",
        help=(
            "Ridge penalty per row, scikit-learn's alpha over the rows, such as --penalty 0.1; 0 is least squares"
            " or interpolation; auto finds the best."
        ),
    ),
]
Time = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help=("Column with the time of each row, such as --time month; each month, or other step, is one retraining."),
    ),
]
RowsPerGeneration = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="New rows at each retraining, such as --rows-per-generation 200; by default the median per time step."
    ),
]
MayKeep = Annotated[
    str,
    typer.Option(
        metavar="nothing|model|moments|rows",
        help=(
            "What may be kept from one retraining to the next, such as --may-keep model: nothing, the last model,"
            " sums over past rows (X'X and X'y), or the rows."
        ),
    ),
]
SyntheticLabels = Annotated[
    str | None,
    typer.Option(
        metavar="predictions|sampled",
        help=(
            "What the model writes in place of real labels: its plain predictions, or predictions with noise "
            "drawn as in the real labels (sampled)."
        ),
    ),
]
SyntheticNoise = Annotated[
    float | None,
    typer.Option(
        "--synthetic-noise-ratio",
        "--synthetic-noise",
        metavar="RHO",
        help=(
            "The same as a number: variance of the noise in synthetic labels over that in real ones, such as "
            "--synthetic-noise 0.5; 0 is predictions, 1 sampled."
        ),
    ),
]
Generations = Annotated[
    str | None,
    typer.Option(
        metavar="T|inf",
        help=(
            "Number of retrainings after which the error counts, such as --generations 24; inf is the long run. "
            "By default the long run for the same rows, 12 for new ones."
        ),
    ),
]
Separator = Annotated[
    str | None,
    typer.Option(
        metavar="SIGN",
        parser=_sign,
        help="What separates fields in a text file, such as --separator ';' or --separator tab; by default read off the file.",
    ),
]
Decimal = Annotated[
    str | None,
    typer.Option(metavar=".|,", help="The decimal sign of a text file, such as --decimal ,; by default read off the file."),
]
Drop = Annotated[
    list[str] | None, typer.Option("--drop", metavar="COLUMN", help="Column to leave out, such as --drop id; repeat for more.")
]
DropMissing = Annotated[bool, typer.Option("--drop-missing", help="Leave out rows with an empty cell in a feature.")]
Impute = Annotated[
    str | None,
    typer.Option(
        metavar="mean|median",
        help="Fill empty cells of a feature by its mean or median over the labelled rows, such as --impute median.",
    ),
]
DropUnlabelled = Annotated[bool, typer.Option("--drop-unlabelled", help="Leave out rows without a real label.")]
Standardize = Annotated[
    bool,
    typer.Option(
        "--standardize/--no-standardize",
        show_default=False,
        help="Scale every feature to variance 1 (the default), or leave them as they are.",
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        metavar="N", help="Seed of the draws behind the intervals, such as --seed 1; the same seed gives the same answer."
    ),
]


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
