"""Tables read block by block: the same numbers as in memory, whatever the offsets, the blocks and the source."""

import numpy as np
import polars as pl
import pytest

from freshmix.estimate import factorise
from freshmix.estimate.moments import factorise_moments, moments
from freshmix.recommend.prepare import scaled_features
from freshmix.tables.blocks import Blocks, DaskBlocks, FileBlocks


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
    prepared, *_ = scaled_features(X, None, standardize)
    real = ~np.isnan(y)
    expected = factorise(prepared[real], y[real])
    given = factorise_moments(found, standardize)
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
