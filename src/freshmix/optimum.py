"""Best real weight and penalty, from the limit risk or from a finite horizon (MATH sections 3 and 4).

The searches take ``Equivalents``, so that a population and a sample share them. In the long run the risk depends on the
penalty through z = lambda/w, at which its bias is that of plain ridge: that is the coordinate of the searches.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Chebyshev
from scipy.interpolate import RectBivariateSpline
from scipy.optimize import minimize

from ._checks import Floats, whole
from .equivalents import Equivalents, PopulationEquivalents
from .loop import Loop
from .population import Population
from .risk import aspect_of, check_loops, frozen

# The search box of penalties, in units of the largest eigenvalue of the sample covariance; 0 is always a candidate too.
LEAST_PENALTY, MOST_PENALTY = 1e-8, 1e6
POINTS_PER_DECADE = 8


@dataclass(frozen=True)
class Optimum:
    """The best loop and its risk.

    Attributes
    ----------
    loop : Loop
        The loop asked about, with the best values filled in.
    real_weight : float
        The best constant w.
    risk : float
        Excess risk there, in the long run or at the horizon asked for.
    attained : bool
        False where the risk only tends to this value: as w -> 0 (then ``real_weight`` is 0) or as the penalty grows
        without bound (then the loop holds the largest one searched).
    """

    loop: Loop
    real_weight: float
    risk: float
    attained: bool = True


@dataclass(frozen=True)
class Best:
    """A point of a search: real weight, penalty, risk, and whether the risk is attained there."""

    real_weight: float
    penalty: float
    risk: float
    attained: bool = True


@dataclass(frozen=True)
class Goal:
    """What is minimised: the risk of a loop's labels at generation T, or in the long run (None)."""

    equivalents: Equivalents
    noise_ratio: float
    labels: str
    generations: int | None = None

    def over_weights(self, w: Floats, penalty: float) -> Floats:
        """(m,) risks of m weights at one penalty."""
        if self.generations is None:
            return frozen.limit_risk(self.equivalents, w, penalty, self.noise_ratio, self.labels)
        return frozen.horizon_risk(self.equivalents, w, penalty, self.generations, self.noise_ratio, self.labels)

    def over_penalties(self, w: float, penalties: Floats) -> Floats:
        """(m,) risks of one weight at m penalties."""
        if self.generations is None:
            return frozen.limit_risk(self.equivalents, w, penalties, self.noise_ratio, self.labels)
        return np.array([self.over_weights(np.array([w]), penalty)[0] for penalty in penalties])


def optimal_weight(population: Population, loop: Loop, *, generations: int | None = None) -> Optimum:
    """The constant real weight w in [0, 1] of least risk, at the loop's penalty.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        The training loop with an aspect; its own weights are ignored.
    generations : int, optional
        Minimise the risk of generation T >= 1 instead of the long-run risk.

    Returns
    -------
    Optimum
        ``.attained`` is False without synthetic noise and penalty: there the long-run risk falls as w -> 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range.

    Notes
    -----
    Source: arXiv 2509.22341, theorems 3.1 to 3.3, generalised; MATH sections 3 and 4. Min-norm interpolation with fresh
    labels has w* = (sqrt(rho^2 + 4 rho) - rho) / 2 for every population: 1/phi at rho = 1.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> round(optimal_weight(Population.isotropic(), Loop(aspect=2.0)).real_weight, 12)
    0.61803398875
    >>> round(optimal_weight(Population.isotropic(signal=4.0), Loop(aspect=0.5, penalty=0.1)).real_weight, 6)
    0.716253
    """
    goal = _goal(population, loop, generations)
    return _optimum(loop, best_weight(goal, loop.penalty))


