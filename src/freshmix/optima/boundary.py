"""Where loops on fresh covariates collapse, and how many labels keep them (mathematics.md sections 5 and 6)."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.optimize import brentq

from ..arguments import Floats, number
from ..loop import Group, Loop
from ..population import Population
from ..risks import limit
from ..risks.fresh import FreshSetting, varied
from ..risks.setting import check_loops, kind_of
from ..risks.surface import limit_surface
from .fresh_weight import best_loop

LEAST_ASPECT, MOST_ASPECT = 1e-3, 1e3


def collapse_boundary(population: Population, loop: Loop, best: bool = False) -> list[tuple[float, float]]:
    """Intervals of the aspect ratio in which the loop diverges (collapse number Psi >= 1).

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        A loop with fresh covariates and real weights; its aspect is ignored.
    best : bool
        Instead: where no real weight, row weight or penalty of the search box of ``optimal_loop`` keeps the long-run risk
        at or below the null risk (on a grid of 61 aspects from 0.01 to 100, ends refined to 0.1%).

    Returns
    -------
    list of (low, high)
        Aspects between 1e-3 and 1e3, empty if there are none; 0 and inf stand for an interval that reaches beyond. Without
        a penalty the threshold gamma share(tau > 0) = 1 diverges too, so that intervals on both sides of it join.

    Raises
    ------
    TypeError, ValueError
        If covariates are frozen (those loops diverge without a penalty at real weight 0 only), or weights are missing.

    Notes
    -----
    Source: mathematics.md section 5. Isotropic, min-norm, share f labelled: up to (2 (1-f) / (sqrt(4-3f) - sqrt f))^2; least
    squares: from (2-f)/(3-2f).

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> loop = Loop.partially_labelled(labelled=0.5)
    >>> [(round(low, 6), round(high, 6)) for low, high in collapse_boundary(Population.isotropic(), loop)]
    [(0.75, 1.309017)]
    """
    if not kind_of(loop).partly_labelled:
        raise ValueError("collapse_boundary needs covariates='fresh': frozen ones diverge only at real weight 0, penalty 0")
    check_loops(population, loop.replace(aspect=1.0))
    threshold = 1 / float(population.shares[population.eigenvalues > 0].sum())
    if best and population.null_risk == 0:
        # Without signal every fit adds noise to a null risk of 0.
        return [(0.0, math.inf)] if population.noise_variance > 0 else []
    if best:
        aspects = np.union1d(np.geomspace(1e-2, 1e2, 61), threshold)
        penalties = population.eigenvalues.max() * np.geomspace(1e-2, 1e4, 13)

        def margin(aspect: float) -> float:
            each = loop.replace(aspect=aspect)
            # Most often the labelled rows alone do, at some large penalty: no search then.
            simple = FreshSetting(population, (each,)).risks(real_weight=1.0, penalty=penalties, row_weight=0.0)
            if np.any(simple <= population.null_risk):
                return -1.0
            return 1.0 if best_loop(population, each, None).risk > population.null_risk * (1 + 1e-9) else -1.0

        return _intervals(margin, aspects, 1e-3)
    aspects = np.geomspace(LEAST_ASPECT, MOST_ASPECT, 601)
    if loop.penalty == 0:
        # Close to the threshold on both sides Psi changes fast, and differs between them.
        near = threshold * (1 + np.concatenate([-np.geomspace(1e-9, 0.1, 60), [0.0], np.geomspace(1e-9, 0.1, 60)]))
        aspects = np.union1d(aspects, near)

    def excess(aspect: float) -> float:
        if loop.penalty == 0 and aspect == threshold:
            return math.inf
        each = loop.replace(aspect=aspect)
        # Psi ranges over many powers of ten; its logarithm has the same sign change.
        return math.log(max(FreshSetting(population, (each,)).collapse_number(), 1e-300))

    return _intervals(excess, aspects, 1e-13)


def improving_weights(population: Population, loop: Loop) -> list[tuple[float, float]]:
    """Intervals of the real weight in [0, 1] whose long run is better than real labels only.

    Parameters, errors: those of ``optimal_weight``. Ends are exact to 1e-9; intervals narrower than 0.01 may be missed.

    Notes
    -----
    Source: mathematics.md sections 3 and 6. Min-norm with fresh labels: from rho/(2 + rho) to 1 for every population.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> [(round(low, 9), high) for low, high in improving_weights(Population.isotropic(), Loop(aspect=2.0))]
    [(0.333333333, 1.0)]
    """
    check_loops(population, loop)
    grid = np.linspace(0.0, 1.0, 101)
    real_only = limit(population, varied(loop, real_weight=1.0)).real_only

    def gain(w: float) -> float:
        value = limit_surface(population, loop, real_weight=[w]).risk.item()
        if math.isinf(real_only):
            return -1.0 if math.isinf(value) else 1.0
        # Within rounding of each other is no gain; w = 1 ties where all rows are labelled.
        return float(real_only * (1 - 1e-12) - value)

    # The tolerance against rounding moves a tie at w = 1 by as much.
    return [(low, high if high < 1 - 1e-9 else 1.0) for low, high in _intervals(gain, grid, 1e-13)]


def _intervals(function: Callable[[float], float], grid: Floats, tolerance: float) -> list[tuple[float, float]]:
    """Where the function is at least 0, from its values on a grid and roots between them."""
    values = [function(float(x)) for x in grid]
    inside = [value >= 0 for value in values]
    found: list[tuple[float, float]] = []
    low = 0.0 if inside[0] else None
    for i in range(1, len(grid)):
        if inside[i] == inside[i - 1]:
            continue
        edge = _edge(function, float(grid[i - 1]), float(grid[i]), values[i - 1], values[i], tolerance)
        if inside[i]:
            low = edge
        elif low is not None:
            found.append((low, edge))
            low = None
    if low is not None:
        found.append((low, math.inf))
    return found


def _edge(
    function: Callable[[float], float], low: float, high: float, at_low: float, at_high: float, tolerance: float
) -> float:
    if math.isfinite(at_low) and math.isfinite(at_high) and abs(at_low) != abs(at_high):
        return float(brentq(function, low, high, xtol=tolerance * high, rtol=max(tolerance, 1e-15)))
    # Unbounded on one side, or a sign only: bisection.
    outside_low = at_low < 0
    while high - low > max(tolerance, 4e-16) * high:
        middle = (low + high) / 2
        if (function(middle) < 0) == outside_low:
            low = middle
        else:
            high = middle
    return high if outside_low else low


def labels_needed(population: Population, loop: Loop, target: float) -> float:
    """The smallest share of rows with a real label whose long-run excess risk is at most ``target``.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        A loop with fresh covariates and an aspect, such as ``Loop.partially_labelled`` makes; its labelled share is what is
        looked for, its real weight, row weights and penalty are kept.
    target : float
        Excess risk, above 0.

    Returns
    -------
    float
        A share in [0, 1]; inf where even labels on all rows miss the target.

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range.

    Notes
    -----
    Source: mathematics.md section 5. The risk need not fall with every label (collapse is two-sided): the smallest share that
    meets the target is found on a grid of 401 shares, then refined to 1e-12.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> loop = Loop.partially_labelled(aspect=0.5, labelled=0.5)
    >>> round(labels_needed(Population.isotropic(), loop, target=1.5), 6)
    0.666667
    """
    if not kind_of(loop).partly_labelled:
        raise ValueError("labels_needed needs covariates='fresh': frozen rows with only some labels have no closed form")
    check_loops(population, loop)
    goal = number("target", target, above=0.0)
    if loop.groups is None:
        raise ValueError("the loop needs a real_weight or groups, such as Loop.partially_labelled makes")
    real = next((group for group in loop.groups if group.labelled), Group(1.0))
    other = next((group for group in loop.groups if not group.labelled), Group(1.0, real.row_weight, 0.0))

    def excess(share: float) -> float:
        groups = [replace(real, share=share), replace(other, share=1 - share)]
        return FreshSetting(population, (loop.replace(groups=[group for group in groups if group.share > 0]),)).risk() - goal

    shares = np.linspace(0.0, 1.0, 401)
    last = math.inf
    for i, share in enumerate(shares):
        value = excess(float(share))
        if value <= 0:
            if i == 0 or value == 0:
                return float(share)
            low, high = float(shares[i - 1]), float(share)
            return _edge(excess, low, high, last, value, 1e-12)
        last = value
    return math.inf
