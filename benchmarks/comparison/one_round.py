"""One round with an outside model: few rows with a real label, many with its prediction only; coefficients of a linear fit."""

from dataclasses import dataclass

import numpy as np
from ppi_py import ppi_ols_pointestimate
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV

import freshmix as fm

TITLE = "One round: an outside model's predictions beside a few real labels"
HEAD = ("way", "seconds a fit", "times as long as freshmix", "peak memory, MB")
DRAWS = 10
# Features; energy of the error of the teacher's coefficients (the signal is 2); whether it knows what in the labels is curved.
TEACHERS = {
    "50 features, nearly right": (50, 0.02, False),
    "50 features, half wrong": (50, 1.0, False),
    "50 features, half wrong, knows the curve": (50, 1.0, True),
    "10 features, nearly right": (10, 0.02, False),
    "10 features, half wrong, knows the curve": (10, 1.0, True),
}
HEAD += tuple(f"excess risk: {name}" for name in TEACHERS)


@dataclass(frozen=True)
class Round:
    """Labelled rows with labels and predictions, the other rows with predictions, and the true coefficients."""

    X: np.ndarray
    y: np.ndarray
    said: np.ndarray
    others: np.ndarray
    said_of_others: np.ndarray
    beta: np.ndarray


def data(small=False):
    n, others = (60, 100) if small else (150, 1500)
    rng, made = np.random.default_rng(0), {}
    for name, (p, error, knows) in TEACHERS.items():
        made[name] = []
        for _ in range(1 if small else DRAWS):
            beta, off = rng.standard_normal(p), rng.standard_normal(p)
            beta, off = beta * np.sqrt(2 / (beta @ beta)), off * np.sqrt(error / (off @ off))
            rows = rng.standard_normal((n + others, p))
            # Squares have mean 1 and go with no feature: for a linear model they are noise, of variance 2.
            curve = rows[:, 0] ** 2 - 1
            said = rows @ (beta + off) + knows * curve
            y = rows[:n] @ beta + curve[:n] + rng.standard_normal(n)
            made[name].append(Round(rows[:n], y, said[:n], rows[n:], said[n:], beta))
    return made


def least_squares(table):
    return LinearRegression(fit_intercept=False).fit(table.X, table.y).coef_


def ridge(table):
    return RidgeCV(np.geomspace(1e-2, 1e3, 21), fit_intercept=False).fit(table.X, table.y).coef_


def powered(table):
    return ppi_ols_pointestimate(table.X, table.y, table.said, table.others, table.said_of_others)


def taught(table):
    population, teacher = fm.estimate_teacher(table.X, table.y, table.said)
    n, count = len(table.y), len(table.y) + len(table.others)
    loop = fm.Loop.partially_labelled(aspect=table.X.shape[1] / count, labelled=n / count)
    best = fm.optimal_teaching(population, loop, teacher)
    w = best.real_weight
    labels = np.concatenate([w * table.y + (1 - w) * table.said, table.said_of_others])
    weights = np.concatenate([np.ones(n), np.full(count - n, best.row_weight)])
    rows = np.vstack([table.X, table.others])
    return Ridge(alpha=max(count * best.penalty, 1e-9), fit_intercept=False).fit(rows, labels, weights).coef_


def each(fit):
    return lambda made: {name: np.mean([np.sum((fit(one) - one.beta) ** 2) for one in some]) for name, some in made.items()}


WAYS = {
    "freshmix (`fm.optimal_teaching`), then `Ridge`": each(taught),
    "ppi_py, `ppi_ols_pointestimate` (tuned)": each(powered),
    "`LinearRegression`, real labels only": each(least_squares),
    "`RidgeCV`, real labels only": each(ridge),
}


def rows(results, made):
    base = results[next(iter(WAYS))].seconds
    fits = sum(map(len, made.values()))
    for name, result in results.items():
        yield name, result.seconds / fits, result.seconds / base, result.megabytes, *(result.value[each] for each in TEACHERS)
