"""Labels that the features determine, to rounding, and columns that only number the rows: told, and nothing judged by dust."""

import numpy as np
import polars as pl
import pytest

import freshmix as fm
from freshmix.estimation.factorise import factorise, factorise_products
from freshmix.prepared.features import scaled_features
from freshmix.prepared.moments import moments, products_of
from freshmix.prepared.suspects import table_warnings
from freshmix.recommendation.result import DETERMINED
from freshmix.tables import Blocks

from .test_cli import invoke


def integers(rng, kind):
    """A table of whole or rounded numbers, as it is, far from 0, of many scales, collinear or nearly so."""
    n, p = int(rng.integers(6, 120)), int(rng.integers(1, 140))
    X = rng.integers(-5, 6, (n, p)).astype(float)
    if kind == "far":
        X += rng.integers(0, 10**9, p)
    elif kind == "scales":
        X *= 10.0 ** rng.integers(-6, 7, p)
    elif kind == "collinear" and p > 3:
        X[:, 0] = X[:, 1] + X[:, 2]
    elif kind == "nearly" and p > 3:
        X[:, 0] = X[:, 1] + 1e-6 * rng.standard_normal(n)
    elif kind == "decimals":
        X = np.round(rng.standard_normal((n, p)), 2)
    X = X[:, np.ptp(X, axis=0) > 0]
    return X, X @ rng.choice([-3.0, -2, -1, 1, 2, 3], X.shape[1]) + rng.integers(-9, 10)


@pytest.mark.parametrize("kind", ["plain", "far", "scales", "collinear", "nearly", "decimals"])
def test_exact_targets_are_told_from_noise_and_from_interpolation(kind):
    """As many features as rows fit any labels, and noise of a ten-thousandth of the labels is noise."""
    rng = np.random.default_rng(len(kind))
    for _ in range(40):
        X, y = integers(rng, kind)
        noisy = y + 1e-4 * y.std() * rng.standard_normal(y.size)
        features = scaled_features(X.copy(), None, True)[0]
        fewer = X.shape[1] < y.size - 1
        assert factorise(features, y).exact == fewer
        assert not factorise(features, noisy).exact
        if fewer:
            pair = [products_of(moments(Blocks([(X, labels)], X.shape[1]))) for labels in (y, noisy)]
            assert [factorise_products(each).exact for each in pair] == [True, False]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"generations": 4},
        {"labelled": 0.5, "generations": 3},
        {"time": np.arange(60) // 30, "generations": 3},
        {"schedule": True},
        {"penalty": 0.1},
    ],
)
def test_nothing_is_judged_where_the_features_determine_the_label(asked):
    rng = np.random.default_rng(3)
    X = rng.integers(-5, 6, (60, 8)).astype(float)
    found = fm.recommend(X, X @ np.arange(-3.0, 5), **asked)
    assert found.verdict == DETERMINED
    assert found.reason.startswith("the features determine the label: a leak?")
    assert found.warnings[0].startswith("all 60 labels are, to rounding, a linear function of the 8 features")
    assert not any(word in said for said in found.warnings for word in ("signal", "drift", "identifiable", "disagree"))
    assert found.check is None
    assert found.backtest is None
    assert (found.noise_variance, found.real_weight) == (0, 1)
    if "penalty" not in asked:
        assert (found.risk, found.penalty) == (0, 0)


def test_interpolation_is_no_leak():
    rng = np.random.default_rng(4)
    X = rng.integers(-5, 6, (30, 40)).astype(float)
    found = fm.recommend(X, X @ rng.integers(1, 4, 40))
    assert found.verdict != DETERMINED
    assert not any("leak" in said for said in (found.reason, *found.warnings))


def test_plans_and_estimates_of_exact_targets():
    rng = np.random.default_rng(5)
    X = rng.integers(-5, 6, (50, 4)).astype(float)
    y = X @ [1.0, 2, 0, -1]
    found = fm.estimate(X, y)
    assert (found.noise_variance, found.intervals["signal_to_noise_ratio"]) == (0, (np.inf, np.inf))
    plan = fm.plan(X, y, cost_per_label=1.0, target_risk=0.1, generations=2, penalty=1e-4, row_weight=1.0)
    assert plan.warnings[0].startswith("all 50 labels are, to rounding")
    assert plan.verdict == "feasible"


@pytest.mark.parametrize("limit", [None, 0])
def test_the_command_says_so_from_memory_and_from_blocks(tmp_path, monkeypatch, limit):
    rng = np.random.default_rng(6)
    X = rng.integers(-5, 6, (60, 3)).astype(float)
    frame = pl.DataFrame({**dict(zip("abc", X.T, strict=True)), "twice": 2 * (X[:, 0] + X[:, 1]) + 1, "y": X[:, 0] + X[:, 1]})
    frame.write_parquet(tmp_path / "t.parquet")
    if limit is not None:
        monkeypatch.setattr("freshmix.tables.parts.MOST_BYTES", limit)
    said = " ".join(invoke("recommend", str(tmp_path / "t.parquet"), "--target", "y").split())
    assert "exact: the features determine the label: a leak?" in said
    assert "not checked: the features determine the label" in said
    assert "twice is the target itself, but for its scale and offset: a leak?" in said


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda rng, n: np.arange(n), True),
        (lambda rng, n: 1000 + rng.permutation(n), True),
        (lambda rng, n: rng.choice(2 * n, n, replace=False), True),
        (lambda rng, n: np.where(rng.random(n) < 0.01, 7, rng.permutation(n)), True),
        (lambda rng, n: rng.integers(10**7, 10**8, n), True),
        (lambda rng, n: np.round(np.exp(10 + 0.6 * rng.standard_normal(n))), False),
        (lambda rng, n: np.round(1e5 + 2e4 * rng.standard_normal(n)), False),
        (lambda rng, n: rng.integers(0, n, n), False),
        (lambda rng, n: rng.poisson(30, n), False),
        (lambda rng, n: rng.permutation(n) + 0.5, False),
    ],
)
def test_ids_in_any_order_are_told_of(make, told):
    rng = np.random.default_rng(7)
    X = np.column_stack([rng.standard_normal(300), make(rng, 300)])
    y = rng.standard_normal(300)
    word = "looks like a row number or an id"
    assert any(said.startswith(f"b {word}") for said in table_warnings(X, y, "ab", "linear")) == told
    if told:
        assert any(said.startswith(f"b {word}") for said in fm.recommend(Blocks([(X, y)], 2, "ab")).warnings)
    # A name says so where a few numbers do not.
    few = np.column_stack([X[:40, 0], np.round(np.exp(10 + rng.standard_normal(40)))])
    names = [
        [said for said in table_warnings(few, y[:40], ["a", name], "linear") if word in said] for name in ("userId", "paid")
    ]
    assert [len(each) for each in names] == [1, 0]
