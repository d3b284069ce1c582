"""Best real weight and penalty for frozen covariates, in the long run or at a horizon (mathematics.md sections 3 and 4).

The searches take ``Equivalents``, so that a population and a sample share them. In the long run the risk depends on the
penalty through z = (1-alpha) lambda/w, at which its bias is that of plain ridge: that is the coordinate of the searches.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import RectBivariateSpline

from ..arguments import Floats
from ..equivalents import Equivalents
from ..equivalents.gathered import gathered
from ..risks import frozen
from ..risks.frozen import FrozenSetting
from ..risks.frozen_courses import Law
from ..risks.least import least
from ..risks.plain import POINTS_PER_DECADE, penalty_grid
from .box import Box
from .optimum import Optimum

# Directions of a sample that a search at a horizon leaves as they are, and how many the others become.
_APART, _ATOMS = 8, 60


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
    renewal: float
    anchor: float = 0.0
    generations: int | None = None

    @classmethod
    def of(cls, setting: FrozenSetting, generations: int | None) -> "Goal":
        """The risk of a setting's labels."""
        return cls(setting.equivalents, *setting.law, generations=generations)

    @property
    def law(self) -> Law:
        """rho, kappa and alpha."""
        return self.noise_ratio, self.renewal, self.anchor

    def over_weights(self, w: Floats, penalty: float) -> Floats:
        """(m,) risks of m weights at one penalty."""
        if self.generations is None:
            return frozen.limit_risk(self.equivalents, w, penalty, *self.law)
        return frozen.horizon_risk(self.equivalents, w, penalty, self.generations, *self.law)

    def over_penalties(self, w: float, penalties: Floats) -> Floats:
        """(m,) risks of one weight at m penalties."""
        if self.generations is None:
            return frozen.limit_risk(self.equivalents, w, penalties, *self.law)
        return np.array([self.over_weights(np.array([w]), penalty)[0] for penalty in penalties])


def weight(setting: FrozenSetting, generations: int | None) -> Optimum:
    """The best weight at the loop's own penalty."""
    return _optimum(setting, best_weight(Goal.of(setting, generations), setting.loop.penalty))


def weight_and_penalty(setting: FrozenSetting, generations: int | None) -> Optimum:
    """Both at their best."""
    return _optimum(setting, best_loop(Goal.of(setting, generations)))


def _optimum(setting: FrozenSetting, best: Best) -> Optimum:
    loop = setting.loop.replace(real_weight=best.real_weight, penalty=best.penalty)
    return Optimum(loop, best.real_weight, best.risk, bool(best.attained))


def best_weight(goal: Goal, penalty: float) -> Best:
    """The best weight at a given penalty."""
    if penalty == 0 and goal.generations is None:
        return _best_minnorm_weight(goal)
    grid = np.linspace(0.0, 1.0, 65)
    if penalty > 0 and goal.generations is None and goal.anchor < 1:
        # Small weights matter down to penalty/w of the order of the spectrum.
        grid = np.union1d(grid, np.minimum((1 - goal.anchor) * penalty / penalty_grid(goal.equivalents.bulk), 1.0))
    risks = goal.over_weights(grid, penalty)
    w, risk = least(lambda points: goal.over_weights(points, penalty), grid, risks)
    return Best(w, penalty, risk)


def _best_minnorm_weight(goal: Goal) -> Best:
    """c(w) is least at w* = (sqrt(rho^2 + 4 kappa rho) - rho)/(2 kappa), which is 1 at kappa = 0 (mathematics.md section 4)."""
    rho, kappa = goal.noise_ratio, goal.renewal
    if kappa == 0 or goal.equivalents.noise_variance == 0:
        w = 1.0
    else:
        # The same without cancellation.
        w = 2 / (math.sqrt(1 + 4 * kappa / rho) + 1) if rho > 0 else 0.0
    if w > 0:
        return Best(w, 0.0, float(goal.over_weights(np.array([w]), 0.0)[0]))
    zero = goal.equivalents.solve(0.0)
    return Best(0.0, 0.0, float(goal.equivalents.bias(zero, zero)[0]), attained=False)


