"""One table, however it is presented: rows, columns and files in another order, other signs, the same numbers to the bit."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace

import numpy as np
import polars as pl
import pytest

import freshmix as fm
from freshmix.prepared.presentation import Presentation
from freshmix.tables import Blocks, open_table


def table(kind, n, p, seed=0):
    rng = np.random.default_rng([seed, n, p])
    X = rng.standard_normal((n, p))
    if kind == "spiked":
        X[:, :3] *= [8, 5, 3]
    if kind == "coded":
        # Rows and columns that few numbers tell apart, and eigenvalues that coincide.
        half = p // 2
        X = np.column_stack([np.eye(half)[rng.integers(0, half, n)], rng.choice([-1.0, 1.0], (n, p - half))])
    if kind == "whole":
        X = rng.integers(0, 4, (n, p)).astype(float)
    y = X @ rng.standard_normal(p) / np.sqrt(p) + rng.standard_normal(n)
    return X, np.sign(y) if kind == "coded" else np.round(y) if kind == "whole" else y


def presented(X, y, seed=1):
    """The same table: its rows, columns and signs in other ways."""
    rng = np.random.default_rng(seed)
    rows, columns, signs = rng.permutation(len(y)), rng.permutation(X.shape[1]), rng.choice([-1, 1], X.shape[1])
    yield "again", X, y, np.arange(len(y))
    yield "rows", X[rows], y[rows], rows
    yield "columns", X[:, columns], y, np.arange(len(y))
    yield "labels", X, -y, np.arange(len(y))
    yield "features", X * signs, y, np.arange(len(y))
    yield "all", (X * signs)[rows][:, columns], -y[rows], rows


def figures(found):
    """All numbers and words of a result, by name."""
    if is_dataclass(found):
        found = {each.name: getattr(found, each.name) for each in fields(found) if each.name not in ("compare", "advise")}
    if isinstance(found, Mapping):
        return {f"{name}.{key}": value for name, each in found.items() for key, value in figures(each).items()}
    if isinstance(found, tuple | list):
        return figures(dict(enumerate(found)))
    return {"": found.tolist() if isinstance(found, np.ndarray) else found}


def without_order(found):
    """A recommendation without the warning that speaks of the order of rows."""
    if getattr(found, "check", None) is None:
        return found
    warnings = tuple(each for each in found.warnings if each != found.check.neighbours)
    return replace(found, warnings=warnings, check=replace(found.check, neighbours=None))


def same(ways):
    (first, known), *others = [(name, figures(without_order(found))) for name, found in ways]
    assert first == "again"
    for name, again in others:
        assert {key for key in known | again if known.get(key) != again.get(key)} == set(), name


def test_a_table_turned_in_every_way():
    X, y = table("coded", 60, 6)
    first, *_, last = presented(X, y)
    same((name, fm.recommend(A, b)) for name, A, b, _ in (first, last))


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize(("kind", "n", "p"), [("spiked", 120, 20), ("plain", 40, 60), ("coded", 150, 10), ("whole", 120, 6)])
def test_a_recommendation_for_the_same_rows(kind, n, p, kernel):
    X, y = table(kind, n, p)
    same((name, fm.recommend(A, b, kernel=kernel)) for name, A, b, _ in presented(X, y))


@pytest.mark.slow
def test_a_precomputed_kernel_and_sample_weights():
    X, y = table("plain", 60, 8)
    K, weights = (1 + X @ X.T / 8) ** 2, np.repeat([1.0, 3.0, 0.0], 20)
    ways = [(name, K[np.ix_(rows, rows)], b, weights[rows]) for name, _, b, rows in presented(X, y)]
    same((name, fm.recommend(gram, b, kernel="precomputed", sample_weight=w)) for name, gram, b, w in ways)
    same((name, fm.recommend(A, b, sample_weight=weights[rows])) for name, A, b, rows in presented(X, y))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "n", "p"), [("spiked", 60, 20), ("plain", 40, 60), ("coded", 60, 10), ("whole", 60, 6)])
def test_an_estimate(kind, n, p):
    X, y = table(kind, n, p)
    found = [(name, fm.estimate(A, b)) for name, A, b, _ in presented(X, y)]
    same(found)


@pytest.mark.slow
@pytest.mark.parametrize("timed", [False, True])
def test_a_recommendation_and_a_plan_for_new_rows(timed):
    X, y = table("coded", 160, 8)
    y[::5] = np.nan
    steps = np.arange(160) // 20
    ways = [(name, A, b, {"time": steps[rows]} if timed else {}) for name, A, b, rows in presented(X, y)]
    same((name, fm.recommend(A, b, **options)) for name, A, b, options in ways)
    same((name, fm.plan(A, b, cost_per_label=1, budget=10, **options)) for name, A, b, options in ways)


@pytest.mark.slow
def test_files_and_columns_in_another_order(tmp_path):
    X, y = table("whole", 80, 5)
    frame = pl.DataFrame({**{f"x{i}": column for i, column in enumerate(X.T)}, "level": list("abcd") * 20, "y": y})
    first, second = frame[:30], frame[30:].select(reversed(frame.columns))
    whole = tmp_path / "whole.csv"
    frame.write_csv(whole)
    parts = [str(tmp_path / name) for name in ("one.csv", "two.csv")]
    first.write_csv(parts[0])
    first.select(reversed(frame.columns)).write_csv(tmp_path / "back.csv")
    second.select(frame.columns).write_csv(parts[1])
    second.write_csv(tmp_path / "front.csv")
    backwards = [str(tmp_path / "front.csv"), str(tmp_path / "back.csv")]
    ways = {"again": str(whole), "parts": parts, "turned": parts[::-1], "backwards": backwards}
    known, *others = [fm.recommend(open_table(where, target="y")) for where in ways.values()]
    for found in others:
        assert found.intervals == known.intervals
        assert (found.penalty, found.real_weight, found.risk) == (known.penalty, known.real_weight, known.risk)
        assert np.array_equal(found.check.observed, known.check.observed)
        assert set(found.warnings) == set(known.warnings)


def test_rows_and_columns_have_keys_of_their_own():
    X, y = table("coded", 200, 12)
    X = np.column_stack([X, np.full(200, 3.0), X[:, 0]])
    known = Presentation.of(X, y)
    for _, A, b, _ in presented(X, y):
        found = Presentation.of(A, b)
        assert np.array_equal(found.features(A)[:, 1:], known.features(X)[:, 1:])
        assert np.array_equal(found.labels(b), known.labels(y))
    # Nothing of the data shows in the order.
    assert abs(np.corrcoef(known.rows, np.arange(200))[0, 1]) < 0.3
    # A constant column has no say.
    assert np.array_equal(Presentation.of(np.delete(X, 12, axis=1), y).rows, known.rows)


def test_a_kernel_of_any_size_or_none_that_can_be_used():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 3))
    y = np.sin(X[:, 0]) + rng.standard_normal(50) / 2
    K = np.exp(-np.square(X[:, None] - X).sum(axis=2) / 5)
    known = fm.recommend(K, y, kernel="precomputed")
    for size in (2.0**20, 3e-65):
        found = fm.recommend(K * size, y, kernel="precomputed")
        assert found.penalty == pytest.approx(size * known.penalty, rel=1e-6)
        assert found.intervals["penalty"] == pytest.approx(np.multiply(size, known.intervals["penalty"]), rel=1e-6)
        assert found.risk == pytest.approx(known.risk, rel=1e-9)
        assert found.check.observed == pytest.approx(known.check.observed, rel=1e-6)
    for wrong, said in (
        (np.zeros((50, 50)), "zeros only"),
        (np.full((50, 50), 3.0), "of several values once centred"),
        (3.0 + 1e-15 * K, "of several values once centred"),
        (1e-200 * K, "got 1e-200: rescale it"),
        (1e200 * K, "got 1e\\+200: rescale it"),
        (1e-310 * K, "rescale it"),
        (-K, "positive semi-definite"),
    ):
        with pytest.raises(ValueError, match=said):
            fm.recommend(wrong, y, kernel="precomputed")


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (lambda K: np.where(K == 1, np.nan, K), "50 missing or infinite values"),
        (lambda K: K / np.float64(0), "2500 missing or infinite values"),
        (lambda K: np.full(K.shape, "a"), "real numbers, got <U1"),
        (lambda K: K + 1j, "real numbers, got complex128"),
        (lambda K: None, "got shape ()"),
        (lambda K: [[1], [2, 3]], "got list that is not one"),
        (lambda K: K[:5], r"got shape \(5, 50\)"),
        (lambda K: K + np.arange(50), "symmetric, got entries apart by 49"),
        (lambda K: 0 * K, "zeros only"),
        (lambda K: 1e-200 * K, "got 1e-200: rescale it"),
    ],
)
def test_a_function_that_is_no_kernel(returned, said):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 3))
    with pytest.raises(ValueError, match=f"^kernel must return .*{said}"):
        fm.recommend(X, rng.standard_normal(50), kernel=lambda A, B: returned(np.exp(-np.square(A[:, None] - B).sum(axis=2))))


@pytest.mark.slow
def test_any_number_of_blas_threads_gives_the_same_bits():
    code = """