def optimal_loop(population: Population, loop: Loop, *, generations: int | None = None) -> Optimum:
    """The real weight and the penalty of least risk together; read both from ``.loop``.

    Parameters, errors and sources are those of ``optimal_weight``; the loop's own penalty is ignored. The penalty is
    searched from 1e-8 to 1e6 times the largest sample eigenvalue, and at 0.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> best = optimal_loop(Population.isotropic(signal=2.0), Loop(aspect=2.0))
    >>> round(best.real_weight, 6), round(best.loop.penalty, 6), round(best.risk, 6)
    (0.683254, 0.46752, 1.364005)
    """
    return _optimum(loop, best_loop(_goal(population, loop, generations)))


def _goal(population: Population, loop: Loop, generations: int | None) -> Goal:
    (only,) = check_loops(population, loop)
    if only.covariates == "fresh":
        raise ValueError("covariates='fresh' is not supported here yet: expected covariates='frozen'")
    aspect = aspect_of(only)
    horizon = None if generations is None else whole("generations", generations, low=1)
    return Goal(PopulationEquivalents(population, aspect), loop.synthetic_noise_ratio, loop.labels, horizon)


def _optimum(loop: Loop, best: Best) -> Optimum:
    found = loop.replace(real_weight=best.real_weight, penalty=best.penalty)
    return Optimum(found, best.real_weight, best.risk, bool(best.attained))


def best_weight(goal: Goal, penalty: float) -> Best:
    """The best weight at a given penalty."""
    if penalty == 0 and goal.generations is None:
        return _best_minnorm_weight(goal)
    grid = np.linspace(0.0, 1.0, 65)
    if penalty > 0 and goal.generations is None:
        # Small weights matter down to penalty/w of the order of the spectrum.
        grid = np.union1d(grid, np.minimum(penalty / _penalty_grid(goal.equivalents), 1.0))
    risks = goal.over_weights(grid, penalty)
    w, risk = _least(lambda points: goal.over_weights(points, penalty), grid, risks)
    return Best(w, penalty, risk)


def _best_minnorm_weight(goal: Goal) -> Best:
    """Closed forms: c(w) of MATH section 3 is least at (sqrt(rho^2 + 4 rho) - rho)/2, of section 4 at 1."""
    rho = goal.noise_ratio
    if goal.labels == "frozen" or goal.equivalents.noise_variance == 0:
        w = 1.0
    else:
        # 2 rho / (sqrt(rho^2 + 4 rho) + rho), the same without cancellation.
        w = 2 / (math.sqrt(1 + 4 / rho) + 1) if rho > 0 else 0.0
    if w > 0:
        return Best(w, 0.0, float(goal.over_weights(np.array([w]), 0.0)[0]))
    zero = goal.equivalents.solve(0.0)
    return Best(0.0, 0.0, float(goal.equivalents.bias(zero, zero)[0]), attained=False)


def best_penalty(goal: Goal, w: float) -> Best:
    """The best penalty at a given weight w > 0 (at w = 0 and in the long run it grows without bound)."""
    scale = w if goal.generations is None and w > 0 else 1.0
    grid = scale * _penalty_grid(goal.equivalents)
    risks = goal.over_penalties(w, grid)
    z, risk = _least(lambda points: goal.over_penalties(w, np.exp(points)), np.log(grid), risks)
    best = Best(w, float(np.exp(z)), risk, attained=z < math.log(grid[-1]))
    none = Best(w, 0.0, float(goal.over_penalties(w, np.zeros(1))[0]))
    return none if none.risk <= best.risk else best


def best_plain_ridge(equivalents: Equivalents, times_seen: float = 1.0) -> tuple[float, float]:
    """Penalty and risk of the best ridge fit on real labels only, each averaged over that many draws."""

    def at(log_z: Floats) -> Floats:
        return frozen.real_only_risk(equivalents, np.exp(log_z), times_seen)

    grid = np.log(_penalty_grid(equivalents))
    log_z, risk = _least(at, grid, at(grid))
    none = float(frozen.real_only_risk(equivalents, 0.0, times_seen))
    return (0.0, none) if none <= risk else (math.exp(log_z), risk)


