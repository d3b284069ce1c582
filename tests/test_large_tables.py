"""Tables read block by block: the same numbers as in memory, whatever the offsets, the blocks and the source."""

import importlib
import json
import math
from functools import reduce

import numpy as np
import polars as pl
import pytest

import freshmix as fm
from freshmix.estimation import factorise
from freshmix.estimation.factorise import factorise_products
from freshmix.prepared import prepare
from freshmix.prepared.by_columns import products_by_columns
from freshmix.prepared.ends import Ends
from freshmix.prepared.features import scaled_features
from freshmix.prepared.moments import moments, products_of
from freshmix.prepared.suspects import label_bias
from freshmix.tables import Blocks, DaskBlocks, FileBlocks, open_table
from freshmix.words import table as words

from .test_cli import invoke


def table(rows=700, features=12, seed=0):
    """Columns of very different offsets and scales."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, features)) @ rng.standard_normal((features, features))
    y = X @ rng.standard_normal(features) + rng.standard_normal(rows)
    X[:, 0] += 1e9
    X[:, 1] *= 1e-12
    X[:, 2] *= 1e12
    X[:, 3] = np.arange(rows)
    return X, y + 1e6


def frame(X, y):
    return pl.DataFrame({**{f"x{i}": column for i, column in enumerate(X.T)}, "y": y})


def files(folder, X, y, pieces=3, suffix="parquet"):
    paths = []
    for i, part in enumerate(np.array_split(np.arange(len(y)), pieces)):
        paths.append(folder / f"part{i}.{suffix}")
        getattr(frame(X[part], y[part]), f"write_{suffix}")(paths[-1])
    return paths


def pairs(X, y, size=64):
    return ((X[i : i + size], y[i : i + size]) for i in range(0, len(y), size))


def check(found, X, y, standardize=True):
    """Against the factorisation in memory: eigenvalues, squared responses and what is left over."""
    prepared, *_ = scaled_features(X.copy(), None, standardize)
    real = ~np.isnan(y)
    expected = factorise(prepared[real], y[real])
    given = factorise_products(products_of(found, standardize))
    assert (given.rows, given.features, given.zeros) == (expected.rows, expected.features, expected.zeros)
    np.testing.assert_allclose(given.eigenvalues, expected.eigenvalues, rtol=1e-9)
    np.testing.assert_allclose(np.abs(given.responses), np.abs(expected.responses), rtol=1e-6, atol=1e-7 * np.nanstd(y))
    np.testing.assert_allclose(given.zero_energy, expected.zero_energy, rtol=1e-8)
    np.testing.assert_allclose(given.condition, expected.condition, rtol=1e-9)


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_moments_are_those_of_the_whole_table(size):
    X, y = table()
    found = moments(Blocks(pairs(X, y, size), X.shape[1]))
    whole = np.column_stack([X, y])
    assert np.all(np.abs(found.mean - whole.mean(axis=0)) <= 1e-14 * np.abs(whole).max(axis=0))
    scale = whole.std(axis=0)
    correlations = found.scatter / np.multiply.outer(scale, scale) / len(y)
    np.testing.assert_allclose(correlations, np.corrcoef(whole.T), atol=1e-7)
    check(found, X, y)


def test_an_offset_that_only_later_blocks_have():
    """Raw sums of squares, or a shift taken from the first block, would lose every digit of the second column."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((600, 3)), rng.standard_normal(600)
    X[:10, 1] += 1e10
    X[:, 2] += 1e10 * (np.arange(600) >= 300)
    found = moments(Blocks(pairs(X, y, 10), 3))
    expected = np.cov(X[:, 0], X[:, 2], bias=True) * 600
    np.testing.assert_allclose(found.scatter[2, 2], expected[1, 1], rtol=1e-12)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("labelled", [1.0, 0.4])
