"""What freshmix costs as its work grows, under pytest-benchmark: make bench

One job, one axis, several sizes. Beside each the unit is timed: ``numpy.linalg.eigh`` of a 500 x 500 matrix, best of five,
right before, so that ratios to it are comparable between runs and, about, between machines. Seconds are of the processor, with
one BLAS thread.
"""

import time

import numpy as np
import pytest

import freshmix as fm

# Job -> axis -> sizes. Each pair is a function below, made by a call with the size.
LADDERS = {
    "fm.recommend, same rows": {"rows": (250, 500, 1000, 2000), "features": (125, 250, 500, 1000, 2000)},
    "fm.recommend, new rows by month": {"months": (6, 12, 24, 48)},
    "fm.simulate, frozen covariates": {
        "rows": (125, 250, 500, 1000),
        "weights": (1, 10, 100, 1000),
        "generations": (10, 100, 1000),
    },
    "fm.simulate, fresh covariates": {"rows": (125, 250, 500), "weights": (1, 10, 100), "generations": (5, 10, 20, 40)},
    "fm.simulate, exact law": {"rows": (10_000, 100_000, 1_000_000)},
    "fm.risk, frozen covariates": {"generations": (10, 30, 100, 300), "features": (10, 100, 1000)},
    "fm.risk, fresh covariates": {"generations": (10, 100, 1000, 10_000)},
    "fm.limit_surface": {"weights": (10, 100, 1000), "features": (10, 100, 1000)},
    "fm.optimal_memory, new rows": {"features": (5, 10, 20)},
    "fm.MixedRidge.partial_fit": {"rows": (100, 1000, 10_000), "features": (25, 50, 100, 200, 400)},
}


def table(n, p, seed=0):
    """Rows and labels of signal and noise alike."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X @ rng.standard_normal(p) / np.sqrt(p) + rng.standard_normal(n)


def recommended(rows=500, features=200):
    X, y = table(rows, features)
    return lambda: fm.recommend(X, y)


def by_month(months=12):
    X, y = table(100 * months, 30)
    steps = np.repeat(np.arange(months), 100)
    return lambda: fm.recommend(X, y, time=steps)


def simulated(rows=250, weights=10, generations=10, covariates="frozen"):
    loop, grid = fm.Loop(aspect=2.0, penalty=0.1, covariates=covariates), np.linspace(0.05, 1, weights)
    return lambda: fm.simulate(fm.Population.isotropic(), loop, generations, rows=rows, real_weight=grid)


def by_exact_law(rows):
    loop = fm.Loop(aspect=2.0, penalty=0.1, real_weight=0.6)
    return lambda: fm.simulate(fm.Population.isotropic(), loop, 10, rows=rows, engine="exact-law")


def risked(generations=30, features=100, covariates="frozen"):
    population = fm.Population.autoregressive(0.7, features)
    loop = fm.Loop(aspect=2.0, penalty=0.1, real_weight=0.6, covariates=covariates)
    return lambda: fm.risk(population, loop, generations)


def surfaced(weights=100, features=100):
    population = fm.Population.autoregressive(0.7, features)
    grid = {"real_weight": np.linspace(0.05, 1, weights), "penalty": np.geomspace(1e-3, 1e3, 100)}
    return lambda: fm.limit_surface(population, fm.Loop(aspect=2.0), **grid)


def remembered(features):
    population = fm.Population(
        np.geomspace(0.05, 5, features), np.full(features, 1 / features), np.full(features, 1 / features), 1.0, persistence=0.97
    )
    groups = [fm.Group(0.3), fm.Group(0.7, 1.0, 0.0)]
    loop = fm.Loop(aspect=0.7, covariates="fresh", groups=groups, first_rows=0.3)
    return lambda: fm.optimal_memory(population, loop)


def refitted(rows=1000, features=50):
    X, y = table(rows, features)
    model = fm.MixedRidge(alpha=5.0, real_weight=0.6, anchor=0.5).partial_fit(X, y)
    return lambda: model.partial_fit(X, y)


MADE = {
    "fm.recommend, same rows": recommended,
    "fm.recommend, new rows by month": by_month,
    "fm.simulate, frozen covariates": simulated,
    "fm.simulate, fresh covariates": lambda **size: simulated(**size, covariates="fresh"),
    "fm.simulate, exact law": by_exact_law,
    "fm.risk, frozen covariates": risked,
    "fm.risk, fresh covariates": lambda **size: risked(**size, covariates="fresh"),
    "fm.limit_surface": surfaced,
    "fm.optimal_memory, new rows": remembered,
    "fm.MixedRidge.partial_fit": refitted,
}


def least(repeats, job):
    """Seconds of the processor, the least of a few."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        job()
        seconds.append(time.process_time() - start)
    return min(seconds)


