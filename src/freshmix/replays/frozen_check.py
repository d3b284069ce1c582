"""The check for frozen covariates: folds of the table, label noise integrated out (mathematics.md sections 3, 4 and 7)."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..equivalents.weights import RowWeights, sample_equivalents
from ..estimation import Estimate, weighted_rows
from ..prepared.kernels import Kernel, gram_of
from ..risks import frozen
from ..risks.filters import ridge_filters
from ..risks.frozen import RENEWAL
from .check import AT_THRESHOLD, FEWEST_ROWS, MOST_DENSE, MOST_ROWS, TOO_FEW, Check, copies, drawn_signals, standard_error

FOLDS = 4
# Rows times features squared: one factorisation of a fold.
_WORK = 3e8


@dataclass(frozen=True)
class Plan:
    """A frozen loop: one penalty, weights w_1 ... w_T, rho and the kind of real labels."""

    weights: Floats
    penalty: float
    noise_ratio: float
    labels: str

    def filters(self, s: Floats) -> tuple[Floats, Floats]:
        """Bias and variance filters of generations 0 ... T, (T + 1, r) each."""
        e, u = ridge_filters(self.weights, self.penalty, self.noise_ratio, RENEWAL[self.labels])(s)
        return np.asarray(e), np.asarray(u)


@dataclass(frozen=True)
class Fold:
    """Training rows in their eigenbasis, and the k held-out rows seen from it.

    ``s`` (r,) eigenvalues, ``c`` (r, m) = U'f of the known signals, ``seen`` (k, r) held-out rows times V, ``f`` (k, m) their
    signals. ``weights`` are those of the training rows, by whose roots they are scaled; held-out rows are as they are.
    """

    s: Floats
    c: Floats
    seen: Floats
    f: Floats
    rows: int
    noise: float
    weights: RowWeights | None = None

    @classmethod
    def of(
        cls,
        X: Floats,
        beta: Floats,
        held: NDArray[np.bool_],
        noise: float,
        precision: Floats | None = None,
        counted: bool = False,
    ) -> "Fold":
        """Split (n, p) rows; everything is centred by the training rows, as an intercept does.

        ``counted`` tells whether theory counts the ``precision`` of the labels, or takes rows for alike.
        """
        weights = None
        if precision is None:
            mean = X[~held].mean(axis=0)
            one = X[~held] - mean
        else:
            level = precision[~held].mean()
            used, noise = precision[~held] / level, noise / level
            mean, weights = used @ X[~held] / used.size, RowWeights.of(used) if counted else None
            one = (X[~held] - mean) * np.sqrt(used)[:, None]
        two = X[held] - mean
        n, p = one.shape
        s, V = np.linalg.eigh(one.T @ one / n) if p < n else np.linalg.eigh(one @ one.T / n)
        kept = s > 4 * max(n, p) * np.finfo(np.float64).eps * s[-1]
        kept[: max(0, s.size - (n - 1))] = False
        s, V = s[kept], V[:, kept]
        if p >= n:
            V = one.T @ V / np.sqrt(n * s)
        return cls(s, np.sqrt(n * s)[:, None] * (V.T @ beta), two @ V, two @ beta, n, noise, weights)

    def predicted(self, plan: Plan) -> Floats:
        """(T + 1,) risks of theory, from the training rows alone: the plug-in with E c^2 = (u'f)^2 + sigma^2."""
        s, squares, count = self.s, np.mean(self.c**2, axis=1) + self.noise, np.ones(self.s.size)
        zeros = self.rows - 1 - s.size
        if zeros:
            s, squares, count = np.append(s, 0.0), np.append(squares, self.noise), np.append(count, zeros)
        found = sample_equivalents(s, squares, count, self.noise, self.weights)
        return frozen.risk_by_generation(found, plan.weights, plan.penalty, plan.noise_ratio, RENEWAL[plan.labels])

    def observed(self, plan: Plan) -> Floats:
        """(T + 1, k) risk at each held-out row, expected over label noise of variance sigma^2 (its law does not matter)."""
        e, u = plan.filters(self.s)
        b = self.c / np.sqrt(self.rows * self.s)[:, None]
        bias = np.stack([np.mean((self.f - self.seen @ ((1 - row)[:, None] * b)) ** 2, axis=1) for row in e])
        return np.asarray(bias + self.noise / self.rows * (u @ (self.seen**2).T))

    def compared(self, plan: Plan) -> tuple[Floats, Floats]:
        """Predicted and observed, (T + 1, k) each."""
        observed = self.observed(plan)
        return np.broadcast_to(self.predicted(plan)[:, None], observed.shape), observed


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
    plan: Plan,
    real_penalty: float,
    rng: np.random.Generator,
    precision: Floats | None = None,
) -> Check | str:
    """Replay on folds of (n, p) X, each held out in turn: first drawn at random, then as blocks of the table's order.

    Rows of a group stay together. The first that fails is returned, with the best weight and penalty on it; or why there is no
    check: too few groups, or the interpolation threshold. ``real_penalty`` is that of real labels only, and
    ``precision`` that of each label (None: all alike).
    """
    scaled, labels = (X - X.mean(axis=0), y - y.mean()) if precision is None else weighted_rows(X, y, precision)
    count = int(group.max()) + 1
    train = y.size * (FOLDS - 1) / FOLDS
    if count < FEWEST_ROWS:
        return TOO_FEW
    if plan.penalty == 0 and abs(X.shape[1] / train - 1) < 0.1:
        return AT_THRESHOLD
    noise, counted = found.noise_variance, found.factorisation.row_weights is not None
    beta = drawn_signals(scaled, labels, noise, found.equivalents().null_risk, rng)
    parts = {"rows": rng.permutation(count) % FOLDS, "blocks": np.arange(count) * FOLDS // count}
    real = replace(plan, weights=plan.weights[:0], penalty=real_penalty)
    checks = []
    for held_out, part in parts.items():
        fold_of_row = part[group]
        folds = [Fold.of(X, beta, fold_of_row == k, noise, precision, counted) for k in range(FOLDS)]
        predicted, observed = (np.concatenate(each, axis=1) for each in zip(*(f.compared(plan) for f in folds), strict=True))
        mean = predicted.mean(axis=1)
        error = standard_error(observed - predicted, mean, np.concatenate([group[fold_of_row == k] for k in range(FOLDS)]))
        alone = float(np.concatenate([fold.observed(real) for fold in folds], axis=1).mean())
        check = Check(mean, observed.mean(axis=1), error, noise, folds[0].rows, held_out, alone)
        if not check.fits:
            return replace(check, best=_best(folds, plan))
        checks.append(check)
    return checks[0]


def _best(folds: list[Fold], plan: Plan) -> tuple[float, float, float]:
    """The best constant weight and penalty for the last generation on the replay itself: a grid, and the recommended pair."""
    scale = max(plan.penalty, 1e-3 * float(folds[0].s[0]))
    last = float(plan.weights[-1])
    found = []
    for w, penalty in [(last, plan.penalty), *product(np.linspace(0.1, 1.0, 10), scale * np.geomspace(1e-3, 1e3, 13))]:
        tried = replace(plan, weights=np.full(plan.weights.size, w), penalty=float(penalty))
        risk = np.mean(np.concatenate([fold.observed(tried)[-1] for fold in folds]))
        found.append((float(w), float(penalty), float(risk)))
    return min(found, key=lambda each: each[2])
