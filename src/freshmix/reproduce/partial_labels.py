"""Figure 7: real labels on some rows only."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..optima import collapse_boundary
from ..plots.panels import Marks, Panel, Series
from ..risks import risk
from .curves import GENERATION, RISK, along_generations
from .paper_figure import PaperFigure
from .part import Part, by_generation
from .statistics import growth

ASPECT = "aspect ratio γ"
_TICKS = (0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 2.5)
# Both sides of the interpolation threshold, where risks have no finite mean.
_ASPECTS = np.concatenate([np.geomspace(0.4, 0.94, 30), [np.nan], np.geomspace(1.06, 2.5, 40)])


def content(parts: Mapping[str, Part]) -> list[Panel]:
    """Risk by generation on both sides of gamma*, growth of the risk, and where it grows without bound."""
    courses, grown = parts["partial_generations"], parts["partial_growth"].against(by_generation)
    shares = grown.values("labelled")
    rates = [_growth(grown, share) for share in shares]
    return [
        Panel(
            "half of the rows labelled: γ* = 1.309",
            GENERATION,
            RISK,
            [along_generations(courses, f"γ = {gamma:g}", aspect=gamma) for gamma in courses.values("aspect")],
            whole_x=True,
            y_log=True,
        ),
        Panel(
            "growth: (R₄ - R₂) / (R₂ - R₀)",
            ASPECT,
            "growth of the risk",
            rates,
            x_log=True,
            x_ticks=_TICKS,
            y_limits=(-0.6, 5.0),
            levels=[(1.0, "1: on the boundary")],
        ),
        _phase(grown, shares, rates),
    ]


def _growth(part: Part, labelled: float) -> Series:
    line = np.full(_ASPECTS.size, np.nan)
    k = part.sweep.generations // 2
    for i in np.flatnonzero(np.isfinite(_ASPECTS)):
        first, middle, end = risk(*part.setting(aspect=float(_ASPECTS[i]), labelled=labelled), 2 * k)[::k]
        line[i] = (end - middle) / (middle - first)
    return Series(f"{labelled:.0%} labelled", (_ASPECTS, line), part.marks(growth, "aspect", labelled=labelled))


def _phase(part: Part, shares: Sequence[float], rates: Sequence[Series]) -> Panel:
    """The region in which theory says that the loop diverges, and where simulated risks grew ever faster.

    They did where their growth is above 1 by two standard errors, and settled where it is below 1 by as much.
    """
    y = np.array([0.02, 0.04, 0.08, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.92, 0.98])
    # Around the threshold there is one interval, cut there.
    edges = [np.ravel(collapse_boundary(*part.setting(labelled=float(share)))) for share in y]
    low, high = np.array([each.min() for each in edges]), np.array([each.max() for each in edges])
    marks = [(share, series.marks) for share, series in zip(shares, rates, strict=True) if series.marks is not None]
    gamma = np.concatenate([each.x for _, each in marks])
    share = np.concatenate([np.full(each.x.size, share) for share, each in marks])
    away = np.concatenate([(each.value - 1) / each.error for _, each in marks])
    grew, settled = away > 2, away < -2
    return Panel(
        "where the loop diverges",
        ASPECT,
        "share of rows labelled",
        [
            Series("", (low, y), colour=5),
            Series("boundary (theory)", (high, y), colour=5),
            Series("grew ever faster", marks=_points(gamma[grew], share[grew]), colour=1),
            Series("settled", marks=_points(gamma[settled], share[settled]), colour=0, hollow=True),
            Series(
                "too near to tell", marks=_points(*(each[~grew & ~settled] for each in (gamma, share))), colour=4, hollow=True
            ),
        ],
        x_log=True,
        x_ticks=_TICKS,
        y_limits=(0.0, 1.0),
        band=[(y, low, high, "diverges (theory)")],
    )


def _points(x: np.ndarray, y: np.ndarray) -> Marks:
    missing = np.full(x.size, np.nan)
    return Marks(x, y, missing, missing, missing)


FIGURE = PaperFigure(
    "partial-labels",
    "Real labels on some rows only, no penalty, Σ = I",
    {
        "partial_generations": {"replicates": 40, "grid": {"rows": [80, 160]}},
        "partial_growth": {"replicates": 24, "grid": {"rows": [80, 160]}},
    },
    content,
    columns=3,
)
