"""Figure 4: ridge, long-run risk against the real weight."""

from collections.abc import Mapping

from ..plots.panels import Panel
from .curves import RISK, WEIGHT, by_weight
from .paper_figure import PaperFigure
from .part import Part

_NAMES = {"isotropic": "isotropic", "ar1": "AR(1)", "equicorrelated": "equicorrelated", "spiked": "spiked"}


def content(parts: Mapping[str, Part]) -> list[Panel]:
    """A column for each population, a row for each noise variance, a curve for each penalty."""
    part = parts["ridge_weight"]
    return [
        Panel(
            f"{title}, σ² = {noise:g}",
            WEIGHT,
            RISK,
            [
                by_weight(part, f"penalty λ = {penalty:g}", population=name, noise_variance=noise, penalty=penalty)
                for penalty in part.values("penalty")
            ],
        )
        for noise in part.values("noise_variance")
        for name, title in _NAMES.items()
    ]


FIGURE = PaperFigure(
    "ridge-weight",
    "Ridge, γ = 1.5: long-run risk against the real weight",
    {"ridge_weight": {"replicates": 16, "grid": {"rows": [80, 160]}}},
    content,
    columns=4,
)
