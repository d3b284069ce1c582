"""The runner of the loop on real rows: any learner that fits and predicts, and the fast ridge among them."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor

import freshmix as fm
from freshmix.replays.draws import NewRows
from freshmix.replays.folds import Fold
from freshmix.replays.in_time import Course, backtest
from freshmix.replays.learners import FastRidge
from freshmix.replays.run import Turn, run


def turns(learner, X, y, size=40, generations=3, w=0.6, row_weight=1.0):
    """Generations on rows of their own, half of them with a real label after the first; the rest of the rows judge."""
    for t in range(generations + 1):
        rows = slice(t * size, (t + 1) * size)
        real = y[rows].copy()
        weights = np.where(np.arange(size) % 2 == 0, w, 0.0) if t else 1.0
        if t:
            real[1::2] = np.nan
        judged = slice((generations + 1) * size, None)
        yield Turn(learner, rows, judged, real, real_weight=weights, row_weight=row_weight)


def rows(n=240, p=6, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X @ rng.standard_normal(p) + 0.5 * rng.standard_normal(n)


def by_hand(X, y, alpha, size=40, generations=3, w=0.6):
    """The same loop written out: ridge without an intercept."""
    errors, b = [], None
    held = slice((generations + 1) * size, None)
    for t in range(generations + 1):
        x, label = X[t * size : (t + 1) * size], y[t * size : (t + 1) * size].copy()
        if b is not None:
            label[::2] = w * label[::2] + (1 - w) * (x @ b)[::2]
            label[1::2] = (x @ b)[1::2]
        b = np.linalg.solve(x.T @ x + alpha * np.eye(x.shape[1]), x.T @ label)
        errors.append(np.mean((X[held] @ b - y[held]) ** 2))
    return errors


def test_the_loop_written_out():
    X, y = rows()
    np.testing.assert_allclose(run(X, y, turns(FastRidge(2.0), X, y)), by_hand(X, y, 2.0), rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("p", [6, 60])
@pytest.mark.parametrize("row_weight", [1.0, 0.25])
def test_the_fast_ridge_is_scikit_learns(alpha, p, row_weight):
    X, y = rows(p=p)
    same = Ridge(alpha=alpha, fit_intercept=False, solver="svd") if alpha else LinearRegression(fit_intercept=False)
    want = run(X, y, turns(same, X, y, row_weight=row_weight))
    np.testing.assert_allclose(run(X, y, turns(FastRidge(alpha), X, y, row_weight=row_weight)), want, rtol=1e-9)


def test_several_columns_are_as_many_runs():
    X, y = rows()
    both = np.column_stack([y, -2 * y])
    together = run(X, both, turns(FastRidge(1.0), X, both))
    apart = [run(X, column, turns(FastRidge(1.0), X, column)) for column in both.T]
    np.testing.assert_allclose(together, np.mean(apart, axis=0), rtol=1e-12)


def test_any_learner_runs_and_is_left_as_it_was():
    X, y = rows()
    forest = RandomForestRegressor(20, random_state=0)
    errors = run(X, y, turns(forest, X, y))
    assert errors.shape == (4,)
    assert np.all(errors > 0)
    assert errors[0] < np.var(y)
    assert not hasattr(forest, "estimators_")
    np.testing.assert_array_equal(errors, run(X, y, turns(forest, X, y)))


def test_sample_weights_count_like_rows_that_are_repeated():
    X, y = rows(n=40)
    weights = np.random.default_rng(1).integers(1, 4, 40).astype(float)
    again = np.repeat(np.arange(40), weights.astype(int))
    turn = Turn(FastRidge(1.0), np.arange(40), np.arange(40), y)
    twice = Turn(FastRidge(1.0), np.arange(again.size), np.arange(again.size), y[again])
    np.testing.assert_allclose(run(X, y, [turn], weights), run(X[again], y[again], [twice]), rtol=1e-12)


def test_rows_of_weight_0_are_no_rows():
    """Of a learner that takes no weights, too."""
    X, y = rows(n=40)
    used = np.arange(40) % 4 > 0
    turn = Turn(KNeighborsRegressor(3), np.arange(40), np.arange(40), y, row_weight=used.astype(float))
    alone = Turn(KNeighborsRegressor(3), np.flatnonzero(used), np.arange(40), y[used])
    assert run(X, y, [turn]) == run(X, y, [alone])


@pytest.mark.parametrize("penalty", [0.0, 0.2])
@pytest.mark.parametrize("p", [8, 90])
def test_scikit_learn_has_the_errors_of_the_fast_ridge(p, penalty):
    """Both forms, row weights that differ, and rows of weight 0, among groups of a loop and in the order of time."""
    rng = np.random.default_rng(p)
    X, beta, residuals = rng.standard_normal((300, p)), rng.standard_normal((p, 3)), rng.standard_normal(50)
    groups = [fm.Group(0.5, 1.0, 0.7), fm.Group(0.3, 0.4, 0.0), fm.Group(0.2, 0.0, 0.0)]
    loop = fm.Loop(groups=groups, penalty=penalty, covariates="fresh", synthetic_noise_ratio=0.5)
    y, blocks = X @ beta[:, 0] + rng.standard_normal(300), np.split(np.arange(300), 5)

    def plain(alpha):
        return Ridge(alpha, fit_intercept=False) if alpha > 0 else LinearRegression(fit_intercept=False)

    found = []
    for learner in (FastRidge, plain):
        replay = NewRows(X, beta, residuals, [loop], 0.3, 60, 3, learner)
        risks, alone = replay.risks(np.arange(300), np.random.default_rng(1))
        course = Course(lambda t: penalty, lambda t: 0.6, 0.5, learner=learner)
        shown = np.where(np.arange(300) % 3, y, np.nan)
        tested, _ = backtest(X, y, shown, blocks, {"mix": course}, 1.0, np.random.default_rng(2))
        found.append([*risks, alone, *tested["mix"]])
    np.testing.assert_allclose(*found, rtol=1e-9)


@pytest.mark.parametrize("labels", ["fresh", "frozen"])
def test_a_fold_is_the_expectation_of_runs_on_frozen_rows(labels):
    """Each column of labels is a run of its own; scikit-learn's intercept is the centring of a fold."""
    rng = np.random.default_rng(3)
    X, beta, held = rng.standard_normal((60, 12)), rng.standard_normal((12, 1)), np.arange(60) % 4 == 0
    loop = fm.Loop(schedule=[0.6, 0.3, 0.8], penalty=0.2, synthetic_noise_ratio=0.5, labels=labels)
    expected = Fold.of(X, beta, held, 0.49).observed(loop, 3).mean(axis=1)
    rows, judged, runs = np.flatnonzero(~held), np.flatnonzero(held), 300
    mean = X[rows].mean(axis=0)
    signal = np.repeat((X - mean) @ beta, runs, axis=1)
    found = []
    for _ in range(20):
        noise = 0.7 * rng.standard_normal((2, 4, rows.size, runs))
        # The mean of the noise is no part of a fold: the intercept takes it up.
        noise -= noise.mean(axis=2, keepdims=True)
        real = signal[rows] + (noise[0] if labels == "fresh" else noise[0, :1])
        weights = (1.0, *loop.weights(3))
        ridge = Ridge(rows.size * loop.penalty)
        turns = [
            Turn(ridge, rows, judged, label, np.sqrt(0.5) * synthetic, w)
            for label, synthetic, w in zip(np.broadcast_to(real, noise[0].shape), noise[1], weights, strict=True)
        ]
        found.append(run(X, signal, turns))
    z = (np.mean(found, axis=0) - expected) / (np.std(found, axis=0, ddof=1) / np.sqrt(len(found)))
    assert np.abs(z).max() < 4
