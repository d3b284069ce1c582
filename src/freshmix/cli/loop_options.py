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
        help="What the data are like: {populations}; or a .json or .toml file.",
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter", "-p", metavar="NAME=VALUE", help="Parameter of the population, such as -p strength=10; repeat for more."
    ),
]
Aspect = Annotated[
    float | None, typer.Option(metavar="GAMMA", help="Features per row of one fit (aspect ratio), such as --aspect 0.5.")
]
Penalty = Annotated[
    float,
    typer.Option(
        metavar="LAMBDA",
        help=(
            "Ridge penalty per row, such as --penalty 0.1; 0 is least squares, or interpolation where features outnumber rows."
        ),
    ),
]
RealWeight = Annotated[
    float | None,
    typer.Option(
        metavar="W",
        help=("Weight of the real label in the mix, such as --real-weight 0.6, 0 to 1 with new rows; by default the best one."),
    ),
]
Schedule = Annotated[
    str | None,
    typer.Option(
        metavar="W1,W2,...", help="A real weight for each retraining, such as --schedule 0.9,0.7,0.6; the last is kept on."
    ),
]
Covariates = Annotated[
    str, typer.Option(metavar="frozen|fresh", help="Whether each retraining has the same rows (frozen) or new ones (fresh).")
]
Labels = Annotated[
    str,
    typer.Option(
        metavar="fresh|frozen",
        help="Whether real labels are collected anew at each retraining (fresh) or only the first time (frozen).",
    ),
]
SyntheticNoise = Annotated[
    float,
    typer.Option(
        "--synthetic-noise-ratio",
        "--synthetic-noise",
        metavar="RHO",
        help=(
            "Variance of the noise in synthetic labels over that in real ones, such as --synthetic-noise 0: plain predictions."
        ),
    ),
]
Labelled = Annotated[
    float | None, typer.Option(metavar="SHARE", help="Share of new rows that get a real label, such as --labelled 0.3.")
]
RowWeight = Annotated[
    float,
    typer.Option(
        metavar="A",
        help=("Weight in the loss (sample_weight) of rows without a real label, such as --row-weight 0.5, with --labelled."),
    ),
]
Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--group",
        metavar="SHARE,ROW_WEIGHT,W",
        help=(
            "A group of new rows: its share, weight in the loss and real weight, such as --group 0.3,1,0.8; repeat for each."
        ),
    ),
]
Persistence = Annotated[
    float | None,
    typer.Option(
        metavar="C",
        help=("Share of the coefficients that the next generation keeps, such as --persistence 0.97; 1: nothing drifts."),
    ),
]
RowSizes = Annotated[
    str | None,
    typer.Option(
        metavar="B:SHARE,...",
        help=(
            "Rows of unequal size: squared size and share of each kind, such as --row-sizes 0.5:0.8,3:0.2; scaled"
            " to a mean of 1."
        ),
    ),
]
LabelRenewal = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="For the same rows labelled again: share of the label noise that is new, such as --label-renewal 0.3.",
    ),
]
Anchor = Annotated[
    float,
    typer.Option(
        metavar="ALPHA",
        help="Share of the previous model that the penalty pulls towards, such as --anchor 0.9; 0 is plain ridge.",
    ),
]
KeptGenerations = Annotated[
    str,
    typer.Option(
        metavar="M|all",
        help=(
            "How many earlier generations' labelled rows stay in the fit, such as --kept-generations 3, or all; new rows only."
        ),
    ),
]
Forgetting = Annotated[
    float,
    typer.Option(
        metavar="F", help="Weight of a kept row for each generation of its age, such as --forgetting 0.8; 1 keeps all alike."
    ),
]
FirstRows = Annotated[
    float,
    typer.Option(metavar="RATIO", help="Rows of generation 0 over those of any other, such as --first-rows 2; new rows only."),
]


def population_of(
    name: str, parameters: Sequence[str] | None, persistence: float | None = None, row_sizes: str | None = None
) -> "Population":
    """A population from its name and NAME=VALUE parameters, or from a file."""
    from freshmix.arguments import listed
    from freshmix.population_file import MODELS, SUFFIXES, lacking, named_population, read_population

    given = dict(_parameter(text) for text in parameters or ())
    if name.endswith(SUFFIXES):
        if given:
            raise ValueError(f"--parameter goes with a named population, got it beside the file {name!r}")
        found = read_population(name)
    elif "." in name:
        raise ValueError(
            f"population must be one of {', '.join(MODELS)}, or a file that ends in {' or '.join(SUFFIXES)}, got {name!r}; "
            "a table goes with freshmix recommend, or freshmix explore"
        )
    elif missing := lacking(name, given):
        how = " ".join(f"-p {each}=VALUE" for each in missing)
        raise ValueError(f"population {name} needs {listed(missing)}: add {how}")
    else:
        found = named_population(name, given)
    changes = {"persistence": persistence, "row_sizes": None if row_sizes is None else _row_sizes(row_sizes)}
    return found.replace(**{name: value for name, value in changes.items() if value is not None})


