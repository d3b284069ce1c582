"""Ways to remember compared for a table: each at its best, with settings that can be carried out, and which is best.

Source: mathematics.md sections 3, 5 and 7. With times, coefficients drift as the table shows and models are judged on the next
step; the table's own later steps then have a say in what is best, and in the drift that its settings are made for.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..arguments import Floats
from ..estimation import EstimatedPopulation
from ..estimation.drift import Drift, drift_of, drifting
from ..loop import Loop
from ..optima.fresh_memory import ONE_BY_ONE, FreshWays
from ..optima.memory import RULES, Memory, Way, bare
from ..population import Population
from ..prepared import Prepared
from ..replays.in_time import Remembering, errors_in_time, mean_with_error
from ..risks.fresh import FreshSetting
from ..risks.frozen import FrozenSetting
from ..risks.kept_rows import Rows
from ..risks.setting import Setting
from .uncertainty import Affine, interval_of

DRAWS = 40
# Ways that differ by less do not differ.
_EQUAL = 1e-6
_ROUNDING = 1e-13
# A difference of two errors, step by step, has no standard error worth the name from fewer steps.
_FEWEST_STEPS = 6
# Settings for coefficients that drift so many times as fast are tried, and the least 1 - c that is multiplied.
_FASTER, _LEAST_GAP = (0.0, 0.1, 1 / 3, 3.0, 10.0), 1e-3


@dataclass(frozen=True, eq=False)
class Ways:
    """Ways to remember at a horizon, and what posterior draws and the table's own steps say of them.

    Attributes
    ----------
    memory : Memory
        Each at its best.
    rows, kept_rows : float
        Rows of a generation, and labelled rows of a fit to all that there are today.
    drawn : dict
        Name -> (d,) prediction errors of posterior draws.
    noises : (d,) array
        Their noise variances.
    best : str
        The best way that may be carried out.
    tested : dict or None
        Name -> (steps,) mean squared errors on the next step of the table.
    today : Way or None
        The loop in use, where it is known: compared with the others, and never the best.
    """

    memory: Memory
    rows: float
    kept_rows: float
    drawn: Mapping[str, Floats]
    noises: Floats
    best: str
    tested: Mapping[str, Floats] | None = None
    today: Way | None = None

    def with_teacher(self, loop: Loop, factors: Floats) -> "Ways":
        """With a ``loop`` of real labels and a teacher's, which has so many times the excess risk of real labels only.

        The first of ``factors`` is expected, the others are draws.
        """
        alone = self.memory.ways["real_only"]
        risk, noise = alone.risk * float(factors[0]), alone.prediction_error - alone.risk
        memory = replace(self.memory, ways={**self.memory.ways, "taught": Way(loop, risk, risk + noise, "nothing")})
        drawn = self.noises + (self.drawn["real_only"] - self.noises) * factors[1:]
        return replace(self, memory=memory, drawn={**self.drawn, "taught": drawn}, best=memory.best)

    @property
    def best_under(self) -> dict[str, str]:
        """The best way under each rule, by theory and the table's own steps as ``best`` is; ``best`` under its own."""
        ways = self.memory.ways
        tested = self.tested if self.tested is not None and set(ways) <= set(self.tested) else None
        found = {rule: by_steps(_order(self.memory, rule), tested) for rule in RULES}
        return found | {self.memory.may_keep: self.best}

    def rivals(self, factor: float = 1.0) -> dict[str, dict[str, Any]]:
        """Name -> settings, what they bring, and how far behind the best they are; all excess risks are times ``factor``."""
        return {name: self._told(name, way, factor) for name, way in named(self.memory, self.today).items()}

    def _told(self, name: str, way: Way, factor: float) -> dict[str, Any]:
        done = carried_out(way, self.memory.generations)
        if way.loop.covariates == "fresh":
            rows = self.kept_rows if done.kept_generations != 0 else self.rows * _fitted_share(way.loop)
        else:
            rows = self.rows
        difference = factor * (way.risk - self.memory.ways[self.best].risk)
        if abs(difference) <= _ROUNDING * way.prediction_error:
            difference = 0.0
        drawn, best = (self.noises + factor * (self.drawn[each] - self.noises) for each in (name, self.best))
        low, high = np.quantile(drawn - best, [0.05, 0.95]).tolist()
        least, most = np.quantile(drawn, [0.05, 0.95]).tolist()
        error = factor * way.risk + (way.prediction_error - way.risk)
        return {
            "penalty": done.penalty,
            "alpha": done.penalty * rows,
            "real_weight": done.real_weight,
            "row_weight": done.row_weight,
            "anchor": done.anchor,
            "kept_generations": None if name == "keep_all" else done.kept_generations,
            "forgetting": done.forgetting,
            "stored": way.stored,
            "allowed": _allowed(way, self.memory.may_keep),
            "risk": factor * way.risk,
            "prediction_error": error,
            "prediction_error_interval": (min(least, error), max(most, error)),
            "difference": difference,
            "difference_interval": (min(low, difference), max(high, difference)),
            "backtest": None if self.tested is None else mean_with_error(self.tested[name]),
            "backtest_difference": None if self.tested is None else mean_with_error(self.tested[name] - self.tested[self.best]),
        }


