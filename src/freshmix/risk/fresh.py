"""Fresh covariates: each generation draws new rows, in groups that are weighted and labelled alike (MATH section 5).

The state of a generation is, for each atom j, A_j = <beta, e>_j and Q_j = ||e||_j^2 of its error e = bhat - beta. One
generation maps it affinely: ``generation`` solves what does not depend on the state, ``Generation.step`` applies it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from .._checks import Floats
from ..equivalents import PopulationEquivalents
from ..loop import Group, Loop
from ..population import Population
from .verdict import Limit, judge

# gamma h tau^2 and its like stay on atoms with tau > 0; null directions carry no risk.
State = tuple[Floats, Floats]


@dataclass(frozen=True)
class Generation:
    """One generation's affine map of (A, Q), for groups with row shares f and real weights w.

    With p_k = v_k / v (least squares: pi_k), contraction c_j = d_j tau_j eta (etabar), shrinkage d_j (0) and
    s_jk = c_j - 1 + w_k, per atom j and group k (``forgotten`` is 1 - c_j, and s_jk = w_k - forgotten_j):

    b_k = sum_j tau_j [ d^2 g - 2 d s_k A + s_k^2 Q ]_j,   N = sum_k (p_k^2 / f_k) (sigma_k^2 + b_k) / rest
    Q' = d^2 g - 2 d c A + c^2 Q + N noise_j,   A' = -d g + c A
    """

    tau: Floats
    energy: Floats  # g
    shrinkage: Floats  # d
    forgotten: Floats  # 1 - c = d + (1 - d) sum p_k w_k, without cancellation: exactly 0 where nothing is forgotten
    slack: Floats  # s, (groups, atoms)
    mixture: Floats  # p_k^2 / f_k
    label_noise: Floats  # sigma_k^2
    noise: Floats  # gamma h tau (v d)^2, or gamma h / tau
    rest: float  # 1 - sum_k (p_k^2 / f_k) gamma sum h (tau v d)^2

    def step(self, state: State) -> State:
        """(A, Q) of the next generation."""
        A, Q = state
        d, c = self.shrinkage, 1 - self.forgotten
        N = self._level(A, Q, self.label_noise)
        return -d * self.energy + c * A, d * d * self.energy - 2 * d * c * A + c * c * Q + N * self.noise

    def _level(self, A: Floats, Q: Floats, label_noise: Floats | float, signal: bool = True) -> float:
        d = self.shrinkage
        b = (self.slack**2) @ (self.tau * Q)
        if signal:
            b = b + self.tau @ (d * d * self.energy) - 2 * (self.slack @ (self.tau * d * A))
        return float(self.mixture @ (label_noise + b)) / self.rest

    def risk(self, state: State) -> float:
        """R = sum tau Q."""
        return float(self.tau @ state[1])

    @property
    def collapse_number(self) -> float:
        """Psi: how much of N one turn of the loop brings back; the loop diverges iff Psi >= 1."""
        if not self.forgotten.all():
            return math.inf
        gap = self.forgotten * (2 - self.forgotten)
        return self._level(np.zeros_like(gap), self.noise / gap, 0.0, signal=False)

    def fixed_point(self) -> State | None:
        """The state that the loop tends to; None if it diverges. One scalar unknown, N."""
        psi = self.collapse_number
        if psi >= 1:
            return None
        d, c = self.shrinkage, 1 - self.forgotten
        A = -d * self.energy / self.forgotten
        gap = self.forgotten * (2 - self.forgotten)
        signal = (d * d * self.energy - 2 * d * c * A) / gap
        N = self._level(A, signal, self.label_noise) / (1 - psi)
        return A, signal + N * self.noise / gap


def generation(population: Population, loop: Loop, groups: Sequence[Group]) -> Generation | None:
    """Solve one generation's equations; None at the interpolation threshold, where the variance is unbounded.

    Rows of weight 0 are left out, and n counts the others. Without a penalty it is min-norm interpolation where
    gamma share(tau > 0) > 1 (row weights are inert) and weighted least squares where it is below 1.
    """
    kept = [group for group in groups if group.share * group.row_weight > 0]
    part = math.fsum(group.share for group in kept)
    assert loop.aspect is not None
    solved = PopulationEquivalents(population, loop.aspect / part)
    f = np.array([group.share for group in kept]) / part
    a = np.array([group.row_weight for group in kept])
    w = np.array([group.real_weight for group in kept])
    penalty = loop.penalty / part
    if penalty == 0 and solved.rank == 1:
        return None
    if penalty == 0 and solved.rank < 1:
        p = _least_squares_shares(solved.rank, f, a)
        d = np.zeros(solved.tau.size)
        forgotten = np.full(solved.tau.size, float(p @ w))
        noise = solved.weight / solved.tau
        x, gap = solved.rank, 1 - solved.rank
    else:
        v, p = _ridge_shares(solved, penalty, f, a)
        d = 1 / (1 + solved.tau * v)
        taken = solved.tau * v * d
        forgotten = d + taken * float(p @ w)
        noise = solved.weight * taken * (v * d)
        x = float(solved.weight @ taken**2)
        gap = v * penalty * float(np.sum(p / a)) + float(solved.weight @ (taken * d))
    # 1 - sum p^2/f x without cancellation: sum p^2/f - 1 = sum (p - f)^2/f.
    rest = gap - x * float(np.sum((p - f) ** 2 / f))
    rho = loop.synthetic_noise_ratio
    return Generation(
        tau=solved.tau,
        energy=solved.energy / solved.tau,
        shrinkage=d,
        forgotten=forgotten,
        slack=w[:, None] - forgotten,
        mixture=p**2 / f,
        label_noise=population.noise_variance * (w**2 + rho * (1 - w) ** 2),
        noise=noise,
        rest=rest,
    )


def _ridge_shares(solved: PopulationEquivalents, penalty: float, f: Floats, a: Floats) -> tuple[float, Floats]:
    """v = sum_k v_k and p_k = v_k / v = f_k a_k / (v lambda + a_k gamma sum h tau v d): they sum to 1.

    The root lies between those for all rows at the least and at the largest row weight.
    """
    if penalty == 0:
        return float(solved.companion(np.zeros(1))[0]), f
    ends = solved.companion(penalty / np.array([a.min(), a.max()]))

    def shares(log_v: float) -> Floats:
        v = math.exp(log_v)
        taken = float(solved.weight @ (solved.tau * v / (1 + solved.tau * v)))
        return f * a / (v * penalty + a * taken)

    low, high = np.log(ends)
    log_v = _root(lambda x: float(shares(x).sum()) - 1, float(low), float(high))
    p = shares(log_v)
    return math.exp(log_v), p / p.sum()


def _least_squares_shares(rank: float, f: Floats, a: Floats) -> Floats:
    """pi_k = u_k / u = f_k a_k / (u + a_k gamma), where u makes them sum to 1."""
    u = _root(lambda x: float(np.sum(f * a / (x + a * rank))) - 1, float(a.min() * (1 - rank)), float(a.max() * (1 - rank)))
    p = f * a / (u + a * rank)
    return np.asarray(p / p.sum())


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """The root of a falling function on [low, high], which rounding may have moved just outside."""
    if high - low <= 1e-14 * abs(high) or function(low) <= 0:
        return low
    if function(high) >= 0:
        return high
    return float(brentq(function, low, high, xtol=1e-300, rtol=8.9e-16, maxiter=200))


def first_generation(population: Population, loop: Loop) -> tuple[Generation | None, State]:
    """Generation 0: plain ridge on real labels, from A = Q = 0."""
    start = generation(population, loop, [Group(1.0)])
    size = int(np.count_nonzero(population.eigenvalues > 0))
    state = (np.zeros(size), np.zeros(size))
    return start, state if start is None else start.step(state)


def risk_by_generation(population: Population, loops: Sequence[Loop], generations: int) -> Floats:
    """(T + 1,) excess risk; ``loops`` are those of t = 1, 2, ..., the last one kept on (MATH section 5)."""
    risks = np.full(generations + 1, math.inf)
    current, state = first_generation(population, loops[0])
    if current is None:
        return risks
    risks[0] = current.risk(state)
    made: Loop | None = None
    for t in range(1, generations + 1):
        loop = loops[min(t, len(loops)) - 1]
        if loop is not made or loop.schedule is not None:
            current, made = generation(population, loop, groups_at(loop, t)), loop
        if current is None:
            break
        state = current.step(state)
        risks[t] = current.risk(state)
        if not math.isfinite(risks[t]):
            risks[t:] = math.inf
            break
    return risks


def groups_at(loop: Loop, t: int) -> Sequence[Group]:
    """The groups of generation t >= 1; a scheduled weight is that of all rows."""
    if loop.groups is not None:
        return loop.groups
    return (Group(1.0, 1.0, float(loop.weights(t)[-1])),)


def limit(population: Population, loops: Sequence[Loop]) -> Limit:
    """Long-run risk of the last loop kept on, with verdict and collapse number (MATH sections 5 and 6)."""
    last = loops[-1]
    groups = groups_at(last, max(1, len(last.schedule or ())))
    first = float(risk_by_generation(population, loops, 0)[0])
    real_only = real_only_risk(population, last, groups)
    null = population.null_risk
    turn = generation(population, last, groups)
    if turn is None:
        verdict, reason = judge(math.inf, real_only, null, _threshold(last))
        return Limit(math.inf, verdict, reason, first, real_only, null, math.inf)
    psi = turn.collapse_number
    risk = _long_run(population, loops, turn)
    why = (
        f"collapse number {psi:.4g} is 1 or more: each generation brings back more error than the last one had"
        if math.isfinite(psi)
        else "no real labels enter and least squares forgets nothing: each generation adds the noise of its labels"
    )
    verdict, reason = judge(risk, real_only, null, why)
    return Limit(risk, verdict, reason, first, real_only, null, psi)


def limit_risk(population: Population, loop: Loop) -> float:
    """Long-run risk alone, for searches; inf where the loop diverges."""
    return long_run(population, loop)[0]


def long_run(population: Population, loop: Loop) -> tuple[float, float]:
    """Long-run risk and collapse number Psi, without the verdict; both inf at the interpolation threshold."""
    turn = generation(population, loop, groups_at(loop, max(1, len(loop.schedule or ()))))
    return (math.inf, math.inf) if turn is None else (_long_run(population, [loop], turn), turn.collapse_number)


def _long_run(population: Population, loops: Sequence[Loop], turn: Generation) -> float:
    state = turn.fixed_point()
    if state is not None:
        return turn.risk(state)
    idle = not turn.label_noise.any() and math.isinf(turn.collapse_number)
    if idle:
        # Least squares on its own noiseless predictions reproduces itself: the loop stays where it is.
        steps = max(len(loops), *(len(loop.schedule or ()) for loop in loops))
        return float(risk_by_generation(population, loops, steps)[-1])
    return math.inf


def real_only_risk(population: Population, loop: Loop, groups: Sequence[Group]) -> float:
    """Plain ridge on the labelled rows alone: aspect gamma/f and penalty lambda/f; generation 0 where f is 0 or 1."""
    f = math.fsum(group.share for group in groups if group.real_weight > 0) or 1.0
    assert loop.aspect is not None
    return float(risk_by_generation(population, [loop.replace(aspect=loop.aspect / f, penalty=loop.penalty / f)], 0)[0])


def _threshold(loop: Loop) -> str:
    return (
        f"at the interpolation threshold: aspect {loop.aspect:g} without a penalty leaves no rows to spare; use a penalty, or "
        "more or fewer features"
    )
