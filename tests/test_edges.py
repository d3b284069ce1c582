"""Theory and estimates at the edges: wide spectra, tiny penalties, many generations, a handful of rows."""

import warnings

import numpy as np
import pytest

import freshmix as fm
from freshmix.equivalents import PopulationEquivalents
from freshmix.risks import contour
from freshmix.risks.filters import ridge_filters
from freshmix.risks.long_courses import memory

ISOTROPIC = fm.Population.isotropic(signal=2.0)
LEVELS = fm.Population([4.0, 1.0, 0.1], [0.2, 0.5, 0.3], [1.0, 0.5, 0.4], 1.0)

# kappa of the two kinds of real labels.
RENEWAL = {"fresh": 1.0, "frozen": 0.0}


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize(("level", "aspect"), [(1e-4, 20), (1e-6, 20), (1e-6, 100), (1e-6, 1000)])
def test_a_spectrum_of_six_decades_beside_an_eigenvalue_of_zero(level, aspect):
    population = fm.Population.two_level(level)
    best = fm.optimal_loop(population, fm.Loop(aspect=aspect), generations=5)
    assert best.risk < population.null_risk
    # Both contours keep all digits, whatever the penalty.
    equivalents = PopulationEquivalents(population, aspect)
    low, high = equivalents.bulk
    for penalty in high * np.array([1e-8, 1e-5, 1e-2, 1.0]):
        e, u = [], []
        filters = ridge_filters(np.full(5, 0.3), penalty, 1.0)
        for points in (contour.circle(low, high, 384), contour.ellipse(penalty, high, 5, 4.0)):
            on_ellipse = penalty if points[0].size != 384 else None
            made = contour.Contour.around(equivalents, *points, on_ellipse)
            e.append(made.bilinear(filters(made.nodes)[0], filters(made.nodes)[0]))
            u.append(made.linear(filters(made.nodes)[1]))
        np.testing.assert_allclose(e[0] + u[0], e[1] + u[1], rtol=1e-11)


def test_the_least_eigenvalue_far_below_the_others():
    risk = fm.risk(fm.Population.spiked(-0.999, 1.0), fm.Loop(aspect=500, penalty=1e-3, real_weight=0.5), 2)
    # Hardly any signal, and a thousandth of a row for each feature: the noise's share by ridge filters of one eigenvalue.
    assert np.all(np.diff(risk) < 0)
    assert risk == pytest.approx([0.003006, 0.002505, 0.00237975], rel=1e-5)


@pytest.mark.parametrize("penalty", [1e-30, 1e-100, 1e-200, 1e-300])
def test_a_penalty_below_rounding_is_none(penalty):
    loop = fm.Loop(aspect=1.000001, real_weight=0.2)
    tiny = loop.replace(penalty=penalty, real_weight=0.2)
    assert fm.risk(fm.Population.isotropic(), tiny, 4) == pytest.approx(fm.risk(fm.Population.isotropic(), loop, 4), rel=1e-9)
    assert fm.limit(fm.Population.isotropic(), tiny).risk == pytest.approx(
        fm.limit(fm.Population.isotropic(), loop).risk, rel=1e-9
    )
    wide = fm.Population([1, 1e9], [0.5, 0.5], [1, 1])
    low = fm.Loop(aspect=0.5, real_weight=0.5)
    found = fm.limit(wide, low.replace(penalty=penalty, real_weight=0.5)).risk
    assert found == pytest.approx(fm.limit(wide, low).risk, rel=1e-12)


def test_a_variance_beyond_floats_is_unbounded():
    loop = fm.Loop(aspect=0.5, penalty=1e-300, real_weight=0.0)
    assert fm.limit(fm.Population.isotropic(noise_variance=1e10), loop).risk == np.inf


@pytest.mark.parametrize(
    ("penalty", "real_weight", "labels"),
    [(1e-3, 0.0, "fresh"), (1e-3, 0.002, "frozen"), (0.05, 0.0, "fresh"), (0.3, 0.4, "fresh")],
)
def test_many_generations_are_those_of_all_filters(penalty, real_weight, labels):
    """Against all generations at once on one fine contour."""
    T, aspect = 1600, 0.8
    loop = fm.Loop(aspect=aspect, penalty=penalty, real_weight=real_weight, labels=labels, synthetic_noise_ratio=0.7)
    found = fm.risk(LEVELS, loop, T)
    equivalents = PopulationEquivalents(LEVELS, aspect)
    some = [0, 1, 5, 100, 600, 1024, 1100, 1333, 1599, 1600]
    filters = ridge_filters(np.full(T, real_weight), penalty, 0.7, RENEWAL[labels], shown=set(some))
    made = contour.Contour.around(equivalents, *contour.ellipse(penalty, equivalents.bulk[1], T, 3.0), penalty)
    e, u = filters(made.nodes)
    assert found[some] == pytest.approx(made.bilinear(e, e) + made.linear(u), rel=1e-10)


