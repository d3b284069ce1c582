"""Risk of a loop whose generations all have the same share of labels; and the best such loop.

Source: mathematics.md section 5. Generation 0 is plain ridge on its labelled rows alone, at the loop's penalty: as many rows as
the table's own first step has, or else as are labelled in any other generation. It is the loop of ``fm.risk`` and
``fm.recommend``.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from ..equivalents import PopulationEquivalents
from ..loop import Group, Loop
from ..optima.box import Box
from ..population import Population
from ..risks.fresh import FreshSetting
from ..risks.plain import PlainRidge

# Leaving the other rows out is searched for only where it is not far behind.
_WORTH_A_SEARCH = 1.3
_GRID = (np.linspace(0.1, 1.0, 5), np.geomspace(1e-4, 1e2, 9), np.geomspace(0.03, 30.0, 3))


@dataclass(frozen=True)
class Setting:
    """What does not change with the number of labels; the penalty and the other rows' weight where they are given.

    ``first_rows`` are those of generation 0 over those of any other; None: as many as have a label in any other.
    """

    population: Population
    aspect: float
    noise_ratio: float
    generations: int | None
    penalty: float | None = None
    row_weight: float | None = None
    first_rows: float | None = None

    @property
    def averages_for_ever(self) -> bool:
        """Whether the long-run risk tends to 0 with the real weight: least squares on labels without synthetic noise."""
        if self.generations is not None or self.noise_ratio > 0 or self.penalty:
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

    def plain(self, labels_over_rows: float) -> tuple[float, float]:
        """Penalty and risk of plain ridge on that many labelled rows, in units of a generation's rows."""
        equivalents = PopulationEquivalents(self.population, self.aspect / labels_over_rows)
        return PlainRidge(equivalents, per_loop=1 / labels_over_rows).at(self.penalty)

    def risk(self, loop: Loop) -> float:
        """Risk at the horizon; inf where it is unbounded."""
        return FreshSetting(self.population, (loop,)).risk(self.generations)


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
    scale = PopulationEquivalents(setting.population, setting.aspect).bulk[1]
    free = ("real_weight", "penalty") if setting.penalty is None else ("real_weight",)
    mixed = share < 1
    # Rows without a label at the best weight, and left out altogether.
    kinds: list[float | None] = [None, 0.0] if setting.row_weight is None and mixed else [setting.row_weight]
    found: list[Point] = []
    for kind in kinds:
        box = Box.of((*free, "row_weight") if mixed and kind is None else free, scale)
        known = {"penalty": setting.penalty or 0.0, "row_weight": 1.0 if kind is None else kind}

        def loop_at(values: Mapping[str, float], known: Mapping[str, float] = known) -> Loop:
            return setting.loop(share, **{**known, **values})

        def value(values: Mapping[str, float], loop_at: Callable[..., Loop] = loop_at) -> float:
            return setting.risk(loop_at(values))

        first = None if near is None else box.values(box.point(_beside(near)))
        if found and first is not None and len(free) > 1 and value(first) > _WORTH_A_SEARCH * found[0].risk:
            continue
        if first is None or not math.isfinite(value(first)):
            axes = {"real_weight": _GRID[0], "penalty": scale * _GRID[1], "row_weight": _GRID[2]}
            grid = product(*(axes[name].tolist() for name in box.bounds))
            first = min((dict(zip(box.bounds, point, strict=True)) for point in grid), key=value)
        values, risk = first, value(first)
        if math.isfinite(risk):
            # The risk is flat at its minimum: a thousandth in the coordinates is a millionth of the risk.
            made, least = box.simplex(
                value, first, steps=(0.1, 0.7), inwards=False, tolerance=2e-3, value_tolerance=1e-6 * risk, most=300
            )
            values, risk = (made, least) if least <= risk else (values, risk)
        found.append(Point(share, loop_at(values), risk))
    return min(found, key=lambda point: point.risk)


def _beside(point: Point) -> dict[str, float]:
    """Where a search begins at another share."""
    row_weight = min(max(point.row_weight, 0.1), 10.0)
    return {"real_weight": point.real_weight, "penalty": max(point.loop.penalty, 1e-300), "row_weight": row_weight}
