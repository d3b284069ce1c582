"""The penalty listens to the real labels (mathematics.md section 7, "Which penalty on real labels?").

The smoothed risk takes labels for a linear signal with even noise; leave-one-out on the labels takes them for nothing, and is
noisy. What is least is the smoothed risk plus what leave-one-out tells against a penalty beyond doubt.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from ..arguments import Floats
from ..equivalents import SampleEquivalents
from ..estimation import LeaveOneOut
from ..loop import Loop
from ..optima import Optimum
from ..risks.filters import ridge_filters
from ..risks.frozen import FrozenSetting
from ..risks.least import least
from ..risks.plain import PlainRidge

# Steps from the smoothed curve's penalty to that of leave-one-out, and weights at each.
_STEPS, _WEIGHTS = 25, 33


def heeded(setting: FrozenSetting, best: Optimum, horizon: int | None, labels: LeaveOneOut | None) -> Optimum:
    """The loop whose risk plus ``labels.against`` its ridge penalty is least, from the ``best`` by risk alone.

    The risk of the result is that of theory at the loop, without what is added.
    """
    if labels is None or not best.attained or best.real_weight == 0:
        return best
    own = ridge_penalty(setting, best.loop, horizon)
    if labels.against(np.array([own]))[0] == 0:
        return best
    # What is added falls all the way to the penalty of leave-one-out: the least is between the two.
    unit = own / best.loop.penalty if best.loop.penalty > 0 else 1 / best.real_weight
    start = max(best.loop.penalty, 1e-9 * setting.scale)
    steps = np.linspace(math.log(start), math.log(labels.best / unit), _STEPS)
    if steps[0] == steps[-1]:
        return best
    w = best.real_weight

    def at(log_penalty: Floats) -> Floats:
        penalties = np.exp(log_penalty)
        return setting.risks(horizon, real_weight=w, penalty=penalties) + labels.against(penalties * unit)

    penalty = math.exp(_least(at, np.sort(steps)))
    if horizon is None:
        # Along lambda/w, on which alone the bias depends.
        weights = np.linspace(1 / _WEIGHTS, 1.0, _WEIGHTS)

        def along(each: Floats) -> Floats:
            return setting.risks(horizon, real_weight=each, penalty=penalty / w * each)

        weight, risk = least(along, weights, along(weights))
        penalty *= weight / w
    else:
        weight, risk = w, float(setting.risks(horizon, real_weight=w, penalty=penalty))
    return Optimum(setting.loop.replace(real_weight=weight, penalty=penalty), weight, risk, best.attained)


def heeded_ridge(plain: PlainRidge, labels: LeaveOneOut | None) -> tuple[float, float]:
    """The same for one fit on real labels: its penalty and risk."""
    penalty, risk = plain.best()
    if labels is None or labels.against(np.array([penalty]))[0] == 0:
        return penalty, risk
    start = max(penalty, 1e-9 * plain.equivalents.bulk[1])
    steps = np.sort(np.linspace(math.log(start), math.log(labels.best), _STEPS))
    penalty = math.exp(_least(lambda x: plain.risks(np.exp(x)) + labels.against(np.exp(x)), steps))
    return penalty, plain.risk(penalty)


def _least(function: Callable[[Floats], Floats], grid: Floats) -> float:
    """The least point of a function with kinks, next to the least one of a grid."""
    at = int(np.argmin(function(grid)))
    ends = float(grid[max(at - 1, 0)]), float(grid[min(at + 1, grid.size - 1)])
    if ends[0] == ends[1]:
        return ends[0]
    found = minimize_scalar(lambda x: float(function(np.array([x]))[0]), bounds=ends, method="bounded")
    return float(found.x)


def ridge_penalty(setting: FrozenSetting, loop: Loop, horizon: int | None) -> float:
    """The penalty of the ridge fit that a loop's mean comes to: lambda/w in the long run.

    At a horizon, that of the fit with the same number of effective degrees of freedom.
    """
    w = loop.real_weight
    assert w is not None
    if loop.penalty == 0:
        return 0.0
    if horizon is None:
        return (1 - loop.anchor) * loop.penalty / w
    assert isinstance(setting.equivalents, SampleEquivalents)
    s, share = setting.equivalents.s, setting.equivalents.share
    filters = ridge_filters(loop.weights(horizon), loop.penalty, *setting.law)
    freedom = float(share @ (1 - np.asarray(filters(s)[0][-1])))
    low, high = loop.penalty * 1e-6, loop.penalty * 1e6

    def apart(log_z: float) -> float:
        return float(share @ (s / (s + math.exp(log_z)))) - freedom

    ends = math.log(low), math.log(high)
    if apart(ends[0]) <= 0 or apart(ends[1]) >= 0:
        return loop.penalty
    return math.exp(brentq(apart, *ends))
