"""The check for frozen covariates: folds of the table, label noise integrated out (mathematics.md sections 3, 4 and 7).

``run`` would fit the same rows in each generation to labels drawn anew. Ridge has its expectation over them in closed form, in
the eigenbasis of the rows: one factorisation of a fold serves all weights and penalties, and no noise of draws hides a misfit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..equivalents import RowClasses, RowEquivalents
from ..estimation import Estimate, weighted_rows
from ..loop import Loop
from ..prepared import Order
from ..prepared.copies import Copies, copies
from ..prepared.kernels import Kernel, gram_of
from ..risks.filters import ridge_filters, variance_factors
from ..risks.frozen import FrozenSetting
from ..words.replay import AT_THRESHOLD, too_few
from .check import FEWEST_ROWS, MOST_ROWS, Check, Mix, best_mix, decided, drawn_signals, ranks, standard_error
from .together import neighbours

FOLDS = 4
# The rows of a kernel that a replay uses at most, and of a table: rows times features squared, the work for a fold.
MOST_DENSE, _WORK = 800, 3e8
# A loop of smaller weights comes to a ridge fit of a larger penalty than is of use.
_LEAST_WEIGHT = 0.05


@dataclass(frozen=True, eq=False)
class Fold:
    """Training rows in their eigenbasis, and the k held-out rows seen from it.

    ``s`` (r,) eigenvalues, ``c`` (r, m) = U'f of the known signals, ``seen`` (k, r) held-out rows times V, ``f`` (k, m) their
    signals; ``classes`` the leverages of the training rows, which are scaled by the roots of their weights where held-out rows
    are as they are.
    """

    s: Floats
    c: Floats
    seen: Floats
    f: Floats
    rows: int
    noise: float
    classes: RowClasses

    @classmethod
    def of(
        cls,
        X: Floats,
        beta: Floats,
        held: NDArray[np.bool_],
        noise: float,
        precision: Floats | None = None,
        products: Floats | None = None,
        again: Copies | None = None,
    ) -> "Fold":
        """Split (n, p) rows of this ``precision``; everything is centred by the training rows, as an intercept does.

        Records that are there several times stay together.
        With more features than rows all is read off the rows' ``products`` XX', which serve every fold.
        """
        used = np.ones(held.size - held.sum()) if precision is None else precision[~held]
        level = used.mean()
        used = used / level
        n, p, root = used.size, X.shape[1], np.sqrt(used)
        signal = X @ beta
        signal = signal - used @ signal[~held] / n
        if p < n:
            mean = used @ X[~held] / n
            one, two = (X[~held] - mean) * root[:, None], X[held] - mean
            s, V = _kept(one.T @ one / n, n, p)
            U, seen = one @ V / np.sqrt(n * s), two @ V
        else:
            G = X @ X.T if products is None else products
            G = G[:, ~held]
            to_mean = G @ used / n
            G -= to_mean[:, None]
            G -= to_mean[~held] - used @ to_mean[~held] / n
            inner = G[~held]
            inner *= np.multiply.outer(root, root / (2 * n))
            s, U = _kept(inner + inner.T, n, p)
            seen = (G[held] * root) @ U / np.sqrt(n * s)
        times = np.ones(n) if again is None else again.times[~held]
        classes = RowClasses.of(lambda: [(U, used, times)], s, n)
        return cls(s, U.T @ (signal[~held] * root[:, None]), seen, signal[held], n, noise / level, classes)

    def predicted(self, loop: Loop, generations: int) -> Floats:
        """(T + 1,) risks of theory, from the training rows alone: the plug-in with E c^2 = (u'f)^2 + sigma^2."""
        s, squares, count = self.s, np.mean(self.c**2, axis=1) + self.noise, np.ones(self.s.size)
        zeros = self.rows - 1 - s.size
        if zeros:
            s, squares, count = np.append(s, 0.0), np.append(squares, self.noise), np.append(count, zeros)
        found = RowEquivalents(s, squares, count, self.noise, self.classes)
        return FrozenSetting(found, (loop,)).by_generation(generations)

    def observed(self, loop: Loop, generations: int) -> Floats:
        """(T + 1, k) risk at each held-out row, expected over label noise of variance sigma^2 (its law does not matter)."""
        law = (loop.synthetic_noise_ratio, loop.renewal, loop.anchor)
        filters = ridge_filters(loop.weights(generations), loop.penalty, *law)
        e, u = (np.asarray(each) for each in filters(self.s))
        b = self.c / np.sqrt(self.rows * self.s)[:, None]
        bias = np.stack([np.mean((self.f - self.seen @ ((1 - row)[:, None] * b)) ** 2, axis=1) for row in e])
        # The intercept is fitted as a direction of unbounded eigenvalue is.
        intercept = variance_factors(loop.weights(generations), *law[:2])
        return np.asarray(bias + self.noise / self.rows * (u @ (self.seen**2).T + intercept[:, None]))


def _kept(gram: Floats, n: int, p: int) -> tuple[Floats, Floats]:
    """The positive eigenvalues of the smaller Gram matrix of n centred rows, n - 1 at most, and their eigenvectors."""
    s, V = np.linalg.eigh(gram)
    kept = s > 4 * max(n, p) * np.finfo(np.float64).eps * s[-1]
    kept[: max(0, s.size - (n - 1))] = False
    return s[kept], V[:, kept]


def feature_rows(X: Floats, kernel: Kernel, rng: np.random.Generator) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    """Rows that a replay can afford, as features: (k, q) features, the group of identical rows of each, and which they are.

    A kernel's features are those of the rows taken, U sqrt(s) of their Gram matrix.
    """
    n, p = X.shape
    most = min(MOST_ROWS, max(MOST_DENSE, int(_WORK / p**2))) if kernel == "linear" else MOST_DENSE
    rows = np.sort(rng.permutation(n)[:most])
    X = X[np.ix_(rows, rows)] if kernel == "precomputed" else X[rows]
    if kernel == "linear":
        return X, copies(X), rows
    s, U = np.linalg.eigh(gram_of(X, kernel))
    return U * np.sqrt(np.maximum(s, 0.0)), copies(X), rows


def check_frozen(
    X: Floats,
    y: Floats,
    group: NDArray[np.intp],
    found: Estimate,
    loop: Loop,
    generations: int,
    real_penalty: float,
    rng: np.random.Generator,
    precision: Floats | None = None,
    order: Order | None = None,
) -> Check | str:
    """Replay on folds of (n, p) X, each held out in turn: drawn at random, or blocks of the table's order (see ``decided``).

    Rows of a group stay together. Or why there is no check: too few groups, or the interpolation threshold. ``real_penalty`` is
    that of real labels only, and ``precision`` that of each label (None: all alike).
    """
    count = int(group.max()) + 1
    if count < FEWEST_ROWS:
        return too_few(FEWEST_ROWS)
    if loop.penalty == 0 and abs(X.shape[1] * FOLDS / (y.size * (FOLDS - 1)) - 1) < 0.1:
        return AT_THRESHOLD
    few = X.shape[1] >= y.size * (FOLDS - 1) / FOLDS - 1
    centred = X - X.mean(axis=0)
    products = centred @ centred.T if few else None
    scaled, labels = (centred, y - y.mean()) if precision is None else weighted_rows(X, y, precision)
    noise, scaled_products = found.noise_variance, products if precision is None else None
    beta = drawn_signals(scaled, labels, noise, found.equivalents().null_risk, rng, scaled_products)
    again = Copies.of(X, precision)

    def replay(held_out: str) -> tuple[Check, partial[tuple[Mix, float]]]:
        if order is not None and held_out == "blocks":
            part = ranks(group, order) * FOLDS // count
        else:
            part = rng.permutation(count) % FOLDS
        fold = part[group]
        folds = [Fold.of(X, beta, fold == k, noise, precision, products, again) for k in range(FOLDS)]
        observed = _observed(folds, loop, generations)
        predicted = np.repeat([f.predicted(loop, generations) for f in folds], [len(f.f) for f in folds], axis=0).T
        mean = predicted.mean(axis=1)
        error = standard_error(observed - predicted, mean, group[np.argsort(fold, kind="stable")])
        alone = float(_observed(folds, loop.replace(penalty=real_penalty), 0).mean())
        null = float(np.mean(np.concatenate([each.f for each in folds]) ** 2))
        check = Check(mean, observed.mean(axis=1), error, noise, folds[0].rows, held_out, alone, null_risk=null)
        return check, partial(_best, folds, loop, generations)

    def alike(order: Order) -> str | None:
        w = loop.weights(generations)[-1]
        penalty = (1 - loop.anchor) * loop.penalty / max(w, _LEAST_WEIGHT)
        return neighbours(X, beta, group, order, penalty, FOLDS, noise, rng, precision, products)

    return decided(replay, order, alike)


def _observed(folds: Sequence[Fold], loop: Loop, generations: int) -> Floats:
    """(T + 1, n) risks at the rows of all folds."""
    return np.concatenate([fold.observed(loop, generations) for fold in folds], axis=1)


def _best(folds: Sequence[Fold], loop: Loop, generations: int) -> tuple[Mix, float]:
    """The best constant weight and penalty for the last generation on the replay itself: a grid, and the recommended pair.

    And the standard error of what the recommended pair loses to it, row by row.
    """
    scale = max(loop.penalty, 1e-3 * float(folds[0].s[0]))
    grid = product(np.linspace(0.1, 1.0, 10), scale * np.geomspace(1e-3, 1e3, 13))
    recommended = (loop.weights(generations)[-1], loop.penalty)

    def risks(tried: Loop) -> Floats:
        return np.asarray(_observed(folds, tried, generations)[-1])

    best = best_mix(loop, [recommended, *grid], lambda tried: float(risks(tried).mean()))
    apart = risks(loop) - risks(loop.at_weight(best[0]).replace(penalty=best[1]))
    return best, float(apart.std()) / math.sqrt(apart.size)
