"""Series that several figures share: theory's line, its best point, and the simulated ones."""

from typing import Any

import numpy as np

from ..arguments import Floats
from ..loop import Loop
from ..optima import optimal_weight
from ..plots.panels import Marks, Series
from ..population import Population
from ..risks import risk
from ..risks.surface import limit_surface
from .part import Part, by_generation
from .statistics import best_weight, course, last, least_weight

RISK = "excess risk"
WEIGHT = "real weight w"
GENERATION = "generation t"
BEST_WEIGHT = "best real weight"
# Vertices of parabolas up to here tell where the risk is least.
_FURTHEST = 1.2


def by_weight(part: Part, label: str, **at: Any) -> Series:
    """Long-run risk against the real weight."""
    population, loop = part.setting(**at)
    # Each point costs more where covariates are fresh.
    w = np.linspace(min(part.values("real_weight")), 1.0, 181 if loop.covariates == "frozen" else 46)
    line = limit_surface(population, loop, real_weight=w).risk.values
    best = optimal_weight(population, loop)
    return Series(label, (w, line), part.marks(last, "real_weight", **at), (best.real_weight, best.risk))


def along_generations(part: Part, label: str, until: int | None = None, every: int = 1, **at: Any) -> Series:
    """Risk by generation, to the last one or to an earlier one, simulated at some of them."""
    line = risk(*part.setting(**at), part.sweep.generations)
    marks = part.against(by_generation).marks(course, "generation", **at)
    t = np.arange(line.size, dtype=float)
    end = line.size if until is None else until + 1
    return Series(label, (t[:end], line[:end]), some(marks, slice(0, end, every)))


def some(marks: Marks, which: slice) -> Marks:
    """Some of the points."""
    return Marks(*(each[which] for each in (marks.x, marks.value, marks.error, marks.theory, marks.z)))


def best_along(part: Part, label: str, along: str, grid: Floats, **at: Any) -> Series:
    """Best real weight against a parameter of the loop or of the population.

    Vertices are compared a little beyond 1 too, and drawn at 1 there. Where theory's lies further on the risk is nearly
    straight, and the simulated point is the grid's best, not scored.
    """
    weights = [optimal_weight(*_varied(part, along, float(value), at)).real_weight for value in grid]
    marks, rough = part.marks(best_weight, along, **at), part.marks(least_weight, along, **at)
    near = (marks.theory > 0) & (marks.theory < _FURTHEST)
    value = np.where(near, np.minimum(marks.value, 1.0), rough.value)
    error, z = np.where(near, marks.error, 0.0), np.where(near, marks.z, np.nan)
    return Series(
        label,
        (grid, np.array(weights)),
        Marks(marks.x, value, error, np.where(near, np.minimum(marks.theory, 1.0), rough.theory), z),
    )


def _varied(part: Part, along: str, value: float, at: dict[str, Any]) -> tuple[Population, Loop]:
    return part.setting(**{**at, along: value})
