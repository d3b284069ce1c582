"""Intervals and verdict probabilities of a recommendation: the search repeated over posterior draws (mathematics.md section 7).

Every risk is affine in sigma^2, the energies g of the bands and the signal m^2 of the outlying directions: it is evaluated at
one point more than there are of these, and then known for all draws.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.interpolate import make_interp_spline

from ..arguments import Floats
from ..equivalents import RowEquivalents, SampleEquivalents
from ..equivalents.gathered import gathered
from ..estimation import Estimate
from ..optima import Optimum
from ..optima.box import Box
from ..population import Population
from ..risks.fresh import FreshSetting
from ..risks.frozen import FrozenSetting
from ..risks.plain import penalty_grid
from ..risks.setting import Setting
from ..risks.verdict import judge
from ..stages import at
from ..words import waiting

DRAWS = 200
# Penalties are searched within this factor of the recommended one.
RANGE = 100.0
_ATOMS = 300
# Groups of outlying directions.
_GROUPS = 4
FEW_DRAWS = 40
# Best points of draws are looked for until a step gains less than this part of the risk.
_LEAST_GAIN = 1e-6
_FINE = 4
# Standard errors on either side of a 90% interval.
_TAIL = 1.645
# A loop that uses real labels alone is its own rival: the draws would tell by how much their best penalties differ.
_HOLDS: Mapping[str, float] = {"holds": 1.0}


@dataclass(frozen=True)
class OfRows:
    """What a risk owes to the rows of the table: others would differ as these do. All are parts of the risk.

    ``below`` and ``above`` are half-widths of its 90% interval, and ``far`` is what rows far beyond all others may add to it.
    """

    below: float = 0.0
    above: float = 0.0
    far: float = 0.0

    @classmethod
    def of(cls, known: RowEquivalents, z: float, rows: float, far: float) -> "OfRows":
        """At a ridge penalty, from a number of independent rows: the normal interval of a mean, and Johnson's where it is skew.

        With standard error e and skewness g of single rows the upper end is e (1.645 + (1 + 2 1.645^2) g / (6 sqrt(n))) off. To
        ``far`` rows beyond the largest of the table are added, as far as a tail of its errors tells of them.
        """
        below = _TAIL * known.row_spread(z)[0] / math.sqrt(rows)
        spread, skewness = known.counting_far_rows().row_spread(z)
        shift = (1 + 2 * _TAIL**2) * max(skewness, 0.0) / (6 * math.sqrt(rows))
        return cls(below, (_TAIL + shift) * spread / math.sqrt(rows), max(far, 0.0) + known.beyond_rows(z, rows))

    def wider(self, interval: tuple[float, float], middle: float, risk: float) -> tuple[float, float]:
        """An interval about ``middle`` of a ``risk``, or of that and something else, with independent errors of its rows."""
        if not math.isfinite(risk):
            return interval
        low = math.hypot(interval[0] - middle, self.below * risk)
        high = math.hypot(interval[1] - middle, self.above * risk) + self.far * risk
        return max(middle - low, 0.0), middle + high


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """90% intervals by name, and the share of posterior draws with each verdict at the recommended weight and penalty."""

    intervals: Mapping[str, tuple[float, float]]
    verdict_probabilities: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Affine:
    """Posterior draws of (sigma^2, g, m^2), and the points at which a function that is affine in them has to be known.

    Outlying directions are gathered into a few groups of neighbours, whose parts of the group's signal are the mean ones:
    ``tops`` (groups, k) holds these.
    """

    draws: Floats
    points: Floats
    tops: Floats

    @classmethod
    def of(cls, found: Estimate, most: int = DRAWS) -> "Affine":
        """Thinned draws, with points at their mean and one step from it along each coordinate."""
        groups = np.array_split(np.arange(found.outlying), min(found.outlying, _GROUPS)) if found.outlying else []
        tops = np.zeros((len(groups), found.outlying))
        for row, group in zip(tops, groups, strict=True):
            row[group] = found.outlying_signal[group]
            row[group] = row[group] / row.sum() if row.sum() > 0 else 1 / group.size
        sums = [found.outlying_draws[:, group].sum(axis=1) for group in groups]
        every = np.column_stack([found.noise_draws, found.signal_draws, *sums])
        draws = every[np.linspace(0, len(every) - 1, min(most, len(every))).astype(int)]
        centre = every.mean(axis=0)
        steps = np.maximum(centre, 0.1 * centre.max())
        return cls(draws, np.vstack([centre, centre + np.diag(steps)]), tops)

    def parts(self, point: Floats) -> tuple[float, Floats, Floats]:
        """sigma^2, g and the signal of the outlying directions at a point or a draw."""
        bands = point.size - len(self.tops)
        return float(point[0]), point[1:bands], point[bands:] @ self.tops

    def __call__(self, values: Floats) -> Floats:
        """(points, ...) values at the points -> (d, ...) at the draws; infinite ones (of the spectrum alone) stay so."""
        centre, steps = self.points[0], np.diag(self.points[1:] - self.points[0])
        finite = np.isfinite(values).all(axis=0)
        known = np.where(finite, values, 0.0)
        moves = (self.draws - centre) / steps
        found = known[0] + np.tensordot(moves, known[1:] - known[0], axes=1)
        # Quantities of at least 0: only rounding, and signals at the wall, go below.
        return np.asarray(np.where(finite, np.maximum(found, 0.0), np.inf))

    def without_signal(self, values: Floats) -> Floats:
        """The same at the draws' noise alone."""
        noise = np.zeros_like(self.draws)
        noise[:, 0] = self.draws[:, 0]
        return replace(self, draws=noise)(values)


