"""Figure 2: min-norm interpolation, risk by generation."""

from collections.abc import Mapping

from ..plots.panels import Panel
from .curves import GENERATION, RISK, along_generations
from .paper_figure import PaperFigure
from .part import Part


def content(parts: Mapping[str, Part]) -> list[Panel]:
    """The best constant weight and schedule beside real labels only; then collapse at 0 and the border at 1/3."""
    part = parts["min_norm_generations"]
    first = [along_generations(part, name, 8, loop=name) for name in ("w = 1", "w = 1/φ", "best schedule")]
    second = [along_generations(part, name, loop=name) for name in ("w = 0", "w = 0.2", "w = 1/3", "w = 1/φ", "w = 1")]
    return [
        Panel("Best weight and best schedule", GENERATION, RISK, first, whole_x=True),
        Panel("From collapse to gain", GENERATION, RISK, second, whole_x=True, y_log=True),
    ]


FIGURE = PaperFigure(
    "min-norm-generations",
    "Min-norm interpolation, γ = 2, Σ = I: risk by generation",
    {"min_norm_generations": {"replicates": 40, "grid": {"rows": [80, 160]}}},
    content,
    columns=2,
)