def best_loop(goal: Goal) -> Best:
    """The best weight and penalty together."""
    none = best_weight(goal, 0.0)
    if goal.generations is not None:
        return _best_loop_at_horizon(goal, none)
    if goal.labels == "frozen" or goal.equivalents.noise_variance == 0:
        # Synthetic labels cannot beat plain ridge at its best penalty (MATH section 4).
        return best_penalty(goal, 1.0)
    if goal.noise_ratio == 0:
        return _unattained(goal)
    z = _penalty_grid(goal.equivalents)
    table = risk_table(goal, z)
    i, j = np.unravel_index(np.nanargmin(table), table.shape)
    start = np.array([np.log(z[i]), _weight_of(z[j] / z[i])])

    def risk_at(point: Floats) -> float:
        return float(goal.over_weights(point[1:], math.exp(point[0]) * point[1])[0])

    box = [(math.log(z[0]), math.log(z[-1])), (1e-9, 1.0)]
    step = np.array([[0.0, 0.0], [0.1, 0.0], [0.0, -0.05 if start[1] > 0.5 else 0.05]])
    found = minimize(
        risk_at,
        start,
        method="Nelder-Mead",
        bounds=box,
        options={"initial_simplex": start + step, "xatol": 1e-9, "fatol": 1e-15, "maxiter": 400},
    )
    log_z, w = found.x
    penalty = math.exp(log_z) * w
    near = np.clip(w + np.linspace(-0.02, 0.02, 5), 0.0, 1.0)
    w, risk = _least(lambda points: goal.over_weights(points, penalty), near, goal.over_weights(near, penalty))
    best = Best(w, penalty, risk, attained=log_z < box[0][1] - 1e-6)
    return none if none.risk <= best.risk else best


def risk_table(goal: Goal, z: Floats) -> Floats:
    """Long-run risk for every pair z1 = lambda/w >= z2 = lambda/(2-w) of a grid; NaN where z2 > z1.

    One product of two tables gives all pairs: a grid of m penalties costs O(m n + m^2 n), whatever the weights.
    """
    own, shared = _parts(goal, z)
    ratio = z / z[:, None]
    with np.errstate(invalid="ignore"):
        w = np.where(ratio <= 1, _weight_of(ratio), np.nan)
    factor = frozen.memory_factor(np.nan_to_num(w, nan=1.0), goal.noise_ratio, goal.labels)
    return np.where(np.isnan(w), np.nan, own[:, None] + factor * shared)


def _parts(goal: Goal, z: Floats) -> tuple[Floats, Floats]:
    """What depends on z1 alone, (m,), and sigma^2 x12/(1-x12) for all pairs, (m, m)."""
    solved, sigma2 = goal.equivalents.solve(z), goal.equivalents.noise_variance
    own = goal.equivalents.bias(solved, solved)
    if goal.labels == "frozen":
        own = own + sigma2 * goal.equivalents.variance(solved, solved)
    return own, sigma2 * goal.equivalents.variance(solved, solved, table=True)


def tuned_risks(goal: Goal, weights: Floats) -> Floats:
    """(m,) risks of the weights, each at its own best penalty.

    Long-run risks of all penalties come from a spline through the table of pairs; the best of them is then evaluated.
    """
    if goal.generations is not None:
        return np.asarray(_horizon_table(goal, _penalty_grid(goal.equivalents), weights).min(axis=0))
    z = _penalty_grid(goal.equivalents)
    log_z = np.log(z)
    own, shared = _parts(goal, z)
    pairs = RectBivariateSpline(log_z, log_z, shared)
    w = np.maximum(weights, 1e-6)[:, None]
    second = np.maximum(log_z + np.log(w / (2 - w)), log_z[0])
    table = own + frozen.memory_factor(w, goal.noise_ratio, goal.labels) * pairs.ev(
        np.broadcast_to(log_z, second.shape), second
    )
    penalties = w[:, 0] * z[np.argmin(table, axis=1)]
    risks = frozen.limit_risk(goal.equivalents, w[:, 0], penalties, goal.noise_ratio, goal.labels)
    # At w = 0 the best penalty grows without bound.
    return np.where(weights == 0, goal.equivalents.null_risk, risks)