def best_penalty(goal: Goal, w: float) -> Best:
    """The best penalty at a given weight w > 0 (at w = 0 and in the long run it grows without bound)."""
    scale = w / (1 - goal.anchor) if goal.generations is None and w > 0 and goal.anchor < 1 else 1.0
    grid = scale * penalty_grid(goal.equivalents.bulk)
    risks = goal.over_penalties(w, grid)
    z, risk = least(lambda points: goal.over_penalties(w, np.exp(points)), np.log(grid), risks)
    best = Best(w, float(np.exp(z)), risk, attained=z < math.log(grid[-1]))
    none = Best(w, 0.0, float(goal.over_penalties(w, np.zeros(1))[0]))
    return none if none.risk <= best.risk else best


def best_loop(goal: Goal) -> Best:
    """The best weight and penalty together."""
    none = best_weight(goal, 0.0)
    if goal.generations is not None:
        return _best_loop_at_horizon(goal, none)
    if goal.anchor == 1:
        return _averaging(goal)
    if goal.renewal == 0 or goal.equivalents.noise_variance == 0:
        # Synthetic labels cannot beat plain ridge at its best penalty (mathematics.md section 4).
        return best_penalty(goal, 1.0)
    if goal.noise_ratio == 0:
        return _unattained(goal)
    z = penalty_grid(goal.equivalents.bulk)
    table = risk_table(goal, z)
    i, j = np.unravel_index(np.nanargmin(table), table.shape)
    box = Box({"penalty": (z[0], z[-1]), "real_weight": (1e-9, 1.0)})

    def risks_at(at: dict[str, Floats]) -> Floats:
        return frozen.limit_risk(
            goal.equivalents, at["real_weight"], at["penalty"] * at["real_weight"] / (1 - goal.anchor), *goal.law
        )

    start = {"penalty": float(z[i]), "real_weight": float(_weight_of(z[j] / z[i], goal.anchor))}
    # A sample's risks are known to fewer digits than a population's.
    exact = goal.equivalents.tolerance < 1e-8
    digits = {"tolerance": 1e-9} if exact else {"tolerance": 1e-5, "value_tolerance": 1e-11 * float(np.nanmin(table))}
    found, _ = box.near(risks_at, start, slopes=exact, steps=(0.025, 0.25), **digits)
    w, penalty = found["real_weight"], found["penalty"] * found["real_weight"] / (1 - goal.anchor)
    near = np.clip(w + np.linspace(-0.02, 0.02, 5), 0.0, 1.0)
    w, risk = least(lambda points: goal.over_weights(points, penalty), near, goal.over_weights(near, penalty))
    best = Best(w, penalty, risk, attained=box.inside(found, "penalty"))
    return none if none.risk <= best.risk else best


def risk_table(goal: Goal, z: Floats) -> Floats:
    """Long-run risk for every pair z1 = (1-alpha) lambda/w, z2 = (1+alpha) lambda/(2-w) of a grid; NaN where that is no w <= 1.

    One product of two tables gives all pairs: a grid of m penalties costs O(m n + m^2 n), whatever the weights.
    """
    bias, own, shared = _parts(goal, z)
    ratio = z / z[:, None]
    w = _weight_of(ratio, goal.anchor)
    w = np.where(w <= 1, w, np.nan)
    memory = frozen.memory_factor(np.nan_to_num(w, nan=1.0), goal.noise_ratio, goal.renewal)
    risks = frozen.long_run(bias[:, None], own[:, None], shared, memory, goal.equivalents.noise_variance, goal.renewal)
    return np.where(np.isnan(w), np.nan, risks)


def _parts(goal: Goal, z: Floats) -> tuple[Floats, Floats, Floats]:
    """B and Vr at each z, (m,), and x12/(1-x12) for all pairs, (m, m)."""
    known, solved = goal.equivalents, goal.equivalents.solve(z)
    return known.bias(solved, solved), known.variance(solved, solved), known.variance(solved, solved, table=True)


def tuned_risks(goal: Goal, weights: Floats) -> Floats:
    """(m,) risks of the weights, each at its own best penalty.

    Long-run risks of all penalties come from a spline through the table of pairs; the best of them is then evaluated.
    """
    if goal.generations is not None or goal.anchor == 1:
        return _tuned_at_horizon(goal, weights)
    z = penalty_grid(goal.equivalents.bulk)
    log_z = np.log(z)
    bias, own, shared = _parts(goal, z)
    pairs = RectBivariateSpline(log_z, log_z, shared)
    w = np.maximum(weights, 1e-6)[:, None]
    stretch = (1 + goal.anchor) / (1 - goal.anchor)
    second = np.clip(log_z + np.log(stretch * w / (2 - w)), log_z[0], log_z[-1])
    memory = frozen.memory_factor(w, goal.noise_ratio, goal.renewal)
    shared = pairs.ev(np.broadcast_to(log_z, second.shape), second)
    table = frozen.long_run(bias, own, shared, memory, goal.equivalents.noise_variance, goal.renewal)
    penalties = w[:, 0] * z[np.argmin(table, axis=1)] / (1 - goal.anchor)
    risks = frozen.limit_risk(goal.equivalents, w[:, 0], penalties, *goal.law)
    # At w = 0 the best penalty grows without bound.
    return np.where(weights == 0, goal.equivalents.null_risk, risks)


