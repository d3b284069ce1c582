"""A schedule in place of a constant weight: what is recommended is what theory and runs of the loop say it is."""

import math

import numpy as np
import pytest

import freshmix as fm
from freshmix.equivalents import PopulationEquivalents
from freshmix.recommend.schedule import best_schedule, for_fresh, for_frozen

POPULATION = fm.Population.two_level(10.0, 0.25, 0.5, 2.0, 1.0)


def table(rows=300, features=90, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, features))
    return X, X @ rng.standard_normal(features) / np.sqrt(features) + rng.standard_normal(rows)


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0])
def test_fresh_schedules_are_those_of_theory(ratio):
    loop = fm.Loop(aspect=0.6, covariates="fresh", synthetic_noise_ratio=ratio, penalty=0.1)
    weights, risk = for_fresh(POPULATION, loop, 5)(0.1)
    assert risk == pytest.approx(fm.risk(POPULATION, loop.replace(schedule=weights), 5)[-1], rel=1e-12)
    best = fm.optimal_schedule(POPULATION, loop, 5)
    assert risk <= fm.risk(POPULATION, loop.replace(schedule=best), 5)[-1] * (1 + 1e-3)


@pytest.mark.parametrize("covariates", ["frozen", "fresh"])
def test_the_penalty_suits_the_schedule(covariates):
    """No penalty of a grid does better with its own best schedule, and neither does a constant weight."""
    loop = fm.Loop(aspect=0.6, covariates=covariates, synthetic_noise_ratio=0.0)
    at = (
        for_frozen(PopulationEquivalents(POPULATION, 0.6), loop, 4)
        if covariates == "frozen"
        else for_fresh(POPULATION, loop, 4)
    )
    constant = fm.optimal_loop(POPULATION, loop, generations=4)
    found = best_schedule(at, constant.loop.penalty, False)
    assert found.risk <= constant.risk * (1 + 1e-9)
    assert found.risk <= min(at(penalty)[1] for penalty in np.geomspace(1e-3, 1.0, 13)) * (1 + 2e-3)
    fixed = best_schedule(at, 0.3, True)
    assert fixed.penalty == 0.3


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


def test_default_horizon_and_refusals():
    X, y = table(120, 20)
    assert fm.recommend(X, y, schedule=True).generations == 12
    with pytest.raises(ValueError, match="generations must be a whole number for a schedule"):
        fm.recommend(X, y, schedule=True, generations=math.inf)
    with pytest.raises(TypeError, match="schedule must be True or False"):
        fm.recommend(X, y, schedule=[0.5])
    y[:40] = np.nan
    with pytest.raises(ValueError, match="schedule needs a real label in every row"):
        fm.recommend(X, y, schedule=True)


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
