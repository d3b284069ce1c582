"""Frozen covariates: one eigendecomposition serves all generations, weights and penalties (mathematics.md sections 3 and 4)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from array_api_compat import array_namespace

from ..arguments import Floats
from ..sampling import Task
from .experiment import COEFFICIENTS, DESIGN, SYNTHETIC, Experiment
from .namespace import Array, Arrays, eigh, to_numpy


@dataclass(frozen=True)
class Rotated:
    """A design X in the eigenbasis of S = X'X/n, r directions of positive eigenvalue.

    V'Sigma V is a number times the identity where Sigma is one, else made of root' V. What grows with n times p lies on the
    device; what grows with r is NumPy's.
    """

    s: Floats  # (r,)
    b: Floats  # (r,) V'beta
    rows: int
    scale: float | None  # tau, where Sigma = tau I
    root: Array  # (m, r) root' V, None where Sigma = tau I
    rest: Array  # (m,) root' (beta - V V'beta), None where Sigma = tau I
    outside: float  # ||(I - V V') beta||^2_Sigma
    noise: Floats | None  # (k, r) U' noise of k label vectors
    arrays: Arrays

    @classmethod
    def of(cls, X: Array, task: Task, arrays: Arrays, noise: Floats | None = None) -> "Rotated":
        """One Gram matrix and one eigendecomposition of the smaller side; (k, n) label noise is rotated with it."""
        xp = array_namespace(X)
        n, p = X.shape
        wide = p > n
        s, vectors = eigh((X @ X.T if wide else X.T @ X) / n)
        length = xp.sqrt(n * s)
        beta = arrays.load(task.beta)
        projected = vectors.T @ (X @ beta) / length if wide else vectors.T @ beta
        if noise is not None:
            # U' noise itself, not as many numbers drawn anew: a run must not depend on the choice of eigenvectors.
            drawn = arrays.load(noise)
            noise = to_numpy(drawn @ vectors if wide else (drawn @ X) @ vectors / length)
        b, full = to_numpy(projected), s.shape[0] == p
        if task.scale is not None:
            outside = 0.0 if full else task.scale * max(float(task.beta @ task.beta - b @ b), 0.0)
            return cls(to_numpy(s), b, n, task.scale, None, None, outside, noise, arrays)
        V = X.T @ (vectors / length) if wide else vectors
        root = arrays.load(task.root(to_numpy(V)))
        beyond = xp.zeros_like(beta) if full else beta - V @ projected
        rest = arrays.load(task.root(to_numpy(beyond)[:, None])[:, 0])
        return cls(to_numpy(s), b, n, None, root, rest, float(rest @ rest), noise, arrays)

    @cached_property
    def metric(self) -> Array:
        """(r, r) V'Sigma V, where Sigma is no number times the identity."""
        return self.root.T @ self.root

    def energy(self, vectors: Floats) -> Floats:
        """||V a + (I - V V') beta||^2_Sigma of (..., r) coordinates a."""
        if self.scale is not None:
            return np.asarray(self.scale * np.vecdot(vectors, vectors) + self.outside)
        flat = self.arrays.load(vectors.reshape(-1, vectors.shape[-1]))
        xp = array_namespace(flat)
        if flat.shape[0] * 2 < flat.shape[1]:
            # Too few to be worth V'Sigma V.
            images = flat @ self.root.T + self.rest
            found = to_numpy(xp.vecdot(images, images))
        else:
            found = to_numpy(xp.vecdot(flat @ self.metric + 2 * (self.rest @ self.root), flat)) + self.outside
        return found.reshape(vectors.shape[:-1])

    def quadratic(self, columns: Floats) -> tuple[Floats, Floats]:
        """(k, k) N and (k,) m of (r, k) columns C: ||V C f + (I - V V') beta||^2_Sigma = f'N f + 2 m'f + outside."""
        if self.scale is not None:
            return self.scale * (columns.T @ columns), np.zeros(columns.shape[1])
        images = self.root @ self.arrays.load(columns)
        return to_numpy(images.T @ images), to_numpy(images.T @ self.rest)

    def diagonal(self) -> Floats:
        """(r,) diagonal of V'Sigma V."""
        if self.scale is not None:
            return np.full(self.s.size, self.scale)
        xp = array_namespace(self.root)
        return to_numpy(xp.vecdot(self.root, self.root, axis=-2))


