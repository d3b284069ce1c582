"""A schedule of real weights in place of a constant, with the penalty that suits it (mathematics.md sections 3 to 5).

The free optimum may rise in mid-course, often to 1: it throws the model away shortly before the horizon, and generations
before that have a needless risk. That is hard to follow, and mostly gains next to nothing. So the simplest is recommended that
loses at most ``WORTH`` of the least prediction error at the horizon: the best constant weight, the greedy schedule with its
penalty (each generation at its best), the best schedule that never rises, and only then the free optimum.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from scipy.optimize import minimize_scalar

from ..arguments import Floats
from ..equivalents import Equivalents
from ..loop import Loop
from ..optima import Optimum
from ..optima.fresh_schedule import Scheduled as FreshScheduled
from ..optima.fresh_schedule import fresh_schedule
from ..optima.schedule import best_weights
from ..population import Population
from ..risks.fresh import FreshSetting
from ..risks.setting import sample_setting
from ..words.doubts import ROUNDING

WORTH = 1e-3
# How far from the penalty of the best constant weight that of the schedule is looked for.
_SPAN = 30.0


@dataclass(frozen=True)
class Scheduled:
    """Weights w_1 ... w_T, their penalty and the excess risk of generation T."""

    weights: Floats
    penalty: float
    risk: float


Some = TypeVar("Some", Scheduled, FreshScheduled)


def best_schedule(at: Callable[[float], tuple[Floats, float]], penalty: float, fixed: bool) -> Scheduled:
    """The best schedule at a penalty, or at the best one around it; ``at`` gives the best weights for a penalty."""
    candidates = [
        Scheduled(weights, each, risk) for each in {penalty, penalty if fixed else 0.0} for weights, risk in [at(each)]
    ]
    if not fixed and penalty > 0:
        low, high = math.log(penalty / _SPAN), math.log(penalty * _SPAN)
        found = minimize_scalar(
            lambda x: at(math.exp(x))[1], bounds=(low, high), method="bounded", options={"xatol": 1e-3, "maxiter": 25}
        )
        near = math.exp(float(found.x))
        weights, risk = at(near)
        candidates.append(Scheduled(weights, near, risk))
    return min(candidates, key=lambda each: each.risk)


def for_frozen(
    equivalents: Equivalents, loop: Loop, generations: int, method: str = "horizon"
) -> Callable[[float], tuple[Floats, float]]:
    """Best weights and risk of generation T by penalty, for frozen covariates."""

    def at(penalty: float) -> tuple[Floats, float]:
        setting = sample_setting(equivalents, loop.replace(penalty=penalty))
        weights, _ = best_weights(setting.schedules(generations), generations, method)
        return weights, setting.with_loops(setting.loop.replace(schedule=weights)).risk(generations)

    return at


def followed_frozen(
    equivalents: Equivalents, loop: Loop, generations: int, constant: Scheduled, fixed: bool, noise: float
) -> Scheduled:
    """What is recommended for frozen covariates, from the best constant weight."""
    lam = constant.penalty
    weights, risk = for_frozen(equivalents, loop, generations, "greedy")(lam)
    greedy = Scheduled(weights, lam, risk)
    falls, free = (
        best_schedule(for_frozen(equivalents, loop, generations, method), lam, fixed) for method in ("falling", "horizon")
    )
    free = replace(free, weights=restarted(free.weights, constant.weights))
    return simplest((constant, greedy, falls, free), noise)


def followed_fresh(
    population: Population, loop: Loop, generations: int, constants: Sequence[Optimum], constant: Optimum, fixed: bool
) -> FreshScheduled:
    """The same for fresh covariates, with ``constants`` of each kind to start from.

    The groups with a real label are those of weight above 0 in ``loop``.
    """
    T, start = generations, _at_one(loop, constant.loop)
    kept = FreshScheduled(np.full(T, constant.real_weight), start, constant.risk)
    weights, risk = best_weights(FreshSetting(population, (start,)).schedules(T), T, "greedy")
    greedy = FreshScheduled(weights, start, risk)
    starts = [_at_one(loop, each.loop) for each in constants]
    falls = fresh_schedule(population, starts, T, fixed=fixed, falls=True)
    free = fresh_schedule(population, [falls.loop, *starts], T, fixed=fixed, falls=False, start=falls.weights)
    if free.loop.labelled == 1:
        free = replace(free, weights=restarted(free.weights, kept.weights))
    return simplest((kept, greedy, falls, free), population.noise_variance)


def _at_one(loop: Loop, tuned: Loop) -> Loop:
    """``tuned`` with weight 1 in the groups that have a real label in ``loop``; its own weights may be 0 there."""
    return tuned.at_weight(1.0)


def simplest(ladder: Sequence[Some], noise: float) -> Some:
    """The first whose prediction error at the horizon is within ``WORTH`` of the least."""
    least = min(each.risk for each in ladder) + noise
    return next(each for each in ladder if each.risk + noise <= (1 + WORTH) * least)


def restarted(weights: Floats, before: Floats) -> Floats:
    """The weights, with others before the last generation that forgets all before it: they do not matter at the horizon."""
    alone = np.flatnonzero(weights >= 1 - ROUNDING)
    if not alone.size:
        return weights
    return np.concatenate([before[: alone[-1]], weights[alone[-1] :]])
