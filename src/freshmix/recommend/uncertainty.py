"""Intervals and verdict probabilities of a recommendation: the search repeated over posterior draws (MATH section 7).

Every risk is affine in (sigma^2, g): it is evaluated at one point more than there are of these, and then known for all draws.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RectBivariateSpline

from .._checks import Floats
from ..equivalents import Equivalents, SampleEquivalents
from ..estimate import Estimate
from ..loop import Loop
from ..optimum.fresh import goal as fresh_goal
from ..optimum.fresh import with_parameters
from ..optimum.frozen import Goal
from ..population import Population
from ..risk import frozen
from ..risk.verdict import judge

DRAWS = 200
# Penalties are searched within this factor of the recommended one.
RANGE = 100.0
_ATOMS = 300
_FINE = 4


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """90% intervals by name, and the share of posterior draws with each verdict at the recommended weight and penalty."""

    intervals: Mapping[str, tuple[float, float]]
    verdict_probabilities: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Affine:
    """Posterior draws of (sigma^2, g), and the points at which a function that is affine in them has to be known."""

    draws: Floats
    points: Floats

    @classmethod
    def of(cls, found: Estimate, most: int = DRAWS) -> "Affine":
        """Thinned draws, with points at their mean and one step from it along each coordinate."""
        every = np.column_stack([found.noise_draws, found.signal_draws])
        draws = every[np.linspace(0, len(every) - 1, min(most, len(every))).astype(int)]
        centre = every.mean(axis=0)
        steps = np.maximum(centre, 0.1 * centre.max())
        return cls(draws, np.vstack([centre, centre + np.diag(steps)]))

    def __call__(self, values: Floats) -> Floats:
        """(points, ...) values at the points -> (d, ...) at the draws; infinite ones (of the spectrum alone) stay so."""
        centre, steps = self.points[0], np.diag(self.points[1:] - self.points[0])
        finite = np.isfinite(values).all(axis=0)
        known = np.where(finite, values, 0.0)
        moves = (self.draws - centre) / steps
        found = known[0] + np.tensordot(moves, known[1:] - known[0], axes=1)
        # Quantities of at least 0: only rounding, and signals at the wall, go below.
        return np.asarray(np.where(finite, np.maximum(found, 0.0), np.inf))


def frozen_uncertainty(
    found: Estimate,
    goal: Goal,
    real_weight: float,
    penalty: float,
    given: float | None,
    risk_under: Callable[[Equivalents], float],
) -> Uncertainty:
    """Of a loop on frozen covariates; ``risk_under`` gives the recommended loop's risk for other data."""
    affine = Affine.of(found)
    known = [_gathered(found.equivalents(float(point[0]), point[1:])) for point in affine.points]
    goals = [Goal(each, goal.noise_ratio, goal.labels, goal.generations) for each in known]
    penalties = _penalties(penalty, given, goal.equivalents.bulk[1], 17)
    weights = np.linspace(0.0, 1.0, 21 if penalties.size > 1 else 101)
    table = np.array([[each.over_weights(weights, float(lam)) for lam in penalties] for each in goals])
    plain = penalties[:1] if given is not None else goal.equivalents.bulk[1] * np.geomspace(1e-8, 1e6, 85)
    real_only = affine(np.array([frozen.real_only_risk(each, plain) for each in known])).min(axis=1)
    risks = affine(np.array([risk_under(each) for each in known]))
    nulls = affine(np.array([each.null_risk for each in known]))
    intervals = _risk_intervals(found, affine, risks) | _best_intervals(affine(table), penalties, weights)
    if given is not None:
        del intervals["penalty"]
    return Uncertainty(intervals, _verdicts(risks, real_only, nulls))


