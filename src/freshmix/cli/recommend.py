"""``freshmix recommend``: a table in, the best real weight and penalty out."""

import math
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

import freshmix as fm
from freshmix.files import checked_path
from freshmix.words import code
from freshmix.words import recommendation as words
from freshmix.words.loop import horizon

from .printing import grid, lines, pairs, plain_console, print_and_write, verdict

Tables = Annotated[
    list[Path],
    typer.Argument(metavar="TABLE...", help="CSV or Parquet file, one row per example; several of them, or a pattern."),
]
Target = Annotated[str, typer.Option("--target", metavar="COLUMN", help="Column that holds the real labels.")]
Kernel = Annotated[
    str, typer.Option(metavar="NAME", help="linear, or a kernel of scikit-learn: rbf, polynomial, laplacian ...")
]
Weight = Annotated[str | None, typer.Option("--weight", metavar="COLUMN", help="Column of sample weights: label precisions.")]
Penalty = Annotated[str, typer.Option(metavar="auto|VALUE", help="Ridge penalty lambda; 0 interpolates; auto finds the best.")]
Covariates = Annotated[
    str | None,
    typer.Option(metavar="frozen|fresh", help="The same rows in each generation, or new ones; by default read off the table."),
]
Time = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of time steps: one generation each.")]
RowsPerGeneration = Annotated[
    int | None, typer.Option(metavar="N", help="New rows per generation; by default the median per time step.")
]
Labelled = Annotated[
    float | None, typer.Option(metavar="SHARE", help="Share of new rows that get a real label; by default the table's.")
]
RowWeight = Annotated[
    float | None, typer.Option(metavar="A", help="Loss weight in use today of rows without a real label, others having 1.")
]
Schedule = Annotated[bool, typer.Option("--schedule", help="A weight for each generation instead of a constant one.")]
Labels = Annotated[
    str, typer.Option(metavar="fresh|frozen", help="Real labels come anew in each generation, or only the first time.")
]
SyntheticLabels = Annotated[
    str | None,
    typer.Option(metavar="predictions|sampled", help="Plain predictions, or with the model's own noise."),
]
SyntheticNoise = Annotated[
    float | None, typer.Option(metavar="RHO", help="Noise of synthetic labels over that of real ones; in place of the above.")
]
RealWeight = Annotated[float | None, typer.Option(metavar="W", help="Real weight in use today, 0 to 1, to compare with.")]
Generations = Annotated[
    str | None, typer.Option(metavar="T|inf", help="Generation to be best at; inf: the long run (12 with fresh covariates).")
]
Drop = Annotated[list[str] | None, typer.Option("--drop", metavar="COLUMN", help="Column to leave out; may be repeated.")]
DropMissing = Annotated[bool, typer.Option("--drop-missing", help="Leave out rows with missing values.")]
NoStandardize = Annotated[bool, typer.Option("--no-standardize", help="Keep the features' own scales.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; unbounded values are null.")]
Report = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a report as well: .html, .png or .pdf.")]
Seed = Annotated[int, typer.Option(metavar="N", help="Seed of the posterior draws.")]


def recommend(
    table: Tables,
    target: Target,
    kernel: Kernel = "linear",
    penalty: Penalty = "auto",
    covariates: Covariates = None,
    time: Time = None,
    rows_per_generation: RowsPerGeneration = None,
    labelled: Labelled = None,
    weight: Weight = None,
    labels: Labels = "fresh",
    synthetic_labels: SyntheticLabels = None,
    synthetic_noise: SyntheticNoise = None,
    real_weight: RealWeight = None,
    row_weight: RowWeight = None,
    schedule: Schedule = False,
    generations: Generations = None,
    drop: Drop = None,
    drop_missing: DropMissing = False,
    no_standardize: NoStandardize = False,
    as_json: AsJson = False,
    report: Report = None,
    seed: Seed = 0,
) -> None:
    """Best real weight and ridge penalty for a table."""
    if report is not None:
        # Before the computation: nobody should wait to be told of a typing error.
        checked_path(report, "--report", (".html", ".png", ".pdf"))
    options: dict[str, Any] = {
        "penalty": number_or_auto(penalty, "--penalty"),
        "kernel": kernel,
        "generations": generations_of(generations),
        "rows_per_generation": rows_per_generation,
        "labelled": labelled,
        "schedule": schedule,
        "standardize": not no_standardize,
        "seed": seed,
    }
    noise = synthetic_noise_of(synthetic_labels, synthetic_noise)
    reading: dict[str, Any] = {
        "target": target,
        "time": time,
        "weight": weight,
        "drop_missing": drop_missing,
        "drop": tuple(drop or ()),
    }
    with warnings.catch_warnings():
        if not sys.warnoptions:
            # What a user should know is in the recommendation; stderr is for errors.
            warnings.simplefilter("ignore")
        fm.Loop(labels=labels, synthetic_noise_ratio=noise or 0.0, real_weight=real_weight, covariates=covariates or "frozen")
        from freshmix.prepared.large import read_large
        from freshmix.tables import Table, open_table

        rows = open_table(table, **reading)
        held = rows if isinstance(rows, Table) else read_large(rows, not no_standardize)
        asked = any(each is not None for each in (time, rows_per_generation, labelled, row_weight))
        stream = asked or held.partly
        fresh = covariates == "fresh" or (covariates is None and stream)
        known: dict[str, Any] = {
            "covariates": "fresh" if fresh else "frozen",
            "labels": labels,
            # New rows come with plain predictions unless said otherwise.
            "synthetic_noise_ratio": noise if noise is not None else float(not fresh),
            "real_weight": real_weight,
        }
        loop = fm.Loop(**known)
        if row_weight is not None:
            # Groups say today's setting and the share of labelled rows too.
            today = fm.Loop.partially_labelled(
                labelled=held.share if labelled is None else labelled,
                real_weight=1.0 if real_weight is None else real_weight,
                row_weight=(1.0, row_weight),
            )
            loop, options["labelled"] = loop.replace(groups=today.groups), None
        found = fm.recommend(held, loop=loop, **options)

        def write() -> None:
            if report is not None:
                from freshmix.report import write_report

                lines_of_code = code.lines([str(each) for each in table], reading, loop, found.options)
                write_report(found, report, command=lines_of_code)

        print_and_write(found, as_json, _print, write)
    if report is not None and not as_json:
        typer.echo(f"\nReport written to {report}")


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


def _print(found: "fm.Recommendation") -> None:
    """The recommendation in plain words, wrapped at the terminal's width."""
    console = plain_console()
    console.print(found.assumption)
    verdict(console, found.verdict, found.reason)
    console.print(words.recipe(found))
    pairs(console, "Recommended (90% intervals in brackets)", words.settings(found))
    heading = f"Against other ways of training, {horizon(found.generations)} (squared label units)"
    grid(console, heading, words.RIVALS, words.rival_rows(found), left=1)
    lines(console, None, words.remarks(found))
    if words.backtested(found):
        pairs(console, "Backtest: mean squared error on the labelled rows of the next step", words.backtested(found))
    lines(console, "Does the theory fit this table?", (words.checked(found),))
    pairs(console, "Estimated from the table (90% intervals in brackets)", words.estimates(found))
    lines(console, "Warnings", found.warnings)
    lines(console, "Notes", found.notes)
