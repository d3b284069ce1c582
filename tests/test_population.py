"""Population: what it refuses, what it keeps, and its named models against dense covariance matrices."""

import copy
import dataclasses
import itertools
import math
import pickle

import numpy as np
import pytest
from scipy.linalg import toeplitz

import freshmix as fm

from .naive import POPULATIONS
from .tolerances import CLOSED

Population = fm.Population
ONE = {"eigenvalues": [1.0, 5.0], "shares": [0.75, 0.25], "signal": [0.2, 1.8], "noise_variance": 2.0}


def atoms(population, features):
    """The p eigenvalues of Sigma, sorted."""
    counts = np.round(population.shares * features).astype(int)
    return np.sort(np.repeat(population.eigenvalues, counts))


# What it refuses: the message names the parameter and the value.


@pytest.mark.parametrize("name", ["eigenvalues", "shares", "signal"])
@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        ([1.0, -0.5], ValueError, r"finite numbers of at least 0, got .*-0\.5.* at position 1"),
        ([math.nan, 1.0], ValueError, "got .*nan.* at position 0"),
        ([1.0, math.inf], ValueError, "got .*inf.* at position 1"),
        ([], ValueError, r"at least one number, got shape \(0,\)"),
        ([[1.0, 2.0]], ValueError, r"got shape \(1, 2\)"),
        (3.0, ValueError, r"got shape \(\)"),
        ("ab", TypeError, "one-dimensional array of numbers, got 'ab'"),
        ([1.0, None, {}], TypeError, "one-dimensional array of numbers, got"),
    ],
)
def test_arrays_are_checked(name, value, error, says):
    with pytest.raises(error, match=f"{name} must .*{says}"):
        Population(**{**ONE, name: value})


@pytest.mark.parametrize("value", [True, np.True_, "1", b"1", None, [1.0], 1j])
def test_noise_variance_must_be_a_number(value):
    with pytest.raises(TypeError, match="noise_variance must be a number of at least 0, got"):
        Population(**{**ONE, "noise_variance": value})


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_noise_variance_must_be_finite_and_not_negative(value):
    with pytest.raises(ValueError, match=f"noise_variance must be a number of at least 0, got {value}"):
        Population(**{**ONE, "noise_variance": value})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"signal": [1.0]}, "same length, got 2, 2 and 1"),
        ({"shares": [0.5, 0.6]}, r"shares must sum to 1, got a sum of 1\.1"),
        ({"eigenvalues": [0.0, 0.0]}, "positive one with a positive share, got none"),
        ({"eigenvalues": [0.0, 1.0], "shares": [1.0, 0.0]}, "positive one with a positive share, got none"),
    ],
)
def test_atoms_must_fit_together(changes, says):
    with pytest.raises(ValueError, match=says):
        Population(**{**ONE, **changes})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Population.isotropic(signal=-1.0), r"signal must be .* at least 0, got -1\.0"),
        (lambda: Population.random_effects([1.0], [1.0], signal=-2.0), r"signal .* got -2\.0"),
        (lambda: Population.spiked(-1.0, 0.5), r"strength must be a number above -1, got -1\.0"),
        (lambda: Population.spiked(1.0, 1.5), r"alignment must be a number between -1 and 1, got 1\.5"),
        (lambda: Population.spiked(1.0, 0.5, features=1), r"features must be .* at least 2, got 1"),
        (lambda: Population.spiked(1.0, 0.5, features=2.5), r"features must be a whole number of at least 2, got 2\.5"),
        (lambda: Population.two_level(0.0), r"ratio must be a number above 0, got 0\.0"),
        (lambda: Population.two_level(2.0, share=1.5), r"share must be a number between 0 and 1, got 1\.5"),
        (lambda: Population.two_level(2.0, alignment=-0.5), r"alignment must be a number between 0 and 1, got -0\.5"),
        (lambda: Population.autoregressive(1.0, 5), r"correlation must lie strictly between -1 and 1, got 1\.0"),
        (lambda: Population.autoregressive(0.5, 0), r"features must be .* at least 1, got 0"),
        (lambda: Population.equicorrelated(1.0, 5), r"correlation must be below 1, got 1\.0"),
        (lambda: Population.equicorrelated(-0.1, 5), r"correlation must be .* at least 0, got -0\.1"),
        (lambda: Population.equicorrelated(0.5, 1), r"features must be .* at least 2, got 1"),
        (lambda: Population.power_law(-1.0, 5), r"decay must be .* at least 0, got -1\.0"),
        (lambda: Population.power_law(1.0, 5, source=-1.0), r"source must be .* at least 0, got -1\.0"),
        (lambda: Population.from_covariance(np.ones((2, 3)), [1.0, 1.0]), r"square matrix, got shape \(2, 3\)"),
        (lambda: Population.from_covariance([[1.0, 0.1], [0.2, 1.0]], [1.0, 1.0]), "symmetric, got entries apart by 0.1"),
        (lambda: Population.from_covariance([[1.0, 2.0], [2.0, 1.0]], [1.0, 1.0]), "semi-definite, got an eigenvalue of -1"),
        (lambda: Population.from_covariance([[math.nan]], [1.0]), "covariance must hold finite numbers, got NaN"),
        (lambda: Population.from_covariance(np.eye(2), [1.0]), "coefficients must have length 2, as covariance has, got 1"),
        (lambda: Population.from_covariance(np.eye(2), [1.0, math.inf]), "coefficients must hold finite numbers, got .*inf"),
    ],
)
def test_named_models_check_their_parameters(make, says):
    with pytest.raises(ValueError, match=says):
        make()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda value: Population.isotropic(signal=value), "signal"),
        (lambda value: Population.spiked(value, 0.5), "strength"),
        (lambda value: Population.spiked(1.0, value), "alignment"),
        (lambda value: Population.spiked(1.0, 0.5, features=value or "2"), "features"),
        (lambda value: Population.two_level(value), "ratio"),
        (lambda value: Population.autoregressive(value, 5), "correlation"),
        (lambda value: Population.equicorrelated(0.5, value), "features"),
        (lambda value: Population.power_law(value, 5), "decay"),
    ],
)
@pytest.mark.parametrize("value", [True, "1", None])
def test_named_models_take_numbers_only(make, name, value):
    with pytest.raises(TypeError, match=f"{name} must be"):
        make(value)


