"""Best schedules: the closed form, greedy, the horizon and its gradient."""

import numpy as np
import pytest
from scipy.optimize import minimize

import freshmix as fm
from freshmix.risks.setting import setting_of

POPULATIONS = {"isotropic": fm.Population.isotropic(2.0), "spiked": fm.Population.spiked(10.0, 0.7)}


@pytest.mark.parametrize("rho", [0.0, 0.5, 1.0, 3.0])
def test_minnorm_closed_form(rho):
    """c_t = w_t along it; rho = 0 is plain averaging; no neighbour is better at any horizon."""
    population, loop = POPULATIONS["spiked"], fm.Loop(aspect=2.0, synthetic_noise_ratio=rho)
    weights = fm.optimal_schedule(population, loop, 6)
    if rho == 0:
        assert weights == pytest.approx(1 / np.arange(2, 8))
    best = fm.risk(population, loop.replace(schedule=weights), 6)
    for t in range(6):
        for shift in (-0.01, 0.01):
            near = weights.copy()
            near[t] += shift
            assert fm.risk(population, loop.replace(schedule=near), 6)[-1] > best[-1]


@pytest.mark.parametrize("labels", ["fresh", "frozen"])
@pytest.mark.parametrize(("aspect", "penalty"), [(0.5, 0.05), (1.0, 0.1), (2.0, 0.3)])
@pytest.mark.parametrize("name", POPULATIONS)
def test_ridge(name, aspect, penalty, labels):
    population, loop = POPULATIONS[name], fm.Loop(aspect=aspect, penalty=penalty, labels=labels)

    def last(weights):
        return fm.risk(population, loop.replace(schedule=weights), len(weights))[-1]

    greedy = fm.optimal_schedule(population, loop, 6, method="greedy")
    for t in range(6):
        nearby = [last([*greedy[:t], np.clip(greedy[t] + shift, 0, 1)]) for shift in (-0.02, 0.0, 0.02)]
        assert nearby[1] <= min(nearby) * (1 + 1e-12)
    best = fm.optimal_schedule(population, loop, 6)
    assert last(best) <= last(greedy)
    assert last(best) <= fm.optimal_weight(population, loop, generations=6).risk * (1 + 1e-9)
    problem = setting_of(population, loop).schedules(6)
    at = np.linspace(0.3, 0.9, 6)
    value, gradient = problem.value_and_gradient(at)
    assert value == pytest.approx(last(at), rel=1e-10)
    steps = 1e-5 * np.eye(6)
    numeric = [(last(at + step) - last(at - step)) / 2e-5 for step in steps]
    assert gradient == pytest.approx(numeric, rel=1e-6, abs=1e-8)


def test_fresh_covariates():
    population, loop = POPULATIONS["isotropic"], fm.Loop(aspect=1.5, covariates="fresh", penalty=0.1)
    risks = [
        fm.risk(population, loop.replace(schedule=fm.optimal_schedule(population, loop, 5, method=method)), 5)[-1]
        for method in ("horizon", "greedy")
    ]
    constant = fm.optimal_weight(population, loop, generations=5).risk
    assert risks[0] <= risks[1] * (1 + 1e-12)
    assert risks[0] <= constant * (1 + 1e-9)


@pytest.mark.parametrize("ratio", [0.0, 1.0])
@pytest.mark.parametrize(
    ("aspect", "penalty"),
    [(0.5, 0.0), (2.0, 1.0), *(pytest.param(*each, marks=pytest.mark.slow) for each in ((1.5, 0.1), (0.8, 0.02)))],
)
@pytest.mark.parametrize("name", POPULATIONS)
def test_no_feasible_direction_improves_a_fresh_schedule(name, aspect, penalty, ratio):
    """At the horizon's best the projected gradient vanishes, by differences of the risk; and no start of many does better."""
    population, T = POPULATIONS[name], 5
    loop = fm.Loop(aspect=aspect, covariates="fresh", penalty=penalty, synthetic_noise_ratio=ratio)

    def last(weights):
        return fm.risk(population, loop.replace(schedule=np.clip(weights, 0, 1)), T)[-1]

    best = fm.optimal_schedule(population, loop, T)
    inside = np.clip(best, 1e-5, 1 - 1e-5)
    slopes = np.array([last(inside + step) - last(inside - step) for step in 1e-5 * np.eye(T)]) / 2e-5
    projected = np.clip(best - slopes, 0, 1) - best
    assert np.abs(projected).max() < 3e-4 * last(best)
    rng = np.random.default_rng(0)
    for start in rng.random((4, T)):
        found = minimize(last, start, method="L-BFGS-B", bounds=[(0, 1)] * T, options={"ftol": 1e-14})
        assert last(best) <= found.fun * (1 + 1e-6)


def test_bad_requests():
    population = POPULATIONS["isotropic"]
    with pytest.raises(ValueError, match="generations"):
        fm.optimal_schedule(population, fm.Loop(aspect=2.0), 0)
    with pytest.raises(ValueError, match="method"):
        fm.optimal_schedule(population, fm.Loop(aspect=2.0), 3, method="best")
    weighted = fm.Loop(aspect=2.0, penalty=0.4, groups=[fm.Group(1.0, 2.0, 0.5)], covariates="fresh")
    with pytest.raises(ValueError, match="expected row_weight 1, got 2"):
        fm.optimal_schedule(population, weighted, 3)
    with pytest.raises(ValueError, match="groups"):
        fm.optimal_schedule(population, fm.Loop.partially_labelled(aspect=2.0, labelled=0.5), 3)
