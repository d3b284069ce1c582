"""Finite samples against theory, against definitions, and engines against each other."""

import json
import math
import re
import warnings

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import freshmix as fm
from freshmix import sampling

from . import naive
from .test_monte_carlo import GROUPS
from .tolerances import CLOSED, FAMILY_LEVEL, largest_z

ISOTROPIC = fm.Population.isotropic(signal=2.0)
SPIKED = fm.Population.spiked(6.0, 0.6, noise_variance=0.5)
LEVELS = fm.Population.two_level(4.0, 0.25, alignment=0.7, signal=2.0)
SOURCES = {
    "isotropic": ISOTROPIC,
    "spiked": SPIKED,
    "levels": LEVELS,
    "null": fm.Population([0.0, 1.0, 3.0], [0.25, 0.5, 0.25], [1.0, 1.0, 0.5]),
    "autoregressive": sampling.Autoregressive(0.6, 24),
    "dense": sampling.Dense(0.5 * np.eye(24) + 0.5, np.linspace(-1, 1, 24)),
    "rows": sampling.Rows(np.random.default_rng(0).standard_normal((16, 24)) + 0.3, np.linspace(0, 1, 24)),
    "rows with covariance": sampling.Rows(
        np.random.default_rng(0).standard_normal((16, 24)), np.linspace(0, 1, 24), covariance=np.diag(np.arange(24.0))
    ),
}


def task_of(source, rows, aspect, seed):
    """The first replicate's coefficients, rows and covariance, drawn as the engines draw them."""
    made = sampling.source_of(source, round(aspect * rows)) if isinstance(source, fm.Population) else source
    entries = sampling.entries_of("gaussian")
    task = made.task(np.random.default_rng([seed, 0, 0, 0]), entries)
    X = task.rows(np.random.default_rng([seed, 0, 0, 1]), rows)
    root = task.root(np.eye(task.beta.size))
    return task, X, root.T @ root


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("labels", ["fresh", "frozen"])
@pytest.mark.parametrize("rows", [16, 40])
@pytest.mark.parametrize("name", SOURCES)
def test_spectral_is_the_conditional_expectation_by_definition(name, rows, labels, penalty):
    source = SOURCES[name]
    if isinstance(source, sampling.Rows):
        rows = 16
    weights = (0.6, 0.2, 0.0, 1.0)
    loop = fm.Loop(aspect=24 / rows, schedule=weights, penalty=penalty, labels=labels, synthetic_noise_ratio=0.7)
    found = fm.simulate(source, loop, 4, rows=rows, seed=3)
    task, X, sigma = task_of(source, rows, 24 / rows, 3)
    expected = naive.conditional_risk(X, task.beta, sigma, source.noise_variance, 0.7, weights, penalty, labels)
    np.testing.assert_allclose(found.risk.values.ravel(), expected, rtol=1e-8)


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("labels", ["fresh", "frozen"])
@pytest.mark.parametrize("rows", [16, 40])
@pytest.mark.parametrize("name", SOURCES)
def test_spectral_and_redraw_make_the_same_run(name, rows, labels, penalty):
    source = SOURCES[name]
    if isinstance(source, sampling.Rows):
        rows = 16
    loop = fm.Loop(aspect=24 / rows, penalty=penalty, labels=labels)
    grid = {"real_weight": [0.0, 0.3, 1.0], "penalty": [penalty, 1.0], "noise": "sampled"}
    one = fm.simulate(source, loop, 3, rows=rows, replicates=2, engine="spectral", **grid)
    two = fm.simulate(source, loop, 3, rows=rows, replicates=2, engine="redraw", **grid)
    np.testing.assert_allclose(one.risk, two.risk, rtol=1e-8)


