"""Rows of several sample weights: theory from the scaled rows against what happens given X."""

import numpy as np
import pytest
from scipy.optimize import brentq

import freshmix as fm
from freshmix.equivalents import SampleEquivalents
from freshmix.equivalents.weights import RowWeights, WeightedSampleEquivalents, sample_equivalents
from freshmix.estimation import banded, factorise, factorise_gram
from freshmix.estimation.noise import Routes
from freshmix.estimation.spectrum import profiles, spectrum, spikes
from freshmix.risks import frozen


def weights_of(kind, n, rng):
    a = np.where(rng.random(n) < 0.5, 1.0, 10.0) if kind == "two" else rng.exponential(size=n) + 0.05
    return a / a.mean()


class Given:
    """Weighted rows, random effects of energy 2, and everything about them given X alone."""

    def __init__(self, n, p, kind, noise=1.0, seed=0):
        rng = np.random.default_rng([seed, n, p])
        self.tau, self.a, self.noise, self.n, self.energy = np.geomspace(10, 0.1, p), weights_of(kind, n, rng), noise, n, 2 / p
        X = rng.standard_normal((n, p)) * np.sqrt(self.tau) * np.sqrt(self.a)[:, None]
        s, V = np.linalg.eigh(X.T @ X / n)
        self.s, self.sigma = np.maximum(s, 0), np.einsum("ij,i,ij->j", V, self.tau, V)
        seen = self.s > 1e-9 * s[-1]
        self.positive, squares = self.s[seen], noise + self.energy * n * self.s[seen]
        count, zeros = np.ones(self.positive.size), n - self.positive.size
        if zeros:
            self.positive, squares, count = np.append(self.positive, 0), np.append(squares, noise), np.append(count, zeros)
        self.arguments = self.positive, squares, count, noise

    def risk(self, e, u):
        return self.energy * (e**2 @ self.sigma) + self.noise / self.n * (u @ self.sigma)


@pytest.mark.parametrize("kind", ["two", "many"])
def test_leverage_solves_its_equation(kind):
    rng = np.random.default_rng(3)
    s = np.append(rng.exponential(size=80), np.zeros(20))
    weights = RowWeights.of(weights_of(kind, 100, rng))
    found = sample_equivalents(s, np.ones(100), np.ones(100), 0.5, weights)
    z = np.array([1e-6, 1e-2, 1.0, 1e3, 1e8])
    delta = found.trace(found.solve(z))
    for each, one in zip(z, delta, strict=True):
        want = brentq(
            lambda x, each=each: weights.share @ (weights.value * x / (1 + weights.value * x)) - np.mean(s / (s + each)),
            0,
            1e12,
            xtol=1e-300,
            rtol=1e-14,
        )
        np.testing.assert_allclose(one, want, rtol=1e-10)
    # Analytic: the mean over a circle off the axis is the value at its centre.
    circle = 1.0 + 0.5 * np.exp(2j * np.pi * (np.arange(64) + 0.5) / 64)
    np.testing.assert_allclose(found.trace(found.solve(circle)).mean(), delta[2], rtol=1e-10)


@pytest.mark.parametrize("zeros", [0, 30])
def test_equal_weights_are_no_weights(zeros):
    rng = np.random.default_rng(0)
    s, squares, count = rng.exponential(size=50), 1 + rng.exponential(size=50), np.ones(50)
    if zeros:
        s, squares, count = np.append(s, 0), np.append(squares, 1), np.append(count, zeros)
    plain = SampleEquivalents(s, squares, count, 0.7)
    same = WeightedSampleEquivalents(s, squares, count, 0.7, RowWeights(np.array([1.0]), np.array([1.0])))
    for z in (np.array([0.0, 1e-5, 0.3, 40.0, np.inf]), np.array([0.2 + 0.1j, -0.4 - 0.3j, 3.0 + 1j])):
        for name in ("bias", "variance"):
            one, two = (getattr(each, name)(each.solve(z), each.solve(z), table=True) for each in (plain, same))
            np.testing.assert_allclose(two, one, rtol=1e-9, atol=1e-12)
        inner = z[np.isfinite(z) & (z != 0)]
        for name in ("trace", "spread"):
            one, two = (getattr(each, name)(each.solve(inner)) for each in (plain, same))
            np.testing.assert_allclose(two, one, rtol=1e-9)


@pytest.mark.parametrize(("n", "p"), [(900, 300), (500, 1000), (600, 590)])
@pytest.mark.parametrize("kind", ["two", "many"])
def test_risks_given_the_rows(n, p, kind):
    given = Given(n, p, kind)
    weighted, plain = (
        sample_equivalents(*given.arguments, RowWeights.of(given.a)),
        sample_equivalents(*given.arguments, None),
    )
    for w, penalty in [(0.6, 0.1), (1.0, 0.3), (0.5, 3.0), (0.9, 0.02)]:
        e, u = frozen.ridge_filters(np.full(4, w), penalty, 1.0)(given.s)
        want = given.risk(e, u)
        np.testing.assert_allclose(frozen.risk_by_generation(weighted, np.full(4, w), penalty), want, rtol=0.03)
        long_run = given.risk(*(each[-1] for each in frozen.ridge_filters(np.full(200, w), penalty, 1.0)(given.s)))
        np.testing.assert_allclose(frozen.limit_risk(weighted, w, penalty), long_run, rtol=0.03)
        # What it replaces: rows taken for alike.
        if penalty < 1:
            assert frozen.limit_risk(plain, w, penalty) < 0.92 * long_run
    grid = np.array([0.01, 1.0, 100.0])
    solved = weighted.solve(grid)
    near = 1 / np.add.outer(grid, given.s)
    np.testing.assert_allclose(weighted.trace(solved), near @ given.sigma / n, rtol=0.03)
    np.testing.assert_allclose(weighted.spread(solved), near @ (given.s * given.sigma) / n, rtol=0.03)


