"""New rows in each generation, groups of rows, and workflows that keep old rows: dense fits (mathematics.md 1, 5, 9)."""

import dataclasses
import math

import numpy as np
from array_api_compat import array_namespace

from ..arguments import Floats
from ..sampling import Task
from . import registry
from .experiment import CHOICE, COEFFICIENTS, DESIGN, SYNTHETIC, Experiment
from .namespace import Array, solve, to_numpy
from .workflows.batch import Batch, Generation, joined
from .workflows.kept import Kept

# Whole designs are drawn; label noise too.
DENSE, EXPECTS = True, False


def refusal(experiment: Experiment, noise: str) -> str:
    """Why this engine does not cover an experiment, or nothing."""
    if noise == "expected":
        return "noise='expected' needs frozen covariates on one group of rows"
    weights = [experiment.real_weights(t) for t in range(1, experiment.generations + 1)]
    if registry.workflow(experiment.workflow).APART and any(np.any((w < 0) | (w > 1)) for w in weights):
        return f"workflow {experiment.workflow!r} takes real weights between 0 and 1, those of its rows in the loss"
    return ""


def risks(experiment: Experiment, replicate: int) -> Floats:
    """(W, P, T + 1) excess risks of a run: one design a generation, shared by all weights and penalties."""
    load, sigma = experiment.arrays.load, math.sqrt(experiment.source.noise_variance)
    task = experiment.source.task(experiment.rng(replicate, 0, COEFFICIENTS), experiment.entries)
    coefficients = experiment.coefficients(task, replicate)

    def design(t: int, purpose: int = DESIGN) -> Array:
        return load(task.rows(experiment.rng(replicate, t, purpose), experiment.rows[t]))

    def noise(t: int, purpose: int) -> Floats:
        """Label noise: one for each row, shared by all weights and penalties."""
        return sigma * experiment.label_noise.draw(experiment.rng(replicate, t, purpose), (experiment.rows[t],))

    def real_noise(t: int) -> Array:
        return load(np.add.reduce([factor * noise(*of) for factor, *of in experiment.real_noise(t)]))

    found = np.empty(experiment.shape)
    workflow = registry.workflow(experiment.workflow)()
    kept = Kept(experiment)
    beta, judge = next(coefficients)
    X = design(0)
    real = X @ load(beta) + real_noise(0)
    bhat = _fit(workflow.first(kept.added(0, X, real, np.ones(X.shape[0]))), experiment, 0)
    found[:, :, 0] = _risk(task, bhat, judge)
    for t in range(1, experiment.generations + 1):
        loop, (beta, judge) = experiment.loop(t), next(coefficients)
        X = design(t) if experiment.fresh else X
        real = X @ load(beta) + real_noise(t)
        other = design(t, CHOICE) if workflow.APART and experiment.fresh else X
        synthetic = _predictions(other, bhat) + load(math.sqrt(loop.synthetic_noise_ratio) * noise(t, SYNTHETIC))
        generation = Generation(X, real, other, synthetic, *_by_row(experiment, t), experiment.arrays)
        batch = joined([workflow.next(generation, experiment.rng(replicate, t, CHOICE)), *kept.at(t)])
        bhat = _anchored(batch, experiment, t, loop.anchor, bhat)
        found[:, :, t] = _risk(task, bhat, judge)
        kept.added(t, X, real, generation.row_weights)
    return found


def _predictions(X: Array, bhat: Array) -> Array:
    """(W, P, n) predictions for n rows, in one product."""
    flat = array_namespace(X).reshape(bhat, (-1, bhat.shape[2]))
    return array_namespace(X).reshape(flat @ X.T, (*bhat.shape[:2], X.shape[0]))


def _risk(task: Task, bhat: Array, beta: Floats) -> Floats:
    """||bhat - beta||^2_Sigma of (W, P, p) coefficients."""
    errors = (to_numpy(bhat) - beta).reshape(-1, beta.size)
    images = task.root(errors.T).T if task.scale is None else math.sqrt(task.scale) * errors
    return np.asarray(np.vecdot(images, images).reshape(bhat.shape[:2]))


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
    """(W or 1, P, p) coefficients; one fit for each weighting of the rows, of those whose weight is not 0."""
    penalties = experiment.penalty(t)
    if batch.size == batch.X.shape[0]:
        return _ridge(batch.X, batch.labels, batch.weights[0], penalties, experiment)
    xp = array_namespace(batch.X)
    found = []
    for i, weights in enumerate(batch.weights):
        kept = np.flatnonzero(weights)
        index = xp.asarray(kept, device=experiment.arrays.device)
        labels = xp.take(batch.labels[i, :, :], index, axis=1)[None, :, :]
        # The mean of the loss is over the rows that are given.
        scaled = penalties * batch.size / kept.size
        found.append(_ridge(xp.take(batch.X, index, axis=0), labels, weights[kept], scaled, experiment)[0, :, :])
    return xp.stack(found)


def _ridge(X: Array, labels: Array, row_weights: Floats, penalties: Floats, experiment: Experiment) -> Array:
    """Weighted ridge on (W or 1, P or 1, n) labels: (W, P, p) coefficients, from the smaller side.

    argmin (1/n) sum a_i (label_i - x_i'b)^2 + lambda ||b||^2: with A = sqrt(a) X, A'(A A'/n + lambda)^-1 sqrt(a) labels / n
    or (A'A/n + lambda)^-1 A' sqrt(a) labels / n.
    """
    xp = array_namespace(X)
    A = X
    if np.any(row_weights != 1):
        root = experiment.arrays.load(np.sqrt(row_weights))
        A, labels = root[:, None] * X, root * labels
    n, p = A.shape
    wide = p > n
    gram = (A @ A.T if wide else A.T @ A) / n
    W, P = labels.shape[0], penalties.size
    labels = xp.broadcast_to(labels, (W, P, n)) / n
    right = labels if wide else xp.reshape(xp.reshape(labels, (-1, n)) @ A, (W, P, p))
    solutions = xp.stack([solve(gram, float(penalties[j]), right[:, j, :].T).T for j in range(P)], axis=1)
    return xp.reshape(xp.reshape(solutions, (-1, n)) @ A, (W, P, p)) if wide else solutions
