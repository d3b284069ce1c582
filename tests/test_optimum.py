"""Best weight and penalty: closed forms of the paper, laws, and brute force."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import freshmix as fm
from freshmix.equivalents import PopulationEquivalents
from freshmix.optima import frozen_weight as optimum
from freshmix.optima.box import Box
from freshmix.risks.fresh import FreshSetting, varied

GOLDEN = (math.sqrt(5) - 1) / 2
NAMED = {
    "isotropic": fm.Population.isotropic(2.0),
    "random effects": fm.Population.random_effects([0.5, 2.0], [0.6, 0.4], 3.0),
    "spiked": fm.Population.spiked(10.0, 0.7),
    "spiked, finite": fm.Population.spiked(10.0, 0.7, features=50),
    "two level": fm.Population.two_level(10.0, 0.25, 0.9, 2.0),
    "autoregressive": fm.Population.autoregressive(0.5, 60),
    "equicorrelated": fm.Population.equicorrelated(0.3, 60),
    "power law": fm.Population.power_law(1.0, 60, source=1.0),
    "covariance": fm.Population.from_covariance([[2.0, 0.5], [0.5, 1.0]], [1.0, -1.0]),
}
CONCENTRATED = ["isotropic", "random effects", "spiked", "autoregressive", "equicorrelated"]


@pytest.mark.parametrize("aspect", [0.5, 1.5, 4.0])
@pytest.mark.parametrize("name", NAMED)
def test_golden_ratio_for_every_population(name, aspect):
    best = fm.optimal_weight(NAMED[name], fm.Loop(aspect=aspect))
    assert best.real_weight == pytest.approx(GOLDEN, abs=1e-10)
    around = [fm.limit(NAMED[name], fm.Loop(aspect=aspect, real_weight=GOLDEN + d)).risk for d in (-1e-3, 1e-3)]
    assert best.risk < min(around)


@pytest.mark.parametrize("rho", [1e-12, 0.1, 0.5, 1.0, 3.0, 1e9])
@pytest.mark.parametrize("name", NAMED)
def test_minnorm_weight_for_any_noise_ratio(name, rho):
    best = fm.optimal_weight(NAMED[name], fm.Loop(aspect=2.0, synthetic_noise_ratio=rho))
    assert best.real_weight == pytest.approx(2 * rho / (math.sqrt(rho**2 + 4 * rho) + rho), abs=1e-10)


@pytest.mark.parametrize("name", NAMED)
def test_without_synthetic_noise_no_weight_is_best(name):
    loop = fm.Loop(aspect=2.0, synthetic_noise_ratio=0.0)
    for best in (fm.optimal_weight(NAMED[name], loop), fm.optimal_loop(NAMED[name], loop)):
        assert not best.attained
        assert best.real_weight == 0
        small = fm.limit(NAMED[name], best.loop.replace(real_weight=1e-6))
        assert best.risk <= small.risk
    # A finite horizon has one.
    best = fm.optimal_weight(NAMED[name], loop, generations=5)
    assert best.attained
    assert 0 < best.real_weight < 1


@pytest.mark.parametrize("noise_ratio", [0.0, 1.0])
def test_tuned_risks_at_a_horizon_are_the_least_of_the_whole_grid(noise_ratio):
    population = fm.Population([0.01, 1.0, 30.0], [0.3, 0.4, 0.3], [5.0, 1.0, 0.2], 1.0)
    goal = optimum.Goal(PopulationEquivalents(population, 0.5), noise_ratio, 1.0, generations=3)
    weights, grid = np.linspace(0.0, 1.0, 5), optimum.penalty_grid(goal.equivalents.bulk)
    whole = np.array([goal.over_weights(weights, penalty) for penalty in grid]).min(axis=0)
    assert np.array_equal(optimum.tuned_risks(goal, weights), whole)


def test_constant_weight_at_a_horizon_beats_its_neighbours_and_approaches_the_limit():
    population, loop = NAMED["spiked"], fm.Loop(aspect=2.0, penalty=0.3)
    best = fm.optimal_weight(population, loop, generations=4)
    for shift in (-0.01, 0.01):
        near = loop.replace(real_weight=best.real_weight + shift)
        assert fm.risk(population, near, 4)[-1] > best.risk
    far = fm.optimal_weight(population, loop, generations=60)
    assert far.real_weight == pytest.approx(fm.optimal_weight(population, loop).real_weight, abs=1e-6)


@pytest.mark.parametrize("aspect", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("name", CONCENTRATED)
def test_ridge_weight_laws(name, aspect):
    """Theorems of the paper for rho = 1: in [1/2, 1]; 1/phi without a penalty, 1 with a large one; rising with SNR."""
    population = NAMED[name]
    loop = fm.Loop(aspect=aspect)
    weights = [fm.optimal_weight(population, loop.replace(penalty=lam)).real_weight for lam in (1e-3, 0.1, 1.0, 1e4)]
    assert all(0.5 - 1e-9 <= w <= 1 for w in weights)
    assert weights[-1] == pytest.approx(1.0, abs=1e-3)
    if aspect != 1.0:
        tiny = fm.optimal_weight(population, loop.replace(penalty=1e-12)).real_weight
        assert tiny == pytest.approx(GOLDEN, abs=1e-4)
    by_noise = [
        fm.optimal_weight(
            fm.Population(population.eigenvalues, population.shares, population.signal, noise),
            loop.replace(penalty=0.2),
        ).real_weight
        for noise in (16.0, 4.0, 1.0, 0.25)
    ]
    assert all(a <= b + 1e-9 for a, b in itertools.pairwise(by_noise))


def test_vanishing_penalty_at_the_threshold_is_not_the_golden_ratio():
    """At aspect 1, v(z) ~ z^-1/2: the two penalties lambda/w and lambda/(2-w) never come to share their variance."""
    weights = [
        fm.optimal_weight(NAMED["isotropic"], fm.Loop(aspect=1.0, penalty=penalty)).real_weight
        for penalty in (1e-8, 1e-10, 1e-12)
    ]
    # There x12/(1-x12) -> 1/(sqrt z1 + sqrt z2), and w* minimises (w^2 + (1-w)^2) / (w (2-w)) over w^-1/2 + (2-w)^-1/2.
    assert weights[-1] == pytest.approx(0.5807606565, abs=1e-5)
    assert abs(weights[1] - 0.5807606565) < abs(weights[0] - 0.5807606565)


@pytest.mark.parametrize("name", CONCENTRATED)
def test_one_minimum_in_the_weight(name):
    w = np.linspace(0.01, 1, 300)
    for aspect in (0.5, 2.0):
        for penalty in (0.05, 0.5, 5.0):
            goal = optimum.Goal(PopulationEquivalents(NAMED[name], aspect), 1.0, 1.0)
            risks = goal.over_weights(w, penalty)
            turns = np.diff(np.sign(np.diff(risks)))
            assert np.count_nonzero(turns) <= 1


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", NAMED)
def test_frozen_labels_gain_nothing(name, aspect):
    loop = fm.Loop(aspect=aspect, labels="frozen")
    if aspect != 1.0:
        assert fm.optimal_weight(NAMED[name], loop).real_weight == 1
    best = fm.optimal_loop(NAMED[name], loop)
    assert best.real_weight == 1
    # But with a penalty below the best one they do.
    low = loop.replace(penalty=best.loop.penalty / 20)
    assert fm.optimal_weight(NAMED[name], low).real_weight < 1


def test_random_effects_penalty_is_the_textbook_one():
    """Plain ridge under random effects: lambda = gamma sigma^2 / b."""
    population = fm.Population.random_effects([0.5, 1.0, 4.0], [0.2, 0.5, 0.3], 2.0, noise_variance=3.0)
    best = fm.optimal_loop(population, fm.Loop(aspect=0.7, labels="frozen"))
    assert best.loop.penalty == pytest.approx(0.7 * 3.0 / 2.0, rel=1e-8)


@pytest.mark.parametrize("rho", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", NAMED)
def test_optimal_loop_against_brute_force(name, aspect, rho):
    loop = fm.Loop(aspect=aspect, synthetic_noise_ratio=rho)
    best = fm.optimal_loop(NAMED[name], loop)
    goal = optimum.Goal(PopulationEquivalents(NAMED[name], aspect), rho, 1.0)
    grid = np.array([goal.over_weights(np.linspace(0.02, 1, 99), lam) for lam in np.geomspace(1e-5, 1e3, 60)])
    assert best.risk <= grid.min() * (1 + 1e-12)
    assert best.risk >= grid.min() * (1 - 0.02)
    # The weight is also the best one for its penalty, to many digits.
    again = fm.optimal_weight(NAMED[name], best.loop)
    assert again.real_weight == pytest.approx(best.real_weight, abs=1e-7)
    assert again.risk == pytest.approx(best.risk, rel=1e-12)


@pytest.mark.slow
@settings(max_examples=10, deadline=None, derandomize=True)
@given(scale=st.floats(1e-3, 1e3), name=st.sampled_from(list(NAMED)), aspect=st.sampled_from([0.5, 2.0]))
def test_optimum_does_not_depend_on_units(scale, name, aspect):
    population, loop = NAMED[name], fm.Loop(aspect=aspect)
    best = fm.optimal_loop(population, loop)
    parts = population.eigenvalues, population.shares, population.signal
    labels = fm.optimal_loop(fm.Population(parts[0], parts[1], scale * parts[2], scale), loop)
    assert labels.risk == pytest.approx(scale * best.risk, rel=1e-9)
    assert labels.real_weight == pytest.approx(best.real_weight, abs=1e-6)
    columns = fm.optimal_loop(fm.Population(scale * parts[0], parts[1], parts[2] / scale, 1.0), loop)
    assert columns.risk == pytest.approx(best.risk, rel=1e-9)
    assert columns.loop.penalty == pytest.approx(scale * best.loop.penalty, rel=1e-4)


def test_no_signal_has_no_best_penalty():
    best = fm.optimal_loop(fm.Population.isotropic(0.0), fm.Loop(aspect=2.0))
    assert not best.attained
    assert best.risk < 1e-10


def test_tuned_risks_touch_the_optimum():
    goal = optimum.Goal(PopulationEquivalents(NAMED["two level"], 2.0), 1.0, 1.0)
    best = optimum.best_loop(goal)
    weights = np.array([0.0, 0.3, best.real_weight, 1.0])
    tuned = optimum.tuned_risks(goal, weights)
    assert tuned[0] == NAMED["two level"].null_risk
    assert tuned[1:] == pytest.approx([optimum.best_penalty(goal, w).risk for w in weights[1:]], rel=2e-3)
    assert tuned[2] == pytest.approx(best.risk, rel=2e-3)


@pytest.mark.parametrize("generations", [0, -1, 1.5, "3"])
def test_bad_horizon(generations):
    with pytest.raises((TypeError, ValueError), match="generations"):
        fm.optimal_weight(NAMED["isotropic"], fm.Loop(aspect=2.0), generations=generations)


def surfaces():
    """Risks over (real weight, penalty, row weight) of loops that the searches meet, with a start."""
    partly = fm.Loop.partially_labelled(aspect=0.8, labelled=0.5, penalty=0.1)
    for name in ("isotropic", "spiked, finite", "power law"):
        for kind, loop in (("all", fm.Loop(aspect=0.8, covariates="fresh", real_weight=1.0)), ("some", partly)):
            for generations in (None, 5):
                yield pytest.param(NAMED[name], loop, generations, id=f"{name}, {kind}, {generations}")


def test_a_search_goes_on_beside_a_start_without_a_risk():
    def risks(points):
        w = points["real_weight"]
        return np.where(np.abs(w - 0.3) < 1e-9, np.inf, 1 + 1e4 * (w - 0.307) ** 4 + np.abs(w - 0.307))

    starts = [{"real_weight": 0.3}, {"real_weight": 0.9}]
    values, _ = Box({"real_weight": (0.0, 1.0)}).least(risks, None, starts)
    assert values["real_weight"] == pytest.approx(0.307, abs=1e-3)


@pytest.mark.parametrize(("population", "loop", "generations"), list(surfaces()))
@pytest.mark.parametrize("weight", [0.2, 0.7, 1.0])
def test_slopes_find_what_comparisons_find(population, loop, generations, weight):
    setting = FreshSetting(population, (loop,))
    box = Box.of(setting.coordinates, setting.bulk)
    start = {"real_weight": weight, "penalty": 0.3, "row_weight": 0.2}
    start = {name: start[name] for name in setting.coordinates}
    calls = []

    def risks(points):
        calls.append(points["penalty"].size)
        return setting.risks(generations, **points)

    found = box.newton(risks, start)
    assert found is not None
    assert len(calls) < 60
    _, value = box.simplex(lambda at: setting.with_loops(varied(loop, **at)).risk(generations), start)
    assert found[1] <= value * (1 + 1e-12)
    near = {name: np.clip(x * np.array([0.999, 1.0, 1.001]), *box.bounds[name]) for name, x in found[0].items()}
    around = setting.risks(generations, **dict(zip(near, np.meshgrid(*near.values()), strict=True)))
    assert found[1] <= around.min() * (1 + 1e-14)


def test_slopes_at_bounds_and_in_hollows_of_other_shapes():
    """Known least points: on a bound, in a bent valley, where a coordinate changes nothing; and none where it is infinite."""
    box = Box({"real_weight": (0.0, 1.0), "anchor": (0.0, 1.0)})

    def at(function):
        return box.newton(lambda points: function(points["real_weight"], points["anchor"]), {"real_weight": 0.9, "anchor": 0.1})

    bent, value = at(lambda x, y: 1 + (x - 0.3) ** 2 + 100 * (y - x**2) ** 2)
    assert bent == pytest.approx({"real_weight": 0.3, "anchor": 0.09}, abs=1e-8)
    assert value == pytest.approx(1.0, abs=1e-14)
    on_bound, _ = at(lambda x, y: 2 - x + (y - x / 2) ** 2)
    assert on_bound == pytest.approx({"real_weight": 1.0, "anchor": 0.5}, abs=1e-8)
    corner, _ = at(lambda x, y: 1 + (1 + x) * (1 + y) + 0.1 * x * y)
    assert corner == {"real_weight": 0.0, "anchor": 0.0}
    inert, _ = at(lambda x, y: 1 + (x - 0.4) ** 4 + (x - 0.4) ** 2 + 0 * y)
    assert inert["real_weight"] == pytest.approx(0.4, abs=1e-8)
    assert at(lambda x, y: np.where(x > 0.5, np.inf, 1 + x)) is None


def test_a_loop_that_diverges_within_the_interval_is_searched_without_a_warning():
    """Parabolas through infinite risks are none: scipy's search then goes on by comparisons."""
    population = fm.Population.autoregressive(0.5, 100, signal=10.922882).replace(persistence=0.807618)
    loop = fm.Loop.partially_labelled(
        aspect=0.995802, labelled=0.139009, real_weight=0.924596, row_weight=(1.0, 0.553942), covariates="fresh"
    )
    assert math.isfinite(fm.optimal_loop(population, loop).risk)
