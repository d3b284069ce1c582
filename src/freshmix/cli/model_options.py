"""Options of the commands that put any scikit-learn model in the loop."""

import ast
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

Model = Annotated[
    str,
    typer.Option(metavar="MODULE.CLASS", help="Any regressor or classifier: --model sklearn.ensemble.RandomForestRegressor."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the model: --set n_estimators=50; may be repeated."),
]
Generations = Annotated[int, typer.Option(metavar="T", help="Generations after the first, such as --generations 5.")]
Labelled = Annotated[
    float, typer.Option(metavar="SHARE", help="Share of later rows whose real label is known, such as --labelled 0.3.")
]
Covariates = Annotated[str, typer.Option(metavar="fresh|frozen", help="New rows in each generation, or the same ones.")]
RowsPerGeneration = Annotated[
    int | None,
    typer.Option(metavar="N", help="Rows of a generation, such as --rows-per-generation 200; by default they are shared out."),
]
RowWeight = Annotated[
    float, typer.Option(metavar="A", help="What rows without a real label count, such as --row-weight 0.5; 0 leaves them out.")
]
SyntheticLabels = Annotated[
    str,
    typer.Option(
        metavar="predictions|sampled|probabilities",
        help="Plain predictions; draws; or, for classes, a row for each by its probability.",
    ),
]
Threshold = Annotated[
    float,
    typer.Option(metavar="P", help="Classifiers: leave out unlabelled rows less sure than this, such as --threshold 0.9."),
]
Mixing = Annotated[
    str, typer.Option(metavar="auto|labels|rows|draws", help="One mixed label, a weighted row for each label, or one of both.")
]
Workflow = Annotated[
    str, typer.Option(metavar="NAME", help="replace, accumulate or accumulate-subsample: what a model is fitted on.")
]
Kept = Annotated[str, typer.Option(metavar="M|all", help="Earlier generations whose labelled rows stay in the fit.")]
Forgetting = Annotated[
    float, typer.Option(metavar="F", help="What a kept row counts for each generation that it is old, such as 0.9.")
]
Anchor = Annotated[float, typer.Option(metavar="A", help="Share of the last model that a fit starts from, such as 0.5.")]
Anchoring = Annotated[
    str,
    typer.Option(
        metavar="offset|warm_start|init",
        help="How a fit starts from the last model: by --anchor, or by the model's own setting warm_start or init.",
    ),
]
TestShare = Annotated[float, typer.Option(metavar="SHARE", help="Share of the labelled rows that judge.")]
Workers = Annotated[int, typer.Option(metavar="K", help="Processes, such as --workers 4.")]
Seed = Annotated[int, typer.Option(metavar="S", help="Seed: the same numbers for any number of workers.")]
Store = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder that keeps what is finished, such as --store runs.zarr: the same command goes on where it stopped.",
    ),
]


def kept(text: str) -> Any:
    """A number of generations, None for all of them."""
    from .table_options import number_or_word

    return None if text == "all" else number_or_word(text)


def numbers(text: str, option: str) -> list[float]:
    """Numbers with commas between them."""
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        raise ValueError(f"{option} must be numbers with commas between them, got {text!r}") from None


def estimator(name: str, settings: list[str]) -> Any:
    """An estimator by the name of its class, with settings as Python writes them, or as text."""
    module, _, kind = name.rpartition(".")
    expected = f"--model must be MODULE.CLASS, sklearn.linear_model.Ridge for one, got {name!r}"
    try:
        place = import_module(module)
    except ModuleNotFoundError as problem:
        raise ValueError(f"{expected}: there is no module {problem.name}") from None
    except (ImportError, ValueError):
        raise ValueError(expected) from None
    made = getattr(place, kind, None)
    if made is None:
        near = get_close_matches(kind, dir(place), n=1, cutoff=0.7)
        raise ValueError(f"{expected}" + (f" (did you mean {module}.{near[0]}?)" if near else f": {module} has no {kind}"))
    values = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ValueError(f"--set must be NAME=VALUE, got {setting!r}")
        try:
            values[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            values[key] = value
    try:
        return made(**values)
    except TypeError as problem:
        raise ValueError(f"--set must name settings of {kind}: {problem}") from None
