"""Frozen covariates at any schedule of real weights: its risk, its gradient, and the greedy one (mathematics.md section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..arguments import Floats
from ..equivalents import Equivalents, Numbers
from .contour import Contour, padded, settled
from .filters import Recursion, State, ridge_filters
from .quadratic import least_of_quadratic


@dataclass(frozen=True, eq=False)
class FrozenSchedules:
    """A loop with any real weights: with a penalty on one solved contour that serves them all; see ``Schedules``."""

    recursion: Recursion
    noise: Numbers  # sigma^2 times the covector of (1/n) tr Sigma u(S)
    contour: Contour | None  # None without a penalty, where the bias never changes
    bias: float

    @classmethod
    def of(
        cls,
        equivalents: Equivalents,
        penalty: float,
        generations: int,
        noise_ratio: float,
        renewal: float,
        anchor: float = 0.0,
    ) -> "FrozenSchedules":
        """For up to T generations."""
        sigma2 = equivalents.noise_variance
        if penalty == 0:
            one, zero = np.ones(1), equivalents.solve(0.0)
            recursion = Recursion(one, one, noise_ratio, renewal)
            return cls(recursion, sigma2 * equivalents.variance(zero, zero), None, float(equivalents.bias(zero, zero)[0]))
        # Weights near 0 keep the filters' highest powers of q: a contour that settles there serves all schedules.
        filters = ridge_filters(np.full(generations, 0.05), penalty, noise_ratio, renewal, anchor)
        contour = settled(equivalents, penalty, generations, filters)[0]
        recursion = Recursion.at(contour.nodes, penalty, noise_ratio, renewal, anchor)
        return cls(recursion, sigma2 * contour.noise, contour, 0.0)

    @property
    def exact(self) -> bool:
        """Without a penalty each generation at its best is best at every horizon."""
        return self.contour is None

    @classmethod
    def stacked(cls, schedules: Sequence["FrozenSchedules"]) -> "FrozenSchedules":
        """The same loop at k penalties above 0 as one, whose ``constant`` is (k, m)."""
        contour = Contour.stacked([each.contour for each in schedules if each.contour is not None])
        # Zeros in front, where the contour has its nodes at 0.
        recursions = [each.recursion for each in schedules]
        q, fit = (padded(parts)[:, None] for parts in ([each.q for each in recursions], [each.fit for each in recursions]))
        noise = padded([each.noise for each in schedules])[:, None]
        return cls(replace(recursions[0], q=q, fit=fit), noise, contour, 0.0)

    def constant(self, real_weight: Floats, anchor: Floats, generations: int) -> Floats:
        """(m,) R_T of constant weights and anchors, (m,) each."""
        recursion = replace(self.recursion, anchor=anchor[:, None])
        state = recursion.after(real_weight[:, None], generations)
        e, u = np.broadcast_arrays(state[0], recursion.variance(state), np.empty((real_weight.size, 1)))[:2]
        bias = self.bias if self.contour is None else self.contour.bilinear(e, e)
        return np.asarray(bias + np.einsum("...a,...a->...", u, self.noise).real)

    def risk(self, weights: Floats) -> float:
        """R_T."""
        return self._risk(self.recursion.course(weights)[-1])

    def _risk(self, state: State) -> float:
        """R = beta' e(S) Sigma e(S) beta + (sigma^2/n) tr Sigma u(S)."""
        e = state[0][None]
        bias = self.bias if self.contour is None else self.contour.bilinear(e, e)[0]
        return float(bias + (self.recursion.variance(state) @ self.noise).real)

    def _signal(self, e: Numbers) -> Numbers:
        return np.zeros_like(e) if self.contour is None else self.contour.signal(e)

    def value_and_gradient(self, weights: Floats) -> tuple[float, Floats]:
        """R_T and dR_T/dw_t, by one pass forward and its adjoint back.

        With m = alpha (1-q) + (1-w_t) q a generation takes the slopes of R_T in (e, kept, new) back by (m, m, m^2), and

        dR_T/dw_t = -q e_{t-1} R_e + (1 - q kept_{t-1}) R_kept + 2 ((kappa w - rho (1-w)) fit - m q new_{t-1}) R_new
        """
        r = self.recursion
        q, fit, rho, kappa = r.q, r.fit, r.noise_ratio, r.renewal
        states = r.course(weights)
        e, kept, _ = states[-1]
        by_e, by_kept, by_new = 2 * self._signal(e), 2 * (1 - kappa) * fit * kept * self.noise, self.noise
        gradient = np.empty(weights.size)
        for t in range(weights.size - 1, -1, -1):
            w, (e, kept, new) = weights[t], states[t]
            m = r.contraction(w)
            noise = 2 * ((kappa * w - rho * (1 - w)) * fit - m * q * new)
            gradient[t] = (-q * e @ by_e + (1 - q * kept) @ by_kept + noise @ by_new).real
            by_e, by_kept, by_new = m * by_e, m * by_kept, m**2 * by_new
        return self._risk(states[-1]), gradient

    def greedy(self, generations: int) -> Floats:
        """Each w_t at the least R_t given the weights before it."""
        if self.contour is None:
            return minnorm_schedule(self.recursion.noise_ratio, generations, self.recursion.renewal)
        weights, state = np.empty(generations), self.recursion.start
        for t in range(generations):
            weights[t] = least_of_quadratic([self._risk(self.recursion.step(w, state)) for w in (0.0, 0.5, 1.0)])
            state = self.recursion.step(weights[t], state)
        return weights


def minnorm_schedule(noise_ratio: float, generations: int, renewal: float = 1.0) -> Floats:
    """The best schedule without a penalty: each w_t is least, and so is every R_T (mathematics.md sections 3 and 4).

    w_t = (rho + a_{t-1}) / (kappa + rho + a_{t-1}) minimises a_t = kappa w_t^2 + (1-w_t)^2 (rho + a_{t-1}), a_0 = kappa, and
    a_t = kappa w_t: w_t = (rho + w_{t-1}) / (1 + rho + w_{t-1}) from w_0 = 1 for fresh labels, and 1 for frozen ones.
    """
    weights, kept = np.ones(generations), renewal
    for t in range(generations):
        if renewal > 0:
            weights[t] = (noise_ratio + kept) / (renewal + noise_ratio + kept)
        kept = renewal * weights[t]
    return weights
