"""Fresh covariates: new rows in each generation, by the general step (mathematics.md section 5)."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import Floats
from ..equivalents import PopulationEquivalents
from ..loop import Group, Loop, takes_labels
from ..population import Population
from ..words import verdict as words
from .fresh_schedules import FreshSchedules
from .generation import Generation, State, drifted, first_generation, generation, generations
from .kept_rows import AgedRidge, Rows
from .kept_rows import long_run as kept_long_run
from .plain import PlainRidge
from .verdict import Limit, judge

# Tables of (loops, groups, atoms) are cut into pieces of so many numbers.
_MOST_NUMBERS = 2**21


@dataclass(frozen=True, eq=False)
class FreshSetting:
    """Loops of t = 1, 2, ... on new rows of a population; see ``Setting``. Generation 0 has the penalty of the first one.

    ``judged`` is how models are judged where nothing else is said: on the coefficients of their own generation ("now") or on
    the next one's ("next").
    """

    population: Population
    loops: tuple[Loop, ...]
    judged: str = "now"

    partly_labelled: ClassVar[bool] = True
    points: ClassVar[int] = 41

    @classmethod
    def of(cls, population: Population, loops: tuple[Loop, ...]) -> "FreshSetting":
        """On a population."""
        return cls(population, loops)

    @staticmethod
    def check(loops: Sequence[Loop]) -> None:
        """Raise ValueError where the previous model was fitted on rows that the fit keeps: there is no theory of that."""
        for loop in loops:
            if loop.kept_generations == 0:
                continue
            groups = loop.groups or ()
            mixed = any(g.share * g.row_weight > 0 and g.real_weight != 1 for g in groups) or any(
                w != 1 for w in loop.schedule or ()
            )
            if mixed or loop.anchor > 0:
                beside = f"an anchor of {loop.anchor:g}" if loop.anchor > 0 else "synthetic labels"
                raise ValueError(
                    f"there is no theory of kept rows (kept_generations={loop.kept_generations}) beside {beside}, since the "
                    "previous model was fitted on them: use kept_generations=0, or simulate the loop"
                )
            if not any(g.labelled and g.share * g.row_weight > 0 for g in groups) and loop.groups is not None:
                raise ValueError("kept_generations needs rows with a real label, got none")

    @property
    def loop(self) -> Loop:
        """The loop that is kept on."""
        return self.loops[-1]

    @property
    def noise_variance(self) -> float:
        """sigma^2."""
        return self.population.noise_variance

    @property
    def null_risk(self) -> float:
        """Excess risk of predicting 0."""
        return self.population.null_risk

    @property
    def bulk(self) -> tuple[float, float]:
        """Ends of the eigenvalues of the sample covariance."""
        return PopulationEquivalents(self.population, self._aspect).bulk

    @property
    def scale(self) -> float:
        """The largest eigenvalue of the sample covariance."""
        return self.bulk[1]

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The row weight is one where only some rows have a real label."""
        mixed = self.loop.groups is not None and 0 < self.loop.labelled < 1
        return ("real_weight", "penalty", "row_weight") if mixed else ("real_weight", "penalty")

    @property
    def _aspect(self) -> float:
        assert self.loop.aspect is not None
        return self.loop.aspect

    def with_loops(self, loops: Loop | Sequence[Loop]) -> "FreshSetting":
        """Other loops on the same population."""
        return replace(self, loops=(loops,) if isinstance(loops, Loop) else tuple(loops))

    def under(self, found: Any, noise_variance: float, signal: Floats, tops: Floats) -> "FreshSetting":
        """On the population behind an estimate, were these its noise and its signal, that of its outlying directions apart."""
        return replace(self, population=found.population(noise_variance, signal, tops))

    def by_generation(self, generations: int, judged: str | None = None) -> Floats:
        """(T + 1,) excess risk; the last loop is kept on. ``judged`` "next": on the next generation's coefficients."""
        risks = np.full(generations + 1, math.inf)
        for t, state in enumerate(self._states(generations)):
            risks[t] = float(self.judge(state, judged or self.judged))
            if not math.isfinite(risks[t]):
                risks[t:] = math.inf
                break
        return risks

    def courses(self, loops: Sequence[Loop], generations: int) -> list[Floats]:
        """(T + 1,) risks by generation of each of these loops."""
        return [self.with_loops(loop).by_generation(generations) for loop in loops]

    def _states(self, generations: int) -> Iterator[State]:
        """(A, Q) of generations 0 ... T, up to the first at the interpolation threshold."""
        current, state = first_generation(self.population, self.loops[0])
        if current is None:
            return
        yield state
        made: Loop | None = None
        for t in range(1, generations + 1):
            loop = self.loops[min(t, len(self.loops)) - 1]
            if loop.kept_generations != 0:
                # Once the window holds rows of the last loop only, nothing changes any more.
                if loop.kept_generations is None or t <= len(self.loops) + loop.kept_generations:
                    found = Rows.at(self.loops, t).state(self.population, loop)
                    if found is None:
                        return
                    state = found
                yield state
                continue
            if loop is not made or loop.schedule is not None:
                current, made = generation(self.population, loop, loop.groups_at(t)), loop
            if current is None:
                return
            state = current.step(state)
            yield state

    @np.errstate(over="ignore", invalid="ignore")
    def judge(self, state: State, judged: str) -> Floats:
        """(...) R = sum tau Q of states (..., atoms), or that of the drifted ones: R_next (section 5)."""
        tau, g = self._atoms
        Q = drifted(state, g, np.full(state[1].shape[:-1], self.population.persistence))[1] if judged == "next" else state[1]
        return np.asarray(Q @ tau)

    @cached_property
    def _atoms(self) -> tuple[Floats, Floats]:
        positive = self.population.eigenvalues > 0
        return self.population.eigenvalues[positive], self.population.signal[positive]

    def risk(self, generations: int | None = None) -> float:
        """Of generation T, or in the long run."""
        if generations is not None:
            return float(self.by_generation(generations)[-1])
        if self._keeps:
            state = kept_long_run(self.population, self.loops)
            return math.inf if state is None else float(self.judge(state, self.judged))
        turn = self._turn
        if turn is None:
            return math.inf
        risk = float(turn.long_run(self.judged))
        if not math.isfinite(risk) and not turn.label_noise.any() and math.isinf(turn.collapse_number):
            # Least squares on its own noiseless predictions reproduces itself: the loop stays where it is.
            *_, (A, Q) = self._states(max(len(self.loops), *(len(loop.schedule or ()) for loop in self.loops)))
            tau, g = self._atoms
            # Coefficients that drift away from it have nothing in common with it in the end.
            return float(tau @ (Q if self.population.persistence == 1 else Q + 2 * (A + g)))
        return risk

    @property
    def _keeps(self) -> bool:
        """Whether the loop that is kept on has kept rows in its fit."""
        return self.loop.kept_generations != 0

    @cached_property
    def _turn(self) -> Generation | None:
        return generation(self.population, self.loop, self._kept_on)

    @property
    def _kept_on(self) -> tuple[Group, ...]:
        """The groups of the long run."""
        return self.loop.groups_at(max(1, len(self.loop.schedule or ())))

    def risks(self, generations: int | None = None, judged: str | None = None, **coordinates: ArrayLike) -> Floats:
        """Of constant loops with these real weights, penalties, row weights (of rows without a real label), aspects, shares."""
        return self._evaluated(generations, coordinates, judged or self.judged)[0]

    @classmethod
    def surface(cls, population: Population, loop: Loop, grid: dict[str, Floats]) -> dict[str, Floats]:
        """Long-run risk and collapse number at every point."""
        points = dict(zip(grid, np.meshgrid(*grid.values(), indexing="ij"), strict=True))
        first = varied(loop, **{name: float(values[0]) for name, values in grid.items() if name != "persistence"})
        risk, psi = cls(population, (loop.replace(aspect=first.aspect),))._evaluated(None, points)
        return {"risk": risk, "collapse_number": psi}

    def _evaluated(self, generations: int | None, coordinates: dict[str, Any], judged: str = "now") -> tuple[Floats, Floats]:
        """Risk and, in the long run, collapse number of constant loops: those that differ in weights and penalties at once."""
        arrays = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in coordinates.values()))
        points = {name: each.ravel() for name, each in zip(coordinates, arrays, strict=True)}
        shape = arrays[0].shape
        risk, psi = (np.full(arrays[0].size, math.inf) for _ in range(2))
        if self._keeps:
            for i in range(arrays[0].size):
                risk[i], psi[i] = self._at(points, i).risk(generations), 0.0
            return risk.reshape(shape), psi.reshape(shape)
        for at, first, turn in self._together(points, arrays[0].size, generations):
            if first is None:
                psi[at], risk[at] = turn.collapse_numbers(), turn.long_run(judged)
            else:
                risk[at] = _after(first, turn, generations or 0, judged)
        if generations is None:
            # A loop that forgets nothing and adds no noise stays where it is: one by one.
            idle = np.isinf(psi) & (self.loop.synthetic_noise_ratio * self.noise_variance == 0)
            for i in np.flatnonzero(idle).tolist():
                risk[i] = self._at(points, i).risk()
        return risk.reshape(shape), psi.reshape(shape)

    def _at(self, points: dict[str, Floats], index: int) -> "FreshSetting":
        """One of many loops."""
        values = {name: float(each[index]) for name, each in points.items()}
        persistence = values.pop("persistence", self.population.persistence)
        loop = varied(self.loop, **values)
        self.check((loop,))
        return replace(self, population=self.population.replace(persistence=persistence), loops=(loop,))

    def _together(
        self, points: dict[str, Floats], size: int, horizon: int | None
    ) -> Iterator[tuple[NDArray[np.intp], Generation | None, Generation]]:
        """Indices of loops, their generation 0 where there is a horizon, and the later ones; none at the threshold."""
        rho = self.loop.synthetic_noise_ratio
        f, a, w = self._groups_at(points, size)
        aspects = points.get("aspect", np.full(size, self.loop.aspect))
        penalties = points.get("penalty", np.full(size, self.loop.penalty))
        anchors = points.get("anchor", np.full(size, self.loop.anchor))
        persistences = points.get("persistence", np.full(size, self.population.persistence))
        # Rows of weight 0 are no rows: n counts the others.
        part = np.sum(f * (a > 0), axis=1)
        if not part.all():
            raise ValueError("labelled must be above 0 where the other rows have row_weight 0, got 0: no rows are left")
        kind = _kinds([aspects, part, penalties == 0, *(a > 0).T])
        for each in range(kind.max() + 1):
            alike = np.flatnonzero(kind == each)
            head, rows = alike[0], a[alike[0]] > 0
            aspect, start = float(aspects[head] / part[head]), float(aspects[head] / self.loop.first_rows)
            for at in np.array_split(alike, math.ceil(alike.size * rows.sum() * self._atoms[0].size / _MOST_NUMBERS)):
                shares, ones = f[np.ix_(at, rows)] / part[at, None], np.ones((at.size, 1))
                law = rho, anchors[at], persistences[at]
                penalty, used = penalties[at] / part[at], np.ix_(at, rows)
                turn = generations(self.population, aspect, penalty, shares, a[used], w[used], *law)
                first = None
                if horizon is not None:
                    none = rho, np.zeros(at.size), np.ones(at.size)
                    first = generations(self.population, start, penalties[at], ones, ones, ones, *none)
                if turn is not None and (horizon is None or first is not None):
                    yield at, first, turn

    def _groups_at(self, points: dict[str, Floats], size: int) -> tuple[Floats, Floats, Floats]:
        """Shares, row weights and real weights (size, groups) of the loops that ``varied`` makes."""
        inner = {name: 0.5 for name in ("labelled", "real_weight") if name in points}
        middle = varied(self.loop, **inner)
        groups = self.with_loops(middle)._kept_on
        f, a, w = (
            np.tile([getattr(group, name) for group in groups], (size, 1)) for name in ("share", "row_weight", "real_weight")
        )
        if "labelled" in points:
            f = np.column_stack([points["labelled"], 1 - points["labelled"]])
        if "real_weight" in points:
            w = np.where(takes_labels(groups), points["real_weight"][:, None], 0.0)
        if "row_weight" in points:
            a = np.where(takes_labels(groups), 1.0, points["row_weight"][:, None])
        return f, a, w

    def schedules(self, generations: int) -> FreshSchedules | None:
        """The loop at any real weights w_1 ... w_T; None at the interpolation threshold."""
        if self._keeps:
            raise ValueError("kept rows go with real labels alone: a schedule of weights needs kept_generations=0")
        return FreshSchedules.of(self.population, self.loop, self.judged)

    def collapse_number(self) -> float:
        """Psi of the loop that is kept on; inf at the interpolation threshold, 0 where it is fitted on kept rows alone."""
        if self._keeps:
            return 0.0
        return math.inf if self._turn is None else self._turn.collapse_number

    def limit(self) -> Limit:
        """Long-run risk of the last loop kept on, with verdict and collapse number (sections 5 and 6)."""
        first, null, psi = self.risk(0), self.null_risk, self.collapse_number()
        real_only = replace(self, loops=(self._labelled_alone(),)).risk(0)
        risk = self.risk()
        why = words.fresh_unbounded(self._aspect, psi, not self._keeps and self._turn is None)
        verdict, reason = judge(risk, real_only, null, why, by=words.means(self.loop))
        return Limit(risk, verdict, reason, first, real_only, null, psi)

    def _labelled_alone(self) -> Loop:
        """Plain ridge on the labelled rows: aspect gamma/f and penalty lambda/f; all rows where none or all are labelled."""
        f = math.fsum(group.share for group in self._kept_on if group.labelled) or 1.0
        return self.loop.replace(aspect=self._aspect / f, penalty=self.loop.penalty / f, kept_generations=0, first_rows=1.0)

    def real_only(self) -> PlainRidge:
        """Ridge on the labelled rows of one generation."""
        share = self.loop.labelled or 1.0
        return self._ridge(share, Rows.alone(share / self._aspect), 1 / share)

    def keep_all(self, generations: int) -> PlainRidge:
        """Ridge on all real labels of generations 0 ... t: n (f_0 + f t) rows (section 6)."""
        rows = self.loop.first_rows + self.loop.labelled * generations
        return self._ridge(rows, Rows.all_labelled(self.loop, generations))

    def _ridge(self, rows: float, aged: Rows, per_loop: float = 1.0) -> PlainRidge:
        """Ridge on so many labelled rows over those of a generation; where coefficients drift, by the ages of the rows."""
        known = PopulationEquivalents(self.population, self._aspect / rows)
        if self.judged == "now" or self.population.persistence == 1:
            return PlainRidge(known, per_loop=per_loop)
        return AgedRidge(known, per_loop=per_loop, population=self.population, rows=aged)


