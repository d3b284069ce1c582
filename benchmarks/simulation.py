"""Simulation against refitting and its own unavoidable parts, on one core: python benchmarks/simulation.py [PART] [--large]"""

import itertools
import os
import resource
import subprocess
import sys
import time
from functools import partial

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh
from sklearn.linear_model import Ridge

import freshmix as fm


def best_of(repeats, job, clock=time.perf_counter):
    times = []
    for _ in range(repeats):
        start = clock()
        job()
        times.append(clock() - start)
    return min(times)


def spectral():
    n, p, generations, weights = 500, 1000, 50, np.linspace(0.02, 1, 50)
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((n, p))
    y = Z[:, 0] + rng.standard_normal(n)

    def gram_and_eigh():
        eigh(Z @ Z.T / n, driver="evd", overwrite_a=True, check_finite=False)

    def with_product():
        _, U = eigh(Z @ Z.T / n, driver="evd", overwrite_a=True, check_finite=False)
        Z.T @ U

    fits = generations * weights.size
    sample = 10
    ridge = best_of(3, lambda: [Ridge(alpha=50.0, fit_intercept=False).fit(Z, y) for _ in range(sample)]) / sample
    pinv = best_of(2, lambda: np.linalg.pinv(Z) @ y)
    print(f"(a) frozen covariates, n = {n}, p = {p}, {generations} generations x {weights.size} weights, one replicate")
    print(f"    refits, {sample} of Ridge and 1 of pinv timed, times {fits}: {ridge * fits:.0f} s, {pinv * fits:.0f} s")
    for name, population in (("isotropic", fm.Population.isotropic()), ("two levels", fm.Population.two_level(4.0))):
        base = best_of(5, gram_and_eigh if name == "isotropic" else with_product)
        for penalty in (0.1, 0.0):
            loop = fm.Loop(aspect=p / n, penalty=penalty)
            took = best_of(5, lambda p=population, loop=loop: fm.simulate(p, loop, generations, rows=n, real_weight=weights))
            drawn = best_of(3, lambda: rng.standard_normal((n, p)))
            slow = ridge if penalty else pinv
            print(
                f"    {name:10s} penalty {penalty}: {took * 1e3:.0f} ms; {slow * fits / took:.0f} times faster than refits; "
                f"{took / base:.2f} of Gram + eigh{' + product' if name != 'isotropic' else ''} ({base * 1e3:.0f} ms; "
                f"drawing the normals alone {drawn * 1e3:.0f} ms)"
            )


