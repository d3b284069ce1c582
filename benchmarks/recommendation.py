"""How much prediction error a recommendation costs over the best possible one: python benchmarks/recommendation.py

For each population, aspect, noise variance and draw: a table of n rows is drawn, ``fm.recommend`` names a real weight and a
penalty, and their true long-run prediction error (exact given X and beta, mathematics.md section 3) is divided by the least
one that any weight and penalty reach on this table. scikit-learn's RidgeCV on the real labels alone is held against the same
best. Three tables: regret, coverage and median width of the 90% intervals, and noise estimators against the truth.

The first six populations are the core (54 cells); ``--extra`` adds blocks of correlated features in a rotated basis, signal in
the weakest tenth of the directions, and the core's isotropic and AR(1) with heavy-tailed noise, with other features, and with
rows that differ: elliptical ones of two sizes, multivariate t with 3 degrees of freedom, copies (three of each row on average);
and one-hot columns of variables with rare levels.
``python benchmarks/recommendation.py --extra --draws 20`` takes about half an hour on two idle cores.
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
LEVELS = ("noise_variance", "signal_to_noise_ratio", "risk", "prediction_error", "real_weight", "penalty")
LEVELS_OF_ONE = 10
ROUTES = ("likelihood", "leave_one_out", "moments", "residual")


def core(p: int) -> dict[str, fm.Population]:
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


def extra(p: int) -> dict[str, fm.Population]:
    """Harder ones: the name after the comma is the kind of features or noise."""
    # Blocks of ten features, correlation 0.3 and 0.8 by turns.
    blocks = fm.Population.random_effects([3.7, 0.7, 8.2, 0.2], [0.05, 0.45, 0.05, 0.45])
    weak = fm.Population.autoregressive(0.7, p)
    energy = np.where(np.argsort(np.argsort(weak.eigenvalues)) < max(1, p // 10), 1.0, 0.0)
    shapes = core(p)
    kinds = ("t noise", "signs", "skewed", "elliptical", "t rows", "copies")
    return {
        "rotated blocks": blocks,
        "weakest tenth": fm.Population(weak.eigenvalues, weak.shares, energy),
        **{f"{name}, {kind}": shapes[name] for kind in kinds for name in ("isotropic", "AR(1)")},
        "one-hot": shapes["isotropic"],
    }


def populations(p: int) -> dict[str, fm.Population]:
    """All of them."""
    return core(p) | extra(p)


@dataclass(frozen=True)
class Features:
    """Mean and covariance of the features: ``mean`` (p,), and diag(tau) less mu mu' of each block of one-hot columns."""

    tau: np.ndarray
    mean: np.ndarray
    blocks: np.ndarray | None = None  # (p, k): mu in the rows of the block, 0 elsewhere

    def covariance_times(self, M):
        """Sigma M, for (p,) or (p, m) M."""
        found = self.tau[:, None] * M if M.ndim == 2 else self.tau * M
        return found if self.blocks is None else found - self.blocks @ (self.blocks.T @ M)


@dataclass(frozen=True)
class Truth:
    """Exact long-run risk given X and beta, the intercept's included, in the eigenbasis of the centred sample covariance."""

    s: np.ndarray
    filtered: np.ndarray  # V'beta
    inner: np.ndarray  # V'Sigma V
    mixed: np.ndarray  # V'Sigma beta
    null: float
    noise: float
    rows: int

    @classmethod
    def of(cls, X, beta, features, noise):
        n = X.shape[0]
        centred = X - X.mean(axis=0)
        s, V = np.linalg.eigh(centred.T @ centred / n) if X.shape[1] < n else _dual(centred)
        # A new row is predicted from the mean of these: E xx' about that.
        off = X.mean(axis=0) - features.mean

        def times(M):
            return features.covariance_times(M) + np.multiply.outer(off, off @ M)

        return cls(s, V.T @ beta, V.T @ times(V), V.T @ times(beta), beta @ times(beta), noise, n)

    def risk(self, w, penalty):
        z = penalty / w
        kept = self.s / (self.s + z) * self.filtered
        bias = self.null - 2 * kept @ self.mixed + kept @ self.inner @ kept
        u = (w**2 + (1 - w) ** 2) * self.s / ((self.s + penalty) ** 2 - ((1 - w) * self.s) ** 2)
        mean = (w**2 + (1 - w) ** 2) / (w * (2 - w))
        return bias + self.noise / self.rows * (np.diag(self.inner) @ u + mean)

    def best(self):
        """Least risk over weight and penalty, with its place: from a grid of lambda/w and w, and then by simplex search."""
        z, weights = np.geomspace(1e-5, 1e3, 33), np.linspace(0.3, 1.0, 15)
        kept = self.s / (self.s + z[:, None]) * self.filtered
        bias = self.null - 2 * kept @ self.mixed + np.einsum("ij,ij->i", kept @ self.inner, kept)
        penalty = (z[:, None] * weights)[..., None]
        w = weights[:, None]
        u = (w**2 + (1 - w) ** 2) * self.s / ((self.s + penalty) ** 2 - ((1 - w) * self.s) ** 2)
        mean = (weights**2 + (1 - weights) ** 2) / (weights * (2 - weights))
        table = bias[:, None] + self.noise / self.rows * (u @ np.diag(self.inner) + mean)
        i, j = np.unravel_index(np.argmin(table), table.shape)

        def at(point):
            return self.risk(point[0], np.exp(point[1]))

        start = [weights[j], np.log(z[i] * weights[j])]
        found = minimize(at, start, method="Nelder-Mead", bounds=[(0.05, 1), (-14, 9)], options={"maxiter": 80})
        return found.fun, found.x[0], np.exp(found.x[1])


