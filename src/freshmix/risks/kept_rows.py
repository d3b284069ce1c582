"""Fits on new rows together with the labelled rows of earlier generations (mathematics.md section 5, kept rows).

All labels are real, so that nothing depends on the previous model: the state of a generation is that of one fit, whose sources
are the coefficients of its rows' generations.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import lfilter

from ..arguments import Floats
from ..loop import Loop
from ..population import Population
from .fit import Sizes, fits, solved_at
from .generation import State, drifted
from .plain import PlainRidge

# Rows that count less than this in the loss might as well not be there.
_NOTHING = 1e-18
# No loss weight is below this: a quotient of two would overflow.
_LEAST_WEIGHT = 1e-250


@dataclass(frozen=True)
class Rows:
    """Labelled rows of one fit, (k,) groups: their number over the features, row weight, and age in generations.

    ``count`` is that of all rows of the fit, those of row weight 0 among them: the penalty is per row of these.
    """

    rows: Floats
    row_weight: Floats
    age: NDArray[np.intp]
    count: float

    @classmethod
    def at(cls, loops: Sequence[Loop], t: int) -> "Rows":
        """Of generation t >= 1 of the loops for t = 1, 2, ..., the last one kept on."""
        loop = loops[min(t, len(loops)) - 1]
        oldest = t if loop.kept_generations is None else min(t, loop.kept_generations)
        first = loops[0]
        parts = [(share / _aspect(loop), a, np.zeros(1)) for share, a, _ in _groups(loop, t)]
        # Those of the last loop, then those before it.
        since = np.arange(1.0, min(oldest, t - len(loops)) + 1)
        earlier = range(max(since.size, 0) + 1, min(oldest, t - 1) + 1)
        runs = [(loops[-1], t, since)] + [(loops[t - age - 1], t - age, np.array([float(age)])) for age in earlier]
        parts += [(share / _aspect(then), a, ages) for then, s, ages in runs for share, a, real in _groups(then, s) if real]
        if oldest == t:
            parts.append((first.first_rows / _aspect(first), 1.0, np.array([float(t)])))
        rows, weights, ages = (np.concatenate([np.broadcast_to(part[k], part[2].shape) for part in parts]) for k in range(3))
        weights = weights * np.maximum(loop.forgetting**ages, _LEAST_WEIGHT)
        # Without a penalty rows count however little they weigh.
        used = (rows > 0) & (weights > (_NOTHING * weights.max() if loop.penalty > 0 else 0.0))
        return cls(rows[used], weights[used], ages[used].astype(np.intp), float(rows.sum()))

    @classmethod
    def alone(cls, rows: float) -> "Rows":
        """Of one generation, so many over the features."""
        return cls(np.array([rows]), np.ones(1), np.zeros(1, dtype=np.intp), rows)

    @classmethod
    def all_labelled(cls, loop: Loop, t: int) -> "Rows":
        """All labelled rows of generations 0 ... t, alike in the loss."""
        ages = np.arange(t + 1)
        rows = np.where(ages == t, loop.first_rows, loop.labelled) / _aspect(loop)
        used = rows > 0
        return cls(rows[used], np.ones(np.count_nonzero(used)), ages[used], float(rows.sum()))

    def states(self, population: Population, penalty: Floats, row_weight: Floats, persistence: Floats) -> State | None:
        """(A, Q), (m, atoms), of m fits with these penalties and row weights (m, k); None at the interpolation threshold.

        With p_a the part of age a, x_a = sum_b p_b (1 - c^|a-b|) and X = sum_a p_a x_a, the sources beta_{t-a} have

        r_a = sum_j tau_j g_j [ d^2 + 2 d (1-d) x_a + (1-d)^2 (2 x_a - X) ]_j
        Q = g [ d^2 + 2 d (1-d) x_0 + (1-d)^2 (2 x_0 - X) ] + N noise,   A = -g [ d + (1-d) x_0 ]
        """
        sizes, used = Sizes.of(population), float(self.rows.sum())
        f = np.broadcast_to(self.rows / used, row_weight.shape)
        penalty = penalty * (self.count / used)
        fit = fits(solved_at(population, 1 / used), penalty, sizes.shares(f), sizes.weights(row_weight))
        if fit is None:
            return None
        age = sizes.repeated(self.age)
        apart = _apart(fit.p, age, persistence)
        own, mean = apart[:, 0], np.sum(fit.p * apart[:, age], axis=1)
        d, taken, scaled = fit.d, fit.taken, fit.tau * fit.energy
        # Sums over atoms of tau g times d^2 - (1-d)^2 X, and of what x_a multiplies.
        base, slope = (d**2 - taken**2 * mean[:, None]) @ scaled, (2 * taken * (d + taken)) @ scaled
        noise = sizes.label_noise(np.full(self.age.size, population.noise_variance))
        N = np.sum(fit.mixture * (noise + base[:, None] + slope[:, None] * apart[:, age]), axis=1) / fit.rest
        x = own[:, None]
        Q = fit.energy * (d**2 + 2 * d * taken * x + taken**2 * (2 * x - mean[:, None])) + N[:, None] * fit.noise
        return -fit.energy * (d + taken * x), Q

    def state(self, population: Population, loop: Loop) -> State | None:
        """(A, Q) of the fit at a loop's penalty."""
        found = self.states(population, np.array([loop.penalty]), self.row_weight[None], np.array([population.persistence]))
        return None if found is None else (found[0][0], found[1][0])


