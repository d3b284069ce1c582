"""Plain ridge on real labels alone: the rival of every loop (mathematics.md sections 2 and 6)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import Floats
from ..equivalents import Equivalents
from .least import least

# Penalties are searched in this box, in units of the largest eigenvalue of the sample covariance; 0 is a candidate too.
LEAST_PENALTY, MOST_PENALTY = 1e-8, 1e6
POINTS_PER_DECADE = 8
# Where columns are nearly collinear the box begins at this part of the least eigenvalue, down to where that is rounding.
_OF_THE_LEAST, _ROUNDING = 1e-2, 1e-14


def penalty_range(bulk: tuple[float, float]) -> tuple[float, float]:
    """Ends of the box of penalties, from those of the positive eigenvalues."""
    least, most = bulk
    return most * min(LEAST_PENALTY, max(_OF_THE_LEAST * least / most, _ROUNDING)), most * MOST_PENALTY


def penalty_grid(bulk: tuple[float, float]) -> Floats:
    """Penalties of the box, evenly spread in their logarithm."""
    least, most = penalty_range(bulk)
    return np.geomspace(least, most, round(POINTS_PER_DECADE * math.log10(most / least)) + 1)


@dataclass(frozen=True, eq=False)
class PlainRidge:
    """One fit on real labels, each averaged over ``times_seen`` draws; a loop's penalty is ``per_loop`` times as much here."""

    equivalents: Equivalents
    times_seen: float = 1.0
    per_loop: float = 1.0

    def risks(self, penalties: ArrayLike) -> Floats:
        """B(lambda) + sigma^2 Vr(lambda) / times_seen at each of these penalties of the fit itself."""
        solved = self.equivalents.solve(np.ravel(np.asarray(penalties, float)))
        noise, variance = self.equivalents.noise_variance / self.times_seen, self.equivalents.variance(solved, solved)
        # No noise stays no noise at the interpolation threshold.
        risk = self.equivalents.bias(solved, solved) + (noise * variance if noise else 0.0)
        return np.asarray(risk, dtype=np.float64).reshape(np.shape(penalties))

    def risk(self, penalty: float) -> float:
        """At one penalty of the fit itself."""
        return float(self.risks(penalty))

    def best(self) -> tuple[float, float]:
        """The best penalty and its risk."""

        def at(log_z: Floats) -> Floats:
            return self.risks(np.exp(log_z))

        grid = np.log(penalty_grid(self.equivalents.bulk))
        log_z, risk = least(at, grid, at(grid))
        none = self.risk(0.0)
        return (0.0, none) if none <= risk else (math.exp(log_z), risk)

    def at(self, penalty: float | None) -> tuple[float, float]:
        """The penalty and risk of the fit at a loop's penalty, or at the best one."""
        if penalty is None:
            return self.best()
        return penalty * self.per_loop, self.risk(penalty * self.per_loop)
