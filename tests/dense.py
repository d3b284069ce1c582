"""Textbook versions for tests of groups: dense refits by the definitions of mathematics.md section 1."""

import numpy as np


def fit(X, labels, penalty, row_weights=None):
    """Weighted ridge, min-norm or least squares: argmin (1/n) sum_i a_i (label_i - x_i'b)^2 + lambda |b|^2."""
    n, p = X.shape
    root = np.sqrt(np.ones(n) if row_weights is None else row_weights)
    A, b = X * root[:, None], labels * root
    if penalty == 0:
        return np.linalg.pinv(A) @ b
    return np.linalg.solve(A.T @ A / n + penalty * np.eye(p), A.T @ b / n)


def design(n, population, counts, rng):
    tau = np.repeat(population.eigenvalues, counts)
    return rng.standard_normal((n, tau.size)) * np.sqrt(tau), tau


def coefficients(population, counts, rng):
    """beta uniform on each eigenspace's sphere, of energy g."""
    blocks = []
    for count, energy in zip(counts, population.signal, strict=True):
        block = rng.standard_normal(count)
        blocks.append(block * np.sqrt(energy) / np.linalg.norm(block))
    return np.concatenate(blocks)


def run(n, population, counts, loop, generations, rng):
    """Excess risks of one run of a loop with drawn designs and labels."""
    groups = loop.groups
    beta = coefficients(population, counts, rng)
    X, tau = design(n, population, counts, rng)
    sigma, rho = np.sqrt(population.noise_variance), np.sqrt(loop.synthetic_noise_ratio)
    first = X @ beta + sigma * rng.standard_normal(n)
    bhat = fit(X, first, loop.penalty)
    risks = [np.sum(tau * (bhat - beta) ** 2)]
    for t in range(1, generations + 1):
        if loop.covariates == "fresh":
            X, _ = design(n, population, counts, rng)
        real = first if loop.labels == "frozen" else X @ beta + sigma * rng.standard_normal(n)
        synthetic = X @ bhat + sigma * rho * rng.standard_normal(n)
        if groups is None:
            w, a = np.full(n, loop.weights(t)[-1]), None
        else:
            sizes = [round(group.share * n) for group in groups]
            w = np.repeat([group.real_weight for group in groups], sizes)
            a = np.repeat([group.row_weight for group in groups], sizes)
        bhat = fit(X, w * real + (1 - w) * synthetic, loop.penalty, a)
        risks.append(np.sum(tau * (bhat - beta) ** 2))
    return np.array(risks)