def _allowed(way: Way, may_keep: str) -> bool:
    return RULES.index(way.stored) <= RULES.index(may_keep)


def _order(memory: Memory, rule: str) -> list[str]:
    """The ways that a rule allows, theory's best first."""
    first = memory.best_under[rule]
    allowed = [name for name, way in memory.ways.items() if _allowed(way, rule)]
    return sorted(allowed, key=lambda name: (name != first, memory.ways[name].risk))


def by_steps(order: Sequence[str], tested: Mapping[str, Floats] | None) -> str:
    """The first way, theory's best first, than which no other did better on the table's own steps by a standard error."""
    if tested is None or len(tested[order[0]]) < _FEWEST_STEPS:
        return order[0]

    def borne_out(name: str) -> bool:
        behind = [sum(mean_with_error(tested[other] - tested[name])) for other in order if other != name]
        return min(behind, default=0.0) >= -_EQUAL * float(np.mean(tested[name]))

    # Each may be behind another: then the one that did best stands.
    return next(filter(borne_out, order), min(order, key=lambda name: float(np.mean(tested[name]))))


def named(memory: Memory, today: Way | None) -> dict[str, Way]:
    """The ways by their names, and the loop in use as one of them."""
    return {**memory.ways, **({} if today is None else {"today": today})}


def in_use(loop: Loop | None, setting: Setting, horizon: int) -> Way | None:
    """Today's loop as a way to remember, where it is of the same kind: labels of one real weight, others of one row weight."""
    groups = () if loop is None else loop.groups or ()
    if loop is None or [bool(group.labelled) for group in groups] not in ([True], [True, False], [False, True]):
        return None
    risk = setting.with_loops(loop).risk(horizon)
    return Way(loop, risk, risk + setting.noise_variance, "model")


def carried_out(way: Way, horizon: int) -> Remembering:
    """A way with its penalty over the rows that are fitted."""
    loop, said, penalty = way.loop, way.settings, way.loop.penalty
    if loop.covariates == "fresh" and loop.kept_generations != 0:
        rows = Rows.at((loop,), horizon)
        penalty *= rows.count / float(rows.rows.sum())
    elif loop.covariates == "fresh":
        penalty /= _fitted_share(loop)
    others = any(not group.labelled for group in loop.groups or ())
    weights = float(said["real_weight"] or 0.0), float(said["row_weight"] or 0.0) if others else 0.0
    return Remembering(penalty, *weights, loop.anchor, loop.kept_generations, loop.forgetting)


def _fitted_share(loop: Loop) -> float:
    """Of a generation's rows, those of positive weight."""
    return math.fsum(group.share for group in loop.groups or () if group.row_weight > 0)


def standing(
    memory: Memory, setting: Setting, settings: Sequence[Setting], affine: Affine, rows: float, today: Loop | None = None
) -> Ways:
    """Of coefficients that stand still; ``settings`` are those of the points of (sigma^2, g)."""
    horizon = memory.generations

    def risk(name: str, loop: Loop, at: Setting) -> float:
        if name == "keep_all" and isinstance(at, FrozenSetting):
            return at.keep_all(horizon).risk(loop.penalty)
        return at.with_loops(loop).risk(horizon)

    now = in_use(today, setting, horizon)
    ways = named(memory, now)
    risks = {name: np.array([risk(name, way.loop, at) for at in settings]) for name, way in ways.items()}
    drawn = {name: affine(values) + affine.draws[:, 0] for name, values in risks.items()}
    labelled = setting.loop.labelled * rows
    return Ways(memory, rows, labelled, drawn, affine.draws[:, 0], memory.best, today=now)


