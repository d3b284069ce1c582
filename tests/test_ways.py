"""Ways to remember compared for a table, and carried out as they are told (mathematics.md sections 3, 5 and 7)."""

import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

import freshmix as fm
from freshmix.recommendation.ways import by_steps
from freshmix.replays.in_time import Remembering, errors_in_time
from freshmix.words.remembering import against_theory

from .test_drift import stream

SETTINGS = ("penalty", "real_weight", "row_weight", "anchor", "kept_generations", "forgetting")


def fit(X, y, penalty, weight, anchor):
    """The naive step: (X'AX/n + lambda)^-1 X'A(y - X anchor)/n on top of the anchor."""
    rest = weight * (y - X @ anchor)
    return anchor + np.linalg.solve((X.T * weight) @ X / len(y) + penalty * np.eye(X.shape[1]), X.T @ rest / len(y))


def naive(steps, penalty, real_weight=1.0, row_weight=0.0, anchor=0.0, kept_generations=0, forgetting=1.0):
    """Coefficients after each step, and errors on the labels of the next one."""
    b, past, errors = None, [], []
    for (X, y), (later, labels) in pairwise(steps):
        real = np.isfinite(y)
        if b is None:
            b = fit(X[real], y[real], penalty, np.ones(real.sum()), np.zeros(X.shape[1]))
        else:
            guess = X @ b
            label = np.where(real, real_weight * y + (1 - real_weight) * guess, guess)
            used = real if row_weight == 0 else np.ones_like(real)
            parts = [(X[used], label[used], np.where(real, 1.0, row_weight)[used])]
            oldest = len(past) if kept_generations is None else kept_generations
            parts += [(A, c, np.full(len(c), forgetting**age)) for age, (A, c) in enumerate(past[:oldest], 1)]
            rows, all_labels, weight = (np.concatenate([part[k] for part in parts]) for k in range(3))
            b = fit(rows, all_labels, penalty, weight, anchor * b)
        past.insert(0, (X[real], y[real]))
        seen = np.isfinite(labels)
        errors.append(np.mean((labels[seen] - later[seen] @ b) ** 2))
    return b, errors


WAYS = [
    Remembering(0.1),
    Remembering(0.1, 0.4, 0.7),
    Remembering(0.3, 0.5, 0.0),
    Remembering(0.5, anchor=0.8),
    Remembering(0.5, 0.7, 0.3, anchor=1.0),
    Remembering(0.05, kept_generations=None),
    Remembering(0.05, kept_generations=2),
    Remembering(0.05, kept_generations=None, forgetting=0.6),
]


@pytest.mark.parametrize("way", WAYS)
def test_a_way_is_carried_out_as_it_is_told_and_its_code_does_the_same(way):
    X, y, steps = stream(5, 0.9, steps=5, rows=30, features=4)
    y[np.random.default_rng(1).random(y.size) < 0.4] = np.nan
    blocks = [np.flatnonzero(steps == t) for t in range(5)]
    settings = {name: getattr(way, name) for name in SETTINGS}
    expected, errors = naive([(X[block], y[block]) for block in blocks], **settings)
    found, _ = errors_in_time(X, y, y, blocks, {"way": way}, 0.0, np.random.default_rng(0))
    assert found["way"] == pytest.approx(errors, rel=1e-9)
    from freshmix.words.remembering import code

    first = blocks[0][np.isfinite(y[blocks[0]])]
    # The rows as they come: what is done once makes these of them.
    table = 3.0 + 2.0 * X[:, 1:]
    scaler, level = StandardScaler().fit(table), np.nanmean(y)
    scaled = np.column_stack([np.ones(y.size), scaler.transform(table)])
    expected, _ = naive([(scaled[block], y[block] - level) for block in blocks], **settings)
    model = Ridge(alpha=way.penalty * first.size, fit_intercept=False).fit(scaled[first], y[first] - level)
    known = {"table": table, "labels": y, "model": model}
    lines = code(settings, timed=True, averaged=False)
    once, each = lines.split("# Each time.")
    exec(once, known)
    known["past"] = [(scaled[first], y[first] - level)]
    for block in blocks[1:4]:
        known |= {"X": table[block], "y": y[block]}
        exec("#" + each, known)
    assert known["model"].coef_ == pytest.approx(expected, rel=1e-7)


