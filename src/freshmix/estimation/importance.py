"""Adaptive importance sampling of a posterior from quasi-random points: means that are nearly exact, and always the same."""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, gammaln, ndtri
from scipy.stats import qmc

from ..arguments import Floats

# Points of a stage and of the last one, which gives the draws; the fewest and the most stages.
_POINTS, _LAST = 2**12, 2**14
_FEWEST, _MOST = 3, 40
# The points count like at least this part of them in the moments of a stage.
_EFFECTIVE = 0.05
# Degrees of freedom of a stage's draws: its tails must not be lighter than those of the posterior.
_DEGREES = 5


def importance_sample(
    size: int,
    prior: Callable[[Floats], Floats],
    log_likelihood: Callable[[Floats], Floats],
    log_posterior: Callable[[Floats], Floats],
) -> tuple[Floats, Floats]:
    """(m, size) parameter vectors and their (m,) weights, of sum 1, under a posterior.

    ``prior`` takes (m, size) uniform numbers to draws of the prior. Stage by stage a multivariate Student's t takes the moments
    of the weighted draws before it, with weights to a power at which enough of them count, until that is 1.
    """
    theta = prior(_uniform(size, 0, _POINTS))
    logs = log_likelihood(theta)
    for stage in range(1, _MOST + 1):
        power = 1.0
        while _effective(power * logs) < _EFFECTIVE * logs.size:
            power *= 0.8
        weight = _weights(power * logs)
        mean = weight @ theta
        apart = theta - mean
        root = np.asarray(np.linalg.cholesky((apart * weight[:, None]).T @ apart), dtype=np.float64)
        last = (power == 1 and stage >= _FEWEST) or stage == _MOST
        theta, density = _student(mean, root, _uniform(size + 1, stage, _LAST if last else _POINTS))
        logs = log_posterior(theta) - density
        if last:
            break
    return theta, _weights(logs)


def resampled(weight: Floats, count: int) -> NDArray[np.intp]:
    """(count,) places of draws that stand for all alike: systematic resampling."""
    return np.searchsorted(np.cumsum(weight) / weight.sum(), (np.arange(count) + 0.5) / count)


def _student(mean: Floats, root: Floats, uniform: Floats) -> tuple[Floats, Floats]:
    """(m, d) draws of a multivariate t from (m, d + 1) uniform numbers, and their log densities."""
    d = mean.size
    chi2 = 2 * gammaincinv(_DEGREES / 2, uniform[:, d])
    x = ndtri(uniform[:, :d]) * np.sqrt(_DEGREES / chi2)[:, None]
    constant = gammaln((_DEGREES + d) / 2) - gammaln(_DEGREES / 2) - d / 2 * np.log(_DEGREES * np.pi)
    spread = np.log1p(np.einsum("ij,ij->i", x, x) / _DEGREES)
    return mean + x @ root.T, constant - np.log(np.diag(root)).sum() - (_DEGREES + d) / 2 * spread


def _weights(logs: Floats) -> Floats:
    weight = np.exp(logs - logs.max())
    return np.asarray(weight / weight.sum())


def _effective(logs: Floats) -> float:
    """As how many draws of one weight they count."""
    weight = _weights(logs)
    return float(1 / (weight @ weight))


@cache
def _uniform(size: int, stage: int, count: int) -> Floats:
    """(count, size) scrambled Sobol points, the same each time."""
    points = qmc.Sobol(size, rng=np.random.default_rng([size, stage])).random(count)
    kept = np.clip(points, 1e-9, 1 - 1e-9)
    kept.setflags(write=False)
    return np.asarray(kept)
