"""Ways to remember, each at its best: the facts of mathematics.md section 5, searches from many starts, what may be kept."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

import freshmix as fm
from freshmix.optima.memory import memory_of
from freshmix.recommendation.ways import carried_out
from freshmix.reproduce import memory_worth
from freshmix.reproduce.part import content_of
from freshmix.risks.setting import setting_of
from freshmix.sweeps.grid import loop_of

# Eigenvalues, shares, energies and noise of what memory is worth (section 5).
WORTH = fm.Population([0.3, 1.0, 4.0], [0.4, 0.4, 0.2], [0.5, 0.6, 0.2], 1.5)
# (aspect, labelled, persistence): R of real only, mixed, anchored, both, rows kept with forgetting at generation 12.
FACTS = {
    (1.0, 1.0, 1.0): (0.788, 0.466, 0.201, 0.163, 0.107),
    (1.0, 0.3, 0.97): (1.220, 0.907, 0.606, 0.593, 0.556),
    (0.2, 1.0, 0.85): (0.251, 0.211, 0.190, 0.188, 0.201),
}
NAMES = ("real_only", "mixed", "anchored", "anchored_mixed", "forgetting")
TWO = fm.Population([0.5, 2.0], [0.6, 0.4], [1.0, 2.0], 1.3)


def loop(aspect=1.0, labelled=1.0):
    """Noiseless labels, the first step with as many labels as any other."""
    groups = [fm.Group(labelled)] + ([fm.Group(1 - labelled, 1.0, 0.0)] if labelled < 1 else [])
    return fm.Loop(aspect=aspect, covariates="fresh", synthetic_noise_ratio=0.0, first_rows=labelled, groups=groups)


@pytest.mark.parametrize("setting", FACTS)
def test_what_memory_is_worth(setting):
    aspect, labelled, persistence = setting
    found = fm.optimal_memory(WORTH.replace(persistence=persistence), loop(aspect, labelled), judged="now")
    np.testing.assert_allclose([found.ways[name].risk for name in NAMES], FACTS[setting], rtol=4e-3)
    least = min(NAMES, key=lambda name: found.ways[name].risk)
    if persistence < 1:
        assert found.best == least
    else:
        # Nothing drifts: forgetting gains nothing.
        assert found.best == "keep_all"
        assert found.ways["keep_all"].risk == pytest.approx(found.ways["forgetting"].risk, rel=1e-6)


@pytest.mark.parametrize("setting", [(1.0, 0.3, 0.97), (3.0, 1.0, 0.85)])
def test_ways_are_loops_with_their_risk(setting):
    aspect, labelled, persistence = setting
    population = WORTH.replace(persistence=persistence, row_sizes=([0.5, 1.75], [0.6, 0.4]))
    found = fm.optimal_memory(population, loop(aspect, labelled), 5)
    for way in found.ways.values():
        assert way.risk == pytest.approx(fm.risk(population, way.loop, 5, judged="next")[-1], rel=1e-9)
        assert way.prediction_error == pytest.approx(way.risk + 1.5)
    risks = {name: way.risk for name, way in found.ways.items()}
    assert risks["anchored_mixed"] <= min(risks["mixed"], risks["anchored"]) * (1 + 1e-6)
    assert risks["mixed"] <= risks["real_only"] * (1 + 1e-6)
    assert risks["forgetting"] <= risks["keep_all"] * (1 + 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("persistence", [1.0, 0.97, 0.85])
@pytest.mark.parametrize("labelled", [1.0, 0.3])
@pytest.mark.parametrize("aspect", [0.2, 1.0, 3.0])
def test_best_within_half_a_percent_of_many_starts(aspect, labelled, persistence):
    """The 18 settings of section 5: simplex searches from random starts, one risk at a time."""
    population, each = WORTH.replace(persistence=persistence), loop(aspect, labelled)
    found = fm.optimal_memory(population, each)
    rng = np.random.default_rng(0)

    def mixed(x):
        w, anchor = np.clip(x[:2], 0, 1)
        groups = [fm.Group(labelled, 1.0, w, labelled=True)]
        groups += [fm.Group(1 - labelled, float(np.exp(np.clip(x[3], -7, 7))), 0.0)] if labelled < 1 else []
        at = each.replace(groups=groups, anchor=anchor, penalty=float(np.exp(np.clip(x[2], -15, 15))))
        return fm.risk(population, at, 12, judged="next")[-1]

    def kept(x):
        groups = [fm.Group(labelled)] + ([fm.Group(1 - labelled, 0.0, 0.0)] if labelled < 1 else [])
        at = each.replace(groups=groups, kept_generations=None, forgetting=float(np.clip(x[0], 1e-3, 1)))
        return fm.risk(population, at.replace(penalty=float(np.exp(np.clip(x[1], -15, 15)))), 12, judged="next")[-1]

    options = {"maxfev": 250, "xatol": 1e-4, "fatol": 1e-8}
    for name, function, size in (("anchored_mixed", mixed, 4), ("forgetting", kept, 2)):
        starts = [np.concatenate([rng.uniform(0, 1, size // 2), rng.normal(0, 1.5, size - size // 2)]) for _ in range(4)]
        least = min(minimize(function, start, method="Nelder-Mead", options=options).fun for start in starts)
        assert found.ways[name].risk <= least * 1.005


@pytest.mark.parametrize(("labels", "rho"), [("fresh", 1.0), ("frozen", 0.0)])
def test_frozen_covariates(labels, rho):
    each = fm.Loop(aspect=0.6, labels=labels, synthetic_noise_ratio=rho)
    found = fm.optimal_memory(TWO, each, 6)
    assert set(found.ways) == {"real_only", "mixed", "anchored", "anchored_mixed", "keep_all"}
    for name in ("real_only", "mixed", "anchored", "anchored_mixed"):
        way = found.ways[name]
        assert way.risk == pytest.approx(fm.risk(TWO, way.loop, 6)[-1], rel=1e-8)
    assert found.ways["mixed"].risk == pytest.approx(fm.optimal_loop(TWO, each, generations=6).risk, rel=1e-6)
    assert found.ways["anchored_mixed"].risk <= found.ways["anchored"].risk * (1 + 1e-6)
    if labels == "fresh":
        assert found.best_under == {
            "nothing": "real_only",
            "model": "anchored_mixed",
            "moments": "keep_all",
            "rows": "keep_all",
        }
    else:
        # The same labels again: there is nothing to average.
        assert found.ways["keep_all"].risk == pytest.approx(found.ways["real_only"].risk, rel=1e-12)


def test_what_may_be_kept():
    each = loop(0.5)
    drifting = TWO.replace(persistence=0.9)
    stored = {name: way.stored for name, way in fm.optimal_memory(drifting, each, 4).ways.items()}
    assert stored.items() >= {"real_only": "nothing", "mixed": "model", "anchored": "model", "keep_all": "moments"}.items()
    found = {rule: fm.optimal_memory(drifting, each, 4, rule).best for rule in ("nothing", "model", "moments", "rows")}
    assert found == fm.optimal_memory(drifting, each, 4).best_under
    assert found["nothing"] == "real_only"


def test_words():
    found = fm.optimal_memory(WORTH.replace(persistence=0.97), loop(1.0, 0.3), 3, "model")
    text = str(found)
    assert "Best where the last model may be kept: anchored and mixed" in text
    for name in ("real labels only", "kept with forgetting", "moments"):
        assert name in text
    assert len(repr(found).splitlines()) <= 12
    assert found.to_dict()["ways"]["anchored"]["risk"] == found.ways["anchored"].risk


def test_settings_can_be_read():
    way = fm.optimal_memory(WORTH.replace(persistence=0.97), loop(1.0, 0.3), 4).ways["forgetting"]
    assert way.settings == {
        "penalty": way.loop.penalty,
        "real_weight": 1.0,
        "row_weight": 0.0,
        "anchor": 0.0,
        "kept_generations": None,
        "forgetting": way.loop.forgetting,
    }


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"may_keep": "all"}, "may_keep"),
        ({"judged": "later"}, "judged"),
        ({"generations": 0}, "generations"),
        ({"loop": fm.Loop(aspect=1.0, covariates="fresh", groups=[fm.Group(1.0, 1.0, 0.0)])}, "real label"),
        ({"loop": fm.Loop(covariates="fresh")}, "aspect"),
    ],
)
def test_bad_input(more, named):
    with pytest.raises(ValueError, match=named):
        fm.optimal_memory(**{"population": TWO, "loop": loop()} | more)
    with pytest.raises(TypeError, match="loop"):
        fm.optimal_memory(TWO, "loop")


def test_the_figure_shows_ways_at_their_best():
    """The sweeps of figure 9 hold what the search finds, to four digits."""
    for name, persistence in memory_worth.PERSISTENCE.items():
        population = WORTH.replace(persistence=persistence)
        loops = {key: loop_of(table) for key, table in content_of(name)["loops"].items()}
        assert len(loops) == len(memory_worth.SHOWN) * 6
        # One of them is searched again.
        if name != "memory_slow":
            continue
        found = fm.optimal_memory(population, loop(3.0, 0.3))
        for way in memory_worth.SHOWN:
            shown = memory_worth.next_step(population, loops[f"{way}, 3, 0.3"], 12)[0]
            assert shown == pytest.approx(found.ways[way].risk, rel=1e-4)


def test_ways_can_be_simulated():
    """Rows that are left out have weight 0, and are rows of the penalty's mean."""
    way = fm.optimal_memory(WORTH, loop(1.0, 0.3), 2).ways["forgetting"]
    simulated = fm.simulate(WORTH, way.loop, 2, rows=100, replicates=12, seed=0, judged="next")
    mean, error = simulated.risk.mean("replicate"), simulated.risk.std("replicate", ddof=1) / 12**0.5
    assert np.all(abs(mean - fm.risk(WORTH, way.loop, 2, judged="next")) < 4 * error + 0.03)


