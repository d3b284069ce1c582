"""The redraw engine against loops written out by the definitions, with the numbers that the engine draws."""

import math
import warnings

import numpy as np
import pytest

import freshmix as fm
from freshmix import sampling

from .test_monte_carlo import GROUPS
from .test_simulate import LEVELS, task_of

DESIGN, REAL, SYNTHETIC, CHOICE = 1, 2, 3, 4
SEED, T = 5, 3


def generator(t, purpose):
    return np.random.default_rng([SEED, 0, t, purpose])


def draw(t, purpose, size):
    return generator(t, purpose).standard_normal(size)


def refit(X, labels, penalty, row_weights, n):
    """argmin (1/n) sum a_i (label_i - x_i'b)^2 + lambda ||b||^2."""
    root = np.sqrt(row_weights)
    A = root[:, None] * X
    if penalty == 0:
        return np.linalg.pinv(A, rcond=1e-10) @ (root * labels)
    return np.linalg.solve(A.T @ A / n + penalty * np.eye(X.shape[1]), A.T @ (root * labels) / n)


def by_definition(source, groups, covariates, rows, penalty, workflow, rho=0.5):
    """Excess risks of generations 0 ... T of the first replicate."""
    task, X, sigma = task_of(source, rows, 24 / rows, SEED)
    entire = getattr(source, "X", None)

    def design(t, purpose):
        if entire is not None:
            return entire[generator(t, purpose).integers(0, len(entire), rows)]
        return draw(t, purpose, X.shape) * np.sqrt(task.tau)

    def risk(bhat):
        return (bhat - task.beta) @ sigma @ (bhat - task.beta)

    sizes = [round(group.share * rows) for group in groups]
    w = np.repeat([group.real_weight for group in groups], sizes)
    a = np.repeat([group.row_weight for group in groups], sizes)
    X = design(0, DESIGN) if covariates == "fresh" else X
    labels = X @ task.beta + draw(0, REAL, rows)
    bhat = refit(X, labels, penalty, np.ones(rows), rows)
    kept = [(X, labels, np.ones(rows))]
    risks = [risk(bhat)]
    for t in range(1, T + 1):
        X = design(t, DESIGN) if covariates == "fresh" else X
        other = design(t, CHOICE) if covariates == "fresh" and workflow == "stack" else X
        real = X @ task.beta + draw(t, REAL, rows)
        synthetic = other @ bhat + math.sqrt(rho) * draw(t, SYNTHETIC, rows)
        if workflow == "stack":
            both = np.concatenate([a * w, a * (1 - w)])
            bhat = refit(np.vstack([X, other]), np.concatenate([real, synthetic]), penalty, both, rows)
        else:
            own = (X, w * real + (1 - w) * synthetic, a)
            kept = [own] if workflow == "replace" else [*kept, own]
            rows_, labels, weights = (np.concatenate(part) for part in zip(*kept, strict=True))
            if workflow == "accumulate-subsample":
                chosen = np.sort(generator(t, CHOICE).choice(weights.size, rows, replace=False))
                rows_, labels, weights = rows_[chosen], labels[chosen], weights[chosen]
            bhat = refit(rows_, labels, penalty, weights, weights.size)
        risks.append(risk(bhat))
    return risks


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("rows", [16, 40])
@pytest.mark.parametrize("kind", GROUPS)
@pytest.mark.parametrize("covariates", ["fresh", "frozen"])
@pytest.mark.parametrize("workflow", ["replace", "accumulate", "accumulate-subsample", "stack"])
def test_redraw_is_the_loop_by_definition(workflow, covariates, kind, rows, penalty):
    loop = fm.Loop(aspect=24 / rows, groups=GROUPS[kind], covariates=covariates, penalty=penalty, synthetic_noise_ratio=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = fm.simulate(LEVELS, loop, T, rows=rows, seed=SEED, engine="redraw", workflow=workflow)
    expected = by_definition(LEVELS, GROUPS[kind], covariates, rows, penalty, workflow)
    np.testing.assert_allclose(found.risk.values.ravel(), expected, rtol=1e-7)


@pytest.mark.parametrize("rows", [16, 40])
def test_rows_of_a_table_are_drawn_anew_in_each_generation(rows):
    # Also where as many are asked for as the table has.
    source = sampling.Rows(np.random.default_rng(0).standard_normal((16, 24)) + 0.3, np.linspace(0, 1, 24))
    groups = [fm.Group(1.0, 1.0, 0.6)]
    loop = fm.Loop(groups=groups, covariates="fresh", penalty=0.2, synthetic_noise_ratio=0.5)
    found = fm.simulate(source, loop, T, rows=rows, seed=SEED)
    expected = by_definition(source, groups, "fresh", rows, 0.2, "replace")
    np.testing.assert_allclose(found.risk.values.ravel(), expected, rtol=1e-9)