def test_files_give_the_same_factorisation(tmp_path, suffix, labelled):
    X, y = table()
    y[np.random.default_rng(2).random(y.size) > labelled] = np.nan
    if suffix == "csv":
        # A missing label is an empty field.
        paths = []
        for path in files(tmp_path, X, y, suffix=suffix):
            pl.read_csv(path).with_columns(pl.col("y").fill_nan(None)).write_csv(path)
            paths.append(path)
    else:
        paths = files(tmp_path, X, y)
    found = moments(FileBlocks(paths, "y"))
    check(found, X, y)
    spread = found.everything()
    np.testing.assert_allclose(spread.squares, ((X - X.mean(axis=0)) ** 2).sum(axis=0), rtol=1e-9)
    assert found.rows == np.sum(~np.isnan(y))


def test_dask_arrays_give_the_same_factorisation():
    da = pytest.importorskip("dask.array")
    X, y = table(1000)
    y[:300] = np.nan
    found = moments(DaskBlocks(da.from_array(X, chunks=(90, 5)), da.from_array(y, chunks=130)))
    check(found, X, y)


def test_gaps_of_dask_arrays_are_filled_as_in_memory():
    da = pytest.importorskip("dask.array")
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((300, 5)), rng.standard_normal(300)
    X[rng.random(X.shape) < 0.1] = np.nan
    y[::7] = np.nan
    small = prepare(X, y, impute="mean")
    large = prepare(da.from_array(X, chunks=(70, 5)), da.from_array(y, chunks=70), impute="mean")
    assert large.gaps == small.gaps
    expected = factorise(*small.rows.labelled()[:2])
    np.testing.assert_allclose(factorise_products(large.products).eigenvalues, expected.eigenvalues, rtol=1e-9)


def test_a_cluster_gives_the_same_factorisation():
    """Each worker sends back its moments, not its rows."""
    da = pytest.importorskip("dask.array")
    distributed = pytest.importorskip("distributed")
    X, y = table(2000)
    with distributed.Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=None):
        found = moments(DaskBlocks(da.from_array(X, chunks=(100, 12)), da.from_array(y, chunks=100)))
    check(found, X, y)


@pytest.mark.parametrize("labelled", [1.0, 0.6])
def test_more_columns_than_rows_are_read_by_columns(tmp_path, labelled):
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((60, 400)) * np.geomspace(1, 1e6, 400), rng.standard_normal(60)
    X[:, 7] = 4.0
    y[rng.random(60) > labelled] = np.nan
    products, labels, (one, other), _ = products_by_columns(FileBlocks(files(tmp_path, X, y), "y"))
    found = factorise_products(products)
    prepared, *_ = scaled_features(X.copy(), None, True)
    real = ~np.isnan(y)
    expected = factorise(prepared[real], y[real])
    assert (found.rows, found.features, found.zeros) == (real.sum(), 399, 0)
    np.testing.assert_array_equal(labels, y)
    np.testing.assert_allclose(found.eigenvalues, expected.eigenvalues, rtol=1e-10)
    np.testing.assert_allclose(np.abs(found.responses), np.abs(expected.responses), atol=1e-8)
    np.testing.assert_allclose(one.squares, ((X[real] - X[real].mean(axis=0)) ** 2).sum(axis=0), rtol=1e-9, atol=1e-9)
    assert one.rows + other.rows == 60


