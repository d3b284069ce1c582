"""New rows in each generation, groups of rows, and workflows that keep old rows: dense fits (mathematics.md 1, 5, 9)."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from array_api_compat import array_namespace

from ..arguments import Floats
from ..sampling import Task
from . import registry
from .experiment import CHOICE, COEFFICIENTS, DESIGN, PURPOSES, SYNTHETIC, Experiment
from .namespace import Array, solve, to_numpy
from .seeds import Streams
from .workflows.batch import Batch, Generation, joined
from .workflows.kept import Kept

# Whole designs are drawn; label noise too.
DENSE, EXPECTS = True, False
# Replicates at once, and numbers in the largest array of theirs: it stays in the cache.
_MOST, _NUMBERS = 256, 1 << 17


def refusal(experiment: Experiment, noise: str) -> str:
    """Why this engine does not cover an experiment, or nothing."""
    if noise == "expected":
        return "noise='expected' needs frozen covariates on one group of rows"
    weights = [experiment.real_weights(t) for t in range(1, experiment.generations + 1)]
    if registry.workflow(experiment.workflow).APART and any(np.any((w < 0) | (w > 1)) for w in weights):
        return f"workflow {experiment.workflow!r} takes real weights between 0 and 1, those of its rows in the loss"
    return ""


def together(experiment: Experiment) -> int:
    """Replicates that are worth running at once: tiny ones, whose arrays cost more to call than to compute."""
    trained: list[int] = registry.workflow(experiment.workflow).trained_on(experiment)
    weights, penalties, times = experiment.shape
    size = max(max(trained) * max(experiment.source.features, weights * penalties), times)
    return max(1, min(_MOST, _NUMBERS // size))


def risks(experiment: Experiment, replicates: Sequence[int]) -> Floats:
    """(R, W, P, T + 1) excess risks of runs: one design a generation, shared by all weights and penalties."""
    load, sigma = experiment.arrays.load, math.sqrt(experiment.source.noise_variance)
    streams = Streams(experiment.seed, replicates, experiment.generations + 1, PURPOSES)
    tasks = [experiment.source.task(rng, experiment.entries) for rng in streams(0, COEFFICIENTS)]
    coefficients = experiment.coefficients(np.stack([task.beta for task in tasks]), streams)

    def design(t: int, purpose: int = DESIGN) -> Array:
        return load(
            _stacked([task.rows(rng, experiment.rows[t]) for task, rng in zip(tasks, streams(t, purpose), strict=True)])
        )

    def noise(t: int, purpose: int) -> Floats:
        """(R, rows) label noise: one for each row, shared by all weights and penalties."""
        return sigma * _stacked([experiment.label_noise.draw(rng, (experiment.rows[t],)) for rng in streams(t, purpose)])

    def real_labels(X: Array, beta: Floats, t: int) -> Array:
        drawn = np.add.reduce([factor * noise(*of) for factor, *of in experiment.real_noise(t)])
        return (X @ load(beta)[:, :, None])[:, :, 0] + load(drawn)

    found = np.empty((len(replicates), *experiment.shape))
    workflow, kept = registry.workflow(experiment.workflow)(), Kept(experiment)
    beta, judge = next(coefficients)
    X = design(0)
    labelled = kept.added(0, X, real_labels(X, beta, 0), np.ones(X.shape[1]))
    bhat = _fit(workflow.first(labelled), experiment, 0)
    found[..., 0] = _risk(tasks, bhat, judge)
    for t in range(1, experiment.generations + 1):
        loop, (beta, judge) = experiment.loop(t), next(coefficients)
        X = design(t) if experiment.fresh else X
        real = real_labels(X, beta, t)
        other = design(t, CHOICE) if workflow.APART and experiment.fresh else X
        synthetic = _predictions(other, bhat)
        synthetic = synthetic + load(math.sqrt(loop.synthetic_noise_ratio) * noise(t, SYNTHETIC))[:, None, None, :]
        generation = Generation(X, real, other, synthetic, *_by_row(experiment, t), experiment.arrays)
        batch = joined([workflow.next(generation, streams(t, CHOICE)), *kept.at(t)])
        bhat = _anchored(batch, experiment, t, loop.anchor, bhat)
        found[..., t] = _risk(tasks, bhat, judge)
        kept.added(t, X, real, generation.row_weights)
    return found


def _stacked(parts: list[Floats]) -> Floats:
    """An axis of replicates in front; a single large array is not copied."""
    return parts[0][None] if len(parts) == 1 else np.stack(parts)


def _predictions(X: Array, bhat: Array) -> Array:
    """(R, W, P, n) predictions for (R, n, p) rows, in one product a replicate."""
    xp = array_namespace(X)
    flat = xp.reshape(bhat, (bhat.shape[0], -1, bhat.shape[3]))
    return xp.reshape(flat @ xp.matrix_transpose(X), (*bhat.shape[:3], X.shape[1]))


def _risk(tasks: list[Task], bhat: Array, beta: Floats) -> Floats:
    """||bhat - beta||^2_Sigma of (R, W, P, p) coefficients."""
    errors = to_numpy(bhat) - beta[:, None, None, :]
    if tasks[0].scale is not None:
        return np.asarray(tasks[0].scale * np.vecdot(errors, errors))
    flat = errors.reshape(len(tasks), -1, beta.shape[1])
    images = np.stack([task.root(each.T).T for task, each in zip(tasks, flat, strict=True)])
    return np.asarray(np.vecdot(images, images).reshape(bhat.shape[:3]))


def _by_row(experiment: Experiment, t: int) -> tuple[Floats, Floats]:
    """(W or 1, n) real weights and (n,) row weights."""
    of = experiment.row_groups(t)
    return experiment.real_weights(t)[:, of], np.array([group.row_weight for group in experiment.groups(t)])[of]


def _anchored(batch: Batch, experiment: Experiment, t: int, alpha: float, bhat: Array) -> Array:
    """argmin loss(b) + lambda |b - alpha bhat|^2: alpha bhat, and a fit to what it leaves."""
    if alpha == 0:
        return _fit(batch, experiment, t)
    left = batch.labels - alpha * _predictions(batch.X, bhat)
    return alpha * bhat + _fit(dataclasses.replace(batch, labels=left), experiment, t)


def _fit(batch: Batch, experiment: Experiment, t: int) -> Array:
    """(R, W or 1, P, p) coefficients; one fit for each weighting of the rows, of those whose weight is not 0."""
    penalties = experiment.penalty(t)
    if batch.size == batch.X.shape[1] and np.all(batch.weights > 0):
        return _ridge(batch.X, batch.labels, batch.weights[:, 0, :], penalties, experiment)
    xp = array_namespace(batch.X)
    found = []
    for i in range(batch.weights.shape[1]):
        kept = np.flatnonzero(batch.weights[:, i, :].any(axis=0))
        X, labels = batch.X, batch.labels[:, i : i + 1, :, :]
        if kept.size < X.shape[1]:
            index = xp.asarray(kept, device=experiment.arrays.device)
            X, labels = xp.take(X, index, axis=1), xp.take(labels, index, axis=3)
        # The mean of the loss is over the rows that are given.
        scaled = penalties * batch.size / kept.size
        found.append(_ridge(X, labels, batch.weights[:, i, kept], scaled, experiment))
    return xp.concat(found, axis=1)


def _ridge(X: Array, labels: Array, row_weights: Floats, penalties: Floats, experiment: Experiment) -> Array:
    """Weighted ridge on (R, W or 1, P or 1, n) labels: (R, W, P, p) coefficients, from the smaller side.

    argmin (1/n) sum a_i (label_i - x_i'b)^2 + lambda ||b||^2: with A = sqrt(a) X, A'(A A'/n + lambda)^-1 sqrt(a) labels / n
    or (A'A/n + lambda)^-1 A' sqrt(a) labels / n.
    """
    xp = array_namespace(X)
    A = X
    if np.any(row_weights != 1):
        root = experiment.arrays.load(np.sqrt(row_weights))
        A, labels = root[:, :, None] * X, root[:, None, None, :] * labels
    R, n, p = A.shape
    wide, transposed = p > n, xp.matrix_transpose(A)
    gram = (A @ transposed if wide else transposed @ A) / n
    W, P = labels.shape[1], penalties.size
    labels = xp.broadcast_to(labels, (R, W, P, n)) / n
    right = labels if wide else xp.reshape(xp.reshape(labels, (R, -1, n)) @ A, (R, W, P, p))
    solutions = xp.stack(
        [
            xp.matrix_transpose(solve(gram, float(penalties[j]), xp.matrix_transpose(right[:, :, j, :])))
            for j in range(penalties.size)
        ],
        axis=2,
    )
    return xp.reshape(xp.reshape(solutions, (R, -1, n)) @ A, (R, W, P, p)) if wide else solutions