# What it keeps.


def test_arrays_are_read_only_copies():
    tau = np.array([1.0, 5.0])
    population = Population(tau, [0.75, 0.25], [1, 2])
    tau[0] = 9.0
    assert population.eigenvalues.tolist() == [1.0, 5.0]
    assert population.signal.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        population.signal[0] = 0.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        population.noise_variance = 0.0


@pytest.mark.parametrize("twin", [lambda it: pickle.loads(pickle.dumps(it)), copy.deepcopy, lambda it: Population(**ONE)])
def test_equal_numbers_make_equal_populations(twin):
    population = Population(**ONE)
    other = twin(population)
    assert other == population
    assert hash(other) == hash(population)
    assert len({population, other}) == 1
    assert not other.eigenvalues.flags.writeable


@pytest.mark.parametrize("name", ONE)
def test_other_numbers_make_other_populations(name):
    changed = {"eigenvalues": [1.0, 4.0], "shares": [0.5, 0.5], "signal": [0.2, 1.7], "noise_variance": 1.0}[name]
    assert Population(**{**ONE, name: changed}) != Population(**ONE)


def test_a_population_equals_nothing_else():
    assert Population.isotropic() != "isotropic"
    assert Population([1.0], [1.0], [1.0]) != Population([1.0, 1.0], [0.5, 0.5], [0.5, 0.5])


@pytest.mark.parametrize("name", POPULATIONS)
def test_energies(name):
    population = POPULATIONS[name]
    energy = sum(t * g for t, g in zip(population.eigenvalues, population.signal, strict=True))
    assert population.null_risk == pytest.approx(energy)
    ratio = energy / population.noise_variance if population.noise_variance else math.inf
    assert population.signal_to_noise_ratio == pytest.approx(ratio)
    assert f"null_risk={energy:.4g}" in repr(population)


# Named models against dense matrices.


@pytest.mark.parametrize("features", [2, 3, 50])
@pytest.mark.parametrize("r", [0.0, 0.5, -0.7, 0.99])
def test_autoregressive_against_a_toeplitz_matrix(r, features):
    population = Population.autoregressive(r, features, signal=3.0, noise_variance=0.5)
    values = np.linalg.eigvalsh(toeplitz(r ** np.arange(features)))
    assert atoms(population, features) == pytest.approx(values, rel=1e-11)
    assert population.null_risk == pytest.approx(3.0)
    assert population.noise_variance == 0.5


@pytest.mark.parametrize("features", [2, 3, 50])
@pytest.mark.parametrize("r", [0.0, 0.3, 0.99])
def test_equicorrelated_against_a_dense_matrix(r, features):
    population = Population.equicorrelated(r, features, signal=3.0)
    values = np.linalg.eigvalsh(np.full((features, features), r) + (1 - r) * np.eye(features))
    assert atoms(population, features) == pytest.approx(values, rel=1e-11)
    assert population.null_risk == pytest.approx(3.0)


