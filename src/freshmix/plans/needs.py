"""Labels that ways of remembering need, and what they bring: each way at its own best (mathematics.md sections 5 and 6).

At the table's own number of labels the ways are those of ``freshmix.recommend``; other numbers are searched from there, one
after the other.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from ..arguments import Floats
from ..loop import Group, Loop
from ..optima.fresh_memory import ONE_BY_ONE, FreshWays
from ..optima.memory import RULES, Way
from ..population import Population
from ..recommendation.new_rows import NewRows
from ..recommendation.ways import carried_out
from ..risks.fresh import FreshSetting

POINTS = 8
LEAST_SHARE = 0.005
# Labels are past the knee where twice as many lower the root of the prediction error by less.
WORTHWHILE = 0.01
# What an excess risk is at least, over that of predicting the mean: curves are read off in logarithms.
_LEAST_RISK = 1e-12
# Numbers of labels that are looked at for a knee or a value.
_MOST_COUNTS = 4000


@dataclass(frozen=True)
class Best:
    """A way at its best with some number of labels, and its excess risk at the horizon."""

    loop: Loop
    risk: float


class Needs:
    """The ways for any number of labels per generation, each found once.

    ``owned`` are the labels that the first model is fitted on; None: those of the loop that ``answer`` is about.
    """

    def __init__(self, answer: NewRows, owned: int | None) -> None:
        self.answer, self.rows, self.horizon = answer, answer.rows, answer.shown
        memory = answer.ways.memory
        self.judged, self.may_keep = memory.judged, memory.may_keep
        now = answer.share * self.rows
        self.now = float(round(now)) if abs(now - round(now)) < 1e-9 * now else now
        self._first = None if owned is None else owned / self.rows
        self._known = {name: memory.ways[name].loop for name in ONE_BY_ONE}
        own = owned is None or self._first == self._known["real_only"].first_rows
        self.found: dict[str, dict[float, Best]] = {
            name: {self.now: Best(memory.ways[name].loop, self.correction * memory.ways[name].risk)} if own else {}
            for name in ONE_BY_ONE
        }
        least = max(1, math.ceil(LEAST_SHARE * self.rows))
        counts = np.unique(np.geomspace(least, self.rows, POINTS).round()).tolist()
        self.counts = sorted({*counts, self.now})
        # Outwards from the table's own number: each loop is a start for the next one.
        for labels in sorted(self.counts, key=lambda count: abs(math.log(count / self.now))):
            for name in ONE_BY_ONE:
                self.at(name, labels)

    @cached_property
    def population(self) -> Population:
        """As the ways are judged under."""
        return self.answer.population

    @property
    def correction(self) -> float:
        """What all excess risks are multiplied by."""
        return self.answer.correction

    @property
    def noise_variance(self) -> float:
        """sigma^2, by which prediction errors are above excess risks."""
        return self.population.noise_variance

    def loop(self, labels: float) -> Loop:
        """The loop with that many labels, remembering nothing yet."""
        share = min(labels / self.rows, 1.0)
        loop = self._known["real_only"]
        groups = [Group(share, 1.0, 1.0, labelled=True)] + ([Group(1 - share, 0.0, 0.0)] if share < 1 else [])
        first = self.answer.stream.first_rows(share) if self._first is None else self._first
        return loop.replace(groups=groups, penalty=0.0, first_rows=first)

    def at(self, name: str, labels: float) -> Best:
        """A way at its best."""
        known = self.found[name]
        if labels not in known:
            near = min(known, key=lambda count: abs(math.log(count / labels)), default=None)
            start = self._known[name] if near is None else known[near].loop
            setting = FreshSetting(self.population, (self.loop(labels),))
            loop, risk, _ = FreshWays(setting, self.horizon, self.judged, {name: start}, self.answer.given).way(name)
            known[labels] = Best(loop, self.correction * risk)
        return known[labels]

    def curve(self, name: str) -> Floats:
        """(m,) excess risks at ``counts``."""
        return np.array([self.at(name, labels).risk for labels in self.counts])

    def between(self, name: str) -> Callable[[Floats], Floats]:
        """Prediction errors at any numbers of labels, read off the curve."""
        floor = _LEAST_RISK * self.population.null_risk
        known = sorted(self.found[name].items())
        made = PchipInterpolator(
            np.log([labels for labels, _ in known]), np.log([max(each.risk, floor) for _, each in known]), extrapolate=True
        )
        return lambda labels: np.exp(made(np.log(labels))) + self.noise_variance

    def need(self, name: str, error: float) -> float:
        """The fewest labels with which a way's prediction error is at most this; inf: not with labels on all rows."""
        goal = error - self.noise_variance
        met = [labels for labels in self.counts if self.at(name, labels).risk <= goal]
        if not met:
            return math.inf
        high = math.ceil(met[0])
        low = max((math.floor(labels) for labels in self.counts if labels < met[0]), default=0)
        if self.at(name, high).risk > goal:
            return math.inf
        while high - low > 1:
            counts = np.arange(low + 1, high)
            reached = np.flatnonzero(self.between(name)(counts) <= error)
            # The curve says where; what is tried next closes the gap from there.
            guess = int(counts[reached[0]]) if reached.size else high - 1
            if self.at(name, guess).risk <= goal:
                high, low = guess, low if self.at(name, max(guess - 1, 1)).risk <= goal and guess > 1 else guess - 1
            else:
                low = guess
        return float(high)

    def equal(self, name: str, error: float) -> float:
        """The same read off the curve."""
        counts = self._counts
        reached = np.flatnonzero(self.between(name)(counts) <= error * (1 + 1e-12))
        return float(counts[reached[0]]) if reached.size else math.inf

    def knee(self, name: str) -> float:
        """The fewest labels of which twice as many lower the root of the prediction error by less than ``WORTHWHILE``."""
        counts = self._counts
        counts = counts[2 * counts <= self.rows]
        errors = self.between(name)
        past = np.flatnonzero(np.sqrt(errors(2 * counts) / errors(counts)) > 1 - WORTHWHILE)
        return float(counts[past[0]]) if past.size else float(self.rows)

    def worth(self, name: str, value: float, price: float) -> float:
        """The labels at which the worth of a lower root of the error, less what labels cost, is greatest."""
        counts = self._counts
        return float(counts[np.argmin(value * np.sqrt(self.between(name)(counts)) + price * counts)])

    @cached_property
    def _counts(self) -> Floats:
        least = math.ceil(self.counts[0])
        if self.rows - least < _MOST_COUNTS:
            return np.arange(float(least), self.rows + 1)
        return np.unique(np.geomspace(least, self.rows, _MOST_COUNTS).round())

    def gain(self, name: str, labels: float) -> float:
        """By how much one label more lowers the root of the prediction error."""
        near = labels * np.array([0.99, 1.01])
        first, second = np.sqrt(self.between(name)(near)).tolist()
        return float((first - second) / (near[1] - near[0]))

    def error_between(self, name: str) -> float:
        """How far readings of the curve may be off: the most by which its points miss it that are left out in turn."""
        known = [(labels, each) for labels, each in sorted(self.found[name].items()) if labels in self.counts]
        risks = np.array([max(each.risk, _LEAST_RISK * self.population.null_risk) for _, each in known])
        x, y = np.log([labels for labels, _ in known]), np.log(risks)
        missed = [0.0]
        for k in range(1, x.size - 1):
            read = math.exp(float(PchipInterpolator(np.delete(x, k), np.delete(y, k))(x[k])))
            missed.append(abs(read - risks[k]) / (risks[k] + self.noise_variance))
        # A gap twice as wide is missed by four times as much, at least.
        return max(missed) / 4

    def settings(self, name: str, labels: float) -> dict[str, Any]:
        """What to set, to carry the way out; alpha of kept rows is for as many as the table has."""
        best = self.at(name, labels)
        done = carried_out(Way(best.loop, best.risk, best.risk + self.noise_variance, ""), self.horizon)
        kept = done.kept_generations != 0
        return {
            "penalty": done.penalty,
            "alpha": done.penalty * self.answer.ways.kept_rows if kept else best.loop.penalty * self.rows,
            "real_weight": done.real_weight,
            "row_weight": done.row_weight,
            "anchor": done.anchor,
            "kept_generations": done.kept_generations,
            "forgetting": done.forgetting,
        }

    def allowed(self, name: str) -> bool:
        """Whether what the way stores may be kept."""
        return RULES.index(self.answer.ways.memory.ways[name].stored) <= RULES.index(self.may_keep)
