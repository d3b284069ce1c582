"""The companion transform and its traces, of a population and of a sample (mathematics.md sections 2 and 7)."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import freshmix as fm
from freshmix.equivalents import PopulationEquivalents, SampleEquivalents

from . import naive
from .naive import POPULATIONS
from .tolerances import CLOSED, FINITE_SIZE, INPUT, SAMPLE, SOLVED, largest_z

WIDE = np.logspace(0, 12, 7)
SPECTRA = {
    "one atom": fm.Population([3.0], [1.0], [1.0]),
    "two atoms": fm.Population([0.5, 2.0], [0.6, 0.4], [1.0, 2.0]),
    "condition number 1e12": fm.Population([1e-9, 1e3], [0.7, 0.3], [1.0, 1.0]),
    "seven atoms over 1e12": fm.Population(WIDE, np.arange(1, 8) / 28, np.ones(7)),
    "spikes": fm.Population([1.0, 20.0, 1e6], [1.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
    "small spike": fm.Population([1.0, 1e-3], [1.0, 0.0], [1.0, 1.0]),
    "null eigenvalue": fm.Population([0.0, 1.0, 4.0], [0.19, 0.5, 0.31], [1.0, 1.0, 0.5]),
}
ASPECTS = [0.01, 0.5, 1 - 1e-6, 1.0, 1 + 1e-6, 2.0, 100.0]
POINTS = [0.0, 1e-12, 1e-6, 1e-2, 1.0, 1e3, 1e12]


def solved(population, aspect, z):
    equivalents = PopulationEquivalents(population, aspect)
    return equivalents, equivalents.solve(z)


@pytest.fixture
def steps(monkeypatch):
    """The number of times the companion equation is evaluated."""
    calls = []
    evaluate = PopulationEquivalents._excess

    def counted(self, z, v):
        calls.append(z.size)
        return evaluate(self, z, v)

    monkeypatch.setattr(PopulationEquivalents, "_excess", counted)
    return calls


# The companion equation on the real line.


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("name", SPECTRA)
def test_companion_equation_to_rounding(name, aspect, steps):
    found = PopulationEquivalents(SPECTRA[name], aspect).companion(np.array(POINTS))
    exact = [naive.companion(SPECTRA[name], aspect, z)[0] for z in POINTS]
    assert found == pytest.approx([float(v) for v in exact], rel=SOLVED, abs=0)
    assert len(steps) <= 60


@st.composite
def spectra(draw):
    """Up to five atoms over up to twelve decades; some shares and some eigenvalues are 0."""
    size = draw(st.integers(1, 5))
    exponents = draw(st.lists(st.floats(-6, 6), min_size=size, max_size=size))
    tau = np.array([draw(st.sampled_from([1.0, 1.0, 1.0, 0.0])) * 10**x for x in exponents])
    parts = np.array(draw(st.lists(st.integers(0, 1000), min_size=size, max_size=size)), dtype=float)
    k = draw(st.integers(0, size - 1))
    tau[k], parts[k] = 10 ** exponents[k], max(parts[k], 1.0)
    return fm.Population(tau, parts / parts.sum(), np.ones(size))


LOG_ASPECTS = st.floats(-2, 2).map(lambda x: 10**x) | st.sampled_from([1 - 1e-6, 1.0, 1 + 1e-6])


@settings(max_examples=60, derandomize=True, deadline=None)
@given(spectra(), LOG_ASPECTS, st.floats(-12, 12))
def test_companion_equation_for_any_spectrum(population, aspect, exponent):
    z = 10**exponent
    counted = []
    equivalents = PopulationEquivalents(population, aspect)
    evaluate = equivalents._excess
    equivalents._excess = lambda z, v: counted.append(v) or evaluate(z, v)
    found = float(equivalents.companion(np.array([z]))[0])
    v, slope = naive.companion(population, aspect, z)
    # Where part of the spectrum is at the threshold, gamma h itself is rounded and no solver can do better.
    assert found == pytest.approx(float(v), rel=SOLVED + INPUT / float(slope), abs=0)
    assert len(counted) <= 100


@settings(max_examples=60, derandomize=True, deadline=None)
@given(spectra(), LOG_ASPECTS, st.lists(st.floats(-12, 12), min_size=1, max_size=8, unique=True))
def test_companion_falls_between_its_bounds_and_points_do_not_meet(population, aspect, exponents):
    equivalents = PopulationEquivalents(population, aspect)
    z = 10 ** np.sort(exponents)
    v = equivalents.companion(z)
    assert np.all(np.diff(v) <= 0)
    assert np.all(v <= (1 + SOLVED) / z)
    assert np.all(v >= (1 - SOLVED) / (z + equivalents.mean_trace))
    one_by_one = [float(equivalents.companion(np.array([point]))[0]) for point in z]
    assert v == pytest.approx(one_by_one, rel=1e-14, abs=0)


@pytest.mark.parametrize(
    ("population", "aspect", "singular"),
    [
        (SPECTRA["one atom"], 0.5, False),
        (SPECTRA["one atom"], 1.0, False),
        (SPECTRA["one atom"], 1.5, True),
        (fm.Population([0.0, 1.0], [0.5, 0.5], [1.0, 1.0]), 1.9, False),
        (fm.Population([0.0, 1.0], [0.5, 0.5], [1.0, 1.0]), 2.0, False),
        (fm.Population([0.0, 1.0], [0.5, 0.5], [1.0, 1.0]), 2.1, True),
    ],
)
def test_ends_of_the_line(population, aspect, singular):
    equivalents = PopulationEquivalents(population, aspect)
    v = equivalents.companion(np.array([0.0, np.inf]))
    assert equivalents.singular == singular
    assert np.isfinite(v[0]) == singular
    assert v[1] == 0
    zero, far = equivalents.solve(0.0), equivalents.solve(np.inf)
    rank = aspect * population.shares[population.eigenvalues > 0].sum()
    assert zero.zv == pytest.approx(max(0.0, 1 - rank), abs=1e-15)
    assert far.zv == 1
    assert equivalents.bias(far, far) == pytest.approx(population.null_risk)
    assert equivalents.variance(far, far) == 0
    if not singular:
        assert equivalents.bias(zero, zero) == 0
        assert equivalents.variance(zero, zero) == pytest.approx(rank / (1 - rank) if rank < 1 else np.inf)


def test_shapes():
    equivalents = PopulationEquivalents(SPECTRA["two atoms"], 2.0)
    one, many = equivalents.solve(0.5), equivalents.solve([0.1, 0.5, 2.0])
    assert one.rows.shape == (1, 2)
    assert equivalents.trace(many).shape == equivalents.bias(many, many).shape == (3,)
    table = equivalents.variance(many, many[:2], table=True)
    assert table.shape == (3, 2)
    assert table[1, 0] == pytest.approx(equivalents.variance(many[1:2], many[:1])[0], rel=1e-14)
    assert one.rows + one.rest == pytest.approx(1.0)


# The complex plane.


@pytest.mark.parametrize("aspect", [0.02, 0.5, 1.0, 1 + 1e-6, 2.0, 50.0])
@pytest.mark.parametrize("name", SPECTRA)
def test_complex_companion_solves_its_equation_on_its_branch(name, aspect):
    population = SPECTRA[name]
    equivalents = PopulationEquivalents(population, aspect)
    rng = np.random.default_rng(0)
    real = np.concatenate([-rng.uniform(-0.1, 1.1, 40) * equivalents.bulk[1], 10 ** rng.uniform(-6, 6, 10)])
    z = real + 1j * rng.choice([-1, 1], 50) * equivalents.bulk[1] * 10 ** rng.uniform(-9, 1, 50)
    v = equivalents.solve(z).zv / z
    terms = [z * v] + [aspect * h * t * v / (1 + t * v) for t, h in zip(population.eigenvalues, population.shares, strict=True)]
    assert np.abs(np.sum(terms, axis=0) - 1) == pytest.approx(0, abs=1e-13 * (1 + np.abs(terms).sum(axis=0).max()))
    assert np.all(v.imag * z.imag < 0)
    assert equivalents.solve(z.conj()).zv == pytest.approx(equivalents.solve(z).zv.conj(), rel=1e-10)


@pytest.mark.parametrize("aspect", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("name", ["one atom", "two atoms", "spikes"])
def test_complex_companion_is_the_root_of_a_polynomial(name, aspect):
    equivalents = PopulationEquivalents(SPECTRA[name], aspect)
    rng = np.random.default_rng(1)
    z = -rng.uniform(-0.5, 1.5, 50) * min(equivalents.bulk[1], 50.0) + 1j * rng.choice([-1, 1], 50) * rng.uniform(0.1, 5, 50)
    assert equivalents.solve(z).zv / z == pytest.approx(naive.companion_roots(SPECTRA[name], aspect, z), rel=1e-8)


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", SPECTRA)
def test_complex_points_by_the_real_line_give_the_real_root(name, aspect):
    equivalents = PopulationEquivalents(SPECTRA[name], aspect)
    z = np.array([1e-3, 0.1, 1.0, 30.0])
    near, on = equivalents.solve(z + 1e-12j * z), equivalents.solve(z)
    assert near.zv.real == pytest.approx(on.zv, rel=1e-11)
    assert np.all(np.abs(near.zv.imag) <= 1e-11 * on.zv)


@pytest.mark.parametrize("height", [1e-2, 1e-8, 1e-11, 1e-15])
@pytest.mark.parametrize("aspect", [0.1, 0.5, 0.9, 2.0, 10.0])
def test_isotropic_rows_have_a_companion_in_closed_form(aspect, height):
    """The root of z v^2 + (z + gamma - 1) v - 1 below the real line; at 1e-11 the pole v = -1 passed for it once."""
    s = np.linspace((1 - np.sqrt(aspect)) ** 2, (1 + np.sqrt(aspect)) ** 2, 20001)[1:-1]
    z = -s + 1j * height
    b = z + aspect - 1
    roots = (-b + np.multiply.outer([1, -1], np.sqrt(b**2 + 4 * z))) / (2 * z)
    expected = np.where(roots[0].imag < 0, *roots)
    v = PopulationEquivalents(fm.Population.isotropic(), aspect)._complex_companion(z)
    np.testing.assert_allclose(v, expected, rtol=SOLVED)


def test_complex_points_on_the_real_line_are_refused():
    equivalents = PopulationEquivalents(SPECTRA["two atoms"], 2.0)
    with pytest.raises(ValueError, match="complex z must lie off the real axis"):
        equivalents.solve(np.array([1.0 + 0j]))


# Traces of one point and of two.


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("name", SPECTRA)
def test_traces_in_fifty_digits(name, aspect):
    z = np.array([1e-12, 1e-4, 1.0, 1e8])
    equivalents, points = solved(SPECTRA[name], aspect, z)
    exact = [naive.traces(SPECTRA[name], aspect, point) for point in z.tolist()]
    with mp.workdps(naive.DIGITS):
        mean_trace = mp.fsum(h * tau for h, tau, _ in naive.exact(SPECTRA[name], aspect))
        spread = [mean_trace - mp.mpf(point) * each.T for point, each in zip(z.tolist(), exact, strict=True)]
    assert equivalents.trace(points) == pytest.approx([float(each.T) for each in exact], rel=CLOSED, abs=0)
    assert equivalents.bias(points, points) == pytest.approx([float(each.B) for each in exact], rel=CLOSED, abs=0)
    assert equivalents.variance(points, points) == pytest.approx([float(each.Vr) for each in exact], rel=CLOSED, abs=0)
    assert equivalents.spread(points) == pytest.approx([float(each) for each in spread], rel=CLOSED, abs=0)


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", SPECTRA)
def test_two_point_functions_are_differences_of_one_point_functions(name, aspect):
    """mathematics.md section 2: the kernel's factor (v2-v1)/((z1-z2) v1 v2) is 1/(1 - x12); and the bracket of section 3."""
    z1, z2 = 0.7, 0.2
    equivalents, points = solved(SPECTRA[name], aspect, [z1, z2])
    one, two = (naive.traces(SPECTRA[name], aspect, z) for z in (z1, z2))
    with mp.workdps(naive.DIGITS):
        factor = (two.v - one.v) / ((mp.mpf(z1) - mp.mpf(z2)) * one.v * two.v)
        energies = [tau * g for _, tau, g in naive.exact(SPECTRA[name], aspect)]
        bias = factor * mp.fsum(e * d1 * d2 for e, d1, d2 in zip(energies, one.d, two.d, strict=True))
    assert equivalents.bias(points[:1], points[1:])[0] == pytest.approx(float(bias), rel=CLOSED)
    assert 1 + equivalents.variance(points[:1], points[1:])[0] == pytest.approx(float(factor), rel=CLOSED)


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", POPULATIONS)
def test_variance_is_a_derivative_of_the_trace(name, aspect):
    """S (S+z)^-2 = d/dz z (S+z)^-1: Vr(z) = d/dz [z T(z)]; and -v'(z) = v^2/(1-x), 1/(1-x) = 1 + Vr."""
    z, step = 0.8, 1e-4
    equivalents, points = solved(POPULATIONS[name], aspect, [z - 2 * step, z - step, z, z + step, z + 2 * step])

    def slope(values):
        return (values[0] - 8 * values[1] + 8 * values[3] - values[4]) / (12 * step)

    vr, v = equivalents.variance(points, points)[2], points.zv / points.z
    assert vr == pytest.approx(slope(points.z * equivalents.trace(points)), rel=1e-9)
    assert -slope(v) == pytest.approx(v[2] ** 2 * (1 + vr), rel=1e-9)


