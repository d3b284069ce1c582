"""Frozen covariates: the same rows relabelled in each generation (mathematics.md sections 3 and 4).

Every formula takes an ``Equivalents``, made from a population or from a sample, and arrays of weights and penalties that
broadcast; nothing here knows where the equivalents come from. Label renewal kappa is 1 where real labels are drawn anew in each
generation, 0 where the first generation's come back. ``FrozenSetting`` puts the formulas behind the protocol of ``setting``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import Floats
from ..equivalents import Equivalents, Numbers, PopulationEquivalents
from ..loop import Loop
from ..population import Population
from ..words import verdict as words
from .contour import functionals
from .filters import ridge_filters, variance_factors
from .frozen_courses import Law, settled_courses
from .frozen_schedules import FrozenSchedules
from .long_courses import contractions, memory
from .pairs import Pairs
from .plain import PlainRidge
from .verdict import Limit, judge

# Logarithm of what generations may come to: its square is a risk.
_MOST_GROWTH = 200.0
# What is so near the long run stays there.
_NEAR = 1e-9
# Smaller surfaces are evaluated point by point.
_MOST_DIRECT = 150


def memory_factor(real_weight: ArrayLike, noise_ratio: float, renewal: float = 1.0) -> Any:
    """c(w) = (kappa w^2 + rho (1-w)^2) / (w (2-w)) of the two-point variance x12 / (1 - x12); inf at w = 0 (section 4)."""
    w = np.asarray(real_weight, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        factor = (renewal * w**2 + noise_ratio * (1 - w) ** 2) / (w * (2 - w))
    # 0/0: without synthetic noise c(w) = kappa w / (2 - w) tends to 0.
    return np.where(np.isnan(factor), 0.0, factor)


def penalties_of(real_weight: ArrayLike, penalty: ArrayLike, anchor: float = 0.0) -> tuple[Floats, Floats]:
    """z1 = (1-alpha) lambda / w and z2 = (1+alpha) lambda / (2-w), at which a loop's long run is solved (section 3)."""
    w, lam = np.asarray(real_weight, dtype=np.float64), np.asarray(penalty, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        one, two = (1 - anchor) * lam / w, (1 + anchor) * lam / (2 - w)
    return np.where((1 - anchor) * lam == 0, 0.0, one), np.where(lam == 0, 0.0, two)


def long_run(
    bias: Numbers, own: Numbers | float, shared: Numbers, memory: ArrayLike, noise_variance: float, renewal: float
) -> Floats:
    """R = B(z1) + sigma^2 [ (1-kappa) Vr(z1) + c(w) V12 ] at the two penalties of ``penalties_of`` (section 4, limit).

    ``own`` is Vr(z1), which nothing is asked of at kappa = 1; V12 = x12/(1-x12). It does not cancel as w -> 1 or lambda -> 0,
    where it is the min-norm formula.
    """
    kept = product((1 - renewal) * noise_variance, own)
    return np.asarray(bias + kept + product(product(noise_variance, memory), shared), dtype=np.float64)


def product(factor: ArrayLike, value: ArrayLike) -> Any:
    """factor * value with 0 * inf = 0: no noise stays no noise at the interpolation threshold."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(np.asarray(factor) == 0, 0.0, np.multiply(factor, value))


def limit_risk(
    equivalents: Equivalents,
    real_weight: ArrayLike,
    penalty: ArrayLike,
    noise_ratio: float = 1.0,
    renewal: float = 1.0,
    anchor: float = 0.0,
) -> Floats:
    """Long-run excess risk at each (real weight, penalty), arrays that broadcast: ``long_run`` (sections 3 and 4, limits).

    Weights may lie beyond [0, 1]: the risk is infinite unless |m| < 1 on the positive spectrum, that is, unless z1 and z2 are
    positive or beyond it. At w = 0 the loop forgets: R = null risk + rho sigma^2 / (2 (1-alpha) lambda) (1/n) tr Sigma S
    (S + z2)^-1, and without a penalty, or anchored to all of the previous model, R is unbounded unless rho sigma^2 = 0.
    """
    w, lam = np.broadcast_arrays(np.asarray(real_weight, float), np.asarray(penalty, float))
    shape, w, lam = w.shape, w.ravel(), lam.ravel()
    law, risk = (noise_ratio, renewal, anchor), np.empty(w.size)
    # The risk is continuous at w = 0, where lambda/w overflows, and at w = 2.
    edges = {0: (np.abs(w) <= 1e-100) & (lam > 0), 2: (w == 2) & (lam > 0)}
    kept = ~(edges[0] | edges[2])
    if kept.any():
        risk[kept] = _remembering(equivalents, w[kept], lam[kept], law)
    if edges[0].any():
        risk[edges[0]] = _forgetting(equivalents, lam[edges[0]], law)
    if edges[2].any():
        risk[edges[2]] = _reflecting(equivalents, lam[edges[2]], law)
    return risk.reshape(shape)


def _remembering(equivalents: Equivalents, w: Floats, lam: Floats, law: Law) -> Floats:
    (rho, kappa, alpha), sigma2 = law, equivalents.noise_variance
    z1, z2 = penalties_of(w, lam, alpha)
    both = equivalents.solve(np.concatenate([z1, z2]))
    one, two = both[: z1.size], both[z1.size :]
    memory = memory_factor(w, rho, kappa)
    if rho * sigma2 == 0:
        # Only at w = 0 without a penalty: c_t stays at 1, whatever the limit of c(w) as w -> 0.
        memory = np.where(w == 0, kappa, memory)
    own = equivalents.variance(one, one) if kappa < 1 else 0.0
    risk = long_run(equivalents.bias(one, one), own, equivalents.variance(one, two), memory, sigma2, kappa)
    # Without a penalty m = 1 - w, and noise alone can grow.
    grows = (lam == 0) & ((w < 0) | (w > 2)) & (memory * sigma2 != 0)
    grows |= (alpha == 1) & (lam > 0) & (w < 0)
    # No penalty pulls an intercept back.
    grows |= (equivalents.intercept > 0) & ((w < 0) | (w > 2)) & (memory * sigma2 != 0)
    if equivalents.null_risk + sigma2 > 0:
        grows |= np.isnan(one.zv) | np.isnan(two.zv)
    return np.where(grows | np.isnan(risk), math.inf, risk)


def _forgetting(equivalents: Equivalents, lam: Floats, law: Law) -> Floats:
    """The long run at w = 0; at alpha = 1 without synthetic noise it stays at generation 0."""
    rho, _, alpha = law
    noise = rho * equivalents.noise_variance
    if noise * equivalents.intercept > 0:
        # A walk that no penalty pulls back.
        return np.full(lam.size, math.inf)
    if alpha < 1:
        spread = equivalents.spread(equivalents.solve((1 + alpha) * lam / 2))
        with np.errstate(over="ignore"):
            return np.asarray(equivalents.null_risk + noise / (2 * (1 - alpha) * lam) * spread)
    if noise > 0:
        return np.full(lam.size, math.inf)
    one = equivalents.solve(lam)
    return np.asarray(equivalents.bias(one, one) + equivalents.noise_variance * equivalents.variance(one, one))


def _reflecting(equivalents: Equivalents, lam: Floats, law: Law) -> Floats:
    """The long run at w = 2, where z2 is infinite: V12 / (2-w) tends to (1/n) tr Sigma S (S + z1)^-1 / ((1+alpha) lambda)."""
    (rho, kappa, alpha), sigma2 = law, equivalents.noise_variance
    if (4 * kappa + rho) * sigma2 * equivalents.intercept > 0:
        return np.full(lam.size, math.inf)
    one = equivalents.solve((1 - alpha) * lam / 2)
    own = (1 - kappa) * equivalents.variance(one, one) if kappa < 1 else 0.0
    added = (4 * kappa + rho) / 2 * equivalents.spread(one) / ((1 + alpha) * lam)
    return np.asarray(equivalents.bias(one, one) + sigma2 * (own + added), dtype=np.float64)


def weight_penalty_risk(
    equivalents: Equivalents,
    weights: Floats,
    penalties: Floats,
    noise_ratio: float = 1.0,
    renewal: float = 1.0,
    anchor: float = 0.0,
) -> Floats:
    """(weights, penalties) long-run risks: ``limit_risk`` at every pair, at the cost of a few solved points (``Pairs``)."""
    # At alpha = 1 the first of the two points is 0.
    if weights.size * penalties.size <= _MOST_DIRECT or anchor == 1:
        return limit_risk(equivalents, weights[:, None], penalties, noise_ratio, renewal, anchor)
    inner, positive = weights > 0, penalties > 0
    risk = np.empty((weights.size, penalties.size))
    i, j = np.nonzero(~inner[:, None] | ~positive)
    if i.size:
        risk[i, j] = limit_risk(equivalents, weights[i], penalties[j], noise_ratio, renewal, anchor)
    if not (inner.any() and positive.any()):
        return risk
    w = weights[inner][:, None]
    one, two = (np.log(z) for z in penalties_of(w, penalties[positive], anchor))
    pairs = Pairs.between(equivalents, float(min(one.min(), two.min())), float(max(one.max(), two.max())))
    memory = memory_factor(w, noise_ratio, renewal)
    risk[np.ix_(inner, positive)] = long_run(*pairs.at(one, two), memory, equivalents.noise_variance, renewal)
    return risk


def risk_by_generation(
    equivalents: Equivalents,
    weights: Floats,
    penalty: float,
    noise_ratio: float = 1.0,
    renewal: float = 1.0,
    anchor: float = 0.0,
) -> Floats:
    """(T + 1,) excess risk of generations 0 ... T for real weights w_1 ... w_T (sections 3 and 4).

    A loop without bound, as weights beyond [0, 1] may bring, has infinite risks from the generation on at which it has outgrown
    the digits of a float. Raises ArithmeticError if the quadrature does not settle to 1e-10.
    """
    law = noise_ratio, renewal, anchor
    if inert(equivalents, penalty, weights.shape[0]):
        return _interpolating(equivalents, variance_factors(weights, noise_ratio, renewal))
    kept = contractions(weights, penalty, equivalents.bulk[1], anchor)
    # Weights beyond [0, 1] may grow out of what a float holds.
    held = int(np.searchsorted(np.cumsum(np.log(np.maximum(kept, 1.0))), _MOST_GROWTH))
    if np.all(np.abs(1 - weights) <= 1):
        return settled_courses(equivalents, weights, penalty, kept, law)
    # On a contour such filters may outgrow what they are on the spectrum: the last generation that settles, by bisection.
    low, high, risks = 0, min(held, weights.size) + 1, settled_courses(equivalents, weights[:0], penalty, kept[:0], law)
    last, unsettled = high - 1, ArithmeticError("the risk by generation grows out of what a float holds before it settles")
    while high - low > max(1, low // 8):
        try:
            risks = settled_courses(equivalents, weights[:last], penalty, kept[:last], law)
            low = last
        except ArithmeticError as problem:
            high, unsettled = last, problem
        last = (low + high) // 2
    if low == weights.size:
        return risks
    long_run = float(limit_risk(equivalents, weights[-1], penalty, *law))
    known = math.isinf(long_run) or (abs(risks[-1] - long_run) <= _NEAR * long_run and np.all(weights[low:] == weights[-1]))
    if not known:
        raise unsettled
    return np.concatenate([risks, np.full(weights.size - low, long_run)])


def inert(equivalents: Equivalents, penalty: float, generations: int) -> bool:
    """Whether a penalty changes nothing that a float can hold: 1 - q is at most lambda/s, in every generation."""
    return penalty * (generations + 1) <= 1e-17 * equivalents.bulk[0]


def horizon_risk(
    equivalents: Equivalents,
    real_weight: Floats,
    penalty: float,
    generations: int,
    noise_ratio: float = 1.0,
    renewal: float = 1.0,
    anchor: float = 0.0,
) -> Floats:
    """(m,) excess risk of generation T >= 1 for m constant real weights: ``risk_by_generation`` at its last entry."""
    weights = np.tile(real_weight, (generations, 1))
    if inert(equivalents, penalty, generations):
        return _interpolating(equivalents, variance_factors(weights, noise_ratio, renewal)[-1])
    filters = ridge_filters(weights, penalty, noise_ratio, renewal, anchor, shown={generations})
    largest = np.maximum.reduce(
        [contractions(w, penalty, equivalents.bulk[1], anchor) for w in (weights.min(axis=1), weights.max(axis=1))]
    )
    degree = memory(largest)
    bias, variance = functionals(equivalents, penalty, degree, filters)
    return bias + variance


def _interpolating(equivalents: Equivalents, factors: Floats) -> Floats:
    """B + sigma^2 c_t V at v(0) (section 3, min-norm)."""
    zero = equivalents.solve(0.0)
    noise = product(product(equivalents.noise_variance, factors), equivalents.variance(zero, zero))
    return np.asarray(equivalents.bias(zero, zero) + noise, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class FrozenSetting:
    """A loop on the same rows in every generation, on a population or a sample; see ``Setting``."""

    equivalents: Equivalents
    loops: tuple[Loop, ...]

    partly_labelled: ClassVar[bool] = False
    points: ClassVar[int] = 161
    coordinates: ClassVar[tuple[str, ...]] = ("real_weight", "penalty")

    @classmethod
    def of(cls, population: Population, loops: tuple[Loop, ...]) -> "FrozenSetting":
        """On a population, at the loop's aspect."""
        assert loops[-1].aspect is not None
        return cls(PopulationEquivalents(population, loops[-1].aspect), loops)

    @staticmethod
    def check(loops: Sequence[Loop]) -> None:
        """Raise ValueError where there is no closed form."""
        if len(loops) > 1:
            raise ValueError("a sequence of loops needs covariates='fresh' in all of them: frozen rows cannot change")
        (loop,) = loops
        if loop.groups is not None and loop.real_weight is None:
            raise ValueError(
                "frozen covariates with groups of different real weights have no closed form: use covariates='fresh', or "
                "simulate them"
            )
        if loop.penalty > 0 and any(group.row_weight != 1 for group in loop.groups or ()):
            raise ValueError("frozen covariates with a penalty need row_weight 1: divide the penalty by it instead")

    @property
    def loop(self) -> Loop:
        """The loop."""
        return self.loops[-1]

    @property
    def noise_variance(self) -> float:
        """sigma^2."""
        return self.equivalents.noise_variance

    @property
    def null_risk(self) -> float:
        """Excess risk of predicting 0."""
        return self.equivalents.null_risk

    @property
    def bulk(self) -> tuple[float, float]:
        """Ends of the eigenvalues of the sample covariance."""
        return self.equivalents.bulk

    @property
    def scale(self) -> float:
        """The largest eigenvalue of the sample covariance."""
        return self.bulk[1]

    @property
    def law(self) -> Law:
        """rho, kappa and alpha: what the formulas ask of a loop beside its weights and its penalty."""
        return self.loop.synthetic_noise_ratio, self.loop.renewal, self.loop.anchor

    def with_loops(self, loops: Loop | Sequence[Loop]) -> "FrozenSetting":
        """Other loops on the same rows."""
        return replace(self, loops=(loops,) if isinstance(loops, Loop) else tuple(loops))

    def under(self, found: Any, noise_variance: float, signal: Floats, tops: Floats) -> "FrozenSetting":
        """On the sample behind an estimate, were these its noise and its signal."""
        return replace(self, equivalents=found.equivalents(noise_variance, signal, tops))

    def by_generation(self, generations: int, judged: str | None = None) -> Floats:
        """(T + 1,) excess risk; on the same rows coefficients stay, and ``judged`` changes nothing."""
        return risk_by_generation(self.equivalents, self.loop.weights(generations), self.loop.penalty, *self.law)

    def courses(self, loops: Sequence[Loop], generations: int) -> list[Floats]:
        """(T + 1,) risks by generation of each of these loops."""
        weights = np.stack([loop.weights(generations) for loop in loops], axis=-1)
        each = [self.with_loops(loop) for loop in loops]
        penalty = self.loop.penalty
        alike = all((setting.loop.penalty, setting.law) == (penalty, self.law) for setting in each)
        if not alike or np.any(np.abs(1 - weights) > 1) or inert(self.equivalents, penalty, generations):
            return [setting.by_generation(generations) for setting in each]
        kept = contractions(weights, penalty, self.bulk[1], self.law[2])
        return list(settled_courses(self.equivalents, weights, penalty, kept, self.law).T)

    def risk(self, generations: int | None = None) -> float:
        """Of generation T, or in the long run."""
        if generations is not None:
            return float(self.by_generation(generations)[-1])
        w = self._kept_on()
        forgets_nothing = w == 0 and (self.loop.penalty == 0 or self.loop.anchor == 1) and self.loop.schedule is not None
        if forgets_nothing and self.loop.synthetic_noise_ratio * self.noise_variance == 0:
            # Without synthetic noise the loop stays where the schedule left it.
            return self.risk(len(self.loop.schedule or ()))
        return float(limit_risk(self.equivalents, w, self.loop.penalty, *self.law))

    def risks(self, generations: int | None = None, judged: str | None = None, **coordinates: ArrayLike) -> Floats:
        """Of loops with these constant real weights and penalties."""
        w = coordinates["real_weight"] if "real_weight" in coordinates else self._kept_on()
        w, lam = np.broadcast_arrays(np.asarray(w, dtype=np.float64), np.asarray(coordinates.get("penalty", self.loop.penalty)))
        if generations is None:
            return limit_risk(self.equivalents, w, lam, *self.law)
        risk = np.empty(w.shape)
        for each in np.unique(lam):
            at = lam == each
            risk[at] = horizon_risk(self.equivalents, w[at], float(each), generations, *self.law)
        return risk

    @classmethod
    def surface(cls, population: Population, loop: Loop, grid: dict[str, Floats]) -> dict[str, Floats]:
        """Long-run risks over (real weight, penalty) for each aspect and anchor."""
        loop = loop.replace(real_weight=1.0) if "real_weight" in grid else loop
        aspects = grid.get("aspect", np.array([loop.aspect], dtype=np.float64))
        anchors = grid.get("anchor", np.array([loop.anchor]))
        layers = []
        for aspect in aspects:
            setting = cls.of(population, (loop.replace(aspect=float(aspect)),))
            weights = grid.get("real_weight", np.array([setting._kept_on()]))
            penalties = grid.get("penalty", np.array([loop.penalty]))
            law = setting.law[:2]
            risks = [weight_penalty_risk(setting.equivalents, weights, penalties, *law, float(each)) for each in anchors]
            layers.append(np.stack(risks, axis=-1))
        axes = ("real_weight", "penalty", "aspect", "anchor")
        absent = tuple(axis for axis, name in enumerate(axes) if name not in grid)
        return {"risk": np.squeeze(np.stack(layers, axis=-2), axis=absent)}

    def _kept_on(self) -> float:
        """The real weight of the long run."""
        return float(self.loop.weights(max(1, len(self.loop.schedule or ())))[-1])

    def schedules(self, generations: int) -> FrozenSchedules:
        """The loop at any real weights w_1 ... w_T."""
        return FrozenSchedules.of(self.equivalents, self.loop.penalty, generations, *self.law)

    def collapse_number(self) -> None:
        """None: frozen rows have no such number."""

    def limit(self) -> Limit:
        """Risk in the long run, with a verdict (sections 3, 4 and 6)."""
        first, risk, null = self.real_only().risk(self.loop.penalty), self.risk(), self.null_risk
        why = words.frozen_unbounded(self.loop.aspect, self._kept_on(), math.isinf(first), self.loop.penalty)
        verdict, reason = judge(risk, first, null, why, by=words.means(self.loop))
        return Limit(risk, verdict, reason, first, first, null)

    def real_only(self) -> PlainRidge:
        """Generation 0 for ever: B(lambda) + sigma^2 Vr(lambda)."""
        return PlainRidge(self.equivalents)

    def keep_all(self, generations: int) -> PlainRidge:
        """All real labels of generations 0 ... t averaged: sigma^2 [(1-kappa) + kappa/(t+1)] of noise is left."""
        renewal = self.law[1]
        return PlainRidge(self.equivalents, 1 / (1 - renewal + renewal / (generations + 1)))
