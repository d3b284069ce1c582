"""Figure 1: min-norm interpolation, long-run risk against the real weight."""

from collections.abc import Mapping

from ..plots import GOLDEN_WEIGHT
from ..plots.panels import Panel
from .curves import RISK, WEIGHT, by_weight
from .paper_figure import PaperFigure
from .part import Part

_NAMES = {"identity": "Σ = I", "ar1": "AR(1), correlation 1/2"}


def content(parts: Mapping[str, Part]) -> list[Panel]:
    """A panel for each covariance, a curve for each aspect; the best weight is 1/phi in all of them."""
    part = parts["min_norm_weight"]
    return [
        Panel(
            title,
            WEIGHT,
            RISK,
            [by_weight(part, f"γ = {aspect:g}", population=name, aspect=aspect) for aspect in part.values("aspect")],
            y_log=True,
            verticals=[(GOLDEN_WEIGHT, "1/φ")],
        )
        for name, title in _NAMES.items()
    ]


FIGURE = PaperFigure(
    "min-norm-weight",
    "Min-norm interpolation: long-run risk against the real weight",
    {"min_norm_weight": {"replicates": 30, "grid": {"rows": [80, 160]}}},
    content,
    columns=2,
)