@pytest.mark.parametrize("aspect", [0.7, 1.0, 1.9])
@pytest.mark.parametrize("name", POPULATIONS)
def test_bulk_holds_the_spectrum(name, aspect):
    """Im v vanishes by the real axis where there is no spectrum: outside the bulk, and on the side of the penalties."""
    equivalents = PopulationEquivalents(POPULATIONS[name], aspect)
    low, high = equivalents.bulk
    outside = -np.array([high * 1.01, high * 2, -high, *([low * 0.9] if low > 1e-6 else [])])
    v = equivalents.solve(outside + 1e-9j * high)
    assert np.all(np.abs((v.zv / v.z).imag) < 1e-3 * np.abs(v.zv / v.z))


# The same quantities of a sample.


def table(n, p, seed, spectrum=(1.0, 4.0), noise=1.5):
    rng = np.random.default_rng(seed)
    tau = np.repeat(spectrum, [p - p // 3, p // 3])
    beta = rng.standard_normal(p) * np.sqrt(2 / p)
    X = rng.standard_normal((n, p)) * np.sqrt(tau)
    return X, X @ beta + np.sqrt(noise) * rng.standard_normal(n)


def of_sample(X, y, noise):
    """Eigenvalues of K = XX'/n and squared responses; the zeros of K as one entry that stands for all of them."""
    n, p = X.shape
    if p < n:
        s, V = np.linalg.eigh(X.T @ X / n)
        c = V.T @ (X.T @ y) / np.sqrt(n * s)
        squares = np.append(c**2, (y @ y - c @ c) / (n - p))
        return SampleEquivalents(np.append(s, 0.0), squares, np.append(np.ones(p), n - p), noise)
    s, U = np.linalg.eigh(X @ X.T / n)
    return SampleEquivalents(s, (U.T @ y) ** 2, np.ones(n), noise)


@pytest.mark.parametrize(("z1", "z2"), [(0.3, 0.3), (0.3, 1.1), (1e-3, 20.0)])
@pytest.mark.parametrize(("n", "p"), [(60, 25), (60, 90)])
def test_sample_formulas_against_dense_matrices(n, p, z1, z2):
    X, y = table(n, p, seed=n + p)
    noise = 1.5
    equivalents = of_sample(X, y, noise)
    K = X @ X.T / n
    G1, G2 = np.linalg.inv(K + z1 * np.eye(n)), np.linalg.inv(K + z2 * np.eye(n))
    v1, v2 = np.trace(G1) / n, np.trace(G2) / n
    one, two = equivalents.solve(z1), equivalents.solve(z2)
    assert one.zv == pytest.approx(z1 * v1)
    # Section 2: T(z) = 1/(z v) - 1. Section 7: V12 as a covariance; L(z1, z2) is the leave-one-out estimate.
    assert equivalents.trace(one) == pytest.approx(1 / (z1 * v1) - 1)
    variance = (np.trace(G1 @ G2) / n - v1 * v2) / (v1 * v2)
    assert equivalents.variance(one, two) == pytest.approx(variance, rel=1e-9)
    loo = y @ G1 @ G2 @ y / n / (v1 * v2)
    assert equivalents.bias(one, two) == pytest.approx(loo - noise * (1 + variance), rel=1e-9)
    assert equivalents.spread(one) == pytest.approx(np.trace(K) / n - z1 * (1 / (z1 * v1) - 1), rel=1e-9)
    assert equivalents.mean_trace == pytest.approx(np.trace(K) / n)
    assert equivalents.null_risk == pytest.approx(y @ y / n - noise)


@pytest.mark.parametrize(("n", "p"), [(60, 25), (60, 90)])
def test_sample_at_both_ends(n, p):
    X, y = table(n, p, seed=3)
    equivalents = of_sample(X, y, 1.5)
    assert equivalents.singular == (p > n)
    zero, far = equivalents.solve(0.0), equivalents.solve(np.inf)
    low, high = equivalents.solve(1e-9), equivalents.solve(1e9)
    middle = equivalents.solve(1.0)
    for end, near in ((zero, low), (far, high)):
        assert end.zv == pytest.approx(near.zv, abs=1e-7)
        assert equivalents.bias(end, end) == pytest.approx(equivalents.bias(near, near), rel=1e-6)
        assert equivalents.bias(end, middle) == pytest.approx(equivalents.bias(near, middle), rel=1e-6)
        assert equivalents.variance(end, end) == pytest.approx(equivalents.variance(near, near), rel=1e-6, abs=1e-12)
    assert equivalents.bias(far, far) == pytest.approx(equivalents.null_risk)
    if p < n:
        residual = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
        gcv = (residual @ residual / n) / (1 - p / n) ** 2
        assert equivalents.bias(zero, zero) == pytest.approx(gcv - 1.5 / (1 - p / n))


def test_sample_variance_keeps_its_digits_at_large_penalties():
    X, y = table(60, 90, seed=4)
    equivalents = of_sample(X, y, 1.5)
    far, s = equivalents.solve(1e12), equivalents.s
    # cov(1/(s+z), 1/(s+z))/v^2 tends to var(s)/z^2, 24 digits below the terms of the difference.
    assert equivalents.variance(far, far) == pytest.approx(np.var(s) / 1e24, rel=1e-6, abs=0)
    assert equivalents.spread(far) == pytest.approx(np.var(s) / 1e12, rel=1e-6, abs=0)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (([1.0, -1.0], [1.0, 1.0], [1.0, 1.0], 1.0), ValueError, "eigenvalues must hold finite numbers of at least 0"),
        (([1.0], [-1.0], [1.0], 1.0), ValueError, "squares must hold finite numbers of at least 0"),
        (([1.0], [1.0], [np.nan], 1.0), ValueError, "multiplicity must hold finite numbers"),
        (([1.0], [1.0], [1.0], -1.0), ValueError, "noise_variance must be .* got -1"),
    ],
)
def test_samples_are_checked(arguments, error, says):
    with pytest.raises(error, match=says):
        SampleEquivalents(*arguments)


