"""The signal in outlying directions, from one squared response under a heavy-tailed prior (mathematics.md section 7)."""

import math

import numpy as np

from ..arguments import Floats
from .posterior import with_mean

# Variances of the signal over those of the noise between which a direction's own one lies.
_RATIOS = np.geomspace(1e-3, 1e8, 25)


def outlying_signal(c: Floats, noise: Floats, level: Floats, rng: np.random.Generator) -> Floats:
    """(d, k) draws of m^2, from (k,) responses c_k ~ N(m_k, sigma^2), and (d,) draws of sigma^2 and of the level of m^2.

    The horseshoe prior m_k ~ N(0, level lambda_k^2), lambda_k half-Cauchy: a response like the noise is taken for noise, and
    one far above is left as it is. c^2 - sigma^2, cut at 0, would count noise as signal in every direction. The sign of c is
    that of an eigenvector, and means nothing. The draws have the mean that they are expected to have.
    """
    c2 = c**2 / noise[:, None]
    # The chance of lambda to lie nearest to each ratio: differences of 1 - (2/pi) arctan(1/lambda) keep their digits.
    edges = np.sqrt(_RATIOS[1:] * _RATIOS[:-1])
    above = np.arctan2(np.sqrt(np.maximum(level / noise, 1e-12))[:, None], np.sqrt(edges))
    prior = -np.diff(above, axis=1, prepend=math.pi / 2, append=0.0)
    logs = np.log(prior)[:, None, :] - 0.5 * (np.log1p(_RATIOS) + c2[..., None] / (1 + _RATIOS))
    weight = np.cumsum(np.exp(logs - logs.max(axis=2, keepdims=True)), axis=2)
    node = (weight < rng.uniform(size=c2.shape)[..., None] * weight[..., -1:]).sum(axis=2)
    shares = _RATIOS / (1 + _RATIOS)
    kept = shares[node]
    m = kept * np.abs(c) + np.sqrt(kept * noise[:, None]) * rng.standard_normal(c2.shape)
    expected = np.diff(weight, axis=2, prepend=0.0) @ np.column_stack([shares**2, shares]) / weight[..., -1:]
    mean = expected[..., 0] * c**2 + expected[..., 1] * noise[:, None]
    return with_mean(m**2, mean.mean(axis=0))
