"""Best weights, penalties and schedules; collapse boundary and labels needed (mathematics.md sections 3 to 6)."""

import math
from typing import Any

import numpy as np

from ..arguments import Floats, whole
from ..loop import Loop
from ..population import Population
from ..risks.fresh import FreshSetting
from ..risks.frozen import FrozenSetting
from ..risks.least import least
from ..risks.plain import penalty_grid
from ..risks.setting import Setting, setting_of
from . import fresh_weight, frozen_weight
from .boundary import collapse_boundary, improving_weights, labels_needed
from .distillation import Distilled, self_distillation
from .memory import Memory, Way, optimal_memory
from .optimum import Optimum
from .schedule import optimal_schedule
from .teaching import Teaching, optimal_teaching

__all__ = [
    "Distilled",
    "Memory",
    "Optimum",
    "Teaching",
    "Way",
    "best_penalty",
    "collapse_boundary",
    "improving_weights",
    "labels_needed",
    "optimal_loop",
    "optimal_memory",
    "optimal_schedule",
    "optimal_teaching",
    "optimal_weight",
    "self_distillation",
]

# The searches of each kind of loop: ``weight`` and ``weight_and_penalty`` of a setting at a horizon.
_SEARCHES: dict[type, Any] = {FrozenSetting: frozen_weight, FreshSetting: fresh_weight}


def optimal_weight(population: Population, loop: Loop, *, generations: int | None = None) -> Optimum:
    """The constant real weight w in [0, 1] of least risk, at the loop's penalty.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        The training loop with an aspect; its own real weights are ignored, but rows without a real label stay without.
    generations : int, optional
        Minimise the risk of generation T >= 1 instead of the long-run risk.

    Returns
    -------
    Optimum
        ``.attained`` is False without synthetic noise and penalty: there the long-run risk falls as w -> 0. ``.beaten_by()``
        names the ways to remember (``optimal_memory``) that are better than it.

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range.

    Notes
    -----
    Source: arXiv 2509.22341, theorems 3.1 to 3.3, generalised; mathematics.md sections 3 to 5. Min-norm interpolation with
    fresh labels has w* = (sqrt(rho^2 + 4 rho) - rho) / 2 for every population: 1/phi at rho = 1.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> round(optimal_weight(Population.isotropic(), Loop(aspect=2.0)).real_weight, 12)
    0.61803398875
    >>> round(optimal_weight(Population.isotropic(signal=4.0), Loop(aspect=0.5, penalty=0.1)).real_weight, 6)
    0.716253
    """
    setting, horizon = _checked(population, loop, generations)
    found: Optimum = _SEARCHES[type(setting)].weight(setting, horizon)
    return found.searched(setting)


def optimal_loop(population: Population, loop: Loop, *, generations: int | None = None) -> Optimum:
    """The real weight, the penalty and, where some rows have no real label, the row weight of least risk together.

    Parameters, errors and sources are those of ``optimal_weight``; the loop's own penalty is ignored. Read the best values
    from ``.loop``. The penalty is searched from 1e-8 to 1e6 times the largest sample eigenvalue, from less where the least one
    is smaller, and at 0; the weight of rows without a real label from 1e-3 to 1e3 times that of the others, and at 0.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> best = optimal_loop(Population.isotropic(signal=2.0), Loop(aspect=2.0))
    >>> round(best.real_weight, 6), round(best.loop.penalty, 6), round(best.risk, 6)
    (0.683254, 0.46752, 1.364005)
    """
    setting, horizon = _checked(population, loop, generations)
    found: Optimum = _SEARCHES[type(setting)].weight_and_penalty(setting, horizon)
    return found.searched(setting)


def best_penalty(setting: Setting, generations: int | None) -> Loop:
    """The setting's loop at the penalty of least risk, 0 among them."""

    def at(log_penalties: Floats) -> Floats:
        return setting.risks(generations, penalty=np.exp(log_penalties))

    grid = np.log(penalty_grid(setting.bulk))
    log_penalty, risk = least(at, grid, at(grid))
    none = float(setting.risks(generations, penalty=np.zeros(1))[0])
    return setting.loop.replace(penalty=0.0 if none <= risk else math.exp(log_penalty))


def _checked(population: Population, loop: Loop, generations: int | None) -> tuple[Setting, int | None]:
    if not isinstance(loop, Loop):
        raise TypeError(f"loop must be a Loop, got {type(loop).__name__}")
    if loop.kept_generations != 0:
        raise ValueError(
            f"kept rows go with real labels alone: the best real weight needs kept_generations=0, got {loop.kept_generations!r}"
        )
    setting = setting_of(population, loop)
    return setting, None if generations is None else whole("generations", generations, low=1)
