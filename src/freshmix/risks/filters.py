"""Filters of frozen covariates: what generations make of an eigenvalue of S (mathematics.md sections 3 and 4)."""

from collections.abc import Container
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..arguments import Floats
from ..equivalents import Numbers
from .contour import Filters

# e, kept and new of ``Recursion``.
State = tuple[Numbers, Numbers, Numbers]


@dataclass(frozen=True, eq=False)
class Recursion:
    """The filters of a loop at points s, with q = s/(s+lambda) and fit = s/(s+lambda)^2 (sections 3 and 4).

    A generation's state is its bias filter e, and kept and new, which make its variance filter u = (1-kappa) fit kept^2 + new:
    what the first draw of real labels has become, over sqrt(fit), and what later draws and synthetic noise have added.
    """

    q: Numbers
    fit: Numbers
    noise_ratio: float
    renewal: float
    anchor: float | Floats = 0.0

    @classmethod
    def at(cls, s: Numbers, penalty: float, noise_ratio: float, renewal: float, anchor: float = 0.0) -> "Recursion":
        """For ridge."""
        # Not by the square, which underflows or overflows where the penalty does not.
        q = s / (s + penalty)
        return cls(q, q / (s + penalty), noise_ratio, renewal, anchor)

    @property
    def start(self) -> State:
        """e_0 = 1 - q, kept_0 = 1, new_0 = kappa fit."""
        return 1 - self.q, np.ones_like(self.q), self.renewal * self.fit

    def step(self, w: Any, state: State) -> State:
        """The next generation, at weight w; with m = alpha (1-q) + (1-w) q

        e' = (1-alpha) (1-q) + m e,   kept' = w + m kept,   new' = (kappa w^2 + rho (1-w)^2) fit + m^2 new.
        """
        e, kept, new = state
        m = self.contraction(w)
        noise = self.renewal * w**2 + self.noise_ratio * (1 - w) ** 2
        return (1 - self.anchor) * (1 - self.q) + m * e, w + m * kept, noise * self.fit + m**2 * new

    def contraction(self, w: Any) -> Numbers:
        """m = alpha (1-q) + (1-w) q: what a generation at weight w keeps of the one before."""
        m = (1 - w) * self.q
        return np.asarray(m + self.anchor * (1 - self.q) if self.anchored else m)

    @cached_property
    def anchored(self) -> bool:
        """Whether some anchor is above 0."""
        return bool(np.any(self.anchor))

    @np.errstate(over="ignore", invalid="ignore")
    def course(self, weights: Floats, shown: Container[int] | None = None) -> list[State]:
        """Generations 0 ... T, or those of them that are ``shown``."""
        state = self.start
        states = [state] if shown is None or 0 in shown else []
        for t, w in enumerate(weights, start=1):
            state = self.step(w, state)
            if shown is None or t in shown:
                states.append(state)
        return states

    def after(self, w: Any, generations: int) -> State:
        """Generation T at a constant weight: ``step`` T times, summed as geometric series in m and m^2."""
        m, T = self.contraction(w), generations
        # Where m is 1 all terms are alike.
        once, twice = (np.where(np.abs(1 - r) < 1e-12, T, (1 - r**T) / np.where(r == 1, 1, 1 - r)) for r in (m, m * m))
        noise = self.renewal * w**2 + self.noise_ratio * (1 - w) ** 2
        e, kept, new = self.start
        power = m**T
        return (
            (1 - self.anchor) * (1 - self.q) * once + power * e,
            w * once + power * kept,
            noise * self.fit * twice + power**2 * new,
        )

    def variance(self, state: State) -> Numbers:
        """u = (1-kappa) fit kept^2 + new."""
        _, kept, new = state
        return (1 - self.renewal) * self.fit * kept**2 + new if self.renewal < 1 else new


# Weights beyond [0, 1] may grow until they are infinite.
@np.errstate(over="ignore", invalid="ignore")
def variance_factors(weights: Floats, noise_ratio: float, renewal: float = 1.0) -> Floats:
    """Min-norm: factors c_t of sigma^2 V, the variance of generation t; the recursions at q = fit = 1 (sections 3 and 4).

    There kept stays 1, and c_t = (1-kappa) + new_t. Fresh labels: c_0 = 1, c_t = w_t^2 + rho (1-w_t)^2 + (1-w_t)^2 c_{t-1}.
    """
    new = [np.full(weights.shape[1:], renewal)]
    for w in weights:
        new.append(renewal * w**2 + (1 - w) ** 2 * (noise_ratio + new[-1]))
    return np.asarray(1 - renewal + np.array(new))


def ridge_filters(
    weights: Floats,
    penalty: float,
    noise_ratio: float,
    renewal: float = 1.0,
    anchor: float = 0.0,
    *,
    shown: Container[int] | None = None,
) -> Filters:
    """Bias and variance filters e_t(s), u_t(s) of generations 0 ... T: those of ``Recursion`` (sections 3 and 4).

    ``weights`` is (T,), and the rows are the generations that are ``shown``; or (T, m), and the rows are those of m loops,
    generation by generation.
    """

    def filters(s: Numbers) -> tuple[Numbers, Numbers]:
        recursion = Recursion.at(s, penalty, noise_ratio, renewal, anchor)
        states = recursion.course(weights[..., None], shown)
        # Generation 0 is the same for all loops.
        rows = (*weights.shape[1:], s.size)
        parts = zip(*((state[0], recursion.variance(state)) for state in states), strict=True)
        e, u = (np.array([np.broadcast_to(each, rows) for each in part]).reshape(-1, s.size) for part in parts)
        return e, u

    return filters
