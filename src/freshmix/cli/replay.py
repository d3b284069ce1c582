"""``freshmix replay``: the loop with any scikit-learn model on the rows of a table."""

import ast
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import freshmix as fm
from freshmix.files import checked_path
from freshmix.words import any_model as words

from . import table_options as options
from .output import AsJson, Output, grid_csv, printing, quiet

if TYPE_CHECKING:
    import xarray as xr

SUFFIXES = (".nc", ".csv", ".json")

Model = Annotated[
    str, typer.Option(metavar="MODULE.CLASS", help="Any regressor or classifier: sklearn.ensemble.RandomForestRegressor.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the model: n_estimators=50; may be repeated."),
]
Weights = Annotated[str, typer.Option(metavar="W1,W2,...", help="Real weights, 0 to 1, all on the same draws.")]
Generations = Annotated[int, typer.Option(metavar="T", help="Generations after the first.")]
Labelled = Annotated[float, typer.Option(metavar="SHARE", help="Share of later rows whose real label is known: 0.3.")]
Covariates = Annotated[str, typer.Option(metavar="fresh|frozen", help="New rows in each generation, or the same ones.")]
RowsPerGeneration = Annotated[int | None, typer.Option(metavar="N", help="By default the rows are shared out evenly.")]
RowWeight = Annotated[float, typer.Option(metavar="A", help="What rows without a real label count; 0 leaves them out.")]
SyntheticLabels = Annotated[
    str, typer.Option(metavar="predictions|sampled", help="Plain predictions, or draws: probabilities, or residuals added.")
]
Threshold = Annotated[float, typer.Option(metavar="P", help="Classifiers: leave out unlabelled rows less sure than this: 0.9.")]
Mixing = Annotated[
    str, typer.Option(metavar="auto|labels|rows|draws", help="One mixed label, a weighted row for each label, or one of both.")
]
Workflow = Annotated[
    str, typer.Option(metavar="NAME", help="replace, accumulate or accumulate-subsample: what a model is fitted on.")
]
Kept = Annotated[str, typer.Option(metavar="M|all", help="Earlier generations whose labelled rows stay in the fit.")]
Forgetting = Annotated[float, typer.Option(metavar="F", help="What a kept row counts for each generation that it is old: 0.9.")]
Anchor = Annotated[float, typer.Option(metavar="A", help="Share of the last model that a fit starts from, 0 to 1.")]
TestShare = Annotated[float, typer.Option(metavar="SHARE", help="Share of the labelled rows that judge.")]
Repeats = Annotated[int, typer.Option(metavar="R", help="Independent splits and draws.")]
Workers = Annotated[int, typer.Option(metavar="K", help="Processes.")]
Seed = Annotated[int, typer.Option(metavar="S", help="Seed: the same numbers for any number of workers.")]
Save = Annotated[
    list[Path] | None, typer.Option(metavar="FILE", help=".nc (all repeats), .csv and .json (means); may be repeated.")
]


EXAMPLES = (
    "freshmix replay sales.csv --target amount --model sklearn.linear_model.Ridge --set alpha=10 --labelled 0.3",
    "freshmix replay images.parquet --target digit --model sklearn.naive_bayes.GaussianNB --real-weight 0.5,1",
)


def replay(
    table: options.Tables,
    target: options.Target,
    model: Model,
    settings: Settings = None,
    real_weight: Weights = "0,0.25,0.5,0.618,0.75,1",
    generations: Generations = 10,
    labelled: Labelled = 1.0,
    covariates: Covariates = "fresh",
    rows_per_generation: RowsPerGeneration = None,
    row_weight: RowWeight = 1.0,
    synthetic_labels: SyntheticLabels = "predictions",
    threshold: Threshold = 0.0,
    mixing: Mixing = "auto",
    workflow: Workflow = "replace",
    kept_generations: Kept = "0",
    forgetting: Forgetting = 1.0,
    anchor: Anchor = 0.0,
    test_share: TestShare = 0.25,
    repeats: Repeats = 20,
    workers: Workers = 1,
    seed: Seed = 0,
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
    estimator = _model(model, settings or [])
    rows = read_table(
        options.files(table),
        target=target,
        drop=drop or (),
        drop_missing=drop_missing,
        impute=impute,
        separator=separator,
        decimal=decimal,
    )
    with quiet():
        found = fm.replay(
            estimator,
            rows.X,
            rows.y,
            real_weight=_numbers(real_weight),
            generations=generations,
            labelled=labelled,
            covariates=covariates,
            rows_per_generation=rows_per_generation,
            row_weight=row_weight,
            synthetic_labels=synthetic_labels,
            threshold=threshold,
            mixing=mixing,
            workflow=workflow,
            kept_generations=None if kept_generations == "all" else options.number_or_word(kept_generations),
            forgetting=forgetting,
            anchor=anchor,
            test_share=test_share,
            repeats=repeats,
            seed=seed,
            workers=workers,
        )
    _output(found).deliver(as_json, targets, "\n\n".join(f"Written to {path}" for path in targets))


def _model(name: str, settings: list[str]) -> Any:
    """An estimator by the name of its class, with settings as Python writes them, or as text."""
    module, _, kind = name.rpartition(".")
    try:
        found = getattr(import_module(module), kind)
    except (ImportError, AttributeError, ValueError):
        raise ValueError(f"--model must be MODULE.CLASS, sklearn.linear_model.Ridge for one, got {name!r}") from None
    values = {}
    for each in settings:
        key, equals, value = each.partition("=")
        if not equals:
            raise ValueError(f"--set must be NAME=VALUE, got {each!r}")
        try:
            values[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            values[key] = value
    try:
        return found(**values)
    except TypeError as problem:
        raise ValueError(f"--set must name settings of {kind}: {problem}") from None


def _numbers(text: str) -> list[float]:
    try:
        return [float(each) for each in text.split(",")]
    except ValueError:
        raise ValueError(f"--real-weight must be numbers with commas between them, got {text!r}") from None


def _output(found: "xr.Dataset") -> Output:
    means = found.mean("repeat").assign(
        {f"{name}_error": found[name].std("repeat", ddof=1) / found.sizes["repeat"] ** 0.5 for name in found}
    )
    content = {
        "attributes": dict(found.attrs),
        "coordinates": {str(name): means[name].values for name in ("real_weight", "generation")},
        **{str(name): means[name].values for name in means.data_vars},
    }

    def draw() -> Any:
        raise ValueError("a replay has no picture yet")

    makers = {".nc": lambda: bytes(found.to_netcdf(engine="scipy")), ".csv": lambda: grid_csv(means, nan="")}
    return Output(lambda: printing(words.answer(found, means)), content, draw, makers, indent=2)
