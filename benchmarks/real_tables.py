"""Predicted against replayed long-run prediction error on scikit-learn's tables: python benchmarks/real_tables.py

Each table is split at random; ``fm.recommend`` sees one part, and loops are run on that part and judged on the other. Two
replays, because fresh real labels need a signal that is known:

- **kept**: the real labels of the first generation are kept and mixed half and half with labels sampled from the model. No
  label is made up: the error is that on the held-out real labels.
- **fresh**: the signal is a cross-validated ridge fit of the whole table, real labels are it plus resampled residuals, drawn
  anew in each generation; the recommended loop is run, and the error is that on the held-out signal plus the noise variance.

Prints a Markdown table; errors are in units of the target's variance, with their standard error over splits.
"""

import argparse
import os
import warnings
from dataclasses import dataclass

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_linnerud
from sklearn.linear_model import RidgeCV
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import KFold
from sklearn.preprocessing import PolynomialFeatures

import freshmix as fm

GENERATIONS = 40
KEPT_WEIGHT = 0.5
# Columns that polynomial features start from, by degree: more would make tens of thousands of features.
COLUMNS = {"digits": {2: 40, 3: 16}, "breast cancer": {2: 30, 3: 14}}


@dataclass(frozen=True)
class Case:
    """A table with one kind of features."""

    name: str
    features: str
    X: np.ndarray
    y: np.ndarray
    kernel: str = "linear"


def cases(rng):
    """Every table with its own columns, an RBF kernel, and polynomials of degree 2 and 3."""
    tables = {
        "diabetes": load_diabetes(return_X_y=True),
        "digits": load_digits(return_X_y=True),
        "breast cancer": load_breast_cancer(return_X_y=True),
    }
    X, targets = load_linnerud(return_X_y=True)
    tables |= {f"linnerud, {name}": (X, targets[:, i]) for i, name in enumerate(load_linnerud().target_names)}
    for name, (X, y) in tables.items():
        X, y = standardised(X)[0], (y - y.mean()) / y.std()
        yield Case(name, "as they are", X, y)
        yield Case(name, "RBF kernel", X, y, "rbf")
        for degree in (2, 3):
            count = COLUMNS.get(name, {}).get(degree, X.shape[1])
            some = np.sort(rng.choice(X.shape[1], min(count, X.shape[1]), replace=False))
            kind = f"degree {degree}" + (f", {some.size} columns" if some.size < X.shape[1] else "")
            yield Case(name, kind, PolynomialFeatures(degree, include_bias=False).fit_transform(X[:, some]), y)


def standardised(X, *others):
    """Columns that vary, at mean 0 and variance 1 of the first table; the others on the same scale."""
    mean, spread = X.mean(axis=0), X.std(axis=0)
    kept = spread > 1e-10 * np.abs(X).max(axis=0)
    return [((each - mean) / np.where(kept, spread, 1))[:, kept] for each in (X, *others)]


def signal_of(case):
    """(n,) fitted signal of the whole table and its out-of-fold residuals, (n,)."""
    Z = standardised(case.X)[0]
    if case.kernel == "rbf":
        s, U = np.linalg.eigh(rbf_kernel(Z))
        Z = U * np.sqrt(np.maximum(s, 0))
    alphas = Z.shape[0] * np.geomspace(1e-5, 1e2, 22) * np.mean(Z.var(axis=0).sum()) / min(Z.shape)
    fit = RidgeCV(alphas=alphas).fit(Z, case.y)
    residuals = np.empty(case.y.size)
    for train, test in KFold(5, shuffle=True, random_state=0).split(Z):
        residuals[test] = case.y[test] - RidgeCV(alphas=alphas).fit(Z[train], case.y[train]).predict(Z[test])
    return fit.predict(Z), residuals - residuals.mean()


def smoothers(one, two, kernel, penalty):
    """Centred fit on the rows of ``one`` and prediction at those of ``two``, as matrices on centred labels."""
    n = one.shape[0]
    if kernel == "rbf":
        within, across = rbf_kernel(one), rbf_kernel(two, one)
        means = within.mean(axis=0)
        across = across - across.mean(axis=1, keepdims=True) - means + means.mean()
        within = within - means - means[:, None] + means.mean()
    else:
        mean = one.mean(axis=0)
        within, across = (one - mean) @ (one - mean).T, (two - mean) @ (one - mean).T
    damped = within / n + penalty * np.eye(n)
    inverse = (np.linalg.inv(damped) if penalty > 1e-8 * np.trace(within) / n else np.linalg.pinv(damped, hermitian=True)) / n
    return within @ inverse, across @ inverse


