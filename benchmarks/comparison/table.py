"""From a table with one label a row: which weight and penalty for the same rows, relabelled in each generation?"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import cross_val_predict, train_test_split

import freshmix as fm

from .judge import LongRun

TITLE = "A table: real weight and penalty for the long run on the same rows"
HEAD = ("way", "seconds", "times as long as freshmix", "peak memory, MB", "error above the best setting's, %", "worst, %")
ALPHAS = np.geomspace(1e-2, 1e3, 11)
WEIGHTS = np.linspace(0.1, 1, 10)
GENERATIONS, REPEATS = 12, 3


@dataclass(frozen=True)
class Table:
    """Rows with a label each; the rest is for judging: the signal, and new rows with theirs."""

    X: np.ndarray
    y: np.ndarray
    signal: np.ndarray
    new: np.ndarray
    target: np.ndarray

    def long_run(self):
        return LongRun(self.X @ self.X.T, self.new @ self.X.T, self.signal, self.target, 1.0)


def data(small=False):
    n, p, tables = (60, 20, 1) if small else (300, 150, 4)
    rng, made = np.random.default_rng(0), []
    for k in range(tables):
        tau = np.geomspace(0.2, 5, p)
        # Signal in weak, even and strong directions, and more or less of it.
        beta = rng.standard_normal(p) * tau ** (k % 3 - 1)
        beta *= np.sqrt((1.0, 4.0)[k % 2] / (beta**2 @ tau))
        X, new = (np.sqrt(tau) * rng.standard_normal((rows, p)) for rows in (n, 2000))
        made.append(Table(X, X @ beta + rng.standard_normal(n), X @ beta, new, new @ beta))
    return made


def advised(table):
    answer = fm.recommend(table.X, table.y, standardize=False)
    return answer.real_weight, answer.penalty


def real_only(table):
    return 1.0, RidgeCV(ALPHAS).fit(table.X, table.y).alpha_ / len(table.y)


def golden(table):
    return 0.618, real_only(table)[1]


def refitted(table, errors):
    """The weight and penalty of least error on held-out rows, fresh labels made of a fitted signal and its residuals."""
    rng = np.random.default_rng(0)
    signal = RidgeCV(ALPHAS).fit(table.X, table.y).predict(table.X)
    residuals = table.y - cross_val_predict(RidgeCV(ALPHAS), table.X, table.y)
    kept, held = train_test_split(np.arange(len(table.y)), test_size=0.25, random_state=0)
    total = np.zeros((ALPHAS.size, WEIGHTS.size))
    for _ in range(REPEATS):
        drawn = signal[kept] + rng.choice(residuals, (GENERATIONS + 1, kept.size))
        total += errors(table.X[kept], drawn, np.std(residuals), table.X[held], table.y[held], rng)
    i, j = np.unravel_index(np.argmin(total), total.shape)
    return WEIGHTS[j], ALPHAS[i] / kept.size


def by_ridge(X, drawn, sigma, held, labels, rng):
    errors = np.empty((ALPHAS.size, WEIGHTS.size))
    for i, alpha in enumerate(ALPHAS):
        for j, w in enumerate(WEIGHTS):
            model = Ridge(alpha=alpha).fit(X, drawn[0])
            for real in drawn[1:]:
                model.fit(X, w * real + (1 - w) * (model.predict(X) + sigma * rng.standard_normal(len(X))))
            errors[i, j] = np.mean((model.predict(held) - labels) ** 2)
    return errors


def by_factors(X, drawn, sigma, held, labels, rng):
    errors = np.empty((ALPHAS.size, WEIGHTS.size))
    centre = X.mean(axis=0)
    X, held = X - centre, held - centre
    for i, alpha in enumerate(ALPHAS):
        H = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T)
        hat = X @ H + 1 / len(X)
        fitted = np.repeat((hat @ drawn[0])[:, None], WEIGHTS.size, axis=1)
        for real in drawn[1:]:
            noise = sigma * rng.standard_normal(fitted.shape)
            mixed = WEIGHTS * real[:, None] + (1 - WEIGHTS) * (fitted + noise)
            fitted = hat @ mixed
        errors[i] = np.mean((held @ (H @ mixed) + mixed.mean(axis=0) - labels[:, None]) ** 2, axis=0)
    return errors


def each(choose):
    return lambda tables: [choose(table) for table in tables]


WAYS = {
    "`fm.recommend`": each(advised),
    "`RidgeCV`, real labels only": each(real_only),
    "`RidgeCV`, weight 0.618": each(golden),
    "loop of `Ridge` on a grid, held out": each(lambda table: refitted(table, by_ridge)),
    "NumPy loop on a grid, a factor a penalty, held out": each(lambda table: refitted(table, by_factors)),
}


def rows(results, tables):
    judges = [table.long_run() for table in tables]
    best = np.array([judge.best() for judge in judges])
    base = results[next(iter(results))].seconds
    for name, result in results.items():
        over = 100 * (np.array([judge.error(*chosen) for judge, chosen in zip(judges, result.value, strict=True)]) / best - 1)
        yield name, result.seconds, result.seconds / base, result.megabytes, over.mean(), over.max()
