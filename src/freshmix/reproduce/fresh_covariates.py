"""Figure 6: new rows in each generation, all of them labelled."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arguments import Floats
from ..plots import GOLDEN_WEIGHT
from ..plots.panels import Panel, Series
from ..risks import limit
from .curves import BEST_WEIGHT, RISK, WEIGHT, best_along, by_weight
from .paper_figure import PaperFigure
from .part import Part
from .statistics import last

_LABELS = {"aspect": "aspect ratio γ", "noise_variance": "noise variance σ² (signal 1)"}
# A best weight takes a hundred limits.
_POINTS, _BEST_POINTS = 65, 17


def content(parts: Mapping[str, Part]) -> list[Panel]:
    """Risk against weight in dense runs; risk and best weight against aspect and noise by the exact law."""
    dense, exact = parts["fresh_weight"], parts["fresh_best"]
    weights = {f"w = {w:g}": {"real_weight": w} for w in (0.3, 0.6, 1.0)}
    noises = {f"σ² = {noise:g}": {"noise_variance": noise} for noise in (4.0, 1.0, 0.25)}
    aspects = {f"γ = {aspect:g}": {"aspect": aspect} for aspect in (1.25, 2.0, 5.0)}
    by_aspect = [_risk(exact, name, "aspect", noise_variance=1.0, **at) for name, at in weights.items()]
    by_noise = [_risk(exact, name, "noise_variance", aspect=2.0, **at) for name, at in weights.items()]
    grid = _grid(exact, "aspect", _BEST_POINTS)
    best_by_aspect = [best_along(exact, name, "aspect", grid, **at) for name, at in noises.items()]
    grid = _grid(exact, "noise_variance", _BEST_POINTS)
    best_by_noise = [best_along(exact, name, "noise_variance", grid, **at) for name, at in aspects.items()]
    return [
        _by_weight(dense, "isotropic", "dense runs, Σ = I"),
        _by_weight(dense, "ar1", "dense runs, AR(1)"),
        _along(exact, "aspect", "risk against aspect, σ² = 1", RISK, by_aspect),
        _along(exact, "noise_variance", "risk against noise, γ = 2", RISK, by_noise),
        _along(exact, "aspect", "best weight against aspect", BEST_WEIGHT, best_by_aspect),
        _along(exact, "noise_variance", "best weight against noise", BEST_WEIGHT, best_by_noise),
    ]


def _by_weight(part: Part, population: str, title: str) -> Panel:
    series = [by_weight(part, f"γ = {aspect:g}", population=population, aspect=aspect) for aspect in part.values("aspect")]
    return Panel(title, WEIGHT, RISK, series, verticals=[(GOLDEN_WEIGHT, "1/φ")])


def _along(part: Part, axis: str, title: str, y_label: str, series: list[Series]) -> Panel:
    ticks = [float(value) for value in part.values(axis)]
    levels = [(GOLDEN_WEIGHT, "1/φ")] if y_label == BEST_WEIGHT else []
    y_log = y_label == RISK and axis == "noise_variance"
    return Panel(title, _LABELS[axis], y_label, series, x_log=True, x_ticks=ticks, y_log=y_log, levels=levels)


def _grid(part: Part, axis: str, points: int = _POINTS) -> Floats:
    values = part.values(axis)
    return np.geomspace(min(values), max(values), points)


def _risk(part: Part, label: str, along: str, **at: Any) -> Series:
    """Long-run risk against a parameter, at a weight of the sweep."""
    grid = _grid(part, along)
    line = [limit(*part.setting(**{**at, along: float(value)})).risk for value in grid]
    return Series(label, (grid, np.array(line)), part.marks(last, along, **at))


FIGURE = PaperFigure(
    "fresh-covariates",
    "New rows in each generation, all labelled, min-norm: long run",
    {
        "fresh_weight": {"replicates": 24, "grid": {"rows": [50, 100]}},
        "fresh_best": {"replicates": 24, "grid": {"rows": [200, 400]}},
    },
    content,
    columns=3,
)
