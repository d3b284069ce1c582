"""Figure 8, beyond the paper: synthetic noise, laws of the entries, a million rows, and old rows kept."""

import math
from collections.abc import Mapping

import numpy as np

from ..arguments import Floats
from ..loop import Loop
from ..optima import optimal_weight
from ..plots.panels import Panel, Series
from ..population import Population
from ..risks.surface import limit_surface
from .curves import BEST_WEIGHT, GENERATION, RISK, WEIGHT, along_generations, best_along
from .paper_figure import PaperFigure
from .part import Part
from .statistics import course, last


def content(parts: Mapping[str, Part]) -> list[Panel]:
    """One panel for each."""
    return [
        _noise(parts["beyond_noise"]),
        _entries(parts["beyond_entries"]),
        _scale(parts["beyond_scale"]),
        _workflows(parts["beyond_workflows"]),
    ]


def _noise(part: Part) -> Panel:
    """w* = (sqrt(rho^2 + 4 rho) - rho) / 2 (mathematics.md section 3)."""
    ratios = part.values("synthetic_noise_ratio")
    rho = np.geomspace(ratios[0], ratios[-1], 81)
    found = best_along(part, "", "synthetic_noise_ratio", rho)
    assert found.line is not None
    formula = (np.sqrt(rho**2 + 4 * rho) - rho) / 2
    series = Series("(√(ρ² + 4ρ) - ρ) / 2", (rho, formula), found.marks)
    title = "min-norm, γ = 2: best weight"
    return Panel(title, "synthetic noise ratio ρ", BEST_WEIGHT, [series], x_log=True, x_ticks=ratios)


def _entries(part: Part) -> Panel:
    """The same limits whatever the law of the entries."""
    w = np.linspace(min(part.values("real_weight")), 1.0, 181)
    series = []
    for order, penalty in enumerate(part.values("penalty")):
        population, loop = part.setting(penalty=penalty)
        best = optimal_weight(population, loop)
        name = f"penalty {penalty:g} (theory)"
        line = limit_surface(population, loop, real_weight=w).risk.values
        series.append(Series(name, (w, line), best=(best.real_weight, best.risk), colour=5 - order))
    for order, law in enumerate(part.values("entries")):
        for penalty in part.values("penalty"):
            marks = part.marks(last, "real_weight", entries=law, penalty=penalty)
            series.append(Series(str(law), marks=marks, colour=order, shift=0.012 * (order - 1.5)))
    return Panel("two-level Σ, γ = 2: any law of the entries", WEIGHT, RISK, series)


def _scale(part: Part) -> Panel:
    series = [along_generations(part, str(name), loop=name) for name in part.values("loop")]
    return Panel("γ = 2: a million rows, two million features", GENERATION, RISK, series, whole_x=True)


def accumulated(population: Population, loop: Loop, generations: int) -> Floats:
    """Least squares on all rows so far, labels synthetic after the first generation: (T + 1,) excess risks.

    With G_t the Gram matrix of all rows of generations 0 ... t, bhat_t = bhat_(t-1) + G_t^-1 X_t' eps_t, and t + 1 exchangeable
    blocks of rows share tr Sigma G_t^-1, which is that of least squares at aspect gamma / (t + 1):
        R_t = sigma^2 sum_(i=1)^(t+1) gamma / (i (i - gamma)),
    at most pi^2/6 times R_0 (mathematics.md section 9).
    """
    assert loop.aspect is not None
    i = np.arange(1, generations + 2)
    return np.asarray(population.noise_variance * np.cumsum(loop.aspect / (i * (i - loop.aspect))))


def _workflows(part: Part) -> Panel:
    replace = along_generations(part, "replace", workflow="replace")
    population, loop = part.setting()
    line = accumulated(population, loop, part.sweep.generations)
    marks = part.against(accumulated).marks(course, "generation", workflow="accumulate")
    accumulate = Series("accumulate", (np.arange(line.size, dtype=float), line), marks)
    bound = (math.pi**2 / 6 * float(line[0]), "π²/6 times generation 0")
    title = "synthetic labels only, least squares, γ = 1/4"
    return Panel(title, GENERATION, RISK, [replace, accumulate], whole_x=True, levels=[bound])


FIGURE = PaperFigure(
    "beyond",
    "Beyond the paper",
    {
        "beyond_noise": {"replicates": 24, "grid": {"rows": [80, 160]}},
        "beyond_entries": {"replicates": 24, "grid": {"rows": [80, 160]}},
        "beyond_scale": {"replicates": 4},
        "beyond_workflows": {"replicates": 60, "grid": {"rows": [60, 120]}},
    },
    content,
    columns=2,
)
