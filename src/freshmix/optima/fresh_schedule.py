"""Schedules of real weights for fresh covariates, with the penalty and row weight that suit them (mathematics.md section 5)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from ..arguments import Floats
from ..equivalents import PopulationEquivalents
from ..loop import Group, Loop
from ..population import Population
from ..risks.generation import Generation, State, first_generation, generation
from .fresh import LEAST_PENALTY, LEAST_ROW_WEIGHT, MOST_PENALTY, MOST_ROW_WEIGHT, with_parameters
from .schedule import falling, least_of_quadratic, ratios_of

# Half the step of the differences in log penalty and log row weight.
_STEP = 1e-4


@dataclass(frozen=True, eq=False)
class Scheduled:
    """Weights w_1 ... w_T of the rows with a real label, the loop at weight 1 that they go with, and the risk R_T."""

    weights: Floats
    loop: Loop
    risk: float

    def loops(self) -> tuple[Loop, ...]:
        """The loops of t = 1 ... T; a single one, with the schedule, where all rows share the weight."""
        groups = self.loop.groups or (Group(1.0),)
        if len(groups) == 1 and groups[0].row_weight == 1:
            return (self.loop.replace(schedule=self.weights),)
        return tuple(self.loop.at_weight(float(w)) for w in self.weights)


@dataclass(frozen=True, eq=False)
class Turns:
    """The generations of a loop at any weights of the rows with a real label: one solution of the equations serves them all.

    Neither v_k nor what follows from it alone depends on w (mathematics.md section 5). With P the sum of labelled p_k,

    forgotten = d + w (1 - d) P,  s_k = w_k - forgotten,  sigma_k^2 = sigma^2 (w_k^2 + rho (1 - w_k)^2),

    w_k = w in labelled groups and 0 in the others.
    """

    start: State
    full: Generation  # at w = 1
    real: Floats  # (groups,), 1 where rows have a real label
    noise_variance: float
    noise_ratio: float

    @classmethod
    def of(cls, population: Population, loop: Loop) -> "Turns | None":
        """From a loop at weight 1; None at the interpolation threshold."""
        groups = loop.groups or (Group(1.0),)
        first, start = first_generation(population, loop)
        full = generation(population, loop, groups)
        if first is None or full is None:
            return None
        real = np.array([group.real_weight for group in groups if group.share * group.row_weight > 0])
        return cls(start, full, real, population.noise_variance, loop.synthetic_noise_ratio)

    def at(self, w: float) -> Generation:
        """The generation at weight w."""
        d, each = self.full.shrinkage, w * self.real
        forgotten = d + w * (self.full.forgotten - d)
        noise = self.noise_variance * (each**2 + self.noise_ratio * (1 - each) ** 2)
        return replace(self.full, forgotten=forgotten, slack=each[:, None] - forgotten, label_noise=noise)

    def risk(self, weights: Floats) -> float:
        """R_T."""
        state = self.start
        for w in weights:
            state = self.at(w).step(state)
        return self.full.risk(state)

    def greedy(self, generations: int) -> Floats:
        """Each w_t at the least R_t given the weights before it: R_t is a quadratic in w_t."""
        state, weights = self.start, np.empty(generations)
        for t in range(generations):
            weights[t] = least_of_quadratic([self.full.risk(self.at(w).step(state)) for w in (0.0, 0.5, 1.0)])
            state = self.at(weights[t]).step(state)
        return weights

    def value_and_gradient(self, weights: Floats) -> tuple[float, Floats]:
        """R_T and dR_T/dw_t, by one pass forward and one back."""
        turns, states = [self.at(w) for w in weights], [self.start]
        for turn in turns:
            states.append(turn.step(states[-1]))
        slope: State = (np.zeros_like(self.full.tau), self.full.tau)
        gradient = np.empty(weights.size)
        for t in range(weights.size - 1, -1, -1):
            gradient[t] = self._along(weights[t], turns[t], states[t], slope)
            slope = turns[t].back(slope)
        return self.full.risk(states[-1]), gradient

    def _along(self, w: float, turn: Generation, state: State, slope: State) -> float:
        """The slope in w of one generation, from the gradient in the state after it."""
        (A, Q), (by_A, by_Q) = state, slope
        d, c, tau = turn.shrinkage, 1 - turn.forgotten, turn.tau
        move = self.full.forgotten - d
        slack = self.real[:, None] - move
        noise = 2 * self.noise_variance * (w - self.noise_ratio * (1 - w)) * self.real
        b = (2 * slack * turn.slack) @ (tau * Q) - (2 * slack) @ (tau * d * A)
        return float((-move * A) @ by_A + (2 * move * (d * A - c * Q)) @ by_Q + turn.level_slope(by_Q) @ (noise + b))


@dataclass(frozen=True, eq=False)
class Search:
    """Weights, log penalty and log row weight of unlabelled rows as one point; the latter two where they are free.

    ``falls`` keeps w_1 >= w_2 >= ...: the point then holds w_1 and the ratios w_{t+1}/w_t.
    """

    population: Population
    loop: Loop
    generations: int
    falls: bool
    free_penalty: bool
    free_row_weight: bool
    unit: float

    def made(self, more: Floats) -> Loop:
        """The loop at weight 1 with the penalty and row weight of a point."""
        if not more.size:
            return self.loop
        penalty = math.exp(more[0]) if self.free_penalty else None
        return with_parameters(self.loop, 1.0, penalty, math.exp(more[-1]) if self.free_row_weight else None)

    def weights(self, point: Floats) -> Floats:
        """w_1 ... w_T of a point."""
        head = np.clip(point[: self.generations], 0.0, 1.0)
        return np.asarray(np.cumprod(head) if self.falls else head)

    def risk(self, weights: Floats, more: Floats) -> float:
        """R_T; inf at the interpolation threshold."""
        turns = Turns.of(self.population, self.made(more))
        return math.inf if turns is None else turns.risk(weights)

    def __call__(self, point: Floats) -> tuple[float, Floats]:
        """R_T and its gradient, in units of ``unit``: exact in the weights, by differences in the others."""
        T, more = self.generations, point[self.generations :]
        weights, gradient = self.weights(point), np.zeros(point.size)
        turns = Turns.of(self.population, self.made(more))
        value, by_weight = (math.inf, gradient[:T]) if turns is None else turns.value_and_gradient(weights)
        if not (math.isfinite(value) and np.isfinite(by_weight).all()):
            return 1e100, gradient
        gradient[:T] = falling(point[:T], by_weight) if self.falls else by_weight
        for i, step in enumerate(_STEP * np.eye(more.size)):
            gradient[T + i] = (self.risk(weights, more + step) - self.risk(weights, more - step)) / (2 * _STEP)
        return value / self.unit, gradient / self.unit

    def bounds(self) -> list[tuple[float, float]]:
        """Of a point's coordinates."""
        scale = PopulationEquivalents(self.population, self.loop.aspect or 0.0).bulk[1]
        found = [(0.0, 1.0)] * self.generations
        if self.free_penalty:
            found.append((math.log(LEAST_PENALTY * scale), math.log(MOST_PENALTY * scale)))
        if self.free_row_weight:
            found.append((math.log(LEAST_ROW_WEIGHT), math.log(MOST_ROW_WEIGHT)))
        return found

    def best(self, weights: Floats) -> Scheduled:
        """The least point near these weights and the loop's own penalty and row weight."""
        more = [math.log(self.loop.penalty)] if self.free_penalty else []
        if self.free_row_weight:
            more.append(math.log(_row_weight(self.loop)))
        head = ratios_of(weights) if self.falls else weights
        found = minimize(
            self,
            np.array([*head, *more]),
            jac=True,
            method="L-BFGS-B",
            bounds=self.bounds(),
            options={"ftol": 1e-13, "gtol": 1e-9, "maxiter": 200},
        )
        loop, weights = self.made(found.x[self.generations :]), self.weights(found.x)
        return Scheduled(weights, loop, float(found.fun) * self.unit)


