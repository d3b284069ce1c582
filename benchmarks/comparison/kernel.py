"""The same question with a kernel: kernel ridge regression on the same rows, relabelled in each generation."""

from dataclasses import dataclass

import numpy as np
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV, train_test_split

import freshmix as fm

from . import table
from .judge import LongRun
from .table import GENERATIONS, HEAD, WEIGHTS, each

__all__ = ["HEAD", "TITLE", "WAYS", "data", "rows"]

TITLE = "The same with an RBF kernel"
ALPHAS = np.geomspace(1e-2, 1e2, 9)
GAMMA = 0.1


@dataclass(frozen=True)
class Curved:
    """Rows whose label is a curved function of five features, and new rows for judging."""

    X: np.ndarray
    y: np.ndarray
    signal: np.ndarray
    new: np.ndarray
    target: np.ndarray

    def long_run(self):
        return LongRun(
            rbf_kernel(self.X, gamma=GAMMA), rbf_kernel(self.new, self.X, gamma=GAMMA), self.signal, self.target, 0.25
        )


def data(small=False):
    n, tables = (60, 1) if small else (300, 3)
    rng, made = np.random.default_rng(0), []
    for k in range(tables):
        X, new = rng.standard_normal((n, 5)), rng.standard_normal((1000, 5))
        signal, target = (np.sin(rows[:, 0] * (k + 1) / 2) + rows[:, 1] * rows[:, 2] / 2 for rows in (X, new))
        # The kernel has no intercept: labels of mean 0.
        middle = signal.mean()
        made.append(Curved(X, signal - middle + rng.standard_normal(n) / 2, signal - middle, new, target - middle))
    return made


def advised(rows_):
    answer = fm.recommend(rbf_kernel(rows_.X, gamma=GAMMA), rows_.y, kernel="precomputed")
    return answer.real_weight, answer.penalty


def real_only(rows_):
    search = GridSearchCV(KernelRidge(kernel="rbf", gamma=GAMMA), {"alpha": ALPHAS}).fit(rows_.X, rows_.y)
    return 1.0, search.best_params_["alpha"] / len(rows_.y)


def refitted(rows_):
    rng = np.random.default_rng(0)
    alpha = GridSearchCV(KernelRidge(kernel="rbf", gamma=GAMMA), {"alpha": ALPHAS}).fit(rows_.X, rows_.y).best_params_["alpha"]
    signal = KernelRidge(kernel="rbf", gamma=GAMMA, alpha=alpha).fit(rows_.X, rows_.y).predict(rows_.X)
    residuals = rows_.y - signal
    kept, held = train_test_split(np.arange(len(rows_.y)), test_size=0.25, random_state=0)
    X, errors = rows_.X[kept], np.empty((ALPHAS.size, WEIGHTS.size))
    drawn = signal[kept] + rng.choice(residuals, (GENERATIONS + 1, kept.size))
    for i, penalty in enumerate(ALPHAS):
        for j, w in enumerate(WEIGHTS):
            model = KernelRidge(kernel="rbf", gamma=GAMMA, alpha=penalty).fit(X, drawn[0])
            for real in drawn[1:]:
                synthetic = model.predict(X) + residuals.std() * rng.standard_normal(len(X))
                model.fit(X, w * real + (1 - w) * synthetic)
            errors[i, j] = np.mean((model.predict(rows_.X[held]) - rows_.y[held]) ** 2)
    i, j = np.unravel_index(np.argmin(errors), errors.shape)
    return WEIGHTS[j], ALPHAS[i] / kept.size


WAYS = {
    "`fm.recommend`, kernel": each(advised),
    "`GridSearchCV(KernelRidge)`, real labels only": each(real_only),
    "loop of `KernelRidge` on a grid, held out": each(refitted),
}


def rows(results, tables):
    return table.rows(results, tables)
