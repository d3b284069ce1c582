"""Risk against labels per generation, and the plan that is read off it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ..arguments import Floats
from ..population import Population
from ..recommendation.result import ratio
from ..recommendation.uncertainty import Draws
from ..stages import at
from ..threads import on_one_blas_thread
from ..words import doubts, waiting
from ..words import plan as words
from ..words.loop import RETRAININGS, horizon
from .budget import Advice, Plan
from .course import Point, Setting, best_point, first_below

POINTS = 13
LEAST_SHARE = 0.005
DRAWS = 400
# Factors of the rows per generation that are tried for a target out of reach.
_MOST_ROWS = 1000.0


class Curve:
    """The best loop for any number of labels in a generation of ``rows``, found once for each; some are ``known`` before."""

    def __init__(self, setting: Setting, rows: int, known: Mapping[int, Point] | None = None) -> None:
        self.setting, self.rows = setting, rows
        self.found: dict[int, Point] = dict(known or {})
        least = max(1, math.ceil(LEAST_SHARE * rows))
        counts = np.unique(np.geomspace(least, rows, POINTS).round().astype(int))
        # From all rows downwards: each loop is a start for the next one.
        for count in counts[::-1]:
            self.at(int(count))

    def at(self, labels: int) -> Point:
        """The best loop, searched from the nearest ones known."""
        if labels not in self.found:
            near = min(self.found, key=lambda each: abs(math.log(each / labels)), default=None)
            start = None if near is None else self.found[near]
            self.found[labels] = best_point(self.setting, labels / self.rows, start)
        return self.found[labels]

    @property
    def least(self) -> tuple[int, Point]:
        """Where the curve is lowest: with all labels, unless the penalty is fixed near the threshold."""
        return min(self.found.items(), key=lambda each: each[1].risk)

    @property
    def lowest(self) -> tuple[int, float]:
        """Labels and risk there."""
        count, point = self.least
        return count, point.risk

    @property
    def labels(self) -> list[int]:
        """Numbers of labels that are known, ascending."""
        return sorted(self.found)

    def fewest(self, target: float) -> int | None:
        """The fewest labels whose best loop meets the target, by bisection between points of the curve."""
        known = self.labels
        first = next((i for i, count in enumerate(known) if self.found[count].risk <= target), None)
        if first is None:
            return None
        low, high = (known[first - 1] if first else 0), known[first]
        while high - low > 1:
            middle = (low + high) // 2
            if self.at(middle).risk <= target:
                high = middle
            else:
                low = middle
        return high


@on_one_blas_thread
def plan_from(
    draws: Draws,
    setting: Setting,
    rows: int,
    price: float,
    target: float | None,
    budget: float | None,
    labels: int,
    warnings: tuple[str, ...],
    notes: tuple[str, ...],
    known: Mapping[int, Point],
    step: str | None,
    advise: Callable[[], Advice],
) -> Plan:
    """The plan for a target, or else for a number of labels; the best loops of some numbers of labels are ``known``.

    ``step`` is what a generation is called; ``advise`` compares ways of remembering.
    """
    at(waiting.LABELS)
    curve = Curve(setting, rows, known)
    null = setting.population.null_risk
    verdict, needed = "feasible", labels if target is None else curve.fewest(target)
    if needed is None:
        verdict = "out of reach"
    if curve.least[1].risk > null * (1 + 1e-9):
        verdict, needed = "collapses", None
    point = curve.least[1] if needed is None else curve.at(needed)
    drawn = _drawn(draws, curve)
    table = _table(draws, curve, drawn, price)
    noise = setting.population.noise_variance
    at_labels = round(point.share * rows)
    place = curve.labels.index(at_labels)
    intervals = {
        "risk": draws.interval(drawn[:, place]),
        "prediction_error": draws.interval(drawn[:, place] + draws.noise),
        "noise_variance": draws.interval(draws.noise),
    }
    rivals: dict[str, float] = {}
    if target is not None:
        needs = np.array([first_below(np.array(curve.labels), row, target) for row in drawn])
        # Some may be infinite, where interpolation between draws has no meaning.
        fewest, most = np.quantile(needs, [0.05, 0.95], method="nearest").tolist()
        intervals |= {"labels": (fewest, most), "cost": (price * fewest, price * most)}
        for name in ("real_only", "keep_all_labels"):
            rivals[name] = float(first_below(table["labels"], table[name], target))
    count = math.inf if needed is None else float(needed)
    when = horizon(setting.generations, step or RETRAININGS)
    return Plan(
        labels=count,
        cost=price * count,
        share=point.share,
        loop=point.loop,
        risk=point.risk,
        prediction_error=point.risk + noise,
        verdict=verdict,
        reason=words.reason(verdict, at_labels, point.risk, curve.lowest, rows, setting.aspect, target, null),
        changes=() if verdict == "feasible" else _changes(verdict, curve, null if target is None else min(target, null)),
        intervals=intervals,
        curve=table,
        rivals=rivals,
        target=target,
        budget=budget,
        cost_per_label=price,
        rows_per_generation=rows,
        features=round(setting.aspect * rows),
        aspect=setting.aspect,
        generations=setting.generations,
        null_risk=null,
        noise_variance=noise,
        signal_to_noise_ratio=ratio(null, noise),
        population=setting.population,
        assumption=words.assumption(rows, setting.noise_ratio, when, setting.first_rows, step or "generation"),
        warnings=(*warnings, *_warnings(curve, point, verdict, intervals)),
        notes=notes,
        advise=advise,
    )


def _drawn(draws: Draws, curve: Curve) -> Floats:
    """(draws, points) risks of the curve's loops for drawn populations."""
    loops = [curve.found[count].loop for count in curve.labels]

    def risks(population: Population) -> Floats:
        setting = replace(curve.setting, population=population)
        return np.array([setting.risk(loop) for loop in loops])

    return draws.over(risks)


