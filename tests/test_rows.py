"""Rows as they are: leave-one-out in closed form against refits without each row (mathematics.md section 7)."""

from dataclasses import replace

import numpy as np
import pytest

import freshmix as fm
from freshmix.equivalents import RowClasses, RowEquivalents, SampleEquivalents
from freshmix.equivalents.gathered import gathered
from freshmix.estimation import unevenness
from freshmix.estimation.factorise import factorise
from freshmix.estimation.left_out import LeaveOneOut
from freshmix.prepared.copies import Copies
from freshmix.risks import frozen

from .tolerances import SOLVED

SHAPES = [pytest.param(25, 8, id="more rows"), pytest.param(25, 60, id="more features"), pytest.param(25, 24, id="square")]


def table(n, p, seed=0):
    """Rows of very different size, coefficients, and weights of mean 1."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * (1 + np.arange(p)) ** -0.5 * (0.3 + rng.standard_exponential(n))[:, None]
    weights = rng.choice([0.5, 1.0, 3.0], n)
    return X, X @ rng.standard_normal(p), weights / weights.mean(), rng


def equivalents(X, squares_of, noise, weights=None):
    """Of a table whose (r,) signal c^2 in the eigenvectors' directions is ``squares_of`` U; every row counts as it is."""
    f = factorise(X, X[:, 0], weights)
    root = np.ones(len(X)) if weights is None else np.sqrt(weights)
    centre = X.mean(axis=0) if weights is None else weights @ X / len(X)
    U = np.linalg.svd((X - centre) * root[:, None], full_matrices=False)[0][:, : f.eigenvalues.size]
    s, squares, count = f.eigenvalues, squares_of(U) + noise, np.ones(f.eigenvalues.size)
    if f.zeros:
        s, squares, count = np.append(s, 0.0), np.append(squares, noise), np.append(count, f.zeros)
    return RowEquivalents(s, squares, count, noise, replace(f.classes, own=np.ones(f.classes.share.size)))


def without_row(X, z, weights, i):
    """(n - 1,) what the prediction of row i makes of the other labels, intercept included: a refit, penalty n z."""
    n, p = X.shape
    others = np.arange(n) != i
    design, a = np.column_stack([np.ones(n), X]), weights[others]
    inner = design[others].T @ (a[:, None] * design[others]) + n * z * np.diag(np.append(0.0, np.ones(p)))
    return others, design[i] @ np.linalg.solve(inner, design[others].T * a)


@pytest.mark.parametrize("weighted", [False, True], ids=["alike", "weighted"])
@pytest.mark.parametrize(("n", "p"), SHAPES)
def test_bias_and_variance_are_those_of_refits(n, p, weighted):
    X, _, weights, _ = table(n, p)
    a = weights if weighted else np.ones(n)
    for direction in (0, 3):
        kept = {}

        def one_direction(U, kept=kept, direction=direction):
            # A signal along one eigenvector: products of different directions do not enter.
            kept["f"] = 2.0 * U[:, direction] / np.sqrt(a)
            return 4.0 * (np.arange(U.shape[1]) == direction)

        found = equivalents(X, one_direction, 1.3, a if weighted else None)
        f = kept["f"]
        for z1, z2 in [(0.3, 0.1), (0.02, 0.02), (1e-4, 3.0)]:
            bias, variance = [], []
            for i in range(n):
                others, one = without_row(X, z1, a, i)
                _, two = without_row(X, z2, a, i)
                bias.append((f[i] - one @ f[others]) * (f[i] - two @ f[others]))
                variance.append(one @ (two / a[others]))
            solved = found.solve(np.array([z1])), found.solve(np.array([z2]))
            np.testing.assert_allclose(found.bias(*solved), np.mean(bias), rtol=1e-6)
            np.testing.assert_allclose(found.variance(*solved), np.mean(variance), rtol=1e-6)


def test_rows_alike_are_the_special_case():
    X, _, _, rng = table(60, 20)
    f = factorise(X, X[:, 0])
    n, s = f.rows, np.append(f.eigenvalues, 0.0)
    squares, count = np.append(1 + rng.random(20), 1.0), np.append(np.ones(20), f.zeros)
    alike = RowClasses(np.ones(1), np.ones(1), np.append(np.full(20, 1 / n), f.zeros / n)[None], np.ones(1))
    one, other = RowEquivalents(s, squares, count, 1.0, alike), SampleEquivalents(s, squares, count, 1.0)
    z = np.geomspace(1e-3, 1e3, 9)
    for made in (z, -z + 0.1j):
        a, b = one.solve(made), other.solve(made)
        np.testing.assert_allclose(one.bias(a, a[::-1]), other.bias(b, b[::-1]) * n / (n - 1), rtol=SOLVED)
        np.testing.assert_allclose(one.variance(a, a[::-1]), other.variance(b, b[::-1]) * n / (n - 1) + 1 / (n - 1), rtol=1e-9)
        np.testing.assert_allclose(one.trace(a), other.trace(b) * n / (n - 1), rtol=SOLVED)
    np.testing.assert_allclose(one.spread(a), other.spread(b) * n / (n - 1), rtol=SOLVED)
    assert one.row_spread(0.1) == pytest.approx((0, 0), abs=1e-9)
    assert one.beyond_rows(0.1, n) == 0


