"""New rows in each generation, groups of rows, and workflows that keep old rows: dense fits (mathematics.md 1, 5, 9)."""

import math
from dataclasses import dataclass, field

import numpy as np
from array_api_compat import array_namespace

from ..arguments import Floats
from ..sampling import Task
from .namespace import Array, solve, to_numpy
from .setting import CHOICE, COEFFICIENTS, DESIGN, REAL, SYNTHETIC, Setting


def risks(setting: Setting, replicate: int) -> Floats:
    """(W, P, T + 1) excess risks of a run: one design a generation, shared by all weights and penalties."""
    load, sigma = setting.arrays.load, math.sqrt(setting.source.noise_variance)
    task = setting.source.task(setting.rng(replicate, 0, COEFFICIENTS), setting.entries)
    beta = load(task.beta)

    def design(t: int, purpose: int = DESIGN) -> Array:
        return load(task.rows(setting.rng(replicate, t, purpose), setting.rows[t]))

    def noise(t: int, purpose: int) -> Array:
        """Label noise: one for each row, shared by all weights and penalties."""
        return load(sigma * setting.label_noise.draw(setting.rng(replicate, t, purpose), (setting.rows[t],)))

    found = np.empty(setting.shape)
    memory = _Memory(setting.workflow)
    X = design(0)
    first = X @ beta + noise(0, REAL)
    labels, row_weights = first[None, None, :], np.ones(setting.rows[0])
    memory.add(X, labels, row_weights)
    bhat = _fit(X, labels, setting.penalty(0), row_weights, setting)
    found[:, :, 0] = _risk(task, bhat)
    for t in range(1, setting.generations + 1):
        loop = setting.loop(t)
        fresh = loop.covariates == "fresh"
        X = design(t) if fresh else X
        real = first if loop.labels == "frozen" else X @ beta + noise(t, REAL)
        other = design(t, CHOICE) if setting.workflow == "stack" and fresh else X
        synthetic = _predictions(other, bhat) + math.sqrt(loop.synthetic_noise_ratio) * noise(t, SYNTHETIC)
        weights, row_weights = _by_row(setting, t)
        if setting.workflow == "stack":
            bhat = _stacked(X, real, other, synthetic, weights, row_weights, setting, t)
        else:
            w = load(weights)[:, None, :]
            memory.add(X, w * real + (1 - w) * synthetic, row_weights)
            rows, labels, row_weights = memory.training(setting.rng(replicate, t, CHOICE), setting.rows[t])
            bhat = _fit(rows, labels, setting.penalty(t), row_weights, setting)
        found[:, :, t] = _risk(task, bhat)
    return found


def _predictions(X: Array, bhat: Array) -> Array:
    """(W, P, n) predictions for n rows, in one product."""
    flat = array_namespace(X).reshape(bhat, (-1, bhat.shape[2]))
    return array_namespace(X).reshape(flat @ X.T, (*bhat.shape[:2], X.shape[0]))


def _risk(task: Task, bhat: Array) -> Floats:
    """||bhat - beta||^2_Sigma of (W, P, p) coefficients."""
    errors = (to_numpy(bhat) - task.beta).reshape(-1, task.beta.size)
    images = task.root(errors.T).T if task.scale is None else math.sqrt(task.scale) * errors
    return np.asarray(np.vecdot(images, images).reshape(bhat.shape[:2]))


def _by_row(setting: Setting, t: int) -> tuple[Floats, Floats]:
    """(W or 1, n) real weights and (n,) row weights."""
    groups = setting.groups(t)
    sizes = sizes_of([group.share for group in groups], setting.rows[t])
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


def _fit(X: Array, labels: Array, penalties: Floats, row_weights: Floats, setting: Setting) -> Array:
    """Weighted ridge on (W or 1, P or 1, n) labels: (W, P, p) coefficients, from the smaller side.

    argmin (1/n) sum a_i (label_i - x_i'b)^2 + lambda ||b||^2: with A = sqrt(a) X, A'(A A'/n + lambda)^-1 sqrt(a) labels / n
    or (A'A/n + lambda)^-1 A' sqrt(a) labels / n.
    """
    xp = array_namespace(X)
    A = X
    if np.any(row_weights != 1):
        root = setting.arrays.load(np.sqrt(row_weights))
        A, labels = root[:, None] * X, root * labels
    n, p = A.shape
    wide = p > n
    gram = (A @ A.T if wide else A.T @ A) / n
    W, P = labels.shape[0], penalties.size
    labels = xp.broadcast_to(labels, (W, P, n)) / n
    right = labels if wide else xp.reshape(xp.reshape(labels, (-1, n)) @ A, (W, P, p))
    solutions = xp.stack([solve(gram, float(penalties[j]), right[:, j, :].T).T for j in range(P)], axis=1)
    return xp.reshape(xp.reshape(solutions, (-1, n)) @ A, (W, P, p)) if wide else solutions


def _stacked(
    X: Array,
    real: Array,
    other: Array,
    synthetic: Array,
    weights: Floats,
    row_weights: Floats,
    setting: Setting,
    t: int,
) -> Array:
    """Real and synthetic rows as separate rows of weight w and 1 - w; one fit for each weight: (W, P, p).

    The loss is (1/n) sum over both of weight (label - x'b)^2, so that with the same rows twice it is label mixing.
    """
    xp = array_namespace(X)
    n, W, P = setting.rows[t], setting.shape[0], setting.shape[1]
    rows = xp.concat([X, other])
    real = xp.broadcast_to(real, (P, n))
    synthetic = xp.broadcast_to(synthetic, (W, P, n))
    weights = np.broadcast_to(weights, (W, n))
    found = []
    for i in range(W):
        both = np.concatenate([row_weights * weights[i], row_weights * (1 - weights[i])])
        kept = np.flatnonzero(both)
        index = xp.asarray(kept, device=setting.arrays.device)
        labels = xp.take(xp.concat([real, synthetic[i, :, :]], axis=1), index, axis=1)
        # _fit divides by the rows it is given; here n counts each pair once.
        penalties = setting.penalty(t) * n / kept.size
        found.append(_fit(xp.take(rows, index, axis=0), labels[None, :, :], penalties, both[kept], setting)[0, :, :])
    return xp.stack(found)


@dataclass
class _Memory:
    """The rows that a generation is trained on: its own, all so far, or as many drawn from all so far."""

    workflow: str
    rows: list[Array] = field(default_factory=list)
    labels: list[Array] = field(default_factory=list)
    weights: list[Floats] = field(default_factory=list)

    def add(self, X: Array, labels: Array, row_weights: Floats) -> None:
        if self.workflow not in ("accumulate", "accumulate-subsample"):
            self.rows, self.labels, self.weights = [], [], []
        self.rows.append(X)
        self.labels.append(labels)
        self.weights.append(row_weights)

    def training(self, rng: np.random.Generator, count: int) -> tuple[Array, Array, Floats]:
        if len(self.rows) == 1:
            return self.rows[0], self.labels[0], self.weights[0]
        xp = array_namespace(self.rows[0])
        W, P = (max(each.shape[axis] for each in self.labels) for axis in (0, 1))
        labels = xp.concat([xp.broadcast_to(each, (W, P, each.shape[2])) for each in self.labels], axis=2)
        rows, weights = xp.concat(self.rows), np.concatenate(self.weights)
        if self.workflow == "accumulate":
            return rows, labels, weights
        chosen = np.sort(rng.choice(weights.size, count, replace=False))
        index = xp.asarray(chosen, device=rows.device)
        return xp.take(rows, index, axis=0), xp.take(labels, index, axis=2), weights[chosen]
