"""A recommendation for new rows in each generation, some of them with a real label (mathematics.md sections 5 to 7)."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from ..arguments import Floats
from ..estimation import EstimatedPopulation, at_threshold, described
from ..loop import Group, Loop
from ..optima import Optimum
from ..optima.fresh_weight import candidates, candidates_at_penalty
from ..optima.memory import memory_of
from ..population import Population
from ..prepared import Prepared, Stream
from ..replays.check import Check
from ..replays.draws import check_fresh
from ..replays.in_time import Course, backtest, drift, thinned
from ..risks.fresh import FreshSetting
from ..words import doubts
from ..words.replay import IN_BLOCKS, SEVERAL_GROUPS, WEIGHTED, fewer_labels
from ..words.table import without_rows
from .answer import Answer
from .request import Request
from .schedule import Scheduled, followed_fresh
from .teaching import Lesson
from .uncertainty import Affine, Draws, DriftingDraws, StandingDraws, Uncertainty, drifting_uncertainty, fresh_uncertainty
from .ways import DRAWS, Streamed, Ways, in_use, standing


class NewRows(Answer[FreshSetting]):
    """What fresh covariates have of their own."""

    unbounded = "each generation brings back more error than the last one had, or nothing is forgotten"
    sizes = True

    @staticmethod
    def notes_of(table: Prepared) -> tuple[str, ...]:
        """A table in blocks leaves no rows for some of what is done here."""
        return table.notes if table.products is None else (*table.notes, *without_rows(table.partly))

    @staticmethod
    def fitted_at(request: Request) -> float | None:
        """None: a generation is fitted, not the table."""
        return None

    @cached_property
    def long_run_risk(self) -> float:
        """Also where the long run is the horizon."""
        return self.recommended.risk()

    def has_best_weight(self) -> bool:
        """Whether the search found one."""
        return self.best.attained

    @property
    def uneven(self) -> str | None:
        """Theory does not count sample weights of new rows."""
        return self.table.uneven

    @property
    def stream(self) -> Stream:
        """The table's rows as generations."""
        return self.table.stream

    @cached_property
    def setting(self) -> FreshSetting:
        """On the estimated population, with the table's share of labelled rows and today's real weight or 1."""
        groups: Sequence[Group] | None = self.known.groups
        if groups is None or len(groups) == 1:
            w = 1.0 if self.known.real_weight is None else self.known.real_weight
            share = self.table.share if self.request.labelled is None else self.request.labelled
            groups = (Group(share, 1.0, w, labelled=True), *([Group(1 - share, 1.0, 0.0)] if share < 1 else []))
        loop = self.known.replace(aspect=self.aspect, groups=groups)
        if loop.first_rows == 1:
            loop = loop.replace(first_rows=self.stream.first_rows(loop.labelled or 1.0))
        return FreshSetting(self.population, (loop,), "now" if self.streamed is None else "next")

    @cached_property
    def population(self) -> EstimatedPopulation:
        """As estimated from the rows; from a table with times as its steps show it, drift and all."""
        return described(self.found) if self.streamed is None else self.streamed.described

    @property
    def described(self) -> EstimatedPopulation:
        """What figures rest on."""
        return self.population

    @property
    def aspect(self) -> float:
        """Features per row of a generation; the intercept is one where it may drift."""
        return (self.table.features if self.streamed is None else self.streamed.X.shape[1]) / self.rows

    @property
    def rows(self) -> int:
        """Those of one generation."""
        return self.stream.rows_per_generation

    @property
    def share(self) -> float:
        """Share of a generation's rows with a real label."""
        return self.setting.loop.labelled

    @cached_property
    def constants(self) -> Sequence[Optimum]:
        """The best constant weight, penalty and row weight at the horizon, of each kind."""
        at_threshold(self.given, self.rows, self.table.features)
        population, loop, judged = self.setting.population, self.setting.loop, self.setting.judged
        if self.given is None:
            return candidates(population, loop, self.horizon, judged)
        return candidates_at_penalty(population, loop.replace(penalty=self.given), self.horizon, judged)

    def tuned(self, weights: Floats, fixed: Floats) -> Floats:
        """From a grid around the best penalty."""
        constant = self.constant.loop
        scale = constant.penalty or 1e-6 * float(self.setting.population.eigenvalues.max())
        grid = scale * np.geomspace(1e-2, 1e2, 11)
        table = self.setting.with_loops(constant).risks(self.horizon, real_weight=weights[:, None], penalty=grid)
        return np.asarray(np.minimum(fixed, table.min(axis=1)))

    def search_schedule(self) -> Scheduled:
        """The schedule that is recommended."""
        assert self.horizon is not None
        return followed_fresh(self.setting, self.horizon, self.constants, self.constant, self.given is not None)

    @cached_property
    def uncertainty(self) -> Uncertainty:
        """Intervals and verdict probabilities from posterior draws."""
        if self.streamed is not None:
            return drifting_uncertainty(self._populations, self.recommended, self.setting, self.horizon, self.given)
        return fresh_uncertainty(self.found, self.recommended, self.setting, self.horizon, self.given)

    @cached_property
    def ways(self) -> Ways:
        """Ways to remember; from a table with times under the drift that it shows, and tried on its steps."""
        T, may_keep, setting = self.shown, self.request.may_keep, self.setting
        # The loop that is told is the best of its kind at the same horizon.
        told = self.horizon == T and len(setting.loop.groups or ()) <= 2
        known = {"mixed": self.by_theory.loop} if told else {}
        memory = memory_of(setting, T, may_keep, setting.judged, self.given, known)
        if self.streamed is None:
            found = standing(memory, setting, self._drawn_settings, self._affine, self.rows, self.today)
            if self.lesson is None or not self.lesson.answer.used:
                return found
            return found.with_teacher(self.lesson.loop(), self.lesson.gained(DRAWS))
        now = in_use(self.today, setting, T)
        rng = np.random.default_rng([self.request.seed, 4])
        return self.streamed.ways(memory, setting, self.drawn, self.table, self.shown_labels, rng, now, self.given)

    @cached_property
    def _affine(self) -> Affine:
        return Affine.of(self.found, DRAWS)

    @cached_property
    def _drawn_settings(self) -> list[FreshSetting]:
        return [self.setting.under(self.found, *self._affine.parts(point)) for point in self._affine.points]

    def drawn(self, loops: Sequence[Loop]) -> tuple[Floats, Floats]:
        """(draws, loops) excess risks and (draws,) noise variances, of the draws that the intervals of ``ways`` rest on."""
        if self.streamed is not None:
            settings = [replace(self.setting, population=each) for each in self._populations]
            risks = np.array([[at.with_loops(loop).risk(self.shown) for loop in loops] for at in settings])
            return risks, self.population.noise_draws
        risks = np.array([[at.with_loops(loop).risk(self.shown) for loop in loops] for at in self._drawn_settings])
        return self._affine(risks), self._affine.draws[:, 0]

    def draws(self, most: int) -> Draws:
        """Populations that the table may come from."""
        if self.streamed is not None:
            return DriftingDraws(self._populations)
        return StandingDraws(self.found, Affine.of(self.found, most))

    @property
    def _populations(self) -> list[Population]:
        """Those that a table with times may come from."""
        assert self.streamed is not None
        return self.streamed.populations

    @cached_property
    def streamed(self) -> Streamed | None:
        """The table as its steps are modelled, where it has any."""
        if self.stream.steps is None or self.table.rows is None or self.found.exact:
            return None
        return Streamed.of(self.table, np.random.default_rng([self.request.seed, 3]))

    @property
    def persistence(self) -> tuple[float, tuple[float, float]] | None:
        """As the labels of the steps show it."""
        return None if self.streamed is None else (self.streamed.drift.persistence, self.streamed.drift.interval)

    @cached_property
    def shown_labels(self) -> Floats:
        """The table's labels, or as many of them as a generation is said to have."""
        assert self.table.rows is not None
        y, share, rng = self.table.rows.y, self.share, np.random.default_rng([self.request.seed, 1])
        return y if share > 0.9 * self.table.share else thinned(y, share / self.table.share, rng)

    def check(self, loops: tuple[Loop, ...]) -> Check | str:
        """Loops replayed on blocks of the table's rows."""
        if self.table.rows is None:
            return IN_BLOCKS
        X, y, precision = self.table.rows
        if precision is not None:
            return WEIGHTED
        rng = np.random.default_rng([self.request.seed, 2])
        return check_fresh(X, y, self.found, loops, self.rows, self.shown, self.real_only[0], rng, self.table.order)

    def more_courses(self, generations: int) -> dict[str, Floats]:
        """Labels pile up as generations go on."""
        kept = [self.setting.keep_all(t).at(self.given)[1] for t in range(generations + 1)]
        return {"keep_all_labels": np.array(kept)}

    def of_its_own(self) -> dict[str, Any]:
        """The labelled share, the rows of a generation and the backtest."""
        return {
            "labelled": self.share,
            "rows_per_generation": self.rows,
            "backtest": self.backtested[0],
            "teaching": None if self.lesson is None else self.lesson.answer,
        }

    @cached_property
    def lesson(self) -> Lesson | None:
        """What the table says of a teacher, where its labels are given."""
        if self.table.predictions is None or self.found.exact:
            return None
        return Lesson(self.table, self.rows, self.share, self.request.standardize, self.request.seed)

    @cached_property
    def backtested(self) -> tuple[dict[str, tuple[float, float]] | None, str | None]:
        """Mean squared error on later rows, by name, or why there is none; neither without a time column."""
        if self.stream.steps is None or self.table.rows is None or self.found.exact:
            return None, None
        share, constant = self.share, self.constant.loop
        if share > 1.1 * self.table.share:
            return None, fewer_labels(share, self.table.share)
        if sum(bool(group.labelled) for group in self.setting.loop.groups or ()) > 1:
            return None, SEVERAL_GROUPS
        assert self.streamed is not None
        # Of a first model alone, whatever loop goes on from it.
        first = self.keep_all_penalty(0)
        courses = {
            "recommended": Course.of(self.loops, first),
            # Tuned for the labelled rows alone, and counted over all rows of a step.
            "real_only": Course(lambda t: self.real_only[0] * (share if t else 1.0)),
            "keep_all_labels": Course(self.keep_all_penalty, keeps=True),
            "synthetic_only": Course(lambda t: constant.penalty if t else first, lambda t: 0.0, 1.0, 1.0),
        }
        if self.today is not None:
            courses["today"] = Course.of([self.today], first)
        if self.scheduled is not None:
            courses["constant_weight"] = Course.of([constant], first)
        noise = self.known.synthetic_noise_ratio * self.setting.noise_variance
        rng = np.random.default_rng([self.request.seed, 1])
        at, blocks = self.streamed, self.stream.blocks()
        return backtest(at.X, at.y, at.shown(self.shown_labels), blocks, courses, noise, rng, at.precision)

    def keep_all_penalty(self, t: int) -> float:
        """Penalty of plain ridge on all labelled rows of generations 0 ... t, per row of the fit."""
        return self.setting.keep_all(t).at(self.given)[0]

    @cached_property
    def drifted(self) -> str | None:
        """A sentence where the coefficients drift."""
        if self.stream.steps is None or self.table.rows is None or self.found.exact:
            return None
        return drift(self.table.rows.X, self.table.rows.y, self.stream.steps, self.constant.loop.penalty)

    def more_notes(self) -> tuple[str, ...]:
        """What was looked at beside the features."""
        found = list(super().more_notes())
        if self.streamed is not None and self.streamed.drift.persistence == 1 and self.drifted is None:
            found.append(doubts.NO_DRIFT)
        untested = self.backtested[1]
        return tuple(found) if untested is None else (*found, untested)

    def warnings(self) -> tuple[str | None, ...]:
        """Where the theory is on thin ice for this table."""
        best = self.best
        return (
            doubts.few_labelled_rows(self.stream.labelled),
            self.stream.bias,
            self.stream.order,
            self.drifted,
            doubts.few_labels(self.share * self.rows),
            doubts.near_threshold(best.loop.penalty, self.aspect),
            doubts.identifiable(self.uncertainty.intervals["noise_variance"]),
            doubts.no_signal(self.found.intervals(), best.attained or best.loop.penalty == 0),
            *self.found.doubts(),
            doubts.DIVERGES_LATER if math.isinf(self.long_run_risk) else None,
        )
