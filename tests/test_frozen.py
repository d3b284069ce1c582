"""Frozen covariates: limits and risks by generation (mathematics.md sections 3, 4 and 6)."""

import math
from types import SimpleNamespace

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import freshmix as fm
from freshmix.equivalents import PopulationEquivalents, SampleEquivalents
from freshmix.risks import contour, frozen
from freshmix.risks.setting import setting_of
from freshmix.risks.verdict import judge
from freshmix.words.figures import short

from . import naive
from .naive import POPULATIONS
from .tolerances import CLOSED, FINITE_SIZE, LAW, REFERENCE, SOLVED, largest_z

LABELS = ["fresh", "frozen"]

# kappa of the two kinds of real labels.
RENEWAL = {"fresh": 1.0, "frozen": 0.0}


def closed_form(population, aspect, penalty, labels="fresh"):
    """Plain ridge: B + sigma^2 Vr."""
    equivalents = PopulationEquivalents(population, aspect)
    one = equivalents.solve(penalty)
    return float((equivalents.bias(one, one) + equivalents.noise_variance * equivalents.variance(one, one))[0])


# Limits against the printed formulas in 50 digits.


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("penalty", [0.0, 1e-14, 1e-4, 0.5, 1e4])
@pytest.mark.parametrize("aspect", [0.3, 1.6])
@pytest.mark.parametrize("name", ["isotropic", "noiseless", "spiked", "two level", "covariance", "rank deficient"])
def test_limit_as_printed(name, aspect, penalty, labels):
    population = POPULATIONS[name]
    for w, rho in [(1e-6, 1.0), (0.05, 0.0), (0.3, 2.5), (0.618, 1.0), (0.9, 0.3), (1 - 1e-12, 1.0), (1.0, 1.0)]:
        loop = fm.Loop(aspect=aspect, penalty=penalty, real_weight=w, synthetic_noise_ratio=rho, labels=labels)
        expected = float(naive.printed_limit(population, loop))
        assert fm.limit(population, loop).risk == pytest.approx(expected, rel=CLOSED, abs=1e-15)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("penalty", [1e-14, 1e-8, 1e-3])
@pytest.mark.parametrize("aspect", [1 - 1e-6, 1.0, 1 + 1e-6])
@pytest.mark.parametrize("name", ["isotropic", "two level"])
def test_limit_as_printed_by_the_interpolation_threshold(name, aspect, penalty, labels):
    population = POPULATIONS[name]
    for w in (0.05, 0.618, 1 - 1e-5, 1 - 1e-12):
        loop = fm.Loop(aspect=aspect, penalty=penalty, real_weight=w, labels=labels)
        expected = float(naive.printed_limit(population, loop))
        assert fm.limit(population, loop).risk == pytest.approx(expected, rel=CLOSED, abs=0)


