"""Labels that ways of remembering need: searches from nearby loops, and brute force over loops and numbers of labels."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

import freshmix as fm
from freshmix.loop import Group, Loop
from freshmix.optima.fresh_memory import ONE_BY_ONE, FreshWays
from freshmix.population import Population
from freshmix.risks.fresh import FreshSetting

LEVELS = Population([0.3, 1.0, 4.0], [0.4, 0.4, 0.2], [0.5, 0.6, 0.2], 1.5, persistence=0.97)
TARGET = 1.75


def ways_at(share, near=None, horizon=6):
    groups = [Group(share, 1.0, 1.0, labelled=True)] + ([Group(1 - share, 0.0, 0.0)] if share < 1 else [])
    loop = Loop(aspect=0.4, groups=groups, covariates="fresh", synthetic_noise_ratio=0.0, first_rows=0.3)
    return FreshWays(FreshSetting(LEVELS, (loop,)), horizon, "next", near or {})


@pytest.mark.slow
@pytest.mark.parametrize(("known", "share"), [(0.3, 0.5), (1.0, 0.6), (0.2, 1.0), (0.3, 0.05)])
def test_a_loop_nearby_is_as_good_a_start_as_a_grid(known, share):
    near = {name: loop for name, (loop, _, _) in ways_at(known).ways().items()}
    every = ways_at(share).ways()
    for name in ONE_BY_ONE:
        loop, risk, stored = ways_at(share, near).way(name)
        assert risk <= every[name][1] * (1 + 1e-6)
        assert stored == every[name][2]
        assert FreshSetting(LEVELS, (loop,)).by_generation(6, "next")[-1] == pytest.approx(risk, rel=1e-9)


def least_risk(population, loop, name, horizon, judged):
    """The least risk of a way, by simplex searches of theory's front door from several starts."""
    groups = loop.groups

    def risk(point):
        values = {"penalty": math.exp(min(max(point[0], -12.0), 12.0))}
        w, anchor, forgetting, row_weight = 1.0, 0.0, 1.0, 0.0
        rest = list(1 / (1 + np.exp(-np.clip(point[1:], -30, 30))))
        if name in ("mixed", "anchored_mixed"):
            w, row_weight = rest.pop(0), 2 * rest.pop(0)
        if name in ("anchored", "anchored_mixed"):
            anchor = rest.pop(0)
        if name == "forgetting":
            forgetting = rest.pop(0)
        mixed = [Group(groups[0].share, 1.0, w, labelled=True)]
        mixed += [Group(1 - groups[0].share, row_weight, 0.0)] if len(groups) > 1 else []
        if name in ("keep_all", "forgetting"):
            values |= {"kept_generations": None, "forgetting": max(forgetting, 1e-3)}
        made = loop.replace(groups=mixed, anchor=anchor, **values)
        return fm.risk(population, made, horizon, judged=judged)[-1]

    size = 1 + {"real_only": 0, "keep_all": 0, "mixed": 2, "anchored": 1, "forgetting": 1, "anchored_mixed": 3}[name]
    starts = [np.concatenate([[a], np.full(size - 1, b)]) for a, b in ((-3.0, -1.0), (-1.0, 1.5), (0.0, 0.0))]
    options = {"xatol": 1e-7, "fatol": 1e-12, "maxiter": 2000, "maxfev": 2000}
    return min(minimize(risk, start, method="Nelder-Mead", options=options).fun for start in starts)