@pytest.mark.parametrize("labelled", [1.0, pytest.param(0.5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("features", [8, 90])
def test_the_recommendation_is_that_of_the_table_in_memory(tmp_path, labelled, features):
    """Also by columns, where there are more of them."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((60 if features > 60 else 400, features)) + 100
    y = X @ rng.standard_normal(features) / features + rng.standard_normal(len(X))
    y[rng.random(len(y)) > labelled] = np.nan
    paths = files(tmp_path, X, y)
    large = fm.recommend(open_table(paths, "y", max_bytes=0), generations=3)
    small = fm.recommend(open_table(paths, "y"), generations=3)
    assert large.rows == small.rows == len(y)
    assert large.labelled == pytest.approx(small.labelled)
    for name in ("real_weight", "penalty", "risk", "prediction_error", "noise_variance", "alpha", "row_weight", "aspect"):
        assert getattr(large, name) == pytest.approx(getattr(small, name), rel=1e-4), name
    assert any("read once in blocks" in note for note in large.notes)
    assert large.warnings == small.warnings


def test_large_tables_warn_of_labels_that_are_not_missing_at_random(tmp_path):
    X, y = table(600)
    y[X[:, 5] > np.median(X[:, 5])] = np.nan
    held = prepare(FileBlocks(files(tmp_path, X, y), "y"))
    large = held.stream.bias
    small = label_bias(X, y, [f"x{i}" for i in range(X.shape[1])])
    assert large == small
    assert "not missing at random: x5 differs" in large


def test_plans_and_long_runs_are_those_of_the_table_in_memory(tmp_path):
    X, y = table(300, 5)
    y[40:] = np.nan
    large = open_table(files(tmp_path, X, y), "y", max_bytes=0)
    told = fm.plan(large, cost_per_label=1.0, penalty=0.1, row_weight=1.0).warnings
    assert told[0].startswith("x3 looks like a row number or an id")
    assert told[1:3] == (label_bias(X, y, large.names), "only 40 labelled rows: the estimates are rough below 50")
    loop = fm.Loop(covariates="fresh", synthetic_noise_ratio=0.0)
    long = fm.recommend(large, loop=loop, generations=math.inf, penalty=0.0)
    assert long.generations == 12
    assert any("no best weight exists" in note for note in long.notes)


def test_large_tables_warn_of_copies_outliers_and_classes():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((300, 4))
    X[:, 3] = X[:, 1]
    y = X[:, 0] + rng.standard_normal(300)
    y[17] = 1e6
    said = " ".join(fm.recommend(Blocks(pairs(X, y), 4, "abcd")).warnings)
    assert "1 column is a copy of others: b = d" in said
    assert "one label, 1e+06, makes up 100%" in said
    assert "two values" not in said
    assert "two values, 0 and 1" in " ".join(fm.recommend(Blocks(pairs(X, (y > 0) * 1.0), 4)).warnings)


def test_tables_by_columns_warn_of_classes_and_outliers(tmp_path):
    X, y = table(40, 60)
    for labels, match in (
        ((y > np.median(y)) * 1.0, "two values, 0 and 1"),
        (np.where(np.arange(40) == 3, 1e12, y), "one label, 1e+12"),
    ):
        held = prepare(FileBlocks(files(tmp_path, X, labels), "y"))
        assert any("columns" in note for note in held.notes)
        assert match in " ".join(held.warnings)


def test_paths_and_dask_arrays_go_straight_into_recommend(tmp_path, monkeypatch):
    da = pytest.importorskip("dask.array")
    X, y = table(200, 5)
    expected = fm.recommend(X, y)
    files(tmp_path, X, y)
    pattern = tmp_path / "part*.parquet"
    assert fm.recommend(pattern, "y").risk == expected.risk
    assert fm.recommend(da.from_array(X, chunks=50), da.from_array(y, chunks=50)).risk == pytest.approx(expected.risk, rel=1e-4)
    monkeypatch.setattr("freshmix.tables.parts.MOST_BYTES", 100)
    assert fm.recommend([str(pattern)], "y").risk == pytest.approx(expected.risk, rel=1e-4)


@pytest.mark.parametrize("features", [6, 90])
def test_values_that_may_stand_for_nothing_and_columns_without_labels_are_told_as_in_memory(tmp_path, features):
    rng = np.random.default_rng(8)
    X, y = rng.standard_normal((80, features)), rng.standard_normal(80)
    X[:20, 1], X[40:44, 2], y[5:30] = -999.0, 1e9, 99.0
    X[:, 3] = rng.integers(0, 2, 80)
    y[60:] = np.nan
    X[:60, 4] = 3.0
    small = prepare(frame(X, y).drop("y"), y)
    large = prepare(FileBlocks(files(tmp_path, X, y), "y"))
    assert [each for each in small.warnings if "far from" in each] == [each for each in large.warnings if "far from" in each]
    assert sum("far from the others" in each for each in large.warnings) == 3
    assert large.features == small.features == features - 1
    assert "columns left out that vary only on rows without a label: x4" in large.notes


def test_ends_of_parts_are_those_of_the_whole():
    rng = np.random.default_rng(9)
    for _ in range(300):
        n = int(rng.integers(1, rng.choice([60, 400])))
        X = np.column_stack([rng.standard_normal(n), rng.integers(0, 4, n), rng.integers(0, 2, n)]).astype(float)
        X[rng.random(n) < 0.3, rng.integers(3)] = rng.choice([-999.0, 1e308])
        parts = [Ends.of(list(part.T)) for part in np.split(X, np.sort(rng.integers(0, n + 1, 3)))]
        assert reduce(Ends.merge, parts).sentinels("ab") == Ends.of_rows(X).sentinels("ab") == naive_sentinels(X, "ab")


def naive_sentinels(X, names):
    """Values that 0.5% of a column share, further from the others than those are from each other."""
    said = []
    for sign in (1, -1):
        for name, column in zip([*names, "the target"], X.T, strict=True):
            value, *rest = np.unique(sign * column)
            count = (sign * column == value).sum()
            if len(rest) > 2 and count >= max(3, 0.005 * len(X)) and rest[0] / 2 - value / 2 > rest[-1] / 2 - rest[0] / 2:
                said.append(words.sentinel(name, sign * value, count / len(X), *sorted([sign * rest[0], sign * rest[-1]])))
    return said


def test_time_gives_the_rows_per_generation(tmp_path):
    X, y = table(120, 5)
    y[::3] = np.nan
    path = tmp_path / "t.csv"
    frame(X, y).with_columns(pl.col("y").fill_nan(None), day=pl.Series(np.arange(120) // 10)).write_csv(path)
    held = prepare(open_table(path, "y", time="day", max_bytes=0))
    assert (held.stream.rows_per_generation, held.features, held.stream.labelled, held.stream.rows) == (10, 5, 80, 120)


def test_missing_features(tmp_path):
    X, y = table(90, 4)
    X[[3, 40, 80], [0, 1, 1]] = np.nan
    paths = files(tmp_path, X, y)
    with pytest.raises(ValueError, match=r"missing values: x1 \(2\), x0 \(1\)"):
        moments(FileBlocks(paths, "y"))
    whole = np.isfinite(X).all(axis=1)
    found = moments(FileBlocks(paths, "y"), drop_missing=True)
    assert found.dropped == 3
    check(found, X[whole], y[whole])
    X[5, 3] = np.inf
    with pytest.raises(ValueError, match=r"infinite values: column 3 \(1\)"):
        moments(Blocks(pairs(X, y), 4), drop_missing=True)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda f: f.with_columns(x0="r" + pl.col("x1").cast(pl.String)), r"neither numeric .* x0 \(90 values, text such as"),
        (lambda f: f.with_columns(y=pl.lit("red")), "target 'y' must be numeric"),
        (lambda f: f.with_columns(y=pl.lit(2.0)), "target must vary, got 2 in all 90"),
        (lambda f: f.with_columns(y=pl.lit(None, pl.Float64)), "the target is empty in 90 of 90 rows"),
        (lambda f: f.with_columns(y=pl.col("x1") * float("inf")), "infinite"),
        (lambda f: f.select("y"), "column beside the target"),
        (lambda f: f.select("x0"), "no column 'y'"),
        (lambda f: f.with_columns(x0=pl.lit(1.0)).select("x0", "y"), "only constant"),
        (lambda f: f.with_columns(x0=1e200 * pl.col("x1")), "overflow"),
        (lambda f: f.head(2), "no real label: at least 3"),
    ],
)
def test_refusals(tmp_path, change, match):
    change(frame(*table(90, 4))).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=match) as caught:
        fm.recommend(open_table(tmp_path / "t.parquet", "y", max_bytes=0))
    assert "\n" not in str(caught.value)


def test_more_refusals(tmp_path, monkeypatch):
    X, y = table(90, 4)
    paths = files(tmp_path, X, y, suffix="csv")
    frame(X, y).rename({"x1": "z"}).write_csv(paths[1])
    for limit in (0, None):
        with pytest.raises(ValueError, match=r"part1.csv must have the columns of part0.csv, got a difference in x1, z"):
            open_table(paths, "y", max_bytes=limit)
    with pytest.raises(FileNotFoundError):
        open_table(tmp_path / "none*.csv", "y")
    with pytest.raises(ValueError, match="must be left out"):
        fm.recommend(open_table(paths[0], "y", max_bytes=0), sample_weight=y)
    with pytest.raises(ValueError, match="kernel must be linear"):
        fm.recommend(open_table(paths[0], "y", max_bytes=0), kernel="rbf")
    with pytest.raises(ValueError, match="weights are not supported"):
        open_table(paths[0], "y", sample_weight="x0", max_bytes=0)
    with pytest.raises(TypeError, match="name of the target"):
        fm.recommend(paths[0])
    with pytest.raises(ValueError, match=r"blocks must hold \(m, 3\)"):
        moments(Blocks(pairs(X, y), 3))
    with pytest.raises(ValueError, match="got none"):
        moments(Blocks((), 3))
    monkeypatch.setattr(importlib.import_module("freshmix.prepared.moments"), "MOST_BYTES", 100)
    with pytest.raises(ValueError, match="fewer columns"):
        moments(Blocks(pairs(X, y), 4))


def test_late_text_and_late_decimals_in_a_csv(tmp_path):
    rows = "".join(f"{i},{i % 7},{'' if i < 15_000 else i % 5}\n" for i in range(20_000))
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n" + rows + "1.5,2,3.5\n")
    found = moments(FileBlocks([path], "y"))
    assert (found.rows, found.unlabelled.rows) == (5001, 15_000)
    path.write_text("a,b,y\n" + rows + "red,2,3\n")
    with pytest.raises(ValueError, match=r"t.csv must have numbers in column 'a', got 'red' in row 20001") as caught:
        moments(FileBlocks([path], "y"))
    assert "\n" not in str(caught.value)


def test_command(tmp_path, monkeypatch):
    X, y = table(120, 5)
    paths = files(tmp_path, X, y)
    monkeypatch.setattr("freshmix.tables.parts.MOST_BYTES", 100)
    found = json.loads(invoke("recommend", *paths, "--target", "y", "--json"))
    assert found["rows"] == 120
    assert any("read once in blocks" in note for note in found["notes"])


@pytest.mark.parametrize("marker", ["NA", "N/A", "NaN", "nan", "null", "None", ""])
def test_missing_markers_give_the_same_table_in_blocks(tmp_path, marker):
    """Early ones, of which the kind of a column is read, and late ones."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 50, (300, 3))
    y = X @ [1.0, -1.0, 0.5] + rng.standard_normal(300)
    rows = [[*map(str, row), f"{label:.6f}"] for row, label in zip(X.tolist(), y.tolist(), strict=True)]
    for i in (2, 250):
        rows[i][1] = marker
    for i in (5, 260, 270):
        rows[i][3] = marker
    path = tmp_path / "t.csv"
    path.write_text("a,b,c,y\n" + "\n".join(map(",".join, rows)) + "\n\n")
    with pytest.raises(ValueError, match=r"missing values: b \(2\)"):
        moments(open_table(path, "y", max_bytes=0))
    small = open_table(path, "y", drop_missing=True)
    large = open_table(path, "y", drop_missing=True, max_bytes=0)
    found = moments(large, large.drop_missing)
    assert (found.rows, found.unlabelled.rows, found.dropped) == (295, 3, 2)
    check(found, small.X, small.y)


@pytest.mark.parametrize("position", [3, 12_000])
def test_cells_and_lines_that_do_not_fit_are_named_in_blocks(tmp_path, position):
    lines = ["1,2.5,3", "2,3.5,4", "5,1.5,2"] * 5000
    path = tmp_path / "t.csv"
    for line, said in (
        ("1,2", f"must have 3 fields in each row, as in its header, got 2 in row {position + 1} below it"),
        ("1,2,3,4", f"must have 3 fields in each row, as in its header, got 4 in row {position + 1} below it"),
        ("1,?,3", f"got '\\?' in row {position + 1} below"),
    ):
        path.write_text("\n".join(["a,b,y", *lines[:position], line, *lines[position:]]) + "\n")
        with pytest.raises(ValueError, match=said):
            moments(open_table(path, "y", max_bytes=0))


def test_sampled_rows_do_not_depend_on_blocks_or_order(tmp_path):
    X, y = table(4000, 30, seed=3)
    y[::3] = np.nan
    names = [f"x{i}" for i in range(30)]

    def sample(source):
        return by_row(moments(source).sample.rows)

    def by_row(rows):
        return rows[np.lexsort(rows.T)]

    first = sample(Blocks(pairs(X, y, 500), 30))
    shuffled = np.random.default_rng(0).permutation(4000)
    second = sample(Blocks(pairs(X[shuffled], y[shuffled], 1733), 30))
    third = sample(FileBlocks(files(tmp_path, X, y), "y"))
    fourth = sample(Blocks(pairs(X[:, ::-1], y, 500), 30, names[::-1]))
    fifth = sample(Blocks(pairs(X, -y, 500), 30, names))
    assert first.shape == (1500, 31)
    assert np.array_equal(first, second, equal_nan=True)
    assert third.shape == (1500, 31)
    assert np.array_equal(by_row(fourth[:, [*range(29, -1, -1), 30]]), by_row(fifth * ([1] * 30 + [-1])), equal_nan=True)
    # Column 3 is the row number: rows of the table, each at most once, and evenly from all of it.
    taken = first[:, 3].astype(int)
    assert np.unique(taken).size == 1500
    assert np.array_equal(first, np.column_stack([X, y])[taken], equal_nan=True)
    count, _ = np.histogram(taken, 10, (0, 4000))
    assert np.abs(count - 150).max() < 5 * np.sqrt(150 * 0.625)
    assert abs(np.isnan(first[:, -1]).mean() - 1 / 3) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("labelled", [1.0, 0.5])
@pytest.mark.parametrize("alike", [True, False])
def test_a_table_in_blocks_is_replayed_on_some_of_its_rows(labelled, alike):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((6000, 60))
    if not alike:
        # Rows of very different sizes.
        X *= 1 / np.sqrt(rng.gamma(1.25, 1 / 1.25, (6000, 1)))
    y = X @ rng.standard_normal(60) / 8 + rng.standard_normal(6000)
    y[rng.random(6000) > labelled] = np.nan
    source = Blocks(pairs(X, y, 700), 60)
    source.rows_per_generation = 100 if labelled < 1 else None
    found = fm.recommend(source)
    assert found.unchecked is None
    # The same rows are taken as they are, the sizes of new ones are estimated from those at hand.
    assert found.check.fits
    if labelled < 1:
        assert (found.population.row_sizes is None) == alike
    assert (found.verdict == "theory does not fit") == (not found.check.fits)
    assert any("1500 rows are kept to replay" in note for note in found.notes)


def test_a_table_in_blocks_of_columns_says_that_it_is_not_checked(tmp_path):
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((30, 90)), rng.standard_normal(30)
    found = fm.recommend(FileBlocks(files(tmp_path, X, y), "y"))
    assert found.check is None
    assert "blocks of columns" in found.unchecked
