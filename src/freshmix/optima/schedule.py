"""Best schedules of real weights (mathematics.md sections 3 to 5)."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize

from ..arguments import Floats, choice, whole
from ..loop import Loop
from ..population import Population
from ..risks.setting import Schedules, check_loops, kind_of, setting_of

NONE = np.empty(0)


def optimal_schedule(population: Population, loop: Loop, generations: int, *, method: str = "horizon") -> Floats:
    """Real weights w_1 to w_T of least risk.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        The training loop with an aspect and a penalty; its own weights are ignored. All rows have a real label.
    generations : int
        T, at least 1.
    method : "horizon" or "greedy"
        Least risk of generation T, or of each generation in turn given the weights before it.

    Returns
    -------
    (generations,) array

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range, or rows differ in their real labels.

    Notes
    -----
    Source: mathematics.md sections 3 and 5. Without a penalty greedy is optimal at every horizon, w_t = (rho + w_{t-1}) / (1 +
    rho + w_{t-1}) from w_0 = 1 (frozen covariates, fresh labels). Otherwise R_t is a quadratic in w_t, which gives greedy; the
    horizon is optimised by L-BFGS-B with exact gradients, from greedy and other starts: a local minimum at least. At
    T = 10 the horizon gained 0 to 1.8% over greedy with fresh labels (median 0.03%) and 0 to 6.9% with frozen ones (median
    0.7%): isotropic, spiked, power-law and two-level populations, aspects 0.5 to 2, penalties 1e-4 to 0.3.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> optimal_schedule(Population.isotropic(), Loop(aspect=2.0), 4).round(6).tolist()
    [0.666667, 0.625, 0.619048, 0.618182]
    """
    generations = whole("generations", generations, low=1)
    method = choice("method", method, ("horizon", "greedy"))
    kind = kind_of(loop)
    check_loops(population, loop)
    if loop.groups is not None and loop.real_weight is None:
        raise ValueError("a schedule is for loops in which all rows have a real label: expected one real weight, got groups")
    for group in loop.groups or ():
        if kind.partly_labelled and group.row_weight != 1:
            raise ValueError(
                f"a schedule is for rows alike: expected row_weight 1, got {group.row_weight:g}; divide the penalty by it"
            )
    return best_weights(setting_of(population, loop).schedules(generations), generations, method)[0]


def best_weights(
    schedules: Schedules | None, generations: int, method: str = "horizon", start: Floats | None = None
) -> tuple[Floats, float]:
    """The best schedule and its risk R_T; 1 throughout where every risk is infinite.

    Method ``falling`` is the best for the horizon among those that never rise, as all do without a penalty; ``start`` holds
    weights to start from beside the usual ones.
    """
    if schedules is None:
        return np.ones(generations), math.inf
    greedy = schedules.greedy(generations)
    if method == "greedy" or schedules.exact:
        return greedy, schedules.risk(greedy)
    T, falls = generations, method == "falling"
    starts = [greedy, 1 / np.arange(2.0, T + 2), *(np.full(T, w) for w in (0.3, 0.6, 0.8, 0.9))]
    starts = sorted(starts if start is None else [start, *starts], key=schedules.risk)[: 2 if falls else 4]
    unit = schedules.risk(starts[0])
    if not 0 < unit < math.inf:
        return starts[0], unit
    found = [descended(lambda w, _: (*schedules.value_and_gradient(w), NONE), weights, unit, falls) for weights in starts]
    weights, _, risk = min(found, key=lambda each: each[2])
    return weights, risk


def descended(
    function: Callable[[Floats, Floats], tuple[float, Floats, Floats]],
    weights: Floats,
    unit: float,
    falls: bool,
    more: Floats = NONE,
    box: Sequence[tuple[float, float]] = (),
) -> tuple[Floats, Floats, float]:
    """The least point near these weights and ``more`` coordinates within their box, and the value there, by L-BFGS-B.

    ``function`` gives a value, of about ``unit``, and its slopes in the weights and in the others. ``falls`` keeps
    w_1 >= w_2 >= ...: the search is then in w_1 and the ratios w_{t+1}/w_t.
    """
    T = weights.size

    def made(point: Floats) -> tuple[Floats, Floats]:
        head = np.clip(point[:T], 0.0, 1.0)
        return np.asarray(np.cumprod(head) if falls else head), point[T:]

    def at(point: Floats) -> tuple[float, Floats]:
        value, by_weight, by_more = function(*made(point))
        gradient = np.concatenate([falling(point[:T], by_weight) if falls else by_weight, by_more])
        if not (math.isfinite(value) and np.isfinite(gradient).all()):
            return 1e100, np.zeros(point.size)
        return value / unit, gradient / unit

    start = np.concatenate([ratios_of(weights) if falls else weights, more])
    options = {"ftol": 1e-15, "gtol": 1e-11, "maxiter": 500}
    found = minimize(at, start, jac=True, method="L-BFGS-B", bounds=[(0.0, 1.0)] * T + list(box), options=options)
    return *made(found.x), float(found.fun) * unit


def ratios_of(weights: Floats) -> Floats:
    """w_1 and w_{t+1}/w_t of the largest schedule below these weights that never rises."""
    kept = np.clip(np.minimum.accumulate(weights), 1e-6, 1.0)
    return np.asarray(kept / np.concatenate([[1.0], kept[:-1]]))


def falling(ratios: Floats, by_weight: Floats) -> Floats:
    """Gradient in r_1 = w_1 and r_{t+1} = w_{t+1}/w_t from that in the weights w_t = r_1 ... r_t."""
    later = 0.0
    gradient = np.empty(ratios.size)
    before = np.concatenate([[1.0], np.cumprod(ratios)[:-1]])
    for t in range(ratios.size - 1, -1, -1):
        later = by_weight[t] + (ratios[t + 1] * later if t + 1 < ratios.size else 0.0)
        gradient[t] = before[t] * later
    return gradient
