"""Fresh covariates at any schedule of real weights: its risk, its gradient, and the greedy one (mathematics.md section 5)."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ..arguments import Floats
from ..loop import Loop
from ..population import Population
from .fit import Sizes
from .generation import Generation, State, drifted, first_generation, generation
from .quadratic import least_of_quadratic


@dataclass(frozen=True, eq=False)
class FreshSchedules:
    """A loop's generations at any weights of the rows with a real label: one solution of the equations serves all.

    Neither v_k nor what follows from it alone depends on w (mathematics.md section 5). With P the sum of labelled p_k,

    forgotten = D + w (1 - d) P,  s_k = w_k - forgotten,  sigma_k^2 = sigma^2 (w_k^2 + rho (1 - w_k)^2),

    w_k = w in labelled groups and 0 in the others (D = d but for an anchor).
    """

    start: State
    full: Generation  # at w = 1
    real: Floats  # (groups,), 1 where rows have a real label
    noise_variance: Floats  # (groups,), over the sizes of rows
    noise_ratio: float
    judged: str = "now"

    exact: ClassVar[bool] = False

    @classmethod
    def of(cls, population: Population, loop: Loop, judged: str = "now") -> "FreshSchedules | None":
        """From a loop at any weight; None at the interpolation threshold."""
        groups = loop.at_weight(1.0).groups or ()
        first, start = first_generation(population, loop)
        full = generation(population, loop, groups)
        if first is None or full is None:
            return None
        real = np.array([group.real_weight for group in groups if group.share * group.row_weight > 0])
        sizes = Sizes.of(population)
        noise = sizes.label_noise(np.full(real.size, population.noise_variance))
        return cls(start, full, sizes.repeated(real), noise, loop.synthetic_noise_ratio, judged)

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
        return self._risk(state)

    def _risk(self, state: State) -> float:
        return float(self.full.risks(state, self.judged))

    def greedy(self, generations: int) -> Floats:
        """Each w_t at the least R_t given the weights before it: R_t is a quadratic in w_t."""
        state, weights = self.start, np.empty(generations)
        for t in range(generations):
            weights[t] = least_of_quadratic([self._risk(self.at(w).step(state)) for w in (0.0, 0.5, 1.0)])
            state = self.at(weights[t]).step(state)
        return weights

    def value_and_gradient(self, weights: Floats) -> tuple[float, Floats]:
        """R_T and dR_T/dw_t, by one pass forward and one back."""
        turns, states = [self.at(w) for w in weights], [self.start]
        for turn in turns:
            states.append(turn.step(states[-1]))
        # R_next = sum tau (Q + 2 (1-c) (A + g)).
        moved = 2 * (1 - self.full.persistence) if self.judged == "next" else 0.0
        slope: State = (moved * self.full.tau, self.full.tau)
        gradient = np.empty(weights.size)
        for t in range(weights.size - 1, -1, -1):
            gradient[t] = self._along(weights[t], turns[t], states[t], slope)
            slope = turns[t].back(slope)
        return self._risk(states[-1]), gradient

    def _along(self, w: float, turn: Generation, state: State, slope: State) -> float:
        """The slope in w of one generation, from the gradient in the state after it."""
        (by_A, by_Q), (A, Q) = slope, drifted(state, turn.energy, turn.persistence)
        d, c, tau = turn.shrinkage, 1 - turn.forgotten, turn.tau
        move = self.full.forgotten - d
        slack = self.real[:, None] - move
        noise = 2 * self.noise_variance * (w - self.noise_ratio * (1 - w)) * self.real
        b = (2 * slack * turn.slack) @ (tau * Q) - (2 * slack) @ (tau * d * A)
        return float((-move * A) @ by_A + (2 * move * (d * A - c * Q)) @ by_Q + turn.level_slope(by_Q) @ (noise + b))