import sys, numpy as np, freshmix as fm
rng = np.random.default_rng(0)
X = rng.standard_normal((400, 300))
y = X[:, 0] + rng.standard_normal(400)
found, estimate, plan = fm.recommend(X, y), fm.estimate(X, y), fm.plan(X, y, cost_per_label=1, budget=100)
print(found.penalty, found.risk, found.intervals, found.check.observed, plan.risk, plan.intervals)
print(estimate.intervals, estimate.signal)
"""
    said = []
    for threads in ("1", "2"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        said.append(run.stdout)
    assert said[0] == said[1]


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"rows_per_generation": 60}])
def test_a_table_in_blocks(options):
    """But for rounding: columns by their names, rows by blocks in any order."""
    X, y = table("spiked", 300, 12)
    rng = np.random.default_rng(1)
    rows, columns, names = rng.permutation(300), rng.permutation(12), [f"x{i}" for i in range(12)]
    ways = [(X, y, names), (X[rows], y[rows], names), (X[:, columns], y, [names[i] for i in columns]), (X, -y, names)]
    known, *others = [
        fm.recommend(Blocks([(A[i : i + 70], b[i : i + 70]) for i in range(0, 300, 70)], 12, labels), **options)
        for A, b, labels in ways
    ]
    for found in others:
        for name in ("penalty", "real_weight", "risk", "noise_variance"):
            assert getattr(found, name) == pytest.approx(getattr(known, name), rel=1e-6)
        for name, ends in known.intervals.items():
            assert found.intervals[name] == pytest.approx(ends, rel=1e-6)
        assert found.check.observed == pytest.approx(known.check.observed, rel=1e-6)
