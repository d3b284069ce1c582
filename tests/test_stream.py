"""Recommendations for new rows in each generation, some of them with a real label."""

import json
import math
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Ridge

import freshmix as fm
from freshmix import Group
from freshmix.prepared import prepare
from freshmix.prepared.stream import Stream
from freshmix.prepared.suspects import label_bias
from freshmix.recommendation.new_rows import NewRows
from freshmix.replays.in_time import Course, backtest
from freshmix.replays.learners import ridge
from freshmix.tables import open_table

from .test_cli import failure, invoke

TRUE = fm.Population.isotropic(signal=1.0, noise_variance=1.0)


def table(rows=1200, features=60, steps=12, labelled=0.4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, features))
    beta = rng.standard_normal(features)
    y = X @ (beta / np.linalg.norm(beta)) + rng.standard_normal(rows)
    y[rng.random(rows) > labelled] = np.nan
    return X, y, np.repeat(np.arange(steps), rows // steps)


@pytest.fixture(scope="module")
def found():
    X, y, time = table()
    return fm.recommend(X, y, time=time)


def test_the_loop_is_read_off_the_table(found):
    assert found.loop.covariates == "fresh"
    # The intercept may drift: it is a feature.
    assert found.loop.aspect == pytest.approx(0.61)
    assert found.loop.synthetic_noise_ratio == 0
    assert found.rows_per_generation == 100
    assert found.generations == 12
    assert 0.3 < found.labelled < 0.5
    assert found.assumption.startswith("Assumed loop: 100 new rows in each step, ")
    assert found.alpha == 100 * found.penalty
    assert found.warnings == ()


def test_close_to_the_best_of_theory(found):
    loop = found.loop
    best = fm.optimal_loop(TRUE, loop, generations=12)
    regret = fm.risk(TRUE, loop, 12)[-1] / best.risk - 1
    assert regret < 0.05
    assert found.risk == pytest.approx(best.risk, rel=0.3)
    low, high = found.intervals["risk"]
    assert low < found.risk < high


def test_rivals_are_those_of_theory(found):
    population, loop = found.population, found.loop
    assert found.risk == pytest.approx(fm.risk(population, loop, 12)[-1])
    assert found.long_run_risk == fm.limit(population, loop).risk
    share = found.labelled
    # Plain ridge on all labelled rows, at the best of many penalties.
    aspect = loop.aspect / (loop.first_rows + 12 * share)
    plain = [fm.risk(population, fm.Loop(aspect=aspect, penalty=x, real_weight=1.0), 0)[0] for x in np.geomspace(1e-4, 10, 400)]
    assert found.baselines["keep_all_labels"] == pytest.approx(min(plain), rel=1e-4)
    assert found.baselines["keep_all_labels"] < found.risk < found.baselines["real_only"]
    assert found.advice == "keep_all_labels"
    assert found.baselines["today"] is None


def test_backtest_agrees_with_the_order_of_theory(found):
    tested = found.backtest
    assert tested["keep_all_labels"][0] < tested["recommended"][0] < tested["real_only"][0]


def blocks(steps):
    return [np.flatnonzero(steps == step) for step in range(steps.max() + 1)]


def test_backtest_by_hand():
    X, y, steps = table(rows=120, features=5, steps=4, labelled=0.7, seed=3)
    course = Course(lambda t: 0.1, lambda t: 0.6, row_weight=0.5, learner=ridge)
    found, _ = backtest(X, y, y, blocks(steps), {"mix": course}, 0.0, np.random.default_rng(0))
    first = (steps == 0) & ~np.isnan(y)
    model = Ridge(alpha=0.1 * first.sum()).fit(X[first], y[first])
    errors = []
    for t in range(1, 4):
        later = (steps == t) & ~np.isnan(y)
        errors.append(np.mean((model.predict(X[later]) - y[later]) ** 2))
        now = steps == t
        guess = model.predict(X[now])
        labels = np.where(np.isnan(y[now]), guess, 0.6 * y[now] + 0.4 * guess)
        model = Ridge(alpha=0.1 * now.sum()).fit(X[now], labels, sample_weight=np.where(np.isnan(y[now]), 0.5, 1.0))
    assert found["mix"][0] == pytest.approx(np.mean(errors))
    assert found["mix"][1] == pytest.approx(np.std(errors, ddof=1) / math.sqrt(3))


def test_backtest_sees_no_future():
    X, y, steps = table(rows=120, features=5, steps=4, seed=3)
    changed = y.copy()
    changed[steps == 3] += 100.0
    course = {"mix": Course(lambda t: 0.1, lambda t: 0.6, row_weight=0.5)}
    short = steps < 3
    one, _ = backtest(X[short], y[short], y[short], blocks(steps[short]), course, 0.0, np.random.default_rng(0))
    whole, _ = backtest(X, y, y, blocks(steps), course, 0.0, np.random.default_rng(0))
    far, _ = backtest(X, changed, changed, blocks(steps), course, 0.0, np.random.default_rng(0))
    assert one is not None
    assert far["mix"][0] > whole["mix"][0] + 1000


@pytest.mark.slow
def test_too_few_steps_have_no_backtest():
    X, y, _ = table(rows=200, features=5)
    assert fm.recommend(X, y, time=np.repeat([0, 1], 100)).backtest is None
    assert fm.recommend(X, y).backtest is None


@pytest.mark.slow
def test_all_rows_labelled_and_rows_per_generation():
    X, y, _ = table(rows=400, features=40, labelled=1.1)
    noisy = fm.Loop(covariates="fresh", synthetic_noise_ratio=1.0)
    found = fm.recommend(X, y, loop=noisy, rows_per_generation=80, generations=math.inf)
    assert found.labelled == 1
    assert found.loop.aspect == 0.5
    assert found.generations is None
    assert found.row_weight == 1
    assert len(found.loop.groups) == 1
    assert found.long_run_risk == found.risk
    # Without synthetic noise the long run has no best weight.
    silent = fm.recommend(X, y, rows_per_generation=80, generations=math.inf)
    assert silent.generations == 12
    assert silent.real_weight > 0
    assert any("no best weight exists" in note for note in silent.notes)


def test_today_and_a_given_penalty():
    X, y, time = table()
    loop = fm.Loop(covariates="fresh", real_weight=0.5, synthetic_noise_ratio=1.0)
    found = fm.recommend(X, y, time=time, loop=loop, penalty=0.1)
    assert found.penalty == 0.1
    assert found.baselines["today"] >= found.risk * (1 - 1e-9)
    assert "today" in found.backtest
    assert "today" in found.risk_by_generation


@pytest.mark.slow
def test_labels_that_are_not_missing_at_random_are_told():
    X, y, time = table()
    y = np.where(X[:, 3] > 0.3, np.nan, y)
    found = fm.recommend(X, y, time=time)
    assert any("not missing at random: column 3" in each for each in found.warnings)


def test_drift_is_told():
    X, y, time = table(labelled=1.1)
    y[time >= 6] -= 2 * X[time >= 6] @ np.linspace(-0.3, 0.3, 60)
    assert any("drift" in each for each in fm.recommend(X, y, time=time).warnings)


@pytest.mark.parametrize(
    "time",
    [
        np.array(["b", "a", "c"] * 40),
        np.array(["2024-02-01", "2024-01-01", "2024-03-01"] * 40, dtype="datetime64[D]"),
        pl.Series([2.5, 1.5, 3.5] * 40),
    ],
)
def test_times_of_any_kind_that_sorts(time):
    y = np.ones(120)
    assert Stream.of(y, time, None).steps.tolist() == [1, 0, 2] * 40
    assert Stream.of(y, time, None).rows_per_generation == 40


@pytest.mark.parametrize(
    ("early", "middle", "late", "assumed"),
    [
        ("9", "10", "11.5", None),
        ("2025-01-31", "2025-02-01", "2025-10-01", None),
        ("2025-01-31T23:00:00-05:00", "2025-02-01T05:00:00+00:00", "2025-02-01 06:00", None),
        ("2024Q4", "2025Q1", "2025Q2", None),
        ("2024-12", "2025-01", "2025-10", None),
        ("31.1.2025", "1.2.2025", "12.10.2025", None),
        ("1/31/2025", "2/1/2025", "12/10/2025", None),
        ("2/1/2025", "1/2/2025", "3/10/2025", "the day first: the first is '2/1/2025', the last '3/10/2025'"),
        ("Jan", "Feb", "Apr", None),
        ("Dec 2022", "Jan 2023", "March 2023", None),
        ("2024 Q4", "Q1 2025", "Q2 2025", None),
        ("2024.1", "2024.9", "2024.10", "such as year and month: the first is '2024.1', the last '2024.10'"),
        ("1.5", "1.50", "2.1", "as a number before and a number after the point"),
        ("w1", "w9", "w10", "by the number that ends them: the first is 'w1', the last 'w10'"),
    ],
)
@pytest.mark.parametrize("kind", [np.array, pl.Series, lambda values: np.array(values, dtype=object)])
def test_text_times(early, middle, late, assumed, kind):
    stream = Stream.of(np.ones(120), kind([middle, early, late] * 40), None)
    assert stream.steps.tolist() == [1, 0, 2] * 40
    assert (stream.order is None) if assumed is None else (assumed in stream.order)


@pytest.mark.slow
def test_an_assumed_order_is_told(tmp_path):
    """The same from a file, where days with the month first must not be read with the day first."""
    X, y, time = table(rows=360, features=10)
    weeks = np.array(["week 9", "week 10", "week 11", "week 12"])[time % 4]
    for found in (fm.recommend(X, y, time=weeks), fm.plan(X, y, time=weeks, cost_per_label=1.0)):
        assert any("by the number that ends them: the first is 'week 9', the last 'week 12'" in each for each in found.warnings)
    days = [f"1/{1 + day}/2025" for day in range(30)]
    frame = pl.DataFrame({**{f"x{i}": column for i, column in enumerate(X.T)}, "day": np.repeat(days, 12), "y": y})
    frame.write_csv(tmp_path / "t.csv")
    held = open_table(tmp_path / "t.csv", "y", time="day")
    assert Stream.of(held.y, held.time, None).steps.tolist() == np.repeat(np.arange(30), 12).tolist()


MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([*MONTHS, *MONTHS], "'January' follows 'December'"),
        ([*MONTHS[9:], *MONTHS[:9]], "'January' follows 'December'"),
        (["Q1", "Q2", "Q3", "Q4"] * 5, "'Q1' follows 'Q4'"),
        (MONTHS, None),
        (MONTHS[::-1], None),
        ([f"{month} {year}" for year in (2024, 2025) for month in MONTHS], None),
        (np.random.default_rng(0).permutation(MONTHS * 50), None),
    ],
)
def test_months_of_several_years_that_name_none_are_told(names, said):
    stream = Stream.of(np.ones(5 * len(names)), np.repeat(names, 5), None)
    assert (stream.order is None) if said is None else (said in stream.order)


