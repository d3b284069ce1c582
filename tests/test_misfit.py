"""What a linear model cannot fit is told apart from noise, and comes back when a row is labelled again."""

import numpy as np
import pandas as pd
import pytest

import freshmix as fm
from freshmix.estimation import Misfit
from freshmix.prepared import prepare


def rows(kind, rng, n=300, p=20):
    X = rng.standard_normal((n, p))
    if kind == "heavy rows":
        X = X * np.sqrt(1 / rng.gamma(1.5, 1 / 1.5, n))[:, None]
    elif kind == "skewed":
        X = rng.exponential(size=(n, p))
    elif kind == "two values":
        X = (X > 1).astype(float)
    return X


def noise(kind, X, rng):
    if kind == "heavy":
        return rng.standard_t(3, len(X))
    if kind == "uneven":
        return rng.standard_normal(len(X)) * np.exp(X[:, 0] / 2)
    return rng.standard_normal(len(X))


@pytest.mark.slow
@pytest.mark.parametrize("of_rows", ["gaussian", "heavy rows", "skewed", "two values"])
@pytest.mark.parametrize("of_noise", ["gaussian", "heavy", "uneven"])
def test_noise_is_not_taken_for_misfit(of_rows, of_noise):
    """At most 1% of linear tables are told of curves, whatever their rows and noise (the level is 0.1% for gaussian ones)."""
    named = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = rows(of_rows, rng)
        y = X @ rng.standard_normal(20) / 4 + noise(of_noise, X, rng)
        named += Misfit.of(prepare(X, y)) is not None
    assert named <= 2 if of_rows != "heavy rows" else named <= 4


@pytest.mark.parametrize("seed", range(5))
def test_columns_and_share(seed):
    """y = x'b + 2 (x_3^2 - 1) + noise 4: of the noise 12 that a linear model sees two thirds are misfit."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((2000, 10))
    y = X.sum(axis=1) + 2 * (X[:, 3] ** 2 - 1) + 2 * rng.standard_normal(2000)
    table = prepare(X, y)
    found = Misfit.of(table)
    assert table.columns[found.columns[0]] == "column 3"
    assert abs(found.share - 2 / 3) < 0.08


def test_what_does_not_fit_comes_back():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((400, 4)), columns=["area", "age", "rooms", "floor"])
    frame["price"] = frame.area + frame.age**2 - 1 + 0.5 * rng.standard_normal(400)
    found = fm.recommend(frame, "price")
    assert 0 < found.label_renewal < 0.3
    assert "age acts in a curve" in found.warnings[-1] + found.warnings[0]
    assert "a linear model cannot fit" in found.assumption
    assert found.other_end.label_renewal == 0
    assert fm.recommend(frame, "price", label_renewal=1.0).label_renewal == 1
    squared = frame.assign(age_squared=frame.age**2)
    assert fm.recommend(squared, "price").label_renewal == 1


def test_what_cannot_show_it():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 30))
    assert Misfit.of(prepare(X, X[:, 0] ** 2)) is None
    X = (X[:, :5] > 0).astype(float)
    assert Misfit.of(prepare(X, X @ np.ones(5) + rng.standard_normal(100))) is None
