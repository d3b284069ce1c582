"""Sizes of rows from their leverages (mathematics.md sections 2 and 7)."""

import pickle

import numpy as np
import pytest

import freshmix as fm
from freshmix.estimation.factorise import factorise
from freshmix.estimation.sizes import row_sizes


def table(n, p, kind, seed=1):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * (1 + np.arange(p)) ** -0.3
    if kind == "exponential":
        X *= np.sqrt(rng.standard_exponential((n, 1)))
    return X, X @ rng.standard_normal(p) / np.sqrt(p) + rng.standard_normal(n), rng


@pytest.mark.parametrize(("n", "p"), [(600, 60), (300, 20), (200, 400)])
def test_sizes_are_found_where_rows_have_them(n, p):
    X, y, _ = table(n, p, "alike")
    assert row_sizes(factorise(X, y)) is None
    X, y, _ = table(n, p, "exponential")
    found = row_sizes(factorise(X, y))
    assert found.share.sum() == pytest.approx(1)
    assert found.share @ found.value == pytest.approx(1)
    assert found.share @ (found.value - 1) ** 2 == pytest.approx(1, abs=0.35)


def test_estimates_hold_them_and_their_noise_is_right():
    X, y, _ = table(500, 100, "exponential")
    found = fm.estimate(X, y)
    low, high = found.intervals["noise_variance"]
    assert low < 1 < high
    assert found.row_sizes is not None
    assert pickle.loads(pickle.dumps(found)).row_sizes[0].tolist() == found.row_sizes[0].tolist()
    assert next(iter(found.draws())).row_sizes[1].tolist() == found.row_sizes[1].tolist()
    X, y, _ = table(500, 100, "alike")
    assert fm.estimate(X, y).row_sizes is None


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_loops_on_new_rows_of_several_sizes_are_as_theory_says(seed):
    """They had 1.25 times the predicted risk where all rows were taken for alike."""
    X, y, _ = table(1200, 60, "exponential", seed)
    found = fm.recommend(X, y, rows_per_generation=200, labelled=0.5)
    assert found.check.fits
    assert found.check.observed[-1] / found.check.predicted[-1] == pytest.approx(1, abs=0.12)
    assert found.population.row_sizes is not None