def fresh_uncertainty(
    found: Estimate,
    loop: Loop,
    generations: int | None,
    given: float | None,
    real_only: Callable[[Population], float],
) -> Uncertainty:
    """Of a recommended loop on fresh covariates; ``real_only`` gives the rival's risk for another population."""
    affine = Affine.of(found)
    known = [found.population(float(point[0]), point[1:]) for point in affine.points]
    goals = [fresh_goal(each, generations) for each in known]
    penalties = _penalties(loop.penalty, given, float(known[0].eigenvalues.max()), 7)
    weights = np.linspace(0.0, 1.0, 11)
    rows = _row_weights(loop)

    def at(goal: Callable[[Loop], float], lam: float, w: float) -> list[float]:
        return [goal(with_parameters(loop, w, lam, row)) for row in rows]

    constant = loop.schedule is None
    table = np.array([[[at(each, float(lam), float(w)) for w in weights] for lam in penalties] for each in goals])
    risks = affine(np.array([each(loop) for each in goals]))
    nulls = affine(np.array([each.null_risk for each in known]))
    # The rival tunes its own penalty for each draw, which is not affine: fewer draws.
    few = np.linspace(0, DRAWS - 1, 40).astype(int)
    drawn = affine.draws[np.minimum(few, len(affine.draws) - 1)]
    rivals = np.array([real_only(found.population(float(each[0]), each[1:])) for each in drawn])
    intervals = _risk_intervals(found, affine, risks)
    if constant:
        intervals |= _best_intervals(affine(table).min(axis=3), penalties, weights)
        if given is not None:
            del intervals["penalty"]
    at_few = np.minimum(few, len(risks) - 1)
    return Uncertainty(intervals, _verdicts(risks[at_few], rivals, nulls[at_few]))


def _row_weights(loop: Loop) -> list[float | None]:
    """Row weights of unlabelled rows that are tried: three about the recommended one, or none where there is no choice."""
    groups = loop.groups or ()
    unlabelled = [group.row_weight for group in groups if group.real_weight == 0]
    if not unlabelled or not 0 < loop.labelled < 1 or unlabelled[0] == 0:
        return [None]
    return [unlabelled[0] / 3, unlabelled[0], unlabelled[0] * 3]


def _penalties(penalty: float, given: float | None, scale: float, count: int) -> Floats:
    if given is not None:
        return np.array([given])
    centre = penalty if penalty > 0 else 1e-4 * scale
    return np.asarray(centre * np.geomspace(1 / RANGE, RANGE, count))


def _gathered(sample: SampleEquivalents) -> SampleEquivalents:
    """Neighbouring eigenvalues as one entry where there are many: all that posterior draws need."""
    if sample.s.size <= 2 * _ATOMS:
        return sample
    zero = sample.s == 0
    index = np.where(zero, _ATOMS, np.arange(sample.s.size) * _ATOMS // sample.s.size)
    share = np.bincount(index, sample.share)
    kept = share > 0
    s = np.bincount(index, sample.share * sample.s)[kept] / share[kept]
    squares = np.bincount(index, sample.signal)[kept] / share[kept] + sample.noise_variance
    return SampleEquivalents(s, np.maximum(squares, 0.0), share[kept], sample.noise_variance)


def _risk_intervals(found: Estimate, affine: Affine, risks: Floats) -> dict[str, tuple[float, float]]:
    own = found.intervals()
    return {
        "noise_variance": own["noise_variance"],
        "signal_to_noise_ratio": own["signal_to_noise_ratio"],
        "risk": found.interval(risks),
        "prediction_error": found.interval(risks + affine.draws[:, 0]),
    }


def _best_intervals(table: Floats, penalties: Floats, weights: Floats) -> dict[str, tuple[float, float]]:
    """From (d, penalties, weights) risks: each draw's best point, between the grid's points by a spline."""
    log_penalties = np.log(penalties) if penalties[0] > 0 else np.zeros(penalties.size)
    best = np.empty((len(table), 2))
    smooth = penalties.size > 3 and bool(np.isfinite(table).all())
    fine_x = np.linspace(log_penalties[0], log_penalties[-1], _FINE * (penalties.size - 1) + 1)
    fine_w = np.linspace(0.0, 1.0, _FINE * (weights.size - 1) + 1)
    x, w = (fine_x, fine_w) if smooth else (log_penalties, weights)
    for k, risks in enumerate(table):
        surface = RectBivariateSpline(log_penalties, weights, risks)(fine_x, fine_w) if smooth else risks
        i, j = np.unravel_index(np.argmin(surface), surface.shape)
        best[k] = np.exp(x[i]), w[j]
    low, high = np.quantile(best, [0.05, 0.95], axis=0)
    return {"real_weight": (float(low[1]), float(high[1])), "penalty": (float(low[0]), float(high[0]))}


def _verdicts(risks: Floats, real_only: Floats, nulls: Floats) -> dict[str, float]:
    """Share of draws with each verdict, the most likely first."""
    words = [judge(float(a), float(b), float(c))[0] for a, b, c in zip(risks, real_only, nulls, strict=True)]
    shares = {str(word): words.count(word) / len(words) for word in set(words)}
    return dict(sorted(shares.items(), key=lambda each: (-each[1], each[0])))
