"""Frozen covariates that remember in other ways: anchors, label renewal, weights beyond [0, 1], rows of unequal size."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from scipy.interpolate import BarycentricInterpolator

import freshmix as fm
from freshmix.equivalents import PopulationEquivalents
from freshmix.optima.frozen_memory import _SPACING, FrozenWays
from freshmix.risks.filters import ridge_filters
from freshmix.risks.frozen import FrozenSetting
from freshmix.risks.frozen_schedules import FrozenSchedules

from . import naive
from .tolerances import CLOSED, FINITE_SIZE, LAW, largest_z

TWO = fm.Population([0.5, 2.0], [0.6, 0.4], [1.0, 2.0], 1.3)
SIZES = ([0.3, 1.0, 3.0], [0.45, 0.425, 0.13])
SIZES = (np.array(SIZES[0]) / np.dot(*SIZES) * sum(SIZES[1]), np.array(SIZES[1]) / sum(SIZES[1]))
SIZED = TWO.replace(row_sizes=SIZES)


def loop(w=0.6, *, aspect=0.7, penalty=0.4, **more):
    """A loop; ``more`` of its parameters."""
    return fm.Loop(aspect=aspect, penalty=penalty, **({"schedule": w} if np.ndim(w) else {"real_weight": w}), **more)


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("anchor", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("renewal", [0.0, 0.4, 1.0])
def test_filters_against_dense_recursions(penalty, anchor, renewal):
    """Given X nothing is asymptotic: the filters on the eigenvalues of S are the dense means and covariances."""
    X, beta, sigma = naive.draw(TWO, 12, 9, np.random.default_rng(0))
    weights = np.array([0.5, 2.5, -0.3, 0.0, 1.4])
    s, V = np.linalg.eigh(X.T @ X / 12)
    e, u = ridge_filters(weights, penalty, 0.7, renewal, anchor)(s)
    got = [
        beta @ V * e_t @ V.T @ sigma @ (V * e_t) @ V.T @ beta + 1.3 / 12 * np.sum(np.diag(V.T @ sigma @ V) * u_t)
        for e_t, u_t in zip(e, u, strict=True)
    ]
    want = naive.conditional_risk(X, beta, sigma, 1.3, 0.7, weights, penalty, renewal, anchor)
    np.testing.assert_allclose(got, want, rtol=CLOSED)


@pytest.mark.slow
@pytest.mark.parametrize("aspect", [0.5, 1.6])
def test_risk_against_monte_carlo(aspect):
    """Rows of unequal size have no other reference by generation; with an anchor, renewal and weights beyond [0, 1]."""
    n, T = 200, 4
    rng = np.random.default_rng(int(10 * aspect))
    loops = [
        loop([0.6], aspect=aspect),
        loop([0.5], aspect=aspect, anchor=0.8, label_renewal=0.3),
        loop([1.6, -0.2, 0.7], aspect=aspect, labels="frozen", synthetic_noise_ratio=0.0),
        loop([0.7], aspect=aspect, penalty=0.0, label_renewal=0.5),
        loop([0.2], aspect=aspect, anchor=1.0, penalty=2.0),
    ]
    draws = np.array(
        [
            [
                naive.conditional_risk(
                    X, beta, sigma, 1.3, each.synthetic_noise_ratio, each.weights(T), each.penalty, each.renewal, each.anchor
                )
                for each in loops
            ]
            for X, beta, sigma in (naive.draw(SIZED, n, round(aspect * n), rng) for _ in range(12))
        ]
    )
    want = np.array([fm.risk(SIZED, each, T) for each in loops])
    mean, error = draws.mean(axis=0), draws.std(axis=0, ddof=1) / math.sqrt(12)
    np.testing.assert_array_less(np.abs(mean - want), largest_z(want.size) * error + FINITE_SIZE * want / 3)
    # Rows alike would be off by far more.
    plain = np.array([fm.risk(TWO, each, T) for each in loops])
    assert np.min(np.max(np.abs(plain - want) / want, axis=1)) > 0.05


@pytest.mark.parametrize("population", [TWO, SIZED, fm.Population.spiked(10.0, 0.7), naive.POPULATIONS["rank deficient"]])
@pytest.mark.parametrize("aspect", [0.6, 1.7])
def test_limit_is_where_generations_go(population, aspect):
    # Bounds of the spectrum are wide for unequal rows and spikes: weights far beyond have no long course there.
    weights = [0.25, 1.5, 2.0] if population is not TWO else [0.25, 2.0, 2.4, -0.2]
    for (w, anchor), renewal in zip(itertools.product(weights, [0.0, 0.7, 1.0]), itertools.cycle([0.3, 1.0])):
        each = loop(w, aspect=aspect, penalty=9.0, anchor=anchor, label_renewal=renewal, synthetic_noise_ratio=0.5)
        limit = fm.limit(population, each).risk
        late = fm.risk(population, each, 400 if math.isfinite(limit) else 30)
        if math.isinf(limit):
            assert late[-1] > late[-3] > late[-5]
        elif abs(late[-1] / late[-40] - 1) < 1e-12:
            assert late[-1] == pytest.approx(limit, rel=LAW)
        else:
            # Directions of small eigenvalues of an anchor of 1 take their time.
            assert abs(late[-1] - limit) < abs(late[200] - limit)


def test_weights_beyond_diverge_where_the_spectrum_ends():
    """Isotropic: |m| < 1 at the edge s = (1 + sqrt gamma)^2 exactly."""
    population, aspect, penalty, anchor = fm.Population.isotropic(), 0.5, 2.0, 0.3
    edge = (1 + math.sqrt(aspect)) ** 2
    # m = (alpha lambda + (1-w) s) / (s + lambda): -1 at w = 2 + (1 + alpha) lambda / s, 1 at -(1 - alpha) lambda / s.
    for w, inside in ((2 + (1 + anchor) * penalty / edge, -1), (-(1 - anchor) * penalty / edge, 1)):
        for step, bounded in ((inside * 1e-3, True), (-inside * 1e-3, False)):
            risk = fm.limit(population, loop(w + step, aspect=aspect, penalty=penalty, anchor=anchor)).risk
            assert math.isfinite(risk) == bounded
    # Without noise the bias alone does; and it grows out of what a float holds.
    quiet = fm.Population.isotropic(noise_variance=0.0)
    assert fm.risk(quiet, loop(5.0, aspect=aspect, penalty=penalty), 1000)[-1] == math.inf
    assert math.isfinite(fm.risk(quiet, loop(5.0, aspect=aspect, penalty=0.0), 1000)[-1])
    assert fm.limit(quiet, loop(5.0, aspect=aspect, penalty=penalty)).risk == math.inf
    found = fm.limit(population, loop(5.0, aspect=aspect, penalty=penalty))
    assert found.verdict == "diverges"
    assert "real weight 5" in found.reason


def test_sizes_that_are_alike_change_nothing():
    for sizes in (([1.0], [1.0]), ([1.0, 1.0], [0.3, 0.7])):
        alike = TWO.replace(row_sizes=sizes)
        for aspect, penalty in itertools.product([0.4, 1.0, 2.5], [0.0, 1e-7, 0.5]):
            each = loop([0.3, 0.6], aspect=aspect, penalty=penalty, anchor=0.4, label_renewal=0.6)
            np.testing.assert_allclose(fm.risk(alike, each, 5), fm.risk(TWO, each, 5), rtol=CLOSED)
            assert fm.limit(alike, each).risk == pytest.approx(fm.limit(TWO, each).risk, rel=CLOSED)


def test_equivalents_of_unequal_rows_solve_their_equations():
    """delta = (gamma/z) sum h tau d, v = mean(b / (1 + b delta)) / z, at real, negative and complex z."""
    b, pi = SIZED.row_sizes
    for aspect in (0.5, 2.0):
        known = PopulationEquivalents(SIZED, aspect)
        for z in (np.array([1e-6, 0.3, 50.0]), -known.bulk[1] * np.array([1.0, 3.0]), np.array([0.1 + 0.2j, -2 - 0.01j])):
            solved = known.solve(z)
            delta = known.trace(solved)
            np.testing.assert_allclose(delta, (solved.rows[:, :2] @ (aspect * SIZED.shares * SIZED.eigenvalues)) / z, rtol=1e-9)
            mean = (b / (1 + np.multiply.outer(delta, b))) @ pi
            np.testing.assert_allclose(solved.zv, mean, rtol=1e-9)


def test_anchor_without_a_penalty_is_no_anchor():
    """On the same rows every model lies in their span."""
    for aspect in (0.5, 2.0):
        one, two = (loop(0.4, aspect=aspect, penalty=0.0, anchor=anchor) for anchor in (0.0, 0.9))
        np.testing.assert_array_equal(fm.risk(SIZED, one, 4), fm.risk(SIZED, two, 4))
        assert fm.limit(TWO, one).risk == fm.limit(TWO, two).risk


@pytest.mark.parametrize("anchor", [0.5, 1.0])
@pytest.mark.parametrize("generations", [None, 6])
@pytest.mark.parametrize("population", [TWO, SIZED])
def test_optima_of_anchored_loops(population, generations, anchor):
    each = loop(0.5, anchor=anchor, label_renewal=0.8)
    best = fm.optimal_loop(population, each, generations=generations)
    weight = fm.optimal_weight(population, each, generations=generations)
    grid = [
        (fm.limit(population, at).risk if generations is None else fm.risk(population, at, generations)[-1])
        for at in (each.replace(real_weight=w) for w in np.linspace(0.05, 1, 20))
    ]
    assert weight.risk <= min(grid) * (1 + 1e-12)
    assert best.risk <= weight.risk * (1 + 1e-12)
    if best.attained:
        again = fm.optimal_loop(population, dataclasses.replace(best).loop, generations=generations)
        assert again.risk == pytest.approx(best.risk, rel=1e-9)
    else:
        assert (anchor, generations) == (1, None)
        assert best.risk < fm.limit(population, best.loop).risk * (1 + 1e-3)


def test_drifting_coefficients_need_fresh_covariates():
    with pytest.raises(ValueError, match="persistence"):
        fm.risk(TWO.replace(persistence=0.9), loop(), 2)


def test_constant_loops_in_one_go():
    """Geometric series in place of steps, at m = 1 too."""
    T, w, anchor = 7, np.array([0.3, 1.0, 0.0, 1.6]), np.array([1.0, 0.4, 1.0, 0.9])
    each = loop(label_renewal=0.4, synthetic_noise_ratio=0.5)
    setting = FrozenSetting.of(TWO, (each,))
    got = setting.schedules(T).constant(w, anchor, T)
    want = [fm.risk(TWO, each.replace(real_weight=a, anchor=b), T)[-1] for a, b in zip(w, anchor, strict=True)]
    np.testing.assert_allclose(got, want, rtol=1e-8)


@pytest.mark.parametrize("aspect", [0.05, 0.3, 4.0])
def test_many_penalties_as_one(aspect):
    """On contours of both kinds, with different numbers of nodes, and in the search between penalties that are solved for."""
    T, w, anchor = 7, np.array([0.3, 1.0, 0.0, 0.6]), np.array([0.2, 0.4, 1.0, 0.9])
    each = loop(label_renewal=0.4, synthetic_noise_ratio=0.5, aspect=aspect)
    setting = FrozenSetting.of(TWO, (each,))
    penalties = np.geomspace(1e-3, 50.0, 6)
    schedules = [setting.with_loops(each.replace(penalty=penalty)).schedules(T) for penalty in penalties]
    assert len({one.noise.size for one in schedules}) > 1
    got = FrozenSchedules.stacked(schedules).constant(w, anchor, T)
    want = [one.constant(w, anchor, T) for one in schedules]
    np.testing.assert_allclose(got, want, rtol=1e-12)
    ways = FrozenWays(setting, T)
    for penalty in [*penalties, setting.scale]:
        got = ways._risks(w, np.full(w.size, penalty), anchor)
        place = math.log(penalty / setting.scale) / _SPACING
        nodes = math.floor(place) + np.arange(-3, 5)
        line = BarycentricInterpolator(nodes, [ways._at(int(k)).constant(w, anchor, T) for k in nodes])
        np.testing.assert_allclose(got, line(place), rtol=1e-11)


@pytest.mark.parametrize("each", [loop(anchor=0.6, label_renewal=0.7), loop(anchor=1.0, labels="frozen"), loop(penalty=0.0)])
def test_slopes_of_schedules(each):
    schedules, weights, step = FrozenSetting.of(SIZED, (each,)).schedules(4), np.array([0.9, 0.5, 0.2, 0.7]), 1e-5
    value, slopes = schedules.value_and_gradient(weights)
    assert value == pytest.approx(fm.risk(SIZED, each.replace(schedule=weights), 4)[-1], rel=1e-9)
    moved = [(schedules.risk(weights + e) - schedules.risk(weights - e)) / (2 * step) for e in step * np.eye(4)]
    np.testing.assert_allclose(slopes, moved, rtol=1e-6, atol=1e-9)


def test_weights_far_beyond_end_in_infinity():
    """Right while they can be, then infinite; what contracts reaches its long run."""
    loop = fm.Loop(aspect=0.5, penalty=10.0, real_weight=-5.0)
    population = fm.Population.two_level(4.0, share=0.25)
    risks = fm.risk(population, loop, 60)
    assert np.isinf(risks[-1])
    assert np.all(np.diff(risks[:20]) > 0)
    assert risks[:9] == pytest.approx(fm.risk(population, loop, 8), rel=1e-8)
    assert fm.limit(population, loop).verdict == "diverges"


@pytest.mark.slow
def test_a_negative_weight_that_contracts():
    loop = fm.Loop(aspect=2.0, penalty=10.0, real_weight=-0.5)
    population = fm.Population.two_level(4.0, share=0.25)
    assert fm.risk(population, loop, 300)[-1] == pytest.approx(fm.limit(population, loop).risk, rel=1e-8)


@pytest.mark.parametrize("aspect", [0.05, 0.8])
@pytest.mark.parametrize("population", [fm.Population.isotropic(signal=2.0), fm.Population.two_level(4.0, share=0.25)])
def test_no_penalty_is_better_than_that_of_a_way(population, aspect):
    """Where the spectrum is narrow a risk is no polynomial over wide steps of the penalty's logarithm."""
    found = fm.optimal_memory(population, fm.Loop(aspect=aspect))
    for name in ("mixed", "anchored", "anchored_mixed"):
        way = found.ways[name]
        near = [way.loop.replace(penalty=way.loop.penalty * factor) for factor in (0.99, 0.995, 0.999, 1.001, 1.005, 1.01)]
        assert way.risk <= min(fm.risk(population, loop, 12)[-1] for loop in near) * (1 + 1e-9)
