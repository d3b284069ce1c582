"""Figure 3: ridge, best real weight against the penalty."""

from collections.abc import Mapping

import numpy as np

from ..plots import GOLDEN_WEIGHT
from ..plots.panels import Panel
from .curves import BEST_WEIGHT, best_along
from .paper_figure import PaperFigure
from .part import Part

PENALTY = "penalty λ"


def content(parts: Mapping[str, Part]) -> list[Panel]:
    """Low signal-to-noise ratio (best weights near 1/2), then spikes of several strengths and alignments."""
    low, spiked = parts["ridge_best_weight"], parts["ridge_best_weight_spiked"]

    def panel(title: str, part: Part, names: dict[str, dict[str, float]]) -> Panel:
        penalties = part.values("penalty")
        grid = np.geomspace(penalties[0], penalties[-1], 81)
        series = [best_along(part, name, "penalty", grid, **at) for name, at in names.items()]
        levels = [(GOLDEN_WEIGHT, "1/φ")]
        return Panel(title, PENALTY, BEST_WEIGHT, series, x_log=True, levels=levels, y_limits=(0.48, 1.02))

    aspects = {f"γ = {aspect:g}": {"aspect": aspect} for aspect in low.values("aspect")}
    strengths = {f"s = {s:g}": {"strength": s, "alignment": 0.6} for s in spiked.values("strength")}
    alignments = {f"θ = {theta:g}": {"strength": 10.0, "alignment": theta} for theta in spiked.values("alignment")}
    return [
        panel("Σ = I, σ² = 64, signal 1", low, aspects),
        panel("spike of strength s, alignment 0.6", spiked, strengths),
        panel("spike of strength 10, alignment θ", spiked, alignments),
    ]


_QUICK = {"replicates": 16, "grid": {"rows": [80, 160]}}
FIGURE = PaperFigure(
    "ridge-best-weight",
    "Ridge: best real weight against the penalty",
    {"ridge_best_weight": _QUICK, "ridge_best_weight_spiked": _QUICK},
    content,
    columns=3,
)