@pytest.fixture(scope="module")
def told():
    X, y, steps = stream(7, 0.9, steps=12, rows=30, features=5, energy=0.5)
    y[np.random.default_rng(1).random(y.size) < 0.3] = np.nan
    return fm.recommend(X[:, 1:], y, time=steps, standardize=False)


@pytest.mark.slow
def test_a_stream_is_told_how_to_remember(told):
    c, (low, high) = told.persistence
    assert low < 0.9 < high
    assert low < c < high
    ways = told.rivals
    assert {"real_only", "mixed", "anchored", "anchored_mixed", "keep_all", "forgetting"} <= set(ways)
    assert ways["keep_all"]["prediction_error"] > 1.1 * ways[told.best]["prediction_error"]
    assert ways["keep_all"]["kept_generations"] is None
    low, high = ways["keep_all"]["difference_interval"]
    assert low <= ways["keep_all"]["difference"] <= high
    assert ways["anchored"]["alpha"] == pytest.approx(ways["anchored"]["penalty"] * 30 * told.labelled)
    # Theory and the replay on the table's own steps speak of the same errors.
    assert ways["forgetting"]["backtest"][0] == pytest.approx(ways["forgetting"]["prediction_error"], rel=0.3)


@pytest.mark.slow
def test_where_labels_are_counted_from_does_not_matter(told):
    X, y, steps = stream(7, 0.9, steps=12, rows=30, features=5, energy=0.5)
    y[np.random.default_rng(1).random(y.size) < 0.3] = np.nan
    shifted = fm.recommend(X[:, 1:], y + 50, time=steps, standardize=False)
    assert shifted.best == told.best
    for name, way in told.rivals.items():
        assert shifted.rivals[name]["backtest"] == pytest.approx(way["backtest"], rel=1e-6)


@pytest.mark.slow
def test_every_face_says_the_same(told):
    found = told.to_dict()
    assert found["best"] == told.best
    assert found["rivals"]["anchored"]["anchor"] == told.rivals["anchored"]["anchor"]
    assert "compare" not in found
    assert pickle.loads(pickle.dumps(told)).best == told.best
    assert str(told).startswith("Best: ")
    assert "Ways to train" in " ".join(str(told).split())
    assert "Ridge(" in told.code()
    with pytest.raises(ValueError, match="way must be"):
        told.code("none")


@pytest.mark.slow
def test_tables_without_times_are_told_too():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 20))
    y = X @ rng.standard_normal(20) / 4 + rng.standard_normal(80)
    found = fm.recommend(X, y, generations=12)
    assert set(found.rivals) == {"real_only", "mixed", "anchored", "anchored_mixed", "keep_all"}
    assert found.best == "keep_all"
    assert found.persistence is None
    keep = found.rivals["keep_all"]
    assert keep["kept_generations"] is None
    assert keep["risk"] == pytest.approx(found.baselines["keep_all_labels"], rel=0.05)
    known = {"table": X, "labels": y, "X": X, "y": y}
    exec(found.code(), known)
    assert known["model"].intercept_ != 0
    assert len(known["past"]) == 1
    forgets = fm.recommend(X, y, may_keep="nothing")
    assert forgets.best == "real_only"
    assert [forgets.rivals[name]["allowed"] for name in ("real_only", "anchored", "keep_all")] == [True, False, False]
    with pytest.raises(ValueError, match="may_keep must be"):
        fm.recommend(X, y, may_keep="everything")


@pytest.mark.slow
def test_new_rows_without_times():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 20))
    y = X @ rng.standard_normal(20) / 4 + rng.standard_normal(80)
    found = fm.recommend(X, y, rows_per_generation=40)
    assert {"forgetting", "keep_all"} <= set(found.rivals)
    assert min(way["difference"] for way in found.rivals.values()) == 0


def test_steps_of_the_table_have_a_say_from_one_standard_error_on():
    """Errors by step of theory's way, of one that is better in each step, and of one that is better by chance."""
    rng = np.random.default_rng(0)
    own = 1 + rng.random(8)
    tested = {"own": own, "better": own - 0.1, "luck": own - 0.2 + np.resize([3.0, -3.0], 8)}
    assert by_steps(["own", "better", "luck"], tested) == "better"
    assert by_steps(["own", "luck"], tested) == "own"
    assert by_steps(["own", "better"], {name: errors[:5] for name, errors in tested.items()}) == "own"
    assert by_steps(["own"], None) == "own"


