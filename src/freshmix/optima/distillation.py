"""Self-distillation: a model refitted on its own noiseless labels mixed with the same real ones (mathematics.md section 4)."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import Floats, whole
from ..loop import Loop
from ..population import Population
from ..risks.contour import settled
from ..risks.filters import Recursion, ridge_filters
from ..risks.frozen import FrozenSetting
from ..risks.least import least
from ..risks.plain import PlainRidge, penalty_grid
from ..risks.setting import setting_of

_MOST_STEPS = 12
# Weights of a step far beyond this gain nothing: their sum is 1, and only rounding is left.
_CONDITION = 1e-11


@dataclass(frozen=True)
class Distilled:
    """The best ridge distilled into itself so many times.

    Attributes
    ----------
    steps : int
        How often; 0 is plain ridge.
    loop : Loop
        With the best penalty, and the real weights of the steps as its schedule (any real numbers).
    risk : float
        Excess risk after the last step.
    ratio : float
        This over the risk of the best plain ridge.
    """

    steps: int
    loop: Loop
    risk: float
    ratio: float


def self_distillation(population: Population, loop: Loop, steps: int = 5) -> tuple[Distilled, ...]:
    """Best penalty and real weights of 0, 1 and more steps of self-distillation, weights beyond [0, 1] among them.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        Its aspect counts; covariates and labels are frozen, and synthetic labels without noise.
    steps : int
        The most steps, from 0 to 12.

    Returns
    -------
    tuple of Distilled
        Of each number of steps. More steps are never worse.

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range.

    Notes
    -----
    Source: mathematics.md section 4. After t steps the model is kept_t(S) times plain ridge, with kept_t = sum_k c_k q^k and
    sum c = 1: the risk is a quadratic in c, one linear system for each penalty. Isotropic signals gain nothing.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> found = self_distillation(Population.spiked(10.0, 1.0), Loop(aspect=0.5), steps=1)
    >>> round(found[1].ratio, 3)
    0.215
    """
    most = whole("steps", steps, low=0)
    if most > _MOST_STEPS:
        raise ValueError(f"steps must be at most {_MOST_STEPS}, got {most}")
    if not isinstance(loop, Loop):
        raise TypeError(f"loop must be a Loop, got {type(loop).__name__}")
    frozen: dict[str, Any] = {"covariates": "frozen", "labels": "frozen", "label_renewal": None, "kept_generations": 0}
    first = {"forgetting": 1.0, "first_rows": 1.0, "anchor": 0.0, "synthetic_noise_ratio": 0.0, "real_weight": 1.0}
    plain = loop.replace(**frozen, **first)
    setting = setting_of(population, plain)
    assert isinstance(setting, FrozenSetting)
    penalty, ridge = PlainRidge(setting.equivalents).best()
    found = [Distilled(0, plain.replace(penalty=penalty), ridge, 1.0)]
    for t in range(1, most + 1):
        made, risk = _best(setting, t)
        if not risk < found[-1].risk * (1 - 1e-9):
            # A first step on real labels alone is no step.
            made, risk = found[-1].loop.replace(schedule=[1.0, *(found[-1].loop.schedule or ())]), found[-1].risk
        found.append(Distilled(t, made, risk, risk / ridge if ridge else 1.0))
    return tuple(found)


def _best(setting: FrozenSetting, steps: int) -> tuple[Loop, float]:
    """The best penalty, with its weights."""

    def risks(log_penalties: Floats) -> Floats:
        return np.array([_at_penalty(setting, math.exp(x), steps)[1] for x in log_penalties])

    # At penalties further away nothing is left to choose.
    grid = np.log(penalty_grid(setting.bulk))
    grid = grid[(grid > math.log(1e-4 * setting.scale)) & (grid < math.log(1e3 * setting.scale))][::3]
    penalty = math.exp(least(risks, grid, risks(grid))[0])
    weights = _at_penalty(setting, penalty, steps)[0]
    made = setting.loop.replace(penalty=penalty, schedule=weights)
    return made, float(setting.with_loops(made).by_generation(steps)[-1])


def _at_penalty(setting: FrozenSetting, penalty: float, steps: int) -> tuple[Floats, float]:
    """The best weights at a penalty, and the risk.

    R = beta' (1 - q kept) Sigma (1 - q kept) beta + (sigma^2/n) tr Sigma fit kept^2, kept = sum_k c_k q^k with sum c = 1.
    """
    known = setting.equivalents
    contour = settled(known, penalty, 2 * steps + 2, ridge_filters(np.full(2 * steps + 2, 0.05), penalty, 0.0, 0.0))[0]
    recursion = Recursion.at(contour.nodes, penalty, 0.0, 0.0)
    q = recursion.q
    # kept = 1 + sum_k c_k (q^k - 1): the constraint is gone.
    basis = np.array([q**k - 1 for k in range(1, steps + 1)])
    size = steps + 1
    directions = np.vstack([1 - q, -q * basis])
    pairs = [(i, j) for i in range(size) for j in range(size)]
    signal = contour.bilinear(directions[[i for i, _ in pairs]], directions[[j for _, j in pairs]]).reshape(size, size)
    kept = np.vstack([np.ones_like(q), basis])
    noise = contour.linear(np.array([recursion.fit * kept[i] * kept[j] for i, j in pairs])).reshape(size, size)
    table = signal + known.noise_variance * noise
    c = -np.linalg.pinv(table[1:, 1:], rcond=_CONDITION, hermitian=True) @ table[1:, 0]
    risk = float(table[0, 0] + 2 * c @ table[1:, 0] + c @ table[1:, 1:] @ c)
    return _weights(np.concatenate([[1 - c.sum()], c])), risk


def _weights(c: Floats) -> Floats:
    """w_1 ... w_t with c_0 = w_t, c_1 = (1 - w_t) w_{t-1}, ..., c_t = (1 - w_t) ... (1 - w_1)."""
    weights, left = [], 1.0
    for part in c[:-1]:
        # Nothing earlier is in the model once a weight is 1.
        weights.append(float(part / left) if left != 0 else 1.0)
        left -= part
    return np.array(weights[::-1])