# One design is drawn and decomposed; label noise is drawn only where runs are asked for.
DENSE, EXPECTS = True, True


def refusal(experiment: Experiment, noise: str) -> str:
    """Why this engine does not cover an experiment, or nothing."""
    if experiment.fresh:
        return "it is for frozen covariates"
    if experiment.workflow != "replace":
        return f"workflow {experiment.workflow!r} needs engine='redraw'"
    return "" if experiment.alike else "rows of different weights need engine='redraw'"


def together(experiment: Experiment) -> int:
    """One replicate at a time: each has an eigendecomposition of its own."""
    return 1


def risks(experiment: Experiment, replicates: Sequence[int]) -> Floats:
    """(R, W, P, T + 1) excess risks, each replicate on its own design."""
    return np.stack([_on_one_design(experiment, replicate) for replicate in replicates])


def _on_one_design(experiment: Experiment, replicate: int) -> Floats:
    """(W, P, T + 1) excess risks.

    Expected over label noise given X (mathematics.md section 3: exact for any n), or of a run with drawn labels.
    """
    task = experiment.source.task(experiment.rng(replicate, 0, COEFFICIENTS), experiment.entries)
    X = task.rows(experiment.rng(replicate, 0, DESIGN), experiment.rows[0])
    noise = None if experiment.expected else label_noise(experiment, replicate)
    design = Rotated.of(experiment.arrays.load(X), task, experiment.arrays, noise)
    W, T = experiment.shape[0], experiment.generations
    weights = np.empty((W, T))
    for t in range(1, T + 1):
        weights[:, t - 1] = experiment.real_weights(t)[:, 0]
    penalties = experiment.penalty(1)
    if experiment.expected:
        return np.stack([expected(design, experiment, weights, float(each)) for each in penalties], axis=1)
    return sampled(design, experiment, weights, penalties)


def expected(design: Rotated, experiment: Experiment, weights: Floats, penalty: float) -> Floats:
    """R_t = beta' e_t(S) Sigma e_t(S) beta + (sigma^2/n) tr Sigma u_t(S), for (W, T) weights: (W, T + 1).

    e_0 = 1 - q, e_t = (1-alpha) (1-q) + m_t e_(t-1) with m_t = alpha (1-q) + (1-w_t) q; over u_0 = s/(s+lambda)^2,
    u_t = (1-kappa) kept_t^2 + own_t with kept_t = w_t + m_t kept_(t-1), kept_0 = 1, for labels that come again, and
    own_t = kappa w_t^2 + rho (1-w_t)^2 + m_t^2 own_(t-1), own_0 = kappa (mathematics.md sections 3 and 4).
    """
    loop = experiment.loops[0]
    alpha, kappa = loop.anchor, loop.renewal
    rho, sigma2 = loop.synthetic_noise_ratio, experiment.source.noise_variance
    W, T = weights.shape
    c, L = nodes(penalty / (design.s + penalty), 2 * T + 2)
    q = 1 - c
    u0 = design.s / (design.s + penalty) / (design.s + penalty)
    trace = design.diagonal() * u0 * (sigma2 / design.rows)
    trace = trace if L is None else trace @ L
    if L is not None:
        N, k = design.quadratic(design.b[:, None] * L)

    def bias(e: Floats) -> Floats:
        if L is None:
            return design.energy(e * design.b)
        return np.asarray(np.vecdot(e @ N + 2 * k, e) + design.outside)

    found = np.empty((W, T + 1))
    # u_t over u_0, so that it stays of order one.
    e, own, kept = np.broadcast_to(c, (W, c.size)), np.full((W, c.size), kappa), np.ones((W, c.size))
    found[:, 0] = bias(e) + trace.sum()
    for t in range(1, T + 1):
        w = weights[:, t - 1, None]
        m = alpha * c + (1 - w) * q
        e = (1 - alpha) * c + m * e
        kept = w + m * kept
        own = kappa * w**2 + rho * (1 - w) ** 2 + m**2 * own
        found[:, t] = bias(e) + ((1 - kappa) * kept**2 + own) @ trace
    return found