@pytest.mark.parametrize("penalty", [1e-9, 1e-3, 0.3, 1e4])
@pytest.mark.parametrize("name", ["isotropic", "levels", "autoregressive"])
def test_filters_at_a_few_nodes_are_those_at_all_points(name, penalty, monkeypatch):
    from freshmix.simulation import spectral

    source = SOURCES[name] if name != "autoregressive" else sampling.Autoregressive(0.6, 150)
    loop = fm.Loop(aspect=1.5, penalty=penalty, synthetic_noise_ratio=0.5)
    options = {"rows": 100, "real_weight": [0.0, 0.05, 0.5, 1.0]}
    for labels in ("fresh", "frozen"):
        few = fm.simulate(source, loop.replace(labels=labels), 20, **options)
        with monkeypatch.context() as patch:
            patch.setattr(spectral, "nodes", lambda points, degree: (points, None))
            every = fm.simulate(source, loop.replace(labels=labels), 20, **options)
        np.testing.assert_allclose(few.risk, every.risk, rtol=1e-10)


# Settings of the comparison with theory: (population, loop or loops, engine).
def settings():
    found = []
    for aspect, penalty in ((2.0, 0.0), (2.0, 0.3), (0.5, 0.0), (0.5, 0.3)):
        for rho in (0.0, 0.5, 1.0):
            common = {"aspect": aspect, "penalty": penalty, "synthetic_noise_ratio": rho}
            for labels in ("fresh", "frozen"):
                found.append((LEVELS, fm.Loop(real_weight=0.5, labels=labels, **common), "spectral"))
                found.append((ISOTROPIC, fm.Loop(schedule=[0.7, 0.2], labels=labels, **common), "spectral"))
            found.append((ISOTROPIC, fm.Loop(real_weight=0.4, covariates="fresh", **common), "redraw"))
            found.append((ISOTROPIC, fm.Loop(real_weight=0.4, covariates="fresh", **common), "exact-law"))
            found.append((LEVELS, fm.Loop(groups=GROUPS["three"], covariates="fresh", **common), "redraw"))
            found.append((LEVELS, fm.Loop(groups=GROUPS["partial"], covariates="fresh", **common), "redraw"))
            found.append((ISOTROPIC, fm.Loop(real_weight=0.4, **common), "exact-law"))
    return found


SETTINGS = settings()
REPLICATES = {"spectral": 40, "redraw": 40, "exact-law": 400}


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(SETTINGS)))
def test_theory_at_four_hundred_rows(index):
    population, loop, engine = SETTINGS[index]
    differences, errors = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for rows in (200, 400):
            found = fm.simulate(population, loop, 3, rows=rows, replicates=REPLICATES[engine], engine=engine, seed=index)
            summary = fm.mean_and_error(found)
            differences.append(summary["mean"].values - fm.risk(population, loop, 3))
            errors.append(summary.standard_error.values)
    # Free of the term c/n of finite samples.
    z = (2 * differences[1] - differences[0]) / np.hypot(2 * errors[1], errors[0])
    assert np.abs(z).max() < largest_z(4 * len(SETTINGS))


@pytest.mark.slow
@pytest.mark.parametrize(
    "loop",
    [
        fm.Loop(aspect=0.5, real_weight=0.6),
        fm.Loop(aspect=2.0, real_weight=0.6, penalty=0.1),
        # Its term of order 1/n is large: smaller ones would be hidden by the spread.
        fm.Loop(aspect=0.5, real_weight=0.3, penalty=0.5, labels="frozen"),
        fm.Loop(aspect=0.5, real_weight=0.3, penalty=0.5, labels="frozen", anchor=0.5),
        fm.Loop(aspect=0.5, real_weight=0.3, penalty=0.5, label_renewal=0.5, anchor=0.3),
    ],
)
def test_theory_is_approached_like_one_over_n(loop):
    # The conditional expectation of the variance has little spread; its mean differs from theory by c/n.
    population = fm.Population.isotropic(signal=0.0)
    # Spread and gap both fall like 1/n: few rows tell as much of the rate as many, and cost far less.
    replicates = {40: 1000, 80: 1000, 160: 1000, 320: 400}
    rows = np.array(list(replicates))
    gaps, errors = [], []
    for n, count in replicates.items():
        found = fm.simulate(population, loop, 5, rows=n, replicates=count, seed=n)
        summary = fm.mean_and_error(found).isel(generation=-1)
        gaps.append(abs(summary["mean"].item() - fm.risk(population, loop, 5)[-1]))
        errors.append(summary.standard_error.item())
    weights = np.array(gaps) / np.array(errors)
    slope = np.polyfit(np.log(rows), np.log(gaps), 1, w=weights)[0]
    spread = np.sqrt(1 / np.sum((weights * (np.log(rows) - np.average(np.log(rows), weights=weights**2))) ** 2))
    assert spread < 0.08
    assert abs(slope + 1) < largest_z(5) * spread