class Draws(Protocol):
    """Populations that a table may come from."""

    @property
    def noise(self) -> Floats:
        """(d,) their sigma^2."""

    def over(self, function: Callable[[Population], Floats]) -> Floats:
        """(d, ...) values of a function that is affine in (sigma^2, g)."""

    def interval(self, draws: Floats) -> tuple[float, float]:
        """90% interval from (d,) draws of a quantity that is at least 0."""


@dataclass(frozen=True, eq=False)
class StandingDraws:
    """Those of an estimate."""

    found: Estimate
    affine: Affine

    @property
    def noise(self) -> Floats:
        """(d,) their sigma^2."""
        return np.asarray(self.affine.draws[:, 0])

    def over(self, function: Callable[[Population], Floats]) -> Floats:
        """By values at a few points."""
        return self.affine(
            np.array([function(self.found.population(*self.affine.parts(point))) for point in self.affine.points])
        )

    def interval(self, draws: Floats) -> tuple[float, float]:
        """Widened where the noise estimates disagree."""
        return self.found.interval(draws)


@dataclass(frozen=True, eq=False)
class DriftingDraws:
    """Those of a table with times, each with a persistence of its own."""

    populations: Sequence[Population]

    @property
    def noise(self) -> Floats:
        """(d,) their sigma^2."""
        return np.array([each.noise_variance for each in self.populations])

    def over(self, function: Callable[[Population], Floats]) -> Floats:
        """One by one."""
        return np.array([function(each) for each in self.populations])

    def interval(self, draws: Floats) -> tuple[float, float]:
        """Between its quantiles."""
        low, high = np.quantile(draws, [0.05, 0.95], method="nearest").tolist()
        return low, high


@dataclass(frozen=True, eq=False)
class Search:
    """A grid of penalties (or of lambda/w, where ``relative``) and weights, on which each draw's best point is sought."""

    penalties: Floats
    weights: Floats
    relative: bool

    def table(self, setting: Setting, horizon: int | None) -> Floats:
        """(penalties, weights) risks."""
        pairs = self.penalties[:, None] * (self.weights if self.relative else 1.0)
        return setting.risks(horizon, real_weight=self.weights, penalty=pairs)

    def intervals(self, table: Floats) -> dict[str, tuple[float, float]]:
        """90% intervals of the best weight and penalty, from (d, penalties, weights) risks."""
        smooth = self.penalties.size > 3 and bool(np.isfinite(table).all())
        x = np.log(self.penalties) if smooth else self.penalties
        w = self.weights
        fine_x, fine_w = (_finer(x), _finer(w)) if smooth else (x, w)
        # The grid is that of all draws, and so is what takes it to the finer one.
        surfaces = _between(x, fine_x) @ table @ _between(w, fine_w).T if smooth else table
        best = np.empty((len(table), 2))
        for k, surface in enumerate(surfaces):
            i, j = np.unravel_index(np.argmin(surface), surface.shape)
            penalty = math.exp(fine_x[i]) if smooth else float(x[i])
            best[k] = fine_w[j], penalty * (fine_w[j] if self.relative else 1.0)
        (least_w, least_penalty), (most_w, most_penalty) = np.quantile(best, [0.05, 0.95], axis=0).tolist()
        # A point of the grid stands for all that are nearest to it.
        half = (fine_w[1] - fine_w[0]) / 2
        ratio = math.exp((fine_x[1] - fine_x[0]) / 2) if smooth else 1.0
        return {
            "real_weight": (max(least_w - half, 0.0), min(most_w + half, 1.0)),
            "penalty": (least_penalty / ratio, most_penalty * ratio),
        }


