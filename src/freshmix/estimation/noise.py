"""Noise variance by several routes, and how far they disagree (mathematics.md section 7)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arguments import Floats
from .factorise import Factorisation
from .nonnegative import nonnegative
from .spectrum import Companion

_POINTS = 30
_REPLAYS = 100
# Disagreement up to two standard deviations is what chance brings.
_AGREE = 2.0


@dataclass(frozen=True)
class NoiseEstimate:
    """sigma^2 by one route.

    Attributes
    ----------
    value, standard_error : float
        The estimate, and its standard deviation over tables drawn from the fitted model.
    z : float
        How many standard deviations the estimate is from what tables drawn from the fitted model give: its disagreement with
        the banded likelihood.
    """

    value: float
    standard_error: float
    z: float


@dataclass(frozen=True, eq=False)
class Routes:
    """Estimators of sigma^2 that are linear or least squares in the squared responses, on one set of eigenvalues.

    ``leave_one_out``: L(z)(1 - x(z)) = sigma^2 + sum_j tau_j g_j d_j^2 by non-negative least squares over z; it assumes nothing
    about the signal. ``moments``: the two moments mean c^2 and mean s c^2 solved for sigma^2 and a signal without regard to the
    spectrum (random effects; Dicker's estimator). ``residual``: mean c^2 where s = 0, with fewer features than rows.
    """

    f: Factorisation
    outlying: int
    weights: Floats
    design: Floats

    @classmethod
    def of(cls, f: Factorisation, outlying: int, tau: Floats) -> "Routes":
        """The designs, for any number of responses."""
        s = np.append(f.eigenvalues[outlying:], np.zeros(min(f.zeros, 1)))
        count = np.append(np.ones(f.eigenvalues.size - outlying), np.full(min(f.zeros, 1), f.zeros))
        # The penalties at which ridge moves from interpolation to no fit at all.
        z = float(np.average(s, weights=count)) * np.geomspace(1e-2, 1e2, _POINTS)
        weights = count / np.add.outer(z, s) ** 2
        weights /= weights.sum(axis=1, keepdims=True)
        at = Companion.of(f, z, outlying)
        bias = at.seen[:, None] * tau / (1 + np.multiply.outer(at.v, tau)) ** 2
        design = np.column_stack([np.ones(z.size), bias])
        return cls(f, outlying, weights, design)

    def __call__(self, squares: Floats, zero_mean: float) -> dict[str, float]:
        """Estimates from (r,) squared responses in the directions with s > 0 and their mean in the others."""
        f = self.f
        squares = squares[self.outlying :]
        s = f.eigenvalues[self.outlying :]
        if f.zeros:
            squares = np.append(squares, zero_mean)
        left = self.weights @ squares
        most, level = float(left.max()), 0.0
        # What leaks from outlying directions may be more than is there.
        if most > 0:
            left = np.maximum(left, 1e-12 * most)
            # Relative errors: the left side varies by orders of magnitude.
            level = float(nonnegative(self.design / left[:, None], np.ones(left.size))[0])
        count = s.size + f.zeros
        total = squares[: s.size].sum() + f.zeros * zero_mean
        first, second = s.sum() / count, (s @ s) / count
        mean, tilted = total / count, (s @ squares[: s.size]) / count
        spread = second - first**2
        slope = (tilted - mean * first) / spread if spread > 1e-12 * second else 0.0
        found = {"leave_one_out": level, "moments": float(np.clip(mean - slope * first, 0.0, None))}
        if f.zeros:
            found["residual"] = zero_mean
        return found


def noise_estimates(
    f: Factorisation,
    outlying: int,
    tau: Floats,
    variances: Floats,
    leak: Floats,
    noise_variance: float,
    rng: np.random.Generator,
) -> Mapping[str, NoiseEstimate]:
    """sigma^2 by each route, against tables drawn from the fitted model, whose (r,) E c_i^2 are ``variances`` + ``leak``."""
    routes = Routes.of(f, outlying, tau)
    observed = routes(f.responses**2 - leak, f.zero_energy / max(f.zeros, 1))
    replayed: dict[str, list[float]] = {name: [] for name in observed}
    for _ in range(_REPLAYS):
        zeros = noise_variance * rng.chisquare(f.zeros) / f.zeros if f.zeros else 0.0
        for name, value in routes((variances + leak) * rng.chisquare(1, variances.size) - leak, zeros).items():
            replayed[name].append(value)
    found = {}
    for name, value in observed.items():
        spread = float(np.std(replayed[name]))
        z = (value - float(np.mean(replayed[name]))) / spread if spread > 0 else 0.0
        found[name] = NoiseEstimate(value, spread, z)
    return found


def stretch(estimates: Mapping[str, NoiseEstimate]) -> float:
    """By how much intervals are widened: the largest disagreement in units of what chance brings, at least 1."""
    return max([1.0, *(abs(each.z) / _AGREE for each in estimates.values())])
