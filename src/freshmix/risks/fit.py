"""One fit on new rows, in groups of different row weights: its equations (mathematics.md section 5)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..equivalents import PopulationEquivalents
from ..equivalents.population import MOST_STEPS
from ..population import Population


@dataclass(frozen=True)
class Sizes:
    """Values b and shares pi of a population's row sizes: a group of rows of weight a is one of weight a b for each size.

    Its labels then count as ones with noise s / b.
    """

    value: Floats
    share: Floats

    @classmethod
    def of(cls, population: Population) -> "Sizes":
        """One size where rows are alike."""
        value, share = population.row_sizes or (np.ones(1), np.ones(1))
        return cls(value[share > 0], share[share > 0])

    def shares(self, f: Floats) -> Floats:
        """(..., k c) shares of groups and sizes, from those of groups (..., k)."""
        return f if self.value.size == 1 else (f[..., None] * self.share).reshape(*f.shape[:-1], -1)

    def weights(self, a: Floats) -> Floats:
        """(..., k c) loss weights a b."""
        return a if self.value.size == 1 else (a[..., None] * self.value).reshape(*a.shape[:-1], -1)

    def repeated(self, values: NDArray[Any]) -> NDArray[Any]:
        """(..., k c) what a group has at every size."""
        return values if self.value.size == 1 else np.repeat(values, self.value.size, axis=-1)

    def label_noise(self, s: Floats) -> Floats:
        """(..., k c) s / b."""
        return s if self.value.size == 1 else (s[..., None] / self.value).reshape(*s.shape[:-1], -1)


@dataclass(frozen=True)
class Fit:
    """What m fits do to their sources theta_k, the coefficients behind the labels of group k.

    With p_k = v_k / v (least squares: pi_k) and bbar_j = d_j anchor + (1 - d_j) sum_k p_k theta_k per atom j

    |bhat|_j^2 = |bbar|_j^2 + N noise_j,   N = sum_k (p_k^2 / f_k) (s_k + r_k) / rest,   r_k = sum_j tau_j |theta_k - bbar|_j^2
    """

    tau: Floats  # (atoms,)
    energy: Floats  # g, (atoms,)
    d: Floats  # (m, atoms); 0 for least squares
    taken: Floats  # 1 - d, (m, atoms)
    p: Floats  # (m, groups)
    mixture: Floats  # p_k^2 / f_k, (m, groups)
    noise: Floats  # gamma h tau (v d)^2, or gamma h / tau, (m, atoms)
    rest: Floats  # 1 - sum_k (p_k^2 / f_k) gamma sum h (tau v d)^2, (m,)


def solved_at(population: Population, aspect: float) -> PopulationEquivalents:
    """The companion equation of rows alike: sizes come in as groups."""
    return PopulationEquivalents(population if population.row_sizes is None else population.replace(row_sizes=None), aspect)


def fits(solved: PopulationEquivalents, penalty: Floats, f: Floats, a: Floats) -> Fit | None:
    """The equations of m fits at one aspect; None at the interpolation threshold.

    ``penalty`` (m,) is 0 for all of them or for none; row shares ``f`` and row weights ``a``, above 0, are (m, k). Without a
    penalty it is min-norm interpolation where gamma share(tau > 0) > 1 (row weights are inert) and weighted least squares where
    it is below 1.
    """
    bare = penalty.max() <= solved.least
    if bare and solved.rank == 1:
        return None
    if bare and solved.rank < 1:
        ratio = _least_squares_ratios(solved.rank, f, a)
        d = np.zeros((penalty.size, solved.tau.size))
        taken = np.ones_like(d)
        noise = np.broadcast_to(solved.weight / solved.tau, d.shape)
        x, gap = np.full(penalty.size, solved.rank), np.full(penalty.size, 1 - solved.rank)
    else:
        v, ratio = _ridge_ratios(solved, penalty, f, a)
        d = 1 / (1 + np.multiply.outer(v, solved.tau))
        taken = solved.tau * v[:, None] * d
        noise = solved.weight * taken * (v[:, None] * d)
        x = taken**2 @ solved.weight
        gap = v * penalty * np.sum(f * ratio / a, axis=1) + (taken * d) @ solved.weight
    return Fit(
        tau=solved.tau,
        energy=solved.energy / solved.tau,
        d=d,
        taken=taken,
        p=f * ratio,
        mixture=f * ratio**2,
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
    if np.all(a == a[:, :1]):
        # No shares in it: loops that differ in their groups only have one root.
        z, index = np.unique(penalty / a[:, 0], return_inverse=True)
        return solved.companion(z)[index], np.ones_like(f)
    low, high = (np.log(solved.companion(penalty / end)) for end in (a.min(axis=1), a.max(axis=1)))

    def bottom(log_v: Floats) -> tuple[Floats, Floats]:
        v = np.exp(log_v)
        d = 1 / (1 + np.multiply.outer(v, solved.tau))
        own, taken, change = (v * penalty)[:, None], (1 - d) @ solved.weight, (d * (1 - d)) @ solved.weight
        return own + a * taken[:, None], own + a * change[:, None]

    log_v, ratio = _ratios(low, high, f, a, bottom)
    return np.exp(log_v), ratio


def _least_squares_ratios(rank: float, f: Floats, a: Floats) -> Floats:
    """pi_k / f_k = a_k / (u + a_k gamma), (m, k), where u makes the pi_k sum to 1."""
    low, high = (np.log(end * (1 - rank)) for end in (a.min(axis=1), a.max(axis=1)))

    def bottom(log_u: Floats) -> tuple[Floats, Floats]:
        u = np.exp(log_u)[:, None]
        return u + a * rank, np.broadcast_to(u, f.shape)

    return _ratios(low, high, f, a, bottom)[1]


def _ratios(
    low: Floats, high: Floats, f: Floats, a: Floats, bottom: Callable[[Floats], tuple[Floats, Floats]]
) -> tuple[Floats, Floats]:
    """The points in [low, high] at which sum_k f_k a_k / bottom_k = 1, and a_k / bottom_k there, made to sum to 1.

    ``bottom`` gives a rising function of the point and its derivative, (m, k). Newton's method within a shrinking bracket.
    """
    x = (low + high) / 2
    if np.all(a == a[:, :1]):
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