@pytest.mark.parametrize("exponent", [1.5, 2.0, 4.0])
def test_what_rows_beyond_the_largest_of_a_table_add(exponent):
    """Pareto errors: what they have above the one in n, over their mean, is the tail's integral in closed form."""
    n, rng = 20_000, np.random.default_rng(4)
    found = equivalents(rng.standard_normal((30, 5)), lambda U: np.ones(U.shape[1]), 1.0)
    each = []
    for errors in (1 - rng.random((40, n))) ** (-1 / exponent):
        found.rows = replace(found.rows, share=np.full(n, 1 / n))
        found._errors = lambda z, errors=errors: errors
        each.append(found.beyond_rows(0.1, n) * errors.mean())
    # The integral of x dP above the point u that one in n is beyond: a/(a-1) u / n.
    true = exponent / (exponent - 1) * n ** (1 / exponent) / n
    assert np.median(each) == pytest.approx(true, rel=0.05)


def test_copies_of_fewer_rows_than_features_have_no_tail_without_a_penalty():
    """Each row is fitted whatever it holds: errors are of any sign there."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((12, 40))[rng.integers(0, 12, 36)]
    f = factorise(X, X[:, 0] + rng.standard_normal(36))
    squares, count = np.append(f.responses**2, 1.0), np.append(np.ones(f.eigenvalues.size), f.zeros)
    found = RowEquivalents(np.append(f.eigenvalues, 0.0), squares, count, 1.0, f.classes)
    for z in (0.0, 1e-9, 1e-3, 1.0, 1e3):
        assert 0 <= found.beyond_rows(z, 12) < 10


@pytest.mark.parametrize(("n", "p"), SHAPES)
def test_generations_tend_to_the_limit_and_start_from_ridge(n, p):
    X, _, _, _ = table(n, p)
    found = equivalents(X, lambda U: 1.0 + np.arange(U.shape[1]) % 3, 1.3)
    w, penalty, rho = 0.7, 0.3, 0.8
    risks = frozen.risk_by_generation(found, np.full(200, w), penalty, rho)
    at = found.solve(penalty)
    assert risks[0] == pytest.approx(float(found.bias(at, at)[0] + 1.3 * found.variance(at, at)[0]), rel=1e-5)
    assert risks[-1] == pytest.approx(float(frozen.limit_risk(found, w, penalty, rho)), rel=1e-5)
    # Without real labels nothing holds the intercept.
    assert frozen.limit_risk(found, 0.0, penalty, rho) == np.inf


@pytest.mark.parametrize(("n", "p"), SHAPES)
def test_tables_of_pairs_are_the_pairs(n, p):
    """Partial fractions lose no more digits than the root of the penalties' range has."""
    X, _, _, _ = table(n, p)
    found = equivalents(X, lambda U: 1.0 + np.arange(U.shape[1]) % 3, 1.3)
    positive = found.s[found.s > 0]
    real = np.concatenate([[0.0, np.inf], np.geomspace(1e-3 * positive.min(), 1e3 * positive.max(), 21)])
    real = np.append(real, real[5] * (1 + 1e-7))
    for z, tolerance in [(real, 1e-8), (-(0.5 + np.exp(1j * np.linspace(0.1, 3, 12))) * positive.max(), 1e-12)]:
        solved = found.solve(z)
        i, j = np.indices((z.size, z.size))
        for pairwise in (found.bias, found.variance):
            pairs = pairwise(solved[i.ravel()], solved[j.ravel()]).reshape(i.shape)
            np.testing.assert_allclose(pairwise(solved, solved, table=True), pairs, rtol=tolerance)


