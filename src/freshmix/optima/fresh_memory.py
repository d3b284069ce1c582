"""What to remember with fresh covariates: each way at its best (mathematics.md sections 5 and 6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..arguments import Floats
from ..loop import Loop
from ..risks.fresh import FreshSetting
from ..risks.kept_rows import Rows
from .box import AXES, LEAST_FORGETTING, Box, Found, coordinates

# Ways with fresh covariates that are searched on their own; a window is one more where it is better than all of them.
ONE_BY_ONE = ("real_only", "mixed", "anchored", "anchored_mixed", "keep_all", "forgetting")
# What is given in those that remember the last model at most.
_FIXED: Mapping[str, Mapping[str, float]] = {
    "real_only": {"real_weight": 1.0, "anchor": 0.0},
    "mixed": {"anchor": 0.0},
    "anchored": {"real_weight": 1.0},
    "anchored_mixed": {},
}
# Penalties of a first grid, in units of the largest sample eigenvalue.
_PENALTIES = np.geomspace(1e-4, 1e3, 13)


@dataclass(frozen=True, eq=False)
class FreshWays:
    """Ways to remember with fresh covariates; ``setting`` has one labelled group and, it may be, one without labels.

    ``near`` holds the best loops of ways in a setting much like this one: searches go down from those, without a grid.
    ``penalty`` is that of all ways, where it is given.
    """

    setting: FreshSetting
    horizon: int
    judged: str
    near: Mapping[str, Loop] = field(default_factory=dict)
    penalty: float | None = None

    def ways(self) -> dict[str, Found]:
        """Each at its best."""
        found: dict[str, Found] = {}
        for name in ONE_BY_ONE:
            found[name] = self.way(name, found)
        window = min((self._window(kept) for kept in range(1, self.horizon)), default=None)
        if window is not None:
            best = self._kept(window[1], "window")
            if best[1] < min(way[1] for way in found.values()) * (1 - 1e-6):
                found["window"] = best
        return found

    def way(self, name: str, before: Mapping[str, Found] | None = None) -> Found:
        """One of ``ONE_BY_ONE`` at its best; the others that were found ``before`` are further points to start from."""
        if name in _FIXED:
            return self._last_model(name, "nothing" if name == "real_only" else "model", before)
        start = (before or {}).get("keep_all") if name == "forgetting" else None
        return self._kept(None, name, start)

    @property
    def _mixed_rows(self) -> bool:
        return len(self.setting.loop.groups or ()) > 1

    @cached_property
    def _scale(self) -> float:
        return self.setting.scale

    def _box(self, *names: str) -> tuple[Box, dict[str, Floats]]:
        return Box.of(names, self.setting.bulk), AXES | {"penalty": self._scale * _PENALTIES}

    def _last_model(self, name: str, stored: str, before: Mapping[str, Found] | None) -> Found:
        """The best loop that remembers no more than the last model, with some coordinates given.

        Rows without a label are in it, at some row weight, or left out; without synthetic labels they are always.
        """
        fixed, near = _FIXED[name], self.near.get(name)
        kinds: list[dict[str, float]] = [{"row_weight": 0.0}] if self._mixed_rows else [{}]
        if self._mixed_rows and "real_weight" not in fixed:
            # Next to a loop that uses them, a least row weight is as good as leaving them out.
            kinds = [{}] if near is not None and near.groups_at(1)[1:] and near.groups_at(1)[1].row_weight else [*kinds, {}]
        found: list[tuple[dict[str, float], float]] = []
        for kind in kinds:
            given = {**fixed, **kind} | ({} if self.penalty is None else {"penalty": self.penalty})
            names = ["real_weight", "penalty", "anchor"] + (["row_weight"] if self._mixed_rows else [])
            box, axes = self._box(*(each for each in names if each not in given))

            def risks(points: dict[str, Floats], given: Mapping[str, float] = given) -> Floats:
                return self.setting.risks(self.horizon, self.judged, **points, **given)

            values: dict[str, float] = {}
            if not box.bounds:
                risk = float(risks({}))
            elif near is not None:
                values, risk = box.least(risks, None, [coordinates(near)])
            else:
                starts = [coordinates(loop) for loop, _, _ in (before or {}).values()]
                values, risk = box.least(risks, axes, starts if "row_weight" in given or not self._mixed_rows else ())
            found.append((values | given, risk))
        values, risk = min(found, key=lambda each: each[1])
        return self._loop(values), risk, stored

    def _loop(self, values: Mapping[str, float]) -> Loop:
        groups = list(self.setting.loop.groups or ())
        groups[0] = replace(groups[0], real_weight=values["real_weight"], labelled=True)
        if self._mixed_rows:
            groups[1] = replace(groups[1], row_weight=values["row_weight"])
        return self.setting.loop.replace(groups=groups, penalty=values["penalty"], anchor=values["anchor"])

    def _kept(self, kept: int | None, name: str, start: Found | None = None) -> Found:
        """The best loop that keeps the labelled rows of earlier generations: all, those of a window, or with forgetting."""
        loop = self._loop({"real_weight": 1.0, "row_weight": 0.0, "penalty": 0.0, "anchor": 0.0}).replace(kept_generations=kept)
        names = ("penalty", "forgetting") if name == "forgetting" else ("penalty",)
        box, axes = self._box(*(each for each in names if each != "penalty" or self.penalty is None))
        stored = "rows" if name == "window" else "moments"
        given = {} if self.penalty is None else {"penalty": self._per_row(loop)}
        if not box.bounds:
            loop = loop.replace(**given)
            return loop, float(self._risks_of_rows(loop, np.array([loop.penalty]))[0]), stored

        def risks(points: dict[str, Floats]) -> Floats:
            return self._risks_of_rows(
                loop, **points, **{each: np.full(points["forgetting"].size, given[each]) for each in given}
            )

        near = self.near.get(name)
        starts = [coordinates(each) for each in ([start[0]] if start else []) + ([near] if near else [])]
        values, risk = box.least(risks, None if near else axes, starts)
        return loop.replace(**values, **given), risk, stored

    def _per_row(self, loop: Loop) -> float:
        """The given penalty is one per labelled row of a fit with kept rows; a loop's counts all rows of it."""
        assert self.penalty is not None
        rows = Rows.at((loop.replace(penalty=0.0),), self.horizon)
        return self.penalty * float(rows.rows.sum()) / rows.count

    def _window(self, kept: int) -> tuple[float, int]:
        """The least risk on the grid of penalties, and the window."""
        loop = self._loop({"real_weight": 1.0, "row_weight": 0.0, "penalty": 0.0, "anchor": 0.0}).replace(kept_generations=kept)
        penalties = self._scale * _PENALTIES if self.penalty is None else np.array([self._per_row(loop)])
        return float(np.min(self._risks_of_rows(loop, penalties))), kept

    def _risks_of_rows(self, loop: Loop, penalty: Floats, forgetting: Floats | float = 1.0) -> Floats:
        rows = Rows.at((loop.replace(penalty=0.0),), self.horizon)
        weights = rows.row_weight * np.maximum(np.asarray(forgetting)[..., None], LEAST_FORGETTING) ** rows.age
        weights = np.broadcast_to(weights, (penalty.size, rows.age.size))
        population = self.setting.population
        persistence = np.full(penalty.size, population.persistence)
        state = rows.states(population, penalty, weights, persistence)
        return np.full(penalty.size, np.inf) if state is None else self.setting.judge(state, self.judged)
