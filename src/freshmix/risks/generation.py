"""One generation on new rows, in groups that are weighted and labelled alike (mathematics.md section 5).

The state of a generation is, for each atom j, A_j = <beta, e>_j and Q_j = ||e||_j^2 of its error e = bhat - beta. One
generation maps it affinely: ``generation`` solves what does not depend on the state, ``Generation.step`` applies it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from ..arguments import Floats
from ..loop import Group, Loop
from ..population import Population
from .fit import Fit, Sizes, fits, solved_at

# Psi is a quotient of sums of positive terms: right to 1e-13 unless the aspect is next to the threshold. So near 1 it is 1.
_ROUNDING = 1e-12
# gamma h tau^2 and its like stay on atoms with tau > 0; null directions carry no risk.
State = tuple[Floats, Floats]


@np.errstate(over="ignore", invalid="ignore")
def drifted(state: State, energy: Floats, persistence: Floats) -> State:
    """(A, Q) of the same models beside the next coefficients, c beta + sqrt(1 - c^2) xi.

    A' = c A - (1-c) g,   Q' = Q + 2 (1-c) (A + g)
    """
    A, Q = state
    c = persistence[..., None]
    return c * A - (1 - c) * energy, Q + 2 * (1 - c) * (A + energy)


@dataclass(frozen=True)
class _Turn:
    """An affine map of (A, Q): N = level + by_A A + by_Q Q, A' = fixed_A + kept_A A,

    Q' = fixed_Q + crossed A + kept_Q Q + N noise.
    """

    level: Floats
    by_A: Floats
    by_Q: Floats
    fixed_A: Floats
    kept_A: Floats
    fixed_Q: Floats
    crossed: Floats
    kept_Q: Floats

    def after_drift(self, g: Floats, c: Floats) -> "_Turn":
        """This map of ``drifted`` states."""
        moved = 2 * (1 - c)
        return _Turn(
            self.level + (self.by_Q * moved - self.by_A * (1 - c)) @ g,
            c * self.by_A + moved * self.by_Q,
            self.by_Q,
            self.fixed_A - self.kept_A * (1 - c) * g,
            c * self.kept_A,
            self.fixed_Q + (moved * self.kept_Q - (1 - c) * self.crossed) * g,
            c * self.crossed + moved * self.kept_Q,
            self.kept_Q,
        )


@dataclass(frozen=True)
class Generation:
    """One generation's affine map of (A, Q), for groups with row shares f and real weights w; arrays may hold many loops.

    The coefficients drift first (``drifted``). With p_k = v_k / v (least squares: pi_k), contraction c_j = d_j (alpha +
    tau_j eta) (etabar), shrinkage D_j = (1 - alpha) d_j (0) and s_jk = c_j - 1 + w_k, per atom j and group k (``forgotten`` is
    1 - c_j, and s_jk = w_k - forgotten_j):

    b_k = sum_j tau_j [ D^2 g - 2 D s_k A + s_k^2 Q ]_j,   N = sum_k (p_k^2 / f_k) (sigma_k^2 + b_k) / rest
    Q' = D^2 g - 2 D c A + c^2 Q + N noise_j,   A' = -D g + c A
    """

    tau: Floats
    energy: Floats  # g
    shrinkage: Floats  # D, (..., atoms)
    taken: Floats  # 1 - d, (..., atoms)
    forgotten: Floats  # 1 - c = D + (1 - d) sum p_k w_k, without cancellation: exactly 0 where nothing is forgotten
    slack: Floats  # s, (..., groups, atoms)
    mixture: Floats  # p_k^2 / f_k, (..., groups)
    label_noise: Floats  # sigma_k^2, (..., groups)
    noise: Floats  # gamma h tau (v d)^2, or gamma h / tau, (..., atoms)
    rest: Floats  # 1 - sum_k (p_k^2 / f_k) gamma sum h (tau v d)^2, (...)
    persistence: Floats  # (...)

    @classmethod
    def of(cls, fit: Fit, w: Floats, label_noise: Floats, anchor: Floats, persistence: Floats) -> "Generation":
        """From the equations of m fits, the real weights and label noise (m, groups), anchors and persistences (m,)."""
        shrinkage = (1 - anchor)[:, None] * fit.d
        forgotten = shrinkage + fit.taken * np.sum(fit.p * w, axis=1)[:, None]
        return cls(
            tau=fit.tau,
            energy=fit.energy,
            shrinkage=shrinkage,
            taken=fit.taken,
            forgotten=forgotten,
            slack=w[..., None] - forgotten[:, None],
            mixture=fit.mixture,
            label_noise=label_noise,
            noise=fit.noise,
            rest=fit.rest,
            persistence=persistence,
        )

    # A loop that diverges ends in infinity, without a warning.
    @np.errstate(over="ignore", invalid="ignore")
    def step(self, state: State) -> State:
        """(A, Q) of the next generation."""
        (A, Q), turn = state, self._turn
        N = turn.level + np.einsum("...j,...j->...", turn.by_A, A) + np.einsum("...j,...j->...", turn.by_Q, Q)
        return turn.fixed_A + turn.kept_A * A, turn.fixed_Q + turn.crossed * A + turn.kept_Q * Q + N[..., None] * self.noise

    @cached_property
    def _turn(self) -> "_Turn":
        """The map of ``step``, all that does not depend on the state put together: generations of a loop share it."""
        d, c, g = self.shrinkage, 1 - self.forgotten, self.energy
        mixture = self.mixture / self.rest[..., None]
        squares = np.einsum("...k,...kj->...j", mixture, self._squares) * self.tau
        crossed = np.einsum("...k,...kj->...j", mixture, self._crossed)
        level = np.sum(mixture * (self.label_noise + self._own), axis=-1)
        turn = _Turn(level, -crossed, squares, -d * g, c, d * d * g, -2 * d * c, c * c)
        return turn.after_drift(g, self.persistence[..., None]) if self.drifts else turn

    def back(self, slope: State) -> State:
        """Gradient of a function of the state in (A, Q) before the step, from that after it; a single loop."""
        by_A, by_Q = slope
        d, c = self.shrinkage, 1 - self.forgotten
        level = self.level_slope(by_Q)
        by_A, by_Q = c * by_A - 2 * d * c * by_Q - level @ self._crossed, c * c * by_Q + self.tau * (level @ self._squares)
        return (self.persistence * by_A + 2 * (1 - self.persistence) * by_Q, by_Q) if self.drifts else (by_A, by_Q)

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
    def drifts(self) -> bool:
        """Whether coefficients change from one generation to the next."""
        return bool(np.any(self.persistence < 1))

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
    def risks(self, state: State, judged: str = "now") -> Floats:
        """(...) R = sum tau Q; judged on the next coefficients, R_next = sum tau Q'' with Q'' drifted."""
        Q = drifted(state, self.energy, self.persistence)[1] if judged == "next" else state[1]
        return np.asarray(Q @ self.tau)

    def risk(self, state: State) -> float:
        """R of a single loop."""
        return float(self.risks(state))

    def __getitem__(self, index: int) -> "Generation":
        """One of the loops."""
        shared = ("tau", "energy")
        return replace(self, **{each.name: getattr(self, each.name)[index] for each in fields(self) if each.name not in shared})

    def collapse_numbers(self) -> Floats:
        """Psi, (...): how much of N one turn of the loop brings back; the loop diverges iff Psi >= 1.

        That is where the linear part of the map has spectral radius 1: A contracts by itself, and of Q only N is shared.
        """
        remembers_all = np.asarray(np.any(self.forgotten == 0, axis=-1))
        f = np.where(remembers_all[..., None], 1.0, self.forgotten)
        psi = self._level(np.zeros_like(f), self.noise / (f * (2 - f)), 0.0, signal=False)
        psi = np.where((psi < 1) & (psi >= 1 - _ROUNDING), 1.0, psi)
        return np.where(remembers_all, math.inf, psi)

    @property
    def collapse_number(self) -> float:
        """Psi of a single loop."""
        return float(self.collapse_numbers())

    def long_run(self, judged: str = "now") -> Floats:
        """(...) risk of the state that each loop tends to, inf where it diverges."""
        state = self.fixed_points()
        return np.where(np.isfinite(state[0]).all(axis=-1), self.risks(state, judged), math.inf)

    def fixed_point(self) -> State | None:
        """The state that a single loop tends to; None if it diverges."""
        A, Q = self.fixed_points()
        return (A, Q) if np.isfinite(A).all() else None

    def fixed_points(self) -> State:
        """The states (..., atoms) that loops tend to, A = inf where they diverge. One scalar unknown each, N."""
        psi = self.collapse_numbers()
        bounded = psi < 1
        d, f, g = self.shrinkage, np.where(bounded[..., None], self.forgotten, 1.0), self.energy
        c, drift = 1 - f, (1 - self.persistence)[..., None]
        A = -(d + c * drift) * g / (f + drift * c)
        before, moved = (1 - drift) * A - drift * g, 2 * drift * (A + g)
        gap = f * (2 - f)
        signal = (d * d * g - 2 * d * c * before + c * c * moved) / gap
        N = self._level(before, signal + moved, self.label_noise) / np.where(bounded, 1 - psi, 1.0)
        return np.where(bounded[..., None], A, math.inf), signal + N[..., None] * self.noise / gap


def generation(population: Population, loop: Loop, groups: Sequence[Group]) -> Generation | None:
    """Solve one generation's equations; None at the interpolation threshold, where the variance is unbounded.

    Rows of weight 0 are left out, and n counts the others.
    """
    kept = [group for group in groups if group.share * group.row_weight > 0]
    f, a, w = (np.array([[getattr(group, name) for group in kept]]) for name in ("share", "row_weight", "real_weight"))
    part = math.fsum(f[0])
    assert loop.aspect is not None
    penalty, anchor = np.array([loop.penalty / part]), np.array([loop.anchor])
    rho = loop.synthetic_noise_ratio
    many = generations(population, loop.aspect / part, penalty, f / part, a, w, rho, anchor, np.array([population.persistence]))
    return None if many is None else many[0]


def generations(
    population: Population,
    aspect: float,
    penalty: Floats,
    f: Floats,
    a: Floats,
    w: Floats,
    noise_ratio: float,
    anchor: Floats,
    persistence: Floats,
) -> Generation | None:
    """The equations of m loops at one aspect; None at the interpolation threshold.

    ``penalty`` (m,) is 0 for all of them or for none; row shares ``f``, row weights ``a``, above 0, and real weights ``w`` are
    (m, k), anchors and persistences (m,).
    """
    sizes = Sizes.of(population)
    fit = fits(solved_at(population, aspect), penalty, sizes.shares(f), sizes.weights(a))
    if fit is None:
        return None
    noise = sizes.label_noise(population.noise_variance * (w**2 + noise_ratio * (1 - w) ** 2))
    return Generation.of(fit, sizes.repeated(w), noise, anchor, persistence)


def first_generation(population: Population, loop: Loop) -> tuple[Generation | None, State]:
    """Generation 0: plain ridge on the loop's first rows, all with a real label, from A = Q = 0."""
    assert loop.aspect is not None
    # What drifts is beside nothing yet.
    standing = population.replace(persistence=1.0)
    start = generation(standing, loop.replace(aspect=loop.aspect / loop.first_rows, anchor=0.0), [Group(1.0)])
    size = int(np.count_nonzero(population.eigenvalues > 0))
    state = (np.zeros(size), np.zeros(size))
    return start, state if start is None else start.step(state)
