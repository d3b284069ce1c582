"""MixedRidge and MixedKernelRidge: scikit-learn's contract, the closed recursions of the loop, and what a saved model does."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import freshmix as fm

SHAPES = {"p < n": (60, 8), "p > n": (20, 45)}


def stream(shape, steps=4, seed=0, outputs=(), unlabelled=0.5):
    n, p = SHAPES[shape]
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((steps, n, p)) * rng.uniform(0.5, 2, p) + 1
    y = X @ rng.standard_normal((p, *outputs)) / 3 + rng.standard_normal((steps, n, *outputs)) + 2
    for t in range(1, steps):
        y[t, rng.random(n) < unlabelled] = np.nan
    return X, y


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize(
    "model",
    [
        fm.MixedRidge(),
        fm.MixedKernelRidge(),
        fm.MixedRidge(alpha=0.0),
        fm.MixedRidge(anchor=0.5, fit_intercept=False),
        fm.MixedRidge(kept_generations=None, forgetting=0.9),
        fm.MixedKernelRidge(alpha=0.1, kernel="rbf", anchor=0.5, kept_generations=2),
    ],
    ids=repr,
)
def test_the_contract_of_scikit_learn(model):
    checks = check_estimator(model, on_fail=None)
    assert [each["check_name"] for each in checks if each["status"] not in ("passed", "skipped")] == []


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("anchor", [0.0, 0.7])
def test_generations_are_ridge_on_mixed_labels(shape, alpha, anchor):
    """The plain road: predictions, a mix, scikit-learn's Ridge on what the anchor leaves."""
    X, y = stream(shape)
    model = fm.MixedRidge(alpha, real_weight=0.6, row_weight=0.5, anchor=anchor)
    coef, intercept = np.zeros(X.shape[2]), 0.0
    for t, (rows, labels) in enumerate(zip(X, y, strict=True)):
        model.partial_fit(rows, labels)
        real, weights = np.isfinite(labels), np.ones(len(labels))
        if t > 0:
            guess = rows @ coef + intercept
            labels, weights = np.where(real, 0.6 * labels + 0.4 * guess, guess), np.where(real, 1.0, 0.5)
        towards = anchor * coef if t else 0 * coef
        plain = Ridge(alpha, solver="svd") if alpha else LinearRegression()
        plain.fit(rows, labels - rows @ towards, sample_weight=weights)
        coef, intercept = plain.coef_ + towards, plain.intercept_
        np.testing.assert_allclose(model.coef_, coef, rtol=0, atol=1e-10)
        np.testing.assert_allclose(model.intercept_, intercept, rtol=0, atol=1e-10)
    assert model.generation_ == len(X) - 1


@pytest.mark.parametrize(("n", "p"), [(60, 20), (20, 45)])
@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_filters_of_the_same_rows(n, p, alpha):
    """Frozen covariates and labels: coefficients are V f_t(d) U'y, with the kept filter of mathematics.md section 4."""
    rng = np.random.default_rng(1)
    X, w, anchor = rng.standard_normal((n, p)), 0.4, 0.3
    y = rng.standard_normal(n)
    U, d, Vt = np.linalg.svd(X, full_matrices=False)
    model = fm.MixedRidge(alpha, real_weight=w, anchor=anchor, fit_intercept=False).fit(X, y)
    kept = d / (d**2 + alpha)
    shrinkage = d * kept
    first = kept
    for _ in range(5):
        np.testing.assert_allclose(model.coef_, Vt.T @ (kept * (U.T @ y)), rtol=0, atol=1e-10)
        kept = w * first + (anchor * (1 - shrinkage) + (1 - w) * shrinkage) * kept
        model.partial_fit(X, y)


