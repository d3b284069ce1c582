"""What a label plan says, in parts: verdict, recipe, figures, curve."""

import math
from collections.abc import Sequence
from typing import Any

from .figures import UNBOUNDED, figures, span, with_interval
from .layout import Answer, Block, Grid, Lines, Pairs, Verdict
from .loop import horizon, synthetic_labels

_NEVER = "out of reach"
# Rows of the curve on screen; a file has all of them.
_SHOWN = 9
CURVE = ("labels", "cost", "excess risk", "90% interval", "alone", "keep all")
CURVE_REMARK = "alone: fitted on this generation's labels only; keep all: on those of all generations so far"


# A ``freshmix.Plan``: it stands above this room, and is read by its fields alone.
Planned = Any


def answer(found: Planned) -> Answer:
    """All of it."""
    feasible = found.verdict == "feasible"
    return (
        Block((found.assumption,)),
        Verdict(found.verdict, found.reason),
        Block((recipe(found),)) if feasible else Lines("What would help", found.changes),
        Pairs(f"{'Plan' if feasible else 'Closest'} (90% intervals in brackets)", expected(found)),
        Grid("Excess risk by labels per generation (squared label units)", CURVE, curve(found)),
        Lines(None, (CURVE_REMARK,)),
        Pairs("Estimated from the table (90% intervals in brackets)", estimates(found)),
        Lines("Warnings", found.warnings),
        Lines("Notes", found.notes),
    )


def assumption(rows: int, noise_ratio: float, generations: int | None, first_rows: float | None) -> str:
    """The loop that is assumed, in one sentence; ``first_rows`` of the first generation over ``rows``, None: as any other."""
    first = "the first time too"
    if first_rows is not None:
        count = max(round(first_rows * rows), 1)
        first = f"{count} the first time, as in the table"
    synthetic = synthetic_labels(noise_ratio, "plain predictions", "labels sampled from the previous model")
    return (
        f"Assumed loop: {rows} new rows in each generation, the same number of them labelled each time ({first}), "
        f"{synthetic} for the others, no old rows kept; judged {horizon(generations)}."
    )


def reason(
    verdict: str,
    labels: int,
    risk: float,
    least: tuple[int, float],
    rows: int,
    aspect: float,
    target: float | None,
    null: float,
) -> str:
    """Why the verdict: ``labels`` of ``rows`` bring ``risk``; ``least`` holds the labels and the risk where that is lowest."""
    figure = f"{least[1]:.4g} with {least[0]} labels" if math.isfinite(least[1]) else UNBOUNDED
    if verdict == "collapses":
        return (
            f"no share of labels prevents collapse at aspect ratio {aspect:.4g}: the least excess risk is "
            f"{figure}, above {null:.4g} for predicting the mean"
        )
    if verdict == "out of reach":
        return f"the least excess risk in {rows} rows is {figure}, above the target {target:.4g}"
    return (
        f"excess risk {risk:.4g} with {labels} labels per generation; the least is {figure}, "
        f"and predicting the mean has {null:.4g}"
    )


def free_penalty(penalty: float, risk: float) -> str:
    """What the best penalty would bring in place of a given one."""
    return f"the best penalty in place of {penalty:g}: excess risk {risk:.4g} with all rows labelled"


def free_row_weight(labels: int, risk: float) -> str:
    """What a row weight of its own would bring."""
    return f"a free row weight for rows without a label: excess risk {risk:.4g} with {labels} labels"


def no_help(most: float) -> str:
    """More rows bring nothing."""
    return f"more rows alone do not help, up to {most:g} times as many"


def more_rows(rows: int, instead_of: int) -> str:
    """As many rows as would do."""
    return f"{rows} rows per generation instead of {instead_of}, all labelled"


def fewer_features(features: int, instead_of: int) -> str:
    """As few features as would do."""
    return f"{features} features instead of {instead_of}, if they carry the signal"


def worse_than_mean(labels: int, risk: float) -> str:
    """A loop that a plan's labels leave above the null risk, and the labels with the least."""
    return f"with these labels the loop is worse than predicting the mean; {labels} labels have {risk:.4g}"


def recipe(found: Planned) -> str:
    """What to do, in a sentence."""
    loop = found.loop
    rest = next((group.row_weight for group in loop.groups or () if not group.labelled), None)
    others = "" if rest is None else f", other rows at row weight {figures(rest)}" if rest else ", other rows left out"
    mine = max(group.real_weight for group in loop.groups or ())
    return (
        f"Label {found.labels:g} of {found.rows_per_generation} rows in each generation; real weight {figures(mine)} on them"
        f"{others}; penalty {figures(loop.penalty)} (scikit-learn alpha = {figures(loop.penalty * found.rows_per_generation)})."
    )


def expected(found: Planned) -> list[tuple[str, str]]:
    """Name and value of what the plan needs and brings, with 90% intervals in brackets where there are any."""
    known, when = found.intervals, horizon(found.generations)
    names = {"real_only": "labels, this generation's alone", "keep_all_labels": "labels, if all old ones are kept"}
    return [
        ("labels per generation", with_interval(found.labels, known.get("labels"), _NEVER)),
        ("cost per generation", with_interval(found.cost, known.get("cost"), _NEVER)),
        (f"excess risk {when}", with_interval(found.risk, known.get("risk"))),
        (f"prediction error {when}", with_interval(found.prediction_error, known.get("prediction_error"))),
        *((names[key], figures(value, _NEVER)) for key, value in found.rivals.items()),
    ]


def curve(found: Planned) -> list[Sequence[str]]:
    """Some rows of the curve, under the names in ``CURVE``."""
    import numpy as np

    rows: list[Sequence[str]] = []
    for i in np.unique(np.linspace(0, len(found.curve["labels"]) - 1, _SHOWN).astype(int)):
        at = {name: float(values[i]) for name, values in found.curve.items()}
        cells = (f"{at['labels']:g}", figures(at["cost"]), figures(at["risk"]), span(at["risk_low"], at["risk_high"]))
        rows.append((*cells, figures(at["real_only"]), figures(at["keep_all_labels"])))
    return rows


def estimates(found: Planned) -> list[tuple[str, str]]:
    """Name and value of what was estimated from the table."""
    return [
        ("rows per generation, features", f"{found.rows_per_generation}, {found.features}"),
        ("aspect ratio (features / rows)", figures(found.aspect)),
        ("noise variance", with_interval(found.noise_variance, found.intervals.get("noise_variance"))),
        ("signal-to-noise ratio", figures(found.signal_to_noise_ratio)),
    ]
