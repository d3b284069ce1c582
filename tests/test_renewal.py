"""Label renewal in recommendations: classes, repeated rows, what is assumed, and what is said (mathematics.md section 4)."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import freshmix as fm
from freshmix.prepared import prepare
from freshmix.prepared.copies import copies
from freshmix.recommendation.renewal import Renewal as Known
from freshmix.recommendation.renewal import Repeated, classes
from freshmix.tables import open_table

from .test_cli import failure, invoke
from .test_estimate import table

DIGITS = Path(__file__).parents[1] / "examples" / "digits.parquet"


def repeated(sizes, features, renewal, seed):
    """Rows in groups of these sizes: a linear signal, noise of variance 1 of which a share is the same in a group."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    Z = rng.standard_normal((len(sizes), features))
    kept = np.sqrt(1 - renewal) * rng.standard_normal(len(sizes))
    signal = Z @ rng.standard_normal(features) / np.sqrt(features)
    y = (signal + kept)[group] + np.sqrt(renewal) * rng.standard_normal(group.size)
    order = rng.permutation(group.size)
    return Z[group][order], y[order]


def one_of_nine(count):
    """One row in nine has a copy."""
    return [2] * (count // 9) + [1] * (count - count // 9)


@pytest.mark.slow
@pytest.mark.parametrize(("sizes", "features"), [(one_of_nine(270), 30), ([3] * 100, 40)])
@pytest.mark.parametrize("renewal", [0.1, 0.5, 1.0])
def test_repeated_rows_show_the_renewal(sizes, features, renewal):
    """90% intervals over twelve tables: fewer than eight hits have a chance of 4e-3 each."""
    found = [Known.of(fm.Loop(), prepare(*repeated(sizes, features, renewal, seed))) for seed in range(12)]
    assert {each.known_by for each in found} == {"estimated"}
    assert all(0 <= each.interval[0] <= each.value <= each.interval[1] <= 1 for each in found)
    assert sum(each.interval[0] <= renewal <= each.interval[1] for each in found) >= 8
    # What is used is 1 unless the interval excludes it.
    assert all(each.value == 1 or each.interval[1] < 1 for each in found)
    tables = [prepare(*repeated(sizes, features, renewal, seed)) for seed in range(12)]
    shares = [Repeated.of(each.rows.labelled(), "linear").share(each)[0] for each in tables]
    assert np.mean(shares) == pytest.approx(renewal, abs=0.15)


def test_pure_error_against_its_definition():
    rng = np.random.default_rng(0)
    X, y = repeated([1, 2, 3, 5, 1], 3, 0.5, 0)
    a = rng.uniform(0.5, 2.0, y.size)
    groups = [np.flatnonzero((row == X).all(axis=1)) for row in np.unique(X, axis=0)]
    means = [np.average(y[g], weights=a[g]) for g in groups]
    energy = sum(a[g] @ (y[g] - m) ** 2 for g, m in zip(groups, means, strict=True))
    level = np.mean([a[g].mean() for g in groups])
    found = Repeated.of(prepare(X, y).rows._replace(X=X, y=y, precision=a), "linear")
    assert found.energy == pytest.approx(energy / level, rel=1e-12)
    assert found.copies == 7
    assert found.once == pytest.approx(np.mean([1 / g.size for g in groups]))
    assert sorted(found.means.y) == pytest.approx(sorted(means))


def test_copies_against_whole_rows():
    rng = np.random.default_rng(1)
    for _ in range(40):
        X = rng.integers(0, rng.integers(2, 5), (rng.integers(1, 40), rng.integers(1, 12))).astype(float)
        kinds: list[bytes] = []
        for row in X:
            kinds += [] if row.tobytes() in kinds else [row.tobytes()]
        assert copies(X).tolist() == [kinds.index(row.tobytes()) for row in X]


def test_an_estimated_renewal_is_used_and_told():
    X, y = repeated([2] * 60 + [1] * 100, 20, 0.4, 3)
    best = fm.recommend(X, y)
    assert 0.1 < best.label_renewal < 0.9
    assert best.loop.label_renewal == best.label_renewal
    low, high = best.intervals["label_renewal"]
    assert low <= best.label_renewal <= high
    assert best.other_end is None
    assert "60 copies" in best.assumption
    # Rivals follow it: of the noise that comes back, averages keep all.
    given = fm.recommend(X, y, label_renewal=best.label_renewal)
    assert given.risk == best.risk
    assert given.baselines == best.baselines
    assert "label_renewal" not in given.intervals
    assert "copies" not in given.assumption
    anew = fm.recommend(X, y, label_renewal=1.0)
    assert anew.baselines["keep_all_labels"] < best.baselines["keep_all_labels"] < best.baselines["real_only"]


def test_kernels_and_weights_see_repeated_rows():
    X, y = repeated([2] * 60 + [1] * 60, 5, 0.2, 4)
    for options in ({"kernel": "rbf"}, {"sample_weight": np.where(X[:, 0] > 0, 2.0, 1.0)}):
        best = fm.recommend(X, y, **options)
        assert best.intervals["label_renewal"][1] < 0.7, options
    linear, gram = Known.of(fm.Loop(), prepare(X, y)), Known.of(fm.Loop(), prepare(X @ X.T, y, kernel="precomputed"))
    assert gram.value == pytest.approx(linear.value, rel=0.2)


@pytest.mark.parametrize(
    ("labels", "count"),
    [
        (np.repeat([0.0, 1.0], 20), 2),
        (np.array([-1.3, 0.7, 0.7]), 2),
        (np.tile(np.arange(20.0), 10), 20),
        (np.tile(np.arange(20.0), 10) - 3.3, 20),
        (np.tile(np.arange(21.0), 10), 0),
        (np.tile(np.arange(20.0), 9), 0),
        (np.tile(np.arange(4) / 2, 20), 0),
        (np.random.default_rng(0).standard_normal(200), 0),
        (np.empty(0), 0),
    ],
)
def test_classes(labels, count):
    assert classes(labels) == count


def test_digits_are_advised_real_labels_only():
    """On the same classes the mix of label renewal 1 has held-out errors 1.2% (898 rows) to 1.9% (400 rows) higher."""
    frame = pl.read_parquet(DIGITS)
    best = fm.recommend(frame, "digit", real_weight=0.5)
    assert best.real_weight == 1.0
    assert best.verdict == "holds"
    assert best.advice == "real_only"
    assert best.label_renewal == 0.0
    assert best.loop.label_renewal == 0.0
    assert best.penalty == pytest.approx(fm.recommend(frame, "digit", labels="frozen").penalty)
    assert "10 values, whole numbers, and is taken for classes" in best.assumption
    assert best.baselines["keep_all_labels"] == best.baselines["real_only"] == pytest.approx(best.risk)
    assert best.baselines["today"] > best.risk
    # Were digits drawn anew, the mix would be better.
    anew = fm.recommend(frame, "digit", label_renewal=1.0)
    assert best.other_end.label_renewal == 1.0
    assert best.other_end.real_weight == pytest.approx(anew.real_weight, abs=1e-3)
    assert best.other_end.risk == pytest.approx(anew.risk)
    assert best.other_end.recommended_risk > anew.risk
    assert anew.other_end is None


def test_text_classes_and_blocks_of_columns(tmp_path):
    X, y, _ = table(60, 90)
    frame = pl.DataFrame(X).with_columns(pl.Series("bought", np.where(y > 0, "yes", "no")))
    assert fm.recommend(frame, "bought").label_renewal == 0.0
    frame.write_parquet(tmp_path / "t.parquet")
    blocks = open_table(str(tmp_path / "t.parquet"), target="bought", max_bytes=1000)
    assert fm.recommend(blocks).label_renewal == 0.0


def test_both_ends_are_shown_where_nothing_tells():
    X, y, _ = table(300, 100)
    best = fm.recommend(X, y)
    assert best.label_renewal == 1.0
    assert "is assumed" in best.assumption
    end, kept = best.other_end, fm.recommend(X, y, label_renewal=0.0)
    assert (end.label_renewal, end.real_weight) == (0.0, 1.0)
    assert end.penalty == kept.penalty
    assert end.alpha == pytest.approx(300 * kept.penalty)
    assert end.risk == kept.risk
    assert end.prediction_error == kept.prediction_error
    assert end.recommended_risk > end.risk
    assert kept.other_end is None
    assert kept.baselines["keep_all_labels"] == kept.baselines["real_only"]
    assert fm.recommend(X, y, loop=fm.Loop(label_renewal=1.0)).other_end is None


def test_labels_that_are_said_to_be_fresh_are_no_classes():
    X, y, _ = table(200, 5)
    shown, said = fm.recommend(X, np.sign(y)), fm.recommend(X, np.sign(y), labels="fresh")
    assert (shown.label_renewal, said.label_renewal) == (0.0, 1.0)
    assert "taken for classes" in shown.assumption
    assert "as you say its labels are drawn anew" in said.assumption
    assert said.risk == fm.recommend(X, np.sign(y), label_renewal=1.0).risk
    assert fm.recommend(X, np.sign(y), labels="fresh", label_renewal=0.0).label_renewal == 0.0


def test_records_that_are_there_twice_say_nothing():
    X, y, _ = table(100, 20)
    best = fm.recommend(np.vstack([X, X[:30]]), np.append(y, y[:30]))
    assert best.label_renewal == 1.0
    assert "30 copies of rows have the very labels" in best.assumption
    assert best.other_end.label_renewal == 0.0


def test_few_kinds_of_rows_say_nothing():
    rng = np.random.default_rng(0)
    X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])[rng.integers(0, 4, 80)]
    assert fm.recommend(X, X[:, 0] + rng.standard_normal(80)).label_renewal == 1.0


