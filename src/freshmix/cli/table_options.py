"""Options that describe a table and its loop, shared by the commands that take one."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from freshmix.prepared import Prepared
    from freshmix.tables import Table

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


def synthetic_noise_of(words: str | None, ratio: float | None) -> float | None:
    """rho from either of its two options."""
    if words is None:
        return ratio
    if ratio is not None:
        raise ValueError("--synthetic-labels and --synthetic-noise say the same: give one of them")
    kinds = {"predictions": 0.0, "sampled": 1.0}
    if words not in kinds:
        raise ValueError(f"--synthetic-labels must be predictions or sampled, got {words!r}")
    return kinds[words]


def generations_of(text: str | None) -> int | float | None:
    """The horizon; None where it is left to the default."""
    if text is None or text == "inf":
        return None if text is None else math.inf
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"--generations must be a whole number of at least 1 or inf, got {text!r}") from None


def number_or_auto(text: str, option: str) -> float | str:
    """A number of at least 0, or the word auto."""
    if text == "auto":
        return text
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{option} must be auto or a number of at least 0, got {text!r}") from None
    if not 0 <= value < math.inf:
        raise ValueError(f"{option} must be auto or a number of at least 0, got {text!r}")
    return value


def read(tables: Sequence[Path], reading: Mapping[str, Any], standardize: bool) -> "Table | Prepared":
    """The table of files, or what is left of one that is read in blocks."""
    from freshmix.prepared import prepare
    from freshmix.tables import Table, open_table

    rows = open_table(tables, **reading)
    return rows if isinstance(rows, Table) else prepare(rows, standardize=standardize)