def _finer(grid: Floats) -> Floats:
    return np.linspace(grid[0], grid[-1], _FINE * (grid.size - 1) + 1)


def _between(grid: Floats, finer: Floats) -> Floats:
    """(f, m) matrix of the cubic spline from values on a grid to those on a finer one."""
    return np.asarray(make_interp_spline(grid, np.eye(grid.size), k=3)(finer))


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What both kinds of loop need: the recommended loops at the points and, of posterior draws, risks and null risks."""

    affine: Affine
    settings: Sequence[Setting]
    risks: Floats
    nulls: Floats
    intervals: dict[str, tuple[float, float]]

    @classmethod
    def of(
        cls, found: Estimate, affine: Affine, settings: Sequence[Setting], horizon: int | None, of_rows: OfRows = OfRows()
    ) -> "_Drawn":
        known = np.array([each.risk(horizon) for each in settings])
        risks, floor = affine(known), affine.without_signal(known)
        nulls = affine(np.array([each.null_risk for each in settings]))
        return cls(affine, settings, risks, nulls, _risk_intervals(found, affine, risks, floor, of_rows))


def few(
    found: Estimate, noise_variance: float | None = None, signal: Floats | None = None, tops: Floats | None = None
) -> SampleEquivalents:
    """The smoothed plug-in in few directions."""
    return gathered(found.equivalents(noise_variance, signal, tops), found.outlying, _ATOMS)


def frozen_uncertainty(
    found: Estimate,
    recommended: FrozenSetting,
    constant: Optimum,
    horizon: int | None,
    given: float | None,
    of_rows: OfRows = OfRows(),
) -> Uncertainty:
    """Of recommended loops on frozen covariates, and of the best ``constant`` one.

    ``of_rows`` is what the risk owes to the rows. A schedule has
    no interval of its weight or penalty.
    """
    at(waiting.INTERVALS)
    affine = Affine.of(found)
    known = [few(found, *affine.parts(point)) for point in affine.points]
    drawn = _Drawn.of(found, affine, [replace(recommended, equivalents=each) for each in known], horizon, of_rows)
    scale, w, penalty = recommended.scale, constant.real_weight, constant.loop.penalty
    if given is not None:
        search = Search(np.array([given]), np.linspace(0.0, 1.0, 101), False)
    else:
        # In the long run the bias depends on lambda/w alone, in which the risk is smooth down to small weights.
        long_run = horizon is None
        centre = penalty if penalty > 0 else 1e-4 * scale
        grid = centre / (max(w, 0.05) if long_run else 1.0) * np.geomspace(1 / RANGE, RANGE, 17)
        search = Search(grid, np.linspace(0.04 if long_run else 0.0, 1.0, 25), long_run)
    plain = search.penalties if given is not None else penalty_grid(recommended.bulk)
    real_only = affine(np.array([each.real_only().risks(plain) for each in drawn.settings])).min(axis=1)
    same = recommended.loop.schedule is None
    if same:
        best = search.intervals(affine(np.array([search.table(each, horizon) for each in drawn.settings])))
        drawn.intervals["real_weight"] = _holding(best["real_weight"], w)
        if given is None:
            drawn.intervals["penalty"] = _holding(best["penalty"], penalty)
    same = same and w == 1.0
    return Uncertainty(drawn.intervals, _HOLDS if same else _verdicts(drawn.risks, real_only, drawn.nulls))


def fresh_uncertainty(
    found: Estimate, recommended: FreshSetting, rival: FreshSetting, horizon: int | None, given: float | None
) -> Uncertainty:
    """Of recommended loops on fresh covariates; ``rival`` is the loop whose labelled rows real labels only are fitted on.

    A schedule has no interval of its weights or penalty.
    """
    at(waiting.INTERVALS)
    affine = Affine.of(found)
    points = [recommended.under(found, *affine.parts(point)) for point in affine.points]
    drawn = _Drawn.of(found, affine, points, horizon)
    # Penalties tuned for each draw are not affine: fewer draws.
    few = np.linspace(0, len(affine.draws) - 1, FEW_DRAWS).astype(int)
    pairs = [affine.parts(each) for each in affine.draws[few]]
    settings = [recommended.under(found, *each) for each in pairs]
    rivals = [rival.under(found, *each) for each in pairs]
    verdicts = drawn.risks[few], drawn.nulls[few]
    return _searched(drawn.intervals, settings, rivals, *verdicts, horizon, given)


def drifting_uncertainty(
    populations: Sequence[Population], recommended: FreshSetting, rival: FreshSetting, horizon: int | None, given: float | None
) -> Uncertainty:
    """The same for populations that a table with times may come from, whose coefficients drift."""
    at(waiting.INTERVALS)
    settings, rivals = ([replace(like, population=each) for each in populations] for like in (recommended, rival))
    risks, nulls = np.array([each.risk(horizon) for each in settings]), np.array([each.null_risk for each in populations])
    noise = DriftingDraws(populations).noise
    known, told = recommended.population, recommended.risk(horizon)
    intervals = {
        "noise_variance": interval_of(noise, known.noise_variance),
        "signal_to_noise_ratio": interval_of(nulls / noise, known.null_risk / known.noise_variance),
        "risk": interval_of(risks, told),
        "prediction_error": interval_of(risks + noise, told + known.noise_variance),
    }
    return _searched(intervals, settings, rivals, risks, nulls, horizon, given)


def interval_of(draws: Floats, value: float) -> tuple[float, float]:
    """90% of (d,) draws, and the value that is told."""
    return _holding(DriftingDraws(()).interval(draws), value)


def _searched(
    intervals: dict[str, tuple[float, float]],
    settings: Sequence[FreshSetting],
    rivals: Sequence[FreshSetting],
    risks: Floats,
    nulls: Floats,
    horizon: int | None,
    given: float | None,
) -> Uncertainty:
    """With intervals of the best weight and penalty, searched for each draw, and verdicts against each draw's rival."""
    loops, last = settings[0].loops, settings[0].loop
    constant = len(loops) == 1 and last.schedule is None
    if constant:
        best = np.array([_best_point(each, horizon, given is None) for each in settings])
        low, high = np.quantile(best, [0.05, 0.95], axis=0).tolist()
        real = [group.real_weight for group in last.groups or () if group.labelled]
        intervals["real_weight"] = _holding((low[0], high[0]), max(real, default=0.0))
        if given is None:
            intervals["penalty"] = _holding((low[1], high[1]), last.penalty)
    alone = np.array([each.real_only().at(given)[1] for each in rivals])
    used = [group.real_weight for group in last.groups or () if group.row_weight > 0]
    same = constant and used != [] and min(used) == 1.0
    return Uncertainty(intervals, _HOLDS if same else _verdicts(risks, alone, nulls))


