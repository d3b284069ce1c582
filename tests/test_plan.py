"""Label budgets against simulated loops, brute force over loops, and what a user can get wrong."""

import json
import math

import numpy as np
import pytest

import freshmix as fm
from freshmix import plots
from freshmix.estimation import banded, factorise
from freshmix.plans.course import Setting, best_point
from freshmix.plans.curve import Curve, _drawn
from freshmix.population import Population
from freshmix.recommendation.uncertainty import Affine, StandingDraws
from freshmix.tables import Blocks
from freshmix.words.remembering import NAMES

from .test_cli import failure, invoke
from .tolerances import FINITE_SIZE, largest_z

ISOTROPIC = Population.isotropic(signal=2.0)


def simulated(rng, rows, features, labels, loop, first_penalty, noise_ratio, generations):
    """One loop on drawn rows, written out: the excess risk of its last generation. Isotropic features, noise variance 1."""
    real, others = loop.groups
    beta = rng.standard_normal(features)
    beta *= np.sqrt(2.0) / np.linalg.norm(beta)
    X = rng.standard_normal((labels, features))
    y = X @ beta + rng.standard_normal(labels)
    bhat = np.linalg.solve(X.T @ X / labels + first_penalty * np.eye(features), X.T @ y / labels)
    weights = np.where(np.arange(rows) < labels, real.row_weight, others.row_weight)
    for _ in range(generations):
        X = rng.standard_normal((rows, features))
        synthetic = X @ bhat + np.sqrt(noise_ratio) * rng.standard_normal(rows)
        y = X @ beta + rng.standard_normal(rows)
        mixed = np.where(np.arange(rows) < labels, real.real_weight * y + (1 - real.real_weight) * synthetic, synthetic)
        Xw = X * weights[:, None]
        bhat = np.linalg.solve(Xw.T @ X / rows + loop.penalty * np.eye(features), Xw.T @ mixed / rows)
    return np.sum((bhat - beta) ** 2)


@pytest.mark.parametrize(("noise_ratio", "generations"), [(0.0, 4), (1.0, 3)])
def test_risk_is_that_of_a_simulated_loop(noise_ratio, generations):
    """Generation 0 has only its labelled rows."""
    rows, features, labels, runs = 200, 120, 60, 60
    setting = Setting(ISOTROPIC, features / rows, noise_ratio, generations)
    loop = setting.loop(labels / rows, 0.4, 0.2, 0.6)
    expected = setting.risk(loop)
    assert loop.first_rows == labels / rows
    rng = np.random.default_rng(11)
    risks = np.array([simulated(rng, rows, features, labels, loop, 0.2, noise_ratio, generations) for _ in range(runs)])
    error = risks.std(ddof=1) / math.sqrt(runs)
    assert abs(risks.mean() - expected) < largest_z(2) * error + FINITE_SIZE * expected


@pytest.mark.slow
def test_the_curve_is_the_best_of_many_loops():
    """At three shares no loop of a dense grid, judged by the front door's own limit, is better by more than 1e-4."""
    setting = Setting(ISOTROPIC, 0.8, 1.0, None)
    near = None
    for share in (1.0, 0.5, 0.1):
        near = best_point(setting, share, near)
        assert fm.limit(ISOTROPIC, near.loop).risk == pytest.approx(near.risk, rel=1e-12)
        best = min(
            fm.limit(ISOTROPIC, setting.loop(share, w, penalty, row)).risk
            for w in np.linspace(0.05, 1, 12)
            for penalty in np.geomspace(0.01, 10, 14)
            for row in ([1.0] if share == 1 else [0.0, 0.03, 0.1, 0.3, 1.0])
        )
        assert near.risk <= best * (1 + 1e-4)


def test_fewest_labels():
    """One label less misses the target for every loop of a grid around the best one."""
    setting = Setting(ISOTROPIC, 0.8, 1.0, None)
    curve = Curve(setting, 200)
    target = 0.9
    count = curve.fewest(target)
    found = curve.at(count)
    assert fm.limit(ISOTROPIC, found.loop).risk <= target
    share = (count - 1) / 200
    for w in found.real_weight + np.linspace(-0.1, 0.1, 5):
        for penalty in found.loop.penalty * np.geomspace(0.5, 2, 7):
            for row in [0.0, *(found.row_weight * np.geomspace(0.3, 3, 7))]:
                assert fm.limit(ISOTROPIC, setting.loop(share, min(w, 1.0), penalty, row)).risk > target
    assert curve.fewest(0.9 * curve.least[1].risk) is None


@pytest.mark.slow
def test_more_labels_are_never_worse_with_a_free_penalty():
    curve = Curve(Setting(ISOTROPIC, 1.5, 0.0, 12), 100)
    risks = [curve.found[count].risk for count in curve.labels]
    assert np.all(np.diff(risks) < 0)
    assert risks[0] < ISOTROPIC.null_risk


def table(rows=300, features=40, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, features))
    return X, X @ rng.standard_normal(features) / 5 + rng.standard_normal(rows)


