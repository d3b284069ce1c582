"""Rows near each other in a table: block leave-out against refits, and the test against chance."""

import numpy as np
import pytest

from freshmix.prepared import Order
from freshmix.replays import together

from . import naive


@pytest.mark.parametrize("weighted", [False, True], ids=["alike", "weighted"])
@pytest.mark.parametrize("p", [4, 30])
def test_block_leave_out_is_a_refit(p, weighted):
    rng = np.random.default_rng(p)
    X, f = rng.standard_normal((20, p)), rng.standard_normal(20)
    a = rng.choice([0.5, 2.0], 20) if weighted else np.ones(20)
    held, penalty = np.arange(20) % 4 == 1, 0.3
    left = together._left(X @ X.T, a, penalty)
    error = np.linalg.solve(left[np.ix_(held, held)], (left @ (np.sqrt(a) * f))[held]) / np.sqrt(a[held])
    kept, b = ~held, a[~held] / a[~held].mean()
    mean, level = b @ X[kept] / b.size, b @ f[kept] / b.size
    root = np.sqrt(b)
    # The penalty is on the sum over all rows.
    fitted = naive.fit((X[kept] - mean) * root[:, None], (f[kept] - level) * root, penalty * a.sum() / a[kept].sum())
    np.testing.assert_allclose(error, f[held] - level - (X[held] - mean) @ fitted, rtol=1e-9, atol=1e-12)


def test_what_is_beyond_chance():
    apart = np.exp(0.05 * np.linspace(-1.6, 1.6, 12))
    assert together.alike(1.05, apart, 0.0) is None, "within a tenth"
    assert together.alike(1.12, apart, 0.0) is None, "within chance"
    assert together.alike(1.5, apart, 100.0) is None, "within a fiftieth of the prediction error"
    assert "is 1.5 where neighbours are held out together" in together.alike(1.5, apart, 1.0)


@pytest.mark.parametrize("n", [120, 1200])
def test_neighbours_are_told_from_independent_rows(n):
    rng = np.random.default_rng(n)
    X, beta = rng.standard_normal((n, 40)), rng.standard_normal((40, 8))
    for i in range(1, n):
        X[i] = 0.95 * X[i - 1] + np.sqrt(1 - 0.95**2) * X[i]

    def said(place):
        order = Order(place, False)
        return together.neighbours(X, beta, np.arange(n), order, 0.1, 4, 0.1, np.random.default_rng(0))

    assert said(np.arange(n))
    assert said(rng.permutation(n)) is None


@pytest.mark.slow
def test_independent_rows_are_rarely_called_neighbours():
    """At most 1% of tables, before what is too small to matter is left out; a normal bound beyond the binomial mean."""
    tables = 600
    called = 0
    for seed in range(tables):
        rng = np.random.default_rng(seed)
        n, p = (40, 10) if seed % 2 else (60, 45)
        X, beta = rng.standard_normal((n, p)), rng.standard_normal((p, 8))
        X *= rng.standard_t(4, (n, 1)) if seed % 3 else 1.0
        order = Order(np.arange(n), False)
        called += together.neighbours(X, beta, np.arange(n), order, 0.1, 4, 0.0, rng) is not None
    assert called <= 0.01 * tables + 2 * np.sqrt(0.01 * tables)