@pytest.mark.parametrize(("penalty", "real_weight"), [(0.1, 0.3), (0.1, 0.01), (1e-3, 0.0)])
def test_ten_thousand_generations_end_where_the_long_run_is_or_goes(penalty, real_weight):
    loop = fm.Loop(aspect=2.0, penalty=penalty, real_weight=real_weight)
    found, limit = fm.risk(ISOTROPIC, loop, 10_000), fm.limit(ISOTROPIC, loop).risk
    assert found.shape == (10_001,)
    assert found[-1] == pytest.approx(limit, rel=3e-3)
    assert np.all(np.abs(np.diff(found)[2000:]) <= np.abs(np.diff(found)[1999:-1]) + 1e-9)


def test_a_long_schedule_remembers_its_end():
    weights = np.random.default_rng(0).uniform(0.02, 1.0, 3000)
    loop = fm.Loop(aspect=2.0, penalty=0.1, schedule=weights)
    short = fm.risk(ISOTROPIC, loop.replace(schedule=weights[-300:]), 300)[-1]
    assert fm.risk(ISOTROPIC, loop, 3000)[-1] == pytest.approx(short, rel=1e-12)


def test_memory_counts_generations_until_nothing_is_left():
    for kept in (np.full(50, 0.3), np.random.default_rng(1).uniform(0.2, 1.0, 120)):
        lengths = []
        for t in range(kept.size + 1):
            products = np.cumprod(kept[:t][::-1])
            lengths.append(int(np.sum(products >= 1e-18)))
        assert max(lengths) <= memory(kept) <= max(lengths) + 1
    assert memory(np.ones(7)) == 7


def test_more_generations_than_can_be_told_are_refused():
    with pytest.raises(ValueError, match=r"generations must be at most 100000.*got 1000000000"):
        fm.risk(ISOTROPIC, fm.Loop(aspect=2.0, real_weight=0.5), 1_000_000_000)


def tables(count, seed):
    """Small random tables of many kinds: whole numbers, one direction, columns of many scales, no noise."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n, p, kind = int(rng.integers(3, 81)), int(rng.integers(1, 121)), int(rng.integers(6))
        X = rng.standard_normal((n, p))
        if kind == 1:
            X = np.round(2 * X)
        elif kind == 2:
            X = np.outer(rng.standard_normal(n), rng.standard_normal(p))
        elif kind == 3:
            X *= 10.0 ** rng.uniform(-2, 2, p)
        elif kind == 5:
            X = X[:, :1]
        noise = rng.choice([0.0, 0.1, 1.0, 10.0])
        y = X @ rng.standard_normal(X.shape[1]) / np.sqrt(X.shape[1]) + noise * rng.standard_normal(n)
        y = np.round(y) if kind == 4 else y
        if np.ptp(y) > 0 and np.ptp(X, axis=0).max() > 0:
            yield X, y


@pytest.mark.parametrize(("count", "seed"), [(40, 0), *(pytest.param(120, seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
def test_an_interval_holds_its_point_and_the_null_risk_is_plausible(count, seed):
    for X, y in tables(count, seed):
        found = fm.estimate(X, y)
        null, noise = found.null_risk, found.noise_variance
        points = {"noise_variance": noise, "null_risk": null, "signal_to_noise_ratio": null / noise if noise else np.inf}
        for name, value in points.items():
            low, high = found.intervals[name]
            assert low <= value <= high, (name, X.shape)
        assert null <= 3.0 * np.var(y), X.shape


def test_six_rows_of_one_feature():
    found = fm.estimate([[-1], [0], [1], [2], [3], [5]], [0, 1, 0, 2, 1, 4])
    assert 0 < found.null_risk < 2 * np.var([0, 1, 0, 2, 1, 4])


@pytest.mark.parametrize(("p", "n"), [(1, 4), (3, 30), (40, 30), (2, 240)])
@pytest.mark.parametrize("ask", [fm.recommend, lambda X, y: fm.plan(X, y, cost_per_label=1.0)])
def test_features_have_to_vary_where_there_are_labels(ask, p, n):
    rng = np.random.default_rng(0)
    X, y = np.zeros((n, p)), rng.standard_normal(n)
    X[-1], y[-1] = 5.0, np.nan
    with pytest.raises(ValueError, match=r"a column that varies on the labelled rows, got none: .* on the other rows only"):
        ask(X, y)


def test_a_feature_that_varies_elsewhere_is_left_out_and_told():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 3)), rng.standard_normal(60)
    y[50:], X[:50, 2] = np.nan, 1.0
    found = fm.recommend(X, y, generations=2)
    assert found.features == 2
    assert "columns left out that vary only on rows without a label: 2" in found.notes


@pytest.mark.parametrize("gap", [0.0, 1e-16, 1e-8, 0.009, 0.02])
def test_a_contour_around_one_eigenvalue(gap):
    points, weights = contour.circle(1 - gap, 1.0, 48)
    # Cauchy: f(s) at a point inside, 0 at one outside.
    for s, value in ((1.0, np.sqrt(2.0)), (1 - gap / 2, np.sqrt(2 - gap / 2)), (-1.0, 0.0)):
        assert abs(2 * np.sum(weights * np.sqrt(1 + points) / (points - s)).real) == pytest.approx(value, abs=1e-12)


def test_one_feature_of_two_values_has_an_answer():
    x = np.array([0.0, 0.0, 0.0, 1.0, 1.0])
    assert np.isfinite(fm.recommend(x[:, None], x).risk_by_generation["recommended"]).all()