def test_draws_are_evaluated_as_populations_are():
    """Linear in (g, sigma^2): the sum over units is the risk of the drawn population itself."""
    X, y = table()
    found = banded(factorise(X, y), np.random.default_rng(0))
    setting = Setting(found.population(), 0.5, 0.0, 3)
    curve = Curve(setting, 30)
    drawn = _drawn(StandingDraws(found, Affine.of(found, 400)), curve)
    population = found.population(float(found.noise_draws[0]), found.signal_draws[0])
    for j, count in enumerate(curve.labels):
        point = curve.found[count]
        direct = Setting(population, 0.5, 0.0, 3)
        assert drawn[0, j] == pytest.approx(direct.risk(point.loop), rel=1e-9)


@pytest.fixture(scope="module")
def aimed():
    return fm.plan(*table(), cost_per_label=3.0, target_risk=0.3, rows_per_generation=80)


def test_a_target(aimed):
    assert aimed.verdict == "feasible"
    assert aimed.cost == 3 * aimed.labels
    assert aimed.risk <= 0.3
    assert aimed.share == aimed.labels / 80 == aimed.loop.labelled
    assert aimed.prediction_error == aimed.risk + aimed.noise_variance
    low, high = aimed.intervals["labels"]
    assert low <= aimed.labels <= high
    assert aimed.intervals["cost"] == (3 * low, 3 * high)
    assert aimed.rivals["keep_all_labels"] < aimed.labels < aimed.rivals["real_only"]
    curve = aimed.curve
    assert all(values.shape == curve["labels"].shape for values in curve.values())
    assert np.all((curve["risk_low"] <= curve["risk"]) & (curve["risk"] <= curve["risk_high"]))
    assert curve["labels"][-1] == 80
    assert aimed.assumption.startswith("Assumed loop: 80 new rows in each generation, the same number of them labelled")


@pytest.mark.slow
def test_a_budget_and_a_target_agree(aimed):
    found = fm.plan(*table(), cost_per_label=3.0, budget=aimed.cost + 1, rows_per_generation=80)
    assert (found.labels, found.cost) == (aimed.labels, aimed.cost)
    assert found.risk == pytest.approx(aimed.risk, rel=1e-3)


def test_out_of_reach_says_how_many_rows():
    found = fm.plan(*table(), cost_per_label=1.0, target_risk=0.04, rows_per_generation=80, penalty=0.01)
    assert found.verdict == "out of reach"
    assert found.labels == found.cost == math.inf
    rows = next(int(text.split()[0]) for text in found.changes if "rows per generation instead of 80" in text)
    risks = [best_point(Setting(found.population, 40 / count, 0.0, 12, 0.01), 1.0).risk for count in (rows, 0.97 * rows)]
    assert risks[0] <= 0.04 < risks[1]


def test_collapse_near_the_threshold_without_a_penalty():
    options = {"penalty": 0.0, "row_weight": 1.0, "synthetic_noise_ratio": 1.0, "generations": math.inf}
    found = fm.plan(*table(), cost_per_label=1.0, rows_per_generation=42, **options)
    assert found.verdict == "collapses"
    assert "no share of labels prevents collapse at aspect ratio 0.952" in found.reason
    for share in np.linspace(0.05, 1, 20):
        for w in np.linspace(0.05, 1, 20):
            loop = fm.Loop.partially_labelled(aspect=40 / 42, labelled=float(share), real_weight=float(w))
            assert fm.limit(found.population, loop).risk > found.null_risk
    said = " ".join(found.changes)
    for word in ("penalty", "rows per generation", "features", "row weight"):
        assert word in said


def test_labels_of_the_table_by_default_and_partly_labelled_rows():
    X, y = table()
    y[:200] = np.nan
    found = fm.plan(X, y, cost_per_label=1.0, rows_per_generation=90, penalty=0.1)
    assert found.labels == 30
    assert found.rivals == {}
    assert found.target is found.budget is None


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"cost_per_label": 0}, "cost_per_label must be a number above 0"),
        ({"target_risk": -1}, "target_risk must be a number above 0"),
        ({"target_risk": 1, "budget": 3}, "budget= and value=, got target_risk= and budget="),
        ({"budget": 0.5}, "budget must pay for at least one label at 1"),
        ({"target_error": 1e-3}, "above the noise variance"),
        ({"generations": math.inf}, "generations must be a number here: without synthetic noise"),
        ({"generations": 0}, "generations must be"),
        ({"rows_per_generation": 2}, "rows_per_generation must be"),
        ({"penalty": -1}, "penalty must be"),
        ({"generations": 100_000}, "generations must be at most 500"),
        ({"rows_per_generation": -4}, "rows_per_generation must be a whole number of at least 3, got -4"),
        ({"row_weight": "free"}, "row_weight must be"),
        ({"row_weight": np.ones(2)}, "row_weight must be"),
        ({"penalty": np.ones(2)}, "penalty must be auto or a number"),
        ({"standardize": 1}, "standardize must be True or False"),
    ],
)
def test_refusals(options, match):
    with pytest.raises((ValueError, TypeError), match=match):
        fm.plan(*table(60, 4), **{"cost_per_label": 1.0, **options})


