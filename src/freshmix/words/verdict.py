"""Why a loop does what it does (mathematics.md section 6)."""

import math
from typing import Any

from ..loop import Loop
from .figures import figures, short
from .layout import Answer, Pairs, Verdict

GROWS = "the excess risk grows without bound"


def means(loop: Loop) -> str:
    """What a loop does beside fitting this generation's real labels."""
    if loop.kept_generations != 0:
        return "kept rows"
    synthetic = loop.schedule is not None or any(group.real_weight != 1 for group in loop.groups or ())
    if loop.anchor > 0:
        return "synthetic labels and anchors" if synthetic else "anchors"
    return "synthetic labels"


def answer(found: Any) -> Answer:
    """All that a ``freshmix.Limit`` holds."""
    return Verdict(found.verdict, found.reason), Pairs("Squared label units", facts(found))


def facts(found: Any) -> list[tuple[str, str]]:
    """Names and values of the figures behind it."""
    collapse = [] if found.collapse_number is None else [("collapse number", figures(found.collapse_number))]
    return [
        ("excess risk in the long run", figures(found.risk)),
        ("excess risk of generation 0", figures(found.first)),
        ("with real labels only", figures(found.real_only)),
        ("of predicting the mean", figures(found.null)),
        *collapse,
    ]


def reason(
    verdict: str,
    risk: float,
    real_only: float,
    null: float,
    above_null: bool,
    when: str = "in the long run",
    by: str = "synthetic labels",
) -> str:
    """Of a bounded loop, with the figures that decide."""
    figures = f"error above the unavoidable noise (excess risk) {short(risk)} {when}, {short(real_only)} with real labels only"
    beside = f"; above that of predicting the mean, {short(null)}" if above_null else ""
    because = {
        "holds": f"no collapse, {by} change nothing",
        "improves": f"no collapse, {by} average the noise of past real labels",
        "collapses": "worse than using no model at all",
        "degrades": f"no collapse, but {by} cost more than they bring",
    }
    return f"{because[verdict]}: {figures}{beside}"


def frozen_unbounded(aspect: float | None, real_weight: float, from_the_start: bool, penalty: float = 0.0) -> str:
    """Of a loop on the same rows: without a penalty, anchored to all of the last model, or at weights beyond [0, 1]."""
    if from_the_start:
        return (
            f"at the interpolation threshold: aspect {aspect:g} without a penalty leaves no rows to spare, and the variance "
            "is unbounded from generation 0 on; use a penalty, or more or fewer features"
        )
    if not 0 <= real_weight <= 1:
        return (
            f"real weight {real_weight:g}: in the strongest directions each generation moves further from the real labels than "
            "the last one was"
        )
    keeps = "without a penalty" if penalty == 0 else "with an anchor of 1"
    return (
        f"real weight {real_weight:g} {keeps}: each generation adds the noise of its synthetic labels and none is "
        "forgotten, so that the excess risk grows linearly"
    )


def fresh_unbounded(aspect: float | None, collapse_number: float, at_threshold: bool) -> str:
    """Of a loop on new rows."""
    if at_threshold:
        return (
            f"at the interpolation threshold: aspect {aspect:g} without a penalty leaves no rows to spare; use a penalty, or "
            "more or fewer features"
        )
    if math.isinf(collapse_number):
        return "no real labels enter and least squares forgets nothing: each generation adds the noise of its labels"
    return f"collapse number {collapse_number:.4g} is 1 or more: each generation brings back more error than the last one had"
