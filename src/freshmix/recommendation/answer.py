"""Estimate and optimum -> risks, baselines, intervals and warnings in one ``Recommendation``."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..arguments import HORIZON, Floats
from ..equivalents import Equivalents
from ..estimation import Estimate, described
from ..loop import Loop
from ..optima import frozen as optimum
from ..optima.frozen import Best, Goal
from ..prepared import Kernel
from ..replays.check import IN_BLOCKS, Check
from ..replays.frozen_check import Plan, check_frozen, feature_rows
from ..risks import frozen
from ..risks.frozen import RENEWAL
from ..risks.plain import PlainRidge
from ..risks.verdict import judge
from ..words import doubts
from ..words.loop import assumption, horizon
from .result import Recommendation, advice_of, judged, ratio, told
from .schedule import WORTH, Scheduled, followed_frozen
from .uncertainty import Uncertainty, frozen_uncertainty


@dataclass(frozen=True)
class Answer:
    """Everything a recommendation is put together from.

    ``table`` holds X as scaled, y and the precision of each label (None: all alike) for the replay; None where the rows are not
    kept.
    """

    found: Estimate
    known: Loop
    goal: Goal
    best: Best
    given: float | None
    kernel: str
    features: int
    notes: tuple[str, ...]
    table: tuple[Floats, Floats, Floats | None] | None = None
    pairwise: Kernel = "linear"
    seed: int = 0
    scheduled: bool = False

    @cached_property
    def schedule(self) -> Scheduled | None:
        """The best schedule for the horizon, where one is asked for."""
        if not self.scheduled:
            return None
        assert self.goal.generations is not None
        T, best, noise = self.goal.generations, self.best, self.found.noise_variance
        constant = Scheduled(np.full(T, best.real_weight), best.penalty, best.risk)
        return followed_frozen(self.goal.equivalents, self.known, T, constant, self.given is not None, noise)

    @property
    def weights(self) -> Floats:
        """w_1 ... w_T of the recommended loop, up to the horizon or the one that is shown."""
        if self.schedule is not None:
            return self.schedule.weights
        return np.full(self.goal.generations or HORIZON, self.best.real_weight)

    @property
    def penalty(self) -> float:
        """The recommended penalty: of the schedule, or of the best constant weight."""
        return float(self.best.penalty if self.schedule is None else self.schedule.penalty)

    @property
    def risk(self) -> float:
        """Risk of the recommended loop at the horizon."""
        return float(self.best.risk if self.schedule is None else self.schedule.risk)

    def recommendation(self) -> Recommendation:
        """Everything put together."""
        f, best = self.found.factorisation, self.best
        risk, penalty, schedule = self.risk, self.penalty, self.schedule
        aspect = None if self.kernel != "linear" else f.aspect
        baselines = self.baselines()
        real_only = baselines["real_only"]
        assert real_only is not None
        null = self.goal.equivalents.null_risk
        unbounded = "no real labels enter and nothing is forgotten"
        check, unchecked = told(self.check())
        verdict, reason = judged(check, judge(risk, real_only, null, unbounded, horizon(self.goal.generations)))
        weights = np.linspace(0.0, 1.0, 101)
        at_penalty = self.goal.over_weights(weights, best.penalty)
        return Recommendation(
            loop=self.known.replace(
                aspect=aspect,
                penalty=penalty,
                **({"real_weight": best.real_weight} if schedule is None else {"schedule": schedule.weights}),
            ),
            real_weight=float(self.weights[-1]),
            row_weight=1.0,
            penalty=penalty,
            alpha=f.rows * penalty,
            risk=risk,
            prediction_error=risk + self.found.noise_variance,
            baselines=baselines,
            intervals=self.uncertainty.intervals,
            verdict_probabilities=self.uncertainty.verdict_probabilities,
            verdict=verdict,
            reason=reason,
            warnings=self.warnings(),
            population=described(self.found) if aspect is not None else None,
            assumption=assumption(self.known, f.rows, self.goal.generations),
            attained=best.attained,
            generations=self.goal.generations,
            rows=f.rows,
            features=self.features,
            aspect=aspect,
            noise_variance=self.found.noise_variance,
            signal_to_noise_ratio=ratio(null, self.found.noise_variance),
            notes=(*self.notes, *self.of_schedule()),
            weight_grid=weights,
            risk_by_weight=at_penalty,
            risk_by_weight_tuned=at_penalty if self.given is not None else optimum.tuned_risks(self.goal, weights),
            risk_by_generation=self.by_generation(),
            advice=advice_of(risk, bool(np.all(self.weights == 1.0)), baselines),
            long_run_risk=self.long_run(),
            schedule=None if schedule is None else tuple(schedule.weights.tolist()),
            check=check,
            unchecked=unchecked,
        )

    def risk_under(self, equivalents: Equivalents) -> float:
        """Risk of the recommended loop at the horizon, were these the data."""
        ratio, labels, horizon = self.goal.noise_ratio, self.goal.labels, self.goal.generations
        if self.schedule is not None:
            return float(frozen.risk_by_generation(equivalents, self.weights, self.penalty, ratio, RENEWAL[labels])[-1])
        return float(Goal(equivalents, ratio, labels, horizon).over_weights(self.weights[-1:], self.penalty)[0])

    def long_run(self) -> float | None:
        """Long-run risk of the loop where the horizon is another."""
        if self.goal.generations is None:
            return None
        endless = Goal(self.goal.equivalents, self.goal.noise_ratio, self.goal.labels, None)
        return float(endless.over_weights(self.weights[-1:], self.penalty)[0])

    def of_schedule(self) -> tuple[str, ...]:
        """What should be known of the schedule, where one is asked for."""
        if self.schedule is None:
            return ()
        return doubts.of_schedule(self.weights.tolist(), self.best.real_weight, 1.0, WORTH)

    def today(self) -> Best | None:
        """Today's weight at the given penalty, at its own, or else at the best one for it."""
        w = self.known.real_weight
        if w is None:
            return None
        penalty = self.given if self.given is not None else self.known.penalty or None
        if penalty is None:
            return optimum.best_penalty(self.goal, w)
        return Best(w, penalty, float(self.goal.over_weights(np.array([w]), penalty)[0]))

    def real_only_penalty(self, times_seen: float) -> tuple[float, float]:
        """Penalty and risk of plain ridge on real labels averaged over that many draws."""
        return PlainRidge(self.goal.equivalents, times_seen).at(self.given)

    def baselines(self) -> dict[str, float | None]:
        """Risks of the other ways of training."""
        today = self.today()
        draws = (self.goal.generations or HORIZON) + 1 if self.known.labels == "fresh" else 1
        synthetic = self.goal.over_weights(np.zeros(1), self.best.penalty)[0]
        return {
            "real_only": self.real_only_penalty(1.0)[1],
            "keep_all_labels": self.real_only_penalty(draws)[1],
            "today": None if today is None else today.risk,
            "synthetic_only": float(synthetic),
            **({} if self.schedule is None else {"constant_weight": self.best.risk}),
        }

    def by_generation(self) -> dict[str, Floats]:
        """Risk of generations 0 ... T for the recommended loop and its rivals."""
        horizon = self.goal.generations or HORIZON
        equivalents = self.goal.equivalents

        def course(w: float | Floats, penalty: float) -> Floats:
            rho, labels = self.known.synthetic_noise_ratio, self.known.labels
            return frozen.risk_by_generation(equivalents, np.broadcast_to(w, horizon), penalty, rho, RENEWAL[labels])

        courses = {
            "recommended": course(self.weights, self.penalty),
            "real_only": np.full(horizon + 1, self.real_only_penalty(1.0)[1]),
            "synthetic_only": course(0.0, self.best.penalty),
        }
        today = self.today()
        if today is not None:
            courses["today"] = course(today.real_weight, today.penalty)
        if self.schedule is not None:
            courses["constant_weight"] = course(self.best.real_weight, self.best.penalty)
        return courses

    def check(self) -> Check | str:
        """The recommended loop replayed on the table's own rows, or why not."""
        if self.table is None:
            return IN_BLOCKS
        X, y, precision = self.table
        rng = np.random.default_rng([self.seed, 2])
        features, group, rows = feature_rows(X, self.pairwise, rng)
        weights = None if precision is None else precision[rows] / precision[rows].mean()
        plan = Plan(self.weights, self.penalty, self.known.synthetic_noise_ratio, self.known.labels)
        return check_frozen(features, y[rows], group, self.found, plan, self.real_only_penalty(1.0)[0], rng, weights)

    @cached_property
    def uncertainty(self) -> Uncertainty:
        """Intervals and verdict probabilities from posterior draws."""
        return frozen_uncertainty(
            self.found, self.goal, self.best.real_weight, self.best.penalty, self.given, self.risk_under, self.schedule is None
        )

    def warnings(self) -> tuple[str, ...]:
        """Where the theory is on thin ice for this table."""
        f = self.found.factorisation
        said = (
            doubts.few_rows(f.rows),
            doubts.near_threshold(self.penalty, f.aspect) if f.features is not None else None,
            doubts.identifiable(self.uncertainty.intervals["noise_variance"]),
            *self.found.doubts(),
            doubts.collinear(f.condition) if self.kernel == "linear" else None,
            doubts.no_signal(self.found.intervals(), self.best.attained or self.best.penalty == 0),
        )
        return tuple(each for each in said if each is not None)
