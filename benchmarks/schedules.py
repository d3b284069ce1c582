"""How much the schedule of real weights for a horizon gains over the greedy one: python benchmarks/schedules.py"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import freshmix as fm

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


def main():
    for labels in ("fresh", "frozen"):
        gains = [
            gain(p, fm.Loop(aspect=a, penalty=lam, labels=labels)) for p in SMALL for a in (0.5, 1.0, 2.0) for lam in PENALTIES
        ]
        print(
            f"horizon-optimal schedule at T = 10, {labels} labels: {min(gains):.2%} to {max(gains):.2%} (median "
            f"{np.median(gains):.2%}) below greedy"
        )


if __name__ == "__main__":
    main()
