"""A schedule in place of a constant weight: what is recommended is what theory and runs of the loop say it is."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

import freshmix as fm
from freshmix.optima.fresh_schedule import fresh_schedule
from freshmix.optima.fresh_weight import candidates
from freshmix.recommendation.schedule import (
    WORTH,
    best_schedule,
    followed_fresh,
    followed_frozen,
    for_frozen,
    restarted,
)
from freshmix.replays.in_time import Course
from freshmix.risks.fresh import FreshSetting
from freshmix.risks.fresh_schedules import FreshSchedules
from freshmix.risks.frozen import FrozenSetting

POPULATION = fm.Population.two_level(10.0, 0.25, 0.5, 2.0, 1.0)


def table(rows=300, features=90, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, features))
    return X, X @ rng.standard_normal(features) / np.sqrt(features) + rng.standard_normal(rows)


PARTLY = [
    # One group, a share labelled, labelled rows in groups of two row weights, labelled rows alone.
    ((1.0, 1.0, 1.0),),
    ((0.4, 1.0, 1.0), (0.6, 0.7, 0.0)),
    ((0.2, 1.0, 1.0), (0.3, 2.0, 1.0), (0.5, 0.5, 0.0)),
    ((0.5, 1.0, 1.0), (0.5, 0.0, 0.0)),
]


def loop_of(groups, aspect=0.6, ratio=0.5, penalty=0.1):
    made = [fm.Group(*each) for each in groups]
    return fm.Loop(aspect=aspect, covariates="fresh", synthetic_noise_ratio=ratio, penalty=penalty, groups=made)


def naive_risk(loop, weights, penalty=None, row_weight=None):
    """R_T of a sequence of loops; ``row_weight`` is that of the rows without a real label."""
    loops = []
    for w in weights:
        groups = [
            fm.Group(g.share, g.row_weight if row_weight is None or g.real_weight else row_weight, w if g.real_weight else 0.0)
            for g in loop.groups
        ]
        loops.append(loop.replace(groups=groups, penalty=loop.penalty if penalty is None else penalty))
    return fm.risk(POPULATION, loops, len(loops))[-1]


def naive_best(loop, generations):
    """The least R_T over all weights, the penalty and the row weight, by a search without gradients of ours."""

    def at(point):
        return naive_risk(loop, np.clip(point[:-2], 0, 1), math.exp(point[-2]), math.exp(point[-1]))

    bounds = [(0.0, 1.0)] * generations + [(-9.0, 5.0), (-6.0, 6.0)]
    starts = [[w] * generations + [x, y] for w, x, y in ((0.3, -4.0, 0.0), (0.7, -1.5, -1.0), (0.95, -1.5, 1.0))]
    return min(minimize(at, start, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13}).fun for start in starts)


@pytest.mark.parametrize("groups", PARTLY)
@pytest.mark.parametrize(("aspect", "penalty"), [(0.6, 0.1), (2.0, 0.3), (0.3, 0.0), (3.0, 0.0)])
def test_risk_and_gradient_of_a_schedule(groups, aspect, penalty):
    """Against the loops one by one, and against differences of their risks."""
    loop = loop_of(groups, aspect, penalty=penalty)
    weights = np.array([0.9, 0.3, 0.0, 1.0, 0.55])[: 3 if aspect < 1 else 5]
    risk, gradient = FreshSchedules.of(POPULATION, loop).value_and_gradient(weights)
    assert risk == pytest.approx(naive_risk(loop, weights), rel=1e-12)
    inside = np.clip(weights, 0.01, 0.99)
    gradient = FreshSchedules.of(POPULATION, loop).value_and_gradient(inside)[1]
    steps = 1e-5 * np.eye(weights.size)
    differences = [(naive_risk(loop, inside + each) - naive_risk(loop, inside - each)) / 2e-5 for each in steps]
    np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-7)


def test_there_is_no_schedule_at_the_interpolation_threshold():
    assert FreshSchedules.of(POPULATION, loop_of(PARTLY[1], aspect=1.0, penalty=0.0)) is None
    found = fresh_schedule(POPULATION, [loop_of(PARTLY[1], 1.0, penalty=0.0)], 3, fixed=True, falls=True)
    assert found.risk == math.inf


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0])
def test_fresh_schedules_are_those_of_theory(ratio):
    """At a given penalty, against ``optimal_schedule``."""
    loop = loop_of(PARTLY[0], ratio=ratio)
    found = fresh_schedule(POPULATION, [loop], 5, fixed=True, falls=False)
    scheduled = loop.replace(schedule=found.weights)
    assert found.loops() == (scheduled,)
    assert found.risk == pytest.approx(fm.risk(POPULATION, scheduled, 5)[-1], rel=1e-12)
    best = fm.optimal_schedule(POPULATION, loop, 5)
    assert found.risk <= fm.risk(POPULATION, loop.replace(schedule=best), 5)[-1] * (1 + 1e-8)
    # Labelled groups that are alike are one group.
    halves = fresh_schedule(POPULATION, [loop_of(((0.5, 1.0, 1.0),) * 2, ratio=ratio)], 5, fixed=True, falls=False)
    assert halves.risk == pytest.approx(found.risk, rel=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("groups", "aspect", "ratio"),
    [
        (PARTLY[1], 0.4, 0.0),
        (PARTLY[2], 0.8, 1.0),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in ((PARTLY[1], 1.5, 0.0), (PARTLY[2], 1.5, 0.0))),
        pytest.param(PARTLY[2], 0.4, 0.0, marks=pytest.mark.slow),
        pytest.param(PARTLY[1], 0.8, 1.0, marks=pytest.mark.slow),
    ],
)
def test_no_search_over_all_parameters_does_better(groups, aspect, ratio):
    """All weights, the penalty and the row weight, by brute force over sequences of loops."""
    T, loop = 4, loop_of(groups, aspect, ratio)
    constants = candidates(POPULATION, loop, T)
    constant = min(constants, key=lambda each: each.risk)
    ones = [each.loop.at_weight(1.0) for each in constants]
    free = fresh_schedule(POPULATION, ones, T, fixed=False, falls=False)
    same = loop_of([(g[0], 1.0, g[2]) for g in groups], aspect, ratio)
    best = naive_best(same, T)
    assert free.risk <= best * (1 + 1e-6)
    assert free.risk == pytest.approx(naive_risk(free.loop, free.weights), rel=1e-10)
    kept = followed_fresh(FreshSetting(POPULATION, (loop,)), T, constants, constant, False)
    assert kept.risk <= constant.risk
    assert kept.risk + 1.0 <= (free.risk + 1.0) * (1 + 1.001 * WORTH)
    assert fm.risk(POPULATION, kept.loops(), T)[-1] == pytest.approx(kept.risk, rel=1e-10)


@pytest.mark.parametrize("covariates", ["frozen", "fresh"])
def test_the_penalty_suits_the_schedule(covariates):
    """No penalty of a grid does better with its own best schedule, and neither does a constant weight."""
    loop = fm.Loop(aspect=0.6, covariates=covariates, synthetic_noise_ratio=0.0)
    constant = fm.optimal_loop(POPULATION, loop, generations=4)

    def at(penalty, fixed=True):
        if covariates == "frozen":
            made = best_schedule(for_frozen(FrozenSetting.of(POPULATION, (loop,)), 4), penalty, fixed)
        else:
            start = loop.replace(penalty=penalty, real_weight=1.0)
            made = fresh_schedule(POPULATION, [start], 4, fixed=fixed, falls=False)
        return made.risk, made.loop.penalty

    found = at(constant.loop.penalty, False)[0]
    assert found <= constant.risk * (1 + 1e-9)
    assert found <= min(at(penalty)[0] for penalty in np.geomspace(1e-3, 1.0, 13)) * (1 + 2e-3)
    assert at(0.3)[1] == 0.3


@pytest.mark.parametrize("labels", ["fresh", "frozen"])
@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_schedules_fall_unless_a_rise_is_worth_it(labels, ratio):
    """The best that never rises, against a search with that constraint; a free one has to gain 0.1% of the error."""
    loop = fm.Loop(aspect=0.6, penalty=0.15, synthetic_noise_ratio=ratio, labels=labels)
    setting = FrozenSetting.of(POPULATION, (loop,))
    falls = for_frozen(setting, 5, "falling")(0.15)
    assert np.all(np.diff(falls.weights) <= 0)
    found = minimize(
        lambda w: fm.risk(POPULATION, loop.replace(schedule=np.clip(w, 0, 1)), 5)[-1],
        np.linspace(0.8, 0.6, 5),
        method="SLSQP",
        bounds=[(0, 1)] * 5,
        constraints={"type": "ineq", "fun": lambda w: -np.diff(w)},
    )
    assert falls.risk <= found.fun * (1 + 1e-6)
    constant = fm.optimal_weight(POPULATION, loop, generations=5)
    kept = followed_frozen(setting, 5, constant, True)
    free = for_frozen(setting, 5)(0.15).risk
    assert kept.risk <= constant.risk
    assert kept.risk + 1.0 <= (free + 1.0) * (1 + 1.001 * WORTH)
    if free + 1.0 > (falls.risk + 1.0) * (1 - 0.999 * WORTH):
        assert np.all(np.diff(kept.weights) <= 1e-12)


def test_what_a_restart_forgets_is_that_of_the_falling_schedule():
    weights, before = np.array([0.2, 0.9, 1.0, 0.7]), np.array([0.8, 0.7, 0.6, 0.5])
    np.testing.assert_array_equal(restarted(weights, before), [0.8, 0.7, 1.0, 0.7])
    np.testing.assert_array_equal(restarted(before, weights), before)


@pytest.mark.slow
@pytest.mark.parametrize("loop", [fm.Loop(), fm.Loop(covariates="fresh", synthetic_noise_ratio=0.0), fm.Loop(labels="frozen")])
def test_recommended_schedule(loop):
    X, y = table()
    found = fm.recommend(X, y, loop=loop, generations=3, schedule=True)
    constant = fm.recommend(X, y, loop=loop, generations=3)
    assert found.loop.schedule == found.schedule
    assert len(found.schedule) == 3
    assert found.real_weight == found.schedule[-1]
    assert found.baselines["constant_weight"] == pytest.approx(constant.risk)
    assert found.risk <= constant.risk * (1 + 1e-6)
    assert found.risk_by_generation["recommended"][-1] == pytest.approx(found.risk, rel=1e-4)
    assert found.risk_by_generation["constant_weight"][-1] == pytest.approx(constant.risk, rel=1e-3)
    assert found.alpha == pytest.approx(found.penalty * 300)
    low, high = found.intervals["risk"]
    assert low < found.risk < high
    assert found.check.predicted.size == (4 if loop.covariates == "frozen" else 3)
    if loop.covariates == "fresh":
        assert found.risk == pytest.approx(fm.risk(found.population, found.loop, 3)[-1])


@pytest.mark.slow
def test_default_horizon_and_refusals():
    X, y = table(120, 20)
    assert fm.recommend(X, y, schedule=True).generations == 12
    with pytest.raises(ValueError, match="generations must be a whole number for a schedule"):
        fm.recommend(X, y, schedule=True, generations=math.inf)
    with pytest.raises(TypeError, match="schedule must be True or False"):
        fm.recommend(X, y, schedule=[0.5])


@pytest.mark.parametrize("penalty", [pytest.param("auto", marks=pytest.mark.slow), 0.1])
def test_a_schedule_for_partly_labelled_rows(penalty):
    X, y = table(320, 40)
    time = np.repeat(np.arange(4), 80)
    y[np.random.default_rng(1).random(320) < 0.5] = np.nan
    found = fm.recommend(X, y, time=time, schedule=True, generations=4, penalty=penalty)
    constant = fm.recommend(X, y, time=time, generations=4, penalty=penalty)
    assert found.risk <= constant.risk
    assert found.baselines["constant_weight"] == constant.risk
    assert len(found.loops) == len(found.schedule) == 4
    assert found.loop == found.loops[-1]
    for loop, w in zip(found.loops, found.schedule, strict=True):
        assert [group.real_weight for group in loop.groups] == [w, 0.0]
        assert [group.row_weight for group in loop.groups] == [1.0, found.row_weight]
        assert loop.penalty == found.penalty
    assert found.real_weight == found.schedule[-1]
    course = found.risk_by_generation["recommended"]
    np.testing.assert_allclose(fm.risk(found.population, found.loops, 4), course, rtol=1e-12)
    assert course[-1] == pytest.approx(found.risk, rel=1e-9)
    assert found.long_run_risk == pytest.approx(fm.limit(found.population, found.loops).risk)
    assert found.intervals.keys() == {"noise_variance", "signal_to_noise_ratio", "risk", "prediction_error"}
    low, high = found.intervals["risk"]
    assert low < found.risk < high
    assert found.backtest.keys() == {"recommended", "real_only", "keep_all_labels", "synthetic_only", "constant_weight"}
    # The replay's last generation is not the horizon, and it runs the weights up to there.
    assert found.check.predicted.size == 3
    assert (found.penalty == 0.1) == (penalty == 0.1)


@pytest.mark.slow
def test_loops_of_constant_weights_stand_alone():
    X, y = table(120, 20)
    for options in ({}, {"schedule": True, "generations": 3}, {"rows_per_generation": 60}):
        found = fm.recommend(X, y, **options)
        assert found.loops == (found.loop,)


def test_groups_of_todays_loop_share_the_weight():
    X, y = table(300, 30)
    groups = [fm.Group(0.2, 1.0, 0.9), fm.Group(0.3, 1.0, 0.5), fm.Group(0.5, 1.0, 0.0)]
    today = fm.Loop(covariates="fresh", groups=groups)
    found = fm.recommend(X, y, loop=today, schedule=True, generations=3)
    assert [[g.real_weight for g in loop.groups] for loop in found.loops] == [[w, w, 0.0] for w in found.schedule]
    assert found.baselines["today"] > found.risk
    course = fm.risk(found.population, found.loops, 3)
    np.testing.assert_allclose(course, found.risk_by_generation["recommended"], rtol=1e-12)


def test_backtests_follow_a_schedule():
    groups = [[fm.Group(0.5, 1.0, w), fm.Group(0.5, 0.3, 0.0)] for w in (0.8, 0.5, 0.0)]
    course = Course.of([fm.Loop(covariates="fresh", groups=each, penalty=0.2) for each in groups], 0.4)
    assert [course.real_weight(t) for t in (1, 2, 3, 4)] == [0.8, 0.5, 0.0, 0.0]
    assert [course.penalty(t) for t in (0, 1)] == [0.4, 0.2]
    assert (course.labelled_row_weight, course.row_weight) == (1.0, 0.3)


@pytest.mark.slow
def test_predicted_gain_is_met_by_a_real_loop():
    """Runs of the recommended schedule on drawn rows of the true population, against its predicted prediction error."""
    ratios = []
    for seed in range(8):
        X, y = table(300, 90, seed)
        found = fm.recommend(X, y, standardize=False, generations=6, schedule=True)
        truth = fm.Population.isotropic(1.0, 1.0)
        loop = found.loop.replace(aspect=0.3)
        runs = fm.simulate(truth, loop, 6, rows=300, replicates=8, seed=seed).risk.isel(generation=-1)
        ratios.append(found.prediction_error / (1 + float(runs.mean())))
    error = np.std(ratios, ddof=1) / np.sqrt(len(ratios))
    assert abs(np.mean(ratios) - 1) < 3.5 * error
    assert error < 0.06
