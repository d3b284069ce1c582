"""Estimate, setting and search -> one ``Recommendation`` (mathematics.md sections 6 and 7).

What is asked here is asked of the setting, whatever the kind of loop. What a kind has of its own (its search, its replay, its
doubts) is in ``same_rows`` and ``new_rows``.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from ..arguments import HORIZON, Floats
from ..estimation import Estimate, EstimatedPopulation, Misfit, estimate_of
from ..loop import Loop
from ..optima import Optimum, best_penalty
from ..prepared import Prepared
from ..replays.check import Check
from ..risks.fresh import FreshSetting
from ..risks.frozen import FrozenSetting
from ..risks.setting import varied
from ..risks.verdict import judge
from ..stages import at
from ..threads import one_blas_thread
from ..words import doubts, waiting
from ..words.loop import RETRAININGS, assumption, horizon
from ..words.replay import EXACT, better_there
from .request import Request
from .result import DETERMINED, Recommendation, advice_of, corrected, judged, ratio, told
from .schedule import WORTH, Scheduled
from .uncertainty import Uncertainty
from .ways import Ways

Kind = TypeVar("Kind", FrozenSetting, FreshSetting)
# A relative gain that nobody would run a loop for.
_NEGLIGIBLE = 1e-5
# Columns that a warning names.
_NAMED = 3
# Weights on the curve of the risk by weight, where a setting can afford them.
_MOST_WEIGHTS = 101


@dataclass(frozen=True, eq=False)
class Answer(ABC, Generic[Kind]):
    """Everything a recommendation is put together from; ``horizon`` is the generation judged at, None for the long run."""

    found: Estimate
    known: Loop
    table: Prepared
    request: Request
    horizon: int | None
    notes: tuple[str, ...]

    unbounded: ClassVar[str]
    sizes: ClassVar[bool]  # whether the sizes of rows to come are asked for

    @classmethod
    def of(cls, known: Loop, table: Prepared, request: Request) -> Self:
        """From a table; at a horizon where the long run has no best weight."""
        at(waiting.ESTIMATING)
        found = estimate_of(table, cls.fitted_at(request), np.random.default_rng(request.seed), cls.sizes)
        answer: Self = cls(found, known, table, request, request.horizon(known), cls.notes_of(table))
        if answer.horizon is not None or known.synthetic_noise_ratio > 0 or answer.has_best_weight():
            return answer
        return replace(answer, horizon=HORIZON, notes=(*answer.notes, doubts.no_best_weight(HORIZON)))

    @staticmethod
    def notes_of(table: Prepared) -> tuple[str, ...]:
        """What was done to the table, and what could not be."""
        return table.notes

    @staticmethod
    @abstractmethod
    def fitted_at(request: Request) -> float | None:
        """The penalty of a fit to all rows of the table, where there is one."""

    @abstractmethod
    def has_best_weight(self) -> bool:
        """Whether the long run has a best weight without synthetic noise."""

    @cached_property
    @abstractmethod
    def setting(self) -> Kind:
        """The loop as the table and the user describe it, on the estimated data."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """Rows of a generation, by which the penalty is multiplied."""

    @cached_property
    @abstractmethod
    def constants(self) -> Sequence[Optimum]:
        """The best constant loop at the horizon, or the best of each kind."""

    @abstractmethod
    def search_schedule(self) -> Scheduled:
        """The schedule that is recommended in place of a constant weight."""

    @cached_property
    @abstractmethod
    def uncertainty(self) -> Uncertainty:
        """Intervals and verdict probabilities from posterior draws."""

    @cached_property
    @abstractmethod
    def ways(self) -> Ways:
        """Ways to remember, at a horizon."""

    @abstractmethod
    def check(self, loops: tuple[Loop, ...]) -> Check | str:
        """Loops replayed on the table's own rows, or why not."""

    @property
    @abstractmethod
    def uneven(self) -> str | None:
        """A warning where rows of several sample weights are taken as equally weighted."""

    @abstractmethod
    def warnings(self) -> tuple[str | None, ...]:
        """Where the theory is on thin ice for this table."""

    @abstractmethod
    def tuned(self, weights: Floats, fixed: Floats) -> Floats:
        """Risks of the weights, each at its own best penalty, from those at the recommended one."""

    def of_its_own(self) -> dict[str, Any]:
        """Fields of the recommendation that this kind alone has."""
        return {}

    @property
    def stated(self) -> tuple[str, ...]:
        """What is said first, beside the loop, that this kind alone has to say."""
        return ()

    def more_courses(self, generations: int) -> dict[str, Floats]:
        """Risks by generation of rivals that this kind alone draws."""
        return {}

    @property
    def given(self) -> float | None:
        """The penalty asked for."""
        return self.request.penalty

    @property
    def shown(self) -> int:
        """The last generation that is shown."""
        return self.horizon or HORIZON

    @cached_property
    def replayed(self) -> Check | str:
        """The loop of theory on the table's own rows: the schedule, or the best constant one."""
        loops = (self.by_theory.loop,) if self.scheduled is None else self.loops
        at(waiting.REPLAYING)
        return EXACT if self.found.exact else self.check(loops)

    @cached_property
    def constant(self) -> Optimum:
        """The best of the constant loops; the replay's where theory's is not right on the table's own rows."""
        found, own = self.by_theory, self.request.schedule or self.given is not None or self.found.exact
        if own or not isinstance(self.replayed, Check) or self.replayed.setting_holds or self.replayed.best is None:
            return found
        w, penalty, _ = self.replayed.best
        loop = found.loop.at_weight(w).replace(penalty=penalty)
        return Optimum(loop, w, self.risk_of(loop))

    @cached_property
    def checked(self) -> Check | str:
        """What is recommended, on the table's own rows."""
        return self.replayed if self.constant is self.by_theory else self.check((self.constant.loop,))

    @cached_property
    def by_theory(self) -> Optimum:
        """The best of the constant loops by theory; the first where no other is really better: row weights may be inert."""
        at(waiting.SEARCHING)
        own, found = self.constants[0], min(self.constants, key=lambda each: each.risk)
        if self.given is not None and found.risk >= own.risk * (1 - 1e-9):
            found = own
        if 0.999 < found.real_weight < 1 or self.found.exact:
            # Next to 1 the loop would be one in name only, and without noise all may come to the same.
            alone = varied(found.loop, real_weight=1.0)
            risk = self.risk_of(alone)
            if risk <= found.risk * (1 + _NEGLIGIBLE):
                return Optimum(alone, 1.0, risk, found.attained)
        return found

    @cached_property
    def scheduled(self) -> Scheduled | None:
        """The schedule, where one is asked for."""
        return self.search_schedule() if self.request.schedule else None

    @cached_property
    def loops(self) -> tuple[Loop, ...]:
        """The recommended loops of t = 1, 2, ..., the last one kept on; one that holds its own schedule stands alone."""
        return (self.constant.loop,) if self.scheduled is None else self.scheduled.loops()

    @cached_property
    def recommended(self) -> Kind:
        """The setting of the recommended loops."""
        return self.setting.with_loops(self.loops)

    @cached_property
    def best(self) -> Optimum:
        """What is recommended: the best constant loop, or the last one of the schedule."""
        if self.scheduled is None:
            return self.constant
        return Optimum(self.loops[-1], float(self.scheduled.weights[-1]), self.scheduled.risk)

    @property
    def real_alone(self) -> bool:
        """Whether the recommended loop uses no synthetic label at all."""
        turns = [self.loops[min(t, len(self.loops)) - 1].groups_at(t) for t in range(1, (self.horizon or 1) + 1)]
        return all(group.real_weight == 1.0 for groups in turns for group in groups if group.row_weight > 0)

    @cached_property
    def today(self) -> Loop | None:
        """Today's loop, where it is known: with the given penalty, with its own, or else with the best one for it."""
        if self.known.groups is None:
            return None
        penalty = self.given if self.given is not None else self.known.penalty or None
        if penalty is None:
            return best_penalty(self.setting, self.horizon)
        return self.setting.loop.replace(penalty=penalty)

    def risk_of(self, loop: Loop) -> float:
        """Risk of a constant loop at the horizon."""
        return self.setting.with_loops(loop).risk(self.horizon)

    @cached_property
    def real_only(self) -> tuple[float, float]:
        """Penalty and risk of plain ridge on the real labels of one generation."""
        return self.setting.real_only().at(self.given)

    @property
    def keep_all(self) -> float:
        """Risk of plain ridge on all real labels of the generations that are shown."""
        return self.setting.keep_all(self.shown).at(self.given)[1]

    def rivals(self) -> dict[str, Loop]:
        """Other loops that the recommended one is held against."""
        found = {"synthetic_only": varied(self.constant.loop, real_weight=0.0)}
        if self.today is not None:
            found["today"] = self.today
        if self.scheduled is not None:
            found["constant_weight"] = self.constant.loop
        return found

    def baselines(self) -> dict[str, float | None]:
        """Risks of the other ways of training."""
        risks = {name: self.risk_of(loop) for name, loop in self.rivals().items()}
        return {"real_only": self.real_only[1], "keep_all_labels": self.keep_all, "today": None, **risks}

    def by_generation(self) -> dict[str, Floats]:
        """Risk of generations 0 ... T for the recommended loop and its rivals."""
        return {
            "recommended": self.recommended.by_generation(self.shown),
            "real_only": np.full(self.shown + 1, self.real_only[1]),
            **self.more_courses(self.shown),
            **{name: self.setting.with_loops(loop).by_generation(self.shown) for name, loop in self.rivals().items()},
        }

    @cached_property
    def long_run_risk(self) -> float | None:
        """Risk of the recommended loops where the last one is kept on for ever, where the horizon is another."""
        return None if self.horizon is None else self.recommended.risk()

    def more_notes(self) -> tuple[str, ...]:
        """What was looked at beside the features."""
        if self.constant is not self.by_theory:
            theirs, replayed = self.by_theory, self.replayed
            assert isinstance(replayed, Check)
            assert replayed.best is not None
            risks = float(replayed.observed[-1]), replayed.best[2]
            return (*self.notes, better_there(theirs.real_weight, theirs.loop.penalty, *risks))
        if self.scheduled is None:
            return self.notes
        steps: list[float] = self.scheduled.weights.tolist()
        return (*self.notes, *doubts.of_schedule(steps, self.constant.real_weight, self.setting.loop.labelled, WORTH))

    def every_warning(self, neighbours: str | None) -> tuple[str, ...]:
        """Where the theory is on thin ice; of labels that the features determine, that alone and what the table looks like."""
        f = self.found.factorisation
        thin: tuple[str | None, ...] = (doubts.determined(f.rows, f.features),) if self.found.exact else self.warnings()
        return tuple(each for each in (*thin, self.curved, neighbours, *self.table.warnings, self.uneven) if each is not None)

    @cached_property
    def misfit(self) -> Misfit | None:
        """What a linear model cannot fit."""
        return None if self.found.exact else Misfit.of(self.table)

    @property
    def curved(self) -> str | None:
        """A warning of it, with the columns' names."""
        if self.misfit is None:
            return None
        columns = self.misfit.columns
        names = [self.table.columns[j] for j in columns[:_NAMED]]
        return doubts.misfit(names, self.misfit.share, max(len(columns) - _NAMED, 0))

    def assumption(self) -> str:
        """What is said first."""
        said = assumption(self.setting.loop, self.rows, self.when, self.step or "generation")
        return " ".join((said, *self.stated)) + self.table.stated

    @property
    def when(self) -> str:
        """The horizon in the table's own steps."""
        return horizon(self.horizon, self.step or RETRAININGS)

    @property
    def step(self) -> str | None:
        """What a generation is called; None without times."""
        return self.table.stream.step if self.table.stream.steps is not None else None

    def compare(self) -> dict[str, Any]:
        """Ways to remember, and the persistence of coefficients, where they are looked at."""
        at(waiting.COMPARING)
        with one_blas_thread():
            ways = self.ways
            rivals = ways.rivals(self.correction)
            return {"best": ways.best, "best_under": ways.best_under, "rivals": rivals, "persistence": self.persistence}

    @cached_property
    def correction(self) -> float:
        """What all excess risks are multiplied by: what a replay that can be trusted found them to be off by."""
        check = told(self.checked)[0]
        return check.correction if check is not None and check.trusted else 1.0

    @property
    @abstractmethod
    def described(self) -> EstimatedPopulation | None:
        """The estimated population, for those who ask; None for kernels."""

    @property
    def persistence(self) -> tuple[float, tuple[float, float]] | None:
        """Of coefficients from one time step to the next, with a 90% interval; None without times."""
        return None

    def recommendation(self) -> Recommendation:
        """Everything put together."""
        best, noise, null = self.best, self.setting.noise_variance, self.setting.null_risk
        baselines, loop = self.baselines(), best.loop
        check, unchecked = told(self.checked)
        factor = self.correction
        theory = judge(factor * best.risk, factor * self.real_only[1], null, self.unbounded, self.when)
        verdict, reason = (DETERMINED, doubts.DETERMINED) if self.found.exact else judged(check, theory)
        neighbours = None if check is None else check.neighbours
        weights = np.linspace(0.0, 1.0, min(self.setting.points, _MOST_WEIGHTS))
        fixed = self.setting.with_loops(self.constant.loop).risks(self.horizon, real_weight=weights)
        others = [group.row_weight for group in loop.groups or () if not group.labelled]
        content: dict[str, Any] = {
            "loop": loop,
            "real_weight": best.real_weight,
            "row_weight": others[0] if others else 1.0,
            "penalty": loop.penalty,
            "alpha": self.rows * loop.penalty,
            "risk": best.risk,
            "prediction_error": best.risk + noise,
            "compare": self.compare,
            "baselines": baselines,
            "intervals": self.uncertainty.intervals,
            "verdict_probabilities": self.uncertainty.verdict_probabilities,
            "verdict": verdict,
            "reason": reason,
            "warnings": self.every_warning(neighbours),
            "population": self.described,
            "assumption": self.assumption(),
            "attained": best.attained,
            "generations": self.horizon,
            "rows": self.table.stream.rows,
            "features": self.table.features,
            "aspect": self.setting.loop.aspect,
            "noise_variance": noise,
            "signal_to_noise_ratio": ratio(null, noise),
            "notes": self.more_notes(),
            "weight_grid": weights,
            "risk_by_weight": fixed,
            "risk_by_weight_tuned": fixed if self.given is not None else self.tuned(weights, fixed),
            "risk_by_generation": self.by_generation(),
            "advice": advice_of(best.risk, self.real_alone, baselines),
            "long_run_risk": self.long_run_risk,
            "schedule": None if self.scheduled is None else tuple(self.scheduled.weights.tolist()),
            "loops": self.loops,
            "check": check,
            "unchecked": unchecked,
            "options": self.request.options,
            "step": self.step,
        }
        found = Recommendation(**content, **self.of_its_own())
        return corrected(found, factor)
