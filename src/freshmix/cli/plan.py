"""``freshmix plan``: a table in, labels per generation and what they bring out."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import freshmix as fm
from freshmix import plots
from freshmix.files import checked_path

from . import table_options as options
from .output import PICTURES, AsJson, Output, csv, printed, quiet

SUFFIXES = (".json", ".csv", *PICTURES)

Cost = Annotated[float, typer.Option("--cost-per-label", metavar="COST", help="Price of one real label.")]
TargetRisk = Annotated[float | None, typer.Option(metavar="RISK", help="Excess risk to reach with as few labels as possible.")]
TargetError = Annotated[float | None, typer.Option(metavar="ERROR", help="The same for the prediction error (noise included).")]
Budget = Annotated[float | None, typer.Option(metavar="MONEY", help="What labels may cost in each generation.")]
RowWeight = Annotated[
    str, typer.Option(metavar="auto|VALUE", help="Loss weight of rows without a label; 0 leaves them out; auto finds the best.")
]
Save = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help=".json, .csv (the curve) or a picture: .png .svg .pdf; repeat."),
]


def plan(
    table: options.Tables,
    target: options.Target,
    cost_per_label: Cost,
    target_risk: TargetRisk = None,
    target_error: TargetError = None,
    budget: Budget = None,
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
    save: Save = None,
    seed: options.Seed = 0,
) -> None:
    """Real labels per generation for a target, or what a budget of labels reaches."""
    targets = [checked_path(path, "--save", SUFFIXES) for path in save or ()]
    with quiet():
        found = fm.plan(
            options.files(table),
            target,
            cost_per_label=cost_per_label,
            target_risk=target_risk,
            target_error=target_error,
            budget=budget,
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
        output = Output(printed(found), found.to_dict(), partial(plots.plan_picture, found), {".csv": lambda: csv(found.curve)})
        output.deliver(as_json, targets, "\n".join(f"Written to {path}" for path in targets))
