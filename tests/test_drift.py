"""Persistence of the coefficients from a table with times (mathematics.md section 7)."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from freshmix.estimation.drift import Dense, Filtered, directions, drift_of, drifting


def stream(seed, persistence, steps=24, rows=40, features=12, energy=0.2, noise=1.0):
    """Labelled rows of coefficients that drift; the first feature is the intercept's."""
    rng = np.random.default_rng(seed)
    beta = math.sqrt(energy) * rng.standard_normal(features)
    X = rng.standard_normal((steps, rows, features))
    X[..., 0] = 1.0
    y = np.empty((steps, rows))
    for t in range(steps):
        if t:
            beta = persistence * beta + math.sqrt((1 - persistence**2) * energy) * rng.standard_normal(features)
        y[t] = X[t] @ beta + math.sqrt(noise) * rng.standard_normal(rows)
    return X.reshape(-1, features), y.ravel(), np.repeat(np.arange(steps), rows)


@pytest.mark.parametrize("persistence", [1.0, 0.9, 0.0])
@pytest.mark.parametrize("likelihood", [Filtered.of, Dense])
def test_both_likelihoods_are_that_of_the_textbook(persistence, likelihood):
    X, y, steps = stream(1, 0.9, steps=5, rows=7, features=4)
    # A step without a label.
    steps = np.where(steps > 2, steps + 1, steps)
    size = np.array([0.5, 1.0, 2.0, 0.0])
    covariance = (X * size @ X.T) * persistence ** np.abs(np.subtract.outer(steps, steps)) + 0.3 * np.eye(y.size)
    determinant, quadratic = likelihood(X, y, steps).at(persistence, size)(math.log(0.3))
    expected = multivariate_normal(np.zeros(y.size), covariance).logpdf(y)
    assert -(determinant + quadratic + y.size * math.log(2 * math.pi)) / 2 == pytest.approx(expected, rel=1e-10)


def test_rows_of_a_step_have_no_order_and_few_rows_with_many_features_are_as_good():
    X, y, steps = stream(2, 0.9, steps=12)
    found = drift_of(X, y, steps)
    shuffled = np.random.default_rng(0).permutation(y.size)
    again = drift_of(X[shuffled], y[shuffled], steps[shuffled])
    assert again.persistence == pytest.approx(found.persistence, abs=1e-6)
    assert found.interval[0] < 0.9 < found.interval[1]
    assert found.noise_variance == pytest.approx(1.0, rel=0.15)
    # Features of no size bring nothing but their number, by which the other likelihood is chosen.
    wide = drift_of(np.hstack([X[:160], np.zeros((160, 110))]), y[:160], steps[:160])
    few = drift_of(X[:160], y[:160], steps[:160])
    assert wide.persistence == pytest.approx(few.persistence, abs=2e-3)
    assert wide.noise_variance == pytest.approx(few.noise_variance, rel=1e-2)


def test_draws_follow_the_likelihood():
    found = drift_of(*stream(3, 0.95))
    persistence, energy, noise = found.draws(2000, np.random.default_rng(0))
    low, high = np.quantile(persistence, [0.05, 0.95])
    width = found.interval[1] - found.interval[0]
    assert abs(low - found.interval[0]) < 0.3 * width
    assert abs(high - found.interval[1]) < 0.3 * width
    assert energy.min() > 0
    assert noise.min() > 0


def test_energies_that_follow_the_eigenvalues_are_seen():
    """Coefficients of standard features: of scaled ones they fall as 1/tau."""
    X, y, steps = stream(4, 0.9, steps=10, features=9)
    scale = np.concatenate([[1.0], np.geomspace(0.2, 5.0, 8)])
    found = drift_of(X * scale, y, steps)
    slope = np.polyfit(np.log(scale[1:] ** 2), np.log(found.size[1:]), 1)[0]
    assert -1.3 < slope < -0.7
    assert found.interval[0] < 0.9 < found.interval[1]
    assert found.noise_variance == pytest.approx(1.0, rel=0.15)


def test_population_keeps_energy_and_spectrum():
    X = np.random.default_rng(0).standard_normal((50, 30)) * np.geomspace(0.1, 3, 30)
    moments = X.T @ X / 50
    moments[0], moments[:, 0], moments[-1], moments[:, -1] = 0.0, 0.0, 0.0, 0.0
    moments[0, 0] = 1.0
    energy = np.concatenate([[0.7], np.geomspace(0.1, 0.3, 29)])
    found = drifting(moments, 0.9, energy, 1.5)
    assert found.persistence == 0.9
    assert found.noise_variance == 1.5
    assert found.eigenvalues.size <= 12
    assert found.null_risk == pytest.approx(0.7 + energy[1:] @ directions(moments)[0], rel=1e-9)
    assert found.shares[found.eigenvalues == 0].sum() == pytest.approx(1 / 30)
    alike = drifting(np.eye(3), 1.0, np.full(3, 0.2), 1.5)
    assert alike.eigenvalues.tolist() == [1.0, 1.0]
    assert alike.signal.tolist() == pytest.approx([0.2, 0.4])


@pytest.mark.slow
@pytest.mark.parametrize("persistence", [1.0, 0.97, 0.9])
def test_interval_covers(persistence):
    """90% of 100 streams at least 85, at most 98: at the end of the range the interval is one-sided."""
    intervals = [drift_of(*stream([seed, int(100 * persistence)], persistence)).interval for seed in range(100)]
    covered = sum(low - 1e-12 <= persistence <= high + 1e-12 for low, high in intervals)
    assert 84 <= covered <= 99
