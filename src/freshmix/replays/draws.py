"""The check for fresh covariates: each generation is fitted on other rows of the table (mathematics.md sections 5 and 7)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..equivalents.weights import RowWeights
from ..estimation import Estimate, Factorisation
from ..estimation.nonnegative import nonnegative
from ..estimation.spectrum import Companion
from ..loop import Group, Loop, takes_labels
from ..population import Population
from ..prepared import Order
from ..prepared.copies import copies
from ..risks.fresh import FreshSetting
from ..words.replay import AT_THRESHOLD, TOO_SMALL, too_few
from .check import FEWEST_ROWS, MOST_ROWS, SIGNALS, Check, Mix, best_mix, decided, drawn_signals, ranks
from .learners import FastRidge
from .run import Learner, Turn, run
from .together import alike

# Replays: as many as this work allows, within bounds.
_WORK, _FEWEST, _MOST = 4e9, 4, 16
# Rows of the first fit of a replay.
_FIRST = 3


@dataclass(frozen=True, eq=False)
class NewRows:
    """Replays on (N, p) centred rows: ``size`` of them are fitted in each of generations 0 ... T, and those left over judge.

    ``beta`` (p, m) are the known signals; the noise of labels is drawn from ``residuals``; the last of the loops is kept on.
    ``learner`` makes one of a penalty on the sum over its rows.
    """

    X: Floats
    beta: Floats
    residuals: Floats
    loops: Sequence[Loop]
    real_penalty: float
    size: int
    generations: int
    learner: Callable[[float], Learner] = FastRidge

    def risks(self, order: NDArray[np.intp], rng: np.random.Generator) -> tuple[Floats, float]:
        """(T + 1,) risks on rows in this order, mean over signals; and that of real labels only."""
        X = self.X[order]
        signal = X @ self.beta
        turns = [self._turn(t, signal, rng) for t in range(self.generations + 1)]
        last = turns[-1]
        known = np.flatnonzero(np.isfinite(last.real[:, 0]))
        rows = known + self.generations * self.size
        real_only = Turn(self.learner(known.size * self.real_penalty), rows, last.judged, last.real[known])
        return run(X, signal, turns), float(run(X, signal, [real_only])[0])

    def _turn(self, t: int, signal: Floats, rng: np.random.Generator) -> Turn:
        """Generation t, the groups one after the other in its rows; the first one has real labels alone, on its own rows."""
        loop = self.loops[min(max(t, 1), len(self.loops)) - 1]
        groups, size = (loop.groups_at(t), self.size) if t else ((Group(1.0),), round(loop.first_rows * self.size))
        rows, judged = slice(t * self.size, t * self.size + size), slice((self.generations + 1) * self.size, None)
        ends = np.round(np.cumsum([0.0, *(group.share for group in groups)]) * size).astype(int)
        group = np.repeat(np.arange(len(groups)), np.diff(ends))
        w, a = (np.array(each)[group] for each in zip(*((g.real_weight, g.row_weight) for g in groups), strict=True))
        noise = rng.choice(self.residuals, (2, size, signal.shape[1]))
        real = np.where(np.array(takes_labels(groups))[group, None], signal[rows] + noise[0], np.nan)
        synthetic = math.sqrt(loop.synthetic_noise_ratio) * noise[1]
        return Turn(self.learner(size * loop.penalty), rows, judged, real, synthetic, w, a)

    def runs(
        self, group: NDArray[np.intp], order: Order | None, rng: np.random.Generator
    ) -> tuple[Floats, Floats, list[NDArray[np.intp]]]:
        """(repeats, T + 1) risks on rows in random order (None), or in the table's from several starts; those of real labels.

        And the orders.
        """
        p, size, T = self.X.shape[1], self.size, self.generations
        work = T * (min(size, p) ** 2 * max(size, p) + size * p * SIGNALS)
        repeats = int(np.clip(_WORK / work, _FEWEST, _MOST))
        count = int(group.max()) + 1
        together = None if order is None else ranks(group, order)
        runs, orders = [], []
        for r in range(repeats):
            place = rng.permutation(count) if together is None else (together + r * count // repeats) % count
            orders.append(np.argsort(place[group], kind="stable"))
            runs.append(self.risks(orders[-1], rng))
        observed, alone = (np.array(each) for each in zip(*runs, strict=True))
        return observed, alone, orders

    def check(
        self,
        predicted: Floats,
        noise: float,
        runs: tuple[Floats, Floats, list[NDArray[np.intp]]],
        rng: np.random.Generator,
        held_out: str,
    ) -> tuple[Check, partial[tuple[Mix, float]]]:
        """Predicted risks against those of ``runs``, with the search for the best mix."""
        observed, alone, orders = runs
        # Repeats share the table: the error of its rows stays, that of gaussian ones.
        spread = observed.std(axis=0, ddof=1) / math.sqrt(len(orders))
        error = np.hypot(spread, predicted * math.sqrt(2 / len(self.X)))
        null = float(np.mean((self.X @ self.beta) ** 2))
        means = observed.mean(axis=0), float(alone.mean())
        check = Check(predicted, means[0], error, noise, self.size, held_out, means[1], null_risk=null)
        return check, partial(self._best, orders[:_FEWEST], rng)

    def _best(self, orders: Sequence[NDArray[np.intp]], rng: np.random.Generator) -> tuple[Mix, float]:
        """The best constant weight and penalty for the last generation: first the penalty, then the weight.

        And the standard error of what the recommended loop loses to it, order by order.
        """
        seed, loop = int(rng.integers(2**32)), self.loops[-1]

        def risks(tried: Loop) -> Floats:
            # The same rows and noise for all.
            again, replay = np.random.default_rng(seed), replace(self, loops=[tried])
            return np.array([replay.risks(order, again)[0][-1] for order in orders])

        def risk(tried: Loop) -> float:
            return float(risks(tried).mean())

        penalties = max(loop.penalty, 1e-6) * np.geomspace(1e-2, 1e2, 5)
        penalty = min(penalties, key=lambda each: risk(loop.replace(penalty=float(each))))
        best = best_mix(loop, [(w, penalty) for w in (0.1, 0.25, 0.5, 0.75, 1.0)], risk)
        apart = risks(loop) - risks(loop.at_weight(best[0]).replace(penalty=best[1]))
        return best, float(apart.std(ddof=1)) / math.sqrt(apart.size)


def check_fresh(
    X: Floats,
    y: Floats,
    found: Estimate,
    loop: Loop | Sequence[Loop],
    rows: int,
    generations: int,
    real_penalty: float,
    rng: np.random.Generator,
    order: Order | None = None,
) -> Check | str:
    """Run the loop on blocks of (N, p) X, drawn at random or in the table's order (see ``decided``).

    ``rows`` is the rows per generation: a quarter of the table where it does not hold four generations, and then the theory
    is asked for that. Of a sequence of loops the last one is kept on. y is NaN where there is no label; the replay has labels
    everywhere. Or why there is no check: too few rows, or the interpolation threshold.
    """
    chosen = np.sort(rng.permutation(y.size)[:MOST_ROWS])
    X, y = X[chosen] - X[chosen].mean(axis=0), y[chosen]
    group, real = copies(X), np.isfinite(y)
    count, (N, p) = int(group.max()) + 1, X.shape
    size = min(rows, count // 4)
    if count < FEWEST_ROWS or real.sum() < 3:
        return too_few(FEWEST_ROWS)
    if size < 3:
        return TOO_SMALL
    loops = [loop] if isinstance(loop, Loop) else list(loop)
    # A first step of more rows than a generation has is one here.
    first = min(max(round(loops[0].first_rows * size), _FIRST), size) / size
    loops = [each.replace(aspect=p / size, first_rows=first) for each in loops]
    if loops[0].penalty == 0 and abs(p / size - 1) < 0.1:
        return AT_THRESHOLD
    labels = y[real] - y[real].mean()
    noise = found.noise_variance
    beta = drawn_signals(X[real] - X[real].mean(axis=0), labels, noise, found.population().null_risk, rng)
    residuals = labels - X[real] @ beta.mean(axis=1)
    residuals = (residuals - residuals.mean()) * math.sqrt(noise / residuals.var())
    replay = NewRows(X, beta, residuals, loops, real_penalty, size, min(generations, N // size - 2))
    predicted = FreshSetting(_population(X, beta, noise, found.factorisation.sizes), tuple(loops)).by_generation(
        replay.generations
    )
    order = None if order is None else order.of(chosen)
    at_random: list[Floats] = []

    def check(held_out: str) -> tuple[Check, partial[tuple[Mix, float]]]:
        runs = replay.runs(group, None if held_out == "rows" else order, rng)
        at_random.append(runs[0][:, -1])
        return replay.check(predicted, noise, runs, rng, held_out)

    def neighbours(order: Order) -> str | None:
        return alike(float(replay.runs(group, order, rng)[0][:, -1].mean()), at_random[0], noise)

    return decided(check, order, neighbours)


def _population(X: Floats, beta: Floats, noise: float, sizes: RowWeights | None) -> Population:
    """Spectrum of the rows and energies of the known signals, averaged over them, from curves in z (mathematics.md section 7).

    z delta = gamma sum_j h_j tau_j / (1 + tau_j v) for h >= 0, and L = sum_j tau_j g_j / (1 + tau_j v)^2 for g >= 0, in which
    the left side is sum_i c_i^2/(s_i+z)^2 / sum_i 1/(s_i+z)^2 over what is seen of it. The grid is finer than the bands of
    ``estimate``: the signals are known here, and their energies are not to be smoothed.
    """
    n, p = X.shape
    s, V = np.linalg.eigh(X.T @ X / n)
    # One direction of the n is spent on the mean.
    kept = np.arange(p)[::-1][: n - 1]
    kept = kept[s[kept] > 4 * max(n, p) * np.finfo(np.float64).eps * s[-1]]
    s, c = s[kept], np.sqrt(n * s[kept])[:, None] * (V[:, kept].T @ beta)
    squares, zeros = np.mean(c**2, axis=1), n - 1 - kept.size
    f = Factorisation(s, np.sqrt(squares), zeros, 0.0, n, p, math.inf, row_weights=sizes, sizes=sizes)
    z = s[0] * np.geomspace(1e-5, 1e2, 60)
    at, near = Companion.of(f, z), 1 / np.add.outer(z, s)
    tau = np.geomspace(max(float(np.median(s)) / 100, float(s[-1]) / 4, 1e-8 * float(s[0])), float(s[0]), 80)
    factor = 1 + np.multiply.outer(at.v, tau)
    h = nonnegative(tau / factor / (z * at.delta)[:, None], np.ones(z.size))
    left = near**2 @ squares / ((near**2).sum(axis=1) + zeros / z**2) / at.seen
    g = nonnegative(tau / factor**2 / left[:, None], np.ones(z.size))
    return Population(tau, h / h.sum(), g, noise, None if sizes is None else (sizes.value, sizes.share))
