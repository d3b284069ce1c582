"""One generation on new rows, in groups that are weighted and labelled alike (mathematics.md section 5).

The state of a generation is, for each atom j, A_j = <beta, e>_j and Q_j = ||e||_j^2 of its error e = bhat - beta. One
generation maps it affinely: ``generation`` solves what does not depend on the state, ``Generation.step`` applies it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from ..arguments import Floats
from ..equivalents import PopulationEquivalents
from ..equivalents.population import MOST_STEPS
from ..loop import Group, Loop
from ..population import Population

# Psi is a quotient of sums of positive terms: right to 1e-13 unless the aspect is next to the threshold. So near 1 it is 1.
_ROUNDING = 1e-12
# gamma h tau^2 and its like stay on atoms with tau > 0; null directions carry no risk.
State = tuple[Floats, Floats]


@dataclass(frozen=True)
class Generation:
    """One generation's affine map of (A, Q), for groups with row shares f and real weights w; arrays may hold many loops.

    With p_k = v_k / v (least squares: pi_k), contraction c_j = d_j tau_j eta (etabar), shrinkage d_j (0) and
    s_jk = c_j - 1 + w_k, per atom j and group k (``forgotten`` is 1 - c_j, and s_jk = w_k - forgotten_j):

    b_k = sum_j tau_j [ d^2 g - 2 d s_k A + s_k^2 Q ]_j,   N = sum_k (p_k^2 / f_k) (sigma_k^2 + b_k) / rest
    Q' = d^2 g - 2 d c A + c^2 Q + N noise_j,   A' = -d g + c A
    """

    tau: Floats
    energy: Floats  # g
    shrinkage: Floats  # d, (..., atoms)
    forgotten: Floats  # 1 - c = d + (1 - d) sum p_k w_k, without cancellation: exactly 0 where nothing is forgotten
    slack: Floats  # s, (..., groups, atoms)
    mixture: Floats  # p_k^2 / f_k, (..., groups)
    label_noise: Floats  # sigma_k^2, (..., groups)
    noise: Floats  # gamma h tau (v d)^2, or gamma h / tau, (..., atoms)
    rest: Floats  # 1 - sum_k (p_k^2 / f_k) gamma sum h (tau v d)^2, (...)

    # A loop that diverges ends in infinity, without a warning.
    @np.errstate(over="ignore", invalid="ignore")
    def step(self, state: State) -> State:
        """(A, Q) of the next generation."""
        A, Q = state
        d, c = self.shrinkage, 1 - self.forgotten
        N = self._level(A, Q, self.label_noise)
        return -d * self.energy + c * A, d * d * self.energy - 2 * d * c * A + c * c * Q + N[..., None] * self.noise

    def back(self, slope: State) -> State:
        """Gradient of a function of the state in (A, Q) before the step, from that after it; a single loop."""
        by_A, by_Q = slope
        d, c = self.shrinkage, 1 - self.forgotten
        level = self.level_slope(by_Q)
        return c * by_A - 2 * d * c * by_Q - level @ self._crossed, c * c * by_Q + self.tau * (level @ self._squares)

    def level_slope(self, by_Q: Floats) -> Floats:
        """(groups,) gradient in sigma_k^2 + b_k, from that in Q after the step."""
        return np.asarray((by_Q @ self.noise) / self.rest * self.mixture)

    def _level(self, A: Floats, Q: Floats, label_noise: Floats | float, signal: bool = True) -> Floats:
        b = (self._squares @ (self.tau * Q)[..., None])[..., 0]
        if signal:
            b = b + self._own - (self._crossed @ A[..., None])[..., 0]
        return np.asarray((self.mixture * (label_noise + b)).sum(axis=-1) / self.rest)

    # What the generations of one loop share in b_k.

    @cached_property
    def _squares(self) -> Floats:
        return self.slack**2

    @cached_property
    def _own(self) -> Floats:
        return np.asarray(self.shrinkage**2 @ (self.tau * self.energy))[..., None]

    @cached_property
    def _crossed(self) -> Floats:
        return 2 * self.slack * (self.tau * self.shrinkage)[..., None, :]

    @np.errstate(over="ignore", invalid="ignore")
    def risk(self, state: State) -> float:
        """R = sum tau Q."""
        return float(self.tau @ state[1])

    def __getitem__(self, index: int) -> "Generation":
        """One of the loops."""
        shared = ("tau", "energy")
        return replace(self, **{each.name: getattr(self, each.name)[index] for each in fields(self) if each.name not in shared})

    def collapse_numbers(self) -> Floats:
        """Psi, (...): how much of N one turn of the loop brings back; the loop diverges iff Psi >= 1."""
        remembers_all = np.asarray(np.any(self.forgotten == 0, axis=-1))
        f = np.where(remembers_all[..., None], 1.0, self.forgotten)
        psi = self._level(np.zeros_like(f), self.noise / (f * (2 - f)), 0.0, signal=False)
        psi = np.where((psi < 1) & (psi >= 1 - _ROUNDING), 1.0, psi)
        return np.where(remembers_all, math.inf, psi)

    @property
    def collapse_number(self) -> float:
        """Psi of a single loop."""
        return float(self.collapse_numbers())

    def long_run(self) -> Floats:
        """(...) risk of the state that each loop tends to, inf where it diverges."""
        A, Q = self.fixed_points()
        return np.where(np.isfinite(A).all(axis=-1), Q @ self.tau, math.inf)

    def fixed_point(self) -> State | None:
        """The state that a single loop tends to; None if it diverges."""
        A, Q = self.fixed_points()
        return (A, Q) if np.isfinite(A).all() else None

    def fixed_points(self) -> State:
        """The states (..., atoms) that loops tend to, A = inf where they diverge. One scalar unknown each, N."""
        psi = self.collapse_numbers()
        bounded = psi < 1
        d, f = self.shrinkage, np.where(bounded[..., None], self.forgotten, 1.0)
        c = 1 - f
        A = -d * self.energy / f
        gap = f * (2 - f)
        signal = (d * d * self.energy - 2 * d * c * A) / gap
        N = self._level(A, signal, self.label_noise) / np.where(bounded, 1 - psi, 1.0)
        return np.where(bounded[..., None], A, math.inf), signal + N[..., None] * self.noise / gap


def generation(population: Population, loop: Loop, groups: Sequence[Group]) -> Generation | None:
    """Solve one generation's equations; None at the interpolation threshold, where the variance is unbounded.

    Rows of weight 0 are left out, and n counts the others. Without a penalty it is min-norm interpolation where
    gamma share(tau > 0) > 1 (row weights are inert) and weighted least squares where it is below 1.
    """
    kept = [group for group in groups if group.share * group.row_weight > 0]
    f, a, w = (np.array([getattr(group, name) for group in kept]) for name in ("share", "row_weight", "real_weight"))
    part = math.fsum(f)
    assert loop.aspect is not None
    solved, penalty = PopulationEquivalents(population, loop.aspect / part), np.array([loop.penalty / part])
    many = generations(solved, penalty, f[None] / part, a, w[None], loop.synthetic_noise_ratio)
    return None if many is None else many[0]


def generations(
    solved: PopulationEquivalents, penalty: Floats, f: Floats, a: Floats, w: Floats, noise_ratio: float
) -> Generation | None:
    """The equations of m loops at one aspect; None at the interpolation threshold.

    ``penalty`` (m,) is 0 for all of them or for none; row shares ``f`` and real weights ``w`` are (m, k), row weights ``a``
    (k,), above 0.
    """
    bare = penalty.max() <= solved.least
    if bare and solved.rank == 1:
        return None
    if bare and solved.rank < 1:
        ratio = _least_squares_ratios(solved.rank, f, a)
        real = np.sum(f * ratio * w, axis=1)[:, None]
        d = np.zeros((penalty.size, solved.tau.size))
        forgotten = np.broadcast_to(real, d.shape)
        noise = np.broadcast_to(solved.weight / solved.tau, d.shape)
        x, gap = np.full(penalty.size, solved.rank), np.full(penalty.size, 1 - solved.rank)
    else:
        v, ratio = _ridge_ratios(solved, penalty, f, a)
        d = 1 / (1 + np.multiply.outer(v, solved.tau))
        taken = solved.tau * v[:, None] * d
        forgotten = d + taken * np.sum(f * ratio * w, axis=1)[:, None]
        noise = solved.weight * taken * (v[:, None] * d)
        x = taken**2 @ solved.weight
        gap = v * penalty * np.sum(f * ratio / a, axis=1) + (taken * d) @ solved.weight
    return Generation(
        tau=solved.tau,
        energy=solved.energy / solved.tau,
        shrinkage=d,
        forgotten=forgotten,
        slack=w[..., None] - forgotten[:, None],
        mixture=f * ratio**2,
        label_noise=solved.noise_variance * (w**2 + noise_ratio * (1 - w) ** 2),
        noise=noise,
        # 1 - sum p^2/f x without cancellation: sum p^2/f - 1 = sum (p - f)^2/f.
        rest=gap - x * np.sum(f * (ratio - 1) ** 2, axis=1),
    )


def _ridge_ratios(solved: PopulationEquivalents, penalty: Floats, f: Floats, a: Floats) -> tuple[Floats, Floats]:
    """v = sum_k v_k, (m,), and p_k / f_k = v_k / (f_k v) = a_k / (v lambda + a_k gamma sum h tau v d), (m, k).

    The root lies between those for all rows at the least and at the largest row weight.
    """
    if penalty[0] == 0:
        return solved.companion(penalty), np.ones_like(f)
    if np.all(a == a[0]):
        # No shares in it: loops that differ in their groups only have one root.
        z, index = np.unique(penalty / a[0], return_inverse=True)
        return solved.companion(z)[index], np.ones_like(f)
    low, high = np.log(solved.companion(penalty / a.min())), np.log(solved.companion(penalty / a.max()))

    def bottom(log_v: Floats) -> tuple[Floats, Floats]:
        v = np.exp(log_v)
        d = 1 / (1 + np.multiply.outer(v, solved.tau))
        own, taken, change = (v * penalty)[:, None], (1 - d) @ solved.weight, (d * (1 - d)) @ solved.weight
        return own + a * taken[:, None], own + a * change[:, None]

    log_v, ratio = _ratios(low, high, f, a, bottom)
    return np.exp(log_v), ratio


def _least_squares_ratios(rank: float, f: Floats, a: Floats) -> Floats:
    """pi_k / f_k = a_k / (u + a_k gamma), (m, k), where u makes the pi_k sum to 1."""
    ends = np.log([a.min() * (1 - rank), a.max() * (1 - rank)])

    def bottom(log_u: Floats) -> tuple[Floats, Floats]:
        u = np.exp(log_u)[:, None]
        return u + a * rank, np.broadcast_to(u, f.shape)

    return _ratios(np.full(len(f), ends[0]), np.full(len(f), ends[1]), f, a, bottom)[1]


def _ratios(
    low: Floats, high: Floats, f: Floats, a: Floats, bottom: Callable[[Floats], tuple[Floats, Floats]]
) -> tuple[Floats, Floats]:
    """The points in [low, high] at which sum_k f_k a_k / bottom_k = 1, and a_k / bottom_k there, made to sum to 1.

    ``bottom`` gives a rising function of the point and its derivative, (m, k). Newton's method within a shrinking bracket.
    """
    x = (low + high) / 2
    if np.all(a == a[0]):
        return x, np.ones_like(f)
    for _ in range(MOST_STEPS):
        value, slope = bottom(x)
        part = f * a / value
        excess = np.sum(part, axis=1) - 1
        low, high = np.where(excess > 0, x, low), np.where(excess < 0, x, high)
        moved = x + excess / np.sum(part * slope / value, axis=1)
        moved = np.where((moved >= low) & (moved <= high), moved, (low + high) / 2)
        step, x = np.abs(moved - x), moved
        if np.all(step <= 1e-14 * (1 + np.abs(x))):
            break
    ratio = a / bottom(x)[0]
    return x, ratio / np.sum(f * ratio, axis=1, keepdims=True)


def first_generation(population: Population, loop: Loop) -> tuple[Generation | None, State]:
    """Generation 0: plain ridge on real labels, from A = Q = 0."""
    start = generation(population, loop, [Group(1.0)])
    size = int(np.count_nonzero(population.eigenvalues > 0))
    state = (np.zeros(size), np.zeros(size))
    return start, state if start is None else start.step(state)
