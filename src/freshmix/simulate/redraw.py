"""New rows in each generation, groups of rows, and workflows that keep old rows: dense fits (MATH sections 1, 5 and 9)."""

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigh

from .._checks import Floats
from ..sampling import Task
from .setting import CHOICE, COEFFICIENTS, DESIGN, REAL, SYNTHETIC, Setting

_RANK = 1e-13


def risks(setting: Setting, replicate: int) -> Floats:
    """(W, P, T + 1) excess risks of a run: one design a generation, shared by all weights and penalties."""
    task = setting.source.task(setting.rng(replicate, 0, COEFFICIENTS), setting.entries)
    sigma = math.sqrt(setting.source.noise_variance)
    found = np.empty(setting.shape)
    memory = _Memory(setting.workflow)
    X = task.rows(setting.rng(replicate, 0, DESIGN), setting.rows[0])
    first = X @ task.beta + sigma * _noise(setting, replicate, 0, REAL)
    memory.add(X, np.broadcast_to(first, (1, 1, first.size)))
    bhat = _fit(X, np.broadcast_to(first, (1, 1, first.size)), setting.penalty(0), np.ones(first.size))
    found[:, :, 0] = _risk(task, bhat)
    for t in range(1, setting.generations + 1):
        loop = setting.loop(t)
        fresh = loop.covariates == "fresh"
        if fresh:
            X = task.rows(setting.rng(replicate, t, DESIGN), setting.rows[t])
        w, row_weights = _by_row(setting, t, X.shape[0])
        kept = row_weights > 0
        real = first if loop.labels == "frozen" else X @ task.beta + sigma * _noise(setting, replicate, t, REAL)
        other = X
        if setting.workflow == "stack" and fresh:
            other = task.rows(setting.rng(replicate, t, CHOICE), setting.rows[t])
        noise = sigma * math.sqrt(loop.synthetic_noise_ratio) * _noise(setting, replicate, t, SYNTHETIC)
        synthetic = bhat @ other.T + noise
        if setting.workflow == "stack":
            bhat = _stacked(X, real, other, synthetic, setting, t, row_weights)
        else:
            labels = w[:, None, :] * real + (1 - w[:, None, :]) * synthetic
            memory.add(X, labels)
            rows, targets = memory.training(setting.rng(replicate, t, CHOICE), X.shape[0])
            if rows is X:
                bhat = _fit(X[kept], targets[..., kept], setting.penalty(t), row_weights[kept])
            else:
                bhat = _fit(rows, targets, setting.penalty(t), np.ones(rows.shape[0]))
        found[:, :, t] = _risk(task, bhat)
    return found


def _noise(setting: Setting, replicate: int, t: int, purpose: int) -> Floats:
    """Label noise over sigma: one for each row, shared by all weights and penalties."""
    return setting.label_noise.draw(setting.rng(replicate, t, purpose), (setting.rows[t],))


def _risk(task: Task, bhat: Floats) -> Floats:
    """||bhat - beta||^2_Sigma of (W, P, p) coefficients."""
    errors = (bhat - task.beta).reshape(-1, task.beta.size)
    if task.scale is not None:
        found = task.scale * np.einsum("kp,kp->k", errors, errors)
    else:
        image = task.root(errors.T)
        found = np.einsum("mk,mk->k", image, image)
    return np.asarray(found.reshape(bhat.shape[:2]))


def _by_row(setting: Setting, t: int, rows: int) -> tuple[Floats, Floats]:
    """(W, n) real weights and (n,) row weights."""
    groups = setting.groups(t)
    sizes = sizes_of([group.share for group in groups], rows)
    return np.repeat(setting.real_weights(t), sizes, axis=1), np.repeat([group.row_weight for group in groups], sizes)


def sizes_of(shares: list[float], rows: int) -> list[int]:
    """Shares to numbers of rows by largest remainder.

    >>> sizes_of([0.5, 0.25, 0.25], 6)
    [3, 2, 1]
    """
    wanted = np.array(shares) * rows
    sizes = np.floor(wanted + 1e-9).astype(int)
    sizes[np.argsort(-np.round(wanted - sizes, 9), kind="stable")[: rows - sizes.sum()]] += 1
    return [int(size) for size in sizes]


