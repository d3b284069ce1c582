"""A schedule of real weights in place of a constant, with the penalty that suits it (mathematics.md sections 3 to 5).

The free optimum may rise in mid-course, often to 1: it throws the model away shortly before the horizon, and generations
before that have a needless risk. That is hard to follow, and mostly gains next to nothing. So the simplest is recommended that
loses at most ``WORTH`` of the least prediction error at the horizon: the best constant weight, the greedy schedule with its
penalty (each generation at its best), the best schedule that never rises, and only then the free optimum.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize_scalar

from ..arguments import Floats
from ..optima import Optimum
from ..optima.fresh_schedule import Scheduled, fresh_schedule
from ..optima.schedule import best_weights
from ..risks.fresh import FreshSetting
from ..risks.frozen import FrozenSetting
from ..words.doubts import ROUNDING

__all__ = ["WORTH", "Scheduled", "followed_fresh", "followed_frozen", "restarted", "simplest"]

WORTH = 1e-3
# How far from the penalty of the best constant weight that of the schedule is looked for.
_SPAN = 30.0


def best_schedule(at: Callable[[float], Scheduled], penalty: float, fixed: bool) -> Scheduled:
    """The best schedule at a penalty, or at the best one around it; ``at`` gives the best one for a penalty."""
    candidates = [at(each) for each in {penalty, penalty if fixed else 0.0}]
    if not fixed and penalty > 0:
        low, high = math.log(penalty / _SPAN), math.log(penalty * _SPAN)
        found = minimize_scalar(
            lambda x: at(math.exp(x)).risk, bounds=(low, high), method="bounded", options={"xatol": 1e-3, "maxiter": 25}
        )
        candidates.append(at(math.exp(float(found.x))))
    return min(candidates, key=lambda each: each.risk)


def for_frozen(setting: FrozenSetting, generations: int, method: str = "horizon") -> Callable[[float], Scheduled]:
    """The best schedule for generation T by penalty, for frozen covariates."""

    def at(penalty: float) -> Scheduled:
        loop = setting.loop.replace(penalty=penalty, real_weight=1.0)
        weights, _ = best_weights(setting.with_loops(loop).schedules(generations), generations, method)
        return Scheduled(weights, loop, setting.with_loops(loop.replace(schedule=weights)).risk(generations))

    return at


def followed_frozen(setting: FrozenSetting, generations: int, constant: Optimum, fixed: bool) -> Scheduled:
    """What is recommended for frozen covariates, from the best constant weight."""
    kept = _kept(generations, constant)
    lam = constant.loop.penalty
    greedy = for_frozen(setting, generations, "greedy")(lam)
    falls, free = (best_schedule(for_frozen(setting, generations, method), lam, fixed) for method in ("falling", "horizon"))
    free = replace(free, weights=restarted(free.weights, kept.weights))
    return simplest((kept, greedy, falls, free), setting.noise_variance)


def followed_fresh(
    setting: FreshSetting, generations: int, constants: Sequence[Optimum], constant: Optimum, fixed: bool
) -> Scheduled:
    """The same for fresh covariates, with ``constants`` of each kind to start from."""
    T, population, kept = generations, setting.population, _kept(generations, constant)
    weights, risk = best_weights(setting.with_loops(kept.loop).schedules(T), T, "greedy")
    greedy = Scheduled(weights, kept.loop, risk)
    starts = [each.loop.at_weight(1.0) for each in constants]
    falls = fresh_schedule(population, starts, T, fixed=fixed, falls=True, judged=setting.judged)
    free = fresh_schedule(
        population, [falls.loop, *starts], T, fixed=fixed, falls=False, start=falls.weights, judged=setting.judged
    )
    if free.loop.labelled == 1:
        free = replace(free, weights=restarted(free.weights, kept.weights))
    return simplest((kept, greedy, falls, free), setting.noise_variance)


def _kept(generations: int, constant: Optimum) -> Scheduled:
    """The best constant weight as a schedule."""
    return Scheduled(np.full(generations, constant.real_weight), constant.loop.at_weight(1.0), constant.risk)


def simplest(ladder: Sequence[Scheduled], noise: float) -> Scheduled:
    """The first whose prediction error at the horizon is within ``WORTH`` of the least."""
    least = min(each.risk for each in ladder) + noise
    return next(each for each in ladder if each.risk + noise <= (1 + WORTH) * least)


def restarted(weights: Floats, before: Floats) -> Floats:
    """The weights, with others before the last generation that forgets all before it: they do not matter at the horizon."""
    alone = np.flatnonzero(weights >= 1 - ROUNDING)
    if not alone.size:
        return weights
    return np.concatenate([before[: alone[-1]], weights[alone[-1] :]])