def in_law(one, two):
    """p-values of equal means, spreads and distributions."""
    return [stats.ttest_ind(one, two).pvalue, stats.levene(one, two).pvalue, stats.ks_2samp(one, two).pvalue]


LAWS = [
    (population, fm.Loop(aspect=aspect, penalty=penalty, **more))
    for aspect, penalty in ((2.0, 0.0), (2.0, 0.2), (0.5, 0.0), (0.6, 0.2))
    for population, more in (
        (ISOTROPIC, {"real_weight": 0.3}),
        (SPIKED, {"schedule": [0.6, 0.0], "synthetic_noise_ratio": 0.5}),
        (fm.Population.spiked(-0.6, 1.0), {"real_weight": 0.5, "labels": "frozen"}),
        (fm.Population.isotropic(signal=2.0, noise_variance=0.5), {"real_weight": 0.4, "covariates": "fresh"}),
    )
]


def check_exact_law(index, replicates):
    population, loop = LAWS[index]
    options = {"rows": 40, "replicates": replicates, "noise": "sampled"}
    dense = fm.simulate(population, loop, 3, seed=1, **options)
    assert dense.attrs["engine"] == ("spectral" if loop.covariates == "frozen" else "redraw")
    exact = fm.simulate(population, loop, 3, seed=2, engine="exact-law", **options).risk.values
    p = [value for t in (0, 1, 3) for value in in_law(np.log(dense.risk.values[:, t]), np.log(exact[:, t]))]
    assert min(p) > FAMILY_LEVEL / (len(LAWS) * len(p))


@pytest.mark.parametrize("index", range(len(LAWS)))
def test_exact_law_has_the_law_of_dense_runs(index):
    check_exact_law(index, 300)


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(LAWS)))
def test_exact_law_has_the_law_of_many_dense_runs(index):
    check_exact_law(index, 3000)


def test_exact_law_with_changing_rows_has_the_law_of_dense_runs():
    loops = [fm.Loop(aspect=aspect, penalty=0.1, real_weight=0.4, covariates="fresh") for aspect in (2.0, 0.5)]
    options = {"rows": 30, "replicates": 400}
    dense = fm.simulate(ISOTROPIC, loops, 2, seed=1, engine="redraw", **options).risk.values
    exact = fm.simulate(ISOTROPIC, loops, 2, seed=2, engine="exact-law", **options).risk.values
    assert min(in_law(np.log(dense[:, 2]), np.log(exact[:, 2]))) > FAMILY_LEVEL


@pytest.mark.parametrize("aspect", [0.5, 2.0])
@pytest.mark.parametrize("covariates", ["frozen", "fresh"])
def test_exact_law_agrees_with_theory_at_many_rows(covariates, aspect):
    loop = fm.Loop(aspect=aspect, real_weight=0.4, penalty=0.05, covariates=covariates)
    found = fm.simulate(ISOTROPIC, loop, 5, rows=100_000, engine="exact-law")
    np.testing.assert_allclose(found.risk.values[0], fm.risk(ISOTROPIC, loop, 5), rtol=0.03)