def _fit(X: Floats, labels: Floats, penalties: Floats, row_weights: Floats) -> Floats:
    """Weighted ridge on (W or 1, P or 1, n) labels: (W, P, p) coefficients, from the smaller side.

    argmin (1/n) sum a_i (label_i - x_i'b)^2 + lambda ||b||^2: with A = sqrt(a) X, A'(A A'/n + lambda)^-1 sqrt(a) labels / n
    or (A'A/n + lambda)^-1 A' sqrt(a) labels / n.
    """
    total = X.shape[0] if np.all(row_weights == 1) else None
    root = np.sqrt(row_weights)
    A = X if total is not None else root[:, None] * X
    n, p = A.shape
    wide = p > n
    gram = (A @ A.T if wide else A.T @ A) / n
    W, P = labels.shape[0], penalties.size
    labels = np.broadcast_to(labels * root / n, (W, P, n))
    found = np.empty((W, P, p))
    for j, penalty in enumerate(penalties):
        right = labels[:, j] if wide else labels[:, j] @ A
        solution = _solve(gram, float(penalty), right.T).T
        found[:, j] = solution @ A if wide else solution
    return found


def _solve(gram: Floats, penalty: float, right: Floats) -> Floats:
    """(gram + penalty)^-1 right, on the range of gram where there is no penalty and it is singular."""
    shifted = gram.copy()
    shifted.flat[:: gram.shape[0] + 1] += penalty
    try:
        factor = cho_factor(shifted, lower=True, overwrite_a=True, check_finite=False)
        pivots = np.diagonal(factor[0])
        if penalty > 0 or pivots.min() > 1e-7 * pivots.max():
            return np.asarray(cho_solve(factor, right, check_finite=False))
    except LinAlgError:
        pass
    s, U = eigh(gram, check_finite=False)
    inverse = np.where(s > _RANK * s[-1], 1 / np.where(s > 0, s + penalty, 1.0), 0.0)
    return np.asarray(U @ (inverse[:, None] * (U.T @ right)))


def _stacked(
    X: Floats, real: Floats, other: Floats, synthetic: Floats, setting: Setting, t: int, row_weights: Floats
) -> Floats:
    """Real and synthetic rows as separate rows of weight w and 1 - w; one fit for each weight.

    The loss is (1/n) sum over both of weight (label - x'b)^2, so that with the same rows twice it is label mixing.
    """
    n = X.shape[0]
    rows = np.concatenate([X, other])
    W, P = setting.shape[:2]
    found = np.empty((W, P, X.shape[1]))
    weights = np.broadcast_to(_by_row(setting, t, n)[0], (W, n))
    synthetic = np.broadcast_to(synthetic, (W, P, n))
    for i in range(W):
        both = np.concatenate([row_weights * weights[i], row_weights * (1 - weights[i])])
        kept = both > 0
        labels = np.concatenate([np.broadcast_to(real, (P, n)), synthetic[i]], axis=1)[None]
        # _fit divides by the rows it is given; here n counts each pair once.
        count = int(kept.sum())
        penalties = setting.penalty(t) * n / count
        found[i] = _fit(rows[kept], labels[..., kept], penalties, both[kept])[0]
    return found


@dataclass
class _Memory:
    """The rows that a generation is trained on: its own, all so far, or as many drawn from all so far."""

    workflow: str
    rows: list[Floats] = field(default_factory=list)
    labels: list[Floats] = field(default_factory=list)

    def add(self, X: Floats, labels: Floats) -> None:
        if self.workflow not in ("accumulate", "accumulate-subsample"):
            self.rows, self.labels = [], []
        self.rows.append(X)
        self.labels.append(labels)

    def training(self, rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
        if len(self.rows) == 1:
            return self.rows[0], self.labels[0]
        W, P = (max(each.shape[axis] for each in self.labels) for axis in (0, 1))
        labels = np.concatenate([np.broadcast_to(each, (W, P, each.shape[2])) for each in self.labels], axis=2)
        rows = np.concatenate(self.rows)
        if self.workflow == "accumulate":
            return rows, labels
        chosen = np.sort(rng.choice(rows.shape[0], count, replace=False))
        return rows[chosen], labels[..., chosen]
