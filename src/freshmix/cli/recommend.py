"""``freshmix recommend``: a table in, the best real weight and penalty out."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import freshmix as fm
from freshmix import plots
from freshmix.files import checked_path
from freshmix.report import SUFFIXES, TITLE
from freshmix.report.page import page

from . import table_options as options
from .output import AsJson, Output, printed, quiet

Kernel = Annotated[
    str, typer.Option(metavar="NAME", help="linear, or a kernel of scikit-learn: rbf, polynomial, laplacian ...")
]
SampleWeight = Annotated[
    str | None,
    typer.Option("--sample-weight", "--weight", metavar="COLUMN", help="Column of sample weights: label precisions."),
]
Covariates = Annotated[
    str | None,
    typer.Option(metavar="frozen|fresh", help="The same rows in each generation, or new ones; by default read off the table."),
]
Labelled = Annotated[
    float | None, typer.Option(metavar="SHARE", help="Share of new rows that get a real label; by default the table's.")
]
RowWeight = Annotated[
    float | None, typer.Option(metavar="A", help="Loss weight in use today of rows without a real label, others having 1.")
]
Schedule = Annotated[bool, typer.Option("--schedule", help="A weight for each generation instead of a constant one.")]
MayKeep = Annotated[
    str,
    typer.Option(metavar="nothing|model|moments|rows", help="What may be kept from one generation to the next."),
]
Labels = Annotated[
    str, typer.Option(metavar="fresh|frozen", help="Real labels come anew in each generation, or only the first time.")
]
LabelRenewal = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Of the label noise, new when a row is labelled again; by default read off the table."),
]
RealWeight = Annotated[float | None, typer.Option(metavar="W", help="Real weight in use today, 0 to 1, to compare with.")]
Report = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a report as well: .html, .png or .pdf.")]


def recommend(
    table: options.Tables,
    target: options.Target,
    kernel: Kernel = "linear",
    penalty: options.Penalty = "auto",
    covariates: Covariates = None,
    time: options.Time = None,
    rows_per_generation: options.RowsPerGeneration = None,
    labelled: Labelled = None,
    sample_weight: SampleWeight = None,
    labels: Labels = "fresh",
    label_renewal: LabelRenewal = None,
    synthetic_labels: options.SyntheticLabels = None,
    synthetic_noise_ratio: options.SyntheticNoise = None,
    real_weight: RealWeight = None,
    row_weight: RowWeight = None,
    schedule: Schedule = False,
    may_keep: MayKeep = "rows",
    generations: options.Generations = None,
    drop: options.Drop = None,
    drop_missing: options.DropMissing = False,
    impute: options.Impute = None,
    drop_unlabelled: options.DropUnlabelled = False,
    separator: options.Separator = None,
    decimal: options.Decimal = None,
    standardize: options.Standardize = True,
    as_json: AsJson = False,
    report: Report = None,
    seed: options.Seed = 0,
) -> None:
    """Best real weight and ridge penalty for a table."""
    # Before the computation: nobody should wait to be told of a typing error.
    targets = [] if report is None else [checked_path(report, "--report", SUFFIXES)]
    with quiet():
        found = fm.recommend(
            options.files(table),
            target,
            kernel=kernel,
            penalty=options.number_or_word(penalty),
            covariates=covariates,
            time=time,
            rows_per_generation=rows_per_generation,
            labelled=labelled,
            sample_weight=sample_weight,
            labels=labels,
            label_renewal=label_renewal,
            synthetic_labels=synthetic_labels,
            synthetic_noise_ratio=synthetic_noise_ratio,
            real_weight=real_weight,
            row_weight=row_weight,
            schedule=schedule,
            may_keep=may_keep,
            generations=options.number_or_word(generations),
            drop=drop or (),
            drop_missing=drop_missing,
            impute=impute,
            drop_unlabelled=drop_unlabelled,
            separator=separator,
            decimal=decimal,
            standardize=standardize,
            seed=seed,
        )
        makers = {".html": lambda: page(found, TITLE, None).encode()}
        output = Output(printed(found), found.to_dict(), partial(plots.all_pictures, found), makers)
        output.deliver(as_json, targets, f"Report written to {report}")
