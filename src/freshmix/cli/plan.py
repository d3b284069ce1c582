"""``freshmix plan``: a table in, labels per generation and what they bring out."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import freshmix as fm
from freshmix import plots
from freshmix.files import checked_path
from freshmix.report import PLAN_TITLE
from freshmix.report import SUFFIXES as REPORTS
from freshmix.report.page import page

from . import table_options as options
from .output import PICTURES, AsJson, Output, csv, printed, quiet, waiting

SUFFIXES = (".json", ".csv", *PICTURES)

EXAMPLES = (
    "freshmix plan homes.csv --target value --time month --cost-per-label 2",
    "freshmix plan homes.csv --target value --time month --cost-per-label 2 --value 100 --may-keep model",
    "freshmix plan homes.csv --target value --time month --cost-per-label 2 --target-error 1600 --report plan.html",
)

Cost = Annotated[
    float, typer.Option("--cost-per-label", metavar="COST", help="Price of one real label, such as --cost-per-label 2.")
]
TargetRisk = Annotated[
    float | None,
    typer.Option(
        metavar="RISK",
        help="Error above the unavoidable noise (excess risk) to reach with as few labels as possible, in squared label units.",
    ),
]
TargetError = Annotated[
    float | None,
    typer.Option(
        metavar="ERROR",
        help="Mean squared prediction error to reach with as few labels as possible, such as --target-error 1600.",
    ),
]
Budget = Annotated[
    float | None, typer.Option(metavar="MONEY", help="What labels may cost in each retraining, such as --budget 100.")
]
Value = Annotated[
    float | None,
    typer.Option(
        metavar="MONEY",
        help=(
            "What one unit less of the typical error (root of the prediction error, in label units) is worth in each "
            "retraining, such as --value 100: buys the labels that pay."
        ),
    ),
]
Owned = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Labels that are owned already, for the first model, such as --owned 1400; by default the first time step's.",
    ),
]
RowWeight = Annotated[
    str,
    typer.Option(
        metavar="auto|VALUE",
        help="Weight in the loss (sample_weight) of rows without a real label in the mix; 0 leaves them out; auto is the best.",
    ),
]
Report = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write a report as well, such as --report plan.html; .html, .png or .pdf.")
]
Save = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Write everything (.json), the curves (.csv) or the picture (.png .svg .pdf); repeat."),
]


def plan(
    table: options.Tables,
    target: options.Target,
    cost_per_label: Cost,
    target_risk: TargetRisk = None,
    target_error: TargetError = None,
    budget: Budget = None,
    value: Value = None,
    owned: Owned = None,
    may_keep: options.MayKeep = "rows",
    time: options.Time = None,
    rows_per_generation: options.RowsPerGeneration = None,
    generations: options.Generations = None,
    penalty: options.Penalty = "auto",
    row_weight: RowWeight = "auto",
    synthetic_labels: options.SyntheticLabels = None,
    synthetic_noise_ratio: options.SyntheticNoise = None,
    drop: options.Drop = None,
    drop_missing: options.DropMissing = False,
    impute: options.Impute = None,
    drop_unlabelled: options.DropUnlabelled = False,
    separator: options.Separator = None,
    decimal: options.Decimal = None,
    standardize: options.Standardize = True,
    as_json: AsJson = False,
    report: Report = None,
    save: Save = None,
    seed: options.Seed = 0,
) -> None:
    """How many labels to buy: for a target, with a budget, or where buying more brings little."""
    targets = [checked_path(path, "--save", SUFFIXES) for path in save or ()]
    targets += [] if report is None else [checked_path(report, "--report", REPORTS)]
    with quiet():
        with waiting():
            found = fm.plan(
                options.files(table),
                target,
                cost_per_label=cost_per_label,
                target_risk=target_risk,
                target_error=target_error,
                budget=budget,
                value=value,
                owned=owned,
                may_keep=may_keep,
                time=time,
                rows_per_generation=rows_per_generation,
                generations=options.number_or_word(generations),
                penalty=options.number_or_word(penalty),
                row_weight=options.number_or_word(row_weight),
                synthetic_labels=synthetic_labels,
                synthetic_noise_ratio=synthetic_noise_ratio,
                drop=drop or (),
                drop_missing=drop_missing,
                impute=impute,
                drop_unlabelled=drop_unlabelled,
                separator=separator,
                decimal=decimal,
                standardize=standardize,
                seed=seed,
            )
            content = found.to_dict()
        makers = {".csv": lambda: csv(found.curves), ".html": lambda: page(found, PLAN_TITLE, None).encode()}
        output = Output(printed(found), content, partial(plots.plan_picture, found), makers)
        output.deliver(as_json, targets, "\n".join(f"Written to {path}" for path in targets))