def test_golden_ratio_with_few_features():
    # Far below one feature a row, as in least squares with p << n.
    found = fm.simulate(ISOTROPIC, fm.Loop(aspect=0.01), 30, rows=2000, replicates=20, real_weight=np.linspace(0.5, 0.75, 26))
    best = found.real_weight[int(found.risk.isel(generation=-1).mean("replicate").values.argmin())].item()
    assert abs(best - 0.618) < 0.011


def test_replaced_data_collapse_linearly():
    # Slope sigma^2 p/(n-p-1), gamma/(1-gamma) in the limit (mathematics.md section 9).
    loop = fm.Loop(aspect=0.25, real_weight=0.0, covariates="fresh")
    found = fm.simulate(ISOTROPIC, loop, 10, rows=200, replicates=150, engine="redraw")
    slopes = found.risk.diff("generation").mean("generation").values
    exact = 50 / (200 - 50 - 1)
    assert abs(slopes.mean() - exact) < largest_z(2) * slopes.std(ddof=1) / math.sqrt(slopes.size)
    # Linear: no faster later than at first.
    steps = found.risk.diff("generation")
    change = (steps[:, 5:].mean("generation") - steps[:, :5].mean("generation")).values
    assert abs(change.mean()) < largest_z(2) * change.std(ddof=1) / math.sqrt(change.size)


@pytest.mark.parametrize("covariates", ["frozen", "fresh"])
def test_accumulated_data_stay_bounded(covariates):
    loop = fm.Loop(aspect=0.25, real_weight=0.0, covariates=covariates)
    found = fm.simulate(ISOTROPIC, loop, 12, rows=100, replicates=100, workflow="accumulate")
    mean = found.risk.mean("replicate").values
    assert np.all(mean <= mean[0] * math.pi**2 / 6 * 1.05)
    if covariates == "frozen":
        # The error of generation t is the sum of noise_i / (i + 1).
        expected = mean[0] * np.cumsum(1 / np.arange(1.0, 14) ** 2)
        np.testing.assert_allclose(mean, expected, rtol=0.06)


def test_subsampled_accumulation_lies_between():
    loop = fm.Loop(aspect=0.25, real_weight=0.0, covariates="fresh")
    last = {
        name: fm.simulate(ISOTROPIC, loop, 12, rows=100, replicates=60, workflow=name, engine="redraw")
        .risk.values[:, -1]
        .mean()
        for name in ("replace", "accumulate", "accumulate-subsample")
    }
    assert last["accumulate"] < last["accumulate-subsample"] < last["replace"]


@pytest.mark.parametrize("penalty", [0.0, 0.2])
def test_the_same_rows_stacked_twice_are_label_mixing(penalty):
    loop = fm.Loop(aspect=0.5, real_weight=0.4, penalty=penalty)
    options = {"rows": 40, "replicates": 2, "engine": "redraw"}
    one = fm.simulate(LEVELS, loop, 3, workflow="stack", **options)
    np.testing.assert_allclose(one.risk, fm.simulate(LEVELS, loop, 3, **options).risk, rtol=1e-9)


def test_stacked_rows_that_are_interpolated_do_not_feel_their_weights():
    loop = fm.Loop(aspect=3.0, covariates="fresh")
    with pytest.warns(UserWarning, match="inert"):
        found = fm.simulate(LEVELS, loop, 2, rows=20, workflow="stack", real_weight=[0.2, 0.8])
    np.testing.assert_allclose(found.risk[:, 0], found.risk[:, 1], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["spectral", "redraw"])
def test_universality_over_entries(engine):
    loop = fm.Loop(aspect=2.0, real_weight=0.5, penalty=0.1, covariates="frozen" if engine == "spectral" else "fresh")
    means, errors = [], []
    skewed = np.random.default_rng(0).exponential(size=5000)
    for entries in ("gaussian", "rademacher", "uniform", "t8", skewed):
        options = {"entries": entries, "label_noise": entries, "noise": "sampled", "engine": engine}
        found = fm.mean_and_error(fm.simulate(LEVELS, loop, 3, rows=400, replicates=40, **options))
        means.append(found["mean"].values)
        errors.append(found.standard_error.values)
    for mean, error in zip(means[1:], errors[1:], strict=True):
        # Finite-size terms depend on fourth moments: 1% of the risk at 400 rows.
        assert np.all(np.abs(mean - means[0]) < largest_z(16) * np.hypot(error, errors[0]) + 0.01 * means[0])