@pytest.mark.parametrize("rho", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("penalty", [1e-8, 0.1, 10.0, 1e8])
@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", ["isotropic", "noiseless", "spiked", "two level", "rank deficient"])
def test_limit_without_real_labels_as_printed(name, aspect, penalty, rho):
    population = POPULATIONS[name]
    loop = fm.Loop(aspect=aspect, penalty=penalty, real_weight=0.0, synthetic_noise_ratio=rho)
    expected = float(naive.printed_limit(population, loop))
    for labels in LABELS:
        assert fm.limit(population, loop.replace(labels=labels)).risk == pytest.approx(expected, rel=CLOSED)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("penalty", [0.0, 1e-14, 1e-6, 0.1])
@pytest.mark.parametrize("aspect", [0.5, 1 + 1e-6, 2.0])
@pytest.mark.parametrize("name", POPULATIONS)
def test_nothing_cancels_as_the_real_weight_tends_to_one(name, aspect, penalty, labels):
    population = POPULATIONS[name]
    for w in (1.0, 1 - 1e-15, 1 - 1e-13, 1 - 1e-12):
        found = fm.limit(population, fm.Loop(aspect=aspect, penalty=penalty, real_weight=w, labels=labels)).risk
        assert found == pytest.approx(closed_form(population, aspect, penalty), rel=CLOSED, abs=1e-15)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("w", [0.1, 0.618, 1 - 1e-5, 1.0])
@pytest.mark.parametrize("aspect", [0.5, 2.0])
@pytest.mark.parametrize("name", POPULATIONS)
def test_nothing_cancels_as_the_penalty_tends_to_zero(name, aspect, w, labels):
    population = POPULATIONS[name]
    loop = fm.Loop(aspect=aspect, real_weight=w, labels=labels)
    memory = frozen.memory_factor(w, 1.0, RENEWAL[labels]) + (labels == "frozen")
    equivalents = PopulationEquivalents(population, aspect)
    zero = equivalents.solve(0.0)
    expected = float((equivalents.bias(zero, zero) + memory * population.noise_variance * equivalents.variance(zero, zero))[0])
    for penalty in (0.0, 1e-30, 1e-16, 1e-14):
        found = fm.limit(population, loop.replace(penalty=penalty)).risk
        assert found == pytest.approx(expected, rel=CLOSED, abs=1e-15)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize(("w", "penalty"), [(1 - 1e-5, 1e-8), (1 - 1e-12, 1e-3), (0.3, 0.5), (0.05, 1e-6)])
def test_limit_of_a_sample_as_printed(w, penalty, labels):
    """mathematics.md section 3, from data: the printed difference loses 1e-3 at w = 1 - 1e-5, lambda = 1e-8."""
    rng = np.random.default_rng(0)
    s, c2, noise = rng.chisquare(20, 30) / 20, rng.chisquare(2, 30), 0.5
    loop = fm.Loop(penalty=penalty, real_weight=w, labels=labels, synthetic_noise_ratio=0.7)

    def at(z):
        inverse = [1 / (mp.mpf(value) + z) for value in s.tolist()]
        v, square = mp.fsum(inverse) / 30, mp.fsum(i**2 for i in inverse) / 30
        rest = v**2 / square  # 1 - x
        L = mp.fsum(mp.mpf(value) * i**2 for value, i in zip(c2.tolist(), inverse, strict=True)) / 30 / v**2
        return SimpleNamespace(T=1 / (z * v) - 1, B=L - mp.mpf(noise) / rest, Vr=1 / rest - 1)

    found = frozen.limit_risk(SampleEquivalents(s, c2, np.ones(30), noise), w, penalty, 0.7, RENEWAL[labels])
    assert float(found) == pytest.approx(float(naive.printed(at, noise, loop)), rel=CLOSED)


def test_limit_risk_broadcasts():
    equivalents = PopulationEquivalents(POPULATIONS["two level"], 2.0)
    w, penalty = np.array([0.0, 0.3, 1.0]), np.array([[0.0], [1e-3], [2.0]])
    table = frozen.limit_risk(equivalents, w, penalty)
    assert table.shape == (3, 3)
    one_by_one = [[float(frozen.limit_risk(equivalents, a, b)) for a in w] for b in penalty[:, 0]]
    assert table == pytest.approx(np.array(one_by_one), rel=1e-14)
    assert np.isinf(table).tolist() == [[True, False, False], [False] * 3, [False] * 3]


# Min-norm: the variance factors c_t.


@pytest.mark.parametrize("rho", [0.0, 0.5, 1.0])
def test_variance_factors(rho):
    collapse = frozen.variance_factors(np.zeros(50), rho)
    assert collapse == pytest.approx(1 + rho * np.arange(51))
    # The best schedule: c_t = w_t; without synthetic noise it is plain averaging.
    w = [1.0]
    for _ in range(50):
        w.append((rho + w[-1]) / (1 + rho + w[-1]))
    assert frozen.variance_factors(np.array(w[1:]), rho) == pytest.approx(w)
    if rho == 0:
        assert w == pytest.approx(1 / np.arange(1, 52))


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("rho", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("w", [0.1, 0.5, 1.0])
def test_variance_factors_tend_to_the_memory_factor(w, rho, labels):
    last = frozen.variance_factors(np.full(400, w), rho, RENEWAL[labels])[-1]
    assert last == pytest.approx(float(frozen.memory_factor(w, rho, RENEWAL[labels])) + (labels == "frozen"), rel=SOLVED)


# The contours.


@pytest.mark.parametrize(("low", "high"), [(0.5, 3.0), (1e-4, 7.0), (1e-7, 1.0)])
def test_circle_winds_around_the_bulk_and_not_around_zero(low, high):
    points, weights = contour.circle(low, high, 384)
    assert np.all(points.imag > 0)
    for inside in (low, math.sqrt(low * high), high):
        assert 2 * np.sum(weights / (points - inside)).real == pytest.approx(1, rel=CLOSED)
    for outside in (0.0, -low, -high):
        assert 2 * np.sum(weights / (points - outside)).real == pytest.approx(0, abs=CLOSED)


@pytest.mark.parametrize("degree", [1, 20, 100])
@pytest.mark.parametrize("penalty", [1e-3, 0.5, 100.0])
def test_ellipse_integrates_the_polynomials_of_its_degree(penalty, degree):
    """1/(2 pi i) of q^k / (q - q_s) dq around [0, q_max] is q_s^k, and q = zeta/(zeta + lambda)."""
    high = 4.0
    points, weights = contour.ellipse(penalty, high, degree, 1.0)
    q, dq = points / (points + penalty), weights * penalty / (points + penalty) ** 2
    for k in (0, 1, degree):
        for s in (0.0, 1.0, high):
            qs = s / (s + penalty)
            assert 2 * np.sum(dq * q**k / (q - qs)).real == pytest.approx(qs**k, abs=1e-11)
        # -lambda, where q has its pole, is outside.
        assert 2 * np.sum(dq * q**k).real == pytest.approx(0, abs=1e-11)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize(("penalty", "w", "generations"), [(0.3, 0.6, 12), (0.05, 0.0, 30), (5.0, 0.9, 3)])
@pytest.mark.parametrize("aspect", [0.4, 2.5])
@pytest.mark.parametrize("name", [name for name in POPULATIONS if name != "noiseless"])
def test_both_contours_agree(name, aspect, penalty, w, generations, labels, monkeypatch):
    equivalents = PopulationEquivalents(POPULATIONS[name], aspect)
    every = contour.contours
    risks = []
    for kind in (0, 1):
        monkeypatch.setattr(contour, "contours", lambda *args, kind=kind: [list(every(*args))[kind]])
        risks.append(frozen.risk_by_generation(equivalents, np.full(generations, w), penalty, 0.7, RENEWAL[labels]))
    assert risks[0] == pytest.approx(risks[1], rel=REFERENCE)
    assert not np.array_equal(risks[0], risks[1])


# Risks by generation against other ways of computing them.


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("w", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("aspect", "penalty"),
    [(a, b) for a in (0.3, 0.9, 1.1, 4.0) for b in (1e-8, 1e-4, 0.1, 100.0)] + [(1.0, b) for b in (1e-6, 1e-3, 0.1)],
)
def test_hundred_generations_against_the_marchenko_pastur_law(aspect, penalty, w, labels):
    loop = fm.Loop(aspect=aspect, penalty=penalty, real_weight=w, labels=labels, synthetic_noise_ratio=0.7)
    population = fm.Population.isotropic(2.0, 1.3)
    expected = naive.marchenko_pastur_risk(population, loop, 100)
    assert fm.risk(population, loop, 100) == pytest.approx(expected, rel=REFERENCE)


@pytest.mark.parametrize(("w", "labels"), [(0.0, "fresh"), (0.2, "fresh"), (0.2, "frozen")])
@pytest.mark.parametrize("aspect", [0.9, 1.0, 1.1])
def test_hundred_generations_at_condition_number_hundred(aspect, w, labels):
    population = fm.Population.two_level(100.0, 0.4, 0.3, 2.0)
    loop = fm.Loop(aspect=aspect, penalty=3.0, real_weight=w, labels=labels)
    expected = naive.ellipse_risk(population, loop, 100, nodes=1600)
    assert fm.risk(population, loop, 100) == pytest.approx(expected, rel=REFERENCE)


@pytest.mark.slow
@pytest.mark.parametrize(("w", "ratio", "generations"), [(0.3, 1e-9, 100), (0.5, 1e-10, 10)])
def test_fifty_digits_at_the_threshold_and_condition_number_hundred_thousand(w, ratio, generations):
    population = fm.Population.two_level(1e5, 0.3, 0.5, 2.0)
    loop = fm.Loop(aspect=1 - 1e-6, penalty=1e5 * ratio, real_weight=w, synthetic_noise_ratio=0.7)
    expected = naive.precise_risk(population, loop, generations, nodes=150)
    assert fm.risk(population, loop, generations)[-1] == pytest.approx(float(expected), rel=REFERENCE)


@pytest.mark.parametrize("w", [0.0, 0.3])
@pytest.mark.parametrize("aspect", [1 - 1e-6, 1 - 1e-9, 1.0, 1 + 1e-9, 1 + 1e-6])
@pytest.mark.parametrize("condition", [1e2, 1e5, 1e8])
def test_the_threshold_at_any_condition_number(condition, aspect, w):
    """Settled, right at generation 0, continuous across the threshold, and on the way to the limit."""
    population = fm.Population.two_level(condition, 0.3, 0.5, 2.0)
    for ratio in (1e-10, 1e-9, 1e-8, 1e-3):
        loop = fm.Loop(aspect=aspect, penalty=ratio * condition, real_weight=w)
        found = fm.risk(population, loop, 100)
        assert found[0] == pytest.approx(closed_form(population, aspect, loop.penalty), rel=REFERENCE)
        at_one = fm.risk(population, loop.replace(aspect=1.0), 100)
        assert found == pytest.approx(at_one, rel=max(1e-12, 1.1 * abs(aspect - 1) / math.sqrt(ratio)))
        if w > 0:
            assert found[-1] == pytest.approx(fm.limit(population, loop).risk, rel=REFERENCE)


@pytest.mark.parametrize("penalty", [1e-6, 1e-3, 0.1])
@pytest.mark.parametrize("aspect", [0.9, 1.0, 1.1])
def test_small_penalties_at_condition_number_hundred(aspect, penalty):
    """No closed form here: plain ridge at first, then further and further from it, and still below the limit."""
    population = fm.Population.two_level(100.0, 0.4, 0.3, 2.0)
    loop = fm.Loop(aspect=aspect, penalty=penalty, real_weight=0.0)
    found = fm.risk(population, loop, 100)
    assert found[0] == pytest.approx(closed_form(population, aspect, penalty), rel=REFERENCE)
    assert np.all(np.diff(found) > 0)
    assert found[-1] < fm.limit(population, loop).risk


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize(("w", "penalty"), [(0.3, 0.05), (0.05, 1.0), (1.0, 0.3), (0.0, 3.0)])
@pytest.mark.parametrize("aspect", [0.5, 2.0])
@pytest.mark.parametrize("name", ["isotropic", "spiked", "two level", "power law", "rank deficient"])
def test_risk_tends_to_its_limit(name, aspect, w, penalty, labels):
    loop = fm.Loop(aspect=aspect, penalty=penalty, real_weight=w, labels=labels, synthetic_noise_ratio=0.8)
    last = fm.risk(POPULATIONS[name], loop, 300)[-1]
    assert last == pytest.approx(fm.limit(POPULATIONS[name], loop).risk, rel=REFERENCE)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize(("aspect", "penalty"), [(0.5, 0.0), (2.0, 0.0), (0.5, 0.2), (2.0, 0.2)])
@pytest.mark.parametrize("name", ["isotropic", "spiked", "two level", "rank deficient"])
def test_risk_against_the_exact_expectation_given_large_tables(name, aspect, penalty, labels):
    population = POPULATIONS[name]
    n, p = (400, 200) if aspect < 1 else (175, 350)
    loop = fm.Loop(aspect=aspect, penalty=penalty, schedule=[0.6, 0.2, 0.9, 0.4], labels=labels, synthetic_noise_ratio=0.5)
    found = []
    for seed in range(6):
        X, beta, sigma = naive.draw(population, n, p, np.random.default_rng(seed))
        found.append(naive.conditional_risk(X, beta, sigma, population.noise_variance, 0.5, loop.weights(4), penalty, labels))
    expected = fm.risk(population, loop, 4)
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    assert np.all(np.abs(np.mean(found, axis=0) - expected) <= 4 * error + FINITE_SIZE * expected)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize(("aspect", "penalty"), [(0.5, 0.0), (2.0, 0.0), (1.0, 0.2)])
def test_refits_against_the_exact_expectation(aspect, penalty, labels):
    """The two textbook versions against each other: a loop that was run, and its expectation given X."""
    population, n, weights = POPULATIONS["two level"], 40, [0.6, 0.2, 0.9, 0.4]
    rng = np.random.default_rng(12)
    X, beta, sigma = naive.draw(population, n, int(aspect * n), rng)
    arguments = (X, beta, sigma, 1.5, 0.5, weights, penalty, labels)
    run, expected = naive.refits(*arguments, rng, replicates=4000), naive.conditional_risk(*arguments)
    z = (run.mean(axis=1) - expected) / (run.std(axis=1, ddof=1) / np.sqrt(run.shape[1]))
    assert np.all(np.abs(z) < largest_z(6 * z.size))


@pytest.mark.slow
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize(("aspect", "penalty"), [(0.5, 0.0), (2.0, 0.0), (0.5, 0.2), (1.0, 0.2), (2.0, 0.2)])
@pytest.mark.parametrize("name", ["isotropic", "random effects", "spiked", "two level", "rank deficient"])
def test_risk_against_loops_that_were_run(name, aspect, penalty, labels):
    """New X, beta and labels in each of 300 runs; what is left at n = 200 is O(1/n)."""
    population, n, weights = POPULATIONS[name], 200, [0.6, 0.2, 0.9]
    rng = np.random.default_rng(3)
    runs = []
    for _ in range(300):
        X, beta, sigma = naive.draw(population, n, int(aspect * n), rng)
        runs.append(naive.refits(X, beta, sigma, population.noise_variance, 0.5, weights, penalty, labels, rng, 1)[:, 0])
    loop = fm.Loop(aspect=aspect, penalty=penalty, schedule=weights, labels=labels, synthetic_noise_ratio=0.5)
    expected = fm.risk(population, loop, 3)
    error = np.std(runs, axis=0, ddof=1) / np.sqrt(len(runs))
    assert np.all(np.abs(np.mean(runs, axis=0) - expected) <= largest_z(200) * error + 4 / n * expected)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("penalty", [0.0, 0.4])
def test_horizon_risk_is_the_last_entry_of_the_risk_by_generation(penalty, labels):
    equivalents = PopulationEquivalents(POPULATIONS["two level"], 2.0)
    w = np.array([0.0, 0.3, 1.0])
    found = frozen.horizon_risk(equivalents, w, penalty, 7, 0.6, RENEWAL[labels])
    each = [frozen.risk_by_generation(equivalents, np.full(7, one), penalty, 0.6, RENEWAL[labels])[-1] for one in w]
    assert found == pytest.approx(each, rel=LAW)


# Laws, for every population.

ASPECTS = st.sampled_from([0.4, 0.8, 1.0, 1.3, 3.0])
PENALTIES = st.floats(-2, 2).map(lambda x: 10**x) | st.just(0.0)
WEIGHTS = st.floats(0.02, 1.0)
RATIOS = st.floats(0.0, 3.0)


@st.composite
def settings_of_a_loop(draw):
    population = POPULATIONS[draw(st.sampled_from(sorted(POPULATIONS)))]
    aspect, penalty = draw(ASPECTS), draw(PENALTIES)
    if penalty == 0 and aspect == 1.0:
        aspect = 1.5
    loop = fm.Loop(
        aspect=aspect,
        penalty=penalty,
        real_weight=draw(WEIGHTS),
        synthetic_noise_ratio=draw(RATIOS),
        labels=draw(st.sampled_from(LABELS)),
    )
    return population, loop


def law(check):
    """A property of risk and limit at any population and loop."""
    return settings(max_examples=40, derandomize=True, deadline=None)(given(settings_of_a_loop())(check))


def risks(population, loop, generations=5):
    """Generations 0 ... T, and the limit."""
    return np.append(fm.risk(population, loop, generations), fm.limit(population, loop).risk)


def changed(population, tau=1.0, g=1.0, noise=1.0):
    return fm.Population(
        tau * population.eigenvalues, population.shares, g * population.signal, noise * population.noise_variance
    )


@law
def test_risk_is_linear_in_signal_and_noise(drawn):
    population, loop = drawn
    assert risks(changed(population, g=3.0, noise=3.0), loop) == pytest.approx(3 * risks(population, loop), rel=LAW)
    parts = risks(changed(population, noise=0.0), loop) + risks(changed(population, g=0.0), loop)
    assert parts == pytest.approx(risks(population, loop), rel=LAW)


@law
def test_units_of_the_features_do_not_matter(drawn):
    population, loop = drawn
    scaled = changed(population, tau=7.0, g=1 / 7)
    assert risks(scaled, loop.replace(penalty=7 * loop.penalty)) == pytest.approx(risks(population, loop), rel=LAW)


@law
def test_atoms_may_be_split_and_reordered(drawn):
    population, loop = drawn
    tau, h, g = population.eigenvalues, population.shares, population.signal
    split = fm.Population(
        np.append(tau, tau)[::-1],
        np.append(0.3 * h, 0.7 * h)[::-1],
        np.append(0.9 * g, 0.1 * g)[::-1],
        population.noise_variance,
    )
    assert risks(split, loop) == pytest.approx(risks(population, loop), rel=LAW)


@law
def test_null_directions_are_no_features(drawn):
    population, loop = drawn
    tau, h, g = population.eigenvalues, population.shares, population.signal
    padded = fm.Population(np.append(tau, 0.0), np.append(0.8 * h, 0.2), np.append(g, 5.0), population.noise_variance)
    assert risks(padded, loop.replace(aspect=loop.aspect / 0.8)) == pytest.approx(risks(population, loop), rel=LAW)


@law
def test_without_synthetic_labels_every_generation_is_plain_ridge(drawn):
    population, loop = drawn
    found = risks(population, loop.replace(real_weight=1.0))
    assert found == pytest.approx(closed_form(population, loop.aspect, loop.penalty), rel=LAW)
    fresh_rows = fm.limit(population, loop.replace(real_weight=1.0, covariates="fresh", labels="fresh"))
    assert fresh_rows.risk == pytest.approx(found[-1], rel=LAW)


@law
def test_generation_zero_is_plain_ridge(drawn):
    population, loop = drawn
    plain = closed_form(population, loop.aspect, loop.penalty)
    assert fm.risk(population, loop, 0) == pytest.approx([plain], rel=LAW)
    assert fm.limit(population, loop).first == pytest.approx(plain, rel=LAW)


@law
def test_synthetic_noise_enters_linearly(drawn):
    """Section 3: only through w^2 + rho (1-w)^2; section 4: through rho (1-w)^2."""
    population, loop = drawn
    none, half, whole = (risks(population, loop.replace(synthetic_noise_ratio=rho)) for rho in (0.0, 1.0, 2.0))
    assert half == pytest.approx((none + whole) / 2, rel=LAW)
    if loop.labels == "fresh":
        # At w' with the same bias filters there is none; so take the noise part alone, which c(w) scales in the limit.
        w = loop.real_weight
        silent = [fm.limit(changed(population, g=0.0), loop.replace(synthetic_noise_ratio=rho)).risk for rho in (0.0, 2.0)]
        assert silent[1] * w**2 == pytest.approx(silent[0] * (w**2 + 2 * (1 - w) ** 2), rel=LAW)


@law
def test_a_constant_schedule_is_a_constant_weight(drawn):
    population, loop = drawn
    scheduled = loop.replace(schedule=[loop.real_weight] * 2)
    assert risks(population, scheduled) == pytest.approx(risks(population, loop), rel=SOLVED)


@law
def test_only_the_last_weight_of_a_schedule_decides_the_limit(drawn):
    population, loop = drawn
    scheduled = loop.replace(schedule=[0.9, 0.0, loop.real_weight])
    assert fm.limit(population, scheduled) == fm.limit(population, loop)


@law
def test_small_penalties_tend_to_min_norm(drawn):
    population, loop = drawn
    loop = loop.replace(aspect=1.5 if loop.aspect == 1.0 else loop.aspect)
    tiny = loop.replace(penalty=1e-9 * population.eigenvalues[population.eigenvalues > 0].min())
    assert risks(population, tiny) == pytest.approx(risks(population, loop.replace(penalty=0.0)), rel=1e-4)


@law
def test_large_penalties_tend_to_predicting_zero(drawn):
    population, loop = drawn
    huge = loop.replace(penalty=1e9 * population.eigenvalues.max())
    assert risks(population, huge) == pytest.approx(population.null_risk, rel=1e-6)


@law
def test_frozen_labels_cost_no_less_than_fresh_ones(drawn):
    population, loop = drawn
    fresh, old = (risks(population, loop.replace(labels=labels)) for labels in LABELS)
    assert np.all(fresh <= old * (1 + LAW))
    assert fresh[0] == pytest.approx(old[0], rel=LAW)


# Verdicts (section 6) and what is refused.


@pytest.mark.parametrize(
    ("risk", "real_only", "null", "verdict"),
    [
        (math.inf, 1.0, 2.0, "diverges"),
        (math.inf, math.inf, 2.0, "diverges"),
        (2.5, 1.0, 2.0, "collapses"),
        (1.5, 1.0, 2.0, "degrades"),
        (2.0, 1.0, 2.0, "degrades"),
        (1.0, 1.0, 2.0, "holds"),
        (1.0 + 5e-10, 1.0, 2.0, "holds"),
        (3.0, 3.0, 2.0, "holds"),
        (1.0 + 5e-9, 1.0, 2.0, "degrades"),
        (1.0 - 5e-9, 1.0, 2.0, "improves"),
        (2.5, 3.0, 2.0, "improves"),
        (2.5, math.inf, 2.0, "improves"),
        (0.0, 0.0, 0.0, "holds"),
        (0.1, 0.0, 0.0, "collapses"),
    ],
)
def test_the_first_verdict_that_applies(risk, real_only, null, verdict):
    found, reason = judge(risk, real_only, null)
    assert found == verdict
    assert ("above that of predicting the mean" in reason) == (math.isfinite(risk) and risk > null * (1 + 1e-9))


@law
def test_verdict_follows_its_definition(drawn):
    population, loop = drawn
    found = fm.limit(population, loop)
    assert found.null == population.null_risk
    assert found.real_only == found.first
    assert found.collapse_number is None
    equal = abs(found.risk - found.real_only) <= 1e-9 * max(found.risk, found.real_only)
    above = [found.risk > found.real_only, found.risk > found.null]
    expected = "holds" if equal else {(True, True): "collapses", (True, False): "degrades"}.get(tuple(above), "improves")
    assert found.verdict == expected
    assert short(found.risk) in found.reason


@pytest.mark.parametrize(
    ("w", "rho", "verdict"),
    [
        (0.0, 1.0, "diverges"),
        (0.1, 1.0, "collapses"),
        (0.3, 1.0, "degrades"),
        (1 / 3, 1.0, "holds"),
        (0.618, 1.0, "improves"),
        (1.0, 1.0, "holds"),
        (0.0, 0.0, "holds"),
        (0.01, 0.0, "improves"),
        (0.2, 0.5, "holds"),
    ],
)
@pytest.mark.parametrize("name", ["isotropic", "spiked", "random effects"])
def test_verdicts_of_min_norm(name, w, rho, verdict):
    """The long run beats generation 0 iff rho/(2+rho) < w < 1."""
    signal = 1.5 * POPULATIONS[name].signal / POPULATIONS[name].null_risk
    population = fm.Population(POPULATIONS[name].eigenvalues, POPULATIONS[name].shares, signal, 1.0)
    assert fm.limit(population, fm.Loop(aspect=0.5, real_weight=w, synthetic_noise_ratio=rho)).verdict == verdict


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("w", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("population", "aspect"),
    [(POPULATIONS["isotropic"], 1.0), (fm.Population([0.0, 1.0, 3.0], [0.5, 0.25, 0.25], [0.0, 1.0, 1.0]), 2.0)],
)
def test_the_interpolation_threshold_is_named(population, aspect, w, labels):
    loop = fm.Loop(aspect=aspect, real_weight=w, labels=labels)
    found = fm.limit(population, loop)
    assert (found.risk, found.verdict) == (math.inf, "diverges")
    assert f"interpolation threshold: aspect {aspect:g} without a penalty" in found.reason
    assert np.all(np.isposinf(fm.risk(population, loop, 4)))
    assert math.isfinite(fm.limit(population, loop.replace(penalty=1e-12, real_weight=w or 0.1)).risk)


@pytest.mark.parametrize("w", [0.1, 0.5])
def test_without_noise_the_threshold_is_harmless(w):
    loop = fm.Loop(aspect=1.0, real_weight=w)
    assert fm.limit(POPULATIONS["noiseless"], loop).risk == 0
    assert fm.risk(POPULATIONS["noiseless"], loop, 3).tolist() == [0.0] * 4


@pytest.mark.parametrize("labels", LABELS)
def test_linear_collapse_is_named(labels):
    loop = fm.Loop(aspect=0.5, real_weight=0.0, labels=labels)
    found = fm.limit(POPULATIONS["isotropic"], loop)
    assert (found.risk, found.verdict) == (math.inf, "diverges")
    assert "real weight 0 without a penalty" in found.reason
    risk = fm.risk(POPULATIONS["isotropic"], loop, 10)
    assert np.diff(risk) == pytest.approx(risk[0])


def test_without_synthetic_noise_the_loop_stays_where_its_schedule_left_it():
    loop = fm.Loop(aspect=0.5, schedule=[0.5, 1 / 3, 0.0], synthetic_noise_ratio=0.0)
    found = fm.limit(POPULATIONS["isotropic"], loop)
    assert found.risk == pytest.approx(fm.risk(POPULATIONS["isotropic"], loop, 9)[-1])
    assert found.risk == pytest.approx(1 / 3)
    assert found.verdict == "improves"


@pytest.mark.parametrize(
    ("population", "loop", "generations", "error", "says"),
    [
        ("isotropic", fm.Loop(aspect=2.0, real_weight=0.5), 3, TypeError, "population must be a Population, got str"),
        (POPULATIONS["isotropic"], 0.5, 3, TypeError, "loop must be a Loop or a sequence of at least one Loop, got float"),
        (POPULATIONS["isotropic"], [], 3, TypeError, "at least one Loop, got list"),
        (POPULATIONS["isotropic"], fm.Loop(real_weight=0.5), 3, ValueError, "the loop needs an aspect .* got none"),
        (POPULATIONS["isotropic"], fm.Loop(aspect=2.0), 3, ValueError, "the loop needs a real_weight or a schedule"),
        (POPULATIONS["isotropic"], [fm.Loop(aspect=2.0, real_weight=0.5)] * 2, 3, ValueError, "needs covariates='fresh'"),
        (
            POPULATIONS["isotropic"],
            fm.Loop.partially_labelled(aspect=2.0, labelled=0.5, covariates="frozen"),
            3,
            ValueError,
            "groups of different real weights have no closed form",
        ),
    ],
)
def test_what_theory_cannot_answer_is_refused(population, loop, generations, error, says):
    with pytest.raises(error, match=says):
        fm.risk(population, loop, generations)
    with pytest.raises(error, match=says):
        fm.limit(population, loop)


@pytest.mark.parametrize(("generations", "error"), [(-1, ValueError), (2.5, ValueError), (True, TypeError), ("3", TypeError)])
def test_generations_must_be_a_whole_number(generations, error):
    with pytest.raises(error, match="generations must be"):
        fm.risk(POPULATIONS["isotropic"], fm.Loop(aspect=2.0, real_weight=0.5), generations)


@pytest.mark.parametrize("noise", [1e-8, 1e8])
@pytest.mark.parametrize("penalty", [0.0, 1e-12, 1e-3, 1e12])
@pytest.mark.parametrize("aspect", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("tau", [1e-6, 1e6])
def test_extreme_numbers_give_no_nan_and_no_warning(tau, aspect, penalty, noise):
    population = fm.Population([tau, 2 * tau], [0.5, 0.5], [1 / tau, 1 / tau], noise)
    for w in (0.0, 1e-12, 0.5, 1.0):
        loop = fm.Loop(aspect=aspect, penalty=penalty, real_weight=w)
        found = fm.limit(population, loop)
        assert found.risk >= 0
        assert found.verdict in {"diverges", "collapses", "degrades", "holds", "improves"}


@pytest.mark.parametrize("labels", ["fresh", "frozen"])
def test_without_noise_nothing_is_forgotten_or_added(labels):
    """w = 0 without penalty and noise: 0 times an unbounded factor is 0."""
    found = fm.limit(fm.Population.isotropic(2.0, 0.0), fm.Loop(aspect=0.5, real_weight=0.0, labels=labels))
    assert found.risk == 0
    assert found.verdict == "holds"


def test_denormal_weights_are_weight_zero():
    loop = fm.Loop(aspect=1.0, penalty=1.0)
    zero, tiny = (fm.limit(fm.Population.isotropic(), loop.replace(real_weight=w)).risk for w in (0.0, 1e-310))
    assert tiny == pytest.approx(zero, rel=1e-12)


@pytest.mark.parametrize("generations", [0, 1, 40, 1500])
@pytest.mark.parametrize("name", ["isotropic", "spiked", "rank deficient"])
def test_courses_together_are_those_one_by_one(name, generations):
    """Also where one forgets at once, one hardly does, and one has another penalty."""
    population = POPULATIONS[name]
    loop = fm.Loop(aspect=1.4, penalty=0.2, real_weight=0.6, anchor=0.3, label_renewal=0.7)
    same = [loop, loop.replace(real_weight=1.0), loop.replace(real_weight=0.02), loop.replace(schedule=(0.9, 0.1, 0.5))]
    for loops in (same, [*same, loop.replace(penalty=0.4)], [loop.replace(penalty=0.0), same[1].replace(penalty=0.0)]):
        found = setting_of(population, loops[0]).courses(loops, generations)
        for each, risks in zip(loops, found, strict=True):
            np.testing.assert_allclose(risks, fm.risk(population, each, generations), rtol=3e-10)
