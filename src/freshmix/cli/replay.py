"""``freshmix replay``: the loop with any scikit-learn model on the rows of a table."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import freshmix as fm
from freshmix import plots
from freshmix.files import checked_path
from freshmix.words import any_model as words

from . import model_options as model_of
from . import table_options as options
from .command import stopped_softly, told
from .output import PICTURES, AsJson, Output, grid_csv, printing, quiet

if TYPE_CHECKING:
    import xarray as xr

SUFFIXES = (".nc", ".csv", ".json", *PICTURES)

Weights = Annotated[
    str, typer.Option(metavar="W1,W2,...", help="Real weights, 0 to 1, all on the same draws, such as --real-weight 0.5,1.")
]
Repeats = Annotated[int, typer.Option(metavar="R", help="Independent splits and draws, such as --repeats 50.")]
Save = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE", help="Write the results: .nc (all repeats), .csv and .json (means), .png .svg .pdf; repeat for more."
    ),
]

EXAMPLES = (
    "freshmix replay sales.csv --target amount --model sklearn.linear_model.Ridge --set alpha=10 --labelled 0.3",
    "freshmix replay images.parquet --target digit --model sklearn.naive_bayes.GaussianNB --save images.png",
    "freshmix replay big.parquet --target y --model sklearn.ensemble.RandomForestRegressor --store runs.zarr --workers 8",
)


def replay(
    table: options.Tables,
    target: options.Target,
    model: model_of.Model,
    settings: model_of.Settings = None,
    real_weight: Weights = "0,0.25,0.5,0.618,0.75,1",
    generations: model_of.Generations = 10,
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
    repeats: Repeats = 20,
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
    """The loop with any scikit-learn model on real rows, judged on others."""
    from freshmix.tables import read_table

    targets = [checked_path(path, "--save", SUFFIXES) for path in save or []]
    estimator = model_of.estimator(model, settings or [])
    weights = model_of.numbers(real_weight, "--real-weight")
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
        found = fm.replay(
            estimator,
            rows.X,
            rows.y,
            real_weight=weights,
            generations=generations,
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
            repeats=repeats,
            seed=seed,
            workers=workers,
            store=store,
            progress=sys.stderr.isatty(),
        )
    _output(found).deliver(as_json, targets, "\n\n".join(f"Written to {path}" for path in targets))


def _output(found: "xr.Dataset") -> Output:
    means = found.mean("repeat").assign(
        {f"{name}_error": found[name].std("repeat", ddof=1) / found.sizes["repeat"] ** 0.5 for name in found}
    )
    content = {
        "attributes": dict(found.attrs),
        "coordinates": {str(name): means[name].values for name in ("real_weight", "generation")},
        **{str(name): means[name].values for name in means.data_vars},
    }
    makers = {".nc": lambda: bytes(found.to_netcdf(engine="scipy")), ".csv": lambda: grid_csv(means, nan="")}
    return Output(lambda: printing(words.answer(found, means)), content, lambda: plots.replay_picture(found), makers, indent=2)