def _weight_of(ratio: Floats, anchor: float) -> Floats:
    """w from z2/z1 = (1+alpha) w / ((1-alpha) (2-w))."""
    ratio = ratio * (1 - anchor) / (1 + anchor)
    return 2 * ratio / (1 + ratio)


def _kept(goal: Goal, z: Floats) -> Floats:
    """B(z) + (1-kappa) sigma^2 Vr(z): what is left where all noise that is drawn anew is averaged out."""
    known, solved = goal.equivalents, goal.equivalents.solve(z)
    kept = frozen.product((1 - goal.renewal) * known.noise_variance, known.variance(solved, solved))
    return np.asarray(known.bias(solved, solved) + kept, dtype=np.float64)


def _unattained(goal: Goal) -> Best:
    """Without synthetic noise: as w -> 0 with lambda = w z the risk tends to what is kept at z, and the best z is taken."""
    grid = penalty_grid(goal.equivalents.bulk)

    def at(log_z: Floats) -> Floats:
        return _kept(goal, np.exp(log_z))

    _, risk = least(at, np.log(grid), at(np.log(grid)))
    return Best(0.0, 0.0, min(risk, float(_kept(goal, np.zeros(1))[0])), attained=False)


def _averaging(goal: Goal) -> Best:
    """Anchored to all of the previous model: as lambda grows nothing but what is kept without a penalty is left (section 3)."""
    return Best(1.0, float(penalty_grid(goal.equivalents.bulk)[-1]), float(_kept(goal, np.zeros(1))[0]), attained=False)


def _best_loop_at_horizon(goal: Goal, none: Best) -> Best:
    """Best constant weight for each penalty of a coarse grid, then both together from the best of them."""
    # A contour for each penalty: fewer directions find the same place.
    rough = replace(goal, equivalents=gathered(goal.equivalents, _APART, _ATOMS))
    grid = penalty_grid(goal.equivalents.bulk)[:: POINTS_PER_DECADE // 2]
    weights = np.linspace(0.0, 1.0, 33)
    table = _horizon_table(rough, grid, weights)
    i, j = np.unravel_index(np.argmin(table), table.shape)
    box = Box({"penalty": (grid[0], grid[-1]), "real_weight": (0.0, 1.0)})

    def risk_at(at: dict[str, float]) -> float:
        return float(rough.over_weights(np.array([at["real_weight"]]), at["penalty"])[0])

    start = {"penalty": grid[i], "real_weight": weights[j]}
    # A sample's risks are known to fewer digits than a population's.
    exact = goal.equivalents.tolerance < 1e-8
    digits = (1e-7, 1e-14) if exact else (1e-3, 1e-5 * float(table.min()))
    found, _ = box.simplex(risk_at, start, steps=(0.03, 0.3), tolerance=digits[0], value_tolerance=digits[1])
    w, penalty = found["real_weight"], found["penalty"]
    best = Best(w, penalty, float(goal.over_weights(np.array([w]), penalty)[0]), box.inside(found, "penalty"))
    return none if none.risk <= best.risk else best


def _tuned_at_horizon(goal: Goal, weights: Floats) -> Floats:
    """(m,) least risks on the grid of penalties, which is refined by the best of whole decades alone: a contour for each."""
    grid, step = penalty_grid(goal.equivalents.bulk), POINTS_PER_DECADE
    best = step * np.argmin(_horizon_table(goal, grid[::step], weights), axis=0)
    near = grid[max(int(best.min()) - step, 0) : int(best.max()) + step + 1]
    return np.asarray(_horizon_table(goal, near, weights).min(axis=0))


def _horizon_table(goal: Goal, penalties: Floats, weights: Floats) -> Floats:
    return np.array([goal.over_weights(weights, penalty) for penalty in penalties])