def _row_sizes(text: str) -> tuple[list[float], list[float]]:
    """Values and shares of B:SHARE,..., scaled to a mean and a sum of 1."""
    pairs = [each.split(":") for each in text.split(",")]
    try:
        sizes, shares = ([float(value) for value in part] for part in zip(*pairs, strict=True))
    except ValueError:
        raise ValueError(f"--row-sizes must be sizes and shares such as 0.5:0.8,3:0.2, got {text!r}") from None
    if not all(0 < value < math.inf for value in (*sizes, *shares)):
        raise ValueError(f"--row-sizes must be sizes and shares above 0, got {text!r}")
    total = math.fsum(shares)
    shares = [share / total for share in shares]
    mean = math.fsum(size * share for size, share in zip(sizes, shares, strict=True))
    return [size / mean for size in sizes], shares


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not (name.strip() and equals):
        raise ValueError(f"--parameter must be NAME=VALUE, got {text!r}")
    values = numbers(value, f"--parameter {name.strip()}", "a number, or numbers with commas between them")
    return name.strip().replace("-", "_"), values if len(values) > 1 else values[0]


def numbers(text: str, option: str, expected: str = "numbers with commas between them") -> list[float]:
    """Numbers with commas between them."""
    try:
        return [float(each) for each in text.split(",")]
    except ValueError:
        raise ValueError(f"{option} must be {expected}, got {text!r}") from None


def grid(text: str | None, option: str) -> list[float] | None:
    """The numbers of a grid, where one is asked for."""
    return None if text is None else numbers(text, option)


def loop_of(
    aspect: float | None,
    penalty: float,
    real_weight: float | None,
    schedule: str | None,
    covariates: str,
    labels: str,
    synthetic_noise_ratio: float,
    labelled: float | None,
    row_weight: float,
    groups: Sequence[str] | None,
    label_renewal: float | None,
    anchor: float,
    kept_generations: str,
    forgetting: float,
    first_rows: float,
) -> "Loop":
    """The loop that the options describe; labelled shares and groups mean fresh covariates."""
    common: dict[str, Any] = {
        "aspect": aspect,
        "penalty": penalty,
        "labels": labels,
        "synthetic_noise_ratio": synthetic_noise_ratio,
    }
    ways = {"--real-weight": real_weight, "--schedule": schedule, "--labelled": labelled, "--group": groups or None}
    given = [name for name, value in ways.items() if value is not None]
    if len(given) > 1 and set(given) != {"--real-weight", "--labelled"}:
        raise ValueError(f"a loop takes one of {', '.join(ways)}, got {' and '.join(given)}")
    if row_weight != 1.0 and labelled is None:
        raise ValueError("--row-weight goes with --labelled, got it alone")
    if labelled is not None:
        weight = 1.0 if real_weight is None else real_weight
        loop = fm.Loop.partially_labelled(labelled=labelled, real_weight=weight, row_weight=(1.0, row_weight), **common)
    elif groups:
        loop = fm.Loop(groups=[_group(text) for text in groups], covariates="fresh", **common)
    else:
        loop = fm.Loop(real_weight=real_weight, schedule=grid(schedule, "--schedule"), covariates=covariates, **common)
    kept = None if kept_generations == "all" else _whole(kept_generations)
    memory = {"anchor": anchor, "kept_generations": kept, "forgetting": forgetting, "first_rows": first_rows}
    loop = loop.replace(label_renewal=label_renewal, **memory)
    if loop.aspect is None:
        raise ValueError("--aspect is needed: features / rows per generation")
    return loop


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"--kept-generations must be a whole number or all, got {text!r}") from None


def _group(text: str) -> "fm.Group":
    values = numbers(text, "--group")
    if len(values) != 3 or not all(map(math.isfinite, values)):
        raise ValueError(f"--group must be three numbers SHARE,ROW_WEIGHT,REAL_WEIGHT, got {text!r}")
    share, row_weight, real_weight = values
    return fm.Group(share, row_weight, real_weight)