def test_text_without_an_order_is_refused():
    with pytest.raises(ValueError, match=r"got text such as 'early', whose order is not known"):
        Stream.of(np.ones(6), np.array(["late", "early"] * 3), None)


def test_times_with_gaps_are_refused():
    with pytest.raises(ValueError, match="gaps, got 2 missing values"):
        Stream.of(np.ones(6), np.array(["1", "2", "NA"] * 2), None)
    with pytest.raises(ValueError, match="gaps, got 1"):
        Stream.of(np.ones(2), np.array(["a", None], dtype=object), None)
    with pytest.raises(ValueError, match="gaps"):
        Stream.of(np.ones(2), np.array([1.0, np.nan]), None)


def test_frozen_covariates_need_all_labels():
    X, y, _ = table(rows=200, features=5)
    with pytest.raises(ValueError, match="covariates='fresh'"):
        fm.recommend(X, y, loop=fm.Loop())


@pytest.mark.slow
def test_a_column_of_a_data_frame_is_the_time():
    X, y, time = table(rows=240, features=5)
    frame = pl.DataFrame({f"x{i}": X[:, i] for i in range(5)} | {"month": time})
    one, two = fm.recommend(frame, y, time="month"), fm.recommend(X, y, time=time)
    assert one.real_weight == two.real_weight
    assert one.features == 5
    with pytest.raises(ValueError, match="nearest: 'month'"):
        fm.recommend(frame, y, time="moth")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    X, y, time = table(rows=480, features=8)
    months = [f"2024-{step + 1:02d}" for step in time]
    labels = [None if math.isnan(value) else value for value in y]
    path = tmp_path_factory.mktemp("stream") / "stream.csv"
    pl.DataFrame({"month": months, **{f"x{i}": X[:, i] for i in range(8)}, "y": labels}).write_csv(path)
    return path


