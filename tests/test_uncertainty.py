"""Intervals and verdict probabilities of a recommendation, against the search repeated in full on single draws."""

import numpy as np
import pytest
from scipy.interpolate import RectBivariateSpline

import freshmix as fm
from freshmix.equivalents.gathered import gathered
from freshmix.estimation import banded, factorise
from freshmix.optima import frozen_weight as optimum
from freshmix.optima.frozen_weight import Goal
from freshmix.recommendation.uncertainty import Affine, OfRows, Search, fresh_uncertainty, frozen_uncertainty
from freshmix.risks import frozen
from freshmix.risks.fresh import FreshSetting
from freshmix.risks.frozen import FrozenSetting

from .test_estimate import table


@pytest.fixture(scope="module")
def found():
    X, y, _ = table(300, 150, noise=2.0)
    return banded(factorise(X, y), np.random.default_rng(0))


@pytest.mark.parametrize("decay", [0.0, 1.0], ids=["one kind of direction", "outlying ones"])
def test_affine_is_exact_for_the_limit_risk(decay):
    X, y, _ = table(120, 60, noise=2.0, tau=np.arange(1, 61.0) ** -decay)
    found = banded(factorise(X, y), np.random.default_rng(0))
    affine = Affine.of(found, 20)
    assert (found.outlying > 4) == (decay > 0)

    def risk(parts):
        return float(frozen.limit_risk(found.equivalents(*parts), 0.7, 0.4))

    values = np.array([risk(affine.parts(point)) for point in affine.points])
    assert affine(values) == pytest.approx([risk(affine.parts(point)) for point in affine.draws], rel=1e-9)
    # Each group's signal is that of its directions; without any the noise alone is left.
    tops = np.array([affine.parts(point)[2].sum() for point in affine.draws])
    kept = np.linspace(0, len(found.noise_draws) - 1, 20).astype(int)
    assert tops == pytest.approx(found.outlying_draws[kept].sum(axis=1))
    alone = [risk((float(point[0]), np.zeros(found.tau.size), np.zeros(found.outlying))) for point in affine.draws]
    assert affine.without_signal(values) == pytest.approx(alone, rel=1e-9)


def test_skewness_moves_the_upper_end_of_a_mean():
    """Upper ends of 95% of a lognormal mean of 100 values: the normal interval covers 88%, Johnson's 91%."""
    x = np.random.default_rng(0).lognormal(size=(20_000, 100))

    class Known:
        def __init__(self, values):
            apart = (values - values.mean()) / values.std()
            self.spread = values.std() / values.mean(), float(np.mean(apart**3))

        def row_spread(self, z):
            return self.spread

        def counting_far_rows(self):
            return self

        def beyond_rows(self, z, rows):
            return 0.0

    made = [OfRows.of(Known(values), 1.0, 100, 0.0) for values in x[:4000]]
    middle, true = x[:4000].mean(axis=1), np.exp(0.5)
    normal = np.mean(middle * (1 + np.array([each.below for each in made])) > true)
    above = np.mean([each.wider((m, m), m, m)[1] > true for each, m in zip(made, middle, strict=True)])
    assert 0.85 < normal < above - 0.02 < 0.95


def test_affine_keeps_what_is_infinite(found):
    affine = Affine.of(found, 5)
    values = np.ones((len(affine.points), 2))
    values[:, 1] = np.inf
    assert np.array_equal(affine(values), np.column_stack([np.ones(5), np.full(5, np.inf)]))


@pytest.mark.slow
@pytest.mark.parametrize("generations", [None, 3])
def test_frozen_intervals_against_full_searches(found, generations):
    best = optimum.best_loop(Goal(found.equivalents(), 1.0, 1.0, generations=generations))
    loop = fm.Loop(real_weight=best.real_weight, penalty=best.penalty)
    constant = fm.Optimum(loop, best.real_weight, best.risk)
    made = frozen_uncertainty(found, FrozenSetting(found.equivalents(), (loop,)), constant, generations, None)
    affine = Affine.of(found, 12)
    known = [found.equivalents(*affine.parts(draw)) for draw in affine.draws]
    full = [optimum.best_loop(Goal(each, 1.0, 1.0, generations=generations)) for each in known]
    for name, step in (("real_weight", 0.02), ("penalty", 0.0)):
        low, high = made.intervals[name]
        values = np.array([getattr(each, name) for each in full])
        # 90% interval of 200 draws, 12 of them searched in full: at least 8 inside, with the grid's step to spare.
        assert np.sum((values >= low * 0.95 - step) & (values <= high * 1.05 + step)) >= 8
        assert low < high
    assert sum(made.verdict_probabilities.values()) == pytest.approx(1)


def test_fresh_intervals_hold_the_recommended_point(found):
    X, y, _ = table(200, 100, noise=2.0)
    y[::2] = np.nan
    best = fm.recommend(X, y)
    for name in ("real_weight", "penalty", "risk", "prediction_error"):
        low, high = best.intervals[name]
        assert low <= getattr(best, name) <= high, name
    assert sum(best.verdict_probabilities.values()) == pytest.approx(1)
    assert next(iter(best.verdict_probabilities)) == best.verdict
    assert isinstance(best.population, fm.EstimatedPopulation)