@pytest.mark.parametrize("kept", [1, 2, None])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_moments_are_a_fit_on_all_rows(kept, alpha):
    X, y = stream("p < n", steps=5, outputs=(2,))
    rng = np.random.default_rng(3)
    counts = rng.uniform(0.5, 2, y.shape[:2])
    model = fm.MixedRidge(alpha, real_weight=1.0, row_weight=0.0, kept_generations=kept, forgetting=0.8)
    for t in range(len(X)):
        model.partial_fit(X[t], y[t], sample_weight=counts[t])
        ages = range(t + 1 if kept is None else min(t, kept) + 1)
        rows, labels = np.vstack([X[t - age] for age in ages]), np.vstack([y[t - age] for age in ages])
        weights = np.concatenate([0.8**age * counts[t - age] for age in ages])
        real = np.isfinite(labels[:, 0])
        plain = Ridge(alpha, solver="svd") if alpha else LinearRegression()
        plain.fit(rows[real], labels[real], sample_weight=weights[real])
        np.testing.assert_allclose(model.coef_, plain.coef_, rtol=0, atol=1e-10)
        np.testing.assert_allclose(model.intercept_, plain.intercept_, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("anchor", [0.0, 0.5])
def test_kernels_are_kernel_ridge_on_mixed_labels(kernel, anchor):
    X, y = stream("p < n", outputs=(2,))
    model = fm.MixedKernelRidge(2.0, kernel=kernel, gamma=None if kernel == "linear" else 0.05, real_weight=0.6, anchor=anchor)
    models = []

    def before(rows):
        found = np.zeros((len(rows), 2))
        for plain in models:
            found = anchor * found + plain.predict(rows)
        return found

    for t in range(len(X)):
        model.partial_fit(X[t], y[t])
        real, guess = np.isfinite(y[t]), before(X[t])
        labels = np.where(real, 0.6 * y[t] + 0.4 * guess, guess) if t else y[t]
        plain = KernelRidge(alpha=2.0, kernel=kernel, gamma=0.05).fit(X[t], labels - anchor * guess)
        models = [*models, plain] if anchor else [plain]
        np.testing.assert_allclose(model.predict(X[0]), before(X[0]), rtol=0, atol=1e-9)


def test_kernels_keep_rows():
    X, y = stream("p < n")
    model = fm.MixedKernelRidge(2.0, real_weight=1.0, row_weight=0.0, kept_generations=1, forgetting=0.5)
    for t in range(3):
        model.partial_fit(X[t], y[t])
    rows, labels, weights = np.vstack([X[2], X[1]]), np.concatenate([y[2], y[1]]), np.repeat([1, 0.5], 60)
    real = np.isfinite(labels)
    plain = KernelRidge(alpha=2.0).fit(rows[real], labels[real], sample_weight=weights[real])
    np.testing.assert_allclose(model.predict(X[0]), plain.predict(X[0]), atol=1e-9)


def test_sampled_labels_have_the_noise_of_real_ones():
    X, y = stream("p < n", steps=2, unlabelled=1.0)
    quiet, noisy = (fm.MixedRidge(synthetic_noise=noise, random_state=0) for noise in ("none", "sampled"))
    for model in (quiet, noisy):
        model.fit(X[0], y[0])
        before = model.coef_
        model.partial_fit(X[1], y[1])
    assert 0.6 < noisy.noise_variance_ < 1.6
    # What one draw of the noise does to coefficients, from the same generator.
    noise = np.sqrt(noisy.noise_variance_) * np.random.default_rng(0).standard_normal((60, 1))[:, 0]
    synthetic = X[1] @ before + quiet.intercept_ * 0
    moved = Ridge(1.0).fit(X[1], synthetic + noise).coef_ - Ridge(1.0).fit(X[1], synthetic).coef_
    np.testing.assert_allclose(noisy.coef_ - quiet.coef_, moved, atol=1e-9)


@pytest.mark.slow
def test_settings_are_those_recommended():
    X, y = stream("p < n", steps=3)
    model = fm.MixedRidge("auto", real_weight="auto", row_weight="auto").fit(X[0], y[0])
    model.partial_fit(X[1], y[1]).partial_fit(X[2], y[2])
    best = fm.recommend(np.vstack(X[:2]), np.concatenate(y[:2]), time=np.repeat([0, 1], 60), standardize=False)
    assert (model.real_weight_, model.row_weight_) == (best.real_weight, best.row_weight)
    # The penalty is per row, whatever rows count in the loss.
    assert best.row_weight != 1
    assert model.alpha_ == pytest.approx(best.alpha, rel=1e-12)
    errors = [(entry["error_before"], entry["predicted_error"]) for entry in model.history_]
    assert errors[0] == (None, None)
    assert all(0.3 < seen / expected < 3 for seen, expected in errors[2:])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "labelled"),
    [
        ({"real_weight": 0.6}, 1.0),
        ({"real_weight": 0.5, "row_weight": 0.3, "synthetic_noise": 0.5, "random_state": 0}, 0.4),
        ({"real_weight": 0.7, "anchor": 0.6, "alpha": 60.0}, 0.5),
        ({"real_weight": 1.0, "kept_generations": None, "forgetting": 0.8, "row_weight": 0.0}, 0.3),
        ({"real_weight": 1.0, "kept_generations": 2, "forgetting": 0.5, "alpha": 40.0}, 1.0),
        ({"real_weight": 0.5, "synthetic_noise": "sampled", "fit_intercept": False, "random_state": 1}, 1.0),
    ],
)
def test_history_expects_what_is_seen(settings, labelled):
    """Settings given as numbers, generations of several sizes: what is predicted is what comes, over many streams."""
    gaps = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        model, beta = fm.MixedRidge(**{"alpha": 20.0} | settings), rng.standard_normal(30) / np.sqrt(30)
        for rows in (120, 80, 150, 100, 100):
            X = rng.standard_normal((rows, 30))
            y = X @ beta + rng.standard_normal(rows)
            model.partial_fit(X, np.where(np.arange(rows) < (labelled if hasattr(model, "alpha_") else 1.0) * rows, y, np.nan))
        history = model.history_
        gaps.append([entry["error_before"] - entry["predicted_error"] for entry in history[1:]])
        assert history[0]["predicted_error"] is None
    z = np.mean(gaps, axis=0) / (np.std(gaps, axis=0, ddof=1) / np.sqrt(len(gaps)))
    assert np.abs(z).max() < 4