@pytest.mark.slow
def test_command(tmp_path, capsys):
    X, y = table(60, 4)
    path = tmp_path / "t.csv"
    np.savetxt(path, np.column_stack([X, y]), delimiter=",", header="a,b,c,d,y", comments="")
    given = ("plan", path, "--target", "y", "--cost-per-label", "2", "--generations", "1", "--penalty", "0.1")
    saved = [tmp_path / f"plan.{kind}" for kind in ("json", "csv", "png")]
    files = [each for name in saved for each in ("--save", name)]
    files += ["--report", tmp_path / "plan.html"]
    saved.append(tmp_path / "plan.html")
    told = invoke(*given, "--budget", "41", *files)
    assert told.startswith("Buy: 20 labels for 60 rows a generation (cost 40): ")
    assert "Mixing alone: Label 20 of 60 rows" in " ".join(told.split())
    assert told.endswith("\n\n" + "".join(f"Written to {name}\n" for name in saved))
    page = saved[-1].read_text()
    assert page.count("<svg") == 1
    assert "<strong>Buy</strong>: 20 labels for 60 rows a generation" in page
    assert "found = fm.plan(" in page
    assert "penalty=0.1" in page
    found = json.loads(saved[0].read_text())
    assert (found["labels"], found["cost"], found["verdict"]) == (20, 40, "feasible")
    assert saved[1].read_text().splitlines()[0] == ",".join(found["curves"])
    assert len(saved[1].read_text().splitlines()) == len(found["curves"]["labels"]) + 1
    shown = invoke(*given, "--target-risk", "1e-9", width=100)
    assert "out of reach: " in shown
    words = " ".join(shown.split())
    assert words.startswith("Out of reach: 60 labels a generation, all there are, bring a mean squared prediction error")
    assert "unbounded to" not in words
    assert "What would help" in shown
    assert "budget must pay" in failure(capsys, *given, "--budget", "1")
    assert "--row-weight must be auto" in failure(capsys, *given, "--row-weight", "much")
    assert "--save must end in" in failure(capsys, *given, "--save", tmp_path / "plan.txt")


@pytest.mark.slow
def test_picture(aimed):
    axes = plots.plan_picture(aimed).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert np.array_equal(lines[NAMES[aimed.best]].get_ydata(), np.sqrt(aimed.curves[aimed.best]))
    assert "target" in lines
    need = aimed.ways[aimed.best]
    assert f"{need['labels']:g} labels, cost {need['cost']:.4g}" in lines


@pytest.mark.parametrize(("budget", "price", "labels"), [(0.3, 0.1, 3), (0.29, 0.1, 2), (1e300, 1e-300, 60)])
def test_a_budget_buys_whole_labels(budget, price, labels):
    found = fm.plan(*table(60, 4), cost_per_label=price, budget=budget, generations=1, penalty=0.1, row_weight=1.0)
    assert found.labels == labels


def test_blocks_take_no_time():
    X, y = table(60, 4)
    with pytest.raises(ValueError, match="time must be left out"):
        fm.plan(Blocks([(X, y)], 4), cost_per_label=1.0, time=np.arange(60) // 10)


@pytest.mark.parametrize(
    ("labelled", "timed", "options"),
    [
        (1.0, False, {"penalty": 0.1}),
        pytest.param(0.4, True, {"penalty": 0.1}, marks=pytest.mark.slow),
        pytest.param(0.4, True, {}, marks=pytest.mark.slow),
        pytest.param(0.4, False, {}, marks=pytest.mark.slow),
        pytest.param(1.0, True, {"synthetic_noise_ratio": 0.5}, marks=pytest.mark.slow),
    ],
)
def test_a_plan_and_a_recommendation_agree_to_the_digit(labelled, timed, options):
    """The same table, the same settings; both start from the table's own first step."""
    X, y = table(360, 10 if timed or labelled < 1 else 2)
    y[np.random.default_rng(1).random(360) > labelled] = np.nan
    y[:30] = np.where(np.arange(30) < 9, y[:30], np.nan) if timed else y[:30]
    options = {**options, "time": np.arange(360) // 60} if timed else {**options, "rows_per_generation": 90}
    planned = fm.plan(X, y, cost_per_label=1.0, generations=4, **options)
    recommended = fm.recommend(X, y, generations=4, covariates="fresh", **options)
    assert planned.loop == recommended.loop
    assert planned.risk == recommended.risk
    assert planned.prediction_error == recommended.prediction_error
    first = np.isfinite(y[:60]).sum() / 60 if timed else planned.share
    assert planned.loop.first_rows == pytest.approx(first)
    theory = fm.risk(planned.population, planned.loop, 4, judged="next")[-1]
    assert planned.risk == pytest.approx(recommended.correction * theory, rel=1e-12)
    # The same loop among the ways to remember, on the same scale.
    mixed = recommended.rivals["mixed"]
    assert mixed["risk"] == pytest.approx(recommended.risk, rel=1e-6)
    assert mixed["real_weight"] == recommended.real_weight
    if timed:
        for name, way in (("real_only", "real_only"), ("keep_all_labels", "keep_all")):
            assert recommended.baselines[name] == pytest.approx(recommended.rivals[way]["risk"], rel=1e-6)
