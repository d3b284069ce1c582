"""Speed of the theory on one core, with ratios to evaluating point by point: python benchmarks/theory.py"""

import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import freshmix as fm
from freshmix.equivalents import PopulationEquivalents
from freshmix.risk import frozen


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


if __name__ == "__main__":
    main()
