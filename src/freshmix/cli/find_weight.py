"""``freshmix find-weight``: the best real weight of any scikit-learn model on the rows of a table."""

import sys
from pathlib import Path
from typing import Annotated

import typer

import freshmix as fm
from freshmix import plots
from freshmix.files import checked_path

from . import model_options as model_of
from . import table_options as options
from .command import stopped_softly, told
from .output import PICTURES, AsJson, Output, csv, printed, quiet

SUFFIXES = (".csv", ".json", *PICTURES)

Weights = Annotated[
    str | None,
    typer.Option(
        metavar="W1,W2,...",
        help="Real weights to try, such as --weights 0.3,0.8, beside 1/phi, 1/2 and 1; by default eight, and theory's.",
    ),
]
Repeats = Annotated[
    int,
    typer.Option(
        metavar="R", help="Splits and draws of the first round, such as --repeats 32; the interval has four times as many."
    ),
]
Level = Annotated[float, typer.Option(metavar="P", help="Level of the interval, such as --level 0.95.")]
Save = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Write the answer: .csv (weights tried), .json, .png .svg .pdf; repeat for more."),
]

EXAMPLES = (
    "freshmix find-weight sales.csv --target amount --model sklearn.ensemble.RandomForestRegressor --labelled 0.3",
    "freshmix find-weight images.parquet --target digit --model sklearn.naive_bayes.GaussianNB --store search.zarr",
)


def find_weight(
    table: options.Tables,
    target: options.Target,
    model: model_of.Model,
    settings: model_of.Settings = None,
    weights: Weights = None,
    generations: model_of.Generations = 5,
    labelled: model_of.Labelled = 1.0,
    covariates: model_of.Covariates = "fresh",
    rows_per_generation: model_of.RowsPerGeneration = None,
    row_weight: model_of.RowWeight = 1.0,
    synthetic_labels: model_of.SyntheticLabels = "predictions",
    threshold: model_of.Threshold = 0.0,
    mixing: model_of.Mixing = "auto",
    workflow: model_of.Workflow = "replace",
    kept_generations: model_of.Kept = "0",
    forgetting: model_of.Forgetting = 1.0,
    anchor: model_of.Anchor = 0.0,
    anchoring: model_of.Anchoring = "offset",
    test_share: model_of.TestShare = 0.25,
    repeats: Repeats = 16,
    level: Level = 0.9,
    workers: model_of.Workers = 1,
    seed: model_of.Seed = 0,
    store: model_of.Store = None,
    drop: options.Drop = None,
    drop_missing: options.DropMissing = False,
    impute: options.Impute = None,
    separator: options.Separator = None,
    decimal: options.Decimal = None,
    as_json: AsJson = False,
    save: Save = None,
) -> None:
    """The best real weight for any scikit-learn model, with an interval."""
    from freshmix.tables import read_table

    targets = [checked_path(path, "--save", SUFFIXES) for path in save or []]
    estimator = model_of.estimator(model, settings or [])
    tried = None if weights is None else model_of.numbers(weights, "--weights")
    rows = read_table(
        options.files(table),
        target=target,
        drop=drop or (),
        drop_missing=drop_missing,
        impute=impute,
        separator=separator,
        decimal=decimal,
    )
    with quiet(), stopped_softly(), told():
        found = fm.find_weight(
            estimator,
            rows.X,
            rows.y,
            weights=tried,
            generations=generations,
            repeats=repeats,
            level=level,
            seed=seed,
            workers=workers,
            progress=sys.stderr.isatty(),
            labelled=labelled,
            covariates=covariates,
            rows_per_generation=rows_per_generation,
            row_weight=row_weight,
            synthetic_labels=synthetic_labels,
            threshold=threshold,
            mixing=mixing,
            workflow=workflow,
            kept_generations=model_of.kept(kept_generations),
            forgetting=forgetting,
            anchor=anchor,
            anchoring=anchoring,
            test_share=test_share,
            store=store,
        )
    frame = found.to_frame()
    makers = {".csv": lambda: csv({str(name): frame[name].to_numpy() for name in frame})}
    output = Output(printed(found), found.to_dict(), lambda: plots.found_weight_picture(found), makers, indent=2)
    output.deliver(as_json, targets, "\n\n".join(f"Written to {path}" for path in targets))
