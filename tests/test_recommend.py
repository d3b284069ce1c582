"""The recommendation as a user meets it, on drawn and on real tables."""

import math

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge, RidgeCV

import freshmix as fm

from .test_estimate import table


@pytest.fixture(scope="module")
def drawn():
    X, y, beta = table(400, 200)
    return X, y, beta


def test_close_to_the_best_of_theory(drawn):
    X, y, _ = drawn
    best = fm.recommend(X, y)
    theory = fm.optimal_loop(fm.Population.isotropic(2.0), fm.Loop(aspect=0.5))
    assert best.real_weight == pytest.approx(theory.real_weight, abs=0.05)
    assert best.risk == pytest.approx(theory.risk, rel=0.3)
    assert best.verdict == "improves"
    assert best.aspect == pytest.approx(200 / 399)
    assert best.loop.real_weight == best.real_weight
    assert best.loop.penalty == best.penalty
    assert best.alpha == 400 * best.penalty
    assert best.prediction_error == best.risk + best.noise_variance
    assert best.population is not None
    assert best.warnings == ()


def test_alpha_is_that_of_scikit_learn(drawn):
    """(X'X/n + lambda)^-1 X'y/n on centred columns is Ridge(alpha = n lambda)."""
    X, y, _ = drawn
    best = fm.recommend(X, y, standardize=False)
    centred = X - X.mean(axis=0)
    ours = np.linalg.solve(centred.T @ centred / 400 + best.penalty * np.eye(200), centred.T @ (y - y.mean()) / 400)
    assert Ridge(alpha=best.alpha).fit(X, y).coef_ == pytest.approx(ours, rel=1e-8, abs=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("aspect", [0.5, 2.0])
def test_predicted_risk_is_met_by_a_real_loop(aspect):
    """The predicted prediction error against runs of the recommended loop on the table itself, over twelve tables.

    One table's estimate is off by about a tenth; the mean over tables is held to three and a half standard errors.
    """
    n, p = 400, round(400 * aspect)
    ratios = []
    for seed in range(12):
        X, y, beta = table(n, p, seed=seed)
        best = fm.recommend(X, y, standardize=False)
        rng = np.random.default_rng(100 + seed)
        centred = X - X.mean(axis=0)
        fit = np.linalg.solve(centred.T @ centred / n + best.penalty * np.eye(p), centred.T / n)
        risks = []
        for _ in range(4):
            bhat = fit @ (X @ beta + rng.standard_normal(n))
            for _ in range(15):
                real, synthetic = (X @ b + rng.standard_normal(n) for b in (beta, bhat))
                bhat = fit @ (best.real_weight * real + (1 - best.real_weight) * synthetic)
            risks.append(np.sum((bhat - beta) ** 2))
        ratios.append(best.prediction_error / (np.mean(risks) + 1))
    error = np.std(ratios, ddof=1) / np.sqrt(len(ratios))
    assert abs(np.mean(ratios) - 1) < 3.5 * error
    assert error < 0.05


def test_baselines_and_today(drawn):
    X, y, _ = drawn
    best = fm.recommend(X, y, loop=fm.Loop(real_weight=0.2))
    assert best.risk < best.baselines["today"] < math.inf
    assert best.risk < best.baselines["real_only"]
    assert best.baselines["keep_all_labels"] < best.risk
    assert best.baselines["synthetic_only"] > best.risk
    assert fm.recommend(X, y).baselines["today"] is None
    for course in best.risk_by_generation.values():
        assert course.shape == (13,)
    assert best.risk_by_generation["recommended"][-1] == pytest.approx(best.risk, rel=1e-3)
    assert best.risk_by_weight.min() == pytest.approx(best.risk, rel=1e-2)
    assert np.all(best.risk_by_weight_tuned <= best.risk_by_weight * (1 + 1e-2))


def test_a_fixed_penalty_is_kept(drawn):
    X, y, _ = drawn
    best = fm.recommend(X, y, penalty=0.3)
    assert best.penalty == 0.3
    assert best.risk >= fm.recommend(X, y).risk


def test_without_a_penalty_the_golden_ratio():
    X, y, _ = table(200, 500)
    best = fm.recommend(X, y, penalty=0)
    assert best.real_weight == pytest.approx(0.6180339887498949, abs=1e-12)
    assert best.baselines["synthetic_only"] == math.inf


def test_frozen_labels_should_not_be_mixed(drawn):
    X, y, _ = drawn
    best = fm.recommend(X, y, loop=fm.Loop(labels="frozen"))
    assert best.real_weight == 1
    assert best.verdict == "holds"
    assert best.baselines["keep_all_labels"] == pytest.approx(best.baselines["real_only"])


@pytest.mark.slow
def test_plain_predictions_need_a_horizon(drawn):
    X, y, _ = drawn
    best = fm.recommend(X, y, loop=fm.Loop(synthetic_noise_ratio=0.0))
    assert best.generations == 12
    assert any("no best weight exists" in " ".join(note.split()) for note in best.notes)
    assert 0 < best.real_weight < 1
    assert "after 12 retrainings" in best.assumption


@pytest.mark.parametrize("kernel", ["rbf", "laplacian", "polynomial", "cosine"])
def test_kernels(kernel):
    X, y = load_diabetes(return_X_y=True)
    best = fm.recommend(X, y, kernel=kernel)
    assert best.population is None
    assert best.aspect is None
    assert 0 < best.risk < np.var(y)
    assert 0 < best.real_weight <= 1


def test_linear_kernel_on_a_precomputed_scale():
    """Features times a constant: risk and weight unchanged, penalty times its square."""
    X, y, _ = table(300, 100)
    one, two = (fm.recommend(c * X, y, standardize=False) for c in (1.0, 100.0))
    assert two.real_weight == pytest.approx(one.real_weight, abs=1e-4)
    assert two.risk == pytest.approx(one.risk, rel=1e-4)
    assert two.penalty == pytest.approx(1e4 * one.penalty, rel=1e-3)
    scaled = fm.recommend(X, 50 * y)
    assert scaled.risk == pytest.approx(2500 * fm.recommend(X, y).risk, rel=1e-3)


def test_real_table():
    X, y = load_diabetes(return_X_y=True)
    best = fm.recommend(X, y)
    # The residual variance of least squares, 2932, is the reference here (n = 442, p = 10).
    low, high = best.intervals["noise_variance"]
    assert low < 2932 < high
    assert best.verdict == "improves"


def test_warnings_on_thin_ice():
    X, y, _ = table(30, 10)
    assert any("30 rows" in w for w in fm.recommend(X, y).warnings)
    X, y, _ = table(100, 104)
    assert any("close to 1" in w for w in fm.recommend(X, y, penalty=0).warnings)
    X, y, _ = table(200, 40)
    assert any("collinear" in w for w in fm.recommend(np.hstack([X, X[:, :3]]), y).warnings)
    X, y, _ = table(60, 600)
    assert any("identifiable" in w for w in fm.recommend(X, y).warnings)


def test_constant_columns_are_left_out():
    X, y, _ = table(100, 10)
    best = fm.recommend(np.column_stack([X, np.full(100, 3.3)]), y)
    assert best.features == 10
    assert any("constant" in note for note in best.notes)
    with pytest.raises(ValueError, match="constant"):
        fm.recommend(np.ones((20, 2)), np.arange(20.0))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"penalty": -1.0}, "penalty"),
        ({"penalty": "none"}, "penalty"),
        ({"penalty": math.nan}, "penalty"),
        ({"kernel": "gauss"}, "kernel"),
        ({"generations": 0}, "generations must be a whole number of at least 1 or inf, got 0"),
        ({"generations": 501}, "generations must be at most 500, or inf for the long run, got 501"),
        ({"seed": -1}, "seed"),
        ({"loop": 0.5}, "loop"),
        ({"loop": fm.Loop(covariates="fresh"), "kernel": "rbf"}, "kernel must be linear"),
        ({"time": [1, 2]}, "time must hold one value"),
        ({"loop": fm.Loop(), "time": [1, 2]}, "covariates='fresh'"),
        ({"time": "month"}, "no column names"),
        ({"rows_per_generation": 1}, "rows_per_generation"),
        ({"generations": 0.5}, "generations"),
        ({"loop": fm.Loop(schedule=[0.5])}, "schedule"),
        ({"loop": fm.Loop(aspect=2.0)}, "aspect"),
        ({"penalty": np.array([1.0, 2.0])}, "penalty must be auto or a number"),
        ({"generations": np.array([1, 2])}, "generations must be a whole number"),
        ({"kernel": np.array(["rbf", "linear"])}, "kernel must be one of"),
        ({"standardize": "no"}, "standardize must be True or False"),
        ({"schedule": 1}, "schedule must be True or False"),
    ],
)
def test_bad_options(drawn, options, match):
    X, y, _ = drawn
    with pytest.raises((TypeError, ValueError), match=match) as caught:
        fm.recommend(X, y, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("p", [99, 100])
def test_the_interpolation_threshold_is_refused(p):
    X, y, _ = table(100, p)
    with pytest.raises(ValueError, match="interpolation threshold"):
        fm.recommend(X, y, penalty=0)
    assert np.isfinite(fm.recommend(X, y).risk)


def test_an_indefinite_kernel_is_refused():
    rng = np.random.default_rng(0)
    X = 3 * rng.standard_normal((60, 5))
    with pytest.raises(ValueError, match="positive semi-definite"):
        fm.recommend(X, X[:, 0], kernel="sigmoid")
    with pytest.raises(ValueError, match="kernel 'chi2'"):
        fm.recommend(X, X[:, 0], kernel="chi2")


def test_extreme_scales():
    X, y, _ = table(120, 20)
    base = fm.recommend(X, y)
    for scale in (1e-12, 1e12):
        found = fm.recommend(X * scale, y)
        assert found.risk == pytest.approx(base.risk, rel=1e-6)
    for scale in (1e-12, 1e12):
        found = fm.recommend(X, y * scale)
        assert found.risk == pytest.approx(base.risk * scale**2, rel=1e-3)


def test_same_seed_same_answer(drawn):
    X, y, _ = drawn
    one, two, other = (fm.recommend(X, y, seed=seed) for seed in (1, 1, 2))
    assert one.intervals == two.intervals
    assert one.risk == two.risk
    assert one.intervals != other.intervals


@pytest.mark.parametrize("entries", [1e-3, 1e-5])
def test_nearly_collinear_columns_have_a_penalty(entries):
    """Spectra of a few substances: leave-one-out's penalty, not 0, and the risk that the rows show for it."""
    rng = np.random.default_rng(3)
    at = np.linspace(0, 1, 100)
    shapes = np.exp(-0.5 * ((at - rng.uniform(0, 1, (6, 1))) / rng.uniform(0.1, 0.4, (6, 1))) ** 2)
    amounts = rng.standard_normal((300, 6))
    spectra = 2 + amounts @ shapes + entries * rng.standard_normal((300, 100))
    truth = amounts @ rng.standard_normal(6)
    X, y = spectra[:150], truth[:150] + 0.3 * rng.standard_normal(150)
    found = fm.recommend(X, y)
    scaled = (spectra - X.mean(axis=0)) / X.std(axis=0)
    chosen = RidgeCV(np.geomspace(1e-9, 1e3, 73)).fit(scaled[:150], y)
    assert 0.2 < found.alpha / found.real_weight / chosen.alpha_ < 5
    # The loop's mean is ridge at lambda/w; its variance comes on top.
    mean = Ridge(found.alpha / found.real_weight).fit(scaled[:150], truth[:150]).predict(scaled[150:])
    assert np.mean((mean - truth[150:]) ** 2) < found.risk < 0.1 * 0.3**2 * 100 / 50


def test_a_table_of_noise_says_so_first():
    rng = np.random.default_rng(3)
    found = fm.recommend(rng.standard_normal((80, 4)), rng.standard_normal(80))
    assert str(found).startswith("No signal beyond chance: predicting the mean may do as well")
