"""A recommendation for new rows in each generation, some of them with a real label (mathematics.md sections 5 to 7)."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..arguments import HORIZON, Floats
from ..equivalents import PopulationEquivalents
from ..estimation import Estimate, at_threshold, described
from ..loop import Group, Loop
from ..optima import Optimum
from ..optima.fresh import best_of, candidates, candidates_at_penalty, goal, with_parameters
from ..optima.fresh_schedule import Scheduled as FreshScheduled
from ..population import Population
from ..prepared import Prepared, Stream
from ..replays.backtest import Course, backtest, drift, thinned
from ..replays.check import IN_BLOCKS, WEIGHTED, Check
from ..replays.fresh_check import check_fresh
from ..risks.fresh import FreshSetting
from ..risks.generation import first_generation, generation
from ..risks.least import least
from ..risks.plain import PlainRidge
from ..risks.verdict import judge
from ..threads import on_one_blas_thread
from ..words import doubts
from ..words.loop import assumption, horizon
from .result import Recommendation, advice_of, judged, ratio, told
from .schedule import WORTH, followed_fresh
from .uncertainty import Uncertainty, fresh_uncertainty

# A relative gain that nobody would run a loop for.
NEGLIGIBLE = 1e-5


@dataclass(frozen=True)
class FreshAnswer:
    """Everything a recommendation is put together from."""

    found: Estimate
    known: Loop
    table: Prepared
    horizon: int | None
    given: float | None
    seed: int
    notes: tuple[str, ...]
    share: float | None = None
    scheduled: bool = False

    @property
    def stream(self) -> Stream:
        """The table's rows as generations."""
        return self.table.stream

    @cached_property
    def population(self) -> Population:
        """The estimated population."""
        return described(self.found)

    @cached_property
    def loop(self) -> Loop:
        """The loop as the table and the user describe it, with today's real weight or 1."""
        aspect = self.table.features / self.stream.rows_per_generation
        if self.known.groups is not None and len(self.known.groups) > 1:
            return self.known.replace(aspect=aspect)
        w = 1.0 if self.known.real_weight is None else self.known.real_weight
        share = self.stream.share if self.share is None else self.share
        groups = [Group(share, 1.0, w, labelled=True)] + ([Group(1 - share, 1.0, 0.0)] if share < 1 else [])
        return self.known.replace(aspect=aspect, groups=groups)

    @cached_property
    def constants(self) -> list[Optimum]:
        """The best constant weight, penalty and row weight at the horizon, of each kind."""
        at_threshold(self.given, self.stream.rows_per_generation, self.table.features)
        if self.given is None:
            return candidates(self.population, self.loop, self.horizon)
        return candidates_at_penalty(self.population, self.loop.replace(penalty=self.given), self.horizon)

    @cached_property
    def constant(self) -> Optimum:
        """The best of them."""
        found = min(self.constants, key=lambda each: each.risk) if self.given is None else best_of(self.constants)
        if 0.999 < found.real_weight < 1:
            # Next to 1 the loop would be one in name only.
            alone = with_parameters(found.loop, 1.0)
            risk = self.risk_of(alone)
            if risk <= found.risk * (1 + NEGLIGIBLE):
                return Optimum(alone, 1.0, risk, found.attained)
        return found

    @cached_property
    def scheduled_best(self) -> FreshScheduled | None:
        """The best schedule, where one is asked for."""
        if not self.scheduled:
            return None
        assert self.horizon is not None
        return followed_fresh(self.population, self.loop, self.horizon, self.constants, self.constant, self.given is not None)

    @cached_property
    def loops(self) -> tuple[Loop, ...]:
        """The recommended loops of t = 1, 2, ..., the last one kept on; one that holds its own schedule stands alone."""
        return (self.constant.loop,) if self.scheduled_best is None else self.scheduled_best.loops()

    @cached_property
    def best(self) -> Optimum:
        """What is recommended: the best constant weight, or the last one of the best schedule."""
        found = self.scheduled_best
        if found is None:
            return self.constant
        return Optimum(self.loops[-1], float(found.weights[-1]), found.risk)

    @property
    def labelled_groups(self) -> list[bool]:
        """Which groups have a real label; weights of a schedule may be 0 there too."""
        return [bool(group.labelled) for group in self.loop.groups or ()]

    @property
    def real_alone(self) -> bool:
        """Whether the recommended loop uses no synthetic label at all."""
        T = 1 if self.horizon is None else self.horizon
        turns = [self.loops[min(t, len(self.loops)) - 1].groups_at(t) for t in range(1, T + 1)]
        return all(group.real_weight == 1.0 for groups in turns for group in groups if group.row_weight > 0)

    @cached_property
    def today(self) -> Loop | None:
        """Today's loop, where it is known: with the given penalty, with its own, or else with the best one for it."""
        several = len(self.known.groups or ()) > 1
        if self.known.real_weight is None and not several:
            return None
        loop = self.loop
        if self.given is not None or self.known.penalty:
            return loop.replace(penalty=self.given if self.given is not None else self.known.penalty)
        scale = float(self.population.eigenvalues.max())

        def at(log_penalties: Floats) -> Floats:
            return self.setting(loop).risks(self.horizon, penalty=np.exp(log_penalties))

        grid = np.log(scale * np.geomspace(1e-6, 1e3, 46))
        return loop.replace(penalty=math.exp(least(at, grid, at(grid))[0]))

    def risk_of(self, loop: Loop) -> float:
        """Risk at the horizon."""
        return goal(self.population, self.horizon)(loop)

    def setting(self, *loops: Loop) -> FreshSetting:
        """Loops of t = 1, 2, ... on this population."""
        return FreshSetting(self.population, loops)

    def plain(self, aspect: float) -> tuple[float, float]:
        """Penalty and risk of plain ridge on real labels at an aspect."""
        return PlainRidge(PopulationEquivalents(self.population, aspect)).at(self.given)

    @cached_property
    def real_only(self) -> tuple[float, float]:
        """Penalty and risk of plain ridge on the labelled rows of one generation; a given penalty counts all rows."""
        return self.setting(self.loop).real_only().at(self.given)

    def kept(self, t: int) -> float:
        """Aspect of all real labels of generations 0 ... t: n (1 + f t) rows."""
        assert self.loop.aspect is not None
        return self.loop.aspect / (1 + self.loop.labelled * t)

    def baselines(self) -> dict[str, float | None]:
        """Risks of the other ways of training."""
        best = self.constant.loop
        return {
            "real_only": self.real_only[1],
            "keep_all_labels": self.plain(self.kept(self.horizon or HORIZON))[1],
            "today": None if self.today is None else self.risk_of(self.today),
            "synthetic_only": self.risk_of(with_parameters(best, 0.0)),
            **({"constant_weight": self.constant.risk} if self.scheduled else {}),
        }

    @on_one_blas_thread
    def recommendation(self) -> Recommendation:
        """Everything put together."""
        best, population, noise = self.best, self.population, self.found.noise_variance
        baselines = self.baselines()
        real_only = baselines["real_only"]
        assert real_only is not None
        unbounded = "each generation brings back more error than the last one had, or nothing is forgotten"
        check, unchecked = told(self.check())
        verdict, reason = judged(check, judge(best.risk, real_only, population.null_risk, unbounded, horizon(self.horizon)))
        weights = np.linspace(0.0, 1.0, 41)
        constant = self.constant.loop
        fixed = self.setting(constant).risks(self.horizon, real_weight=weights)
        groups = best.loop.groups or ()
        row_weights = [group.row_weight for group, real in zip(groups, self.labelled_groups, strict=False) if not real]
        tested, untested = self.backtested()
        notes = self.more_notes() if untested is None else (*self.more_notes(), untested)
        return Recommendation(
            loop=best.loop,
            real_weight=best.real_weight,
            row_weight=row_weights[0] if row_weights else 1.0,
            penalty=best.loop.penalty,
            alpha=self.stream.rows_per_generation * best.loop.penalty,
            risk=best.risk,
            prediction_error=best.risk + noise,
            baselines=baselines,
            intervals=self.uncertainty.intervals,
            verdict_probabilities=self.uncertainty.verdict_probabilities,
            verdict=verdict,
            reason=reason,
            warnings=self.warnings(),
            population=population,
            assumption=assumption(self.loop, self.stream.rows_per_generation, self.horizon),
            attained=best.attained,
            generations=self.horizon,
            rows=self.stream.rows,
            features=self.table.features,
            aspect=self.loop.aspect,
            noise_variance=noise,
            signal_to_noise_ratio=ratio(population.null_risk, noise),
            notes=notes,
            weight_grid=weights,
            risk_by_weight=fixed,
            risk_by_weight_tuned=fixed if self.given is not None else self.tuned(weights, fixed),
            risk_by_generation=self.by_generation(),
            advice=advice_of(best.risk, self.real_alone, baselines),
            long_run_risk=self.long_run_risk,
            labelled=self.loop.labelled,
            rows_per_generation=self.stream.rows_per_generation,
            backtest=tested,
            schedule=None if self.scheduled_best is None else tuple(self.scheduled_best.weights.tolist()),
            loops=self.loops,
            check=check,
            unchecked=unchecked,
        )

    def check(self) -> Check | str:
        """The recommended loop replayed on the table's own rows, or why not."""
        if self.table.rows is None:
            return IN_BLOCKS
        X, y, precision = self.table.rows
        if precision is not None:
            return WEIGHTED
        T = self.horizon or HORIZON
        rng = np.random.default_rng([self.seed, 2])
        rows = self.stream.rows_per_generation
        return check_fresh(X, y, self.found, self.loops, rows, T, self.real_only[0], rng)

    def tuned(self, weights: Floats, fixed: Floats) -> Floats:
        """Risk with the penalty re-tuned at each weight, from a grid around the best one."""
        constant = self.constant.loop
        scale = max(constant.penalty, 1e-6 * float(self.population.eigenvalues.max()))
        grid = scale * np.geomspace(1e-2, 1e2, 11)
        table = self.setting(constant).risks(self.horizon, real_weight=weights[:, None], penalty=grid)
        return np.asarray(np.minimum(fixed, table.min(axis=1)))

    def by_generation(self) -> dict[str, Floats]:
        """Risk of generations 0 ... T for the recommended loop and its rivals."""
        T = self.horizon or HORIZON

        def course(*loops: Loop) -> Floats:
            return self.setting(*loops).by_generation(T)

        courses = {
            "recommended": course(*self.loops),
            "real_only": np.full(T + 1, self.real_only[1]),
            "keep_all_labels": np.array([self.plain(self.kept(t))[1] for t in range(T + 1)]),
            "synthetic_only": course(with_parameters(self.constant.loop, 0.0)),
        }
        if self.today is not None:
            courses["today"] = course(self.today)
        if self.scheduled:
            courses["constant_weight"] = course(self.constant.loop)
        return courses

    @cached_property
    def uncertainty(self) -> Uncertainty:
        """Intervals and verdict probabilities from posterior draws."""

        def real_only(population: Population) -> float:
            return FreshSetting(population, (self.loop,)).real_only().at(self.given)[1]

        return fresh_uncertainty(self.found, self.loops, self.horizon, self.given, real_only)

    def backtested(self) -> tuple[dict[str, tuple[float, float]] | None, str | None]:
        """Mean squared error on later rows, by name, or why there is none; neither without a time column."""
        rows = self.table.rows
        if self.stream.steps is None or rows is None:
            return None, None
        share = self.loop.labelled
        if share > 1.1 * self.stream.share:
            return None, doubts.no_backtest(share, self.stream.share)
        if sum(self.labelled_groups) > 1:
            return None, doubts.SEVERAL_LABELLED_GROUPS
        assert self.loop.aspect is not None
        aspect, first = self.loop.aspect, self.plain(self.loop.aspect / share)[0]
        constant = self.constant.loop
        courses = {
            "recommended": Course.of(self.loops, first),
            # Tuned for the labelled rows alone, and counted over all rows of a step.
            "real_only": Course(lambda t: self.real_only[0] * (share if t else 1.0)),
            "keep_all_labels": Course(lambda t: self.plain(aspect / (share * (t + 1)))[0], keeps=True),
            "synthetic_only": Course(lambda t: constant.penalty if t else first, lambda t: 0.0, 1.0, 1.0),
        }
        if self.today is not None:
            courses["today"] = Course.of([self.today], first)
        if self.scheduled:
            courses["constant_weight"] = Course.of([constant], first)
        noise = self.known.synthetic_noise_ratio * self.found.noise_variance
        rng = np.random.default_rng([self.seed, 1])
        shown = rows.y if share > 0.9 * self.stream.share else thinned(rows.y, share / self.stream.share, rng)
        return backtest(rows.X, rows.y, shown, self.stream.blocks(), courses, noise, rng, rows.precision)

    @cached_property
    def long_run_risk(self) -> float:
        """Risk of the recommended loops where the last one is kept on for ever."""
        return self.setting(*self.loops).risk()

    @cached_property
    def drifted(self) -> str | None:
        """A sentence where the coefficients drift."""
        steps, rows = self.stream.steps, self.table.rows
        return None if steps is None or rows is None else drift(rows.X, rows.y, steps, self.constant.loop.penalty)

    def more_notes(self) -> tuple[str, ...]:
        """What was looked at beside the features."""
        notes = self.notes
        if self.scheduled_best is not None:
            weights, constant = self.scheduled_best.weights, self.constant.real_weight
            notes = (*notes, *doubts.of_schedule(weights.tolist(), constant, self.loop.labelled, WORTH))
        if self.stream.steps is not None and self.drifted is None:
            notes = (*notes, doubts.NO_DRIFT)
        return notes

    def start_matters(self) -> str | None:
        """A sentence where the risk at the horizon rests on a first generation with more labels than the table has."""
        share, labelled = self.loop.labelled, self.stream.labelled
        if self.horizon is None or share == 1 or labelled >= 0.95 * self.stream.rows_per_generation:
            return None
        assert self.loop.aspect is not None
        penalty = self.plain(self.loop.aspect / share)[0]
        start = self.best.loop.replace(aspect=self.loop.aspect / share, penalty=penalty)
        first, state = first_generation(self.population, start)
        if first is None:
            return None
        for t in range(1, self.horizon + 1):
            loop = self.loops[min(t, len(self.loops)) - 1]
            turn = generation(self.population, loop, loop.groups_at(t))
            if turn is None:
                return None
            state = turn.step(state)
        risk = first.risk(state)
        if risk < 1.05 * self.best.risk:
            return None
        rows = self.stream.rows_per_generation
        return doubts.smaller_start(rows, labelled, share, risk, self.horizon, self.best.risk)

    def warnings(self) -> tuple[str, ...]:
        """Where the theory is on thin ice for this table."""
        assert self.loop.aspect is not None
        said = (
            doubts.few_labelled_rows(self.stream.labelled),
            self.stream.bias,
            self.stream.order,
            self.drifted,
            self.start_matters(),
            doubts.few_labels(self.loop.labelled * self.stream.rows_per_generation),
            doubts.near_threshold(self.best.loop.penalty, self.loop.aspect),
            doubts.identifiable(self.uncertainty.intervals["noise_variance"]),
            doubts.no_signal(self.found.intervals(), self.best.attained or self.best.loop.penalty == 0),
            *self.found.doubts(),
            doubts.DIVERGES_LATER if math.isinf(self.long_run_risk) else None,
        )
        return tuple(each for each in said if each is not None)
