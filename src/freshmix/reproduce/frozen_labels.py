"""Figure 5: no fresh labels."""

from collections.abc import Mapping

from ..plots.panels import Panel
from .curves import GENERATION, RISK, WEIGHT, along_generations, by_weight
from .paper_figure import PaperFigure
from .part import Part


def content(parts: Mapping[str, Part]) -> list[Panel]:
    """Min-norm, best at w = 1; ridge below its best penalty, where the best weight is smaller; the latter by generation."""
    part = parts["frozen_labels"]
    aspects = [by_weight(part, f"γ = {aspect:g}", aspect=aspect, penalty=0.0) for aspect in part.values("aspect")]
    penalties = [by_weight(part, f"λ = {penalty:g}", aspect=2.0, penalty=penalty) for penalty in part.values("penalty")[1:]]
    weights = part.values("real_weight")
    some = {w: min(weights, key=lambda each: abs(each - w)) for w in (0.1, 0.3, 0.6, 1.0)}
    courses = [
        along_generations(part, f"w = {w:g}", every=5, aspect=2.0, penalty=0.2, real_weight=near) for w, near in some.items()
    ]
    return [
        Panel("min-norm: best at w = 1", WEIGHT, RISK, aspects, y_log=True),
        Panel("ridge, γ = 2 (best penalty 2)", WEIGHT, RISK, penalties),
        Panel("ridge, γ = 2, λ = 0.2", GENERATION, RISK, courses, whole_x=True),
    ]


FIGURE = PaperFigure(
    "frozen-labels",
    "No fresh labels, Σ = I, signal-to-noise ratio 1: after 50 generations",
    {"frozen_labels": {"replicates": 12, "grid": {"rows": [80, 160]}}},
    content,
    columns=3,
)