@pytest.mark.slow
def test_command(file, tmp_path):
    page = tmp_path / "page.html"
    out = invoke("recommend", file, "--target", "y", "--time", "month", "--report", page, width=200)
    assert "40 new rows in each month" in out
    assert out.startswith("Best: ")
    heading = "Ways to train, each at its best: mean squared prediction error at month 12, on the rows of the month after"
    assert heading in out
    assert heading in page.read_text()
    assert "tried: mean squared error on the table's own next months" in out
    content = json.loads(invoke("recommend", file, "--target", "y", "--time", "month", "--json"))
    assert content["features"] == 8
    assert content["advice"] == "keep_all_labels"
    assert set(content["backtest"]) == {"recommended", "real_only", "keep_all_labels", "synthetic_only"}


@pytest.mark.slow
def test_command_with_other_loops(file):
    base = ("recommend", file, "--target", "y", "--json")
    sampled = json.loads(invoke(*base, "--synthetic-labels", "sampled", "--generations", "inf"))
    assert sampled["loop"]["synthetic_noise_ratio"] == 1
    assert sampled["generations"] is None
    assert sampled["rows_per_generation"] == 480
    assert json.loads(invoke(*base, "--rows-per-generation", 60))["rows_per_generation"] == 60


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--time", "moth"), "month"),
        (("--time", "y"), "must not name the target"),
        (("--covariates", "frozen"), "--covariates fresh"),
        (("--covariates", "warm"), "covariates must be one of"),
        (("--synthetic-labels", "none"), "--synthetic-labels"),
        (("--synthetic-labels", "sampled", "--synthetic-noise", "0"), "give one of them"),
        (("--generations", "many"), "--generations"),
        (("--rows-per-generation", "0"), "--rows-per-generation"),
    ],
)
def test_bad_options(file, options, says, capsys):
    assert says in failure(capsys, "recommend", file, "--target", "y", *options)