DRIFTING = fm.Population.two_level(4.0, share=0.25, noise_variance=2.0).replace(persistence=0.9)


@pytest.mark.parametrize(
    "loop",
    [
        fm.Loop(aspect=0.5, covariates="fresh", synthetic_noise_ratio=0.0),
        pytest.param(fm.Loop.partially_labelled(aspect=0.5, labelled=0.3).replace(first_rows=0.5), marks=pytest.mark.slow),
        fm.Loop(aspect=0.5),
        pytest.param(fm.Loop(aspect=0.5, label_renewal=0.5), marks=pytest.mark.slow),
    ],
)
def test_a_given_penalty_is_that_of_every_way(loop):
    """Per row of what is fitted; each way is then at its best with it, and not better than with a penalty of its own."""
    population = DRIFTING if loop.covariates == "fresh" else DRIFTING.replace(persistence=1.0)
    setting = replace(setting_of(population, loop.at_weight(1.0)), **({"judged": "next"} if loop.covariates == "fresh" else {}))
    free, given = (memory_of(setting, 3, "rows", "next", penalty).ways for penalty in (None, 0.3))
    for name, way in given.items():
        done = carried_out(way, 3)
        share = done.penalty * (loop.labelled if done.row_weight == 0 and done.kept_generations == 0 else 1.0)
        assert share == pytest.approx(0.3)
        if name in free:
            assert way.risk >= free[name].risk * (1 - 1e-9)
        if name != "keep_all":
            assert way.risk == pytest.approx(setting.with_loops(way.loop).risk(3), rel=1e-9)
    again = memory_of(setting, 3, "rows", "next", free["mixed"].loop.penalty).ways["mixed"]
    assert again.risk == pytest.approx(free["mixed"].risk, rel=1e-6)


