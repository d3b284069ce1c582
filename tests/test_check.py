"""Does the theory fit? The replay is a loop that really runs, passes on rows that theory is for, and fails on others."""

import math
from dataclasses import replace

import numpy as np
import pytest

import freshmix as fm
from freshmix.estimation import banded, factorise
from freshmix.prepared import Order
from freshmix.prepared.copies import copies
from freshmix.replays import draws
from freshmix.replays.check import DOES_NOT_FIT, Check, drawn_signals, standard_error
from freshmix.replays.folds import Fold, feature_rows

from . import naive


def rows(kind, n, p, rng):
    X = rng.standard_normal((n, p))
    if kind == "heavy":
        X *= rng.standard_t(2.5, size=(n, 1))
    if kind == "copies":
        X = X[rng.integers(0, n // 5, n)]
    if kind == "dependent":
        for i in range(1, n):
            X[i] = 0.95 * X[i - 1] + np.sqrt(1 - 0.95**2) * X[i]
    if kind == "binary":
        X = (X > 0.5).astype(float)
    if kind == "correlated":
        X = X @ np.linalg.cholesky(0.7 ** np.abs(np.subtract.outer(np.arange(p), np.arange(p)))).T
    return X


def labels(X, rng):
    f = X @ rng.standard_normal(X.shape[1])
    return f / f.std() + rng.standard_normal(X.shape[0])


@pytest.mark.parametrize("labels_kept", ["fresh", "frozen"])
@pytest.mark.parametrize("p", [12, 60])
def test_the_replay_is_the_loop_run_and_judged_on_held_out_rows(p, labels_kept):
    """Expected risk at held-out rows against dense runs with drawn noise."""
    rng = np.random.default_rng(p)
    X, beta = rng.standard_normal((60, p)), rng.standard_normal((p, 2)) / np.sqrt(p)
    held = np.arange(60) % 4 == 0
    weights, sigma = np.array([0.6, 0.3, 0.8]), 0.7
    loop = fm.Loop(schedule=weights, penalty=0.2, synthetic_noise_ratio=0.5, labels=labels_kept)
    fold = Fold.of(X, beta, held, sigma**2)
    expected = fold.observed(loop, 3).mean(axis=1)
    one, two = X[~held] - X[~held].mean(axis=0), X[held] - X[~held].mean(axis=0)
    runs = []
    for _ in range(1500):

        def noise(scale=1.0):
            return sigma * scale * rng.standard_normal((len(one), 2))

        def fit(label):
            return naive.fit(one, label - label.mean(axis=0), 0.2), label.mean(axis=0)

        def risk(fitted, intercept):
            return np.mean((two @ (fitted - beta) + intercept) ** 2)

        first = one @ beta + noise()
        model = fit(first)
        risks = [risk(*model)]
        for w in weights:
            real = first if labels_kept == "frozen" else one @ beta + noise()
            model = fit(w * real + (1 - w) * (one @ model[0] + model[1] + noise(np.sqrt(0.5))))
            risks.append(risk(*model))
        runs.append(risks)
    z = (np.mean(runs, axis=0) - expected) / (np.std(runs, axis=0, ddof=1) / np.sqrt(len(runs)))
    assert np.abs(z).max() < 4


def test_drawn_signals_have_the_posterior_of_bayesian_ridge():
    rng = np.random.default_rng(0)
    n, p, noise = 30, 4, 0.5
    X = rng.standard_normal((n, p))
    X -= X.mean(axis=0)
    y = X @ np.array([1.0, -0.5, 0.2, 0.0]) + np.sqrt(noise) * rng.standard_normal(n)
    null = 2.0
    prior = null / (np.sum(X**2) / n)
    precision = X.T @ X / noise + np.eye(p) / prior
    covariance = np.linalg.inv(precision)
    mean = covariance @ X.T @ y / noise
    wide = np.hstack([drawn_signals(X, y, noise, null, np.random.default_rng(i)) for i in range(2500)])
    error = np.sqrt(np.diag(covariance) / wide.shape[1])
    assert np.abs((wide.mean(axis=1) - mean) / error).max() < 4
    assert np.cov(wide) == pytest.approx(covariance, abs=4 * covariance.max() * np.sqrt(2 / wide.shape[1]))


def test_both_forms_of_the_drawn_signals_agree():
    """The same draw by p x p and by n x n equations: append columns of zeros until p > n."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((12, 10)), rng.standard_normal(12)
    padded = np.hstack([X, np.zeros((12, 5))])
    narrow, wide = (drawn_signals(each, y, 0.0, 1.0, np.random.default_rng(3)) for each in (X, padded))
    assert X @ narrow == pytest.approx(padded @ wide, abs=2.0)
    dense = np.linalg.lstsq(X, y, rcond=None)[0]
    assert np.abs(X @ narrow - (X @ dense)[:, None]).max() < 1e-6
    # More features than rows, and no noise: the labels themselves.
    thin = drawn_signals(X[:6], y[:6], 0.0, 1.0, rng)
    assert X[:6] @ thin == pytest.approx(np.repeat(y[:6, None], thin.shape[1], axis=1), abs=1e-6)


@pytest.mark.parametrize("kind", ["normal", "binary", "correlated"])
@pytest.mark.parametrize("aspect", [0.2, 2.0])
def test_passes_where_theory_holds(kind, aspect):
    for seed in range(2):
        rng = np.random.default_rng([seed, 7])
        X = rows(kind, 240, round(240 * aspect), rng)
        found = fm.recommend(X, labels(X, rng))
        assert found.check.fits
        assert found.check.held_out == "rows"
        assert found.verdict in ("improves", "holds", "degrades")
        assert np.abs(found.check.observed / found.check.predicted - 1).max() < 0.1


def test_copies_are_left_out_together():
    rng = np.random.default_rng(11)
    X = rows("copies", 240, 120, rng)
    found = fm.recommend(X, labels(X, rng))
    assert found.check.fits
    assert found.check.observed[-1] / found.check.predicted[-1] == pytest.approx(1, abs=0.2)


def test_figures_far_off_are_said_first():
    rng = np.random.default_rng(11)
    X = rows("normal", 240, 120, rng)
    found = fm.recommend(X, labels(X, rng))
    check = found.check
    assert check.far_off is None
    for factor in (0.2, 2.0, 4.0):
        off = replace(check, observed=factor * check.predicted, null_risk=np.inf)
        assert not off.fits
        assert off.far_off == (None if factor == 2 else pytest.approx(factor))
        said = "has 4 times the error" if factor == 4 else "has 0.2 times the error"
        assert (said in " ".join(str(replace(found, check=off)).split())) == (factor != 2)


@pytest.mark.parametrize("kind", ["heavy", "dependent"])
def test_fails_where_it_does_not_and_says_what_the_replay_found(kind):
    rng = np.random.default_rng(11)
    X = rows(kind, 240, 120, rng)
    y = labels(X, rng)
    timed = {"time": np.arange(240) // 40} if kind == "dependent" else {}
    found = fm.recommend(X, y, **timed)
    check = found.check
    assert not check.fits
    assert check.held_out == ("blocks" if kind == "dependent" else "rows")
    if kind != "dependent":
        # No other setting is better on these rows: the figures are those of the replay.
        assert check.setting_holds
        assert found.verdict in ("improves", "holds", "degrades")
        assert f"the figures here are corrected by {found.correction:.2f}" in found.reason
        assert found.correction**2 == pytest.approx(check.observed[-1] / check.predicted[-1])
    else:
        assert found.verdict == DOES_NOT_FIT
        assert found.reason.startswith("here is what the replay says: ")
        assert f"{check.observed[-1]:.3g} after {check.observed.size - 1} retrainings" in found.reason
        assert "rows of a step are more alike" in found.reason
    w, penalty, risk = check.best
    assert 0 < w <= 1
    assert penalty > 0
    assert risk <= check.observed[-1] * (1 + 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("rows_per_generation", [None, 40])
def test_the_order_of_a_table_without_times_is_a_warning_and_no_verdict(rows_per_generation):
    """A shuffle hides the dependence, and changes nothing else."""
    rng = np.random.default_rng(12)
    X = rows("dependent", 240, 30, rng)
    y, order = labels(X, rng), rng.permutation(240)
    found, shuffled = (fm.recommend(*each, rows_per_generation=rows_per_generation) for each in ((X, y), (X[order], y[order])))
    assert found.check.held_out == "rows"
    assert found.check.fits
    assert "rows near each other in the table are alike" in found.check.neighbours
    assert found.check.neighbours in found.warnings
    assert np.array_equal(shuffled.check.observed, found.check.observed)
    assert shuffled.warnings == tuple(each for each in found.warnings if each != found.check.neighbours)


@pytest.mark.parametrize("labelled", [0.5, 1.0])
@pytest.mark.parametrize("kind", ["normal", "correlated", "heavy", "dependent"])
def test_fresh_covariates_pass_and_fail(kind, labelled):
    rng = np.random.default_rng(5)
    X = rows(kind, 600, 40, rng)
    y = labels(X, rng)
    y[rng.random(600) > labelled] = np.nan
    known = np.isfinite(y)
    found = banded(factorise(X[known], y[known]), rng)
    loop = fm.Loop.partially_labelled(labelled=labelled, real_weight=0.4, penalty=0.05, synthetic_noise_ratio=0.0)
    check = draws.check_fresh(X, y, found, loop, 60, 12, 0.1, rng, Order(np.arange(600) // 30, kind == "dependent"))
    assert check.fits == (kind in ("normal", "correlated"))
    assert check.predicted.size == 9
    assert check.rows == 60
    assert (check.best is None) == check.fits
    if check.best is not None:
        w, penalty, risk = check.best
        assert 0 < w <= 1
        assert penalty > 0
        assert risk < 1.1 * check.observed[-1]
        assert f"the best mix there {risk:.3g}" in check.reason()
        assert "do no worse" in replace(check, real_only=risk).reason()
        assert "do no worse" not in check.reason()


def test_the_fresh_replay_agrees_with_theory_of_a_known_population():
    """Blocks of gaussian rows: mean over tables within four standard errors of the theory for the true population."""
    p, size, T = 40, 80, 3
    loop = fm.Loop.partially_labelled(labelled=0.5, real_weight=0.6, penalty=0.1, row_weight=(1.0, 0.5)).replace(
        aspect=p / size
    )
    runs = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X, beta = rng.standard_normal((1200, p)), rng.standard_normal((p, 4))
        beta /= np.linalg.norm(beta, axis=0)
        residuals = rng.standard_normal(2000)
        risks, alone = draws.NewRows(X, beta, residuals, [loop], 0.3, size, T).risks(rng.permutation(1200), rng)
        runs.append([*risks, alone])
    expected = fm.risk(fm.Population.isotropic(), loop, T)
    real = fm.risk(fm.Population.isotropic(), fm.Loop(aspect=1.0, penalty=0.3, real_weight=1.0), 0)
    error = np.std(runs, axis=0, ddof=1) / np.sqrt(len(runs))
    # Half a percent for the finite size.
    gap = np.abs(np.mean(runs, axis=0) - [*expected, *real])
    assert np.all(gap < 4 * error + 0.005 * np.array([*expected, *real]))


def test_population_of_known_signals():
    """Null risk and ridge risk of the fitted population against the true one."""
    rng = np.random.default_rng(3)
    n, p = 1500, 60
    tau = np.repeat([1.0, 6.0], p // 2)
    beta = rng.standard_normal((p, 8)) * np.repeat([0.3, 0.1], p // 2)[:, None]
    X = rng.standard_normal((n, p)) * np.sqrt(tau)
    made = draws._population(X - X.mean(axis=0), beta, 1.0, None)
    energy = np.mean(beta**2, axis=1)
    true = fm.Population([1.0, 6.0], [0.5, 0.5], [energy[: p // 2].sum(), energy[p // 2 :].sum()], 1.0)
    assert made.null_risk == pytest.approx(true.null_risk, rel=0.1)
    for penalty in (0.05, 0.5, 5.0):
        loop = fm.Loop(aspect=0.8, penalty=penalty, real_weight=0.5)
        assert fm.limit(made, loop).risk == pytest.approx(fm.limit(true, loop).risk, rel=0.05)


def test_kernels_are_checked_in_their_feature_space():
    rng = np.random.default_rng(4)
    X = rng.standard_normal((90, 5))
    Z, group, taken = feature_rows(X, "rbf", rng)
    distance = np.sum((X[:, None] - X) ** 2, axis=2)
    assert np.abs(Z @ Z.T - np.exp(-distance[np.ix_(taken, taken)] / 5)).max() < 1e-8
    assert np.array_equal(group, np.arange(90))
    assert fm.recommend(X, np.sin(X[:, 0]) + 0.3 * rng.standard_normal(90), kernel="rbf").check is not None
    # Where theory holds, as for the products of gaussian rows, it fits.
    X = rng.standard_normal((200, 100))
    y = X @ rng.standard_normal(100) / 10 + rng.standard_normal(200)
    assert fm.recommend(X @ X.T, y, kernel="precomputed").check.fits


@pytest.mark.parametrize(("low", "high"), [(0.7, 1.3), (1.0, 10.0)])
def test_weighted_rows_are_replayed_weighted(low, high):
    """Against the weighted loop itself, on its own table."""
    rng = np.random.default_rng(8)
    n, p = 300, 150
    X, beta = rng.standard_normal((n, p)), rng.standard_normal(p) / np.sqrt(p)
    sd = 1 / np.sqrt(weights := rng.choice([low, high], n))
    found = fm.recommend(X, X @ beta + sd * rng.standard_normal(n), sample_weight=weights, standardize=False)
    used = weights / weights.mean()
    fit = np.linalg.solve(X.T * used @ X / n + found.penalty * np.eye(p), X.T * used / n)
    risks = []
    for _ in range(20):
        bhat = fit @ (X @ beta + sd * rng.standard_normal(n))
        for _ in range(10):
            real, synthetic = X @ beta + sd * rng.standard_normal(n), X @ bhat + sd * rng.standard_normal(n)
            bhat = fit @ (found.real_weight * real + (1 - found.real_weight) * synthetic)
        risks.append(np.sum((bhat - beta) ** 2))
    assert found.check.fits
    assert abs(np.mean(risks) / found.risk - 1) < 0.2
    assert not any("uneven" in line for line in found.warnings)


def test_copies_and_their_error():
    X = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [0.0, 0.0], [3.0, 4.0]])
    assert copies(X).tolist() == [0, 1, 0, 2, 1]
    apart = np.array([[1.0, -1.0, 1.0, 0.0, -1.0]])
    # Cluster sums 2, -2, 0.
    assert standard_error(apart, np.array([1e9]), copies(X))[0] == pytest.approx(np.sqrt(8 * 3 / 2) / 5)
    assert standard_error(apart, np.array([0.1]), np.arange(5))[0] == pytest.approx(0.1 * np.sqrt(2 / 5))


def test_what_counts_as_a_misfit():
    def check(observed, error, noise):
        return Check(np.array([1.0, 1.0]), np.array([1.0, observed]), np.full(2, error), noise, 100, "rows", 1.0)

    assert not check(1.5, 0.1, 1.0).fits
    assert check(1.5, 0.2, 1.0).fits, "within chance"
    assert check(1.05, 0.001, 1.0).fits, "within a tenth of the risk"
    assert check(1.5, 0.1, 100.0).fits, "within a fiftieth of the prediction error"
    assert check(1.5, 0.1, 1.0).worst == 1
    assert "its figures do not: replayed with 100 of the table's rows" in check(1.5, 0.1, 1.0).line()
    assert check(1.0, 0.0, 1.0).z.tolist() == [0.0, 0.0]


def test_the_setting_and_its_figures_are_two_questions():
    failed = Check(np.array([1.0, 1.0]), np.array([1.0, 1.5]), np.full(2, 0.1), 1.0, 100, "rows", 1.0, null_risk=2.0)
    right = replace(failed, best=(0.5, 0.1, 1.49))
    assert right.regret == pytest.approx(2.5 / 2.49 - 1)
    assert (right.setting_holds, right.trusted, right.correction) == (True, True, math.sqrt(1.5))
    wrong = replace(failed, best=(0.5, 0.1, 1.0))
    assert (wrong.setting_holds, wrong.trusted, wrong.correction) == (False, False, 1.0)
    assert replace(wrong, best_error=0.3).setting_holds, "within chance"
    assert not replace(right, null_risk=1.4).trusted, "worse than predicting the mean"
    assert "it does not" in wrong.line()


@pytest.mark.parametrize(("n", "p", "penalty"), [(15, 3, "auto"), (100, 75, 0)])
def test_no_check_without_rows_or_at_the_threshold(n, p, penalty):
    rng = np.random.default_rng(6)
    X = rng.standard_normal((n, p))
    found = fm.recommend(X, labels(X, rng), penalty=penalty)
    assert found.check is None
    assert found.unchecked.startswith("not checked: ")


def test_the_same_seed_gives_the_same_check():
    rng = np.random.default_rng(8)
    X = rng.standard_normal((100, 30))
    y = labels(X, rng)
    one, two, other = (fm.recommend(X, y, seed=seed).check.observed for seed in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_real_labels_are_held_out_beside_the_replay():
    """Leave-one-out of the mean of the loop, which is ridge at lambda/w, by refits."""
    rng = np.random.default_rng(9)
    X = rng.standard_normal((60, 5))
    y = labels(X, rng)
    found = fm.recommend(X, y, standardize=False)
    observed, predicted = found.check.real_labels
    penalty, errors = found.penalty / found.real_weight, []
    for i in range(60):
        A, b = np.delete(X, i, axis=0), np.delete(y, i)
        fitted = naive.fit(A - A.mean(axis=0), b - b.mean(), penalty * 60 / 59)
        errors.append((y[i] - b.mean() - (X[i] - A.mean(axis=0)) @ fitted) ** 2)
    assert observed == pytest.approx(np.mean(errors), rel=1e-3)
    assert predicted == pytest.approx(observed, rel=0.3)
    assert "on the real labels, each held out" in found.check.line()