@pytest.mark.slow
def test_the_share_that_gets_a_label_can_be_said():
    X, y, time = table(rows=600, labelled=1.1)
    found = fm.recommend(X, y, time=time, labelled=0.3)
    assert found.labelled == pytest.approx(0.3)
    assert found.loop.groups[0].share == 0.3
    assert "30% of them with a real label, after a first model of 50 labelled rows" in found.assumption
    # The backtest hides the labels that will not be there: least squares on all 50 labels of a step errs less.
    assert found.backtest["real_only"][0] > 1.5
    y[::2] = np.nan
    more = fm.recommend(X, y, time=time, labelled=0.9)
    assert more.backtest is None
    assert any(note.startswith("no backtest: the loop labels 90% of the rows, the table 50%") for note in more.notes)
    with pytest.raises(ValueError, match="labelled must be a number above 0 and at most 1"):
        fm.recommend(X, y, labelled=1.5)
    with pytest.raises(ValueError, match="labelled says what the loop's groups say already"):
        fm.recommend(X, y, labelled=0.5, loop=fm.Loop.partially_labelled(labelled=0.5))
    with pytest.raises(ValueError, match="labelled needs a loop with covariates='fresh'"):
        fm.recommend(X, np.nan_to_num(y), labelled=0.5, loop=fm.Loop())