@dataclass(frozen=True, eq=False)
class AgedRidge(PlainRidge):
    """One fit on real labels of generations whose coefficients drift, judged on the next ones (section 5, R_next)."""

    population: Population = field(kw_only=True)
    rows: Rows = field(kw_only=True)

    def risks(self, penalties: ArrayLike) -> Floats:
        """R_next at each of these penalties of the fit itself."""
        each = np.ravel(np.asarray(penalties, float))
        persistence = np.full(each.size, self.population.persistence)
        weights = np.broadcast_to(self.rows.row_weight, (each.size, self.rows.age.size))
        state = self.rows.states(self.population, each, weights, persistence)
        if state is None:
            return np.full(np.shape(penalties), np.inf)
        positive = self.population.eigenvalues > 0
        risks = drifted(state, self.population.signal[positive], persistence)[1] @ self.population.eigenvalues[positive]
        return np.asarray(risks, dtype=np.float64).reshape(np.shape(penalties))


def _apart(p: Floats, age: NDArray[np.intp], persistence: Floats) -> Floats:
    """(m, ages) x_a = sum_b p_b (1 - c^|a-b|), by a recursion along the ages and back."""
    parts = np.zeros((p.shape[0], int(age.max()) + 1))
    np.add.at(parts.T, age, p.T)
    found = np.zeros_like(parts)
    for i in np.flatnonzero(np.broadcast_to(persistence, p.shape[:1]) < 1):
        row, c = parts[i], [1.0, -float(np.broadcast_to(persistence, p.shape[:1])[i])]
        forward, back = lfilter([1.0], c, row), lfilter([1.0], c, row[::-1])[::-1]
        found[i] = np.maximum(1 - (forward + back - row), 0.0)
    return found


def long_run(population: Population, loops: Sequence[Loop]) -> State | None:
    """The state that loops which keep rows tend to; None at the interpolation threshold.

    Where all rows are kept and none forgotten, the penalty alone is left of the fit, and of coefficients that drift nothing.
    Where old rows are forgotten but counted, any penalty per row outgrows those that are not.
    """
    loop = loops[-1]
    positive = population.eigenvalues > 0
    tau, g = population.eigenvalues[positive], population.signal[positive]
    if loop.kept_generations is not None:
        return Rows.at(loops, len(loops) + loop.kept_generations).state(population, loop)
    if loop.forgetting == 1:
        if population.persistence < 1:
            return -g, g
        rows = Rows.at((loop,), 1)
        new = rows.age == 0
        weight = float(rows.rows[new] @ rows.row_weight[new]) * _aspect(loop)
        shrunk = loop.penalty / (loop.penalty + tau * weight)
        return -shrunk * g, shrunk**2 * g
    if loop.penalty > 0:
        return -g, g
    # More generations than it takes to forget, and to have more rows than features.
    some = math.ceil(math.log(_NOTHING) / math.log(loop.forgetting)) + math.ceil(2 * _aspect(loop) / loop.labelled) + 2
    return Rows.at((loop.replace(kept_generations=some),), some + 1).state(population, loop)


def _groups(loop: Loop, t: int) -> list[tuple[float, float, bool]]:
    """Share, row weight and whether there are labels, of each group."""
    return [(group.share, group.row_weight, bool(group.labelled)) for group in loop.groups_at(t)]


def _aspect(loop: Loop) -> float:
    assert loop.aspect is not None
    return loop.aspect