def _weight_of(ratio: Floats) -> Floats:
    """w from z2/z1 = w/(2-w)."""
    return 2 * ratio / (1 + ratio)


def _unattained(goal: Goal) -> Best:
    """Without synthetic noise: as w -> 0 with lambda = w z the risk tends to B(z), and the best z is taken."""
    bias = goal.equivalents.bias
    grid = _penalty_grid(goal.equivalents)

    def at(log_z: Floats) -> Floats:
        solved = goal.equivalents.solve(np.exp(log_z))
        return np.asarray(bias(solved, solved))

    zero = goal.equivalents.solve(0.0)
    _, risk = _least(at, np.log(grid), at(np.log(grid)))
    return Best(0.0, 0.0, min(risk, float(bias(zero, zero)[0])), attained=False)


def _best_loop_at_horizon(goal: Goal, none: Best) -> Best:
    """Best constant weight for each penalty of a coarse grid, then both together from the best of them."""
    grid = _penalty_grid(goal.equivalents)[:: POINTS_PER_DECADE // 2]
    weights = np.linspace(0.0, 1.0, 33)
    table = _horizon_table(goal, grid, weights)
    i, j = np.unravel_index(np.argmin(table), table.shape)
    start = np.array([math.log(grid[i]), weights[j]])
    found = minimize(
        lambda point: float(goal.over_weights(point[1:], math.exp(point[0]))[0]),
        start,
        method="Nelder-Mead",
        bounds=[(math.log(grid[0]), math.log(grid[-1])), (0.0, 1.0)],
        options={
            "initial_simplex": start + np.array([[0.0, 0.0], [0.3, 0.0], [0.0, -0.03 if start[1] > 0.5 else 0.03]]),
            "xatol": 1e-7,
            "fatol": 1e-14,
            "maxiter": 300,
        },
    )
    best = Best(float(found.x[1]), math.exp(found.x[0]), float(found.fun), found.x[0] < math.log(grid[-1]) - 1e-6)
    return none if none.risk <= best.risk else best


def _horizon_table(goal: Goal, penalties: Floats, weights: Floats) -> Floats:
    return np.array([goal.over_weights(weights, penalty) for penalty in penalties])


def _penalty_grid(equivalents: Equivalents) -> Floats:
    scale = equivalents.bulk[1]
    decades = math.log10(MOST_PENALTY / LEAST_PENALTY)
    return scale * np.geomspace(LEAST_PENALTY, MOST_PENALTY, round(POINTS_PER_DECADE * decades) + 1)


def _least(function: Callable[[Floats], Floats], grid: Floats, values: Floats) -> tuple[float, float]:
    """The least point of a smooth function, from its values on a grid: Chebyshev interpolants on shrinking intervals.

    The root of an interpolant's derivative keeps nearly all digits, where comparing values keeps half of them.
    """
    at = int(np.argmin(values))
    best, least = float(grid[at]), float(values[at])
    low, high = float(grid[max(at - 1, 0)]), float(grid[min(at + 1, grid.size - 1)])
    floor, ceiling = float(grid[0]), float(grid[-1])
    for _ in range(6):
        if not high > low:
            break
        nodes = (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(14) + 0.5) / 14)
        fitted = Chebyshev.fit(nodes, function(nodes), 13, domain=[low, high])
        roots = fitted.deriv().roots()
        inside = roots[(np.abs(roots.imag) < 1e-8) & (roots.real > low) & (roots.real < high)].real
        candidates = np.array([low, high, *inside])
        found = float(candidates[np.argmin(fitted(candidates))])
        value = float(function(np.array([found]))[0])
        if value <= least * (1 + 1e-14):
            best, least = found, min(value, least)
        width = (high - low) / 6
        if width < 1e-3 * max(abs(best), 1e-300):
            break
        low, high = max(best - width, floor), min(best + width, ceiling)
    return best, least