@pytest.mark.slow
def test_groups_of_a_loop_are_todays_setting():
    X, y, time = table(rows=600)
    loop = fm.Loop.partially_labelled(labelled=0.4, real_weight=0.8, row_weight=(1.0, 2.0), synthetic_noise_ratio=0.0)
    found = fm.recommend(X, y, time=time, loop=loop)
    tried = [
        fm.risk(found.population, loop.replace(aspect=found.aspect, first_rows=found.loop.first_rows, penalty=x), 12)[-1]
        for x in np.geomspace(1e-3, 1e2, 200)
    ]
    assert found.baselines["today"] == pytest.approx(min(tried), rel=1e-3)
    assert "today" in found.backtest


def test_a_given_penalty_counts_all_rows():
    X, y, _ = table(rows=600)
    found = fm.recommend(X, y, penalty=0.2)
    share = found.labelled
    plain = fm.Loop(aspect=found.aspect / share, penalty=0.2 / share, real_weight=1.0)
    assert found.baselines["real_only"] == pytest.approx(fm.risk(found.population, plain, 0)[0])


def test_generations_of_a_size_are_cut_in_the_order_of_time():
    steps = np.array([2, 0, 1, 0, 2, 1, 0])
    stream = Stream.of(np.ones(7), steps, 3)
    assert [sorted(steps[block]) for block in stream.blocks()] == [[0, 0, 1], [1, 2, 2]]
    assert [sorted(block) for block in Stream.of(np.ones(7), np.repeat([0, 1], [3, 4]), None).blocks()] == [
        [0, 1, 2],
        [3, 4, 5, 6],
    ]
    with pytest.raises(ValueError, match="time must have at least 3 rows per step in the median, got 1"):
        Stream.of(np.ones(50), np.arange(50), None)


def test_steps_at_the_end_without_labels_are_left_out():
    X, y, steps = table(rows=120, features=5, steps=6, labelled=0.7, seed=3)
    late = np.where(steps == 5, np.nan, y)
    course = {"mix": Course(lambda t: 0.1)}
    one, _ = backtest(X, late, late, blocks(steps), course, 0.0, np.random.default_rng(0))
    two, _ = backtest(X, y, y, blocks(steps)[:5], course, 0.0, np.random.default_rng(0))
    assert one == two
    none, why = backtest(X, late, np.where(steps == 2, np.nan, late), blocks(steps), course, 0.0, np.random.default_rng(0))
    assert none is None
    assert why == "no backtest: 1 of 5 steps have fewer than 2 labels"


def test_a_loop_starts_from_the_tables_own_first_step():
    X, y, time = table(rows=600, features=10, steps=6, labelled=0.4)
    y[:100] = np.where(np.arange(100) % 10 == 0, 1.0, np.nan)
    found = fm.recommend(X, y, time=time, penalty=0.1, generations=2)
    assert found.loop.first_rows == 0.1
    assert "after a first model of 10 labelled rows, " in found.assumption
    assert found.risk == found.correction * fm.risk(found.population, found.loop, 2, judged="next")[-1]
    # Without steps the first generation is like any other.
    found = fm.recommend(X, y, penalty=0.1, generations=2)
    assert found.loop.first_rows == found.labelled
    assert "first model" not in found.assumption


def test_labels_chosen_by_spread_are_told():
    X, y, _ = table()
    y = np.where(np.abs(X[:, 3]) > 1.0, np.nan, y)
    assert "not missing at random: the spread of column 3" in label_bias(X, y, None)


def test_labels_at_random_are_rarely_called_otherwise():
    """Level 0.001 for the whole table, also with heavy tails and few labelled rows."""
    told = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        X = np.hstack([rng.standard_normal((200, 20)), rng.random((200, 5)) < 0.3, rng.standard_exponential((200, 5))])
        y = np.where(rng.random(200) < 0.15, 1.0, np.nan)
        told += label_bias(X, y, None) is not None
    assert told <= 3