def test_fresh_covariates_have_none():
    X, y, _ = table(60, 5)
    best = fm.recommend(X, np.sign(y), covariates="fresh", generations=1, penalty=1.0)
    assert best.label_renewal is None
    assert best.other_end is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_renewal": 1.5}, "label_renewal must be a number between 0 and 1, got 1.5"),
        ({"label_renewal": "half"}, "label_renewal must be a number"),
        ({"label_renewal": 0.5, "covariates": "fresh"}, "label_renewal=0.5 needs covariates='frozen'"),
        ({"label_renewal": 0.5, "labels": "frozen"}, "label_renewal must be 0 with labels='frozen', got 0.5"),
        ({"label_renewal": 0.5, "loop": fm.Loop()}, "label_renewal= says what loop says"),
    ],
)
def test_refusals(options, message):
    X, y, _ = table(40, 5)
    with pytest.raises((TypeError, ValueError), match=message):
        fm.recommend(X, y, **options)


@pytest.mark.slow
def test_command_line(tmp_path, capsys):
    X, y, _ = table(60, 5)
    path = tmp_path / "t.csv"
    pl.DataFrame(X).with_columns(y=y).write_csv(path)
    given = ("recommend", str(path), "--target", "y")
    said = " ".join(invoke(*given).split())
    assert "If a row's label stays as it is when it is asked for again: fit each generation on the real labels alone" in said
    kept = json.loads(invoke(*given, "--label-renewal", "0", "--json"))
    assert (kept["label_renewal"], kept["real_weight"], kept["other_end"]) == (0.0, 1.0, None)
    assert json.loads(invoke(*given, "--json"))["other_end"]["real_weight"] == 1.0
    assert "--label-renewal must be a number between 0 and 1" in failure(capsys, *given, "--label-renewal", "2")
    theory = invoke("theory", "--aspect", "0.5", "--penalty", "0.1", "--real-weight", "0.5", "--label-renewal", "0.3", "--json")
    loop = fm.Loop(aspect=0.5, penalty=0.1, real_weight=0.5, label_renewal=0.3)
    assert json.loads(theory)["limit"]["risk"] == pytest.approx(fm.limit(fm.Population.isotropic(), loop).risk)