def test_seeds_belong_to_coordinates():
    loop = fm.Loop(aspect=1.5, penalty=0.1)
    options = {"rows": 20, "seed": 4, "noise": "sampled"}
    both = fm.simulate(LEVELS, loop, 3, replicates=3, real_weight=[0.2, 0.5], penalty=[0.1, 1.0], **options)
    one = fm.simulate(LEVELS, loop.replace(real_weight=0.5), 2, replicates=2, penalty=[1.0], **options)
    np.testing.assert_allclose(both.risk[:2, 1, 1, :3], one.risk[:, 0], rtol=1e-12)
    other = fm.simulate(LEVELS, loop, 3, replicates=3, real_weight=[0.2, 0.5], penalty=[0.1, 1.0], rows=20, seed=5)
    assert not np.any(both.risk == other.risk)


@pytest.mark.parametrize("engine", ["spectral", "redraw", "exact-law"])
def test_workers_change_no_bit(engine):
    loop = fm.Loop(aspect=1.5, penalty=0.1, real_weight=0.5)
    options = {"rows": 60, "replicates": 5, "engine": engine, "noise": "sampled"}
    one = fm.simulate(ISOTROPIC, loop, 3, **options)
    two = fm.simulate(ISOTROPIC, loop, 3, workers=2, **options)
    xr.testing.assert_identical(one, two)


@pytest.mark.parametrize(
    "options", [{}, {"engine": "redraw"}, {"engine": "exact-law"}, {"real_weight": [0.2, 0.9], "workers": 2}]
)
def test_parts_of_a_run_are_the_run(options):
    loop = fm.Loop(aspect=1.5, penalty=0.1, real_weight=0.5, covariates="fresh")
    options = {"rows": 12, "seed": 3, **options}
    whole = fm.simulate(ISOTROPIC, loop, 3, replicates=7, **options)
    parts = [fm.simulate(ISOTROPIC, loop, 3, first_replicate=i, replicates=k, **options) for i, k in ((0, 1), (1, 4), (5, 2))]
    xr.testing.assert_identical(xr.concat(parts, "replicate", combine_attrs="drop_conflicts").risk, whole.risk)


# Tiny loops run together: each replicate is what it is by itself, singular systems among others too.
TOGETHER = {
    "replace": (LEVELS, {}),
    "accumulate": (LEVELS, {}),
    "accumulate-subsample": (LEVELS, {}),
    "stack": (LEVELS, {}),
    "kept": (LEVELS.replace(persistence=0.9), {"kept_generations": None, "forgetting": 0.5, "anchor": 0.3}),
    "singular": (sampling.Rows(np.random.default_rng(0).standard_normal((4, 4)), np.ones(4)), {"aspect": None}),
}


@pytest.mark.parametrize("penalty", [0.0, 0.2])
@pytest.mark.parametrize("kind", TOGETHER)
def test_replicates_together_change_no_bit(kind, penalty):
    from freshmix import simulation

    population, changes = TOGETHER[kind]
    loop = fm.Loop(**{"aspect": 0.5, "covariates": "fresh", "penalty": penalty} | changes)
    options = {"rows": 8, "real_weight": [0.0, 0.4], "workflow": kind if kind in simulation.WORKFLOWS else "replace"}
    together = fm.simulate(population, loop, 3, replicates=40, **options).risk.values
    assert np.isfinite(together).all()
    engine, experiment = simulation.prepared(population, loop, 3, **options)
    for replicate in (0, 17, 39):
        alone = simulation.one_replicate(engine, experiment, replicate)
        np.testing.assert_array_equal(alone.reshape(together[replicate].shape), together[replicate])


