"""Every setting of the theory against loops that were run: dense refits by the definitions of mathematics.md section 1.

Theory is the limit of many rows, and the mean of runs on n rows differs from it by c/n + O(1/n^2). With D(n) the difference at
n rows, 2 D(2n) - D(n) is free of the first term: that is what is compared with its standard error.
"""

from itertools import cycle, product

import numpy as np
import pytest

import freshmix as fm

from .tolerances import largest_z

T, ROWS, REPLICATES, BATCH = 3, 48, 1600, 200
LEARNERS = {"ridge wide": (2.0, 0.3), "min-norm": (2.0, 0.0), "ridge tall": (0.5, 0.3), "least squares": (0.5, 0.0)}
POPULATIONS = (
    lambda p: fm.Population.isotropic(signal=2.0),
    lambda p: fm.Population.two_level(4.0, 0.25, alignment=0.7, signal=2.0, noise_variance=0.5),
    lambda p: fm.Population.spiked(6.0, 0.6, noise_variance=2.0, features=p),
    lambda p: fm.Population.autoregressive(0.5, p, signal=3.0),
    lambda p: fm.Population.random_effects([0.5, 1.0, 3.0], [0.5, 0.25, 0.25]),
)
WEIGHTS = {"constant": [0.5] * T, "schedule": [0.6, 0.2, 0.8], "synthetic only": [0.0] * T, "real only": [1.0] * T}
GROUPS = {
    "one": [fm.Group(1.0, 1.0, 0.6)],
    "partial": [fm.Group(0.5, 1.0, 1.0), fm.Group(0.5, 2.5, 0.0)],
    "three": [fm.Group(0.25, 1.0, 0.8), fm.Group(0.25, 2.0, 0.5), fm.Group(0.5, 0.5, 0.1)],
    "synthetic only": [fm.Group(1.0, 1.0, 0.0)],
}


def settings():
    """(name, population maker, loops of t = 1 ... T) of every setting; what is not crossed goes round."""
    population, weights, rho = cycle(POPULATIONS), cycle(WEIGHTS), cycle((1.0, 0.5, 0.0))
    found = []
    for learner, labels, noise in product(LEARNERS, ("fresh", "frozen"), (0.0, 0.5, 1.0)):
        aspect, penalty = LEARNERS[learner]
        kind = next(weights)
        common = {"aspect": aspect, "penalty": penalty, "labels": labels, "synthetic_noise_ratio": noise}
        loop = fm.Loop(schedule=WEIGHTS[kind], **common)
        found.append((f"frozen, {learner}, {labels} labels, rho {noise}, {kind}", next(population), [loop]))
    for learner, kind in product(LEARNERS, GROUPS):
        aspect, penalty = LEARNERS[learner]
        noise = next(rho)
        common = {"aspect": aspect, "penalty": penalty, "synthetic_noise_ratio": noise, "covariates": "fresh"}
        found.append((f"fresh, {learner}, {kind}, rho {noise}", next(population), [fm.Loop(groups=GROUPS[kind], **common)]))
    for learner in LEARNERS:
        aspect, penalty = LEARNERS[learner]
        common = {"covariates": "fresh", "synthetic_noise_ratio": next(rho)}
        loops = [
            fm.Loop(aspect=aspect, penalty=penalty, groups=GROUPS["one"], **common),
            fm.Loop(aspect=aspect / 2 if aspect < 1 else aspect * 2, penalty=penalty, groups=GROUPS["partial"], **common),
            fm.Loop(aspect=aspect, penalty=2 * penalty, groups=GROUPS["three"], **common),
        ]
        found.append((f"fresh, {learner}, a sequence of loops", next(population), loops))
    return found


def fits(X, labels, penalty, row_weights):
    """Weighted ridge, min-norm or least squares on a batch: argmin (1/n) sum a_i (label_i - x_i'b)^2 + lambda |b|^2."""
    n, p = X.shape[1:]
    root = np.sqrt(row_weights)
    A, b = X * root[:, None], (labels * root)[..., None]
    transposed = A.swapaxes(1, 2)
    if p <= n:
        return np.linalg.solve(transposed @ A / n + penalty * np.eye(p), transposed @ b / n)[..., 0]
    return (transposed @ np.linalg.solve(A @ transposed / n + penalty * np.eye(n), b / n))[..., 0]


def runs(population, loops, n, size, rng):
    """(size, T + 1) excess risks of runs with drawn coefficients, designs and labels."""
    p = round(loops[0].aspect * n)
    counts = np.rint(population.shares * p).astype(int)
    assert counts.sum() == p
    tau = np.repeat(population.eigenvalues, counts)
    beta = rng.standard_normal((size, p))
    ends = np.concatenate([[0], np.cumsum(counts)])
    for j, energy in enumerate(population.signal):
        block = beta[:, ends[j] : ends[j + 1]]
        block *= np.sqrt(energy / (block**2).sum(axis=1, keepdims=True))
    sigma = np.sqrt(population.noise_variance)

    def design(rows):
        return rng.standard_normal((size, rows, p)) * np.sqrt(tau)

    def labels(X, coefficients, deviation):
        return (X @ coefficients[..., None])[..., 0] + deviation * rng.standard_normal(X.shape[:2])

    X = design(n)
    first = labels(X, beta, sigma)
    bhat = fits(X, first, loops[0].penalty, np.ones(n))
    found = [((bhat - beta) ** 2) @ tau]
    for t in range(1, T + 1):
        loop = loops[min(t, len(loops)) - 1]
        if loop.covariates == "fresh":
            X = design(round(p / loop.aspect))
        rows = X.shape[1]
        groups = loop.groups or [fm.Group(1.0, 1.0, loop.weights(t)[-1])]
        sizes = [round(group.share * rows) for group in groups]
        assert sum(sizes) == rows
        w = np.repeat([group.real_weight for group in groups], sizes)
        real = first if loop.labels == "frozen" else labels(X, beta, sigma)
        synthetic = labels(X, bhat, sigma * np.sqrt(loop.synthetic_noise_ratio))
        row_weights = np.repeat([group.row_weight for group in groups], sizes)
        bhat = fits(X, w * real + (1 - w) * synthetic, loop.penalty, row_weights)
        found.append(((bhat - beta) ** 2) @ tau)
    return np.stack(found, axis=1)


def difference(make, loops, n, replicates, rng):
    """Mean of runs minus theory on n rows, and its variance."""
    population = make(round(loops[0].aspect * n))
    risks = np.concatenate([runs(population, loops, n, BATCH, rng) for _ in range(replicates // BATCH)])
    theory = fm.risk(population, loops if len(loops) > 1 else loops[0], T)
    return risks.mean(axis=0) - theory, risks.var(axis=0, ddof=1) / replicates


def scores(index, replicates):
    _, make, loops = SETTINGS[index]
    small, small_variance = difference(make, loops, ROWS, replicates, np.random.default_rng([1, index]))
    large, large_variance = difference(make, loops, 2 * ROWS, replicates, np.random.default_rng([2, index]))
    return (2 * large - small) / np.sqrt(4 * large_variance + small_variance)


SETTINGS = settings()
CHECKS = len(SETTINGS) * (T + 1)


@pytest.mark.parametrize("index", range(0, len(SETTINGS), 6), ids=lambda index: SETTINGS[index][0])
def test_a_few_runs(index):
    assert np.abs(scores(index, BATCH)).max() < largest_z(CHECKS)


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(SETTINGS)), ids=lambda index: SETTINGS[index][0])
def test_runs(index):
    assert np.abs(scores(index, REPLICATES)).max() < largest_z(CHECKS)