def test_history_has_no_expectation_where_theory_has_none():
    X, y = stream("p < n", steps=3)
    y = np.nan_to_num(y)

    def expected(model, X=X, y=y, **options):
        for rows, labels in zip(X, y, strict=True):
            model.partial_fit(rows, labels, **options)
        return [entry["predicted_error"] for entry in model.history_]

    assert expected(fm.MixedRidge())[1] is not None
    assert expected(fm.MixedRidge(real_weight=1.3)) == [None] * 3
    assert expected(fm.MixedKernelRidge()) == [None] * 3
    assert expected(fm.MixedRidge(), y=np.stack([y, y], axis=2)) == [None] * 3
    assert expected(fm.MixedRidge(), sample_weight=np.arange(1.0, len(X[0]) + 1)) == [None] * 3
    assert expected(fm.MixedRidge(kept_generations=2, real_weight=0.5)) == [None] * 3
    assert expected(fm.MixedRidge(), X=[X[0], X[0], X[1]]) == [None] * 3


def test_outputs_have_noise_of_their_own():
    X, y = stream("p < n", steps=2)
    y = np.nan_to_num(y)
    both = np.stack([y, 3 * y[:, ::-1]], axis=2)
    model = fm.MixedRidge(synthetic_noise="sampled", random_state=0).fit(X[0], both[0])
    alone = [fm.MixedRidge(synthetic_noise="sampled").fit(X[0], both[0][:, k]).noise_variance_ for k in (0, 1)]
    np.testing.assert_array_equal(model.noise_variance_, alone)
    before = model.predict(X[1])
    model.partial_fit(X[1], both[1])
    noise = np.sqrt(alone) * np.random.default_rng(0).standard_normal((len(X[1]), 2))
    w = model.real_weight_
    again = Ridge(1.0).fit(X[1], w * both[1] + (1 - w) * (before + noise))
    np.testing.assert_allclose(model.coef_, again.coef_, atol=1e-9)


@pytest.mark.slow
def test_the_same_rows_are_seen_to_come_back():
    X, y = stream("p < n", steps=1)
    model = fm.MixedRidge("auto", real_weight="auto", synthetic_noise="sampled", random_state=0).fit(X[0], y[0])
    model.partial_fit(X[0], y[0])
    best = fm.recommend(X[0], y[0], standardize=False)
    assert model.real_weight_ == best.real_weight
    assert model.history_[1]["error_before"] is None


KEEPING = {"synthetic_noise": 0.5, "random_state": 3}


@pytest.mark.parametrize(
    "model",
    [
        fm.MixedRidge(kept_generations=2, **KEEPING),
        fm.MixedKernelRidge(0.5, kernel="rbf", anchor=0.3, kept_generations=None, **KEEPING),
    ],
    ids=["ridge", "kernel"],
)
@pytest.mark.parametrize("road", ["file", "pickle"])
def test_a_saved_model_goes_on(model, road, tmp_path):
    X, y = stream("p < n")
    frames = [pd.DataFrame(rows, columns=[f"x{j}" for j in range(8)]) for rows in X]
    model = clone(model)
    straight = clone(model)
    for rows, labels in zip(frames[:2], y[:2], strict=True):
        model.partial_fit(rows, labels)
    if road == "file":
        model.save(tmp_path / "model.npz")
        model = type(model).load(tmp_path / "model.npz")
    else:
        model = pickle.loads(pickle.dumps(model))
    for rows, labels in zip(frames[2:], y[2:], strict=True):
        model.partial_fit(rows, labels)
    for rows, labels in zip(frames, y, strict=True):
        straight.partial_fit(rows, labels)
    assert np.array_equal(model.predict(frames[0]), straight.predict(frames[0]))
    assert model.history_ == straight.history_
    assert model.get_params() == straight.get_params()
    with pytest.raises(ValueError, match=r"(?s)unseen at fit time:\n- new.*missing:\n- x7"):
        model.partial_fit(frames[2].rename(columns={"x7": "new"}), y[2])