def _dual(centred):
    n = centred.shape[0]
    s, U = np.linalg.eigh(centred @ centred.T / n)
    kept = s > 1e-12 * s[-1]
    kept[0] = False
    s, U = s[kept], U[:, kept]
    return s, centred.T @ U / np.sqrt(n * s)


def draw(population, n, p, noise, rng, kind=""):
    """(n, p) rows, coefficients, mean and covariance of the features, and labels; the null risk is always the same."""
    counts = np.round(population.shares * p).astype(int)
    counts[np.argmax(counts)] += p - counts.sum()
    features = one_hot(p) if kind == "one-hot" else Features(np.repeat(population.eigenvalues, counts), np.zeros(p))
    beta = rng.standard_normal(p)
    start = 0
    for count, energy in zip(counts, population.signal, strict=True):
        block = slice(start, start + count)
        if count > 1:
            beta[block] *= np.sqrt(energy) / np.linalg.norm(beta[block])
        elif count:
            beta[block] *= np.sqrt(energy)
        start += count
    beta *= np.sqrt(NULL_RISK / (beta @ features.covariance_times(beta)))
    X = rows_of(kind, features, n, rng)
    errors = rng.standard_t(3, n) / np.sqrt(3) if kind == "t noise" else rng.standard_normal(n)
    return X, beta, features, X @ beta + np.sqrt(noise) * errors