def run(fit, real, noise, w, labels, rng):
    """Labels of the last of ``GENERATIONS`` generations, (n, m) for m runs; ``real()`` draws real ones."""
    first = real()
    used = first
    for _ in range(GENERATIONS):
        synthetic = used.mean(axis=0) + fit @ (used - used.mean(axis=0)) + np.sqrt(noise) * rng.standard_normal(used.shape)
        used = w * (first if labels == "frozen" else real()) + (1 - w) * synthetic
    return used


def kept(X, y, held, y_held, kernel, rng, runs):
    """Predicted and replayed error with the first real labels kept."""
    penalty = fm.recommend(X, y, kernel=kernel, standardize=False, loop=fm.Loop(labels="frozen")).penalty
    loop = fm.Loop(labels="frozen", real_weight=KEPT_WEIGHT)
    found = fm.recommend(X, y, kernel=kernel, standardize=False, loop=loop, penalty=penalty)
    fit, predict = smoothers(X, held, kernel, found.penalty)
    used = run(fit, lambda: np.repeat(y[:, None], runs, axis=1), found.noise_variance, KEPT_WEIGHT, "frozen", rng)
    errors = (y_held[:, None] - used.mean(axis=0) - predict @ (used - used.mean(axis=0))) ** 2
    return found.baselines["today"] + found.noise_variance, errors.mean()


def fresh(X, held, f, f_held, residuals, kernel, rng, runs):
    """Predicted and replayed error of the recommended loop on drawn labels, whether the check passed, and the verdict."""

    def real(count=runs):
        return f[:, None] + rng.choice(residuals, (f.size, count))

    found = fm.recommend(X, real(1)[:, 0], kernel=kernel, standardize=False, label_renewal=1.0)
    fit, predict = smoothers(X, held, kernel, found.penalty)
    used = run(fit, real, residuals.var(), found.real_weight, "fresh", rng)
    errors = (f_held[:, None] - used.mean(axis=0) - predict @ (used - used.mean(axis=0))) ** 2
    fits = None if found.check is None else found.check.fits
    return found.prediction_error, errors.mean() + residuals.var(), found.real_weight, fits, found.verdict


def row(case, splits, runs):
    """One line of the table."""
    f, residuals = signal_of(case)
    n = case.y.size
    size = n // 2 if n > 50 else round(0.75 * n)
    found, width = [], 0
    for split in range(splits if n > 50 else 4 * splits):
        rng = np.random.default_rng([split, n, case.X.shape[1]])
        order = rng.permutation(n)
        train, test = order[:size], order[size:]
        X, held = standardised(case.X[train], case.X[test])
        width = X.shape[1]
        one = kept(X, case.y[train], held, case.y[test], case.kernel, rng, runs)
        two = fresh(X, held, f[train], f[test], residuals, case.kernel, rng, runs)
        found.append((*one, *two))
    numbers = np.array([each[:5] for each in found], dtype=float)
    passed = [each[5] for each in found if each[5] is not None]
    mean, error = numbers.mean(axis=0), numbers.std(axis=0, ddof=1) / np.sqrt(len(found))
    columns = "-" if case.kernel != "linear" else str(width)
    cells = [f"{mean[i]:.3f} ± {error[i]:.3f}" for i in range(4)]
    check = f"{sum(passed)} of {len(passed)}" if passed else "too few rows"
    refused = sum(each[6] == "theory does not fit" for each in found)
    ratios = [np.mean(numbers[:, i + 1]) / np.mean(numbers[:, i]) for i in (0, 2)]
    return (
        f"| {case.name} | {case.features} | {size} | {columns} | {cells[0]} | {cells[1]} | {ratios[0]:.2f} | {cells[2]} | "
        f"{cells[3]} | {ratios[1]:.2f} | {mean[4]:.2f} | {check} | {refused} of {len(found)} |"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--only", default="", help="tables whose name begins so")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| table | features | rows | columns | kept: predicted | replayed | ratio", end=" ")
    print("| fresh: predicted | replayed | ratio | weight | check passed | does not fit |")
    print("|" + "---|" * 13)
    for case in cases(np.random.default_rng(0)):
        if case.name.startswith(options.only):
            print(row(case, options.splits, options.runs), flush=True)


if __name__ == "__main__":
    main()
