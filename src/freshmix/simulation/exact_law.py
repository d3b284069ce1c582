"""Runs of gaussian loops in O(n) time and memory a generation, equal in law to dense ones (mathematics.md section 8).

Golub-Kahan bidiagonalisation of a gaussian design from a fixed start vector has independent chi entries: the design is never
drawn, only its bidiagonal form B in the coordinates that the run can reach.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpttrf, dpttrs

from ..arguments import Floats
from ..sampling import Diagonal, Generator, counts_of
from .experiment import CHOICE, COEFFICIENTS, DESIGN, REAL, SYNTHETIC, Experiment
from .namespace import Arrays

_BLOCK = 1 << 15


@dataclass(frozen=True)
class Spike:
    """Sigma = tau (I + s v v') over p features, and signal energies along v and across it."""

    tau: float
    strength: float
    along: float
    across: float
    features: int


def spike_of(experiment: Experiment) -> Spike | None:
    """The population as a spike (of strength 0 where it is isotropic), or None if it is neither."""
    assert isinstance(experiment.source, Diagonal)
    population = experiment.source.population
    counts = counts_of(population, experiment.source.features)
    kept = (population.eigenvalues > 0) & (counts > 0)
    tau, g, sizes = population.eigenvalues[kept], population.signal[kept], counts[kept]
    if np.all(tau == tau[0]):
        return Spike(float(tau[0]), 0.0, float(g.sum()), 0.0, int(sizes.sum()))
    if tau.size != 2 or sizes.min() != 1:
        return None
    one = int(np.argmin(sizes))
    bulk = float(tau[1 - one])
    return Spike(bulk, float(tau[one]) / bulk - 1, float(g[one]), float(g[1 - one]), int(sizes.sum()))


# No design is drawn; label noise is.
DENSE, EXPECTS = False, False


def refusal(experiment: Experiment, noise: str) -> str:
    """Why this engine does not cover an experiment, or nothing."""
    if not isinstance(experiment.source, Diagonal):
        return "it is for a Population"
    if noise == "expected":
        return "it gives runs with drawn labels (noise='sampled')"
    if experiment.arrays != Arrays():
        return "it runs on the CPU in float64"
    if experiment.entries.name != "gaussian" or experiment.label_noise.name != "gaussian":
        return "it is for gaussian entries and noise"
    if experiment.workflow != "replace":
        return f"workflow {experiment.workflow!r} needs engine='redraw'"
    if any(loop.kept_generations != 0 for loop in experiment.loops):
        return "kept rows need engine='redraw'"
    if not experiment.alike:
        return "rows of different weights need engine='redraw'"
    if min(experiment.source.features, *experiment.rows) < 2:
        return "it needs at least two rows and two features"
    spike = spike_of(experiment)
    if spike is None:
        return "it is for isotropic populations and single spikes"
    if spike.features < 2:
        return "it needs at least two features"
    if experiment.source.population.row_sizes is not None:
        return "rows of unequal size are not gaussian: they need a drawn design"
    return "with fresh covariates it is for isotropic populations" if experiment.fresh and spike.strength != 0 else ""


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
        alpha = _chi(rng, n, r, tau)
        beta = _chi(rng, p - 1, r if n < p else p - 1, tau)
        alpha[0] *= math.sqrt(1 + strength)
        return cls(alpha, beta, n)

    @property
    def columns(self) -> int:
        """Coordinates that coefficients have."""
        return max(self.alpha.size, self.beta.size + 1)

    def times(self, x: Floats, out: Floats) -> Floats:
        """B x."""
        np.multiply(self.alpha, x[: self.alpha.size], out=out)
        for part in blocks(self.beta.size):
            out[part] += self.beta[part] * x[1:][part]
        return out

    def transposed_times(self, y: Floats, out: Floats) -> Floats:
        """B' y."""
        np.multiply(self.alpha, y, out=out[: y.size])
        out[y.size :] = 0.0
        for part in blocks(self.beta.size):
            out[1:][part] += self.beta[part] * y[part]
        return out

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

    def __call__(self, labels: Floats, out: Floats) -> Floats:
        """(c,) coefficients fitted to (r,) labels, which are overwritten."""
        solution, _ = dpttrs(self.d, self.e, labels[:, None], overwrite_b=True)
        solution = solution[:, 0]
        solution /= self.design.rows
        return self.design.transposed_times(solution, out)


def blocks(size: int) -> Iterator[slice]:
    """Slices short enough that temporary arrays stay in the cache: large ones cost more in page faults than in work."""
    return (slice(start, min(start + _BLOCK, size)) for start in range(0, size, _BLOCK))


def _chi(rng: Generator, first: int, size: int, tau: float) -> Floats:
    """sqrt(tau) times independent chi variables of first, first - 1, ... degrees of freedom."""
    found = np.empty(size)
    for part in blocks(size):
        degrees = first - np.arange(part.start, part.stop, dtype=np.float64)
        found[part] = np.sqrt(tau * rng.chisquare(degrees))
    return found


def together(experiment: Experiment) -> int:
    """One replicate at a time: each has a bidiagonal form of its own."""
    return 1


def risks(experiment: Experiment, replicates: Sequence[int]) -> Floats:
    """(R, W, P, T + 1) excess risks of runs with drawn labels: the same design and noise for all weights and penalties."""
    spike = spike_of(experiment)
    assert spike is not None
    run = fresh if experiment.fresh else frozen
    return np.stack([run(experiment, replicate, spike) for replicate in replicates])


def frozen(experiment: Experiment, replicate: int, spike: Spike) -> Floats:
    """beta = (sqrt(b) theta, sqrt(b (1-theta^2)) G / |(G, rem)|) with rem^2 ~ chi^2_(p-c).

    What lies beyond the c coordinates is never learned. An anchor alpha is a fit to residuals,
    bhat_t = L(labels - alpha B bhat_(t-1)) + alpha bhat_(t-1).
    """
    loop = experiment.loops[0]
    sigma, rho = math.sqrt(experiment.source.noise_variance), loop.synthetic_noise_ratio
    B = Bidiagonal.draw(experiment.rng(replicate, 0, DESIGN), experiment.rows[0], spike.features, spike.tau, spike.strength)
    beta, beyond = _coefficients(experiment.rng(replicate, 0, COEFFICIENTS), B.columns, spike)
    r, c = B.alpha.size, B.columns
    signal = B.times(beta, np.empty(r))
    W, P = experiment.shape[:2]
    bhat = np.empty((W, P, c))
    real, synthetic, labels = np.empty(r), np.empty(r), np.empty(r)
    pull = np.empty(c) if loop.anchor else None

    def risk(x: Floats) -> float:
        total = 0.0
        for part in blocks(c):
            gap = x[part] - beta[part]
            total += float(gap @ gap)
        along = float(x[0] - beta[0])
        return spike.tau * (total + spike.strength * along * along) + beyond

    found = np.empty(experiment.shape)
    learners = [B.learner(float(penalty)) for penalty in experiment.penalty(0)]

    def labels_of(t: int) -> Floats:
        real[:] = signal
        for factor, *of in experiment.real_noise(t):
            _add_noise(factor * sigma, experiment.rng(replicate, *of), real)
        return real

    for j, learner in enumerate(learners):
        bhat[:, j] = learner(labels_of(0), bhat[0, j])
        found[:, j, 0] = risk(bhat[0, j])
    for t in range(1, experiment.generations + 1):
        labels_of(t)
        synthetic[:] = 0.0
        _add_noise(sigma * math.sqrt(rho), experiment.rng(replicate, t, SYNTHETIC), synthetic)
        weights = np.broadcast_to(experiment.real_weights(t)[:, 0], (W,))
        for i, j in np.ndindex(W, P):
            B.times(bhat[i, j], labels)
            for part in blocks(r):
                labels[part] *= 1 - weights[i] - loop.anchor
                labels[part] += weights[i] * real[part] + (1 - weights[i]) * synthetic[part]
            if pull is not None:
                np.multiply(loop.anchor, bhat[i, j], out=pull)
            learners[j](labels, bhat[i, j])
            if pull is not None:
                bhat[i, j] += pull
            found[i, j, t] = risk(bhat[i, j])
    return found


def _add_noise(deviation: float, rng: Generator, out: Floats) -> None:
    """out + deviation N(0, 1); without label noise nothing is drawn."""
    if deviation > 0:
        for part in blocks(out.size):
            out[part] += deviation * rng.standard_normal(part.stop - part.start)


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


def fresh(experiment: Experiment, replicate: int, spike: Spike) -> Floats:
    """The state of a run is b = |beta|^2, a = <beta, e> and Q = |e|^2, e = bhat - beta.

    Less the anchor, labels are X r + xi with r = (1-alpha) beta + (k-alpha) e, k = 1 - w, H = |r|. The fit to them,
    x = L(B(H e_1) + sd(xi) N), is linear in (H, sd), so that two solves serve all weights; bhat = alpha (beta + e) + x.
    """
    p, sigma2 = spike.features, experiment.source.noise_variance
    W, P, T = experiment.shape[0], experiment.shape[1], experiment.generations
    b, a, Q = spike.along, np.full((W, P), -spike.along), np.full((W, P), spike.along)
    found = np.empty(experiment.shape)
    for t in range(T + 1):
        w = np.broadcast_to(experiment.real_weights(t)[:, :1], (W, 1)) if t else np.ones((W, 1))
        rho, alpha = experiment.loop(max(t, 1)).synthetic_noise_ratio, experiment.loop(t).anchor if t else 0.0
        k = 1 - w
        sd = np.sqrt(sigma2 * (w**2 + rho * k**2))
        H = np.sqrt(np.maximum((1 - alpha) ** 2 * b + 2 * (1 - alpha) * (k - alpha) * a + (k - alpha) ** 2 * Q, 0.0))
        B = Bidiagonal.draw(experiment.rng(replicate, t, DESIGN), experiment.rows[t], p, spike.tau)
        N = experiment.rng(replicate, t, REAL).standard_normal(B.alpha.size)
        zeta = float(_direction(experiment.rng(replicate, t, CHOICE), 1, p - 1)[0])
        first = np.zeros(B.alpha.size)
        first[0] = B.alpha[0]
        x1, tail = np.empty((W, P)), np.empty((W, P))
        for j, penalty in enumerate(experiment.penalty(t)):
            learner = B.learner(float(penalty))
            u, v = learner(first.copy(), np.empty(B.columns)), learner(N.copy(), np.empty(B.columns))
            uu, uv, vv = (float(one[1:] @ two[1:]) for one, two in ((u, u), (u, v), (v, v)))
            h, s = H[:, j], sd[:, 0]
            x1[:, j] = h * u[0] + s * v[0]
            tail[:, j] = np.maximum(h**2 * uu + 2 * h * s * uv + s**2 * vv, 0.0)
        # beta and e along r and across it, in their plane; x is across it in a direction that does not depend on the plane.
        along, along_e = (
            np.divide(inner, H, out=np.zeros((W, P)), where=H > 0)
            for inner in ((1 - alpha) * b + (k - alpha) * a, (1 - alpha) * a + (k - alpha) * Q)
        )
        across = np.sqrt(np.maximum(b - along**2, 0.0))
        across_e = np.copysign(np.sqrt(np.maximum(Q - along_e**2, 0.0)), a - along * along_e)
        beta_x, e_x = (one * x1 + two * np.sqrt(tail) * zeta for one, two in ((along, across), (along_e, across_e)))
        square = x1**2 + tail
        Q = square - 2 * (1 - alpha) * beta_x + (1 - alpha) ** 2 * b + alpha * (alpha * Q - 2 * (1 - alpha) * a + 2 * e_x)
        a = beta_x - (1 - alpha) * b + alpha * a
        now = Q
        if experiment.persistence < 1:
            b, a, Q = _drifted(experiment.rng(replicate, t + 1, COEFFICIENTS), experiment.persistence, spike, b, a, Q)
        found[:, :, t] = spike.tau * (now if experiment.judged == "now" else Q)
    return found


def _direction(rng: Generator, coordinates: int, dimensions: int) -> Floats:
    """The first coordinates of a unit vector that is uniform in so many dimensions."""
    g = rng.standard_normal(coordinates)
    rest = float(rng.chisquare(dimensions - coordinates)) if dimensions > coordinates else 0.0
    return np.asarray(g / math.sqrt(float(g @ g) + rest))


def _drifted(rng: Generator, c: float, spike: Spike, b: float, a: Floats, Q: Floats) -> tuple[float, Floats, Floats]:
    """The state about beta' = c beta + sqrt(1 - c^2) xi, with xi uniform on the sphere of the signal's energy."""
    one, two = math.sqrt(spike.along) * _direction(rng, 2, spike.features)
    along = a / math.sqrt(b) if b > 0 else np.zeros_like(a)
    s, xi_beta = math.sqrt(1 - c**2), math.sqrt(b) * one
    beta = c * b + s * xi_beta  # <beta', beta>
    new = c**2 * b + 2 * c * s * xi_beta + s**2 * spike.along
    e = c * a + s * (along * one + np.sqrt(np.maximum(Q - along**2, 0.0)) * two)  # <beta', e>
    return new, e + beta - new, Q + (b + new - 2 * beta) + 2 * (a - e)