def _table(draws: Draws, curve: Curve, drawn: Floats, price: float) -> dict[str, Floats]:
    setting, points = curve.setting, [curve.found[count] for count in curve.labels]
    labels = np.array(curve.labels, dtype=np.float64)
    low, high = np.array([draws.interval(column) for column in drawn.T]).T
    return {
        "labels": labels,
        "cost": price * labels,
        "risk": np.array([point.risk for point in points]),
        "risk_low": low,
        "risk_high": high,
        "real_weight": np.array([point.real_weight for point in points]),
        "row_weight": np.array([point.row_weight for point in points]),
        "penalty": np.array([point.loop.penalty for point in points]),
        "real_only": np.array([setting.alone(point.share) for point in points]),
        "keep_all_labels": np.array([setting.keeping_all(point.share) for point in points]),
    }


def _changes(verdict: str, curve: Curve, goal: float) -> tuple[str, ...]:
    """More rows, a penalty, fewer features: what would meet the goal, with all rows labelled."""
    setting, rows = curve.setting, curve.rows
    said = []

    def all_labelled(factor: float) -> float:
        first = None if setting.first_rows is None else setting.first_rows / factor
        return best_point(replace(setting, aspect=setting.aspect / factor, first_rows=first), 1.0).risk

    if setting.penalty is not None:
        risk = best_point(replace(setting, penalty=None), 1.0).risk
        said.append(words.free_penalty(setting.penalty, risk))
    if setting.row_weight not in (None, 0):
        said.append(words.free_row_weight(*Curve(replace(setting, row_weight=None), rows).lowest))
    factor = _factor(all_labelled, goal)
    if factor is None:
        said.append(words.no_help(_MOST_ROWS))
        return tuple(said)
    said.append(words.more_rows(math.ceil(rows * factor), rows))
    if verdict == "collapses":
        features = math.floor(setting.aspect * rows / factor)
        said.append(words.fewer_features(features, round(setting.aspect * rows)))
    return tuple(said)


def _factor(risk: Callable[[float], float], goal: float) -> float | None:
    """The least factor above 1, to 1%, from which on the risk meets the goal."""
    factors = np.geomspace(1.0, _MOST_ROWS, 25)
    first = next((i for i, factor in enumerate(factors) if i and risk(float(factor)) <= goal), None)
    if first is None:
        return None
    low, high = float(factors[first - 1]), float(factors[first])
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if risk(middle) <= goal else (middle, high)
    return high


def _warnings(curve: Curve, point: Point, verdict: str, intervals: dict[str, tuple[float, float]]) -> tuple[str, ...]:
    said = []
    null = curve.setting.population.null_risk
    if verdict == "feasible" and point.risk > null * (1 + 1e-9):
        said.append(words.worse_than_mean(*curve.lowest))
    few = doubts.few_labels(point.share * curve.rows) if verdict == "feasible" else None
    thin = (few, doubts.identifiable(intervals["noise_variance"]))
    return (*said, *(each for each in thin if each is not None))
