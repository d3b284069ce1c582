"""Sources of finite samples: counts, covariances, tables, and input that is not one."""

import numpy as np
import pytest
from scipy import stats

import freshmix as fm
from freshmix import sampling

from .tolerances import CLOSED, FAMILY_LEVEL


def test_counts_follow_the_shares():
    for p in range(3, 60):
        counts = sampling.counts_of(fm.Population([1.0, 2.0, 9.0], [0.3, 0.7, 0.0], [1.0, 1.0, 1.0]), p)
        assert counts.sum() == p
        assert counts[2] == 1
        assert abs(counts[0] - 0.3 * (p - 1)) < 1


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: sampling.Autoregressive(1.0, 3), ValueError, "correlation"),
        (lambda: sampling.Dense(np.eye(3), [1.0]), ValueError, "covariance"),
        (lambda: sampling.Dense("x", [1.0]), TypeError, "covariance"),
        (lambda: sampling.Rows(np.eye(3), [1.0]), ValueError, "coefficients"),
        (lambda: sampling.Rows(np.full((2, 1), np.nan), [1.0]), ValueError, "finite"),
        (lambda: sampling.Rows(np.eye(2), [1.0, 1.0], covariance=np.eye(3)), ValueError, "covariance"),
        (lambda: sampling.Rows(np.eye(2), [1.0, 1.0], noise_variance=-1.0), ValueError, "noise_variance"),
        (lambda: sampling.Rows(np.zeros((2, 1)), [1.0]), ValueError, "other than 0"),
        (lambda: sampling.Rows(np.eye(2), [1.0, 1.0], covariance=-np.eye(2)), ValueError, "semi-definite"),
        (lambda: sampling.Rows(np.eye(2), [1.0, 1.0], covariance=[[1.0, 0.5], [0.0, 1.0]]), ValueError, "symmetric"),
        (lambda: sampling.Rows(np.eye(2) * 1j, [1.0, 1.0]), TypeError, "X must be a matrix of numbers"),
        (lambda: sampling.Rows([["a"]], [1.0]), TypeError, "X must be a matrix of numbers"),
        (lambda: sampling.Dense([[1.0, 2.0], [2.0, 1.0]], [1.0, 1.0]), ValueError, "positive definite"),
        (lambda: sampling.Dense(np.eye(2), [1.0, 1.0], -1.0), ValueError, "noise_variance"),
        (lambda: sampling.Autoregressive(0.5, 2.5), ValueError, "features"),
        (lambda: sampling.counts_of(fm.Population([0.0, 1.0], [0.9, 0.1], [1.0, 0.0]), 2), ValueError, "too few"),
    ],
)
def test_bad_sources(make, error, says):
    with pytest.raises(error, match=says):
        make()


def test_covariances_are_those_of_the_rows():
    rng = np.random.default_rng(0)
    for source in (sampling.Autoregressive(0.6, 8), sampling.Dense(0.5 * np.eye(8) + 0.5, np.ones(8))):
        task = source.task(rng, sampling.entries_of("gaussian"))
        X = task.rows(rng, 200_000)
        root = task.root(np.eye(8))
        np.testing.assert_allclose(X.T @ X / 200_000, root.T @ root, atol=0.02)
    expected = 0.6 ** np.abs(np.subtract.outer(np.arange(8), np.arange(8)))
    root = sampling.Autoregressive(0.6, 8).task(rng, sampling.entries_of("gaussian")).root(np.eye(8))
    np.testing.assert_allclose(root.T @ root, expected, rtol=CLOSED)


@pytest.mark.parametrize(
    ("entries", "law"),
    [
        ("gaussian", stats.norm()),
        ("uniform", stats.uniform(-np.sqrt(3), 2 * np.sqrt(3))),
        ("t5", stats.t(5, scale=np.sqrt(3 / 5))),
        ("t12.5", stats.t(12.5, scale=np.sqrt(10.5 / 12.5))),
    ],
)
def test_entries_have_their_law(entries, law):
    drawn = sampling.entries_of(entries).draw(np.random.default_rng(0), (200, 100))
    assert drawn.shape == (200, 100)
    assert stats.kstest(drawn.ravel(), law.cdf).pvalue > FAMILY_LEVEL
    assert abs(law.var() - 1) < CLOSED


@pytest.mark.parametrize(("entries", "values"), [("rademacher", [-1.0, 1.0]), ([3.0, 1.0, 5.0], [-(1.5**0.5), 0.0, 1.5**0.5])])
def test_entries_of_few_values_have_each_as_often(entries, values):
    drawn = sampling.entries_of(entries).draw(np.random.default_rng(0), (300, 100)).ravel()
    found, counts = np.unique(drawn.round(12), return_counts=True)
    np.testing.assert_allclose(found, values, atol=1e-11)
    assert stats.chisquare(counts).pvalue > FAMILY_LEVEL


def test_a_table_is_the_design_or_a_pool():
    X = np.arange(12.0).reshape(4, 3)
    table = sampling.Rows(X, np.ones(3))
    task = table.task(np.random.default_rng(0), sampling.entries_of("gaussian"))
    np.testing.assert_array_equal(task.rows(np.random.default_rng(0), 4), X)
    drawn = task.rows(np.random.default_rng(0), 1000)
    found, counts = np.unique(drawn, axis=0, return_counts=True)
    np.testing.assert_array_equal(found, X)
    assert stats.chisquare(counts).pvalue > FAMILY_LEVEL