@pytest.mark.parametrize("seed", [0, 5, 2**32 - 1, 2**32, 2**53 - 7, 2**64, 2**130 + 5])
def test_streams_are_those_of_numpy(seed):
    from freshmix.simulation.seeds import Streams

    replicates = [0, 3, 2**31]
    streams = Streams(seed, replicates, 4, 6)
    for t, purpose in ((0, 0), (4, 5), (2, 1)):
        drawn = [rng.standard_normal(3) for rng in streams(t, purpose)]
        expected = [np.random.default_rng([seed, replicate, t, purpose]).standard_normal(3) for replicate in replicates]
        np.testing.assert_array_equal(drawn, expected)


def test_a_loop_that_diverges_gives_no_nan():
    loop = fm.Loop(aspect=1.2, groups=[fm.Group(0.3), fm.Group(0.7, 1.0, 0.0)], covariates="fresh")
    risks = fm.simulate(fm.Population.isotropic(1e280), loop, 400, rows=10).risk.values
    assert np.isposinf(risks[0, -1])
    beyond = fm.simulate(LEVELS, fm.Loop(aspect=0.5, real_weight=1e4), 60, rows=40).risk.values
    assert np.isposinf(beyond[0, -1])
    assert not np.isnan([*risks[0], *beyond[0]]).any()


def test_an_interruption_leaves_what_was_finished(monkeypatch):
    from freshmix.simulation import spectral

    whole = fm.simulate(ISOTROPIC, fm.Loop(aspect=0.5, real_weight=0.5), 2, rows=20, replicates=5)
    engine = spectral.risks

    def interrupted(setting, replicates):
        if 3 in replicates:
            raise KeyboardInterrupt
        return engine(setting, replicates)

    monkeypatch.setattr(spectral, "risks", interrupted)
    options = {"rows": 20, "replicates": 5}
    part = fm.simulate(ISOTROPIC, fm.Loop(aspect=0.5, real_weight=0.5), 2, partial=True, **options)
    assert part.attrs["partial"] == 1
    xr.testing.assert_equal(part.risk, whole.risk[:3])
    with pytest.raises(KeyboardInterrupt):
        fm.simulate(ISOTROPIC, fm.Loop(aspect=0.5, real_weight=0.5), 2, **options)


def test_the_dataset_says_where_it_comes_from():
    found = fm.simulate(LEVELS, fm.Loop(aspect=0.5), 2, rows=20, real_weight=[0.5], penalty=[0.0, 0.1], seed=9)
    assert dict(found.risk.sizes) == {"replicate": 1, "real_weight": 1, "penalty": 2, "generation": 3}
    assert found.risk.attrs["units"] == "squared label units"
    assert found.attrs["seed"] == 9
    assert "freshmix" in found.attrs["versions"]
    assert "numpy" in found.attrs["versions"]
    assert found.attrs["population"].startswith("Population(")