def symmetric(n):
    """A Gram matrix of as many columns as rows."""
    X = np.random.default_rng(0).standard_normal((n, n))
    return X @ X.T / n


UNIT = symmetric(500)


def timed(benchmark, work, **told):
    """The least of five rounds, or of as many as go into about two seconds; what is loaded and set up once is not counted."""
    unit = least(5, lambda: np.linalg.eigh(UNIT))
    first = least(1, work)
    rounds = int(np.clip(2 / max(first, 1e-4), 2, 50))
    benchmark.extra_info.update(told, unit=unit)
    benchmark.pedantic(work, rounds=rounds, iterations=1)


@pytest.mark.parametrize(
    ("job", "axis", "size"),
    [(job, axis, size) for job, axes in LADDERS.items() for axis, sizes in axes.items() for size in sizes],
    ids=lambda value: str(value).replace(" ", "_"),
)
def test_growth(benchmark, job, axis, size):
    timed(benchmark, MADE[job](**{axis: size}), job=job, axis=axis, size=size)


# Beside what a job cannot do without, or what would be done in its place.


def test_recommend_beside_its_eigendecomposition(benchmark):
    n, p = 2000, 4000
    X, y = table(n, p)
    gram = X @ X.T / n
    timed(
        benchmark,
        lambda: fm.recommend(X, y),
        job=f"fm.recommend, {n} rows of {p} features, check included",
        beside="numpy.linalg.eigh of their Gram matrix",
        other=least(3, lambda: np.linalg.eigh(gram)),
    )


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
def test_a_surface_beside_its_points(benchmark, aspect):
    population, w, penalties = fm.Population.autoregressive(0.7, 500), np.linspace(0.005, 1, 200), np.geomspace(1e-3, 1e3, 200)
    loop = fm.Loop(aspect=aspect)
    some = np.random.default_rng(0).integers(0, 200, (100, 2))
    each = least(1, lambda: [fm.limit(population, loop.replace(real_weight=w[i], penalty=penalties[j])) for i, j in some])
    timed(
        benchmark,
        lambda: fm.limit_surface(population, loop, real_weight=w, penalty=penalties),
        job=f"fm.limit_surface, 200 x 200 points, 500 eigenvalues, aspect {aspect:g}",
        beside="fm.limit at each point",
        other=each * w.size * penalties.size / len(some),
    )


def test_a_phase_diagram_beside_its_points(benchmark):
    population = fm.Population.autoregressive(0.7, 500)
    partial = fm.Loop.partially_labelled(labelled=0.5, penalty=0.1, row_weight=(1.0, 0.5))
    grid = {"aspect": np.geomspace(0.1, 10, 50), "labelled": np.linspace(0, 1, 50)}
    some = np.random.default_rng(1).integers(0, 50, (50, 2))
    loops = [
        fm.Loop.partially_labelled(aspect=grid["aspect"][i], labelled=grid["labelled"][j], penalty=0.1, row_weight=(1.0, 0.5))
        for i, j in some
    ]
    timed(
        benchmark,
        lambda: fm.limit_surface(population, partial, **grid),
        job="fm.limit_surface, 50 x 50 points (aspect, labelled share), 500 eigenvalues",
        beside="fm.limit at each point",
        other=least(1, lambda: [fm.limit(population, loop) for loop in loops]) * 50 * 50 / len(loops),
    )


def test_frozen_simulation_beside_its_gram_matrix(benchmark):
    n, p = 500, 1000
    X = np.random.default_rng(0).standard_normal((n, p))
    timed(
        benchmark,
        simulated(rows=n, weights=50, generations=50),
        job=f"fm.simulate, frozen covariates, {n} rows of {p} features, 50 generations x 50 weights",
        beside="normals, Gram matrix and numpy.linalg.eigh",
        other=least(3, lambda: np.linalg.eigh((Z := np.random.default_rng(0).standard_normal(X.shape)) @ Z.T / n)),
    )


def test_fresh_simulation_beside_its_factors(benchmark):
    n, p, generations = 500, 1000, 10

    def factors():
        rng = np.random.default_rng(0)
        for _ in range(generations + 1):
            Z = rng.standard_normal((n, p))
            np.linalg.cholesky(Z @ Z.T / n + 0.1 * np.eye(n))

    timed(
        benchmark,
        simulated(rows=n, weights=10, generations=generations, covariates="fresh"),
        job=f"fm.simulate, fresh covariates, {n} rows of {p} features, {generations} generations x 10 weights",
        beside="normals, Gram matrices and Cholesky factors",
        other=least(3, factors),
    )
