"""What to remember between retrainings: ways to do so, each at its own best (mathematics.md sections 3, 5 and 6)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from ..arguments import Floats, choice, generations_in_a_row
from ..loop import Group, Loop
from ..population import Population
from ..risks.fresh import FreshSetting
from ..risks.frozen import FrozenSetting
from ..risks.frozen_schedules import FrozenSchedules
from ..risks.kept_rows import Rows
from ..risks.plain import PlainRidge
from ..risks.setting import Setting, setting_of
from ..views import Pictured, frame
from .box import LEAST_FORGETTING, Box

# What may be kept, each more than the one before.
RULES = ("nothing", "model", "moments", "rows")
# Ways with fresh covariates that are searched on their own; a window is one more where it is better than all of them.
ONE_BY_ONE = ("real_only", "mixed", "anchored", "anchored_mixed", "keep_all", "forgetting")
# What is given in those that remember the last model at most.
_FIXED: Mapping[str, Mapping[str, float]] = {
    "real_only": {"real_weight": 1.0, "anchor": 0.0},
    "mixed": {"anchor": 0.0},
    "anchored": {"real_weight": 1.0},
    "anchored_mixed": {},
}
# Risks that differ by less are those of one optimum.
_SAME = 1e-6
# Penalties of a first grid, in units of the largest sample eigenvalue.
_PENALTIES = np.geomspace(1e-4, 1e3, 13)
# Frozen covariates: steps of log penalties that are solved for, how many of them stand for those between, and those of the
# first grid. Steps for the last digits are a fourth as wide.
_SPACING, _NEAR, _SOLVED, _FINE = 0.45, 8, np.arange(-21, 16, 3), 4
# What the last step of a search on the wide grid may gain.
_ROUGHLY = 1e-7
_AXES = {
    "real_weight": np.array([0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0]),
    "row_weight": np.array([0.1, 0.5, 2.0]),
    "anchor": np.array([0.0, 0.3, 0.6, 0.8, 0.9, 1.0]),
    "forgetting": np.array([0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0]),
}


@dataclass(frozen=True)
class Way:
    """A way to remember at its best.

    Attributes
    ----------
    loop : Loop
        The loop that does it; with fresh covariates its rows without a real label have row weight 0 where they are left out.
    risk : float
        Excess risk at the horizon.
    prediction_error : float
        This plus the noise variance.
    stored : str
        What has to be kept from one generation to the next: ``nothing``, the last ``model``, ``moments`` X'X and X'y of the
        past (p^2 numbers), or ``rows``.
    """

    loop: Loop
    risk: float
    prediction_error: float
    stored: str

    @property
    def settings(self) -> dict[str, float | None]:
        """Penalty, real weight of labelled rows, row weight of the others, anchor, kept generations (None: all), forgetting."""
        groups = self.loop.groups or ()
        labelled = [group for group in groups if group.labelled]
        others = [group.row_weight for group in groups if not group.labelled]
        return {
            "penalty": self.loop.penalty,
            "real_weight": labelled[0].real_weight,
            "row_weight": others[0] / labelled[0].row_weight if others else 1.0,
            "anchor": self.loop.anchor,
            "kept_generations": self.loop.kept_generations,
            "forgetting": self.loop.forgetting,
        }


@dataclass(frozen=True, repr=False)
class Memory(Pictured):
    """Ways to remember, each at its own best.

    Attributes
    ----------
    ways : dict
        Name to ``Way``: ``real_only``, ``mixed``, ``anchored``, ``anchored_mixed``, ``keep_all``; with fresh covariates also
        ``forgetting`` and, where it is better than any other, ``window``.
    may_keep : str
        The rule that ``best`` obeys.
    generations : int
        The horizon.
    judged : str
        Whether models are judged on the coefficients of their own generation or on the next ones.
    """

    _words = "memory"

    ways: Mapping[str, Way]
    may_keep: str
    generations: int
    judged: str

    def to_frame(self) -> Any:
        """The ways as a pandas data frame, a row for each, the least risk first.

        ``risk`` and ``prediction_error`` (squared label units), what has to be ``stored``, whether that is ``allowed``, and the
        settings of the way (``kept_generations``: None for all).
        """
        # Ways that differ by less than the search can tell stand in the order of what they keep.
        names = sorted(self.ways, key=lambda name: float(f"{self.ways[name].risk:.9g}"))
        ways = [self.ways[name] for name in names]
        allowed = [RULES.index(way.stored) <= RULES.index(self.may_keep) for way in ways]
        columns = {key: [getattr(way, key) for way in ways] for key in ("risk", "prediction_error", "stored")}
        settings = {key: [way.settings[key] for way in ways] for key in ways[0].settings}
        return frame({**columns, "allowed": allowed, **settings}, names)

    def to_dict(self) -> dict[str, Any]:
        """Everything: plain numbers, text, lists and dicts; inf where unbounded."""
        return super().to_dict() | {"best": self.best, "best_under": self.best_under}

    @property
    def best(self) -> str:
        """The name of the best way that may be carried out."""
        return self.best_under[self.may_keep]

    @property
    def best_under(self) -> dict[str, str]:
        """The best way under each rule; the one that keeps less where two are equally good."""
        return {rule: self._best(RULES.index(rule)) for rule in RULES}

    def _best(self, most: int) -> str:
        allowed = [name for name, way in self.ways.items() if RULES.index(way.stored) <= most]
        least = min(self.ways[name].risk for name in allowed)
        near = [name for name in allowed if self.ways[name].risk <= least * (1 + 1e-6)]
        return min(near, key=lambda name: RULES.index(self.ways[name].stored))


def optimal_memory(
    population: Population, loop: Loop, generations: int = 12, may_keep: str = "rows", *, judged: str = "next"
) -> Memory:
    """Ways to remember the past between retrainings, each at its own best, and which is best.

    Parameters
    ----------
    population : Population
        The data; its persistence says how coefficients drift.
    loop : Loop
        Aspect, covariates, share of labelled rows, first rows and synthetic noise. Its weights, penalty, anchor and kept rows
        are ignored.
    generations : int
        The horizon T, at least 1.
    may_keep : "nothing", "model", "moments" or "rows"
        What may be kept from one generation to the next: nothing but the new rows; the last model; also X'X and X'y of the past
        (p^2 numbers); also rows.
    judged : "next" or "now"
        On the coefficients of the next generation, which a model meets in use, or on those it was fitted under.

    Returns
    -------
    Memory
        ``.ways`` (name to loop, risk, prediction error and what has to be stored) and ``.best``.

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range, or no row has a real label.

    Notes
    -----
    Source: mathematics.md sections 3, 5 and 6. With fresh covariates the ways are: real labels of each generation alone; mixed
    with the last model's labels; anchored to the last model by the penalty; both; all labelled rows kept; kept with forgetting;
    a window of generations.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> drifting = Population.isotropic(signal=2.0).replace(persistence=0.9)
    >>> found = optimal_memory(drifting, Loop(aspect=0.5, covariates="fresh", synthetic_noise_ratio=0.0))
    >>> found.best, found.best_under["model"]
    ('anchored_mixed', 'anchored_mixed')
    """
    if not isinstance(loop, Loop):
        raise TypeError(f"loop must be a Loop, got {type(loop).__name__}")
    horizon = generations_in_a_row(generations)
    if horizon < 1:
        raise ValueError(f"generations must be at least 1, got {generations!r}")
    may_keep, judged = choice("may_keep", may_keep, RULES), choice("judged", judged, ("next", "now"))
    if loop.labelled == 0:
        raise ValueError("optimal_memory needs rows with a real label, got a labelled share of 0")
    return memory_of(setting_of(population, bare(loop)), horizon, may_keep, judged)


def memory_of(
    setting: Setting,
    generations: int,
    may_keep: str,
    judged: str,
    penalty: float | None = None,
    known: Mapping[str, Loop] | None = None,
) -> Memory:
    """``optimal_memory`` of a loop on given data.

    With a ``penalty`` all ways have that one, per row of a fit. ``known`` holds loops of ways that are told elsewhere: they
    stay where no other is really better.
    """
    setting = setting.with_loops(bare(setting.loop))
    if isinstance(setting, FreshSetting):
        setting = replace(setting, judged=judged)
        ways = FreshWays(setting, generations, judged, penalty=penalty).ways()
    else:
        assert isinstance(setting, FrozenSetting)
        ways = FrozenWays(setting, generations, penalty).ways()
    for name, loop in (known or {}).items():
        risk = setting.with_loops(loop).risk(generations)
        if risk <= ways[name][1] * (1 + _SAME):
            ways[name] = loop, risk, ways[name][2]
    made = {name: Way(loop, risk, risk + setting.noise_variance, stored) for name, (loop, risk, stored) in ways.items()}
    return Memory(made, may_keep, generations, judged)


def bare(loop: Loop) -> Loop:
    """The loop with real labels alone and nothing remembered: one labelled group and, it may be, one without labels."""
    loop = loop.replace(anchor=0.0, penalty=0.0)
    if loop.covariates == "frozen":
        return loop.replace(real_weight=1.0)
    share = loop.labelled
    groups = [Group(share, 1.0, 1.0, labelled=True)] + ([Group(1 - share, 0.0, 0.0)] if share < 1 else [])
    return loop.replace(groups=groups, kept_generations=0, forgetting=1.0)


# A loop, its risk, and what it has to store.
Found = tuple[Loop, float, str]


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

        starts = [_coordinates(loop) for loop, _, _ in before.values() if loop.penalty > 0]
        axes = _AXES | {"penalty": self.setting.scale * np.exp(_SPACING * _SOLVED)}
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
        return Box.of(names, self.setting.bulk), _AXES | {"penalty": self._scale * _PENALTIES}

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
                values, risk = box.least(risks, None, [_coordinates(near)])
            else:
                starts = [_coordinates(loop) for loop, _, _ in (before or {}).values()]
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
        starts = [_coordinates(each) for each in ([start[0]] if start else []) + ([near] if near else [])]
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


def _coordinates(loop: Loop) -> dict[str, float]:
    groups = loop.groups or (Group(1.0),)
    # Rows that were left out may come in again.
    others = [group.row_weight or _AXES["row_weight"][0] for group in groups[1:]]
    return {
        "penalty": loop.penalty,
        "anchor": loop.anchor,
        "forgetting": loop.forgetting,
        "real_weight": groups[0].real_weight,
        "row_weight": float(others[0]) if others else 1.0,
    }