@pytest.mark.parametrize(("n", "p"), [(800, 300), (400, 1000)])
def test_interpolation_given_the_rows(n, p):
    given = Given(n, p, "two")
    found = sample_equivalents(*given.arguments, RowWeights.of(given.a))
    inverse = np.where(given.s > 1e-9, 1 / np.maximum(given.s, 1e-9), 0)
    missed = (given.s <= 1e-9).astype(float)
    c = float(frozen.memory_factor(0.7, 1.0))
    want = given.energy * missed @ given.sigma + c * given.noise / n * inverse @ given.sigma
    np.testing.assert_allclose(frozen.limit_risk(found, 0.7, 0.0), want, rtol=0.05)


@pytest.mark.parametrize("p", [300, 900])
def test_energy_by_direction(p):
    """Anti-aligned energies: squared responses by eigenvalue, and leave-one-out errors, against many draws of beta."""
    n, rng = 600, np.random.default_rng([8, p])
    tau, energy, a = np.repeat([10.0, 1.0], [p // 4, p - p // 4]), np.array([0.05, 1.0]), weights_of("two", n, rng)
    X = rng.standard_normal((n, p)) * np.sqrt(tau)
    strong = tau == 10
    beta = (
        rng.standard_normal((p, 80)) * np.sqrt(np.where(strong, energy[0] / strong.sum(), energy[1] / (~strong).sum()))[:, None]
    )
    Y = X @ beta + np.sqrt(0.5 / a)[:, None] * rng.standard_normal((n, 80))
    each = [factorise(X, y, a) for y in Y.T[:80:20]] + [factorise(X, y, a) for y in Y.T[1:40]]
    squares, f = np.mean([one.responses**2 for one in each], axis=0), each[0]
    expected = 0.5 + profiles(f, np.array([10.0, 1.0])) @ energy
    for part in np.array_split(np.arange(squares.size), 4):
        np.testing.assert_allclose(squares[part].mean(), expected[part].mean(), rtol=0.1)
    routes = Routes.of(f, 0, np.array([10.0, 1.0]))
    left = routes.weights @ np.append(squares, np.full(min(f.zeros, 1), 0.5))
    np.testing.assert_allclose(left, routes.design @ np.append(0.5, energy), rtol=0.05)
    bands, share = spectrum(f)
    np.testing.assert_allclose(share @ bands, p / n * tau.mean(), rtol=0.05)
    assert share[np.abs(np.log(bands)) < 0.2].sum() + share[np.abs(np.log(bands / 10)) < 0.2].sum() > 0.9 * share.sum()


def test_spike_behind_weighted_rows():
    n, p, rng = 1500, 700, np.random.default_rng(2)
    X = rng.standard_normal((n, p))
    X[:, 0] *= np.sqrt(200)
    f = factorise(X, 0.3 * X[:, 0], weights_of("two", n, rng))
    tau, energy = spikes(f, 1)
    np.testing.assert_allclose(tau, 200, rtol=0.15)
    np.testing.assert_allclose(energy * f.responses[:1] ** 2, 0.09, rtol=0.03)


def test_kernel_matrix_gives_the_same():
    rng = np.random.default_rng(4)
    X, y, a = rng.standard_normal((80, 120)), rng.standard_normal(80), weights_of("many", 80, rng)
    one, two = factorise(X, y, a), factorise_gram(X @ X.T, y, a)
    np.testing.assert_allclose(two.eigenvalues, one.eigenvalues, rtol=1e-8)
    np.testing.assert_allclose(two.row_weights.value, one.row_weights.value)


def test_many_weights_are_gathered():
    a = np.random.default_rng(0).exponential(size=5000) + 0.01
    found = RowWeights.of(a)
    assert found.value.size <= 64
    np.testing.assert_allclose([found.share.sum(), found.share @ found.value], 1)
    assert np.all(np.diff(found.value) > 0)


@pytest.mark.slow
@pytest.mark.parametrize("p", [60, 150, 450])
def test_recommended_risk_of_a_weighted_table(p):
    """True long-run risk over the predicted one; rows taken for alike gave 1.2, 1.7 and 2.0."""
    ratios = []
    for seed in range(6):
        rng = np.random.default_rng([seed, p])
        a = weights_of("two", 300, rng)
        X, beta = rng.standard_normal((300, p)), rng.standard_normal(p) * np.sqrt(2 / p)
        y = X @ beta + np.sqrt(2 / a) * rng.standard_normal(300)
        best = fm.recommend(X, y, standardize=False, sample_weight=a)
        assert best.verdict != "theory does not fit"
        assert not any("uneven" in each for each in best.warnings)
        scaled = (X - a @ X / 300) * np.sqrt(a)[:, None]
        s, V = np.linalg.eigh(scaled.T @ scaled / 300)
        e, u = (each[-1] for each in frozen.ridge_filters(np.full(200, best.real_weight), best.penalty, 1.0)(s))
        ratios.append((np.sum((e * (V.T @ beta)) ** 2) + 2 / 300 * u.sum()) / best.risk)
    assert abs(np.mean(ratios) - 1) < 0.15


def test_noise_of_a_weighted_table():
    rng = np.random.default_rng(6)
    a = weights_of("many", 400, rng)
    X = rng.standard_normal((400, 200))
    y = X @ rng.standard_normal(200) / 10 + np.sqrt(1.5 / a) * rng.standard_normal(400)
    found = banded(factorise(X, y, a), rng)
    low, high = found.intervals()["noise_variance"]
    assert low < 1.5 < high
    assert found.stretch < 1.5
