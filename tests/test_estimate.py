"""Estimates from data against dense linear algebra and against the truth of drawn tables."""

import numpy as np
import pytest

import freshmix as fm
from freshmix.estimate import banded, factorise, factorise_gram
from freshmix.estimate.spectrum import outliers, spectrum


def table(n, p, noise=1.0, tau=None, seed=0):
    rng = np.random.default_rng(seed)
    tau = np.ones(p) if tau is None else tau
    beta = rng.standard_normal(p)
    beta *= np.sqrt(2.0 / (beta @ (tau * beta)))
    X = rng.standard_normal((n, p)) * np.sqrt(tau)
    return X, X @ beta + np.sqrt(noise) * rng.standard_normal(n), beta


@pytest.mark.parametrize(("n", "p"), [(60, 20), (60, 59), (60, 60), (60, 150)])
def test_factorisation_against_a_dense_decomposition(n, p):
    X, y, _ = table(n, p)
    X = X + 3.0  # an offset that centring must remove
    found = factorise(X, y + 5.0)
    centred, response = X - X.mean(axis=0), y - y.mean()
    values = np.linalg.svd(centred, compute_uv=False) ** 2 / n
    rank = min(n - 1, p)
    assert found.eigenvalues == pytest.approx(values[:rank], rel=1e-9)
    assert found.zeros == n - 1 - rank
    assert found.responses @ found.responses + found.zero_energy == pytest.approx(response @ response, rel=1e-10)
    # Ridge's fitted values have the norm that the rotated responses say.
    fitted = centred @ np.linalg.solve(centred.T @ centred / n + 0.3 * np.eye(p), centred.T @ response / n)
    q = found.eigenvalues / (found.eigenvalues + 0.3)
    assert fitted @ fitted == pytest.approx((q * found.responses) @ (q * found.responses), rel=1e-9)


def test_gram_matrix_gives_the_same_factorisation():
    X, y, _ = table(80, 200)
    direct, gram = factorise(X, y), factorise_gram(X @ X.T, y)
    assert gram.eigenvalues == pytest.approx(direct.eigenvalues, rel=1e-9)
    assert gram.responses**2 == pytest.approx(direct.responses**2, rel=1e-6, abs=1e-9)


def test_duplicated_columns_are_a_lower_rank():
    X, y, _ = table(100, 30)
    once, twice = factorise(X, y), factorise(np.hstack([X, X]), y)
    assert twice.eigenvalues.size == 30
    assert twice.condition == np.inf
    assert twice.eigenvalues == pytest.approx(2 * once.eigenvalues, rel=1e-9)


def test_spectrum_finds_two_levels():
    n, p = 1000, 500
    tau = np.repeat([1.0, 10.0], [p // 2, p // 2])
    X, y, _ = table(n, p, tau=tau)
    centres, weight = spectrum(factorise(X, y))
    low = centres < 3
    assert weight.sum() == pytest.approx(p / n, rel=0.03)
    assert weight[low].sum() == pytest.approx(0.25, abs=0.04)
    assert centres[low] @ weight[low] / weight[low].sum() == pytest.approx(1.0, rel=0.1)
    assert centres[~low] @ weight[~low] / weight[~low].sum() == pytest.approx(10.0, rel=0.1)


def test_outliers():
    bulk = np.linspace(3.0, 1.0, 200)
    assert outliers(bulk) == 0
    assert outliers(np.concatenate([[40.0, 9.0], bulk])) == 2


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("noise", [0.5, 4.0])
def test_noise_variance(aspect, noise):
    """Averaged over draws: within its sampling error, and inside its 90% interval most of the time."""
    means, inside = [], 0
    for seed in range(8):
        X, y, _ = table(400, round(400 * aspect), noise, seed=seed)
        found = banded(factorise(X, y), np.random.default_rng(seed))
        low, high = np.quantile(found.noise_draws, [0.05, 0.95])
        means.append(found.noise_variance)
        inside += low <= noise <= high
    assert np.mean(means) == pytest.approx(noise, rel=0.08 if aspect < 2 else 0.2)
    assert inside >= 5


def test_spikes_of_the_population():
    """An outlying eigenvalue is traced back to its spike: tau = 21, and the energy b theta^2 behind it."""
    n, p = 1500, 750
    tau = np.ones(p)
    tau[0] = 21.0
    rng = np.random.default_rng(3)
    beta = rng.standard_normal(p)
    beta[0] = 0.0
    beta *= 1 / np.linalg.norm(beta)
    beta[0] = 1.0
    X = rng.standard_normal((n, p)) * np.sqrt(tau)
    found = banded(factorise(X, X @ beta + rng.standard_normal(n)), rng)
    population = found.population()
    assert found.outlying == 1
    assert population.eigenvalues[-1] == pytest.approx(21.0, rel=0.12)
    assert population.signal[-1] == pytest.approx(1.0, rel=0.12)
    assert population.null_risk == pytest.approx(22.0, rel=0.12)


@pytest.mark.parametrize("aspect", [0.5, 2.0])
def test_sample_and_estimated_population_give_the_same_limits(aspect):
    X, y, _ = table(1000, round(1000 * aspect))
    found = banded(factorise(X, y), np.random.default_rng(0))
    sample = found.equivalents()
    from freshmix.risk import frozen

    for w, penalty in [(1.0, 0.5), (0.6, 0.1), (0.3, 2.0)]:
        theory = fm.limit(found.population(), fm.Loop(aspect=aspect, penalty=penalty, real_weight=w)).risk
        assert float(frozen.limit_risk(sample, w, penalty)) == pytest.approx(theory, rel=0.05)


def test_same_seed_same_bits():
    X, y, _ = table(120, 60)
    f = factorise(X, y)
    one, two = (banded(f, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one.noise_draws, two.noise_draws)
    assert np.array_equal(one.signal_draws, two.signal_draws)