@pytest.mark.parametrize("theta", [0.0, 0.6, -1.0])
@pytest.mark.parametrize("s", [-0.5, 0.0, 10.0])
def test_spiked_against_a_dense_matrix(s, theta):
    p, b = 20, 2.5
    rng = np.random.default_rng(5)
    frame = np.linalg.qr(rng.standard_normal((p, p)))[0]
    covariance = np.eye(p) + s * np.outer(frame[0], frame[0])
    beta = np.sqrt(b) * (theta * frame[0] + np.sqrt(1 - theta**2) * frame[1])
    population = Population.spiked(s, theta, signal=b, features=p)
    assert atoms(population, p) == pytest.approx(np.linalg.eigvalsh(covariance), rel=1e-11)
    assert population.null_risk == pytest.approx(beta @ covariance @ beta)
    assert population.signal.sum() == pytest.approx(b)
    many = Population.spiked(s, theta, signal=b)
    assert many.shares.tolist() == [1.0, 0.0]
    assert many.null_risk == pytest.approx(population.null_risk)


@pytest.mark.parametrize("alignment", [None, 0.0, 0.7])
@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_two_level(share, alignment):
    population = Population.two_level(8.0, share, alignment, signal=2.0)
    part = share if alignment is None else alignment
    assert population.signal.sum() == pytest.approx(2.0)
    assert population.null_risk == pytest.approx(2.0 * (1 - part + 8.0 * part))
    assert population.eigenvalues @ population.shares == pytest.approx(1 - share + 8.0 * share)


def test_random_effects_spread_the_signal_like_the_eigenvalues():
    population = Population.random_effects([0.5, 2.0, 0.0], [0.5, 0.3, 0.2], signal=4.0)
    assert population.signal == pytest.approx(4.0 * population.shares)


@pytest.mark.parametrize("source", [None, 0.0, 0.5, 2.0])
@pytest.mark.parametrize("decay", [0.0, 1.0, 2.5])
def test_power_law_has_its_two_exponents(decay, source):
    population = Population.power_law(decay, 40, source, signal=3.0)
    log_j = np.log(np.arange(1, 41))
    assert np.polyfit(log_j, np.log(population.eigenvalues), 1)[0] == pytest.approx(-decay, abs=1e-12)
    energy = np.log(population.eigenvalues * population.signal)
    expected = -decay if source is None else -(1 + 2 * source * decay)
    assert np.polyfit(log_j, energy, 1)[0] == pytest.approx(expected, abs=1e-12)
    assert population.signal.sum() == pytest.approx(3.0)


@pytest.mark.parametrize("rank", [3, 12])
def test_from_covariance_keeps_traces_energies_and_rank(rank):
    rng = np.random.default_rng(rank)
    root = rng.standard_normal((12, rank))
    covariance, beta = root @ root.T, rng.standard_normal(12)
    population = Population.from_covariance(covariance, beta, noise_variance=0.2)
    tau, g = population.eigenvalues, population.signal
    assert np.count_nonzero(tau) == rank
    assert population.shares == pytest.approx(np.full(12, 1 / 12))
    assert tau.sum() == pytest.approx(np.trace(covariance))
    assert (tau**2).sum() == pytest.approx(np.sum(covariance**2))
    assert g.sum() == pytest.approx(beta @ beta)
    power = beta
    for k in (1, 2, 3):
        power = covariance @ power
        assert (tau**k) @ g == pytest.approx(beta @ power, rel=CLOSED)


def test_from_covariance_forgives_rounding_only():
    covariance = np.array([[1.0, 0.5], [0.5 + 1e-13, 1.0]])
    assert Population.from_covariance(covariance, [1.0, 0.0]).eigenvalues == pytest.approx([0.5, 1.5])


def test_null_risk_must_be_finite():
    with pytest.raises(ValueError, match="null risk"):
        fm.Population([1e100, 1.0], [0.5, 0.5], [1e300, 1.0])


def test_magnitudes_whose_products_overflow_are_refused_and_the_largest_allowed_are_not():
    with pytest.raises(ValueError, match="eigenvalues must hold numbers of at most 1e\\+100, got 1e\\+308"):
        fm.Population([1e308, 1.0], [0.5, 0.5], [1.0, 1.0])
    with pytest.raises(ValueError, match="penalty"):
        fm.Loop(penalty=1e200)
    for tau, penalty, aspect, kind, w in itertools.product(
        (1e100, 1e-100), (0.0, 1e-100, 1.0, 1e100), (0.5, 4.0), ("frozen", "fresh"), (0.0, 0.5, 1.0)
    ):
        population = fm.Population([tau, 1.0], [0.5, 0.5], [1e-3, 1.0])
        loop = fm.Loop(aspect=aspect, penalty=penalty, covariates=kind, real_weight=w)
        assert not math.isnan(fm.limit(population, loop).risk)
        assert not np.isnan(fm.limit_surface(population, loop, penalty=[penalty]).risk).any()


def test_truth_values_are_no_numbers():
    with pytest.raises(TypeError, match="noise_variance"):
        fm.Population.isotropic(noise_variance=np.array(True))
