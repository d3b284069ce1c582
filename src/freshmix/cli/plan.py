"""``freshmix plan``: a table in, labels per generation and what they bring out."""

import math
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import freshmix as fm
from freshmix.files import checked_path, picture, replace_file

from . import recommend as options
from .printing import as_text, block, lines, pairs, print_and_write

if TYPE_CHECKING:
    from rich.console import Console

SUFFIXES = (".json", ".csv", ".png", ".svg", ".pdf")
_NEVER = "out of reach"
# Rows of the curve on screen; a file has all of them.
_SHOWN = 9

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
    synthetic_noise: options.SyntheticNoise = None,
    drop: options.Drop = None,
    drop_missing: options.DropMissing = False,
    no_standardize: options.NoStandardize = False,
    as_json: options.AsJson = False,
    save: Save = None,
    seed: options.Seed = 0,
) -> None:
    """Real labels per generation for a target, or what a budget of labels reaches."""
    targets = [checked_path(path, "--save", SUFFIXES) for path in save or ()]
    given: dict[str, Any] = {
        "cost_per_label": cost_per_label,
        "target_risk": target_risk,
        "target_error": target_error,
        "budget": budget,
        "rows_per_generation": rows_per_generation,
        "generations": options.generations_of(generations),
        "penalty": options.number_or_auto(penalty, "--penalty"),
        "row_weight": options.number_or_auto(row_weight, "--row-weight"),
        "synthetic_noise_ratio": options.synthetic_noise_of(synthetic_labels, synthetic_noise) or 0.0,
        "standardize": not no_standardize,
        "seed": seed,
    }
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        from freshmix.tables import open_table

        found = fm.plan(open_table(table, target, time=time, drop=tuple(drop or ()), drop_missing=drop_missing), **given)

    def write() -> None:
        for path in targets:
            replace_file(path, _content(found, path.suffix.lower()[1:]))

    print_and_write(found, as_json, _print, write)
    if targets and not as_json:
        typer.echo("\n" + "\n".join(f"Written to {path}" for path in targets))


def _content(found: "fm.Plan", kind: str) -> bytes:
    if kind == "json":
        return (as_text(found) + "\n").encode()
    if kind == "csv":
        columns = [values.tolist() for values in found.curve.values()]
        rows = (",".join(repr(value) for value in row) for row in zip(*columns, strict=True))
        return ("\n".join((",".join(found.curve), *rows)) + "\n").encode()
    from freshmix.plots import plan_picture

    return picture(plan_picture(found), kind)


def _print(found: "fm.Plan") -> None:
    """The plan in plain words."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)
    console.print(found.assumption)
    console.print()
    console.print(Text.assemble((found.verdict, "bold"), f": {found.reason}"))
    if found.verdict == "feasible":
        console.print(_recipe(found))
    else:
        lines(console, "What would help", found.changes)
    pairs(console, f"{'Plan' if found.verdict == 'feasible' else 'Closest'} (90% intervals in brackets)", _figures(found))
    _curve(console, found)
    pairs(
        console,
        "Estimated from the table (90% intervals in brackets)",
        [
            ("rows per generation, features", f"{found.rows_per_generation}, {found.features}"),
            ("aspect ratio (features / rows)", _figure(found.aspect)),
            ("noise variance", _with_interval(found, "noise_variance", found.noise_variance)),
            ("signal-to-noise ratio", _figure(found.signal_to_noise_ratio)),
        ],
    )
    for heading, texts in (("Warnings", found.warnings), ("Notes", found.notes)):
        if texts:
            lines(console, heading, texts)


def _recipe(found: "fm.Plan") -> str:
    loop = found.loop
    rest = next((group.row_weight for group in loop.groups or () if not group.labelled), None)
    others = "" if rest is None else f", other rows at row weight {_figure(rest)}" if rest else ", other rows left out"
    mine = max(group.real_weight for group in loop.groups or ())
    return (
        f"Label {found.labels:g} of {found.rows_per_generation} rows in each generation; real weight {_figure(mine)} on them"
        f"{others}; penalty {_figure(loop.penalty)} (scikit-learn alpha = {_figure(loop.penalty * found.rows_per_generation)})."
    )


def _figures(found: "fm.Plan") -> list[tuple[str, str]]:
    until = "in the long run" if found.generations is None else f"at generation {found.generations}"
    rows = [
        ("labels per generation", _with_interval(found, "labels", found.labels)),
        ("cost per generation", _with_interval(found, "cost", found.cost)),
        (f"excess risk {until}", _with_interval(found, "risk", found.risk)),
        (f"prediction error {until}", _with_interval(found, "prediction_error", found.prediction_error)),
    ]
    names = {"real_only": "labels, this generation's alone", "keep_all_labels": "labels, if all old ones are kept"}
    return [*rows, *((names[key], _figure(value, _NEVER)) for key, value in found.rivals.items())]


def _curve(console: "Console", found: "fm.Plan") -> None:
    import numpy as np
    from rich.table import Table

    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
    names = ("labels", "cost", "excess risk", "90% interval", "alone", "keep all")
    for name in names:
        grid.add_column(name, justify="right")
    curve = found.curve
    for i in np.unique(np.linspace(0, curve["labels"].size - 1, _SHOWN).astype(int)):
        at = {name: float(values[i]) for name, values in curve.items()}
        cells = (f"{at['labels']:g}", _figure(at["cost"]), _figure(at["risk"]), _span(at["risk_low"], at["risk_high"]))
        grid.add_row(*cells, _figure(at["real_only"]), _figure(at["keep_all_labels"]))
    block(console, "Excess risk by labels per generation (squared label units)", grid)
    lines(console, None, ("alone: fitted on this generation's labels only; keep all: on those of all generations so far",))


def _figure(value: float, infinite: str = "unbounded") -> str:
    return infinite if math.isinf(value) else f"{value:.4g}"


def _span(low: float, high: float, infinite: str = "unbounded") -> str:
    """An interval; one word where both of its ends are infinite."""
    return infinite if math.isinf(low) else f"{_figure(low)} to {_figure(high, infinite)}"


def _with_interval(found: "fm.Plan", key: str, value: float) -> str:
    infinite = _NEVER if key in ("labels", "cost") else "unbounded"
    text = _figure(value, infinite)
    if key not in found.intervals:
        return text
    span = _span(*found.intervals[key], infinite)
    return text if span == text else f"{text} ({span})"