def test_baselines_under_drift_are_the_ways():
    """Ridge on real labels alone, and on all that were kept, judged on the next coefficients."""
    loop = fm.Loop.partially_labelled(aspect=0.5, labelled=0.3).replace(first_rows=0.5)
    setting = replace(setting_of(DRIFTING, loop), judged="next")
    ways = fm.optimal_memory(DRIFTING, loop, 4).ways
    assert setting.real_only().best()[1] == pytest.approx(ways["real_only"].risk, rel=1e-6)
    assert setting.keep_all(4).best()[1] == pytest.approx(ways["keep_all"].risk, rel=1e-6)
    # What does not drift is judged alike.
    still = replace(setting, population=DRIFTING.replace(persistence=1 - 1e-13))
    assert still.keep_all(4).best()[1] == pytest.approx(replace(still, judged="now").keep_all(4).best()[1], rel=1e-6)


@pytest.mark.slow
def test_the_best_loop_names_what_beats_it():
    loop = fm.Loop(aspect=0.5, covariates="fresh", synthetic_noise_ratio=0.0)
    best = fm.optimal_loop(DRIFTING, loop, generations=4)
    better = best.beaten_by(4)
    own = fm.risk(DRIFTING, best.loop, 4, judged="next")[-1]
    ways = fm.optimal_memory(DRIFTING, loop, 4).ways
    assert list(better) == sorted((name for name in ways if ways[name].risk < own), key=lambda name: ways[name].risk)
    assert {"anchored"} < set(better)
    assert {way.stored for way in best.beaten_by(4, may_keep="model").values()} <= {"nothing", "model"}
    assert best == fm.optimal_loop(DRIFTING, loop, generations=4)
    with pytest.raises(ValueError, match="beaten_by needs an optimum"):
        fm.Optimum(best.loop, best.real_weight, best.risk).beaten_by()


def test_least_squares_on_drifting_coefficients_has_a_best_weight():
    """Without drift the infimum is at 0 and not attained."""
    loop = fm.Loop(aspect=0.5, covariates="fresh", synthetic_noise_ratio=0.0)
    found = fm.optimal_weight(DRIFTING, loop)
    assert found.attained
    tried = [fm.limit(DRIFTING, loop.replace(real_weight=w)).risk for w in np.linspace(0.02, 1, 50)]
    assert 0.2 < found.real_weight < 1
    assert found.risk <= min(tried) * (1 + 1e-9)
    assert not fm.optimal_weight(DRIFTING.replace(persistence=1.0), loop).attained


def test_a_schedule_judged_on_the_next_step():
    """Risk, and its gradient by differences."""
    loop = fm.Loop(aspect=0.5, penalty=0.2, covariates="fresh", synthetic_noise_ratio=0.3, real_weight=1.0)
    schedules = replace(setting_of(DRIFTING, loop), judged="next").schedules(3)
    weights = np.array([0.7, 0.4, 0.5])
    value, gradient = schedules.value_and_gradient(weights)
    scheduled = fm.risk(DRIFTING, loop.replace(schedule=weights), 3, judged="next")[-1]
    assert value == pytest.approx(schedules.risk(weights)) == pytest.approx(scheduled)
    for t, step in enumerate(1e-6 * np.eye(3)):
        slope = (schedules.risk(weights + step) - schedules.risk(weights - step)) / 2e-6
        assert gradient[t] == pytest.approx(slope, rel=1e-6)
