"""Figure 6: new rows in each generation, all of them labelled."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._checks import Floats
from ..plots import GOLDEN_WEIGHT
from ..plots.panels import Panel, Series
from ..risk import limit
from .curves import BEST_WEIGHT, RISK, WEIGHT, best_along, by_weight
from .paper_figure import PaperFigure
from .part import Part
from .statistics import last

ASPECT, NOISE = "aspect ratio γ", "noise variance (signal 1)"


def content(parts: Mapping[str, Part]) -> list[Panel]:
    """Risk against weight in dense runs; risk and best weight against aspect and noise by the exact law."""
    dense, exact = parts["fresh_weight"], parts["fresh_best"]
    aspects, noises = exact.values("aspect"), exact.values("noise_variance")
    gammas, sigmas = np.geomspace(aspects[0], aspects[-1], 81), np.geomspace(noises[-1], noises[0], 81)
    some_noises = {f"noise {noise:g}": {"noise_variance": noise} for noise in (4.0, 1.0, 0.25)}
    some_aspects = {f"γ = {aspect:g}": {"aspect": aspect} for aspect in (1.25, 2.0, 5.0)}
    weights = {f"w = {w:g}": w for w in (0.3, 0.6, 1.0)}
    over_aspect = {"x_log": True, "x_ticks": aspects}
    over_noise = {"x_log": True, "x_ticks": noises}
    golden = {"levels": [(GOLDEN_WEIGHT, "1/φ")], "y_limits": (0.56, 1.02)}
    return [
        *(
            Panel(
                f"dense runs, {title}",
                WEIGHT,
                RISK,
                [by_weight(dense, f"γ = {aspect:g}", population=name, aspect=aspect) for aspect in dense.values("aspect")],
                verticals=[(GOLDEN_WEIGHT, "1/φ")],
            )
            for name, title in (("isotropic", "Σ = I"), ("ar1", "AR(1)"))
        ),
        Panel(
            "risk against aspect, noise 1",
            ASPECT,
            RISK,
            [_risk(exact, name, "aspect", gammas, real_weight=w, noise_variance=1.0) for name, w in weights.items()],
            y_log=True,
            **over_aspect,
        ),
        Panel(
            "risk against noise, γ = 2",
            NOISE,
            RISK,
            [_risk(exact, name, "noise_variance", sigmas, real_weight=w, aspect=2.0) for name, w in weights.items()],
            y_log=True,
            **over_noise,
        ),
        Panel(
            "best weight against aspect",
            ASPECT,
            BEST_WEIGHT,
            [best_along(exact, name, "aspect", gammas, **at) for name, at in some_noises.items()],
            **over_aspect,
            **golden,
        ),
        Panel(
            "best weight against noise",
            NOISE,
            BEST_WEIGHT,
            [best_along(exact, name, "noise_variance", sigmas, **at) for name, at in some_aspects.items()],
            **over_noise,
            **golden,
        ),
    ]


def _risk(part: Part, label: str, along: str, grid: Floats, **at: Any) -> Series:
    """Long-run risk against a parameter, at a weight."""
    weight = min(part.values("real_weight"), key=lambda each: abs(each - at["real_weight"]))
    at = {**at, "real_weight": weight}
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
