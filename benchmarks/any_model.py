"""The best real weight of many models on real rows: python benchmarks/any_model.py [--repeats 8] [--only NAME ...]

Diabetes (regressors; labels in standard deviations), breast cancer and 700 rows of digits (classifiers), of scikit-learn. New
rows in each generation, all of them with a real label, or 30% of them; the real weight that ``fm.find_weight`` finds for
generation 4, the weights that cannot be told from it at 90%, and whether 1/phi, 1/2 and 1 are among them: "yes", or by how much
in percent the error is above the best one's. Synthetic labels are sampled (classes from probabilities, residuals added to
predictions) or plain predictions.
"""

import argparse
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Networks are stopped early on purpose.
os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning")

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import freshmix as fm

DIGITS = 700
GOLDEN = (5**0.5 - 1) / 2
WEIGHTS = (0.2, 0.35, 0.5, GOLDEN, 0.75, 0.9, 1.0)


def scaled(model: object) -> object:
    return make_pipeline(StandardScaler(), model)


def diabetes() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_diabetes(return_X_y=True)
    return X, (y - y.mean()) / y.std()


def cancer() -> tuple[np.ndarray, np.ndarray]:
    return load_breast_cancer(return_X_y=True)


def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    some = np.random.default_rng(0).permutation(len(y))[:DIGITS]
    return X[some], y[some]


NETWORK = {"hidden_layer_sizes": (20,), "learning_rate_init": 0.02, "max_iter": 50}
REGRESSORS = {
    "Ridge": Ridge(0.05),
    "RandomForest": RandomForestRegressor(10, min_samples_leaf=3),
    "GradientBoosting": GradientBoostingRegressor(n_estimators=30, max_depth=2),
    "MLP": scaled(MLPRegressor(**NETWORK)),
}
CLASSIFIERS = {
    "LogisticRegression": scaled(LogisticRegression(C=0.1)),
    "GaussianNB": scaled(GaussianNB(var_smoothing=0.05)),
    "RandomForest": RandomForestClassifier(10, min_samples_leaf=3),
    "GradientBoosting": GradientBoostingClassifier(n_estimators=10, max_depth=2, max_features="sqrt"),
    "MLP": scaled(MLPClassifier(**NETWORK)),
}
TABLES = {
    "diabetes": (diabetes, REGRESSORS),
    "breast cancer": (cancer, CLASSIFIERS),
    "digits": (digits, CLASSIFIERS),
}
COLUMNS = {
    "labelled": 8,
    "labels": 11,
    "table": 13,
    "model": 18,
    "mixing": 6,
    "best": 5,
    "cannot be told from it": 22,
    "1/phi": 6,
    "1/2": 6,
    "1": 6,
    "measure": 13,
    "error": 17,
    "s": 5,
}


def line(cells: list[str]) -> None:
    print("  ".join(f"{cell:>{width}s}" for cell, width in zip(cells, COLUMNS.values(), strict=True)), flush=True)


def answers(found: fm.FoundWeight) -> list[str]:
    """Whether each named weight is within, or by how much it is worse."""
    named = {"1/phi": GOLDEN, "1/2": 0.5, "1": 1.0}
    above = {name: found.differences[np.argmin(abs(found.weights - w))] / found.error for name, w in named.items()}
    return ["yes" if found.within[name] else f"+{100 * above[name]:.2g}%" for name in named]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=8, help="of the first round; the interval has four times as many")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--labelled", nargs="*", type=float, default=[1.0, 0.3])
    parser.add_argument("--labels", nargs="*", default=["sampled", "predictions"])
    parser.add_argument("--only", nargs="*", default=[], help="tables or models")
    options = parser.parse_args()
    line(list(COLUMNS))
    for labels in options.labels:
        for labelled in options.labelled:
            for table, (load, models) in TABLES.items():
                X, y = load()
                for name, model in models.items():
                    if options.only and not {table, name} & set(options.only):
                        continue
                    start = time.perf_counter()
                    found = fm.find_weight(
                        model,
                        X,
                        y,
                        weights=WEIGHTS,
                        generations=4,
                        repeats=options.repeats,
                        labelled=labelled,
                        synthetic_labels=labels,
                        workers=options.workers,
                    )
                    low, high = found.interval
                    cells = [f"{labelled:.0%}", labels, table, name, found.mixing, f"{found.real_weight:.2f}"]
                    cells += [f"{low:.2f} to {high:.2f}", *answers(found), found.measure]
                    cells += [f"{found.error:.4g} +- {found.standard_error:.2g}", f"{time.perf_counter() - start:.0f}"]
                    line(cells)


if __name__ == "__main__":
    main()
