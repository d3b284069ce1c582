"""How much prediction error the recommended way to remember costs over the best one: python benchmarks/memory.py

For each population, persistence of the coefficients, share of labelled rows, noise variance and draw: a table of 24 time steps
is drawn, ``fm.recommend(X, y, time=steps)`` names a way to remember, and its settings' prediction error on the next step's
coefficients at generation 12, by theory on the true population (``fm.risk``, judged "next"), is divided by that of the best way
with the best settings (``fm.optimal_memory``). Then the stream goes on for 13 more steps, on which the recommended way and what
scikit-learn offers are carried out from the first of them, and judged by the true coefficients over the same best. Three
tables: what each costs, the interval of the persistence, and which way is recommended where which is best.

The default takes four minutes on two idle cores; ``--only NAME`` takes some of the populations.
"""

import argparse
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from sklearn.linear_model import BayesianRidge, RidgeCV, SGDRegressor

import freshmix as fm
from recommendation import core

PERSISTENCES, LABELLED, NOISES = (1.0, 0.97, 0.9), (1.0, 0.3), (0.5, 2.0)
NULL_RISK, STEPS, HORIZON = 2.0, 24, 12
SETTINGS = ("penalty", "real_weight", "row_weight", "anchor", "kept_generations", "forgetting")
PENALTIES = np.geomspace(1e-4, 1e2, 25)
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)


@dataclass(frozen=True)
class Truth:
    """A population whose null risk is 2, and a loop with rows of a step."""

    population: fm.Population
    loop: fm.Loop

    @classmethod
    def of(cls, name, persistence, labelled, noise, p, rows):
        shape = core(p)[name]
        signal = shape.signal * NULL_RISK / shape.null_risk
        population = shape.replace(signal=signal, noise_variance=noise, persistence=persistence)
        return cls(population, fm.Loop(aspect=p / rows, groups=groups(labelled), **stream(labelled)))

    def best(self):
        """Name and prediction error of the best way."""
        found = fm.optimal_memory(self.population, self.loop, HORIZON)
        return found.best, found.ways[found.best].prediction_error

    def error(self, told):
        """Prediction error of a recommended way, whose penalty is per row of its fit."""
        share, row_weight = self.loop.labelled, told["row_weight"]
        if told["kept_generations"] != 0:
            kept = HORIZON if told["kept_generations"] is None else min(told["kept_generations"], HORIZON)
            fitted = share * (kept + 1) / (share * (kept + 1) + 1 - share)
        else:
            fitted = 1.0 if row_weight > 0 else share
        loop = self.loop.replace(
            groups=groups(share, told["real_weight"], row_weight),
            penalty=told["penalty"] * fitted,
            **{name: told[name] for name in ("anchor", "kept_generations", "forgetting")},
        )
        return fm.risk(self.population, loop, HORIZON, judged="next")[-1] + self.population.noise_variance


def groups(share, real_weight=1.0, row_weight=0.0):
    """Labelled rows and the others."""
    others = [fm.Group(1 - share, row_weight, 0.0)] if share < 1 else []
    return [fm.Group(share, 1.0, real_weight, labelled=True), *others]


def stream(labelled):
    """What a table with times is told of: labels of the model without noise, and a first step like the others."""
    return {"covariates": "fresh", "synthetic_noise_ratio": 0.0, "first_rows": labelled}


