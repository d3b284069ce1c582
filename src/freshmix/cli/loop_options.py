"""Options that describe a loop, shared by the commands that take one."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

import freshmix as fm

if TYPE_CHECKING:
    from freshmix.loop import Loop
    from freshmix.population import Population

PopulationName = Annotated[
    str,
    typer.Argument(
        metavar="POPULATION",
        help="isotropic, random-effects, spiked, two-level, autoregressive, equicorrelated, power-law; a .json or .toml file.",
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Parameter of the population, such as strength=10; repeat."),
]
Aspect = Annotated[float | None, typer.Option(metavar="GAMMA", help="Features / rows per generation.")]
Penalty = Annotated[float, typer.Option(metavar="LAMBDA", help="Ridge penalty; 0 interpolates (min-norm or least squares).")]
RealWeight = Annotated[float | None, typer.Option(metavar="W", help="Real weight, 0 to 1; without any, the best one.")]
Schedule = Annotated[str | None, typer.Option(metavar="W1,W2,...", help="Real weights by generation; the last is kept on.")]
Covariates = Annotated[str, typer.Option(metavar="frozen|fresh", help="The same rows in each generation, or new ones.")]
Labels = Annotated[str, typer.Option(metavar="fresh|frozen", help="Real labels anew in each generation, or only the first.")]
SyntheticNoise = Annotated[
    float, typer.Option(metavar="RHO", help="Noise of synthetic labels over that of real ones; 0: plain predictions.")
]
Labelled = Annotated[float | None, typer.Option(metavar="SHARE", help="Share of new rows that get a real label.")]
RowWeight = Annotated[float, typer.Option(metavar="A", help="Loss weight of rows without a real label, with --labelled.")]
Groups = Annotated[
    list[str] | None, typer.Option("--group", metavar="SHARE,ROW_WEIGHT,W", help="A group of new rows; repeat for each.")
]


def population_of(name: str, parameters: Sequence[str] | None) -> "Population":
    """A population from its name and NAME=VALUE parameters, or from a file."""
    from freshmix.population_file import SUFFIXES, named_population, read_population

    given = dict(_parameter(text) for text in parameters or ())
    if name.endswith(SUFFIXES):
        if given:
            raise ValueError(f"--parameter goes with a named population, got it beside the file {name!r}")
        return read_population(name)
    return named_population(name, given)


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not (name.strip() and equals):
        raise ValueError(f"--parameter must be NAME=VALUE, got {text!r}")
    values = numbers(value, f"--parameter {name.strip()}")
    return name.strip().replace("-", "_"), values if len(values) > 1 else values[0]


def numbers(text: str, option: str) -> list[float]:
    """Numbers with commas between them."""
    try:
        return [float(each) for each in text.split(",")]
    except ValueError:
        raise ValueError(f"{option} must be numbers with commas between them, got {text!r}") from None


def loop_of(
    aspect: float | None,
    penalty: float,
    real_weight: float | None,
    schedule: str | None,
    covariates: str,
    labels: str,
    synthetic_noise: float,
    labelled: float | None,
    row_weight: float,
    groups: Sequence[str] | None,
) -> "Loop":
    """The loop that the options describe; labelled shares and groups mean fresh covariates."""
    common: dict[str, Any] = {"aspect": aspect, "penalty": penalty, "labels": labels, "synthetic_noise_ratio": synthetic_noise}
    ways = {"--real-weight": real_weight, "--schedule": schedule, "--labelled": labelled, "--group": groups or None}
    given = [name for name, value in ways.items() if value is not None]
    if len(given) > 1 and set(given) != {"--real-weight", "--labelled"}:
        raise ValueError(f"a loop takes one of {', '.join(ways)}, got {' and '.join(given)}")
    if row_weight != 1.0 and labelled is None:
        raise ValueError("--row-weight goes with --labelled, got it alone")
    if labelled is not None:
        weight = 1.0 if real_weight is None else real_weight
        return fm.Loop.partially_labelled(
            labelled=labelled, real_weight=weight, row_weight=(1.0, row_weight), covariates="fresh", **common
        )
    if groups:
        return fm.Loop(groups=[_group(text) for text in groups], covariates="fresh", **common)
    weights = None if schedule is None else numbers(schedule, "--schedule")
    return fm.Loop(real_weight=real_weight, schedule=weights, covariates=covariates, **common)


def _group(text: str) -> "fm.Group":
    values = numbers(text, "--group")
    if len(values) != 3 or not all(map(math.isfinite, values)):
        raise ValueError(f"--group must be three numbers SHARE,ROW_WEIGHT,REAL_WEIGHT, got {text!r}")
    share, row_weight, real_weight = values
    return fm.Group(share, row_weight, real_weight)


def in_words(loop: "Loop", weight_grid: bool = False, penalty_grid: bool = False) -> str:
    """The loop that is assumed, in one sentence; grids take the place of its real weight and its penalty."""
    rows = "new rows in each generation" if loop.covariates == "fresh" else "the same rows relabelled in each generation"
    if loop.labels == "frozen":
        rows += ", real labels only the first time"
    learner = f"ridge, penalty {loop.penalty:.4g}" if loop.penalty else "no penalty (min-norm, or least squares below aspect 1)"
    if penalty_grid:
        learner = "a grid of penalties"
    if weight_grid:
        partly = loop.groups is not None and 0 < loop.labelled < 1
        weights = "a grid of real weights on " + (
            f"{100 * loop.labelled:.4g}% of rows, 0 on the others" if partly else "all rows"
        )
    elif loop.schedule is not None:
        weights = (
            "real weights " + ", ".join(f"{w:.4g}" for w in loop.schedule[:6]) + (" ..." if len(loop.schedule) > 6 else "")
        )
    elif loop.groups is None:
        weights = "best real weight"
    elif len(loop.groups) == 1:
        weights = f"real weight {loop.groups[0].real_weight:.4g} on all rows"
    else:
        weights = "; ".join(
            f"{100 * g.share:.4g}% of rows at real weight {g.real_weight:.4g}"
            + (f", row weight {g.row_weight:.4g}" if g.row_weight != 1 else "")
            for g in loop.groups
        )
    aspect = "" if loop.aspect is None else f", aspect {loop.aspect:.4g}"
    noise = loop.synthetic_noise_ratio
    return f"Assumed loop: {rows}{aspect}; {learner}; {weights}; synthetic noise {noise:.4g} times that of real labels."