def rows_of(kind, features, n, rng):
    """(n, p) rows of this mean and covariance."""
    p = features.tau.size
    if kind == "one-hot":
        # Each row has one of the levels of each variable.
        levels = [rng.choice(LEVELS_OF_ONE, n, p=features.mean[:LEVELS_OF_ONE]) for _ in range(p // LEVELS_OF_ONE)]
        return np.hstack([np.eye(LEVELS_OF_ONE)[level] for level in levels])
    if kind == "signs":
        X = rng.choice([-1.0, 1.0], (n, p))
    elif kind == "skewed":
        X = rng.exponential(size=(n, p)) - 1
    else:
        X = rng.standard_normal((n, p))
    if kind == "elliptical":
        # One row in five has four times the variance of the mean row, the others a quarter.
        X *= np.where(rng.uniform(size=n) < 0.2, 2.0, 0.5)[:, None]
    elif kind == "t rows":
        X /= np.sqrt(rng.chisquare(3, n))[:, None]
    elif kind == "copies":
        X = X[rng.integers(n // 3, size=n)]
    return X * np.sqrt(features.tau)


def one_hot(p):
    """Variables of ten levels, the k-th with a share like 1/k^2: the last are in a handful of rows each."""
    shares = np.arange(1.0, LEVELS_OF_ONE + 1) ** -2
    count = p // LEVELS_OF_ONE
    mean = np.tile(shares / shares.sum(), count)
    return Features(mean, mean, np.kron(np.eye(count), mean[:LEVELS_OF_ONE, None]))


def rotated(X, rng):
    """X in another basis of the features, so that its covariance is not diagonal: three reflections."""
    for _ in range(3):
        v = rng.standard_normal(X.shape[1])
        X = X - np.outer(X @ v, 2 * v / (v @ v))
    return X


def one(task):
    """Regrets, intervals over the truth with their widths, and noise estimates over the truth."""
    name, aspect, noise, n, repeat = task
    index = [list(populations(8)).index(name), ASPECTS.index(aspect), NOISES.index(noise), n, repeat]
    rng = np.random.default_rng(index)
    p = round(aspect * n)
    X, beta, features, y = draw(populations(p)[name], n, p, noise, rng, name.partition(", ")[2] or name)
    truth = Truth.of(X, beta, features, noise)
    found = fm.recommend(rotated(X, rng) if "rotated" in name else X, y, standardize=False, seed=repeat)
    cv = RidgeCV(alphas=n * np.geomspace(1e-4, 1e3, 71)).fit(X, y)
    least, w, penalty = truth.best()
    best = least + noise
    risk = truth.risk(found.real_weight, max(found.penalty, 1e-12))
    true = dict(zip(LEVELS, (noise, NULL_RISK / noise, risk, risk + noise, w, penalty), strict=True))
    intervals = [np.array(found.intervals[each]) / true[each] for each in LEVELS]
    others = {each: value.value for each, value in found.population.noise_estimates.items()}
    others["likelihood"] = found.noise_variance
    return {
        "regret": (risk + noise) / best - 1,
        "cv": (truth.risk(1.0, cv.alpha_ / n) + noise) / best - 1,
        "inside": [bool(low <= 1 <= high) for low, high in intervals],
        "width": [high - low for low, high in intervals],
        "noise": [others.get(each, np.nan) / noise for each in ROUTES],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--extra", action="store_true", help="the harder populations as well")
    parser.add_argument("--only", choices=list(populations(8)), nargs="+")
    options = parser.parse_args()
    names = options.only or list(populations(8) if options.extra else core(8))
    tasks = list(product(names, ASPECTS, NOISES, [options.rows], range(options.draws)))
    with ProcessPoolExecutor(options.workers) as pool:
        results = list(pool.map(one, tasks, chunksize=2))
    print(f"n = {options.rows}, {len(tasks)} draws")
    columns = {key: np.array([each[key] for each in results]) for key in results[0]}
    rows = [(name, [task[0] == name for task in tasks]) for name in names]
    rows += [(f"aspect {aspect:g}", [task[1] == aspect for task in tasks]) for aspect in ASPECTS]
    rows += [(f"noise {noise:g}", [task[2] == noise for task in tasks]) for noise in NOISES]
    rows += [("core", [task[0] in core(8) for task in tasks])] if set(names) & set(core(8)) else []
    rows += [("all", [True] * len(tasks))]
    print("\nregret of the prediction error in percent (mean, 95th percentile, worst)")
    print(f"{'':22s} {'freshmix':>23s}  {'RidgeCV, real labels':>23s}")
    for label, chosen in rows:
        both = (columns["regret"][chosen], columns["cv"][chosen])
        print(f"{label:22s} " + "  ".join(f"{100 * f(x):7.2f}" for x in both for f in (np.mean, _p95, np.max)))
    print("\n90% intervals: covered in percent, median width over the truth")
    print(f"{'':22s} " + "  ".join(f"{each.replace('_', ' ')[:13]:>13s}" for each in LEVELS))
    for label, chosen in rows:
        covered, width = 100 * columns["inside"][chosen].mean(axis=0), np.median(columns["width"][chosen], axis=0)
        print(f"{label:22s} " + "  ".join(f"{a:6.0f} {b:6.2f}" for a, b in zip(covered, width, strict=True)))
    print("\nnoise variance over the truth: mean, root mean square error")
    print(f"{'':22s} " + "  ".join(f"{each.replace('_', ' '):>13s}" for each in ROUTES))
    for label, chosen in rows:
        found = columns["noise"][chosen]
        figures = [(_mean(column), np.sqrt(_mean((column - 1) ** 2))) for column in found.T]
        print(f"{label:22s} " + "  ".join(f"{a:6.2f} {b:6.2f}" for a, b in figures))
    worst = int(np.argmax(columns["regret"]))
    print(f"\nworst: {tasks[worst]}")


def _p95(x):
    return np.quantile(x, 0.95)


def _mean(x):
    """Mean of what is there: with more features than rows there are no residuals."""
    there = x[~np.isnan(x)]
    return there.mean() if there.size else np.nan


if __name__ == "__main__":
    main()
