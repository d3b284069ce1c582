"""Best real weight, row weight and penalty for fresh covariates, in the long run or at a horizon (mathematics.md section 5)."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from ..arguments import Floats
from ..equivalents import PopulationEquivalents
from ..loop import Group, Loop
from ..population import Population
from ..risks.fresh import FreshSetting, varied
from ..risks.least import least
from .box import Box
from .optimum import Optimum


def weight(setting: FreshSetting, generations: int | None) -> Optimum:
    """The best weight at the loop's own penalty and row weights."""
    return best_weight(setting.population, setting.loop, generations, setting.judged)


def weight_and_penalty(setting: FreshSetting, generations: int | None) -> Optimum:
    """The best weight, penalty and row weight of unlabelled rows."""
    return best_loop(setting.population, setting.loop, generations, setting.judged)


def best_weight(population: Population, loop: Loop, generations: int | None, judged: str = "now") -> Optimum:
    """The best weight on labelled rows at the loop's penalty and row weights."""
    if generations is None and _averages_for_ever(population, loop):
        return Optimum(varied(loop, real_weight=0.0), 0.0, 0.0, attained=False)

    setting = FreshSetting(population, (loop,), judged)

    def at(weights: Floats) -> Floats:
        return setting.risks(generations, real_weight=np.minimum(weights, 1.0))

    grid = np.linspace(0.0, 1.0, 41)
    w, value = least(at, grid, at(grid))
    return Optimum(varied(loop, real_weight=w), w, value)


def _averages_for_ever(population: Population, loop: Loop) -> bool:
    """Least squares without synthetic noise: as w -> 0 it averages more and more real labels, and the risk tends to 0."""
    if loop.penalty > 0 or population.noise_variance == 0 or loop.synthetic_noise_ratio > 0 or population.persistence < 1:
        return False
    part = math.fsum(group.share for group in loop.groups or (Group(1.0),) if group.row_weight > 0)
    return PopulationEquivalents(population, (loop.aspect or 0.0) / part).rank < 1


def best_of(found: Sequence[Optimum]) -> Optimum:
    """The best, or the first where no other is really better: row weights may be inert, and a loop keeps its own then."""
    own, best = found[0], min(found, key=lambda each: each.risk)
    return best if best.risk < own.risk * (1 - 1e-9) else own


def candidates_at_penalty(population: Population, loop: Loop, generations: int | None, judged: str = "now") -> list[Optimum]:
    """The best at the loop's penalty: with its own row weights, with searched ones, and with labelled rows alone."""
    own = best_weight(population, loop, generations, judged)
    if loop.groups is None or not 0 < loop.labelled < 1 or not own.attained:
        return [own]
    left_out = best_weight(population, varied(loop, real_weight=1.0, row_weight=0.0), generations, judged)
    return [own, _searched(population, loop, generations, judged, fixed=True), left_out]


def best_loop(population: Population, loop: Loop, generations: int | None, judged: str = "now") -> Optimum:
    """The best weight, penalty and row weight of unlabelled rows."""
    return min(candidates(population, loop, generations, judged), key=lambda each: each.risk)


def candidates(population: Population, loop: Loop, generations: int | None, judged: str = "now") -> list[Optimum]:
    """The best with a penalty, without one, and with labelled rows alone."""
    found = [
        _searched(population, loop, generations, judged, fixed=False),
        best_weight(population, loop.replace(penalty=0.0), generations, judged),
    ]
    if loop.groups is not None and 0 < loop.labelled < 1:
        found.append(_labelled_rows_only(population, loop, generations, judged))
    return found


def _searched(population: Population, loop: Loop, generations: int | None, judged: str, *, fixed: bool) -> Optimum:
    """Weight, penalty (unless it is ``fixed``) and row weight, from a grid and then by simplex search."""
    setting = FreshSetting(population, (loop,), judged)
    box = Box.of(tuple(name for name in setting.coordinates if not (fixed and name == "penalty")), setting.bulk)
    axes = {
        "real_weight": np.linspace(0.1, 1.0, 7),
        "penalty": Box.penalties(setting.bulk, 1e-5, 1e3, 17),
        "row_weight": np.geomspace(1e-2, 1e2, 5),
    }
    grid = dict(zip(box.bounds, np.meshgrid(*(axes[name] for name in box.bounds), indexing="ij"), strict=True))
    first = int(np.argmin(setting.risks(generations, judged, **grid)))
    start = {name: float(values.flat[first]) for name, values in grid.items()}
    found, _ = box.near(lambda points: setting.risks(generations, judged, **points), start)
    best = varied(loop, **found)
    risk = setting.with_loops(best).risk(generations)
    return Optimum(best, found["real_weight"], risk, fixed or box.inside(found, "penalty"))


def _labelled_rows_only(population: Population, loop: Loop, generations: int | None, judged: str) -> Optimum:
    """Rows without a real label left out: the best plain ridge on the others, as a loop with row weight 0."""
    setting = FreshSetting(population, (loop,), judged)

    risks = partial(setting.risks, generations, judged, row_weight=0.0)
    weights, penalties = np.linspace(0.4, 1.0, 7), Box.penalties(setting.bulk, 1e-5, 1e4, 37)
    table = risks(real_weight=weights[:, None], penalty=penalties)
    i, j = np.unravel_index(np.argmin(table), table.shape)
    box = Box.of(("real_weight", "penalty"), setting.bulk).within(real_weight=(0.01, 1.0))
    start = {"real_weight": float(weights[i]), "penalty": float(penalties[j])}
    found, _ = box.near(lambda points: risks(**points), start)
    best = varied(loop, **found, row_weight=0.0)
    return Optimum(best, found["real_weight"], setting.with_loops(best).risk(generations))