LOOP = fm.Loop(aspect=0.5, real_weight=0.5)


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"rows": None}, TypeError, "rows"),
        ({"rows": 0}, ValueError, "rows"),
        ({"rows": 2.5}, ValueError, "rows"),
        ({"replicates": 0}, ValueError, "replicates"),
        ({"first_replicate": -1}, ValueError, "first_replicate"),
        ({"first_replicate": 2**32}, ValueError, "first_replicate and replicates must add up to at most 4294967296"),
        ({"seed": -1}, ValueError, "seed"),
        ({"generations": -1}, ValueError, "generations"),
        ({"workers": 0}, ValueError, "workers"),
        ({"real_weight": [1.5], "loop": LOOP.replace(covariates="fresh")}, ValueError, "real_weight"),
        ({"real_weight": [math.nan]}, ValueError, "real_weight"),
        ({"penalty": [-1.0]}, ValueError, "penalty"),
        ({"entries": "cauchy"}, ValueError, "entries"),
        ({"entries": "t4"}, ValueError, "entries"),
        ({"label_noise": [1.0, 1.0]}, ValueError, "label_noise"),
        ({"engine": "magic"}, ValueError, "engine"),
        ({"workflow": "magic"}, ValueError, "workflow"),
        ({"noise": "none"}, ValueError, "noise"),
        ({"population": "isotropic"}, TypeError, "population"),
        ({"loop": None}, TypeError, "loop"),
        ({"loop": fm.Loop(real_weight=0.5)}, ValueError, "aspect"),
        ({"loop": fm.Loop(aspect=0.5)}, ValueError, "real_weight"),
        ({"loop": fm.Loop(aspect=0.5, schedule=[0.5]), "real_weight": [0.5]}, ValueError, "schedule"),
        ({"loop": [LOOP, LOOP]}, ValueError, "sequence"),
        ({"loop": LOOP.replace(covariates="fresh"), "engine": "spectral"}, ValueError, "frozen covariates"),
        ({"loop": LOOP.replace(covariates="fresh"), "noise": "expected"}, ValueError, "expected"),
        ({"population": LEVELS, "engine": "exact-law"}, ValueError, "isotropic"),
        ({"engine": "exact-law", "entries": "uniform"}, ValueError, "gaussian"),
        ({"population": LEVELS, "rows": 2}, ValueError, "too few"),
        ({"population": sampling.Autoregressive(0.5, 11)}, ValueError, "aspect"),
        ({"population": sampling.Rows(np.eye(20)[:, :10], np.ones(10)), "entries": "uniform"}, ValueError, "entries"),
        ({"executor": 3}, TypeError, "executor"),
        ({"engine": "exact-law", "noise": "expected"}, ValueError, "drawn labels"),
        ({"workflow": "stack", "noise": "expected"}, ValueError, "no engine covers this"),
        ({"workflow": "stack", "engine": "spectral"}, ValueError, "workflow 'stack' needs engine='redraw'"),
    ],
)
def test_bad_input(changes, error, says):
    options = {"population": ISOTROPIC, "loop": LOOP, "generations": 2, "rows": 20} | changes
    with pytest.raises(error, match=says):
        fm.simulate(options.pop("population"), options.pop("loop"), options.pop("generations"), **options)


WEIGHTED = [fm.Group(0.5, 1.0, 1.0), fm.Group(0.5, 2.0, 0.0)]


@pytest.mark.parametrize(
    ("population", "loop", "workflow", "says"),
    [
        (ISOTROPIC, fm.Loop(aspect=1.0, real_weight=0.5), "replace", "threshold"),
        (ISOTROPIC, fm.Loop(aspect=0.95, real_weight=0.5), "replace", "threshold"),
        (ISOTROPIC, fm.Loop(aspect=2.0, real_weight=0.5, covariates="fresh"), "accumulate", "threshold"),
        (ISOTROPIC, fm.Loop(aspect=2.0, real_weight=0.5, covariates="fresh"), "stack", "inert.*threshold"),
        (ISOTROPIC, fm.Loop(aspect=3.0, real_weight=0.5, covariates="fresh"), "stack", "inert"),
        (ISOTROPIC, fm.Loop(aspect=1.5, groups=WEIGHTED, covariates="fresh"), "replace", "inert"),
        (fm.Population([0.0, 1.0], [0.5, 0.5], [0.0, 1.0]), fm.Loop(aspect=2.0, real_weight=0.5), "replace", "threshold"),
        # Nothing to tell: copies of the same rows, directions that do not vary, a penalty.
        (ISOTROPIC, fm.Loop(aspect=3.0, real_weight=0.5), "stack", None),
        (ISOTROPIC, fm.Loop(aspect=2.0, real_weight=0.5), "accumulate", None),
        (fm.Population([0.0, 1.0], [0.5, 0.5], [0.0, 1.0]), fm.Loop(aspect=1.0, real_weight=0.5), "replace", None),
        (
            fm.Population([0.0, 1.0], [0.5, 0.5], [0.0, 1.0]),
            fm.Loop(aspect=1.5, groups=WEIGHTED, covariates="fresh"),
            "replace",
            None,
        ),
        (ISOTROPIC, fm.Loop(aspect=1.5, groups=WEIGHTED, covariates="fresh", penalty=0.1), "replace", None),
        (ISOTROPIC, fm.Loop(aspect=1.0, real_weight=0.5, penalty=0.1), "replace", None),
    ],
)
def test_what_users_are_told(population, loop, workflow, says):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fm.simulate(population, loop, 2, rows=20, workflow=workflow)
    text = " ".join(str(each.message) for each in told)
    assert text == "" if says is None else re.search(says, text)
    assert all(each.filename == __file__ for each in told)


