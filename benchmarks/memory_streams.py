"""Ways to remember on scikit-learn's tables as streams, the figures of docs/memory.md: python benchmarks/memory_streams.py

The rows of a table are shuffled and cut into steps. ``fm.recommend`` sees the first half of them, with all or 30% of their
labels; each way with the settings that it names, and what scikit-learn offers, is then carried out from the first step on, and
its models of the second half are judged on the rows of the step after. Mean squared errors in units of the target's variance,
means over shuffles. Takes about two minutes on two idle cores.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from itertools import product

from memory import OTHERS, SETTINGS, carried_out  # before NumPy: it sets the number of BLAS threads

# isort: split
import numpy as np
from sklearn import datasets

import freshmix as fm

TABLES = {
    "diabetes": (datasets.load_diabetes, 20),
    "breast cancer": (datasets.load_breast_cancer, 25),
    "digits": (datasets.load_digits, 60),
}
WAYS = ("real_only", "mixed", "anchored", "anchored_mixed", "keep_all", "forgetting")


def one(task):
    """Name of a way -> mean squared error, with the name of the recommended one and the estimated persistence."""
    name, labelled, shuffle = task
    load, size = TABLES[name]
    X, y = load(return_X_y=True)
    rng = np.random.default_rng([list(TABLES).index(name), shuffle])
    order = rng.permutation(len(y))
    count = len(y) // size
    half = count // 2
    X, y = X[order[: count * size]], y[order[: count * size]].astype(float)
    seen = slice(0, half * size)
    X, y = X[:, X[seen].std(axis=0) > 0], (y - y[seen].mean()) / y.std()
    X = (X - X[seen].mean(axis=0)) / X[seen].std(axis=0)
    shown = np.where(rng.random(len(y)) < labelled, y, np.nan)
    found = fm.recommend(X[seen], shown[seen], time=np.repeat(np.arange(half), size), standardize=False)
    blocks = [slice(t * size, (t + 1) * size) for t in range(count)]
    rows = np.column_stack([np.ones(len(y)), X])
    steps = [(rows[b][np.isfinite(shown[b])], shown[b][np.isfinite(shown[b])], rows[b], shown[b]) for b in blocks[:-1]]
    told = {way: {key: found.rivals[way][key] for key in SETTINGS} for way in WAYS}
    models = {way: carried_out(steps, **settings) for way, settings in told.items()}
    models |= {other: train(steps) for other, train in OTHERS.items()}
    judged = blocks[half:]
    errors = {}
    for each, course in models.items():
        turns = zip(judged, course[half - 1 :], strict=True)
        errors[each] = np.mean([np.mean((y[later] - rows[later] @ coef) ** 2) for later, coef in turns])
    return errors, found.best if found.best in errors else "forgetting", found.persistence[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shuffles", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    cells = list(product(TABLES, (1.0, 0.3)))
    tasks = [(*cell, shuffle) for cell in cells for shuffle in range(options.shuffles)]
    with ProcessPoolExecutor(options.workers) as pool:
        results = list(pool.map(one, tasks))
    told = {cell: [each for each, task in zip(results, tasks, strict=True) if task[:2] == cell] for cell in cells}
    print("| way | " + " | ".join(f"{name}, {100 * labelled:g}%" for name, labelled in cells) + " |")
    print("|---" * (len(cells) + 1) + "|")
    for way in (*WAYS, *OTHERS):
        means = [np.mean([errors[way] for errors, _, _ in told[cell]]) for cell in cells]
        print(f"| {way} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")
    best = [np.array([errors[name] for errors, name, _ in told[cell]]) for cell in cells]
    print("| recommended | " + " | ".join(f"{x.mean():.3f} ± {x.std(ddof=1) / np.sqrt(len(x)):.3f}" for x in best) + " |")
    names = [{way: [name for _, name, _ in told[cell]].count(way) for way in WAYS} for cell in cells]
    print("| which | " + " | ".join(", ".join(f"{way} {k}" for way, k in each.items() if k) for each in names) + " |")
    print("| persistence | " + " | ".join(f"{np.median([c for _, _, c in told[cell]]):.4f}" for cell in cells) + " |")


if __name__ == "__main__":
    main()
