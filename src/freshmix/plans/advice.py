"""How many labels to buy: what a plan says of each way of remembering, and of the best one that is allowed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import Floats
from ..recommendation.new_rows import NewRows
from ..stages import at
from ..threads import on_one_blas_thread
from ..words import waiting
from .budget import Advice
from .course import first_below
from .needs import Needs

_QUANTILES = (0.05, 0.95)
Interval = tuple[float, float]


@dataclass(frozen=True)
class Aim:
    """What decides the number of labels: a prediction error, a budget, the value of a lower error, or else the knee.

    ``error`` is a prediction error to be reached, or an excess risk where it is ``above_noise``. ``labels`` are those that a
    budget pays for. ``value`` is what one unit less of the root of the prediction error is worth in each generation.
    """

    price: float
    error: float | None = None
    above_noise: bool = False
    labels: float | None = None
    value: float | None = None

    @property
    def name(self) -> str:
        """The word for it."""
        if self.error is not None:
            return "target"
        return "budget" if self.labels is not None else "knee" if self.value is None else "value"

    def count(self, needs: Needs, way: str) -> float:
        """The labels of a way; inf where it misses the target with all rows labelled."""
        if self.error is not None:
            return needs.need(way, self.goal(needs))
        if self.labels is not None:
            return self.labels
        return needs.knee(way) if self.value is None else needs.worth(way, self.value, self.price)

    def goal(self, needs: Needs) -> float:
        """The prediction error to be reached."""
        assert self.error is not None
        return self.error + (needs.noise_variance if self.above_noise else 0.0)


@on_one_blas_thread
def advice(answer: NewRows, aim: Aim, owned: int | None) -> Advice:
    """Ways of remembering compared."""
    at(waiting.COMPARING)
    needs = Needs(answer, owned)
    at(waiting.LABELS)
    counts = {name: aim.count(needs, name) for name in needs.found}
    best = _best(answer, needs, counts, aim)
    labels = counts[best] if math.isfinite(counts[best]) else float(needs.rows)
    # What real labels alone do with as many as there are now, or what is aimed at.
    alone = aim.goal(needs) if aim.error is not None else needs.at("real_only", needs.now).risk + needs.noise_variance
    ways = {name: _way(needs, name, counts[name], alone, aim.price) for name in counts}
    curves, intervals = _curves(needs, best, labels, aim)
    gain = needs.gain(best, labels)
    first = needs.loop(labels).first_rows
    return Advice(
        best=best,
        aim=aim.name,
        value=aim.value,
        may_keep=needs.may_keep,
        ways=ways,
        curves=curves,
        best_intervals=intervals,
        labels_now=needs.now,
        labels_owned=first * needs.rows,
        label_gain=gain,
        break_even=aim.price / gain if gain > 0 else math.inf,
        goal=None if aim.error is None else aim.goal(needs),
        compared_at=needs.horizon,
        step=answer.step,
        reading_error=needs.error_between(best),
        persistence=answer.persistence,
    )


def _best(answer: NewRows, needs: Needs, counts: Mapping[str, float], aim: Aim) -> str:
    """The best way that is allowed: the recommended one, or the one that needs the fewest labels for a target.

    Where the table's own steps say another than theory, they are believed whatever the target.
    """
    allowed = [name for name in counts if needs.allowed(name)]
    said = answer.ways.best
    if said in allowed and (aim.error is None or said != answer.ways.memory.best):
        return said
    return min(allowed, key=lambda name: (counts[name], needs.at(name, min(counts[name], needs.rows)).risk))


def _way(needs: Needs, name: str, count: float, alone: float, price: float) -> dict[str, Any]:
    labels = count if math.isfinite(count) else float(needs.rows)
    error = needs.at(name, labels).risk + needs.noise_variance
    return {
        "labels": count,
        "cost": price * count,
        "risk": needs.at(name, labels).risk,
        "prediction_error": error,
        "rmse": math.sqrt(error),
        "now": needs.at(name, needs.now).risk + needs.noise_variance,
        "all_labelled": needs.at(name, float(needs.rows)).risk + needs.noise_variance,
        "as_much_as_alone": needs.equal(name, alone),
        "stored": needs.answer.ways.memory.ways[name].stored,
        "allowed": needs.allowed(name),
        **needs.settings(name, labels),
    }


def _curves(needs: Needs, best: str, labels: float, aim: Aim) -> tuple[dict[str, Floats], dict[str, Interval]]:
    """Prediction errors of all ways by labels, and 90% intervals of the best one."""
    counts = np.array(sorted({*needs.counts, labels}))
    risks, noises = needs.answer.drawn([needs.at(best, count).loop for count in counts.tolist()])
    risks = needs.correction * risks
    points = np.array([needs.at(best, count).risk for count in counts.tolist()]) + needs.noise_variance
    low, high = np.quantile(risks + noises[:, None], _QUANTILES, axis=0)
    low, high = np.minimum(low, points), np.maximum(high, points)
    table = {"labels": counts, "cost": aim.price * counts}
    table |= {
        name: np.array([needs.at(name, count).risk for count in counts.tolist()]) + needs.noise_variance for name in needs.found
    }
    table |= {"low": low, "high": high, "label_gain": np.array([needs.gain(best, count) for count in counts.tolist()])}
    at = int(np.flatnonzero(counts == labels)[0])
    error = float(low[at]), float(high[at])
    intervals = {"prediction_error": error, "rmse": (math.sqrt(error[0]), math.sqrt(error[1]))}
    if aim.error is not None:
        goals = np.full(noises.size, aim.error) if aim.above_noise else aim.error - noises
        drawn = [first_below(counts, each, goal) for each, goal in zip(risks, goals.tolist(), strict=True)]
        # Some may be infinite, where interpolation between draws has no meaning.
        fewest, most = np.quantile(drawn, _QUANTILES, method="nearest").tolist()
        need = aim.count(needs, best)
        intervals["labels"] = (min(fewest, need), max(most, need))
    return table, intervals
