"""What neighbouring papers say of linear and logistic regression, run again: python benchmarks/papers.py [--repeats 40]

* Gerstgrasser et al. (2404.01413): least squares on its own labels. Replaced data: the excess risk grows by
  sigma^2 gamma/(1 - gamma) in each generation. Accumulated data: it stays below pi^2/6 times that of the first one.
* Kazdan et al. (2410.16713): of replaced, accumulated and accumulated data in a fixed number of rows, the third lies between.
* He, Xu and Cheng (2502.18049): fresh real labels mixed with sampled synthetic ones, p << n: the best real weight is 1/phi for
  least squares, and for logistic regression.

Five minutes with the default on one core.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression

import freshmix as fm

ROWS, GAMMA, SIGMA2, GENERATIONS = 400, 0.25, 1.0, 20


def workflows(repeats: int) -> None:
    population = fm.Population.isotropic(signal=1.0, noise_variance=SIGMA2)
    loop = fm.Loop(aspect=GAMMA, real_weight=0.0, covariates="fresh")
    risks, errors = {}, {}
    for workflow in ("replace", "accumulate", "accumulate-subsample"):
        found = fm.simulate(population, loop, GENERATIONS, rows=ROWS, replicates=repeats, seed=0, workflow=workflow).risk
        found = found.squeeze()
        risks[workflow] = found.mean("replicate").to_numpy()
        errors[workflow] = found.std("replicate", ddof=1).to_numpy() / np.sqrt(repeats)
    slope = SIGMA2 * GAMMA / (1 - GAMMA)
    t = np.arange(GENERATIONS + 1)
    grown = np.polyfit(t, risks["replace"], 1)[0]
    print(f"excess risk over generation 0's, {ROWS} rows, gamma {GAMMA:g}, {repeats} repeats")
    print(f"{'t':>4s}" + "".join(f"{name:>24s}" for name in risks))
    for each in (0, 1, 2, 5, 10, GENERATIONS):
        cells = [f"{risks[name][each] / risks[name][0]:.3f} ({errors[name][each] / risks[name][0]:.3f})" for name in risks]
        print(f"{each:4d}" + "".join(f"{cell:>24s}" for cell in cells))
    print(f"replace: slope {grown:.4f}, sigma^2 gamma/(1 - gamma) = {slope:.4f}")
    print(
        f"accumulate: {risks['accumulate'][-1] / risks['accumulate'][0]:.3f} at t = {GENERATIONS}, pi^2/6 = {np.pi**2 / 6:.3f}"
    )


def golden(repeats: int) -> None:
    rng = np.random.default_rng(0)
    n, p = 20_000, 8
    X, beta = rng.standard_normal((n, p)), np.full(p, 0.5)
    numbers = X @ beta + 2 * rng.standard_normal(n)
    classes = (rng.random(n) < 1 / (1 + np.exp(-X @ beta))).astype(int)
    weights = [0.3, 0.4, 0.5, 0.618, 0.7, 0.8, 0.9]
    for name, model, y in (
        ("least squares", LinearRegression(), numbers),
        ("logistic regression", LogisticRegression(C=np.inf), classes),
    ):
        found = fm.find_weight(
            model, X, y, weights=weights, generations=8, repeats=repeats, rows_per_generation=200, synthetic_labels="sampled"
        )
        low, high = found.interval
        print(
            f"{name}: best real weight {found.real_weight:.3f} ({low:.3f} to {high:.3f}), mixing {found.mixing}; {found.within}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=40)
    repeats = parser.parse_args().repeats
    workflows(repeats)
    golden(repeats)


if __name__ == "__main__":
    main()
