"""Laws of loops on fresh covariates, over drawn populations and groups; those of frozen ones are in test_frozen."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import freshmix as fm
from freshmix.risks.generation import generation

from .tolerances import LAW

share = st.floats(0.05, 1.0)
weight = st.one_of(st.just(0.0), st.floats(0.01, 1.0), st.floats(1e-9, 0.01))
scale = st.floats(1e-3, 1e3)
T = 4


@st.composite
def populations(draw):
    """One to four atoms; a spike of share 0 and null directions among them."""
    size = draw(st.integers(1, 4))
    tau = draw(st.lists(st.floats(0.1, 10.0), min_size=size, max_size=size))
    h = np.array(draw(st.lists(share, min_size=size, max_size=size)))
    g = draw(st.lists(st.floats(0.0, 5.0), min_size=size, max_size=size))
    h /= h.sum()
    if draw(st.booleans()):
        tau, h, g = [*tau, 20.0], [*h, 0.0], [*g, 1.0]
    if draw(st.booleans()):
        tau, h, g = [*tau, 0.0], [*(0.8 * np.asarray(h)), 0.2], [*g, 0.5]
    return fm.Population(tau, h, g, draw(st.sampled_from([0.0, 0.1, 1.0, 5.0])))


@st.composite
def loops(draw, penalties=(0.0, 0.1, 2.0)):
    count = draw(st.integers(1, 3))
    f = np.array(draw(st.lists(share, min_size=count, max_size=count)))
    f /= f.sum()
    groups = [fm.Group(float(each), draw(st.floats(0.2, 5.0)), draw(weight)) for each in f]
    return fm.Loop(
        aspect=draw(st.sampled_from([0.3, 0.7, 1.6, 4.0])),
        penalty=draw(st.sampled_from(penalties)),
        covariates="fresh",
        synthetic_noise_ratio=draw(st.sampled_from([0.0, 0.5, 1.0, 3.0])),
        groups=groups,
    )


def law(check):
    return settings(max_examples=60, deadline=None, derandomize=True)(given(populations(), loops(), scale)(check))


def numbers(population, loop):
    """Risk by generation and in the long run."""
    return np.append(fm.risk(population, loop, T), fm.limit(population, loop).risk)


def agree(one, two, rel=LAW):
    np.testing.assert_allclose(one, two, rtol=rel)


@law
def test_risk_is_linear_in_signal_and_noise(population, loop, c):
    scaled = fm.Population(population.eigenvalues, population.shares, c * population.signal, c * population.noise_variance)
    agree(numbers(scaled, loop), c * numbers(population, loop))


@law
def test_units_of_the_features_do_not_matter(population, loop, c):
    scaled = fm.Population(c * population.eigenvalues, population.shares, population.signal / c, population.noise_variance)
    agree(numbers(scaled, loop.replace(penalty=c * loop.penalty)), numbers(population, loop))


@law
def test_row_weights_and_penalty_have_no_unit(population, loop, c):
    groups = [fm.Group(g.share, c * g.row_weight, g.real_weight) for g in loop.groups]
    # Generation 0 weighs all rows by 1.
    scaled = loop.replace(groups=groups, penalty=c * loop.penalty)
    agree(fm.limit(population, scaled).risk, fm.limit(population, loop).risk)


@law
def test_groups_may_be_split_and_reordered(population, loop, c):
    groups = [fm.Group(g.share / 2, g.row_weight, g.real_weight) for g in (*loop.groups, *reversed(loop.groups))]
    agree(numbers(population, loop.replace(groups=groups)), numbers(population, loop))


@law
def test_rows_of_no_weight_are_no_rows(population, loop, c):
    groups = [fm.Group(g.share / 2, g.row_weight, g.real_weight) for g in loop.groups]
    # Without label noise and penalty, real weight 0 stays at generation 0, which knows no groups.
    assume(fm.limit(population, loop).collapse_number < math.inf)
    padded = loop.replace(groups=[*groups, fm.Group(0.5, 0.0, 0.3)], aspect=loop.aspect / 2, penalty=loop.penalty / 2)
    agree(fm.limit(population, padded).risk, fm.limit(population, loop).risk)


@law
def test_real_labels_alone_are_plain_ridge_in_every_generation(population, loop, c):
    plain = loop.replace(groups=[fm.Group(g.share, 1.0, 1.0) for g in loop.groups])
    risks = numbers(population, plain)
    agree(risks, np.full_like(risks, risks[0]))
    agree(risks[0], fm.risk(population, fm.Loop(aspect=loop.aspect, penalty=loop.penalty, real_weight=1.0), 0)[0])


@law
def test_synthetic_noise_enters_through_the_noise_of_mixed_labels(population, loop, c):
    # One weight for all rows: the label noise is sigma^2 (w^2 + rho (1-w)^2), the rest does not know rho.
    w = loop.groups[0].real_weight
    assume(w < 0.99)
    one = loop.replace(real_weight=w, synthetic_noise_ratio=0.0)
    limits = [fm.limit(population, one.replace(synthetic_noise_ratio=rho)) for rho in (0.0, 1.0, c)]
    assume(limits[0].verdict != "diverges")
    base, unit, other = (limit.risk for limit in limits)
    np.testing.assert_allclose(other - base, c * (unit - base), rtol=1e-7, atol=LAW * base)
    if population.noise_variance > 0 and w > 0.01:
        silent = fm.Population(population.eigenvalues, population.shares, population.signal, 0.0)
        none = fm.limit(population=silent, loop=one).risk
        np.testing.assert_allclose((unit - none) / (w**2 + (1 - w) ** 2), (base - none) / w**2, rtol=1e-6)


@law
def test_many_generations_tend_to_the_limit_unless_the_collapse_number_is_one_or_more(population, loop, c):
    limit = fm.limit(population, loop)
    psi = limit.collapse_number
    assume(not 0.9 < psi < 1.1)
    long = fm.risk(population, loop, 400)
    noisy = population.noise_variance > 0 or population.null_risk > 0
    if psi < 1:
        turn = generation(population, loop, loop.groups)
        assume(max(psi, float(np.max(1 - turn.forgotten))) < 0.97)
        np.testing.assert_allclose(long[-1], limit.risk, rtol=1e-4)
    elif noisy and math.isfinite(psi):
        assert limit.risk == math.inf
        assert long[-1] == math.inf or long[-1] > 1e3 * long[200] > 0


@settings(max_examples=100, deadline=None, derandomize=True)
@given(populations(), loops(penalties=(0.0,)))
def test_small_penalties_tend_to_none_at_a_linear_rate(population, loop):
    """R(lambda) - R(0) is O(lambda): halving the penalty halves it.

    Small means beside the least eigenvalue, the distance from the threshold and what one generation forgets, since the limits
    of few real labels and of a small penalty do not commute.
    """
    rank = loop.aspect * population.shares[population.eigenvalues > 0].sum()
    assume(abs(rank - 1) > 0.2)
    bare = fm.limit(population, loop)
    assume(bare.collapse_number < 0.9)
    least = population.eigenvalues[(population.eigenvalues > 0) & (population.shares > 0)].min()
    forgotten = generation(population, loop, loop.groups).forgotten.min()
    penalty = 1e-6 * least * abs(rank - 1) * forgotten
    at_zero, at_half, at_one = (numbers(population, loop.replace(penalty=c * penalty)) for c in (0.0, 0.5, 1.0))
    size = population.null_risk + population.noise_variance
    np.testing.assert_allclose(at_one, at_zero, rtol=1e-3, atol=1e-9 * size)
    np.testing.assert_allclose(
        at_one - at_half, at_half - at_zero, rtol=1e-2, atol=LAW * (size + at_zero.max()) * max(1.0, 1e-3 / forgotten)
    )


def test_nothing_is_forgotten_exactly_where_least_squares_sees_no_real_label():
    """The shares of groups sum to 1 up to rounding only; what a generation forgets must be 0 all the same."""
    rng = np.random.default_rng(5)
    for _ in range(50):
        f = rng.dirichlet(np.ones(3))
        groups = [fm.Group(each, a, 0.0) for each, a in zip(f, rng.uniform(0.2, 5.0, 3), strict=True)]
        loop = fm.Loop(aspect=0.3, covariates="fresh", groups=groups)
        assert fm.limit(fm.Population.isotropic(), loop).risk == math.inf
        idle = fm.limit(fm.Population.isotropic(), loop.replace(synthetic_noise_ratio=0.0))
        assert idle.collapse_number == math.inf
        # Its own noiseless predictions: generation 0, which knows no groups, is reproduced for ever.
        assert idle.risk == pytest.approx(0.3 / 0.7, rel=LAW)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(populations(), loops(penalties=(0.0,)))
def test_row_weights_are_inert_in_interpolation_only(population, loop):
    rank = loop.aspect * population.shares[population.eigenvalues > 0].sum()
    assume(abs(rank - 1) > 0.01)
    equal = loop.replace(groups=[fm.Group(g.share, 1.0, g.real_weight) for g in loop.groups])
    if rank > 1:
        agree(numbers(population, loop), numbers(population, equal))


@pytest.mark.parametrize("w", [0.01, 0.2, 0.32, 1 / 3, 0.35, 0.6, 0.99])
@settings(max_examples=15, deadline=None, derandomize=True)
@given(population=populations(), aspect=st.sampled_from([0.3, 4.0]))
def test_min_norm_on_frozen_rows_improves_between_a_third_and_one(population, aspect, w):
    assume(population.noise_variance > 0)
    found = fm.limit(population, fm.Loop(aspect=aspect, real_weight=w))
    risks = fm.risk(population, fm.Loop(aspect=aspect, real_weight=w), 50)
    assert (found.risk < risks[0] * (1 - LAW)) == (w > 1 / 3 + 1e-9)
    assert np.all(np.diff(risks) <= LAW * risks[0]) == (w > 1 / 3 - 1e-9)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(population=populations(), aspect=st.sampled_from([0.3, 4.0]))
def test_frozen_labels_are_best_left_alone(population, aspect):
    assume(population.noise_variance > 0)
    assert fm.optimal_weight(population, fm.Loop(aspect=aspect, labels="frozen")).real_weight == pytest.approx(1.0, abs=1e-6)