@dataclass(frozen=True, eq=False)
class Streamed:
    """A table with times as its steps are modelled: the intercept is a feature, and labels are about their mean.

    Attributes
    ----------
    X, y : (n, p) and (n,) arrays
        Features, a column of ones first, and labels, NaN where there is none.
    precision : (n,) array or None
        Of the labels.
    drift : Drift
        What the labels say of persistence, energy and noise.
    population : Population
        The features' second moments, with these.
    populations : list of Population
        Others that the table may come from: draws of the posterior.
    """

    X: Floats
    y: Floats
    precision: Floats | None
    drift: Drift
    population: Population
    populations: list[Population]

    @classmethod
    def of(cls, table: Prepared, rng: np.random.Generator) -> "Streamed":
        """From a table with times."""
        assert table.rows is not None
        assert table.stream.steps is not None
        X, y, precision = table.rows
        real = np.isfinite(y)
        X = np.column_stack([np.ones(y.size), X - X.mean(axis=0)])
        y = y - np.average(y[real], weights=None if precision is None else precision[real])
        root = np.ones(y.size) if precision is None else np.sqrt(precision)
        moments = X.T @ X / y.size
        drift = drift_of(X[real] * root[real, None], y[real] * root[real], table.stream.steps[real], moments)
        population = drifting(moments, drift.persistence, drift.energy * drift.size, drift.noise_variance)
        return cls(X, y, precision, drift, population, _populations(population, drift, X.shape[1], int(real.sum()), rng))

    def shown(self, labels: Floats) -> Floats:
        """Labels about their mean, as all are here, where ``labels`` has any."""
        return np.where(np.isfinite(labels), self.y, np.nan)

    @cached_property
    def described(self) -> EstimatedPopulation:
        """The population with its draws."""
        known, drawn = self.population, self.populations
        noise, null = (np.array([getattr(each, name) for each in drawn]) for name in ("noise_variance", "null_risk"))
        values = {
            "noise_variance": (noise, known.noise_variance),
            "signal_to_noise_ratio": (null / noise, known.null_risk / known.noise_variance),
            "null_risk": (null, known.null_risk),
        }
        return EstimatedPopulation(
            known.eigenvalues,
            known.shares,
            known.signal,
            known.noise_variance,
            {name: interval_of(*each) for name, each in values.items()},
            {},
            noise,
            np.array([each.signal for each in drawn]),
            persistence=known.persistence,
        )

    def ways(
        self,
        memory: Memory,
        setting: FreshSetting,
        drawn: Callable[[Sequence[Loop]], tuple[Floats, Floats]],
        table: Prepared,
        labels: Floats,
        rng: np.random.Generator,
        today: Way | None = None,
        penalty: float | None = None,
    ) -> Ways:
        """Ways at their best, tried on the table's own steps with these ``labels``; ``drawn`` gives risks and noises of loops.

        A ``penalty`` is that of all ways.
        """
        horizon, ways, rows = memory.generations, named(memory, today), table.stream.rows_per_generation
        replay, told = int(rng.integers(2**32)), setting.loop.synthetic_noise_ratio * self.drift.noise_variance
        blocks, shown = table.stream.blocks(), self.shown(labels)

        def tried(ways: Mapping[str, Way]) -> dict[str, Floats] | None:
            courses, again = {name: carried_out(way, horizon) for name, way in ways.items()}, np.random.default_rng(replay)
            return errors_in_time(self.X, self.y, shown, blocks, courses, told, again, self.precision)[0]

        tested = tried(ways)
        best = by_steps(_order(memory, memory.may_keep), tested)
        # The mix is told as it is elsewhere.
        if tested is not None and len(tested[best]) >= _FEWEST_STEPS and best in ONE_BY_ONE and best != "mixed":
            bared = setting.with_loops(bare(setting.loop))
            others = {best: ways[best]} | self._for_other_drifts(bared, horizon, best, ways[best], penalty)
            found = tried(others)
            assert found is not None
            name = by_steps(sorted(others, key=lambda name: others[name].risk), found)
            memory = replace(memory, ways={**memory.ways, best: others[name]})
            ways, tested = named(memory, today), {**tested, best: found[name]}
        risks, noises = drawn([way.loop for way in ways.values()])
        errors = dict(zip(ways, (risks + noises[:, None]).T, strict=True))
        return Ways(memory, rows, table.stream.labelled, errors, noises, best, tested, today)

    def _for_other_drifts(
        self, setting: FreshSetting, horizon: int, name: str, way: Way, penalty: float | None
    ) -> dict[str, Way]:
        """A way at its best for coefficients that drift faster or slower, with what it brings under the drift found."""
        found: dict[str, Way] = {}
        for faster in _FASTER:
            gap = min(faster * max(1 - self.drift.persistence, _LEAST_GAP), 1.0)
            energy, noise = self.drift.at(gap)
            signal = self.population.signal * (energy / self.drift.energy)
            population = self.population.replace(signal=signal, noise_variance=noise, persistence=1 - gap)
            other = replace(setting, population=population)
            loop, _, stored = FreshWays(other, horizon, "next", {name: way.loop}, penalty).way(name)
            risk = setting.with_loops(loop).risk(horizon)
            found[f"{faster:g}"] = Way(loop, risk, risk + setting.noise_variance, stored)
        return found


def _populations(known: Population, drift: Drift, features: int, labels: int, rng: np.random.Generator) -> list[Population]:
    """Populations that a table may come from.

    A band's energy varies as that of so many coefficients does, and the noise as that of so many labels beyond them.
    """
    size, freedom = np.maximum(known.shares * features, 1.0), max(labels - features, labels / 2)
    found = []
    for c, b, noise in zip(*drift.draws(DRAWS, rng), strict=True):
        energy = b / drift.energy * known.signal * rng.chisquare(size) / size
        spread = freedom / rng.chisquare(freedom)
        found.append(known.replace(signal=energy, noise_variance=float(noise * spread), persistence=float(c)))
    return found
