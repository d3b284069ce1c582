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
from .output import AsJson, Output, printed, quiet, waiting

Kernel = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help=(
            "Kernel of the regression, such as --kernel rbf; linear, or one of scikit-learn's: rbf, polynomial, laplacian ..."
        ),
    ),
]
SampleWeight = Annotated[
    str | None,
    typer.Option(
        "--sample-weight",
        "--weight",
        metavar="COLUMN",
        help=(
            "Column with the precision of each label, such as --sample-weight n_raters; twice the weight means "
            "half the noise variance."
        ),
    ),
]
Predictions = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help=(
            "Column with labels that another model (a teacher) predicts, such as --predictions gpt; empty where it has none. "
            "The answer says what they are worth."
        ),
    ),
]
Covariates = Annotated[
    str | None,
    typer.Option(
        metavar="frozen|fresh",
        help=("Whether each retraining has the same rows (frozen) or new ones (fresh); by default what the table shows."),
    ),
]
Labelled = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE", help="Share of new rows that get a real label, such as --labelled 0.3; by default the table's."
    ),
]
RowWeight = Annotated[
    float | None,
    typer.Option(
        metavar="A",
        help=(
            "Weight in the loss (sample_weight) that rows without a real label have today, such as --row-weight "
            "0.5, others having 1; compared with the best."
        ),
    ),
]
Schedule = Annotated[
    bool, typer.Option("--schedule", help="Choose a real weight for each retraining instead of a constant one.")
]
Labels = Annotated[
    str | None,
    typer.Option(
        metavar="fresh|frozen",
        help=(
            "Whether real labels are collected anew at each retraining (fresh) or only the first time (frozen); by default"
            " fresh, but for a target of classes, whose labels come back the same."
        ),
    ),
]
LabelRenewal = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help=(
            "For the same rows labelled again: share of the label noise that is new, from 0 (the same label comes"
            " back) to 1, such as --label-renewal 0.3; by default what the table shows."
        ),
    ),
]
RealWeight = Annotated[
    float | None,
    typer.Option(
        metavar="W",
        help=(
            "Weight of the real label in today's mix, 0 to 1, such as --real-weight 0.5: today's setting is "
            "compared with the best."
        ),
    ),
]
Report = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write a report as well, such as --report report.html; .html, .png or .pdf.")
]

EXAMPLES = (
    "freshmix recommend homes.csv --target value --time month",
    "freshmix recommend homes.csv --target value --time month --may-keep model --real-weight 0.5",
    "freshmix recommend diabetes.csv --target progression --report report.html",
)


def recommend(
    # Help lists them in this order: those that most people need come first.
    table: options.Tables,
    target: options.Target,
    time: options.Time = None,
    may_keep: options.MayKeep = "rows",
    real_weight: RealWeight = None,
    generations: options.Generations = None,
    report: Report = None,
    as_json: AsJson = False,
    drop: options.Drop = None,
    drop_missing: options.DropMissing = False,
    impute: options.Impute = None,
    drop_unlabelled: options.DropUnlabelled = False,
    labels: Labels = None,
    label_renewal: LabelRenewal = None,
    covariates: Covariates = None,
    rows_per_generation: options.RowsPerGeneration = None,
    labelled: Labelled = None,
    synthetic_labels: options.SyntheticLabels = None,
    synthetic_noise_ratio: options.SyntheticNoise = None,
    row_weight: RowWeight = None,
    sample_weight: SampleWeight = None,
    predictions: Predictions = None,
    schedule: Schedule = False,
    penalty: options.Penalty = "auto",
    kernel: Kernel = "linear",
    standardize: options.Standardize = True,
    separator: options.Separator = None,
    decimal: options.Decimal = None,
    seed: options.Seed = 0,
) -> None:
    """How to retrain on a table: the best way, what it brings, and how sure that is."""
    # Before the computation: nobody should wait to be told of a typing error.
    targets = [] if report is None else [checked_path(report, "--report", SUFFIXES)]
    with quiet():
        with waiting():
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
                predictions=predictions,
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
            # Worked out when it is asked for: here, where it is seen to be done.
            content = found.to_dict()
        makers = {".html": lambda: page(found, TITLE, None).encode()}
        output = Output(printed(found), content, partial(plots.all_pictures, found), makers)
        output.deliver(as_json, targets, f"Report written to {report}")
