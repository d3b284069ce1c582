"""A recommendation for new rows in each generation, some of them with a real label (MATH sections 5 to 7)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._checks import Floats
from ..equivalents import PopulationEquivalents
from ..estimate import Estimate, described
from ..loop import Group, Loop
from ..optimum import Optimum
from ..optimum.fresh import best_loop, best_weight, goal, with_parameters
from ..optimum.frozen import best_plain_ridge
from ..population import Population
from ..risk import fresh, frozen
from ..risk.verdict import judge
from .backtest import Course, backtest, drift
from .result import FEW_ROWS, HORIZON, Recommendation, advice_of, ratio
from .stream import Stream
from .uncertainty import Uncertainty, fresh_uncertainty


@dataclass(frozen=True)
class FreshAnswer:
    """Everything a recommendation is put together from; ``X`` as scaled, ``y`` with NaN where there is no label."""

    found: Estimate
    known: Loop
    stream: Stream
    X: Floats
    y: Floats
    names: tuple[str, ...] | None
    horizon: int | None
    given: float | None
    seed: int
    notes: tuple[str, ...]

    @cached_property
    def population(self) -> Population:
        """The estimated population."""
        return described(self.found)

    @cached_property
    def loop(self) -> Loop:
        """The loop as the table and the user describe it, with today's real weight or 1."""
        aspect = self.X.shape[1] / self.stream.rows_per_generation
        if self.known.groups is not None and len(self.known.groups) > 1:
            return self.known.replace(aspect=aspect)
        w = 1.0 if self.known.real_weight is None else self.known.real_weight
        share = self.stream.share
        groups = [Group(share, 1.0, w)] + ([Group(1 - share, 1.0, 0.0)] if share < 1 else [])
        return self.known.replace(aspect=aspect, groups=groups)

    @cached_property
    def best(self) -> Optimum:
        """The best weight, penalty and row weight at the horizon."""
        if self.given is None:
            return best_loop(self.population, self.loop, self.horizon)
        return best_weight(self.population, self.loop.replace(penalty=self.given), self.horizon)

    def risk_of(self, loop: Loop) -> float:
        """Risk at the horizon."""
        return goal(self.population, self.horizon)(loop)

    def plain(self, aspect: float) -> tuple[float, float]:
        """Penalty and risk of plain ridge on real labels at an aspect."""
        equivalents = PopulationEquivalents(self.population, aspect)
        if self.given is not None:
            return self.given, float(frozen.real_only_risk(equivalents, self.given, 1.0))
        return best_plain_ridge(equivalents)

    def kept(self, t: int) -> float:
        """Aspect of all real labels of generations 0 ... t: n (1 + f t) rows."""
        assert self.loop.aspect is not None
        return self.loop.aspect / (1 + self.loop.labelled * t)

    def baselines(self) -> dict[str, float | None]:
        """Risks of the other ways of training."""
        assert self.loop.aspect is not None
        best = self.best.loop
        today = None
        if self.known.real_weight is not None:
            now = self.loop.replace(penalty=self.given if self.given is not None else self.known.penalty or best.penalty)
            today = self.risk_of(now)
        return {
            "real_only": self.plain(self.loop.aspect / self.loop.labelled)[1],
            "keep_all_labels": self.plain(self.kept(self.horizon or HORIZON))[1],
            "today": today,
            "synthetic_only": self.risk_of(with_parameters(best, 0.0)),
        }

    def recommendation(self) -> Recommendation:
        """Everything put together."""
        best, population, noise = self.best, self.population, self.found.noise_variance
        baselines = self.baselines()
        real_only = baselines["real_only"]
        assert real_only is not None
        until = "in the long run" if self.horizon is None else f"at generation {self.horizon}"
        unbounded = "each generation brings back more error than the last one had, or nothing is forgotten"
        verdict, reason = judge(best.risk, real_only, population.null_risk, unbounded, until)
        weights = np.linspace(0.0, 1.0, 41)
        fixed = np.array([self.risk_of(with_parameters(best.loop, float(w))) for w in weights])
        row_weights = [group.row_weight for group in best.loop.groups or () if group.real_weight == 0]
        tested = self.backtested(baselines)
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
            assumption=self.assumption(),
            attained=best.attained,
            generations=self.horizon,
            rows=self.y.size,
            features=self.X.shape[1],
            aspect=self.loop.aspect,
            noise_variance=noise,
            signal_to_noise_ratio=ratio(population.null_risk, noise),
            notes=self.notes,
            weight_grid=weights,
            risk_by_weight=fixed,
            risk_by_weight_tuned=fixed if self.given is not None else self.tuned(weights, fixed),
            risk_by_generation=self.by_generation(),
            advice=advice_of(best.risk, best.real_weight, baselines),
            long_run_risk=fresh.limit_risk(population, best.loop),
            labelled=self.loop.labelled,
            rows_per_generation=self.stream.rows_per_generation,
            backtest=tested,
        )

    def assumption(self) -> str:
        """The loop that is assumed, in one sentence."""
        share, rho = self.loop.labelled, self.known.synthetic_noise_ratio
        rows = f"{self.stream.rows_per_generation} new rows in each generation"
        labels = "all with a real label" if share == 1 else f"{100 * share:.3g}% of them with a real label"
        kinds = {0.0: "synthetic labels that are plain predictions", 1.0: "synthetic labels sampled from the fitted model"}
        synthetic = kinds.get(rho, f"synthetic labels with {rho:g} times the real labels' noise variance")
        until = "in the long run" if self.horizon is None else f"at generation {self.horizon}"
        return f"Assumed loop: {rows}, {labels}, {synthetic}; judged {until}."

    def tuned(self, weights: Floats, fixed: Floats) -> Floats:
        """Risk with the penalty re-tuned at each weight, from a grid around the best one."""
        scale = max(self.best.loop.penalty, 1e-6 * float(self.population.eigenvalues.max()))
        grid = scale * np.geomspace(1e-2, 1e2, 17)
        loops = [with_parameters(self.best.loop, float(w)) for w in weights]
        table = [[self.risk_of(loop.replace(penalty=float(each))) for each in grid] for loop in loops]
        return np.asarray(np.minimum(fixed, np.min(table, axis=1)))

    def by_generation(self) -> dict[str, Floats]:
        """Risk of generations 0 ... T for the recommended loop and its rivals."""
        T = self.horizon or HORIZON
        assert self.loop.aspect is not None

        def course(loop: Loop) -> Floats:
            return fresh.risk_by_generation(self.population, [loop], T)

        real = np.full(T + 1, self.plain(self.loop.aspect / self.loop.labelled)[1])
        courses = {
            "recommended": course(self.best.loop),
            "real_only": real,
            "keep_all_labels": np.array([self.plain(self.kept(t))[1] for t in range(T + 1)]),
            "synthetic_only": course(with_parameters(self.best.loop, 0.0)),
        }
        if self.known.real_weight is not None:
            courses["today"] = course(self.loop.replace(penalty=self.known.penalty or self.best.loop.penalty))
        return courses

    @cached_property
    def uncertainty(self) -> Uncertainty:
        """Intervals and verdict probabilities from posterior draws."""
        assert self.loop.aspect is not None
        aspect = self.loop.aspect / self.loop.labelled

        def real_only(population: Population) -> float:
            equivalents = PopulationEquivalents(population, aspect)
            if self.given is not None:
                return float(frozen.real_only_risk(equivalents, self.given, 1.0))
            return best_plain_ridge(equivalents)[1]

        return fresh_uncertainty(self.found, self.best.loop, self.horizon, self.given, real_only)

    def backtested(self, baselines: dict[str, float | None]) -> dict[str, tuple[float, float]] | None:
        """Mean squared error on later rows, by name; None without a time column or enough steps."""
        if self.stream.steps is None:
            return None
        best = self.best.loop
        weight = 0.0
        if self.loop.labelled < 1:
            weight = next((group.row_weight for group in best.groups or () if group.real_weight == 0), 0.0)
        assert self.loop.aspect is not None
        real = self.plain(self.loop.aspect / self.loop.labelled)[0]
        aspect, share = self.loop.aspect, self.loop.labelled

        def after(penalty: float) -> Callable[[int], float]:
            """The first model has real labels alone, at their own best penalty."""
            return lambda t: penalty if t else real

        courses = {
            "recommended": Course(after(best.penalty), self.best.real_weight, weight),
            # Tuned for the labelled rows alone, and counted over all rows of a step.
            "real_only": Course(after(real * share)),
            "keep_all_labels": Course(lambda t: self.plain(aspect / (share * (t + 1)))[0], keeps=True),
            "synthetic_only": Course(after(best.penalty), 0.0, 1.0),
        }
        if baselines["today"] is not None:
            courses["today"] = Course(after(self.known.penalty or best.penalty), self.known.real_weight or 0.0, 1.0)
        noise = self.known.synthetic_noise_ratio * self.found.noise_variance
        rng = np.random.default_rng([self.seed, 1])
        return backtest(self.X, self.y, self.stream.steps, courses, noise, rng)

    def warnings(self) -> tuple[str, ...]:
        """Where the theory is on thin ice for this table."""
        found = []
        labelled = int(self.stream.labelled.sum())
        if labelled < FEW_ROWS:
            found.append(f"only {labelled} labelled rows: the estimates are rough below {FEW_ROWS}")
        bias = self.stream.label_bias(self.X, self.names)
        if bias is not None:
            found.append(bias)
        if self.stream.steps is not None:
            moved = drift(self.X, self.y, self.stream.steps, self.best.loop.penalty)
            if moved is not None:
                found.append(moved)
        low, high = self.uncertainty.intervals["noise_variance"]
        if high > 4 * low:
            found.append(
                f"the noise variance is hardly identifiable here: from {low:.3g} to {high:.3g} anything fits (90%), and the "
                "best weight depends on it"
            )
        if self.found.stretch > 1.5:
            found.append(self.found.disagreement())
        if math.isinf(fresh.limit_risk(self.population, self.best.loop)):
            found.append("the recommended loop is good at its horizon but diverges in the long run: do not run it beyond")
        return tuple(found)
