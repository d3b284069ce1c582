"""Frozen covariates: the same rows relabelled in each generation (mathematics.md sections 3 and 4).

Every function takes an ``Equivalents``, made from a population or from a sample, and arrays of weights and penalties that
broadcast; nothing here knows where the equivalents come from.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import Floats
from ..equivalents import Equivalents, Numbers
from ..loop import Loop
from .contour import Filters, functionals
from .verdict import Limit, judge


def memory_factor(real_weight: ArrayLike, noise_ratio: float, labels: str = "fresh") -> Any:
    """c(w), by which the long-run loop multiplies the two-point variance x12 / (1 - x12); inf at w = 0.

    Fresh labels (section 3): (w^2 + rho (1-w)^2) / (w (2-w)). Frozen labels (section 4): rho (1-w)^2 / (w (2-w)), the
    part that comes from synthetic noise.
    """
    w = np.asarray(real_weight, dtype=np.float64)
    real = w**2 if labels == "fresh" else 0.0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        factor = (real + noise_ratio * (1 - w) ** 2) / (w * (2 - w))
    # 0/0: without synthetic noise c(w) = w / (2 - w) tends to 0.
    return np.where(np.isnan(factor), 0.0, factor)


def limit_risk(
    equivalents: Equivalents,
    real_weight: ArrayLike,
    penalty: ArrayLike,
    noise_ratio: float = 1.0,
    labels: str = "fresh",
) -> Floats:
    """Long-run excess risk at each (real weight, penalty), arrays that broadcast (sections 3 and 4, limits).

    With z1 = lambda/w, z2 = lambda/(2-w) and V12 = x12/(1-x12) at v(z1), v(z2), for fresh labels

        R = B(lambda/w) + sigma^2 (w^2 + rho (1-w)^2) / (w (2-w)) V12

    and for frozen ones R = B(lambda/w) + sigma^2 Vr(lambda/w) + sigma^2 rho (1-w)^2 / (w (2-w)) V12. Neither cancels as
    w -> 1 or lambda -> 0, where it is the min-norm formula. At w = 0 the loop forgets: R = null risk + rho sigma^2 /
    (2 lambda) (1/n) tr Sigma S (S + lambda/2)^-1, and without a penalty R is unbounded unless rho sigma^2 = 0.
    """
    w, lam = np.broadcast_arrays(np.asarray(real_weight, float), np.asarray(penalty, float))
    shape, w, lam = w.shape, w.ravel(), lam.ravel()
    risk = np.empty(w.size)
    # The risk is continuous at w = 0, where lambda/w overflows.
    kept = (w > 1e-100) | (lam == 0)
    if kept.any():
        risk[kept] = _remembering(equivalents, w[kept], lam[kept], noise_ratio, labels)
    if not kept.all():
        forgetting, sigma2 = lam[~kept], equivalents.noise_variance
        spread = equivalents.spread(equivalents.solve(forgetting / 2))
        risk[~kept] = equivalents.null_risk + noise_ratio * sigma2 / (2 * forgetting) * spread
    return risk.reshape(shape)


def _remembering(equivalents: Equivalents, w: Floats, lam: Floats, noise_ratio: float, labels: str) -> Floats:
    sigma2 = equivalents.noise_variance
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        z1 = np.where(lam == 0, 0.0, lam / w)
    one, two = equivalents.solve(z1), equivalents.solve(lam / (2 - w))
    noise = _product(sigma2, memory_factor(w, noise_ratio, labels))
    if noise_ratio * sigma2 == 0:
        # Only at w = 0 without a penalty: c_t stays at 1, whatever the limit of c(w) as w -> 0.
        noise = np.where((w == 0) & (labels == "fresh"), sigma2, noise)
    risk = equivalents.bias(one, one) + _product(noise, equivalents.variance(one, two))
    if labels == "frozen":
        risk = risk + _product(sigma2, equivalents.variance(one, one))
    return np.asarray(risk, dtype=np.float64)


def _product(factor: ArrayLike, value: Numbers) -> Any:
    """factor * value with 0 * inf = 0: no noise stays no noise at the interpolation threshold."""
    with np.errstate(invalid="ignore"):
        return np.where(np.asarray(factor) == 0, 0.0, factor * value)


def real_only_risk(equivalents: Equivalents, penalty: ArrayLike, times_seen: float = 1.0) -> Floats:
    """B(lambda) + sigma^2 Vr(lambda) / times_seen: one fit on real labels, averaged over that many label draws."""
    solved = equivalents.solve(np.ravel(np.asarray(penalty, float)))
    noise = equivalents.noise_variance / times_seen
    risk = equivalents.bias(solved, solved) + _product(noise, equivalents.variance(solved, solved))
    return np.asarray(risk, dtype=np.float64).reshape(np.shape(penalty))


def variance_factors(weights: Floats, noise_ratio: float, labels: str = "fresh") -> Floats:
    """Min-norm: factors c_t of sigma^2 V, the variance of generation t (sections 3 and 4).

    Fresh labels: c_0 = 1, c_t = w_t^2 + rho (1-w_t)^2 + (1-w_t)^2 c_{t-1}. Frozen ones: real_t^2 + syn_t with
    real_t = w_t + (1-w_t) real_{t-1} = 1 and syn_t = (1-w_t)^2 (rho + syn_{t-1}).
    """
    factors = np.ones((weights.shape[0] + 1, *weights.shape[1:]))
    for t, w in enumerate(weights):
        if labels == "fresh":
            factors[t + 1] = w**2 + (1 - w) ** 2 * (noise_ratio + factors[t])
        else:
            factors[t + 1] = 1 + (1 - w) ** 2 * (noise_ratio + factors[t] - 1)
    return factors


def ridge_filters(weights: Floats, penalty: float, noise_ratio: float, labels: str = "fresh", *, last: bool = False) -> Filters:
    """Bias and variance filters e_t(s), u_t(s) of generations 0 ... T (sections 3 and 4), q = s/(s + lambda):

    e_0 = 1 - q,   e_t = (1-q) + (1-w_t) q e_{t-1}
    u_0 = s/(s+lambda)^2,   u_t = (w_t^2 + rho (1-w_t)^2) s/(s+lambda)^2 + (1-w_t)^2 q^2 u_{t-1}

    and for frozen labels u_t = s/(s+lambda)^2 real_t^2 + syn_t, real_t = w_t + (1-w_t) q real_{t-1},
    syn_t = (1-w_t)^2 (rho s/(s+lambda)^2 + q^2 syn_{t-1}). ``weights`` is (T,); or with ``last`` (T, m), and the rows are
    generation T of m loops.
    """

    def filters(s: Numbers) -> tuple[Numbers, Numbers]:
        # Not by the square, which underflows or overflows where the penalty does not.
        q = s / (s + penalty)
        fit = q / (s + penalty)
        e, u = 1 - q, fit
        real, synthetic = np.ones_like(q), np.zeros_like(q)
        rows = [(e, u)]
        for w in weights[..., None]:
            e = (1 - q) + (1 - w) * q * e
            if labels == "fresh":
                u = (w**2 + noise_ratio * (1 - w) ** 2) * fit + ((1 - w) * q) ** 2 * u
            else:
                real = w + (1 - w) * q * real
                synthetic = (1 - w) ** 2 * (noise_ratio * fit + q**2 * synthetic)
                u = fit * real**2 + synthetic
            rows.append((e, u))
        if last:
            return rows[-1]
        return np.array([e for e, _ in rows]), np.array([u for _, u in rows])

    return filters


def risk_by_generation(
    equivalents: Equivalents, weights: Floats, penalty: float, noise_ratio: float = 1.0, labels: str = "fresh"
) -> Floats:
    """(T + 1,) excess risk of generations 0 ... T for real weights w_1 ... w_T (sections 3 and 4).

    Raises ArithmeticError if the quadrature does not settle to 1e-10.
    """
    if penalty == 0:
        zero = equivalents.solve(0.0)
        factors = variance_factors(weights, noise_ratio, labels)
        noise = _product(equivalents.noise_variance * factors, equivalents.variance(zero, zero))
        return np.asarray(equivalents.bias(zero, zero) + noise, dtype=np.float64)
    bias, variance = functionals(equivalents, penalty, weights.size, ridge_filters(weights, penalty, noise_ratio, labels))
    return bias + variance


def horizon_risk(
    equivalents: Equivalents,
    real_weight: Floats,
    penalty: float,
    generations: int,
    noise_ratio: float = 1.0,
    labels: str = "fresh",
) -> Floats:
    """(m,) excess risk of generation T >= 1 for m constant real weights: ``risk_by_generation`` at its last entry."""
    weights = np.tile(real_weight, (generations, 1))
    if penalty == 0:
        zero = equivalents.solve(0.0)
        factors = variance_factors(weights, noise_ratio, labels)[-1]
        noise = _product(equivalents.noise_variance * factors, equivalents.variance(zero, zero))
        return np.asarray(equivalents.bias(zero, zero) + noise, dtype=np.float64)
    filters = ridge_filters(weights, penalty, noise_ratio, labels, last=True)
    bias, variance = functionals(equivalents, penalty, generations, filters)
    return bias + variance


def limit(equivalents: Equivalents, loop: Loop, aspect: float) -> Limit:
    """Long-run risk, verdict and reference risks of a loop (sections 3, 4 and 6); a schedule's last weight is kept on."""
    w = float(loop.weights(max(1, len(loop.schedule or ())))[-1])
    lam, rho = loop.penalty, loop.synthetic_noise_ratio
    first = float(real_only_risk(equivalents, lam))
    risk = float(limit_risk(equivalents, w, lam, rho, loop.labels))
    if lam == 0 and w == 0 and loop.schedule is not None:
        risk = _after_schedule(equivalents, loop)
    verdict, reason = judge(risk, first, equivalents.null_risk, _why_unbounded(aspect, w, first))
    return Limit(risk, verdict, reason, first, first, equivalents.null_risk)


def _after_schedule(equivalents: Equivalents, loop: Loop) -> float:
    """Min-norm with w = 0 kept on: without synthetic noise the loop stays where the schedule left it."""
    if loop.synthetic_noise_ratio * equivalents.noise_variance > 0:
        return math.inf
    weights = loop.weights(len(loop.schedule or ()))
    return float(risk_by_generation(equivalents, weights, 0.0, loop.synthetic_noise_ratio, loop.labels)[-1])


def _why_unbounded(aspect: float, w: float, first: float) -> str:
    if math.isinf(first):
        return (
            f"at the interpolation threshold: aspect {aspect:g} without a penalty leaves no rows to spare, and the variance "
            "is unbounded from generation 0 on; use a penalty, or more or fewer features"
        )
    return (
        f"real weight {w:g} without a penalty: each generation adds the noise of its synthetic labels and none is forgotten, "
        "so that the excess risk grows linearly"
    )