@dataclass(frozen=True)
class Drawn:
    """(T, n, p) rows, (T, n) labels, NaN where there is none, and the coefficients (T, p) with the eigenvalues."""

    X: np.ndarray
    y: np.ndarray
    beta: np.ndarray
    tau: np.ndarray
    population: fm.Population

    @classmethod
    def of(cls, population, p, rows, steps, labelled, rng):
        counts = np.round(population.shares * p).astype(int)
        counts[np.argmax(counts)] += p - counts.sum()
        tau, c = np.repeat(population.eigenvalues, counts), population.persistence
        size = np.repeat(np.sqrt(population.signal / np.maximum(counts, 1)), counts)
        beta = size * rng.standard_normal((steps, p))
        for t in range(1, steps):
            beta[t] = c * beta[t - 1] + np.sqrt(1 - c**2) * beta[t]
        X = np.sqrt(tau) * rng.standard_normal((steps, rows, p))
        y = np.einsum("tnp,tp->tn", X, beta) + np.sqrt(population.noise_variance) * rng.standard_normal((steps, rows))
        hidden = np.argsort(rng.random((steps, rows)), axis=1) >= round(labelled * rows)
        return cls(X, np.where(hidden, np.nan, y), beta, tau, population)

    def table(self, steps):
        """Rows, labels and time steps of the first so many."""
        X, y = self.X[:steps], self.y[:steps]
        return X.reshape(-1, X.shape[2]), y.ravel(), np.repeat(np.arange(steps), y.shape[1])

    def later(self, steps):
        """[(labelled rows, their labels, all rows, all labels), ...] of the steps after."""
        real = np.isfinite(self.y)
        return [(self.X[t][real[t]], self.y[t][real[t]], self.X[t], self.y[t]) for t in range(steps, len(self.y))]

    def error(self, b):
        """Prediction error of coefficients on those that come after the last step."""
        c, known = self.population.persistence, self.population
        off = b - c * self.beta[-1]
        return off @ (self.tau * off) + (1 - c**2) * known.null_risk + known.noise_variance


def carried_out(steps, penalty, real_weight, row_weight, anchor, kept_generations, forgetting):
    """Coefficients after each of the steps, whose first is fitted on real labels alone."""
    b, past, found = np.zeros(steps[0][0].shape[1]), [], []
    for t, (X, y, all_rows, labels) in enumerate(steps):
        new, weight = (X, y), np.ones(len(y))
        if t and (real_weight < 1 or row_weight > 0):
            guess, real = all_rows @ b, np.isfinite(labels)
            mixed = np.where(real, real_weight * np.nan_to_num(labels) + (1 - real_weight) * guess, guess)
            used = real | (row_weight > 0)
            new, weight = (all_rows[used], mixed[used]), np.where(real, 1.0, row_weight)[used]
        kept = past if kept_generations is None else past[:kept_generations]
        rows, target = (np.concatenate([each[k] for each in (new, *kept)]) for k in (0, 1))
        weight = np.concatenate([weight, *(np.full(len(old), forgetting**age) for age, (_, old) in enumerate(kept, 1))])
        b = anchor * b
        gram = (rows.T * weight) @ rows / len(target) + max(penalty, 1e-10) * np.eye(b.size)
        b = b + np.linalg.solve(gram, rows.T @ (weight * (target - rows @ b)) / len(target))
        past.insert(0, (X, y))
        found.append(b)
    return found


def last_step(steps):
    """RidgeCV on each step alone."""
    return [_cross_validated(X, y) for X, y, _, _ in steps]


def all_rows(steps):
    """RidgeCV on all labelled rows so far."""
    return [
        _cross_validated(*(np.concatenate([each[k] for each in steps[: t + 1]]) for k in (0, 1))) for t in range(len(steps))
    ]


def _cross_validated(X, y):
    return RidgeCV(alphas=len(y) * PENALTIES, fit_intercept=False).fit(X, y).coef_


def kept_gram(steps):
    """Bayesian updates: X'X and X'y pile up, under the prior that the first step's labels make most likely."""
    first = BayesianRidge(fit_intercept=False).fit(*steps[0][:2])
    gram = np.eye(steps[0][0].shape[1]) * first.lambda_ / first.alpha_
    moment, found = np.zeros(gram.shape[0]), []
    for X, y, _, _ in steps:
        gram, moment = gram + X.T @ X, moment + X.T @ y
        found.append(np.linalg.solve(gram, moment))
    return found


def descended(steps):
    """SGDRegressor.partial_fit, one pass a step, at the constant rate that predicts all the steps best before they are seen."""
    best, least = [], np.inf
    for rate in RATES:
        learner, errors, found = SGDRegressor(learning_rate="constant", eta0=rate, fit_intercept=False, random_state=0), [], []
        try:
            for t, (X, y, _, _) in enumerate(steps):
                if t:
                    errors.append(np.mean((learner.predict(X) - y) ** 2))
                found.append(learner.partial_fit(X, y).coef_.copy())
        except ValueError:  # scikit-learn stops where weights overflow
            continue
        if np.mean(errors) < least:
            best, least = found, np.mean(errors)
    return best


OTHERS = {"last step": last_step, "all rows": all_rows, "kept Gram": kept_gram, "SGD": descended}


