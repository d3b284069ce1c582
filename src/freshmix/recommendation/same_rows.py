"""A recommendation for the same rows relabelled in each generation: theory on them (mathematics.md sections 3, 4, 7)."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from ..arguments import Floats
from ..equivalents import RowEquivalents
from ..estimation import EstimatedPopulation, LeaveOneOut, described, unevenness
from ..loop import Loop
from ..optima import Optimum
from ..optima import frozen_weight as optimum
from ..optima.frozen_weight import Goal
from ..optima.memory import memory_of
from ..replays.check import Check
from ..replays.folds import check_frozen, feature_rows
from ..risks.frozen import FrozenSetting
from ..words import doubts
from ..words.replay import IN_BLOCKS
from .answer import Answer
from .labels import heeded, heeded_ridge, ridge_penalty
from .renewal import Renewal
from .request import Request
from .result import OtherEnd
from .schedule import Scheduled, followed_frozen
from .uncertainty import Affine, OfRows, Uncertainty, few, frozen_uncertainty
from .ways import DRAWS, Ways, standing


class SameRows(Answer[FrozenSetting]):
    """What frozen covariates have of their own."""

    unbounded = "no real labels enter and nothing is forgotten"
    sizes = False

    @staticmethod
    def fitted_at(request: Request) -> float | None:
        """That of the loop: generation 0 is such a fit."""
        return request.penalty

    def has_best_weight(self) -> bool:
        """Labels that are drawn anew are worth remembering for ever."""
        return self.setting.law[1] == 0

    @property
    def uneven(self) -> str | None:
        """Theory counts sample weights where rows are at hand, or their eigenvalues can tell them apart."""
        f = self.found.factorisation
        return self.table.uneven if f.classes is None and f.row_weights is None else None

    @cached_property
    def renewal(self) -> Renewal:
        """What of the noise is drawn anew when a row is labelled again."""
        return Renewal.of(self.known, self.table, self.misfit)

    @cached_property
    def setting(self) -> FrozenSetting:
        """On the table's own eigenvalues and responses; kernels have no aspect."""
        f = self.found.factorisation
        aspect = f.aspect if self.table.kernel == "linear" else None
        loop = self.known.replace(aspect=aspect, label_renewal=self.renewal.value)
        return FrozenSetting(self.found.equivalents(), (loop,))

    def of_its_own(self) -> dict[str, Any]:
        """The renewal of labels, and what is best at its other end."""
        return {"label_renewal": self.renewal.value, "other_end": self.other_end()}

    def other_end(self) -> OtherEnd | None:
        """The best constant loop at the other end of the renewal, where nothing but a default decides which it is."""
        renewal = self.renewal.other_end
        if renewal is None or self.found.exact:
            return None
        other = replace(self, known=self.known.replace(label_renewal=renewal))
        # By theory alone: a replay costs as much as all the rest.
        best, noise = other.by_theory, self.setting.noise_variance
        kept = [loop.replace(label_renewal=renewal) for loop in self.loops]
        return OtherEnd(
            renewal,
            best.real_weight,
            best.loop.penalty,
            self.rows * best.loop.penalty,
            best.risk,
            best.risk + noise,
            other.setting.with_loops(kept).risk(self.horizon),
        )

    @property
    def stated(self) -> tuple[str, ...]:
        """How the renewal is known."""
        return () if self.found.exact else self.renewal.stated

    @property
    def rows(self) -> int:
        """All of them."""
        return self.found.factorisation.rows

    @property
    def goal(self) -> Goal:
        """What is minimised."""
        return Goal.of(self.setting, self.horizon)

    @cached_property
    def constants(self) -> Sequence[Optimum]:
        """The best constant weight, and the best penalty where none is given."""
        if self.given is None:
            return [heeded(self.setting, optimum.weight_and_penalty(self.setting, self.horizon), self.horizon, self.labels)]
        return [optimum.weight(self.setting.with_loops(self.setting.loop.replace(penalty=self.given)), self.horizon)]

    @cached_property
    def real_only(self) -> tuple[float, float]:
        """Penalty and risk of plain ridge on the real labels of one generation, which listens to them too."""
        plain = self.setting.real_only()
        return plain.at(self.given) if self.given is not None else heeded_ridge(plain, self.labels)

    @property
    def keep_all(self) -> float:
        """That of ``real_only`` where labels that come again are the same."""
        return self.real_only[1] if self.setting.law[1] == 0 else super().keep_all

    @cached_property
    def labels(self) -> LeaveOneOut | None:
        """What the labels themselves say of penalties, as far as rows differ.

        Of rows alike a signal that is not linear is noise to the model, and the smoothed risk counts it as that.
        """
        f = self.found.factorisation
        return None if f.left_out is None else replace(f.left_out, heard=unevenness(f))

    def tuned(self, weights: Floats, fixed: Floats) -> Floats:
        """From a table of all pairs of lambda/w and lambda/(2-w)."""
        return optimum.tuned_risks(self.goal, weights)

    def search_schedule(self) -> Scheduled:
        """The schedule that is recommended."""
        assert self.horizon is not None
        return followed_frozen(self.setting, self.horizon, self.constant, self.given is not None)

    @cached_property
    def uncertainty(self) -> Uncertainty:
        """Intervals and verdict probabilities from posterior draws."""
        drawn = frozen_uncertainty(self.found, self.recommended, self.constant, self.horizon, self.given, self._of_rows())
        share = self.renewal.interval
        return drawn if share is None else replace(drawn, intervals={**drawn.intervals, "label_renewal": share})

    def _of_rows(self) -> OfRows:
        known, at = self.setting.equivalents, self.recommended
        if not isinstance(known, RowEquivalents):
            return OfRows()
        z = ridge_penalty(self.setting, self.constant.loop, self.horizon)
        risk = at.risk(self.horizon)
        if not 0 < risk < math.inf:
            return OfRows()
        far = replace(at, equivalents=known.counting_far_rows()).risk(self.horizon) / risk - 1
        return OfRows.of(known, z, self.found.factorisation.independent or self.rows, far)

    @cached_property
    def ways(self) -> Ways:
        """Ways to remember, where labels that are kept are averaged."""
        affine = Affine.of(self.found, DRAWS)
        known = [replace(self.setting, equivalents=few(self.found, *affine.parts(point))) for point in affine.points]
        setting = replace(self.setting, equivalents=few(self.found))
        memory = memory_of(setting, self.shown, self.request.may_keep, "now", self.given)
        return standing(memory, setting, known, affine, self.rows, self.today)

    @property
    def described(self) -> EstimatedPopulation | None:
        """What the rows come from."""
        return described(self.found) if self.table.kernel == "linear" else None

    def check(self, loops: tuple[Loop, ...]) -> Check | str:
        """The loop replayed on folds of the table."""
        if self.table.rows is None:
            return IN_BLOCKS
        X, y, precision = self.table.rows
        rng = np.random.default_rng([self.request.seed, 2])
        features, group, rows = feature_rows(X, self.table.kernel, rng)
        weights = None if precision is None else precision[rows] / precision[rows].mean()
        loop, plain = loops[-1], self.real_only[0]
        order = None if self.table.order is None else self.table.order.of(rows)
        found = check_frozen(features, y[rows], group, self.found, loop, self.shown, plain, rng, weights, order)
        return found if isinstance(found, str) else replace(found, real_labels=self.on_real_labels(loop))

    def on_real_labels(self, loop: Loop) -> tuple[float, float] | None:
        """Mean squared error of the ridge fit that a constant loop comes to, each label held out, and by theory."""
        if self.labels is None or not loop.real_weight:
            return None
        z = max(ridge_penalty(self.setting, loop, self.horizon), float(self.labels.penalties[0]))
        return self.labels.error_at(z), self.setting.real_only().risk(z) + self.setting.noise_variance

    @property
    def alone(self) -> list[int]:
        """Places in the table of rows that nearly decide their own fit, where all rows are at hand."""
        if self.labels is None or self.table.products is not None or self.table.order is None:
            return []
        rows = self.labels.standing_alone(ridge_penalty(self.setting, self.constant.loop, self.horizon))
        return sorted(self.table.order.place[rows].tolist())

    def warnings(self) -> tuple[str | None, ...]:
        """Where the theory is on thin ice for this table."""
        f, best = self.found.factorisation, self.constant
        return (
            doubts.few_rows(f.rows),
            None if f.features is None else doubts.near_threshold(self.best.loop.penalty, f.aspect),
            doubts.identifiable(self.uncertainty.intervals["noise_variance"]),
            *self.found.doubts(),
            doubts.collinear(f.condition) if self.table.kernel == "linear" else None,
            doubts.alone(self.alone),
            doubts.no_signal(self.found.intervals(), best.attained or best.loop.penalty == 0),
        )
