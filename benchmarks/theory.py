"""Speed of the theory on one core, with ratios to evaluating point by point: python benchmarks/theory.py"""

import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import freshmix as fm
from freshmix.equivalents import PopulationEquivalents
from freshmix.risks import frozen


def best_of(repeats, job):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = job()
        times.append(time.perf_counter() - start)
    return min(times), result


def main():
    population = fm.Population.autoregressive(0.7, 500)
    w, penalties = np.linspace(0.005, 1, 200), np.geomspace(1e-3, 1e3, 200)
    print("500 atoms, one core, best of 5")
    for aspect in (0.5, 1.0, 2.0):
        loop = fm.Loop(aspect=aspect)
        surface, found = best_of(5, lambda loop=loop: fm.limit_surface(population, loop, real_weight=w, penalty=penalties))
        i, j = np.random.default_rng(0).integers(0, 200, (2, 500))
        equivalents = PopulationEquivalents(population, aspect)
        start = time.perf_counter()
        points = [
            fm.limit(population, loop.replace(real_weight=w[a], penalty=penalties[b])).risk for a, b in zip(i, j, strict=True)
        ]
        each = (time.perf_counter() - start) / i.size
        vectorised, _ = best_of(3, lambda e=equivalents, i=i, j=j: frozen.limit_risk(e, w[i], penalties[j]))
        error = np.max(np.abs(found.risk.values[i, j] / points - 1))
        print(
            f"surface 200 x 200, aspect {aspect:g}: {1e3 * surface:6.1f} ms, worst relative error {error:.1e}; over "
            f"point by point {each * 4e4 / surface:5.0f} x, all at once {vectorised / i.size * 4e4 / surface:4.0f} x"
        )
        seconds, _ = best_of(5, lambda loop=loop: fm.risk(population, loop.replace(real_weight=0.6, penalty=0.1), 50))
        print(f"risk, 50 generations, aspect {aspect:g}:  {1e3 * seconds:6.1f} ms")
        seconds, _ = best_of(
            5, lambda a=aspect: fm.risk(population, fm.Loop.partially_labelled(aspect=a, labelled=0.5, penalty=0.1), 1000)
        )
        print(f"fresh covariates, 1000 generations: {1e3 * seconds:6.1f} ms")
        kept = fm.Loop(aspect=aspect, penalty=0.1, real_weight=1.0, covariates="fresh", kept_generations=12, forgetting=0.9)
        drifting = population.replace(persistence=0.95, row_sizes=([0.5, 1.75], [0.6, 0.4]))
        seconds, _ = best_of(5, lambda loop=kept, p=drifting: fm.risk(p, loop, 1000))
        print(f"12 generations kept, rows of two sizes: {1e3 * seconds:6.1f} ms")
    partial = fm.Loop.partially_labelled(labelled=0.5, penalty=0.1, row_weight=(1.0, 0.5))
    grid = {"aspect": np.geomspace(0.1, 10, 100), "labelled": np.linspace(0, 1, 100)}
    seconds, found = best_of(2, lambda: fm.limit_surface(population, partial, **grid))
    some = np.random.default_rng(1).integers(0, 100, (200, 2))
    loops = [
        fm.Loop.partially_labelled(aspect=grid["aspect"][i], labelled=grid["labelled"][j], penalty=0.1, row_weight=(1.0, 0.5))
        for i, j in some
    ]
    start = time.perf_counter()
    points = np.array([fm.limit(population, loop).risk for loop in loops])
    each = (time.perf_counter() - start) / len(loops)
    error = np.max(np.abs(found.risk.values[some[:, 0], some[:, 1]] / points - 1))
    print(
        f"phase surface 100 x 100 (aspect, labelled): {seconds:5.2f} s, worst relative error {error:.1e}; over point by point "
        f"{each * 1e4 / seconds:4.1f} x"
    )
    for labels in ("fresh", "frozen"):
        gains = [
            gain(p, fm.Loop(aspect=a, penalty=lam, labels=labels)) for p in SMALL for a in (0.5, 1.0, 2.0) for lam in PENALTIES
        ]
        print(
            f"horizon-optimal schedule at T = 10, {labels} labels: {min(gains):.2%} to {max(gains):.2%} (median "
            f"{np.median(gains):.2%}) below greedy"
        )


def memory():
    """Seconds of ``fm.optimal_memory`` on ten atoms."""
    ten = fm.Population(np.geomspace(0.05, 5, 10), np.full(10, 0.1), np.full(10, 0.1), 1.0)
    labelled = [fm.Group(0.3), fm.Group(0.7, 1.0, 0.0)]
    loops = {
        "frozen covariates": fm.Loop(aspect=0.7),
        "fresh covariates": fm.Loop(aspect=0.7, covariates="fresh", real_weight=1.0),
        "fresh covariates, 30% labelled": fm.Loop(aspect=0.7, covariates="fresh", groups=labelled, first_rows=0.3),
    }
    for name, loop in loops.items():
        population = ten if loop.covariates == "frozen" else ten.replace(persistence=0.97)
        seconds, found = best_of(3, lambda p=population, loop=loop: fm.optimal_memory(p, loop))
        print(f"what to remember, {name}: {seconds:5.2f} s, {found.best}")


SMALL = [
    fm.Population.isotropic(2.0),
    fm.Population.spiked(10.0, 0.7),
    fm.Population.power_law(1.0, 40, source=0.5, signal=3.0),
    fm.Population.two_level(10.0, 0.25, 0.9, 2.0),
]
PENALTIES = (1e-4, 1e-2, 0.1, 0.3)


def gain(population, loop, generations=10):
    """How much lower the risk of the last generation is than under the greedy schedule."""
    best, greedy = (
        fm.risk(
            population, loop.replace(schedule=fm.optimal_schedule(population, loop, generations, method=method)), generations
        )
        for method in ("horizon", "greedy")
    )
    return max(0.0, 1 - best[-1] / greedy[-1])


if __name__ == "__main__":
    main()
    memory()
