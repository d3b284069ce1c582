"""Runs of gaussian loops in O(n) time and memory a generation, equal in law to dense ones (MATH section 8).

Golub-Kahan bidiagonalisation of a gaussian design from a fixed start vector has independent chi entries: the design is never
drawn, only its bidiagonal form B in the coordinates that the run can reach.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpttrf, dpttrs

from .._checks import Floats
from ..sampling import Diagonal, Generator, counts_of
from .setting import CHOICE, COEFFICIENTS, DESIGN, REAL, SYNTHETIC, Setting


@dataclass(frozen=True)
class Spike:
    """Sigma = tau (I + s v v') over p features, and signal energies along v and across it."""

    tau: float
    strength: float
    along: float
    across: float
    features: int


def spike_of(setting: Setting) -> Spike | None:
    """The population as a spike (of strength 0 where it is isotropic), or None if it is neither."""
    assert isinstance(setting.source, Diagonal)
    population, counts = counts_of(setting.source.population, setting.source.features)
    kept = (population.eigenvalues > 0) & (counts > 0)
    tau, g, sizes = population.eigenvalues[kept], population.signal[kept], counts[kept]
    if np.all(tau == tau[0]):
        return Spike(float(tau[0]), 0.0, float(g.sum()), 0.0, int(sizes.sum()))
    if tau.size != 2 or sizes.min() != 1:
        return None
    one = int(np.argmin(sizes))
    bulk = float(tau[1 - one])
    return Spike(bulk, float(tau[one]) / bulk - 1, float(g[one]), float(g[1 - one]), int(sizes.sum()))


def not_covered(setting: Setting) -> str:
    """Why this engine does not cover the population, or nothing."""
    spike = spike_of(setting)
    if spike is None:
        return "it is for isotropic populations and single spikes"
    if spike.features < 2:
        return "it needs at least two features"
    if setting.loops[0].covariates == "fresh" and spike.strength != 0:
        return "with fresh covariates it is for isotropic populations"
    return ""


@dataclass(frozen=True)
class Bidiagonal:
    """B: ``alpha`` on the diagonal, ``beta`` above it; n x (n+1) for n < p, p x p otherwise."""

    alpha: Floats
    beta: Floats
    rows: int

    @classmethod
    def draw(cls, rng: Generator, n: int, p: int, tau: float, strength: float = 0.0) -> "Bidiagonal":
        """alpha_i ~ chi_(n-i+1), beta_i ~ chi_(p-i); alpha_1 times sqrt(1+s); all times sqrt(tau)."""
        r = min(n, p)
        i = np.arange(r, dtype=np.float64)
        alpha = np.sqrt(tau * rng.chisquare(n - i))
        beta = np.sqrt(tau * rng.chisquare(p - 1 - i[: r if n < p else p - 1]))
        alpha[0] *= math.sqrt(1 + strength)
        return cls(alpha, beta, n)

    @property
    def columns(self) -> int:
        """Coordinates that coefficients have."""
        return max(self.alpha.size, self.beta.size + 1)

    def times(self, x: Floats) -> Floats:
        """B x."""
        y = self.alpha * x[: self.alpha.size]
        y[: self.beta.size] += self.beta * x[1 : 1 + self.beta.size]
        return y

    def transposed_times(self, y: Floats) -> Floats:
        """B' y."""
        x = np.zeros(self.columns)
        x[: y.size] = self.alpha * y
        x[1 : 1 + self.beta.size] += self.beta * y[: self.beta.size]
        return x

    def learner(self, penalty: float) -> "Learner":
        """Factorise B B'/n + lambda, a tridiagonal matrix."""
        diagonal = self.alpha**2
        diagonal[: self.beta.size] += self.beta**2
        diagonal /= self.rows
        diagonal += penalty
        between = self.beta[: self.alpha.size - 1] * self.alpha[1:] / self.rows
        d, e, failed = dpttrf(diagonal, between, overwrite_d=True, overwrite_e=True)
        if failed:
            raise ArithmeticError("the design is singular to working precision: use a penalty")
        return Learner(self, d, e)


@dataclass(frozen=True)
class Learner:
    """L(y) = B'(B B'/n + lambda)^-1 y / n."""

    design: Bidiagonal
    d: Floats
    e: Floats

    def __call__(self, labels: Floats) -> Floats:
        """(c,) coefficients fitted to (r,) labels."""
        solution, _ = dpttrs(self.d, self.e, labels[:, None])
        return self.design.transposed_times(solution[:, 0] / self.design.rows)


def risks(setting: Setting, replicate: int) -> Floats:
    """(W, P, T + 1) excess risks of a run with drawn labels; the same design and noise for all weights and penalties."""
    spike = spike_of(setting)
    assert spike is not None
    if setting.loops[0].covariates == "fresh":
        return fresh(setting, replicate, spike)
    return frozen(setting, replicate, spike)


def frozen(setting: Setting, replicate: int, spike: Spike) -> Floats:
    """beta = (sqrt(b) theta, sqrt(b (1-theta^2)) G / |(G, rem)|) with rem^2 ~ chi^2_(p-c).

    What lies beyond the c coordinates is never learned.
    """
    loop = setting.loops[0]
    sigma, rho = math.sqrt(setting.source.noise_variance), loop.synthetic_noise_ratio
    B = Bidiagonal.draw(setting.rng(replicate, 0, DESIGN), setting.rows[0], spike.features, spike.tau, spike.strength)
    beta, beyond = _coefficients(setting.rng(replicate, 0, COEFFICIENTS), B.columns, spike)
    signal = B.times(beta)

    def noise(t: int, purpose: int) -> Floats:
        return sigma * setting.rng(replicate, t, purpose).standard_normal(B.alpha.size)

    def risk(x: Floats) -> float:
        x = x - beta
        return spike.tau * (float(x @ x) + spike.strength * float(x[0]) ** 2) + beyond

    found = np.empty(setting.shape)
    learners = [B.learner(float(penalty)) for penalty in setting.penalty(0)]
    first = signal + noise(0, REAL)
    bhat = [[learner(first) for learner in learners]] * setting.shape[0]
    found[:, :, 0] = [risk(x) for x in bhat[0]]
    if loop.labels == "fresh":
        first = signal
    for t in range(1, setting.generations + 1):
        real = first if loop.labels == "frozen" else signal + noise(t, REAL)
        drawn = math.sqrt(rho) * noise(t, SYNTHETIC) if rho > 0 else 0.0
        weights = np.broadcast_to(setting.real_weights(t)[:, 0], setting.shape[:1])
        bhat = [
            [learner(w * real + (1 - w) * (B.times(x) + drawn)) for learner, x in zip(learners, course, strict=True)]
            for w, course in zip(weights, bhat, strict=True)
        ]
        found[:, :, t] = [[risk(x) for x in course] for course in bhat]
    return found


def _coefficients(rng: Generator, columns: int, spike: Spike) -> tuple[Floats, float]:
    """(c,) coefficients, and the risk of the signal beyond the coordinates that a run can reach."""
    beta = np.zeros(columns)
    beta[0] = math.sqrt(spike.along)
    if spike.across == 0:
        return beta, 0.0
    G = rng.standard_normal(columns - 1)
    beyond = spike.features - columns
    rem2 = float(rng.chisquare(beyond)) if beyond > 0 else 0.0
    total = float(G @ G) + rem2
    beta[1:] = math.sqrt(spike.across / total) * G
    return beta, spike.tau * spike.across * rem2 / total


def fresh(setting: Setting, replicate: int, spike: Spike) -> Floats:
    """The state of a run is a = <beta, e> and Q = |e|^2; labels are X h + xi with h = beta + (1 - w) e.

    x = L(B(H e_1) + sd(xi) N) is linear in (H, sd), so that two solves serve all weights. With zeta the cosine between the
    part of beta across h and that of bhat: <beta, bhat> = (c_h/H) x_1 + beta_perp |x_(2:)| zeta.
    """
    b, p, sigma2 = spike.along, spike.features, setting.source.noise_variance
    W, P, T = setting.shape[0], setting.shape[1], setting.generations
    a, Q = np.full((W, P), -b), np.full((W, P), b)
    found = np.empty(setting.shape)
    for t in range(T + 1):
        w = np.broadcast_to(setting.real_weights(t)[:, :1], (W, 1)) if t else np.ones((W, 1))
        rho = setting.loop(max(t, 1)).synthetic_noise_ratio
        k = 1 - w
        H = np.sqrt(np.maximum(b + 2 * k * a + k**2 * Q, 0.0))
        along = np.divide(b + k * a, H, out=np.zeros((W, P)), where=H > 0)
        sd = np.sqrt(sigma2 * (w**2 + rho * k**2))
        B = Bidiagonal.draw(setting.rng(replicate, t, DESIGN), setting.rows[t], p, spike.tau)
        N = setting.rng(replicate, t, REAL).standard_normal(B.alpha.size)
        rng = setting.rng(replicate, t, CHOICE)
        g = float(rng.standard_normal())
        zeta = g / math.sqrt(g**2 + (float(rng.chisquare(p - 2)) if p > 2 else 0.0))
        first = np.zeros(B.alpha.size)
        first[0] = B.alpha[0]
        for j, penalty in enumerate(setting.penalty(t)):
            learner = B.learner(float(penalty))
            u, v = learner(first), learner(N)
            uu, uv, vv = (float(one[1:] @ two[1:]) for one, two in ((u, u), (u, v), (v, v)))
            h, s = H[:, j], sd[:, 0]
            x1 = h * u[0] + s * v[0]
            tail = np.maximum(h**2 * uu + 2 * h * s * uv + s**2 * vv, 0.0)
            across = np.sqrt(np.maximum(b - along[:, j] ** 2, 0.0))
            inner = along[:, j] * x1 + across * np.sqrt(tail) * zeta
            a[:, j], Q[:, j] = inner - b, x1**2 + tail - 2 * inner + b
        found[:, :, t] = spike.tau * Q
    return found