def limit_of(n, p, noise):
    shares = np.array([p - p // 3, p // 3]) / p
    return PopulationEquivalents(fm.Population.random_effects([1.0, 4.0], shares, 2.0, noise), p / n)


@pytest.mark.parametrize("aspect", [0.5, 1.5])
def test_a_large_sample_agrees_with_its_population(aspect):
    n, noise = 2000, 1.5
    p = int(aspect * n)
    sample, population = of_sample(*table(n, p, seed=7, noise=noise), noise), limit_of(n, p, noise)
    mine, theirs = sample.solve([0.1, 1.0, 10.0]), population.solve([0.1, 1.0, 10.0])
    assert mine.zv == pytest.approx(theirs.zv, rel=0.1 * SAMPLE)
    assert sample.trace(mine) == pytest.approx(population.trace(theirs), rel=SAMPLE)
    assert sample.spread(mine) == pytest.approx(population.spread(theirs), rel=SAMPLE)
    assert sample.variance(mine, mine, table=True) == pytest.approx(population.variance(theirs, theirs, table=True), rel=SAMPLE)
    low, high = population.bulk
    assert sample.s.max() <= high * (1 + SAMPLE)
    assert sample.bulk[0] >= low * (1 - SAMPLE)
    assert sample.null_risk == pytest.approx(population.null_risk, rel=4 * SAMPLE)


@pytest.mark.parametrize("aspect", [0.5, 1.5])
def test_the_bias_of_a_sample_is_that_of_its_population_on_average(aspect):
    n, noise, tables = 200, 1.5, 60
    p = int(aspect * n)
    population = limit_of(n, p, noise)
    found = []
    for seed in range(tables):
        sample = of_sample(*table(n, p, seed=seed, noise=noise), noise)
        solved = sample.solve([0.1, 1.0, 10.0])
        found.append(sample.bias(solved, solved, table=True))
    solved = population.solve([0.1, 1.0, 10.0])
    expected = population.bias(solved, solved, table=True)
    error = np.std(found, axis=0, ddof=1) / np.sqrt(tables)
    assert np.all(np.abs(np.mean(found, axis=0) - expected) <= largest_z(9) * error + FINITE_SIZE * expected)


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("row_sizes", [None, ([0.5, 1.75], [0.6, 0.4])])
def test_points_in_pieces_are_those_of_one_table(aspect, row_sizes, monkeypatch):
    population = fm.Population.power_law(1.0, 50, source=0.5).replace(row_sizes=row_sizes)
    z = np.geomspace(1e-6, 1e4, 61)
    found = []
    for size in (2**30, 1, 130):
        monkeypatch.setattr("freshmix.equivalents.population._MOST_NUMBERS", size)
        equivalents = PopulationEquivalents(population, aspect)
        found.append([equivalents.solve(z).zv, equivalents.solve(-z - 1j).zv])
    for pieces in found[1:]:
        np.testing.assert_allclose(pieces[0], found[0][0], rtol=1e-13)
        np.testing.assert_allclose(pieces[1], found[0][1], rtol=1e-12)