def test_of_ways_that_did_as_well_theory_has_the_say():
    """Theory's first is far behind on the steps, its second as good as the third but for chance."""
    rng = np.random.default_rng(0)
    steps = 1 + rng.random(20)
    tested = {"first": steps + 1, "second": steps + rng.normal(0, 0.1, 20), "third": steps}
    tested["second"] += tested["third"].mean() - tested["second"].mean() + 0.01
    assert by_steps(["first", "second", "third"], tested) == "second"
    assert by_steps(["first", "third", "second"], tested) == "third"


@pytest.mark.parametrize("way", [Remembering(0.1, 0.4, 0.7), Remembering(0.5, anchor=0.8)])
@pytest.mark.parametrize("scaled", [True, False])
def test_a_snippet_refuses_other_columns_by_name(way, scaled):
    """It runs on data frames as on arrays; what is not in the units of the table is not scaled."""
    from freshmix.words.remembering import code

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(3 * rng.standard_normal((30, 2)), columns=["rain", "wind"])
    y = np.where(rng.random(30) < 0.6, rng.standard_normal(30), np.nan)
    lines = code({name: getattr(way, name) for name in SETTINGS}, timed=False, averaged=False, scaled=scaled)
    assert "# model: the last one, slopes and intercept" in lines
    found = []
    for table in (frame, frame.to_numpy()):
        scaler = StandardScaler(with_std=scaled).fit(table)
        first = Ridge(alpha=1.0).fit(scaler.transform(table)[np.isfinite(y)], y[np.isfinite(y)])
        known = {"table": table, "labels": y, "model": first, "X": table, "y": y}
        exec(lines, known)
        found.append(known["model"].coef_)
        assert known["scaler"].transform(table) == pytest.approx(scaler.transform(table))
    assert found[0] == pytest.approx(found[1])
    with pytest.raises(ValueError, match=r"(?s)unseen at fit time:\n- sun\n.*missing:\n- wind"):
        exec(lines, {**known, "table": frame, "X": frame.rename(columns={"wind": "sun"}), "y": y})


def test_advice_where_less_may_be_kept_heeds_the_steps():
    """A signal of 200 times the noise that drifts: anchors, theory's first, are far off on the way from nothing."""
    rng = np.random.default_rng(1)
    features, steps, rows = 10, 24, 30
    beta, X, y = 3 * rng.standard_normal(features), [], []
    for t in range(steps):
        X.append(rng.standard_normal((rows, features)))
        # What is not linear grows.
        y.append(X[t] @ beta + 0.02 * t * X[t][:, 0] ** 2 + 0.7 * rng.standard_normal(rows))
        beta = 0.9999 * beta + 0.15 * rng.standard_normal(features)
    found = fm.recommend(np.vstack(X), np.concatenate(y), time=np.repeat(np.arange(steps), rows))
    anchored, mixed = found.rivals["anchored"], found.rivals["mixed"]
    assert anchored["prediction_error"] < mixed["prediction_error"]
    assert anchored["backtest"][0] > 1.2 * mixed["backtest"][0]
    assert (found.best, found.best_under["model"]) == ("forgetting", "mixed")
    assert found.best_under["nothing"] == "real_only"
    behind = anchored["backtest"][0] - found.rivals[found.best]["backtest"][0]
    assert anchored["backtest_difference"][0] == pytest.approx(behind)
    said = " ".join(str(found).split())
    assert "If old rows cannot be kept: Mix in labels of the last model" in said
    assert "which did worse on the table's own steps" in said


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (2.1, "which did worse on the table's own months."),
        (1.9, "; the table's own months, which outweigh it, do not."),
    ],
)
def test_what_theory_puts_first_is_said_to_have_done_worse_only_where_it_did(first, said):
    """It may have done better than the best and yet have been beaten by a third beyond chance."""
    ways = {"anchored": {"backtest": (first, 0.1)}, "mixed": {"backtest": (2.0, 0.5)}}
    assert against_theory(ways, "anchored", "mixed", "month").endswith(said)