@pytest.mark.slow
@pytest.mark.parametrize("labelled", [1.1, 0.5])
def test_a_loop_of_synthetic_labels_only_today(labelled):
    X, y, _ = table(rows=200, features=10, labelled=labelled)
    found = fm.recommend(X, y, loop=fm.Loop(covariates="fresh", real_weight=0.0, synthetic_noise_ratio=0.0), generations=2)
    same = fm.recommend(X, y, loop=fm.Loop(covariates="fresh", synthetic_noise_ratio=0.0), generations=2)
    assert (found.risk, found.labelled) == (same.risk, same.labelled)
    first = found.loop.first_rows
    silent = fm.Loop(aspect=found.aspect, real_weight=0.0, covariates="fresh", synthetic_noise_ratio=0.0, first_rows=first)
    tried = [fm.risk(found.population, silent.replace(penalty=x), 2)[-1] for x in np.geomspace(1e-4, 10, 200)]
    assert found.baselines["today"] == pytest.approx(min(tried), rel=1e-3)
    nobody = fm.Loop(covariates="fresh", groups=[fm.Group(0.5, real_weight=0.0), fm.Group(0.5, real_weight=0.0)])
    with pytest.raises(ValueError, match="a group of rows with a real label, got none"):
        fm.recommend(X, y, loop=nobody)


def test_missing_times_are_refused():
    time = np.array(["2020-01-01", "NaT", "2020-01-02", "NaT"] * 5, dtype="datetime64[D]")
    with pytest.raises(ValueError, match="time must not have gaps, got 10 missing values"):
        Stream.of(np.ones(20), time, None)
    X, y, _ = table(rows=200, features=5)
    with pytest.raises(ValueError, match="one value for each of the 200 rows"):
        fm.recommend(X, y, time=[1, 2], sample_weight=np.arange(200.0))


def test_the_interpolation_threshold_of_a_generation_is_refused():
    X, y, _ = table(rows=200, features=10, labelled=1.1)
    for rows in (10, 11):
        with pytest.raises(ValueError, match=f"{rows} rows and 10 features are at the interpolation threshold"):
            fm.recommend(X, y, rows_per_generation=rows, penalty=0)
    few = fm.recommend(X, y, rows_per_generation=105, labelled=0.1, penalty=0.1, generations=1).warnings
    assert any("fewer than 20 labels per generation" in each for each in few)
    near = fm.recommend(np.hstack([X, X**2, X**3]), y, rows_per_generation=32, penalty=0, generations=1).warnings
    assert any("close to 1 without a penalty" in each for each in near)


def test_real_labels_only_means_no_synthetic_label():
    """At weight 1 on labelled rows the others still have synthetic labels, unless they are left out."""
    for row_weight, alone in ((0.5, False), (0.0, True)):
        loop = fm.Loop.partially_labelled(labelled=0.5, row_weight=(1.0, row_weight))
        answer = SimpleNamespace(loops=(loop,), horizon=None)
        assert NewRows.real_alone.fget(answer) is alone


def test_backtest_counts_sample_weights():
    """A weight of 2 is a row that is there twice, in fits and in errors."""
    X, y, steps = table(rows=120, features=5, steps=4, seed=3)
    weights = np.random.default_rng(0).integers(1, 3, 120).astype(float)
    course = {"mix": Course(lambda t: 1e-9, lambda t: 0.6, row_weight=0.5)}
    one, _ = backtest(X, y, y, blocks(steps), course, 0.0, np.random.default_rng(0), weights)
    twice = np.repeat(np.arange(120), weights.astype(int))
    two, _ = backtest(X[twice], y[twice], y[twice], blocks(steps[twice]), course, 0.0, np.random.default_rng(0))
    assert one["mix"] == pytest.approx(two["mix"], rel=1e-6)


def test_the_row_weight_suits_a_given_penalty():
    X, y, _ = table(rows=300, features=40, labelled=0.3)
    loop = fm.Loop(covariates="fresh", synthetic_noise_ratio=1.0)
    found = fm.recommend(X, y, loop=loop, penalty=0.05, rows_per_generation=80, generations=6)
    assert found.penalty == 0.05
    weights = [*np.geomspace(1e-3, 10, 15), 0.0]
    tried = [
        fm.optimal_weight(found.population, found.loop.replace(groups=groups), generations=6).risk
        for groups in ([Group(found.labelled, 1.0, 1.0), Group(1 - found.labelled, each, 0.0)] for each in weights)
    ]
    assert found.risk <= min(tried) * (1 + 1e-9)
    # Rows without a label are worth less than 1 here, by far.
    alike = [Group(found.labelled, 1.0, found.real_weight), Group(1 - found.labelled, 1.0, 0.0)]
    assert found.risk < 0.8 * fm.risk(found.population, found.loop.replace(groups=alike), 6)[-1]