def _holding(interval: tuple[float, float], recommended: float) -> tuple[float, float]:
    """The interval, extended to the recommended value.

    Where the risk is flat the least points of draws are anywhere, and a penalty of 0 is not on a grid of logarithms.
    """
    return float(min(interval[0], recommended)), float(max(interval[1], recommended))


def _best_point(setting: FreshSetting, horizon: int | None, free: bool) -> tuple[float, float]:
    """Best weight and penalty for another population, downhill from the recommended loop."""
    loop = setting.loop
    groups = loop.groups or ()
    real = [group.real_weight for group in groups if group.labelled]
    rows = [group.row_weight for group in groups if not group.labelled]
    start = {"real_weight": max(real, default=0.0)}
    if free and loop.penalty > 0:
        start["penalty"] = loop.penalty
        if real and rows and rows[0] > 0:
            start["row_weight"] = rows[0]
    box = Box({name: (0.0, 1.0) if name == "real_weight" else (x / RANGE, x * RANGE) for name, x in start.items()})
    found, _ = box.least(lambda points: setting.risks(horizon, "now", **points), None, [start], _LEAST_GAIN)
    return found["real_weight"], found.get("penalty", loop.penalty)


def _risk_intervals(
    found: Estimate, affine: Affine, risks: Floats, floor: Floats, of_rows: OfRows
) -> dict[str, tuple[float, float]]:
    own = found.intervals()
    middle, errors = float(np.median(risks)), risks + affine.draws[:, 0]

    return {
        "noise_variance": own["noise_variance"],
        "signal_to_noise_ratio": own["signal_to_noise_ratio"],
        "risk": of_rows.wider(found.interval(risks, floor), middle, middle),
        "prediction_error": of_rows.wider(found.interval(errors), float(np.median(errors)), middle),
    }


def _verdicts(risks: Floats, real_only: Floats, nulls: Floats) -> dict[str, float]:
    """Share of draws with each verdict, the most likely first."""
    words = [judge(float(a), float(b), float(c))[0] for a, b, c in zip(risks, real_only, nulls, strict=True)]
    shares = {str(word): words.count(word) / len(words) for word in set(words)}
    return dict(sorted(shares.items(), key=lambda each: (-each[1], each[0])))
