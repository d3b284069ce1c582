"""What a recommendation costs beside the eigendecomposition it needs: python benchmarks/speed.py [--rows N --features P]

One core, CPU time, best of a few repetitions side by side in one run. The reference is numpy's eigh of the same Gram matrix;
the goal for a whole recommendation, check included, is twice that.
"""

import argparse
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import freshmix as fm
from freshmix.estimation import banded, factorise
from freshmix.optima import frozen_weight as optimum


def best_of(repeats, job):
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = job()
        times.append(time.process_time() - start)
    return min(times), result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--features", type=int, default=4000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    n, p = options.rows, options.features
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    y = X @ rng.standard_normal(p) * np.sqrt(2 / p) + rng.standard_normal(n)
    gram = X @ X.T / n if p >= n else X.T @ X / n

    # What is loaded and set up once is not counted.
    fm.recommend(X[:200, :100], y[:200])
    reference, _ = best_of(options.repeats, lambda: np.linalg.eigh(gram))
    product, _ = best_of(options.repeats, lambda: X @ X.T if p >= n else X.T @ X)
    whole, _ = best_of(options.repeats, lambda: fm.recommend(X, y))
    factor, factorisation = best_of(options.repeats, lambda: factorise(X, y))
    fit, found = best_of(options.repeats, lambda: banded(factorisation, np.random.default_rng(0)))
    goal = optimum.Goal(found.equivalents(), 1.0, 1.0)
    search, _ = best_of(options.repeats, lambda: optimum.best_loop(goal))
    curves, _ = best_of(options.repeats, lambda: optimum.tuned_risks(goal, np.linspace(0, 1, 101)))

    print(f"n = {n}, p = {p}, one core; CPU seconds and ratio to numpy.linalg.eigh of the Gram matrix")
    rows = {
        "numpy.linalg.eigh": reference,
        "Gram matrix": product,
        "factorise (centre, Gram, eigh)": factor,
        "estimate (posterior)": fit,
        "search over weight and penalty": search,
        "curve of 101 tuned weights": curves,
        "recommend, everything": whole,
    }
    for name, seconds in rows.items():
        print(f"{name:32s} {seconds:8.3f} s   {seconds / reference:6.2f}")


if __name__ == "__main__":
    main()