def test_the_intercept_is_counted():
    """n = 200, p = 2: rows alike, and a third of the error is the intercept's."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 2))
    found = fm.recommend(X, X.sum(axis=1) + rng.standard_normal(200))
    assert found.risk == pytest.approx(0.618 * 3 / 197 * found.noise_variance, rel=0.03)


def test_gathered_directions_say_nearly_the_same():
    X, _, _, _ = table(200, 150)
    found = equivalents(X, lambda U: 1.0 + np.arange(U.shape[1]) % 3, 1.3)
    fewer = gathered(found, 5, 40)
    assert fewer.s.size == 46
    z = found.s[0] * np.geomspace(1e-3, 10, 9)
    one, two = found.solve(z), fewer.solve(z)
    np.testing.assert_allclose(fewer.bias(two, two), found.bias(one, one), rtol=0.02)
    np.testing.assert_allclose(fewer.variance(two, two), found.variance(one, one), rtol=0.02)


@pytest.mark.parametrize(("n", "p"), SHAPES)
def test_leave_one_out_errors_are_those_of_refits(n, p):
    X, f, _, rng = table(n, p)
    y = f + rng.standard_normal(n)
    found = factorise(X, y).left_out
    k = 30
    errors = []
    for i in range(n):
        others, row = without_row(X, found.penalties[k], np.ones(n), i)
        errors.append((y[i] - row @ y[others]) ** 2)
    assert found.mean[k] == pytest.approx(np.mean(errors), rel=1e-6)


def test_records_that_are_there_several_times_are_left_out_together():
    """Refits without all of them, for errors of labels; and the errors of a signal, on rows that are alike otherwise."""
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(12), [1, 2, 3] * 4)
    X = rng.standard_normal((12, 5))[group]
    y, n, z = X[:, 0] + rng.standard_normal(group.size), group.size, 0.3
    f = factorise(X, y)
    found, errors, variances = f.left_out, [], []
    k = int(np.argmin(np.abs(found.penalties - z)))
    design = np.column_stack([np.ones(n), X])
    for i in range(n):
        others = group != group[i]
        # The penalty is that of n rows, so that n z stays.
        inner = design[others].T @ design[others] + n * found.penalties[k] * np.diag([0.0, 1, 1, 1, 1, 1])
        row = design[i] @ np.linalg.solve(inner, design[others].T)
        errors.append((y[i] - row @ y[others]) ** 2)
        variances.append(row @ row)
    assert found.mean[k] == pytest.approx(np.mean(errors), rel=1e-8)
    s, count = np.append(f.eigenvalues, 0.0), np.append(np.ones(f.eigenvalues.size), f.zeros)
    known = RowEquivalents(s, np.ones(s.size), count, 1.0, f.classes)
    at = known.solve(found.penalties[k])
    assert known.variance(at, at)[0] == pytest.approx(np.mean(variances), rel=1e-8)
    assert f.independent == pytest.approx(24 / np.mean(np.bincount(group)[group]))


@pytest.mark.parametrize("penalty", [0.0, 1e-3, 1.0])
def test_generations_on_copies_of_wide_rows(penalty):
    """They fit all different rows exactly, and leave the directions between copies to the noise."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((20, 50))[np.arange(60) // 3]
    f = factorise(X, X[:, 0])
    assert f.zeros
    s, count = np.append(f.eigenvalues, 0.0), np.append(np.ones(f.eigenvalues.size), f.zeros)
    known = RowEquivalents(s, np.append(f.responses**2 + 1, 1.0), count, 1.0, f.classes)
    by_generation = frozen.risk_by_generation(known, np.full(60, 0.6), penalty)
    limit = frozen.limit_risk(known, 0.6, np.array([penalty]))[0]
    assert by_generation[-1] == pytest.approx(float(limit), rel=1e-5)


def test_rows_of_few_values_are_met_again():
    """Chance makes rows equal where they hold next to nothing; a column that tells rows apart shows that these are copies."""
    rng = np.random.default_rng(3)
    X = rng.integers(3, size=(60, 4)).astype(float)
    assert Copies.of(X) is None
    assert Copies.of(np.column_stack([X, rng.standard_normal(60)])) is None
    again = Copies.of(np.column_stack([X, rng.standard_normal(60)])[np.arange(120) // 2])
    assert (again.times == 2).all()


def test_labels_are_heard_as_far_as_rows_differ():
    rng = np.random.default_rng(4)
    X, size = rng.standard_normal((400, 100)), np.where(rng.uniform(size=400) < 0.2, 2.0, 0.5)
    alike, differ = (unevenness(factorise(rows, rows[:, 0])) for rows in (X, X * size[:, None]))
    assert alike < 0.2 < 0.9 < differ


def test_a_penalty_within_doubt_costs_nothing():
    z = np.geomspace(1e-3, 1e3, 7)
    found = LeaveOneOut(z, np.array([5.0, 3.0, 1.2, 1.0, 1.1, 2.0, 4.0]), np.array([1, 1, 1, 0, 1, 1, 1.0]))
    assert found.best == z[3]
    np.testing.assert_allclose(found.against(z), [3.5, 1.5, 0, 0, 0, 0.5, 2.5])


def test_a_row_that_stands_alone_explodes_nothing():
    """A category of one row is fitted whatever its label: the others say nothing of it."""
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.standard_normal((60, 3)), np.arange(60) == 17])
    found = fm.recommend(X, X[:, 0] + rng.standard_normal(60))
    assert 0 < found.risk < 1
    assert [line for line in found.warnings if line.startswith("row 18 (counted from 1 among those read) nearly decides")]
    assert np.isfinite(list(found.intervals["risk"])).all()
    free = fm.recommend(X, X[:, 0] + rng.standard_normal(60), penalty=0.0)
    assert 0 < free.risk < 1