@pytest.fixture(scope="module")
def planned():
    rng, steps, c = np.random.default_rng(5), np.repeat(np.arange(8), 40), 0.9
    beta, X, y = rng.standard_normal(8), rng.standard_normal((320, 8)), np.empty(320)
    for t in range(8):
        beta, at = c * beta + math.sqrt(1 - c * c) * rng.standard_normal(8), steps == t
        y[at] = X[at] @ beta / 2 + rng.standard_normal(40) + 3
    y[rng.random(320) > 0.4] = np.nan
    return (X, y, steps), fm.plan(X, y, time=steps, cost_per_label=2.0, target_error=TARGET, generations=3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_the_need_is_that_of_brute_force(planned, name):
    """A label less misses the target at any settings, by searches that share nothing with those of plans."""
    _, found = planned
    way = found.ways[name]
    answer = found.advise.args[0]
    population, base = answer.population, answer.ways.memory.ways["real_only"].loop
    noise, rows = population.noise_variance, found.rows_per_generation

    def error(labels):
        share = labels / rows
        groups = [Group(share, 1.0, 1.0, labelled=True)] + ([Group(1 - share, 0.0, 0.0)] if share < 1 else [])
        return answer.correction * least_risk(population, base.replace(groups=groups), name, 3, "next") + noise

    if math.isinf(way["labels"]):
        assert error(rows) > TARGET
        return
    assert way["prediction_error"] <= TARGET
    assert error(way["labels"]) == pytest.approx(way["prediction_error"], rel=1e-5)
    assert error(way["labels"] - 1) > TARGET


@pytest.mark.slow
def test_a_plan_and_a_recommendation_have_the_same_ways(planned):
    (X, y, steps), found = planned
    told = fm.recommend(X, y, time=steps, generations=3)
    for name, way in found.ways.items():
        assert way["now"] == pytest.approx(told.rivals[name]["prediction_error"], rel=1e-12)
    assert found.advice.labels_now == pytest.approx(40 * np.isfinite(y).mean())


@pytest.mark.slow
def test_without_a_target_labels_are_bought_up_to_the_knee_or_to_what_they_are_worth(planned):
    (X, y, steps), aimed = planned
    options = {"time": steps, "generations": 3}
    found = fm.plan(X, y, cost_per_label=2.0, **options)
    assert (found.advice.aim, aimed.advice.aim) == ("knee", "target")
    best = found.ways[found.best]
    if best["labels"] < 20:
        twice = fm.plan(X, y, cost_per_label=2.0, budget=4 * best["labels"], **options).ways[found.best]
        assert 1 - twice["rmse"] / best["rmse"] < 0.01 + 1e-3
    # Dearer labels are fewer; at the break-even of the next label those are bought that are.
    value = found.advice.break_even
    same = fm.plan(X, y, cost_per_label=2.0, value=value, **options)
    assert same.ways[found.best]["labels"] == pytest.approx(best["labels"], abs=1)
    dear = fm.plan(X, y, cost_per_label=2.0, value=value / 4, **options)
    assert dear.ways[found.best]["labels"] < best["labels"]
    assert dear.ways[found.best]["cost"] == 2 * dear.ways[found.best]["labels"]


@pytest.mark.slow
def test_labels_that_are_owned_help_the_ways_that_keep_rows(planned):
    (X, y, _), _ = planned
    options = {"cost_per_label": 2.0, "budget": 30.0, "generations": 3, "rows_per_generation": 40}
    usual, owned = fm.plan(X, y, **options), fm.plan(X, y, owned=400, **options)
    assert usual.advice.labels_owned == pytest.approx(15)
    assert owned.advice.labels_owned == pytest.approx(400)
    for name, way in owned.ways.items():
        before = usual.ways[name]["prediction_error"]
        assert way["prediction_error"] == pytest.approx(before) if name == "real_only" else way["prediction_error"] < before


@pytest.mark.slow
def test_may_keep_decides_which_way_is_best(planned):
    (X, y, steps), _ = planned
    found = fm.plan(X, y, time=steps, cost_per_label=2.0, generations=3, may_keep="nothing")
    assert found.best == "real_only"
    assert [name for name, way in found.ways.items() if way["allowed"]] == ["real_only"]
    with pytest.raises(ValueError, match="may_keep must be one of"):
        fm.plan(X, y, cost_per_label=2.0, may_keep="all")