def test_stacked_copies_that_are_interpolated_are_label_mixing():
    # With the same rows twice no model fits both labels: weights matter at any aspect.
    loop = fm.Loop(aspect=3.0, real_weight=0.3)
    options = {"rows": 20, "replicates": 2, "engine": "redraw"}
    one = fm.simulate(LEVELS, loop, 3, workflow="stack", **options)
    np.testing.assert_allclose(one.risk, fm.simulate(LEVELS, loop, 3, **options).risk, rtol=1e-7)


@pytest.mark.parametrize("engine", ["spectral", "redraw", "exact-law"])
def test_generation_zero_alone(engine):
    options = {"rows": 40, "replicates": 2, "engine": engine, "noise": "sampled"}
    found = fm.simulate(ISOTROPIC, fm.Loop(aspect=0.5), 0, **options)
    assert found.risk.shape == (2, 1)
    longer = fm.simulate(ISOTROPIC, fm.Loop(aspect=0.5, real_weight=0.3), 2, **options)
    np.testing.assert_allclose(found.risk[:, 0], longer.risk[:, 0], rtol=1e-12)


def test_drawn_labels_have_the_expectation_that_is_computed():
    # On the same designs, so that only label noise is between them.
    loop = fm.Loop(aspect=1.5, penalty=0.2, schedule=[0.6, 0.1], synthetic_noise_ratio=0.5)
    options = {"rows": 40, "replicates": 500}
    expected = fm.simulate(LEVELS, loop, 3, **options).risk.values
    drawn = fm.simulate(LEVELS, loop, 3, noise="sampled", **options).risk.values
    difference = drawn - expected
    z = difference.mean(axis=0) / (difference.std(axis=0, ddof=1) / math.sqrt(500))
    assert np.abs(z).max() < largest_z(4)


def test_mean_and_error_by_hand():
    found = fm.simulate(ISOTROPIC, LOOP, 2, rows=20, replicates=5)
    summary = fm.mean_and_error(found)
    values = found.risk.values
    np.testing.assert_allclose(summary["mean"], sum(values) / 5, rtol=CLOSED)
    np.testing.assert_allclose(
        summary.standard_error, np.sqrt(((values - sum(values) / 5) ** 2).sum(axis=0) / 4 / 5), rtol=CLOSED
    )
    assert summary.attrs["seed"] == 0
    assert np.isnan(fm.mean_and_error(found.isel(replicate=[0])).standard_error).all()
    with pytest.raises(ValueError, match="at least one replicate"):
        fm.mean_and_error(found.isel(replicate=[]))
    with pytest.raises(TypeError, match="what simulate returns"):
        fm.mean_and_error(values)


@pytest.mark.parametrize("changes", [{}, {"row_sizes": ([0.5, 2.0], [2 / 3, 1 / 3])}])
def test_the_data_can_be_made_again_from_the_result(changes):
    found = fm.simulate(LEVELS.replace(**changes), LOOP, 2, rows=20, seed=3)
    again = fm.simulate(fm.Population(**json.loads(found.attrs["atoms"])), LOOP, 2, rows=20, seed=found.attrs["seed"])
    xr.testing.assert_identical(found, again)