def test_frames_and_pipelines():
    X, y = stream("p < n")
    frame = pl.DataFrame(X[0], schema=[f"x{j}" for j in range(8)])
    model = fm.MixedRidge().fit(frame, pl.Series(y[0]))
    assert list(model.feature_names_in_) == frame.columns
    assert np.array_equal(model.predict(frame), fm.MixedRidge().fit(X[0], y[0]).predict(X[0]))
    assert make_pipeline(StandardScaler(), fm.MixedRidge()).fit(X[0], y[0]).score(X[0], y[0]) > 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": -1.0}, "alpha must be auto or a number of at least 0"),
        ({"real_weight": "best"}, "real_weight must be auto or"),
        ({"row_weight": -1}, "row_weight must be"),
        ({"anchor": 2}, "anchor must be"),
        ({"kept_generations": 1.5}, "kept_generations must be"),
        ({"forgetting": 0}, "forgetting must be"),
        ({"synthetic_noise": "loud"}, "synthetic_noise must be one of none, sampled"),
        ({"alpha": "auto", "anchor": 0.5}, "without anchor"),
        ({"random_state": "seed"}, "random_state must be"),
    ],
)
def test_wrong_settings(settings, message):
    X, y = stream("p < n", steps=1)
    with pytest.raises((TypeError, ValueError), match=message):
        fm.MixedRidge(**settings).fit(X[0], y[0])


def test_wrong_data(tmp_path):
    X, y = stream("p < n")
    with pytest.raises(ValueError, match="y must hold a real label"):
        fm.MixedRidge().fit(X[0], np.full(60, np.nan))
    with pytest.raises(ValueError, match="all outputs of a row or none"):
        fm.MixedRidge().fit(X[0][:2], [[1.0, np.nan], [1.0, 2.0]])
    with pytest.raises(ValueError, match="1 outputs as in fit, got 2"):
        fm.MixedRidge().fit(X[0], y[0]).partial_fit(X[1], np.ones((60, 2)))
    with pytest.raises(ValueError, match="row that counts"):
        fm.MixedRidge(row_weight=0.0).fit(X[0], y[0]).partial_fit(X[1], np.full(60, np.nan))
    with pytest.raises(TypeError, match="cannot be saved"):
        fm.MixedKernelRidge(kernel=np.dot).fit(X[0], y[0]).save(tmp_path / "model.npz")
    for content in (b"", b"PK\x03\x04", b"text"):
        (tmp_path / "other.npz").write_bytes(content)
        with pytest.raises(ValueError, match=r"MixedRidge\.save wrote"):
            fm.MixedRidge.load(tmp_path / "other.npz")
    np.savez(tmp_path / "arrays.npz", json=np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"MixedRidge\.save wrote"):
        fm.MixedRidge.load(tmp_path / "arrays.npz")
    fm.MixedKernelRidge().fit(X[0], y[0]).save(tmp_path / "kernel.npz")
    with pytest.raises(ValueError, match="of a MixedKernelRidge"):
        fm.MixedRidge.load(tmp_path / "kernel.npz")


@pytest.mark.parametrize("state", [np.random.RandomState, np.random.default_rng])
def test_a_saved_model_keeps_its_generator(state, tmp_path):
    X, y = stream("p < n", steps=2)
    model = fm.MixedRidge(synthetic_noise=0.5, random_state=state(3)).fit(X[0], y[0])
    model.save(tmp_path / "model.npz")
    loaded = fm.MixedRidge.load(tmp_path / "model.npz")
    assert np.array_equal(loaded.partial_fit(X[1], y[1]).coef_, model.partial_fit(X[1], y[1]).coef_)
    assert np.array_equal(
        clone(loaded).fit(X[0], y[0]).partial_fit(X[1], y[1]).coef_, clone(model).fit(X[0], y[0]).partial_fit(X[1], y[1]).coef_
    )