@pytest.mark.slow
def test_pure_noise_is_told():
    """With partly labelled rows and with time steps as for the same rows; not where there is a signal."""
    rng = np.random.default_rng(0)
    X, y, time = rng.standard_normal((300, 40)), rng.standard_normal(300), np.repeat(np.arange(6), 50)
    half = np.where(rng.random(300) < 0.5, np.nan, 1.0)
    signal = X @ rng.standard_normal(40) / 3
    for options, hidden in (({}, 1.0), ({}, half), ({"time": time}, 1.0)):
        told = [
            any("the table shows no signal" in each for each in fm.recommend(X, labels * hidden, **options).warnings)
            for labels in (y, y + signal)
        ]
        assert told == [True, False]


def test_next_to_no_noise_is_not_called_no_signal():
    rng = np.random.default_rng(1)
    for p in (100, 200):
        X = rng.standard_normal((100, p))
        found = fm.recommend(X, X @ rng.standard_normal(p) + 0.3 * rng.standard_normal(100))
        assert not any("no signal" in each for each in found.warnings)


@pytest.mark.slow
def test_figures_are_plain_floats():
    X, y, _ = table(rows=200, features=5, labelled=1.1)
    hidden = np.where(np.arange(200) % 2, np.nan, y)
    plan = fm.plan(X, hidden, cost_per_label=1.0, target_risk=1.0)
    for found in (fm.recommend(X, y), fm.recommend(X, hidden), fm.recommend(X, y, schedule=True), plan):
        assert "np.float" not in repr(found)


def test_labelled_rows_of_another_row_weight_are_refused():
    """With a penalty they would rescale it."""
    X, y, _ = table(rows=200, features=5, labelled=1.1)
    for covariates in ("fresh", "frozen"):
        with pytest.raises(ValueError, match="loop must have row_weight 1 on rows with a real label, got 2"):
            fm.recommend(X, y, loop=fm.Loop(groups=[fm.Group(1.0, 2.0, 0.5)], penalty=0.4, covariates=covariates))


@pytest.mark.slow
@pytest.mark.parametrize("features", [20, 300])
def test_extreme_penalties(features):
    """A tiny one is no penalty, a huge one predicts the mean, a larger one is refused."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, features))
    y = X @ rng.standard_normal(features) / features**0.5 + rng.standard_normal(200)
    hidden = np.where(np.arange(200) % 3, y, np.nan)
    for labels in (y, hidden):
        none = fm.recommend(X, labels, penalty=0.0).risk
        for tiny in (1e-300, 1e-30):
            assert fm.recommend(X, labels, penalty=tiny).risk == pytest.approx(none, rel=1e-9)
        huge = fm.recommend(X, labels, penalty=1e90)
        null = huge.signal_to_noise_ratio * huge.noise_variance
        if labels is y:
            # On the same rows the error of the mean counts as well.
            w = huge.real_weight
            null += huge.noise_variance / 199 * (w**2 + (1 - w) ** 2) / (w * (2 - w))
        assert huge.risk == pytest.approx(null, rel=1e-6)
        with pytest.raises(ValueError, match=r"penalty must be auto or a number between 0 and 1e\+90, got 1e\+300"):
            fm.recommend(X, labels, penalty=1e300)
    assert np.isfinite(fm.plan(X, hidden, penalty=1e90, cost_per_label=1.0).risk)


def test_a_table_that_was_read_calls_its_steps_what_the_file_does(tmp_path):
    """The name of a column tells that its numbers are months."""
    rng = np.random.default_rng(0)
    rows = "".join(f"{1 + i // 20},{x:.3f},{x + z:.3f}\n" for i, (x, z) in enumerate(rng.standard_normal((120, 2))))
    (tmp_path / "t.csv").write_text(f"month,x,y\n{rows}")
    table = open_table(tmp_path / "t.csv", "y", time="month")
    assert prepare(table).stream.step == prepare(tmp_path / "t.csv", "y", time="month").stream.step == "month"
