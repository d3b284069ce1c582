"""Schedules of real weights for fresh covariates, with the penalty and row weight that suit them (mathematics.md section 5)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arguments import Floats
from ..loop import Group, Loop
from ..population import Population
from ..risks.fresh import FreshSetting, varied
from .box import Box
from .schedule import best_weights, descended

# Half the step of the differences in log penalty and log row weight.
_STEP = 1e-4


@dataclass(frozen=True, eq=False)
class Scheduled:
    """Weights w_1 ... w_T of the rows with a real label, the loop at weight 1 that they go with, and the risk R_T."""

    weights: Floats
    loop: Loop
    risk: float

    def loops(self) -> tuple[Loop, ...]:
        """The loops of t = 1 ... T; a single one, with the schedule, where all rows share the weight."""
        groups = self.loop.groups or (Group(1.0),)
        if len(groups) == 1 and groups[0].row_weight == 1:
            return (self.loop.replace(schedule=self.weights),)
        return tuple(self.loop.at_weight(float(w)) for w in self.weights)


def fresh_schedule(
    population: Population,
    loops: Sequence[Loop],
    generations: int,
    *,
    fixed: bool,
    falls: bool,
    start: Floats | None = None,
    judged: str = "now",
) -> Scheduled:
    """The schedule of least risk R_T, or of least among those that never rise (``falls``).

    ``loops`` are the best constant ones, all their labelled groups at weight 1, from whose penalties and row weights the
    search starts; the penalty is kept where it is ``fixed``. ``start`` holds weights to start from beside the usual ones.
    """
    method = "falling" if falls else "horizon"
    rough = []
    for loop in loops:
        schedules = FreshSetting(population, (loop,), judged).schedules(generations)
        weights, risk = best_weights(schedules, generations, method, start)
        rough.append(Scheduled(weights, loop, risk))
    rough.sort(key=lambda each: each.risk)
    return min((_polished(population, each, fixed, falls, judged) for each in rough[:2]), key=lambda each: each.risk)


def _polished(population: Population, rough: Scheduled, fixed: bool, falls: bool, judged: str) -> Scheduled:
    """With the penalty and the row weight of unlabelled rows free too, where there are any."""
    setting, T = FreshSetting(population, (rough.loop,), judged), rough.weights.size
    free_row_weight = rough.loop.labelled < 1 and _row_weight(rough.loop) > 0
    free_penalty = not fixed and rough.loop.penalty > 0
    if not (free_row_weight or free_penalty) or not 0 < rough.risk < math.inf:
        return rough
    free = {"penalty": free_penalty, "row_weight": free_row_weight}
    box = Box.of(tuple(name for name in free if free[name]), setting.bulk)
    first = box.point({"penalty": rough.loop.penalty, "row_weight": _row_weight(rough.loop)})

    def made(more: Floats) -> Loop:
        return varied(rough.loop, real_weight=1.0, **box.values(more))

    def risk(weights: Floats, more: Floats) -> float:
        schedules = setting.with_loops(made(more)).schedules(T)
        return math.inf if schedules is None else schedules.risk(weights)

    def value_and_slopes(weights: Floats, more: Floats) -> tuple[float, Floats, Floats]:
        """Exact in the weights, by differences in the others."""
        schedules = setting.with_loops(made(more)).schedules(T)
        value, by_weight = (math.inf, np.zeros(T)) if schedules is None else schedules.value_and_gradient(weights)
        steps = _STEP * np.eye(more.size)
        return value, by_weight, np.array([(risk(weights, more + s) - risk(weights, more - s)) / (2 * _STEP) for s in steps])

    weights, found, value = descended(value_and_slopes, rough.weights, rough.risk, falls, first, box.ends)
    return min(Scheduled(weights, made(found), value), rough, key=lambda each: each.risk)


def _row_weight(loop: Loop) -> float:
    """That of the unlabelled rows, in units of the labelled ones'; all loops here have labelled groups at weight 1."""
    groups = loop.groups or ()
    labelled = [group.row_weight for group in groups if group.labelled]
    others = [group.row_weight for group in groups if not group.labelled]
    if not others or not labelled or labelled[0] == 0:
        return 0.0
    return others[0] / labelled[0]
