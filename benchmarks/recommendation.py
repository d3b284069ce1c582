"""How much prediction error a recommendation costs over the best possible one: python benchmarks/recommendation.py

For each population, aspect, noise variance and draw: a table of n rows is drawn, ``fm.recommend`` names a real weight and a
penalty, and their true long-run prediction error (exact given X and beta, MATH section 3) is divided by the least one that
any weight and penalty reach on this table. scikit-learn's RidgeCV on the real labels alone is held against the same best.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import RidgeCV

import freshmix as fm

ASPECTS = (0.5, 1.0, 2.0)
NOISES = (0.5, 2.0, 8.0)
NULL_RISK = 2.0


def populations(p: int) -> dict[str, fm.Population]:
    """Six shapes of spectrum and signal."""
    two_level = {"ratio": 10.0, "share": 0.25}
    return {
        "isotropic": fm.Population.isotropic(),
        "AR(1)": fm.Population.autoregressive(0.7, p),
        "spiked": fm.Population.spiked(20.0, 0.7, features=p),
        "aligned": fm.Population.two_level(**two_level, alignment=0.95),
        "anti-aligned": fm.Population.two_level(**two_level, alignment=0.02),
        "power law": fm.Population.power_law(1.0, p),
    }


@dataclass(frozen=True)
class Truth:
    """Exact long-run risk given X and beta, in the eigenbasis of the centred sample covariance."""

    s: np.ndarray
    filtered: np.ndarray  # V'beta
    inner: np.ndarray  # V'Sigma V
    mixed: np.ndarray  # V'Sigma beta
    null: float
    noise: float
    rows: int

    @classmethod
    def of(cls, X, beta, tau, noise):
        n = X.shape[0]
        centred = X - X.mean(axis=0)
        s, V = np.linalg.eigh(centred.T @ centred / n) if X.shape[1] < n else _dual(centred)
        return cls(s, V.T @ beta, V.T @ (tau[:, None] * V), V.T @ (tau * beta), beta @ (tau * beta), noise, n)

    def risk(self, w, penalty):
        z = penalty / w
        kept = self.s / (self.s + z) * self.filtered
        bias = self.null - 2 * kept @ self.mixed + kept @ self.inner @ kept
        u = (w**2 + (1 - w) ** 2) * self.s / ((self.s + penalty) ** 2 - ((1 - w) * self.s) ** 2)
        return bias + self.noise / self.rows * np.diag(self.inner) @ u

    def best(self):
        """Least risk over weight and penalty, from a grid and then by simplex search."""
        grid = list(product(np.linspace(0.3, 1.0, 15), np.geomspace(1e-5, 1e3, 25)))
        w, penalty = min(grid, key=lambda point: self.risk(*point))

        def at(point):
            return self.risk(point[0], np.exp(point[1]))

        return minimize(at, [w, np.log(penalty)], method="Nelder-Mead", bounds=[(0.05, 1), (-14, 9)]).fun


def _dual(centred):
    n = centred.shape[0]
    s, U = np.linalg.eigh(centred @ centred.T / n)
    s, U = s[1:], U[:, 1:]
    return s, centred.T @ U / np.sqrt(n * s)


def draw(population, n, p, noise, rng):
    """(n, p) gaussian rows, coefficients and labels; the null risk is always the same."""
    counts = np.round(population.shares * p).astype(int)
    counts[np.argmax(counts)] += p - counts.sum()
    tau = np.repeat(population.eigenvalues, counts)
    beta = rng.standard_normal(p)
    start = 0
    for count, energy in zip(counts, population.signal, strict=True):
        block = slice(start, start + count)
        if count > 1:
            beta[block] *= np.sqrt(energy) / np.linalg.norm(beta[block])
        elif count:
            beta[block] *= np.sqrt(energy)
        start += count
    beta *= np.sqrt(NULL_RISK / (beta @ (tau * beta)))
    X = rng.standard_normal((n, p)) * np.sqrt(tau)
    return X, beta, tau, X @ beta + np.sqrt(noise) * rng.standard_normal(n)


def one(task):
    name, aspect, noise, n, repeat = task
    index = [list(populations(8)).index(name), ASPECTS.index(aspect), NOISES.index(noise), n, repeat]
    rng = np.random.default_rng(index)
    p = round(aspect * n)
    X, beta, tau, y = draw(populations(p)[name], n, p, noise, rng)
    truth = Truth.of(X, beta, tau, noise)
    found = fm.recommend(X, y, standardize=False, seed=repeat)
    cv = RidgeCV(alphas=n * np.geomspace(1e-4, 1e3, 71)).fit(X, y)
    best = truth.best() + noise
    penalty = max(found.penalty, 1e-12)
    return (
        (truth.risk(found.real_weight, penalty) + noise) / best - 1,
        (truth.risk(1.0, cv.alpha_ / n) + noise) / best - 1,
        found.noise_variance / noise,
        found.intervals["noise_variance"][0] <= noise <= found.intervals["noise_variance"][1],
        found.intervals["risk"][0] <= truth.risk(found.real_weight, penalty) <= found.intervals["risk"][1],
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=list(populations(8)))
    options = parser.parse_args()
    names = [options.only] if options.only else list(populations(8))
    tasks = list(product(names, ASPECTS, NOISES, [options.rows], range(options.draws)))
    with ProcessPoolExecutor(options.workers) as pool:
        results = np.array(list(pool.map(one, tasks, chunksize=2)))
    print(f"n = {options.rows}, {len(tasks)} draws; regret of the prediction error in percent (mean, 95th percentile, worst)")

    def row(label, chosen):
        regret, cv, noise, inside, risk_inside = results[chosen].T
        figures = "  ".join(f"{100 * f(x):7.2f}" for x in (regret, cv) for f in (np.mean, _p95, np.max))
        covers = f"90% covers {100 * inside.mean():.0f}%, of the risk {100 * risk_inside.mean():.0f}%"
        print(f"{label:28s} {figures}   sigma^2 x{noise.mean():.2f}  {covers}")

    print(f"{'':28s} {'freshmix':>25s}  {'RidgeCV, real labels only':>25s}")
    for name in names:
        row(name, [i for i, task in enumerate(tasks) if task[0] == name])
    for aspect in ASPECTS:
        row(f"aspect {aspect:g}", [i for i, task in enumerate(tasks) if task[1] == aspect])
    for noise in NOISES:
        row(f"noise {noise:g}", [i for i, task in enumerate(tasks) if task[2] == noise])
    row("all", list(range(len(tasks))))
    worst = int(np.argmax(results[:, 0]))
    print(f"worst: {tasks[worst]}")


def _p95(x):
    return np.quantile(x, 0.95)


if __name__ == "__main__":
    main()
