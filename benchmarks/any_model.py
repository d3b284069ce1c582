"""The best real weight of many models on real rows: python benchmarks/any_model.py [--repeats 8] [--only NAME ...]

Diabetes (regressors), digits and breast cancer (classifiers), of scikit-learn. New rows in each generation, all of them with a
real label, or 30% of them; the real weight that ``fm.find_weight`` finds for generation 4, which weights cannot be told from it
at 90%, and whether 1/phi, 1/2 and 1 are among them. Synthetic labels are plain predictions for regressors and sampled classes
for classifiers. Hours with the default.
"""

import argparse
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

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


def scaled(model: object) -> object:
    return make_pipeline(StandardScaler(), model)


REGRESSORS = {
    "Ridge": Ridge(0.05),
    "RandomForest": RandomForestRegressor(30, min_samples_leaf=3),
    "GradientBoosting": GradientBoostingRegressor(n_estimators=40),
    "MLP": scaled(MLPRegressor(hidden_layer_sizes=(30,), learning_rate_init=0.02, max_iter=100)),
}
CLASSIFIERS = {
    "LogisticRegression": scaled(LogisticRegression(C=0.1)),
    "GaussianNB": scaled(GaussianNB(var_smoothing=0.05)),
    "RandomForest": RandomForestClassifier(30, min_samples_leaf=3),
    "GradientBoosting": GradientBoostingClassifier(n_estimators=15),
    "MLP": scaled(MLPClassifier(hidden_layer_sizes=(30,), learning_rate_init=0.02, max_iter=60)),
}
TABLES = {
    "diabetes": (load_diabetes, REGRESSORS, "predictions"),
    "breast cancer": (load_breast_cancer, CLASSIFIERS, "sampled"),
    "digits": (load_digits, CLASSIFIERS, "sampled"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    names = (
        "table",
        "model",
        "labelled",
        "mixing",
        "best",
        "cannot be told from it",
        "1/phi",
        "1/2",
        "1",
        "measure",
        "error",
        "s",
    )
    widths = (13, 18, 8, 6, 5, 22, 5, 4, 4, 13, 9, 6)
    print("  ".join(f"{name:>{width}s}" for name, width in zip(names, widths, strict=True)), flush=True)
    for table, (load, models, labels) in TABLES.items():
        X, y = load(return_X_y=True)
        for name, model in models.items():
            for labelled in (1.0, 0.3):
                if options.only and not {table, name} & set(options.only):
                    continue
                start = time.process_time()
                found = fm.find_weight(
                    model, X, y, generations=4, repeats=options.repeats, labelled=labelled, synthetic_labels=labels
                )
                low, high = found.interval
                row = (table, name, f"{labelled:.0%}", found.mixing, f"{found.real_weight:.2f}", f"{low:.2f} to {high:.2f}")
                row += tuple("yes" if within else "no" for within in found.within.values())
                row += (found.measure, f"{found.error:.4g}", f"{time.process_time() - start:.0f}")
                print("  ".join(f"{cell:>{width}s}" for cell, width in zip(row, widths, strict=True)), flush=True)


if __name__ == "__main__":
    main()
