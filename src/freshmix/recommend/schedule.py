"""A schedule of real weights in place of a constant, with the penalty that suits it (MATH sections 3 to 5)."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from .._checks import Floats
from ..equivalents import Equivalents
from ..loop import Group, Loop
from ..optimum.schedule import frozen_schedule
from ..population import Population
from ..risk import fresh, frozen

# How far from the penalty of the best constant weight that of the schedule is looked for.
_SPAN = 30.0


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


def for_frozen(equivalents: Equivalents, loop: Loop, generations: int) -> Callable[[float], tuple[Floats, float]]:
    """Best weights and risk of generation T by penalty, for frozen covariates."""

    def at(penalty: float) -> tuple[Floats, float]:
        weights = frozen_schedule(equivalents, loop.replace(penalty=penalty), generations)
        ratio, labels = loop.synthetic_noise_ratio, loop.labels
        return weights, float(frozen.risk_by_generation(equivalents, weights, penalty, ratio, labels)[-1])

    return at


def for_fresh(population: Population, loop: Loop, generations: int) -> Callable[[float], tuple[Floats, float]]:
    """The same for fresh covariates with a real label in every row.

    A generation's equations do not hold the weight: its contraction is 1 - w times that of w = 0, and its label noise is
    sigma^2 (w^2 + rho (1-w)^2) (MATH section 5), so that one solution serves all schedules.
    """
    sigma2, ratio = population.noise_variance, loop.synthetic_noise_ratio

    def at(penalty: float) -> tuple[Floats, float]:
        tuned = loop.replace(penalty=penalty)
        first, start = fresh.first_generation(population, tuned)
        turn = fresh.generation(population, tuned, [Group(1.0, 1.0, 0.0)])
        if first is None or turn is None:
            return np.ones(generations), math.inf

        def last(weights: Floats) -> float:
            state = start
            for w in np.clip(weights, 0.0, 1.0):
                noise = np.array([sigma2 * (w**2 + ratio * (1 - w) ** 2)])
                forgotten = w + (1 - w) * turn.forgotten
                step = replace(turn, forgotten=forgotten, slack=(w - forgotten)[None], label_noise=noise)
                state = step.step(state)
            return turn.risk(state)

        starts = [np.full(generations, w) for w in (0.3, 0.8)] + [1 / np.arange(2.0, generations + 2)]
        tries = [
            minimize(
                last,
                start_at,
                method="L-BFGS-B",
                bounds=[(0.0, 1.0)] * generations,
                options={"ftol": 1e-13, "gtol": 1e-9, "maxiter": 200},
            )
            for start_at in sorted(starts, key=last)[:2]
        ]
        found = min(tries, key=lambda each: float(each.fun))
        return np.clip(found.x, 0.0, 1.0), float(found.fun)

    return at