def test_a_spike_is_not_gathered_with_its_neighbours():
    """Tables of many rows, whose eigenvalues are gathered for the draws."""
    rng = np.random.default_rng(6)
    n, p = 800, 700
    X = rng.standard_normal((n, p))
    X[:, 0] *= 5.0
    y = 0.2 * X[:, 0] + X[:, 1:] @ rng.standard_normal(p - 1) / 60 + rng.standard_normal(n)
    whole = banded(factorise(X, y), rng)
    assert whole.outlying == 1
    full = whole.equivalents()
    few = gathered(full, 1, 300)
    assert few.s.size < 400 < full.s.size
    for lam in (0.05, 0.5, 5.0):
        w = np.array([0.6])
        expected = frozen.limit_risk(full, w, np.array([lam]), 1.0, 1.0)
        assert frozen.limit_risk(few, w, np.array([lam]), 1.0, 1.0) == pytest.approx(expected, rel=2e-3)
    best = fm.recommend(X, y, standardize=False)
    for name in ("real_weight", "penalty", "risk", "prediction_error"):
        low, high = best.intervals[name]
        assert low < getattr(best, name) < high, name


def test_a_given_penalty_has_no_interval():
    X, y, _ = table(120, 60)
    best = fm.recommend(X, y, penalty=0.5)
    assert "penalty" not in best.intervals
    low, high = best.intervals["real_weight"]
    assert low <= best.real_weight <= high
    loop = fm.Loop(covariates="fresh", real_weight=0.5)
    assert "penalty" not in fm.recommend(X, y, loop=loop, penalty=0.5).intervals


def test_a_loop_that_diverges_for_every_draw(found):
    """Its risk is infinite whatever the noise: the verdict is certain."""
    loop = fm.Loop(aspect=0.8, real_weight=0.0, covariates="fresh", synthetic_noise_ratio=1.0)
    setting = FreshSetting(found.population(), (loop,))
    made = fresh_uncertainty(found, setting, setting, None, 0.0)
    assert made.verdict_probabilities == {"diverges": 1.0}
    assert made.intervals["risk"] == (np.inf, np.inf)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 1e-3, 300.0])
def test_intervals_hold_a_recommendation_at_the_edge(noise):
    """No penalty where there is no noise, one without bound where there is no signal."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((60, 120))
    y = X[:, 0] + noise * rng.standard_normal(60)
    for options in ({}, {"kernel": "rbf"}, {"labelled": 0.5, "generations": 2}):
        best = fm.recommend(X, y, **options)
        for name, (low, high) in best.intervals.items():
            assert low <= getattr(best, name) <= high, (name, options)


def test_real_labels_alone_hold_for_sure():
    """Draws with best penalties of their own would call the same loop worse than itself."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 10))
    y = X @ rng.standard_normal(10) + rng.standard_normal(400)
    found = fm.recommend(X, y, loop=fm.Loop(labels="frozen"))
    assert (found.real_weight, found.verdict) == (1.0, "holds")
    assert found.verdict_probabilities == {"holds": 1.0}
    few = np.where(np.arange(400) < 200, y, np.nan)
    loop = fm.Loop(covariates="fresh", synthetic_noise_ratio=1e6)
    found = fm.recommend(X, few, loop=loop)
    assert (found.real_weight, found.row_weight, found.verdict_probabilities) == (1.0, 0.0, {"holds": 1.0})


def test_best_points_of_draws_are_those_of_a_spline_through_each_table():
    rng = np.random.default_rng(3)
    penalties, weights = np.geomspace(1e-2, 1e2, 17), np.linspace(0.04, 1.0, 25)
    places = rng.uniform(-2, 2, 40), rng.uniform(0.3, 0.9, 40)
    table = np.array([(np.log(penalties) - x)[:, None] ** 2 + (weights - w) ** 2 for x, w in zip(*places, strict=True)])
    table += 0.01 * rng.standard_normal(table.shape)
    found = Search(penalties, weights, False).intervals(table)
    fine_x, fine_w = np.linspace(np.log(1e-2), np.log(1e2), 65), np.linspace(0.04, 1.0, 97)
    best = []
    for risks in table:
        surface = RectBivariateSpline(np.log(penalties), weights, risks)(fine_x, fine_w)
        i, j = np.unravel_index(np.argmin(surface), surface.shape)
        best.append((np.exp(fine_x[i]), fine_w[j]))
    (low, low_w), (high, high_w) = np.quantile(best, [0.05, 0.95], axis=0)
    ratio, half = np.exp((fine_x[1] - fine_x[0]) / 2), (fine_w[1] - fine_w[0]) / 2
    np.testing.assert_allclose(found["real_weight"], (low_w - half, min(high_w + half, 1.0)))
    np.testing.assert_allclose(found["penalty"], (low / ratio, high * ratio))
