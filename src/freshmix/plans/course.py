"""Risk of a loop whose generations all have the same share of labels; and the best such loop.

Source: mathematics.md section 5. Generation 0 is plain ridge on its labelled rows alone, at the loop's penalty: as many rows as
the table's own first step has, or else as are labelled in any other generation. It is the loop of ``fm.risk`` and
``fm.recommend``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arguments import Floats
from ..equivalents import PopulationEquivalents
from ..loop import Group, Loop
from ..optima.box import Box
from ..population import Population
from ..risks.fresh import FreshSetting

# Leaving the other rows out is searched for only where it is not far behind.
_WORTH_A_SEARCH = 1.3
_GRID = (np.linspace(0.1, 1.0, 5), np.geomspace(1e-4, 1e2, 9), np.geomspace(0.03, 30.0, 3))


@dataclass(frozen=True)
class Setting:
    """What does not change with the number of labels; the penalty and the other rows' weight where they are given.

    ``first_rows`` are those of generation 0 over those of any other; None: as many as have a label in any other. All risks are
    times ``correction``, what a replay found them to be off by.
    """

    population: Population
    aspect: float
    noise_ratio: float
    generations: int | None
    penalty: float | None = None
    row_weight: float | None = None
    first_rows: float | None = None
    judged: str = "now"
    correction: float = 1.0

    @property
    def averages_for_ever(self) -> bool:
        """Whether the long-run risk tends to 0 with the real weight: least squares on labels without synthetic noise."""
        if self.generations is not None or self.noise_ratio > 0 or self.penalty or self.population.persistence < 1:
            return False
        return PopulationEquivalents(self.population, self.aspect).rank < 1

    def loop(self, share: float, real_weight: float, penalty: float, row_weight: float) -> Loop:
        """The loop with a share of labelled rows."""
        groups = [Group(share, 1.0, real_weight, labelled=True)] + ([Group(1 - share, row_weight, 0.0)] if share < 1 else [])
        return Loop(
            aspect=self.aspect,
            penalty=penalty,
            groups=groups,
            covariates="fresh",
            synthetic_noise_ratio=self.noise_ratio,
            first_rows=self.first(share),
        )

    def first(self, share: float) -> float:
        """Rows of generation 0 over those of any other."""
        return share if self.first_rows is None else self.first_rows

    def of(self, loop: Loop) -> FreshSetting:
        """A loop on the population."""
        return FreshSetting(self.population, (loop,), self.judged)

    def alone(self, share: float) -> float:
        """Risk of plain ridge on the labelled rows of one generation."""
        return self.correction * self.of(self.loop(share, 1.0, 0.0, 1.0)).real_only().at(self.penalty)[1]

    def keeping_all(self, share: float) -> float:
        """Risk of plain ridge on the labelled rows of all generations up to the horizon."""
        if self.generations is None:
            # In the long run nothing but drift is left.
            return 0.0 if self.population.persistence == 1 else self.population.null_risk
        return self.correction * self.of(self.loop(share, 1.0, 0.0, 1.0)).keep_all(self.generations).at(self.penalty)[1]

    def risk(self, loop: Loop) -> float:
        """Risk at the horizon; inf where it is unbounded."""
        return self.correction * self.of(loop).risk(self.generations)


@dataclass(frozen=True)
class Point:
    """The best loop at a share of labels, and its risk."""

    share: float
    loop: Loop
    risk: float

    @property
    def row_weight(self) -> float:
        """Loss weight of the rows without a label."""
        return next((group.row_weight for group in self.loop.groups or () if not group.labelled), 1.0)

    @property
    def real_weight(self) -> float:
        """Real weight of the labelled rows."""
        return max(group.real_weight for group in self.loop.groups or ())


def best_point(setting: Setting, share: float, near: Point | None = None) -> Point:
    """The best weight, penalty and row weight at a share, from a point nearby or, without one, from a grid."""
    bulk = PopulationEquivalents(setting.population, setting.aspect).bulk
    free = ("real_weight", "penalty") if setting.penalty is None else ("real_weight",)
    mixed = share < 1
    theory = setting.of(setting.loop(share, 1.0, 0.0, 1.0))
    # Rows without a label at the best weight, and left out altogether.
    kinds: list[float | None] = [None, 0.0] if setting.row_weight is None and mixed else [setting.row_weight]
    found: list[Point] = []
    for kind in kinds:
        box = Box.of((*free, "row_weight") if mixed and kind is None else free, bulk)
        known = {} if setting.penalty is None else {"penalty": setting.penalty}
        known |= {} if kind is None or not mixed else {"row_weight": kind}

        def risks(points: dict[str, Floats], known: Mapping[str, float] = known) -> Floats:
            return setting.correction * theory.risks(setting.generations, setting.judged, **points, **known)

        axes: Mapping[str, Floats] | None = {"real_weight": _GRID[0], "penalty": bulk[1] * _GRID[1], "row_weight": _GRID[2]}
        starts = [] if near is None else [_beside(near)]
        if starts:
            least = float(risks(box.arrays(box.point(starts[0])[None]))[0])
            if found and len(free) > 1 and least > _WORTH_A_SEARCH * found[0].risk:
                continue
            axes = None if math.isfinite(least) else axes
        values, risk = box.least(risks, axes, starts)
        found.append(Point(share, setting.loop(share, **{"penalty": 0.0, "row_weight": 1.0, **known, **values}), risk))
    return min(found, key=lambda point: point.risk)


def _beside(point: Point) -> dict[str, float]:
    """Where a search begins at another share."""
    row_weight = min(max(point.row_weight, 0.1), 10.0)
    return {"real_weight": point.real_weight, "penalty": max(point.loop.penalty, 1e-300), "row_weight": row_weight}


def first_below(labels: Floats, risks: Floats, target: float) -> float:
    """The number of labels at which a curve first meets the target, between points by logarithms; inf if it never does."""
    below = np.flatnonzero(risks <= target)
    if not below.size:
        return math.inf
    i = int(below[0])
    if i == 0 or not math.isfinite(risks[i - 1]) or risks[i] <= 0:
        return float(labels[i])
    part = math.log(risks[i - 1] / target) / math.log(risks[i - 1] / risks[i])
    return float(math.ceil(labels[i - 1] * (labels[i] / labels[i - 1]) ** part - 1e-9))
