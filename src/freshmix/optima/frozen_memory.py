"""What to remember with frozen covariates: each way at its best (mathematics.md sections 3 and 6)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from ..arguments import Floats
from ..risks.frozen import FrozenSetting
from ..risks.frozen_schedules import FrozenSchedules
from ..risks.plain import PlainRidge
from .box import AXES, Box, Found, coordinates

# Steps of log penalties that are solved for, how many of them stand for those between, and those of the
# first grid. Steps for the last digits are a fourth as wide.
_SPACING, _NEAR, _SOLVED, _FINE = 0.45, 8, np.arange(-21, 16, 3), 4
# What the last step of a search on the wide grid may gain.
_ROUGHLY = 1e-7


@dataclass(frozen=True, eq=False)
class FrozenWays:
    """Ways to remember with frozen covariates, whose rows stay and whose labels may be averaged."""

    setting: FrozenSetting
    horizon: int
    penalty: float | None = None

    def ways(self) -> dict[str, Found]:
        """Each at its best."""
        found: dict[str, Found] = {"real_only": self._plain(self.setting.real_only(), "nothing")}
        found["mixed"] = self._last_model({"anchor": 0.0}, found)
        found["anchored"] = self._last_model({"real_weight": 1.0}, found)
        found["anchored_mixed"] = self._last_model({}, found)
        found["keep_all"] = self._plain(self.setting.keep_all(self.horizon), "moments")
        return found

    def _plain(self, rival: PlainRidge, stored: str) -> Found:
        penalty, risk = rival.at(self.penalty)
        return self.setting.loop.replace(real_weight=1.0, penalty=penalty), risk, stored

    def _last_model(self, fixed: Mapping[str, float], before: Mapping[str, Found]) -> Found:
        if self.penalty is not None:
            fixed = {**fixed, "penalty": self.penalty}
        names = tuple(name for name in ("real_weight", "penalty", "anchor") if name not in fixed)
        box = Box.of(names, self.setting.bulk)

        def risks(points: dict[str, Floats], parts: int = 1) -> Floats:
            size = points[names[0]].size
            return self._risks(**points, **{name: np.full(size, value) for name, value in fixed.items()}, parts=parts)

        starts = [coordinates(loop) for loop, _, _ in before.values() if loop.penalty > 0]
        axes = AXES | {"penalty": self.setting.scale * np.exp(_SPACING * _SOLVED)}
        if self.penalty is not None:
            values, _ = box.least(risks, axes, starts)
        else:
            values, _ = box.least(risks, axes, starts, _ROUGHLY)
            values, _ = box.least(partial(risks, parts=_FINE), None, [values])
        loop = self.setting.loop.replace(**{**values, **fixed})
        return loop, self.setting.with_loops(loop).risk(self.horizon), "model"

    def _risks(self, real_weight: Floats, penalty: Floats, anchor: Floats, parts: int = 1) -> Floats:
        """(m,) R_T at any penalties, from those of a grid: a polynomial in log lambda over eight, to 1e-4 or better.

        On a grid that is ``_FINE`` times as fine it is right to 1e-9.
        """
        if self.penalty is not None:
            return self._given.constant(real_weight, anchor, self.horizon)
        place = np.log(penalty / self.setting.scale) / _SPACING * parts
        nearest = np.rint(place)
        solved = np.abs(place - nearest) < 1e-9
        first = np.where(solved, nearest, np.floor(place) - _NEAR // 2 + 1).astype(int)
        found = np.empty(penalty.size)
        for k, alone in set(zip(first.tolist(), solved.tolist(), strict=True)):
            at = np.flatnonzero((first == k) & (solved == alone))
            known = self._on_grid(k / parts, 1 / parts, 1 if alone else _NEAR)
            values = known.constant(real_weight[at], anchor[at], self.horizon)
            found[at] = values[0] if alone else np.sum(_cardinal(place[at] - k) * values, axis=0)
        return found

    def _on_grid(self, first: float, step: float, count: int) -> FrozenSchedules:
        """What does not depend on weights and anchors, at so many penalties; kept for the next way."""
        if (first, step, count) not in self._solved:
            self._solved[first, step, count] = FrozenSchedules.stacked([self._at(first + step * k) for k in range(count)])
        return self._solved[first, step, count]

    def _at(self, place: float) -> FrozenSchedules:
        if place not in self._single:
            loop = self.setting.loop.replace(penalty=self.setting.scale * math.exp(_SPACING * place))
            self._single[place] = self.setting.with_loops(loop).schedules(self.horizon)
        return self._single[place]

    @cached_property
    def _given(self) -> FrozenSchedules:
        """At the penalty that is given."""
        assert self.penalty is not None
        return self.setting.with_loops(self.setting.loop.replace(penalty=self.penalty)).schedules(self.horizon)

    @cached_property
    def _single(self) -> dict[float, FrozenSchedules]:
        return {}

    @cached_property
    def _solved(self) -> dict[tuple[float, float, int], FrozenSchedules]:
        return {}


def _cardinal(x: Floats) -> Floats:
    """(nodes, m) Lagrange's polynomials of the nodes 0, 1, ... at x."""
    nodes = np.arange(_NEAR)
    apart = nodes[:, None] - nodes + np.eye(_NEAR)
    terms = np.where(np.eye(_NEAR, dtype=bool)[..., None], 1.0, (x - nodes[:, None]) / apart[..., None])
    return np.asarray(np.prod(terms, axis=1))