def redraw():
    n, p, generations, weights, penalties = 500, 1000, 10, np.linspace(0.02, 1, 50), np.array([0.1, 1.0])
    rng = np.random.default_rng(0)

    def parts():
        for _ in range(generations + 1):
            Z = rng.standard_normal((n, p))
            gram = Z @ Z.T / n
            for penalty in penalties:
                factor = cho_factor(gram + penalty * np.eye(n), check_finite=False)
        return factor

    def solves():
        for _ in range(generations):
            Z = rng.standard_normal((n, p))
            gram = Z @ Z.T / n
            for penalty in penalties:
                factor = cho_factor(gram + penalty * np.eye(n), check_finite=False)
                cho_solve(factor, rng.standard_normal((n, 1)), check_finite=False)

    loop = fm.Loop(aspect=p / n, covariates="fresh")
    print(f"(b) fresh covariates, n = {n}, p = {p}, {generations} generations, {penalties.size} penalties")
    base = best_of(3, parts)
    for count in (1, 10, 50):
        grid = weights[:: weights.size // count][:count]
        took = best_of(
            3,
            lambda grid=grid: fm.simulate(
                fm.Population.isotropic(), loop, generations, rows=n, real_weight=grid, penalty=penalties
            ),
        )
        print(f"    {count:2d} weights: {took:.2f} s, {took / base:.2f} of normals + Gram + Cholesky ({base:.2f} s)")


def plain(workflow, weights, n, p, generations, replicates):
    """The loop as published scripts write it: one least-squares fit a generation, weight and replicate."""
    rng = np.random.default_rng(0)
    beta = np.eye(p)[0]
    found = np.empty((replicates, len(weights), generations + 1))
    for r, (i, w) in itertools.product(range(replicates), enumerate(weights)):
        X = rng.standard_normal((n, p))
        y = X @ beta + rng.standard_normal(n)
        kept, labels = [X], [y]
        bhat = np.linalg.lstsq(X, y, rcond=None)[0]
        found[r, i, 0] = np.sum((bhat - beta) ** 2)
        for t in range(1, generations + 1):
            X = rng.standard_normal((n, p))
            real = X @ beta + rng.standard_normal(n)
            other = rng.standard_normal((n, p)) if workflow == "stack" else X
            synthetic = other @ bhat + rng.standard_normal(n)
            if workflow == "stack":
                A = np.vstack([np.sqrt(w) * X, np.sqrt(1 - w) * other])
                y = np.concatenate([np.sqrt(w) * real, np.sqrt(1 - w) * synthetic])
            else:
                A, y = X, w * real + (1 - w) * synthetic
            if workflow.startswith("accumulate"):
                kept.append(A)
                labels.append(y)
                A, y = np.concatenate(kept), np.concatenate(labels)
            if workflow == "accumulate-subsample":
                chosen = rng.choice(y.size, n, replace=False)
                A, y = A[chosen], y[chosen]
            bhat = np.linalg.lstsq(A, y, rcond=None)[0]
            found[r, i, t] = np.sum((bhat - beta) ** 2)
    return found


def tiny():
    n, p, generations, replicates = 100, 2, 10, 500
    loop, options = fm.Loop(aspect=p / n, covariates="fresh"), {"rows": n, "replicates": replicates, "engine": "redraw"}
    print(f"(e) tiny loops, n = {n}, p = {p}, {generations} generations, {replicates} replicates; processor time a generation")
    for workflow in ("replace", "accumulate", "accumulate-subsample", "stack"):
        for weights in ([0.5], np.linspace(0.1, 1, 10)):
            grid = {"real_weight": weights, "workflow": workflow} | options
            ours = partial(fm.simulate, fm.Population.isotropic(), loop, generations, **grid)
            theirs = partial(plain, workflow, weights, n, p, generations, replicates)
            took, base = (best_of(3, job, time.process_time) / (generations * replicates) * 1e6 for job in (ours, theirs))
            print(
                f"    {workflow:20s} {len(weights):2d} weights: plain NumPy {base:.0f} us, freshmix {took:.0f} us, "
                f"{took / base:.2f} of it"
            )


EXACT = """
import sys, time, tracemalloc
import freshmix as fm
n, covariates = int(sys.argv[1]), sys.argv[2]
loop = fm.Loop(aspect=2.0, real_weight=0.6, penalty=0.1, covariates=covariates)
fm.simulate(fm.Population.isotropic(), loop, 1, rows=100, engine="exact-law")
start = time.perf_counter()
found = fm.simulate(fm.Population.isotropic(), loop, 30, rows=n, engine="exact-law")
took = time.perf_counter() - start
tracemalloc.start()
fm.simulate(fm.Population.isotropic(), loop, 2, rows=n, engine="exact-law")
peak = tracemalloc.get_traced_memory()[1]
gap = abs(found.risk.values[0] / fm.risk(fm.Population.isotropic(), loop, 30) - 1).max()
print(took, peak / n, gap)
"""


def exact_law(large):
    print("(c) exact law, p = 2n, 30 generations")
    for covariates in ("frozen", "fresh"):
        for n in (10**5, 10**6, 10**7) if large else (10**5, 10**6):
            out = subprocess.run([sys.executable, "-c", EXACT, str(n), covariates], capture_output=True, text=True, check=True)
            took, size, gap = map(float, out.stdout.split())
            print(
                f"    {covariates:6s} n = {n:>8d}: {took:6.2f} s, {took / n * 1e9:.0f} ns a row, {size:.0f} bytes a row, "
                f"{100 * gap:.2f}% from theory at most"
            )


def workers():
    loop = fm.Loop(aspect=2.0, penalty=0.1)
    options = {"rows": 400, "replicates": 256, "real_weight": np.linspace(0, 1, 21)}
    fm.simulate(fm.Population.isotropic(), loop, 20, workers=2, **(options | {"replicates": 2}))
    one = best_of(3, lambda: fm.simulate(fm.Population.isotropic(), loop, 20, **options))
    two = best_of(3, lambda: fm.simulate(fm.Population.isotropic(), loop, 20, workers=2, **options))
    print(f"(d) 256 replicates: one process {one:.2f} s, two workers {two:.2f} s, {one / two:.2f} times")


def main():
    parts = {"spectral": spectral, "redraw": redraw, "exact-law": lambda: exact_law("--large" in sys.argv)}
    parts |= {"workers": workers, "tiny": tiny}
    for name in [each for each in sys.argv[1:] if each in parts] or parts:
        parts[name]()
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