def fresh_schedule(
    population: Population, loops: Sequence[Loop], generations: int, *, fixed: bool, falls: bool, start: Floats | None = None
) -> Scheduled:
    """The schedule of least risk R_T, or of least among those that never rise (``falls``).

    ``loops`` are the best constant ones, all their labelled groups at weight 1, from whose penalties and row weights the
    search starts; the penalty is kept where it is ``fixed``. ``start`` holds weights to start from beside the usual ones.
    """
    T = generations
    starts = [1 / np.arange(2.0, T + 2), *(np.full(T, w) for w in (0.3, 0.6, 0.9))]
    starts = starts if start is None else [start, *starts]
    rough: list[Scheduled] = []
    for loop in loops:
        turns = Turns.of(population, loop)
        if turns is None:
            continue
        tried = sorted(starts, key=turns.risk)[: 2 if falls else 4]
        unit = turns.risk(tried[0])
        if not 0 < unit < math.inf:
            rough.append(Scheduled(tried[0], loop, unit))
            continue
        search = Search(population, loop, T, falls, False, False, unit)
        rough.append(min((search.best(weights) for weights in tried), key=lambda each: each.risk))
    if not rough:
        return Scheduled(np.ones(T), loops[0], math.inf)
    rough.sort(key=lambda each: each.risk)
    return min((_polished(population, each, fixed, falls) for each in rough[:2]), key=lambda each: each.risk)


def _polished(population: Population, rough: Scheduled, fixed: bool, falls: bool) -> Scheduled:
    """With the penalty and the row weight of unlabelled rows free too, where there are any."""
    free_row_weight = rough.loop.labelled < 1 and _row_weight(rough.loop) > 0
    free_penalty = not fixed and rough.loop.penalty > 0
    if not (free_row_weight or free_penalty) or not 0 < rough.risk < math.inf:
        return rough
    search = Search(population, rough.loop, rough.weights.size, falls, free_penalty, free_row_weight, rough.risk)
    return min(search.best(rough.weights), rough, key=lambda each: each.risk)


def _row_weight(loop: Loop) -> float:
    """That of the unlabelled rows, in units of the labelled ones'; all loops here have labelled groups at weight 1."""
    groups = loop.groups or ()
    labelled = [group.row_weight for group in groups if group.labelled]
    others = [group.row_weight for group in groups if not group.labelled]
    if not others or not labelled or labelled[0] == 0:
        return 0.0
    return others[0] / labelled[0]