# A loop that diverges ends in infinity, without a warning.
@np.errstate(over="ignore", invalid="ignore")
def _after(first: Generation, turn: Generation, generations: int, judged: str) -> Floats:
    """(m,) risks of generation T of m loops."""
    state: State = (np.zeros(first.shrinkage.shape), np.zeros(first.shrinkage.shape))
    for each in [first, *[turn] * generations]:
        state = each.step(state)
    risk = turn.risks(state, judged)
    return np.where(np.isfinite(risk), risk, math.inf)


def _kinds(columns: Sequence[NDArray[Any]]) -> NDArray[np.intp]:
    """(m,) numbers 0, 1, ... of the rows (m, columns) that are alike; ``np.unique`` of rows takes many times as long."""
    kind = np.zeros(columns[0].size, dtype=np.intp)
    for column in columns:
        if np.any(column != column[0]):
            each = np.unique(column, return_inverse=True)[1]
            kind = np.unique(kind * (each.max() + 1) + each, return_inverse=True)[1]
    return kind


def varied(
    loop: Loop,
    *,
    real_weight: float | None = None,
    penalty: float | None = None,
    row_weight: float | None = None,
    aspect: float | None = None,
    labelled: float | None = None,
    anchor: float | None = None,
) -> Loop:
    """The loop at other values of some of its coordinates.

    ``real_weight`` is that of all rows with a real label, ``row_weight`` the loss weight of the others in units of theirs;
    ``labelled`` makes the loop partially labelled, with the row weights that it has.
    """
    given = {"penalty": penalty, "aspect": aspect, "anchor": anchor}
    plain = {name: value for name, value in given.items() if value is not None}
    if labelled is not None:
        weights = [group.row_weight for group in loop.groups or ()] or [1.0]
        kept = [group.real_weight for group in loop.groups or () if group.labelled] or [1.0]
        real = Group(labelled, weights[0], kept[0] if real_weight is None else real_weight, labelled=True)
        both = (real, Group(1 - labelled, weights[-1], 0.0))
        loop = loop.replace(groups=[group for group in both if group.share > 0])
    elif real_weight is not None:
        loop = loop.at_weight(real_weight)
    if row_weight is not None and loop.groups is not None:
        pairs = zip(loop.groups, takes_labels(loop.groups), strict=True)
        groups = [replace(group, row_weight=1.0 if real else row_weight) for group, real in pairs]
        loop = loop.replace(groups=groups)
    return loop.replace(**plain)
