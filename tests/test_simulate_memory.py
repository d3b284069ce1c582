"""What loops remember, in simulations: anchors, labels that come again, weights beyond [0, 1], rows of unequal size."""

import math

import numpy as np
import pytest

import freshmix as fm
from freshmix import sampling

from . import naive
from .test_simulate import ISOTROPIC, LEVELS, SOURCES, SPIKED, in_law, task_of
from .tolerances import FAMILY_LEVEL

SIZES = ([0.5, 2.0], [2 / 3, 1 / 3])
# What a loop on frozen covariates may remember.
FROZEN = {
    "anchor": {"anchor": 0.7, "real_weight": 0.6},
    "anchor alone": {"anchor": 1.0, "real_weight": 1.0},
    "renewal": {"label_renewal": 0.3, "real_weight": 0.6},
    "all": {"anchor": 0.4, "label_renewal": 0.6, "schedule": [0.5, 0.0, 0.9]},
    "beyond": {"schedule": [3.0, -0.5, 1.2], "synthetic_noise_ratio": 0.0},
}


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("rows", [16, 40])
@pytest.mark.parametrize("kind", FROZEN)
@pytest.mark.parametrize("name", ["levels", "null", "autoregressive"])
def test_expectation_by_definition(name, kind, rows, penalty):
    source = SOURCES[name]
    loop = fm.Loop(**{"aspect": 24 / rows, "penalty": penalty, "synthetic_noise_ratio": 0.7} | FROZEN[kind])
    found = fm.simulate(source, loop, 4, rows=rows, seed=3)
    task, X, sigma = task_of(source, rows, 24 / rows, 3)
    given = (loop.synthetic_noise_ratio, loop.weights(4), penalty, loop.renewal, loop.anchor)
    expected = naive.conditional_risk(X, task.beta, sigma, source.noise_variance, *given)
    np.testing.assert_allclose(found.risk.values.ravel(), expected, rtol=1e-8)


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("rows", [16, 40])
@pytest.mark.parametrize("kind", FROZEN)
def test_the_same_run_by_two_engines(kind, rows, penalty):
    loop = fm.Loop(**{"aspect": 24 / rows, "penalty": penalty, "synthetic_noise_ratio": 0.7} | FROZEN[kind])
    options = {"rows": rows, "replicates": 2, "penalty": [penalty, 1.0], "noise": "sampled"}
    one, two = (fm.simulate(LEVELS, loop, 3, engine=engine, **options) for engine in ("spectral", "redraw"))
    np.testing.assert_allclose(one.risk, two.risk, rtol=1e-8)


def test_a_grid_of_weights_beyond_one():
    weights = [-0.5, 0.5, 5.0]
    loop = fm.Loop(aspect=0.5, penalty=0.2, labels="frozen", synthetic_noise_ratio=0.0)
    grid = fm.simulate(LEVELS, loop, 3, rows=40, real_weight=weights)
    for w in weights:
        alone = fm.simulate(LEVELS, loop.replace(real_weight=w), 3, rows=40)
        np.testing.assert_allclose(grid.risk.sel(real_weight=w), alone.risk, rtol=1e-9)


def test_rows_of_unequal_size_are_the_same_rows_times_the_root_of_their_size():
    source = sampling.source_of(LEVELS, 24)
    sized = sampling.source_of(LEVELS.replace(row_sizes=SIZES), 24)
    entries = sampling.entries_of("t6")
    tasks = (each.task(np.random.default_rng(1), entries) for each in (source, sized))
    alike, found = (task.rows(np.random.default_rng(2), 2000) for task in tasks)
    ratio = (found / alike) ** 2
    np.testing.assert_allclose(ratio, ratio[:, :1] * np.ones(24), rtol=1e-12)
    values, counts = np.unique(ratio[:, 0].round(9), return_counts=True)
    assert values.tolist() == [0.5, 2.0]
    assert abs(counts[1] - 2000 / 3) < 4 * math.sqrt(2000 * 2 / 9)


def test_any_two_labels_of_a_row_share_what_is_not_renewed():
    from freshmix.simulation.inputs import prepared

    loop = fm.Loop(aspect=0.5, real_weight=0.5, label_renewal=0.3)
    _, experiment = prepared(ISOTROPIC, loop, 3, rows=20)
    parts = [{(s, purpose): factor for factor, s, purpose in experiment.real_noise(t)} for t in range(4)]
    shared = [[sum(a * two.get(key, 0.0) for key, a in one.items()) for two in parts] for one in parts]
    np.testing.assert_allclose(shared, 0.7 + 0.3 * np.eye(4), rtol=1e-12)


ANCHORED = [
    (population, fm.Loop(aspect=aspect, penalty=penalty, **more))
    for aspect, penalty in ((2.0, 0.0), (2.0, 0.2), (0.5, 0.2))
    for population, more in (
        (ISOTROPIC, {"real_weight": 0.7, "anchor": 0.6}),
        (SPIKED, {"schedule": [0.6, 0.0], "anchor": 0.9, "label_renewal": 0.5}),
        (SPIKED, {"real_weight": 1.5, "synthetic_noise_ratio": 0.5}),
    )
]


@pytest.mark.parametrize("index", range(len(ANCHORED)))
def test_exact_law_has_the_law_of_dense_runs(index):
    population, loop = ANCHORED[index]
    options = {"rows": 40, "replicates": 300, "noise": "sampled"}
    dense, exact = (
        np.log(fm.simulate(population, loop, 3, seed=seed, engine=engine, **options).risk.values)
        for seed, engine in ((1, "spectral"), (2, "exact-law"))
    )
    p = [value for t in (1, 3) for value in in_law(dense[:, t], exact[:, t])]
    assert min(p) > FAMILY_LEVEL / (len(ANCHORED) * len(p))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"loop": fm.Loop(aspect=0.5, covariates="fresh"), "real_weight": [1.5]}, "must hold numbers between 0 and 1"),
        ({"population": ISOTROPIC.replace(row_sizes=SIZES), "engine": "exact-law"}, "rows of unequal size"),
        ({"loop": fm.Loop(aspect=0.5, real_weight=2.0), "workflow": "stack"}, "real weights between 0 and 1"),
        ({"population": ISOTROPIC.replace(persistence=0.9)}, "persistence"),
    ],
)
def test_what_is_refused(changes, says):
    options = {"population": ISOTROPIC, "loop": fm.Loop(aspect=0.5, real_weight=0.5), "generations": 2, "rows": 20} | changes
    with pytest.raises(ValueError, match=says):
        fm.simulate(options.pop("population"), options.pop("loop"), options.pop("generations"), **options)
