"""Kernels given as matrices or functions, sample weights, two-valued targets, and tables that the theory does not expect."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import rbf_kernel

import freshmix as fm
from freshmix.estimation import factorise, factorise_gram
from freshmix.prepared.features import checked_weights
from freshmix.prepared.suspects import table_warnings
from freshmix.tables import Table, read_table

from .test_cli import failure, invoke


def drawn(rows=200, features=20, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, features))
    return X, X @ rng.standard_normal(features) / 4 + rng.standard_normal(rows)


def same(one, two):
    assert (one.real_weight, one.penalty, one.risk, one.noise_variance, one.alpha) == (
        two.real_weight,
        two.penalty,
        two.risk,
        two.noise_variance,
        two.alpha,
    )


# Kernels


def test_a_precomputed_kernel_is_the_kernel():
    X, y = drawn()
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    expected = fm.recommend(X, y, kernel="rbf")
    for found in (
        fm.recommend(rbf_kernel(scaled), y, kernel="precomputed"),
        fm.recommend(X, y, kernel=rbf_kernel),
    ):
        assert found.risk == pytest.approx(expected.risk, rel=1e-9)
        assert found.population is None


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda K: K[:, :5], r"\(n, n\) kernel matrix.*got shape \(200, 5\)"),
        (lambda K: K + np.triu(K, 1), "symmetric"),
        (lambda K: -K, "positive semi-definite"),
    ],
)
def test_bad_kernel_matrices(change, match):
    X, y = drawn()
    with pytest.raises(ValueError, match=match):
        fm.recommend(change(rbf_kernel(X)), y, kernel="precomputed")


def test_bad_kernel_functions():
    X, y = drawn()
    with pytest.raises(ValueError, match=r"kernel must return the finite \(200, 200\) matrix"):
        fm.recommend(X, y, kernel=lambda a, b: np.ones(3))
    with pytest.raises(ValueError, match="kernel must be one of"):
        fm.recommend(X, y, kernel="magic")


# Sample weights


def test_unit_weights_change_nothing():
    X, y = drawn()
    for weight in (1.0, 7.5):
        same(fm.recommend(X, y, sample_weight=np.full(200, weight)), fm.recommend(X, y))


@pytest.mark.parametrize("standardize", [False, True])
def test_weights_of_zero_leave_rows_out(standardize):
    """Whatever is in them: outliers, and labels that are missing."""
    X, y = drawn()
    weights = np.ones(200)
    weights[::4] = 0
    expected = fm.recommend(X[weights > 0], y[weights > 0], standardize=standardize)
    X[::4], y[::8] = 1e6, np.nan
    found = fm.recommend(X, y, sample_weight=weights, standardize=standardize)
    same(found, expected)
    assert found.warnings == expected.warnings
    assert "50 of 200 rows of weight 0 left out" in found.notes
    read = Table(X, y, ("a",) * X.shape[1], (), None, weights)
    assert (read.partly, read.share) == (False, 1.0)


@pytest.mark.parametrize("features", [30, 150])
def test_the_weighted_factorisation_is_that_of_a_weighted_fit(features):
    """Fitted values of weighted ridge with an intercept, written out, from eigenvalues and responses alone."""
    rng = np.random.default_rng(1)
    X, y = drawn(100, features)
    weights = checked_weights(rng.uniform(0.2, 3, 100), y).precision
    assert weights.mean() == pytest.approx(1)
    penalty = 0.3
    model = Ridge(alpha=100 * penalty).fit(X, y, sample_weight=weights)
    residual = np.sum(weights * (y - model.predict(X)) ** 2)
    energy = np.sum(weights * (y - np.average(y, weights=weights)) ** 2)
    f = factorise(X, y, weights)
    shrunk = f.responses * penalty / (f.eigenvalues + penalty)
    assert shrunk @ shrunk + f.zero_energy == pytest.approx(residual, rel=1e-9)
    assert f.responses @ f.responses + f.zero_energy == pytest.approx(energy, rel=1e-9)
    gram = factorise_gram(X @ X.T, y, weights)
    np.testing.assert_allclose(gram.eigenvalues[: f.eigenvalues.size], f.eigenvalues, rtol=1e-8)
    np.testing.assert_allclose(np.abs(gram.responses[: f.eigenvalues.size]), np.abs(f.responses), atol=1e-7)


@pytest.mark.slow
def test_weights_bring_a_better_risk_where_noise_differs():
    """Half of the rows are ten times as noisy: the recommended fits with and without weights, judged on the truth."""
    risks = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((150, 50))
        beta = rng.standard_normal(50) / 5
        variance = np.where(np.arange(150) % 2, 10.0, 0.2)
        y = X @ beta + np.sqrt(variance) * rng.standard_normal(150)
        pair = []
        for weights in (None, 1 / variance):
            found = fm.recommend(X, y, sample_weight=weights, standardize=False, seed=seed)
            used = None if weights is None else weights / weights.mean()
            pair.append(np.sum((Ridge(alpha=found.alpha).fit(X, y, sample_weight=used).coef_ - beta) ** 2))
        risks.append(pair)
    plain, weighted = np.array(risks).T
    gain = plain - weighted
    assert gain.mean() > 3 * gain.std(ddof=1) / np.sqrt(gain.size)


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        (-np.ones(200), "sample_weight must hold finite numbers of at least 0"),
        (np.full(200, np.nan), "sample_weight must hold finite"),
        (np.ones(3), "one weight for each of the 200 rows, got 3"),
        (np.zeros(200), "3 labelled rows of different labels, got 0"),
        (["a"] * 200, "sample_weight must be a one-dimensional array of numbers"),
    ],
)
def test_bad_weights(weights, match):
    X, y = drawn()
    with pytest.raises((ValueError, TypeError), match=match):
        fm.recommend(X, y, sample_weight=weights)


def test_a_column_of_weights(tmp_path, capsys):
    X, y = drawn(80, 3)
    weights = np.random.default_rng(0).uniform(0.5, 2, 80)
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "w": weights, "y": y})
    frame.write_csv(tmp_path / "t.csv")
    read = read_table(tmp_path / "t.csv", "y", sample_weight="w")
    assert read.features == ("a", "b", "c")
    np.testing.assert_array_equal(read.weight, weights)
    shown = invoke("recommend", tmp_path / "t.csv", "--target", "y", "--weight", "w", "--json")
    assert f'"risk": {fm.recommend(X, y, sample_weight=weights).risk!r}' in shown
    assert "no column 'v'" in failure(capsys, "recommend", tmp_path / "t.csv", "--target", "y", "--weight", "v")
    assert "must not name the target" in failure(capsys, "recommend", tmp_path / "t.csv", "--target", "y", "--weight", "y")
    frame.with_columns(w=-pl.col("w")).write_csv(tmp_path / "t.csv")
    assert "at least 0" in failure(capsys, "recommend", tmp_path / "t.csv", "--target", "y", "--weight", "w")
    frame.with_columns(w=pl.lit("much")).write_csv(tmp_path / "t.csv")
    assert "must be numeric" in failure(capsys, "recommend", tmp_path / "t.csv", "--target", "y", "--weight", "w")


# Two-valued targets


@pytest.mark.parametrize("kind", [bool, int, float])
def test_two_values_are_regressed_on_with_a_warning(kind):
    X, y = load_breast_cancer(return_X_y=True)
    found = fm.recommend(X, y.astype(kind))
    (said,) = (text for text in found.warnings if "two values" in text)
    assert "two values, 0 and 1: this is classification by regression" in said
    assert "Brier score" in said
    # The prediction error is a squared error of labels that are 0 and 1.
    assert 0 < found.prediction_error < y.var()


def test_other_two_values_and_words(tmp_path):
    X, y = drawn(60, 2)
    (said,) = (text for text in fm.recommend(X, np.where(y > 0, 5.0, -5.0)).warnings if "two values" in text)
    assert "two values, -5 and 5" in said
    assert "Brier" not in said
    path = tmp_path / "t.csv"
    pl.DataFrame({"a": X[:, 0], "y": np.where(y > 0, "yes", "no")}).write_csv(path)
    table = read_table(path, "y")
    np.testing.assert_array_equal(table.y, y > 0)
    assert "target y: 'no' is 0, 'yes' is 1" in table.notes
    with pytest.raises(TypeError, match="y must hold real numbers"):
        fm.recommend(X, np.where(y > 0, "yes", "no"))


# Tables that the theory does not expect


def warned(X, y, *words, names=None):
    said = table_warnings(np.asarray(X, dtype=float), np.asarray(y, dtype=float), names, "linear")
    assert len(said) == len(words), said
    for text, word in zip(said, words, strict=True):
        assert word in text


def test_a_clean_table_has_no_warnings():
    warned(*drawn())


def test_duplicated_rows_are_counted():
    X, y = drawn()
    warned(np.vstack([X, X[:3]]), np.concatenate([y, y[:3]]), "3 of 203 rows repeat another row")
    warned(np.vstack([X, X[:3]]), np.concatenate([y, y[:3] + 1]))


def test_duplicated_columns_are_named():
    X, y = drawn()
    warned(np.column_stack([X, X[:, 2]]), y, "1 column is a copy of others: column 2 = column 20")
    names = [f"x{i}" for i in range(22)]
    warned(np.column_stack([X, X[:, [2, 5]]]), y, "2 columns are copies of others: x2 = x20, x5 = x21", names=names)


@pytest.mark.parametrize("ids", [np.arange(200), 1000 - np.arange(200), np.cumsum(np.arange(200) + 1)])
def test_a_column_of_ids(ids):
    X, y = drawn()
    warned(np.column_stack([X, ids]), y, "column 20 looks like a row number")
    warned(np.column_stack([X, ids + 0.5]), y)
    shuffled = np.column_stack([X, np.random.default_rng(0).permutation(ids)])
    # Numbers with wide gaps may measure something.
    warned(shuffled, y, *(["column 20 looks like a row number"] if np.ptp(ids) < 400 else []))


def test_outliers_of_target_and_features():
    X, y = drawn()
    y[7] = 1e6
    warned(X, y, "one label, 1e+06, makes up 100% of the target's variance")
    X, y = drawn()
    X[3, 4] = 1e6
    warned(X, y, "in column 4 one row makes up most of the variance")


def test_columns_of_single_rows_are_said_first_where_they_are_many():
    X, y = drawn()
    rare = np.eye(len(X))[:, :3]
    few, many = (fm.recommend(np.hstack([X, rare[:, :count]]), y) for count in (1, 3))
    assert not any("of any size" in each for each in few.warnings)
    assert any(f"; 3 of {X.shape[1] + 3} columns are like that" in each for each in many.warnings)
    assert "Not told by this table" in str(many)[:40]
    assert "Not told by this table" not in str(few)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_extreme_scales_change_nothing_but_units(scale):
    X, y = drawn()
    expected = fm.recommend(X, y)
    found = fm.recommend(X * scale, y)
    assert found.risk == pytest.approx(expected.risk, rel=1e-6)
    found = fm.recommend(X + 1e6, y * scale)
    assert found.risk == pytest.approx(expected.risk * scale**2, rel=1e-3)
    mixed = X * np.geomspace(1e-12, 1e12, 20)
    assert fm.recommend(mixed, y).risk == pytest.approx(expected.risk, rel=1e-6)


def test_five_rows():
    X, y = drawn(5, 2)
    found = fm.recommend(X, y)
    assert any("only 5 rows" in text for text in found.warnings)
    assert np.isfinite(found.risk)


def test_one_hot_explosion(tmp_path, capsys):
    """Many categories of one row each: refused by name beyond 20, warned of below."""
    rng = np.random.default_rng(0)
    rows = [f"{chr(97 + i % 18)},{rng.standard_normal()}" for i in range(40)]
    path = tmp_path / "t.csv"
    path.write_text("kind,y\n" + "\n".join([*rows, "rare,1.5"]) + "\n")
    found = fm.recommend(read_table(path, "y"))
    assert found.features == 19
    assert any("in kind=rare one row makes up most of the variance" in text for text in found.warnings)
    path.write_text("kind,y\n" + "\n".join(f"k{i},{i * i}" for i in range(60)) + "\n")
    assert "kind (60 values" in failure(capsys, "recommend", path, "--target", "y")


@st.composite
def tables(draw):
    """Small CSV files of every kind of cell, most of them not usable."""
    rows = draw(st.integers(1, 30))
    columns = draw(st.integers(1, 4))
    tame = st.one_of(st.floats(-10, 10), st.integers(-3, 3))
    wild = st.one_of(tame, st.sampled_from([0.0, 1e-12, 1e12, -1e6, 1e300, 1e-300, float("inf"), float("nan")]))
    word = st.sampled_from(["", "a", "b", "true", "2020-01-01", '"x,y"', "1e"])
    kinds = (
        tame.map(repr),
        tame.map(repr),
        tame.map(repr),
        wild.map(repr),
        st.sampled_from("abc"),
        st.one_of(wild.map(repr), word),
    )
    chosen = [draw(st.sampled_from(range(len(kinds)))) for _ in range(columns + 1)]
    lines = [",".join(draw(kinds[kind]) for kind in chosen) for _ in range(rows)]
    copies = draw(st.integers(0, 3))
    return ",".join([*(f"x{i}" for i in range(columns)), "y"]) + "\n" + "\n".join(lines + lines[:1] * copies) + "\n"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(text=tables(), drop_missing=st.booleans())
def test_any_csv_gives_an_answer_or_one_line(tmp_path_factory, text, drop_missing):
    """Whatever is in the file: finite numbers and a verdict, or one line that says why not."""
    path = tmp_path_factory.mktemp("fuzz") / "t.csv"
    path.write_text(text)
    try:
        table = read_table(path, "y", drop_missing=drop_missing)
        if np.isnan(table.y).any():
            # New rows take seconds each; what reads and prepares them is the same.
            table_warnings(table.X, table.y, table.features, "linear")
            return
        found = fm.recommend(table)
    except (ValueError, TypeError) as problem:
        said = str(problem)
    else:
        said, numbers = "", [found.risk, found.penalty, found.prediction_error, found.noise_variance]
        assert 0 <= found.real_weight <= 1
        assert min(numbers) >= 0
        assert not np.isnan(numbers).any()
        assert found.verdict in ("diverges", "collapses", "degrades", "holds", "improves", "exact")
    assert "\n" not in said


def test_weights_of_pandas():
    X, y = drawn(60, 3)
    weights = np.random.default_rng(0).uniform(0.5, 2, 60)
    same(fm.recommend(X, y, sample_weight=pd.Series(weights)), fm.recommend(X, y, sample_weight=weights))


def test_whole_numbers_that_may_name_classes():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 3))
    digits = rng.integers(0, 10, 200).astype(float)
    assert any("10 values, whole numbers from 0 to 9" in each for each in table_warnings(X, digits, None, "linear"))
    for other in (digits + 0.5, rng.permutation(200.0 * np.arange(200)), X[:, 0]):
        assert not any("name classes" in each for each in table_warnings(X, other, None, "linear"))