def one(task):
    """Errors over that of the best way less 1, the interval of the persistence, and the names of ways."""
    (name, persistence, labelled, noise), p, rows, repeat = task
    index = [list(core(8)).index(name), PERSISTENCES.index(persistence), LABELLED.index(labelled), NOISES.index(noise), repeat]
    rng = np.random.default_rng(index)
    truth = Truth.of(name, persistence, labelled, noise, p, rows)
    drawn = Drawn.of(truth.population, p, rows, STEPS + HORIZON + 1, labelled, rng)
    X, y, steps = drawn.table(STEPS)
    told = fm.recommend(X, y, time=steps, standardize=False, seed=repeat)
    way = told.rivals[told.best]
    best, least = truth.best()
    later = drawn.later(STEPS)
    ends = {"carried out": carried_out(later, **{key: way[key] for key in SETTINGS})}
    ends |= {each: train(later) for each, train in OTHERS.items()}
    return {
        "recommended": truth.error(way) / least - 1,
        **{each: drawn.error(found[-1]) / least - 1 for each, found in ends.items()},
        "persistence": told.persistence,
        "names": (told.best, best),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--rows", type=int, default=100, help="of a step")
    parser.add_argument("--draws", type=int, default=1, help="of each cell, which are 72")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=list(core(8)), nargs="+")
    options = parser.parse_args()
    cells = list(product(options.only or list(core(8)), PERSISTENCES, LABELLED, NOISES))
    tasks = list(product(cells, [options.features], [options.rows], range(options.draws)))
    begun = time.perf_counter()
    with ProcessPoolExecutor(options.workers) as pool:
        results = list(pool.map(one, tasks))
    print(f"{options.features} features, {options.rows} rows a step, {len(tasks)} tables, {time.perf_counter() - begun:.0f} s")
    report(cells, [task[0] for task in tasks], results)


def report(cells, drawn, results):
    """Three tables."""
    parts = [(name, 0, name) for name in dict.fromkeys(cell[0] for cell in cells)]
    parts += [(f"persistence {c:g}", 1, c) for c in PERSISTENCES]
    parts += [(f"{100 * share:g}% labelled", 2, share) for share in LABELLED]
    parts += [(f"noise variance {noise:g}", 3, noise) for noise in NOISES]
    chosen = {label: [cell[at] == value for cell in drawn] for label, at, value in parts} | {"all": [True] * len(drawn)}
    others = ("carried out", *OTHERS)
    print("\nprediction error at the next step over that of the best way, in percent above it")
    print(f"{'':20s} {'recommended, theory':>26s} | {'on 13 further steps, mean':>25s}")
    print(f"{'':20s} {'mean':>8s} {'95%':>8s} {'worst':>8s} | " + " ".join(f"{each:>11s}" for each in others))
    for label, where in chosen.items():
        ours = 100 * np.array([each["recommended"] for each in results])[where]
        means = [100 * np.mean(np.array([each[name] for each in results])[where]) for name in others]
        figures = (np.mean(ours), np.quantile(ours, 0.95), np.max(ours))
        print(f"{label:20s} " + " ".join(f"{x:8.2f}" for x in figures) + " | " + " ".join(f"{x:11.1f}" for x in means))
    print("\n90% interval of the persistence: covered in percent, median width; mean estimate")
    for c in PERSISTENCES:
        found = [each["persistence"] for each, cell in zip(results, drawn, strict=True) if cell[1] == c]
        inside = np.mean([low - 1e-9 <= c <= high + 1e-9 for _, (low, high) in found])
        width = np.median([high - low for _, (low, high) in found])
        print(f"persistence {c:4g}     {100 * inside:8.0f} {width:8.4f} {np.mean([value for value, _ in found]):8.4f}")
    print("\nrecommended (best): tables, mean percent above the best")
    cost = {pair: [100 * each["recommended"] for each in results if each["names"] == pair] for pair in _pairs(results)}
    for (ours, best), costs in cost.items():
        print(f"{f'{ours} ({best})':34s} {len(costs):6d} {np.mean(costs):8.2f}")
    worst = int(np.argmax([each["recommended"] for each in results]))
    print(f"\nworst: {drawn[worst]}, {results[worst]['names']}")


def _pairs(results):
    return [pair for pair, _ in Counter(each["names"] for each in results).most_common()]


if __name__ == "__main__":
    main()
