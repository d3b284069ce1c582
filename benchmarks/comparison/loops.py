"""Excess risk of a loop on the same rows, by generation, on a grid of weights and penalties, for a known population."""

from dataclasses import dataclass

import numpy as np
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge

import freshmix as fm

TITLE = "A known population: excess risk by generation on a grid of weights and penalties"
HEAD = ("way", "replicates", "seconds", "times as long as theory", "peak memory, MB", "off by, %")
POPULATION = fm.Population.two_level(4.0, share=0.25)


@dataclass(frozen=True)
class Job:
    """Rows, features, generations, and the grid."""

    n: int
    p: int
    generations: int
    weights: np.ndarray
    penalties: np.ndarray

    def draw(self, rng):
        """Rows, coefficients and eigenvalues of one replicate."""
        counts = np.round(POPULATION.shares * self.p).astype(int)
        tau = np.repeat(POPULATION.eigenvalues, counts)
        beta = np.repeat(np.sqrt(POPULATION.signal / counts), counts)
        return np.sqrt(tau) * rng.standard_normal((self.n, self.p)), beta, tau


def data(small=False):
    if small:
        return Job(40, 20, 2, np.array([0.5, 1.0]), np.array([0.1, 1.0]))
    return Job(200, 100, 30, np.linspace(0.1, 1, 10), np.geomspace(0.03, 3, 6))


def theory(job):
    risks = [
        [fm.risk(POPULATION, fm.Loop(aspect=job.p / job.n, real_weight=w, penalty=z), job.generations) for w in job.weights]
        for z in job.penalties
    ]
    return 0, np.array(risks)


def simulated(job, replicates=100):
    loop = fm.Loop(aspect=job.p / job.n)
    grid = {"rows": job.n, "replicates": replicates, "seed": 1, "real_weight": job.weights, "penalty": job.penalties}
    risk = fm.simulate(POPULATION, loop, job.generations, **grid).risk.mean("replicate")
    return replicates, risk.transpose("penalty", "real_weight", "generation").values


def factored(job, replicates=20, seed=2):
    """A NumPy loop as a careful person writes it: one factorisation a penalty, all weights at once."""
    rng = np.random.default_rng(seed)
    total = np.zeros((job.penalties.size, job.weights.size, job.generations + 1))
    for _ in range(replicates):
        X, beta, tau = job.draw(rng)
        noise = rng.standard_normal((job.generations + 1, job.n, 1))
        sampled = rng.standard_normal((job.generations + 1, job.n, job.weights.size))
        for i, penalty in enumerate(job.penalties):
            H = np.linalg.solve(X.T @ X / job.n + penalty * np.eye(job.p), X.T / job.n)
            fit = np.repeat(H @ (X @ beta[:, None] + noise[0]), job.weights.size, axis=1)
            total[i, :, 0] += tau @ (fit - beta[:, None]) ** 2
            for t in range(1, job.generations + 1):
                real = X @ beta[:, None] + noise[t]
                fit = H @ (job.weights * real + (1 - job.weights) * (X @ fit + sampled[t]))
                total[i, :, t] += tau @ (fit - beta[:, None]) ** 2
    return replicates, total / replicates


def refitted(job, model):
    """The loop as it is written down: one fit of a model for each generation, weight and penalty, once."""
    rng = np.random.default_rng(3)
    X, beta, tau = job.draw(rng)
    risks = np.empty((job.penalties.size, job.weights.size, job.generations + 1))
    for i, penalty in enumerate(job.penalties):
        for j, w in enumerate(job.weights):
            fit = beta
            for t in range(job.generations + 1):
                real, synthetic = (X @ b + rng.standard_normal(job.n) for b in (beta, fit))
                fit = model(X, real if t == 0 else w * real + (1 - w) * synthetic, job.n * penalty)
                risks[i, j, t] = tau @ (fit - beta) ** 2
    return 1, risks


def ridge(X, y, alpha):
    return Ridge(alpha=alpha, fit_intercept=False).fit(X, y).coef_


def kernel_ridge(X, y, alpha):
    return X.T @ KernelRidge(alpha=alpha).fit(X, y).dual_coef_


def least_squares(X, y, alpha):
    """Rows of the penalty below those of the table."""
    rows = np.vstack([X, np.sqrt(alpha) * np.eye(X.shape[1])])
    return np.linalg.lstsq(rows, np.concatenate([y, np.zeros(X.shape[1])]), rcond=None)[0]


WAYS = {
    "freshmix, theory (`fm.risk`)": theory,
    "freshmix, simulation (`fm.simulate`)": simulated,
    "NumPy, a factor a penalty": factored,
    "NumPy, `lstsq` a fit": lambda job: refitted(job, least_squares),
    "scikit-learn, `Ridge` a fit": lambda job: refitted(job, ridge),
    "scikit-learn, `KernelRidge` a fit": lambda job: refitted(job, kernel_ridge),
}


def truth(job):
    """The mean of many runs of the NumPy loop, with its standard error in parts of it."""
    means = np.array([factored(job, 25, seed)[1] for seed in range(100, 116)])
    centre = means.mean(axis=0)
    return centre, float(np.sqrt(np.mean((means.std(axis=0, ddof=1) / 4 / centre) ** 2)))


def rows(results, job):
    true, error = truth(job)
    base = results[next(iter(WAYS))].seconds
    for name, result in results.items():
        replicates, risk = result.value
        off = 100 * np.sqrt(np.mean((risk / true - 1) ** 2))
        yield name, replicates or "-", result.seconds, result.seconds / base, result.megabytes, off
    yield "(mean of 400 runs, which the others are compared with)", 400, None, None, None, 100 * error