def nodes(points: Floats, degree: int) -> tuple[Floats, Floats | None]:
    """(k,) Chebyshev nodes on the range of (r,) points, and (r, k) Lagrange polynomials at the points.

    The filters of generation t are polynomials of degree 2t at most in 1 - q: their values at more nodes than that give
    them at all points. Where there are no more points than nodes, the points themselves and None.
    """
    if degree >= points.size:
        return points, None
    low, high = float(points.min()), float(points.max())
    if high - low <= 1e-14 * high:
        return np.array([(low + high) / 2]), np.ones((points.size, 1))
    theta = np.pi * (np.arange(degree) + 0.5) / degree
    x = np.cos(theta)
    at = np.clip((points - low) / (high - low) * 2 - 1, -1.0, 1.0)
    gaps = at[:, None] - x
    exact = gaps == 0
    gaps[exact] = 1.0
    ratios = np.sin(theta) * (-1.0) ** np.arange(degree) / gaps
    L = ratios / ratios.sum(axis=1, keepdims=True)
    rows = exact.any(axis=1)
    L[rows] = exact[rows]
    return low + (high - low) * (x + 1) / 2, L


def label_noise(experiment: Experiment, replicate: int) -> Floats:
    """(2T + 1, n) noise of real labels of generations 0 ... T, then of synthetic ones of 1 ... T."""

    @cache
    def drawn(t: int, purpose: int) -> Floats:
        return experiment.label_noise.draw(experiment.rng(replicate, t, purpose), (experiment.rows[0],))

    T = experiment.generations
    real = [np.add.reduce([factor * drawn(*of) for factor, *of in experiment.real_noise(t)]) for t in range(T + 1)]
    return math.sqrt(experiment.source.noise_variance) * np.stack(real + [drawn(t, SYNTHETIC) for t in range(1, T + 1)])


def sampled(design: Rotated, experiment: Experiment, weights: Floats, penalties: Floats) -> Floats:
    """Risks of runs with drawn labels: the same label noise for every weight and penalty; (W, P, T + 1).

    In the eigenbasis, labels of coordinates sqrt(n s) b + noise are fitted as
    a_t = sqrt(s/n)/(s+lambda) (labels) + alpha lambda/(s+lambda) a_(t-1).
    """
    loop, n = experiment.loops[0], design.rows
    length = np.sqrt(n * design.s)
    learn = length / n / (design.s + penalties[:, None])
    pull = loop.anchor * (penalties[:, None] / (design.s + penalties[:, None]))
    W, T = weights.shape
    assert design.noise is not None
    own, synthetic_noise = design.noise[: T + 1], math.sqrt(loop.synthetic_noise_ratio) * design.noise[T + 1 :]
    a = np.broadcast_to(learn * (length * design.b + own[0]), (W, penalties.size, length.size))
    found = np.empty((W, penalties.size, T + 1))
    found[:, :, 0] = design.energy(design.b - a)
    for t in range(1, T + 1):
        w = weights[:, t - 1, None, None]
        real = length * design.b + own[t]
        synthetic = length * a + synthetic_noise[t - 1]
        a = learn * (w * real + (1 - w) * synthetic) + pull * a
        found[:, :, t] = design.energy(design.b - a)
    return found
