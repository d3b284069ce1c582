"""The check for fresh covariates: each generation is fitted on other rows of the table (mathematics.md sections 5 and 7)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from ..arguments import Floats
from ..estimation import Estimate
from ..loop import Group, Loop
from ..population import Population
from ..risks.fresh import FreshSetting, varied
from .check import AT_THRESHOLD, FEWEST_ROWS, MOST_ROWS, SIGNALS, TOO_FEW, TOO_SMALL, Check, copies, drawn_signals

# Replays: as many as this work allows, within bounds.
_WORK, _FEWEST, _MOST = 4e9, 4, 16


def check_fresh(
    X: Floats,
    y: Floats,
    found: Estimate,
    loop: Loop | Sequence[Loop],
    rows: int,
    generations: int,
    real_penalty: float,
    rng: np.random.Generator,
) -> Check | str:
    """Run the loop on blocks of (N, p) X, first drawn at random, then in the table's order; the first failure is returned.

    ``rows`` is the rows per generation: a quarter of the table where it does not hold four generations, and then the theory
    is asked for that. Of a sequence of loops the last one is kept on. y is NaN where there is no label; the replay has labels
    everywhere. Or why there is no check: too few rows, or the interpolation threshold.
    """
    chosen = np.sort(rng.permutation(y.size)[:MOST_ROWS])
    X, y = X[chosen] - X[chosen].mean(axis=0), y[chosen]
    group = copies(X)
    count = int(group.max()) + 1
    size = min(rows, count // 4)
    if count < FEWEST_ROWS or np.isfinite(y).sum() < 3:
        return TOO_FEW
    if size < 3:
        return TOO_SMALL
    N, p = X.shape
    loops = [each.replace(aspect=p / size) for each in ([loop] if isinstance(loop, Loop) else loop)]
    if loops[0].penalty == 0 and abs(p / size - 1) < 0.1:
        return AT_THRESHOLD
    T = min(generations, N // size - 2)
    real = np.isfinite(y)
    labels = y[real] - y[real].mean()
    noise = found.noise_variance
    beta = drawn_signals(X[real] - X[real].mean(axis=0), labels, noise, found.population().null_risk, rng)
    population = _population(X, beta, noise)
    predicted = FreshSetting(population, tuple(loops)).by_generation(T)
    residuals = labels - X[real] @ beta.mean(axis=1)
    residuals = (residuals - residuals.mean()) * math.sqrt(noise / residuals.var())
    work = T * (min(size, p) ** 2 * max(size, p) + size * p * SIGNALS)
    repeats = int(np.clip(_WORK / work, _FEWEST, _MOST))
    checks = []
    for held_out in ("rows", "blocks"):
        runs, orders = [], []
        for r in range(repeats):
            place = rng.permutation(count) if held_out == "rows" else (np.arange(count) + r * count // repeats) % count
            order = np.argsort(place[group], kind="stable")
            orders.append(order)
            runs.append(_replay(X, beta, residuals, loops, real_penalty, size, T, order, rng))
        observed = np.array([courses for courses, _ in runs])
        alone = float(np.mean([risk for _, risk in runs]))
        error = observed.std(axis=0, ddof=1) / math.sqrt(repeats)
        # Repeats share the table: the error of its rows stays, that of gaussian ones.
        error = np.hypot(error, predicted * math.sqrt(2 / N))
        check = Check(predicted, observed.mean(axis=0), error, noise, size, held_out, alone)
        checks.append(check)
        if not check.fits:
            seed = int(rng.integers(2**32))

            def risk(tried: Loop, orders: list[NDArray[np.intp]] = orders[:_FEWEST], seed: int = seed) -> float:
                # The same rows and noise for all.
                again = np.random.default_rng(seed)
                runs = [_replay(X, beta, residuals, [tried], real_penalty, size, T, order, again)[0] for order in orders]
                return float(np.mean([courses[-1] for courses in runs]))

            return replace(check, best=_best(loops[-1], risk))
    return checks[0]


def _best(loop: Loop, risk: Callable[[Loop], float]) -> tuple[float, float, float]:
    """The best constant weight and penalty for the last generation on the replay itself: first the penalty, then the weight."""
    scale = max(loop.penalty, 1e-6)
    penalty = min(scale * np.geomspace(1e-2, 1e2, 5), key=lambda each: risk(loop.replace(penalty=float(each))))
    found = []
    for w in (0.1, 0.25, 0.5, 0.75, 1.0):
        tried = varied(loop, real_weight=w, penalty=float(penalty))
        found.append((w, float(penalty), risk(tried)))
    return min(found, key=lambda each: each[2])


def _population(X: Floats, beta: Floats, noise: float) -> Population:
    """Spectrum of the rows and energies of the known signals, averaged over them, from curves in z (mathematics.md section 7).

    1/v - z = gamma sum_j h_j tau_j / (1 + tau_j v) for h >= 0, and L (1 - x) = sum_j tau_j g_j d_j^2 for g >= 0, in which
    the left side is sum_i c_i^2/(s_i+z)^2 / sum_i 1/(s_i+z)^2. The grid is finer than the bands of ``estimate``: the signals
    are known here, and their energies are not to be smoothed.
    """
    n, p = X.shape
    s, V = np.linalg.eigh(X.T @ X / n)
    s = np.maximum(s, 0.0)
    squares = n * s * np.mean((V.T @ beta) ** 2, axis=1)
    # One direction of the n is spent on the mean; with more features than rows the smallest eigenvalues are of X'X alone.
    s, squares = s[-(n - 1) :], squares[-(n - 1) :]
    zeros = max(n - 1 - p, 0)
    z = s[-1] * np.geomspace(1e-5, 1e2, 60)
    near = 1 / np.add.outer(z, s)
    v = (near.sum(axis=1) + zeros / z) / (n - 1)
    tau = np.geomspace(max(float(np.median(s)) / 100, float(s[0]) / 4, 1e-8 * float(s[-1])), float(s[-1]), 80)
    right = near @ s / (n - 1) / v
    h, _ = nnls(tau / (1 + np.multiply.outer(v, tau)) / right[:, None], np.ones(z.size))
    left = near**2 @ squares / ((near**2).sum(axis=1) + zeros / z**2)
    g, _ = nnls(tau / (1 + np.multiply.outer(v, tau)) ** 2 / left[:, None], np.ones(z.size))
    return Population(tau, h / h.sum(), g, noise)


def _replay(
    X: Floats,
    beta: Floats,
    residuals: Floats,
    loops: Sequence[Loop],
    real_penalty: float,
    size: int,
    generations: int,
    order: NDArray[np.intp],
    rng: np.random.Generator,
) -> tuple[Floats, float]:
    """(T + 1,) risks on the rows after the last block, mean over signals; and that of real labels only."""
    held = X[order[(generations + 1) * size :]]
    truth = held @ beta
    ratio = math.sqrt(loops[0].synthetic_noise_ratio)
    risks = np.empty(generations + 1)
    fitted = np.zeros_like(beta)
    alone = math.nan
    for t in range(generations + 1):
        block = X[order[t * size : (t + 1) * size]]
        loop = loops[min(max(t, 1), len(loops)) - 1]
        groups = (Group(1.0),) if t == 0 else loop.groups_at(t)
        ends = np.round(np.cumsum([0.0, *(each.share for each in groups)]) * size).astype(int)
        w, a = (np.repeat([getattr(g, name) for g in groups], np.diff(ends)) for name in ("real_weight", "row_weight"))
        noise = rng.choice(residuals, (2, size, beta.shape[1]))
        real, synthetic = block @ beta + noise[0], block @ fitted + ratio * noise[1]
        labels = w[:, None] * real + (1 - w)[:, None] * synthetic
        if t == generations:
            labelled = np.repeat([bool(g.labelled) for g in groups], np.diff(ends))
            rows = block[labelled] if labelled.any() else block
            plain = _ridge(rows, real[labelled] if labelled.any() else real, np.ones(len(rows)), real_penalty)
            alone = float(np.mean((held @ plain - truth) ** 2))
        fitted = _ridge(block, labels, a, loop.penalty)
        risks[t] = np.mean((held @ fitted - truth) ** 2)
    return risks, alone


def _ridge(X: Floats, labels: Floats, weights: Floats, penalty: float) -> Floats:
    """(X'AX/n + lambda)^-1 X'A labels/n, in the smaller of its two forms; least norm without a penalty."""
    n, p = X.shape
    root = np.sqrt(weights)[:, None]
    X, labels = X * root, labels * root
    if penalty == 0:
        return np.asarray(np.linalg.lstsq(X, labels, rcond=None)[0])
    if p <= n:
        return np.linalg.solve(X.T @ X + n * penalty * np.eye(p), X.T @ labels)
    return np.asarray(X.T @ np.linalg.solve(X @ X.T + n * penalty * np.eye(n), labels))
