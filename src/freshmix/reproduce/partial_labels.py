"""Figure 7: real labels on some rows only."""

from collections.abc import Mapping

import numpy as np

from .._checks import Floats
from ..optimum import collapse_boundary
from ..plots.panels import Marks, Panel, Series
from ..risk import risk
from .curves import GENERATION, RISK, along_generations
from .paper_figure import PaperFigure
from .part import Part, by_generation
from .statistics import growth

ASPECT = "aspect ratio γ"
_GROWTH = "growth of the risk"
_TICKS = (0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 2.5)


def content(parts: Mapping[str, Part]) -> list[Panel]:
    """Risk by generation on both sides of gamma*, growth of the risk, and where it grows without bound."""
    course, grown = parts["partial_generations"], parts["partial_growth"]
    names = {gamma: "γ = γ* = 1.309" if 1.3 < gamma < 1.32 else f"γ = {gamma:g}" for gamma in course.values("aspect")}
    courses = [along_generations(course, name, aspect=gamma) for gamma, name in names.items()]
    against = grown.against(by_generation)
    shares = grown.values("labelled")
    rates = [_growth(against, f"{share:.0%} labelled", labelled=share) for share in shares]
    return [
        Panel("half of the rows labelled", GENERATION, RISK, courses, whole_x=True, y_log=True),
        Panel(
            "growth (R₆ - R₃) / (R₃ - R₀)",
            ASPECT,
            _GROWTH,
            rates,
            x_log=True,
            x_ticks=_TICKS,
            y_log=True,
            levels=[(1.0, "1: on the boundary")],
        ),
        _phase(grown, shares, rates),
    ]


def _growth(part: Part, label: str, labelled: float) -> Series:
    line = []
    for gamma in (grid := np.concatenate([np.geomspace(0.4, 0.9, 40), [np.nan], np.geomspace(1.12, 2.5, 60)])):
        first, middle, last = _three(part, float(gamma), labelled)
        line.append((last - middle) / (middle - first))
    return Series(label, (grid, np.array(line)), part.marks(growth, "aspect", labelled=labelled))


def _three(part: Part, aspect: float, labelled: float) -> Floats:
    if np.isnan(aspect):
        return np.full(3, np.nan)
    half = part.sweep.generations // 2
    return risk(*part.setting(aspect=aspect, labelled=labelled), 2 * half)[[0, half, 2 * half]]


def _edges(part: Part, labelled: float) -> tuple[float, float]:
    """Aspects between which the loop diverges."""
    intervals = collapse_boundary(*part.setting(labelled=labelled))
    return (min(low for low, _ in intervals), max(high for _, high in intervals)) if intervals else (1.0, 1.0)


def _phase(part: Part, shares: tuple[float, ...], rates: list[Series]) -> Panel:
    """The region in which theory says that the loop diverges, and where simulated risks grew faster and faster."""
    y = np.linspace(0.02, 0.98, 49)
    edges = np.array([_edges(part, float(share)) for share in y])
    found = {True: ([], []), False: ([], [])}
    for share, series in zip(shares, rates, strict=True):
        assert series.marks is not None
        for gamma, value in zip(series.marks.x, series.marks.value, strict=True):
            found[bool(value > 1)][0].append(float(gamma))
            found[bool(value > 1)][1].append(float(share))
    points = [_points("grew faster and faster", *found[True], 1, False), _points("settled", *found[False], 0, True)]
    return Panel(
        "where the loop diverges",
        ASPECT,
        "share of rows labelled",
        [Series("", (edges[:, 0], y), colour=5), Series("boundary (theory)", (edges[:, 1], y), colour=5), *points],
        x_log=True,
        x_ticks=_TICKS,
        y_limits=(0.0, 1.0),
        band=[(y, edges[:, 0], edges[:, 1], "diverges (theory)")],
    )


def _points(label: str, x: list[float], y: list[float], colour: int, hollow: bool) -> Series:
    missing = np.full(len(x), np.nan)
    return Series(label, None, Marks(np.array(x), np.array(y), missing, missing, missing), colour=colour, hollow=hollow)


FIGURE = PaperFigure(
    "partial-labels",
    "Real labels on some rows only, no penalty, Σ = I",
    {
        "partial_generations": {"replicates": 40, "grid": {"rows": [60, 120]}},
        "partial_growth": {"replicates": 24, "grid": {"rows": [60, 120]}},
    },
    content,
    columns=3,
)
