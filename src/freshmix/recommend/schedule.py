"""A schedule of real weights in place of a constant, with the penalty that suits it (MATH sections 3 to 5).

The free optimum may rise in mid-course, often to 1: it throws the model away shortly before the horizon. That is hard to
follow, and what it gains over schedules that never rise is mostly within rounding: it is recommended where it gains more than
``WORTH`` of the prediction error.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar

from .._checks import Floats
from ..equivalents import Equivalents
from ..loop import Loop
from ..optimum import Optimum
from ..optimum.fresh_schedule import Scheduled as FreshScheduled
from ..optimum.fresh_schedule import fresh_schedule
from ..optimum.schedule import frozen_schedule
from ..population import Population
from ..risk import frozen

WORTH = 1e-3
# How far from the penalty of the best constant weight that of the schedule is looked for.
_SPAN = 30.0
# Rises below it are rounding.
_RISE = 1e-3


@dataclass(frozen=True)
class Scheduled:
    """Weights w_1 ... w_T, their penalty and the excess risk of generation T."""

    weights: Floats
    penalty: float
    risk: float


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
        weights = frozen_schedule(equivalents, loop.replace(penalty=penalty), generations, method)
        ratio, labels = loop.synthetic_noise_ratio, loop.labels
        return weights, float(frozen.risk_by_generation(equivalents, weights, penalty, ratio, labels)[-1])

    return at


def followed_frozen(
    equivalents: Equivalents, loop: Loop, generations: int, constant: Scheduled, fixed: bool, noise: float
) -> Scheduled:
    """What is recommended for frozen covariates: of schedules that never rise, unless the free optimum is worth it."""
    kept, free = (
        best_schedule(for_frozen(equivalents, loop, generations, method), constant.penalty, fixed)
        for method in ("falling", "horizon")
    )
    kept = min(constant, kept, key=lambda each: each.risk)
    if not worth(free.risk, kept.risk, noise):
        return kept
    return replace(free, weights=restarted(free.weights, kept.weights))


def followed_fresh(
    population: Population, loop: Loop, generations: int, constants: Sequence[Optimum], constant: Optimum, fixed: bool
) -> FreshScheduled:
    """The same for fresh covariates, with ``constants`` of least risk to start from.

    The groups with a real label are those of weight above 0 in ``loop``.
    """
    starts = [_at_one(loop, each.loop) for each in constants]
    kept = fresh_schedule(population, starts, generations, fixed=fixed, falls=True)
    if not kept.risk < constant.risk * (1 - 1e-9):
        kept = FreshScheduled(np.full(generations, constant.real_weight), _at_one(loop, constant.loop), constant.risk)
    free = fresh_schedule(population, [kept.loop, *starts], generations, fixed=fixed, falls=False, start=kept.weights)
    if not worth(free.risk, kept.risk, population.noise_variance):
        return kept
    if free.loop.labelled == 1:
        free = replace(free, weights=restarted(free.weights, kept.weights))
    return free


def _at_one(loop: Loop, tuned: Loop) -> Loop:
    """``tuned`` with weight 1 in the groups that have a real label in ``loop``; its own weights may be 0 there."""
    labelled = [group.real_weight > 0 for group in loop.groups or ()]
    groups = [
        replace(group, real_weight=float(real)) for group, real in zip(tuned.groups or (), labelled, strict=True)
    ]
    return tuned.replace(groups=groups)


def worth(free: float, kept: float, noise: float) -> bool:
    """Whether the free optimum gains enough over a schedule that never rises."""
    return kept - free > WORTH * (kept + noise)


def restarted(weights: Floats, before: Floats) -> Floats:
    """The weights, with others before the last generation that forgets all before it: they do not matter at the horizon."""
    alone = np.flatnonzero(weights >= 1 - 1e-6)
    if not alone.size:
        return weights
    return np.concatenate([before[: alone[-1]], weights[alone[-1] :]])


def rises(weights: Floats) -> list[int]:
    """The generations at which a schedule rises."""
    return (1 + np.flatnonzero(np.diff(weights, prepend=1.0) > _RISE)).tolist()
