"""Fresh covariates that remember in other ways: anchors, kept rows, drift, first rows, rows of unequal size."""

import itertools
import math

import numpy as np
import pytest

import freshmix as fm
from freshmix.equivalents import PopulationEquivalents
from freshmix.risks.fresh import FreshSetting
from freshmix.risks.generation import generation
from freshmix.risks.plain import PlainRidge

from . import dense
from .tolerances import CLOSED, FINITE_SIZE, LAW, largest_z

TWO = fm.Population([0.5, 2.0], [0.6, 0.4], [1.0, 2.0], 1.3)
SIZES = ([0.3, 1.0, 3.1], [0.5, 0.35, 0.15])
SIZES = (np.array(SIZES[0]) / np.dot(*SIZES), SIZES[1])
DRIFTS = TWO.replace(persistence=0.9)
BOTH = DRIFTS.replace(row_sizes=SIZES)


def loop(groups=None, **more):
    """A loop on fresh covariates; groups as (share, row weight, real weight), the last None where there is no label."""
    made = [fm.Group(f, a, w or 0.0, labelled=w is not None) for f, a, w in groups or [(1.0, 1.0, 1.0)]]
    return fm.Loop(**{"aspect": 0.7, "penalty": 0.4, "covariates": "fresh", "groups": made} | more)


def naive_run(population, loops, T, p, rng):
    """(2, T + 1) excess risks of one dense run, now and on the next coefficients: rows are drawn, labelled, stacked, fitted."""
    counts = np.round(population.shares * p).astype(int)
    tau, c = np.repeat(population.eigenvalues, counts), population.persistence
    sizes, shares = population.row_sizes or ([1.0], [1.0])
    sigma = math.sqrt(population.noise_variance)

    def rows(n):
        return rng.standard_normal((n, p)) * np.sqrt(tau) * np.sqrt(rng.choice(sizes, n, p=shares))[:, None]

    beta, kept, risks, bhat = None, [], [], np.zeros(p)
    for t in range(T + 2):
        fresh = dense.coefficients(population, counts, rng)
        beta, last = (fresh if t == 0 else c * beta + math.sqrt(1 - c * c) * fresh), beta
        if t > 0:
            risks.append([np.sum(tau * (bhat - last) ** 2), np.sum(tau * (bhat - beta) ** 2)])
        if t == T + 1:
            return np.array(risks).T
        each = loops[min(max(t, 1), len(loops)) - 1]
        n, rho = round(p / each.aspect), math.sqrt(each.synthetic_noise_ratio)
        groups, weights, anchor = (each.groups_at(t), 1.0, each.anchor) if t else ([fm.Group(1.0)], each.first_rows, 0.0)
        new = []
        for group in groups:
            X = rows(round(group.share * n * weights))
            real = X @ beta + sigma * rng.standard_normal(len(X))
            w = group.real_weight
            label = w * real + (1 - w) * (X @ bhat + rho * sigma * rng.standard_normal(len(X))) if w != 1 else real
            new.append((X, label, group.row_weight, real if group.labelled else None))
        oldest = len(kept) if each.kept_generations is None else each.kept_generations
        old = [
            (X, real, each.forgetting**age * a)
            for age, past in enumerate(kept[::-1][:oldest], start=1)
            for X, _, a, real in past
            if real is not None
        ]
        X, label = (np.concatenate([each[k] for each in [*new, *old]]) for k in (0, 1))
        a = np.concatenate([np.full(len(each[0]), each[2]) for each in [*new, *old]])
        kept.append(new)
        target = anchor * bhat
        used = a > 0
        if each.penalty == 0:
            root = np.sqrt(a[used])
            bhat = target + np.linalg.pinv(X[used] * root[:, None]) @ ((label - X @ target)[used] * root)
        else:
            S = X.T @ (X * a[:, None]) / len(X)
            bhat = target + np.linalg.solve(S + each.penalty * np.eye(p), X.T @ (a * (label - X @ target)) / len(X))


CASES = {
    "anchor, some labelled, sizes, drift": (
        BOTH,
        [loop([(0.4, 1.0, 0.8), (0.6, 0.5, None)], anchor=0.7, synthetic_noise_ratio=0.5, first_rows=0.5)],
    ),
    "anchor, min-norm": (DRIFTS, [loop(aspect=1.8, penalty=0.0, anchor=0.8)]),
    "anchor, min-norm, some labelled": (
        BOTH,
        [loop([(0.5, 1.0, 1.0), (0.5, 2.0, None)], aspect=3.0, penalty=0.0, anchor=1.0, synthetic_noise_ratio=0.0)],
    ),
    "least squares": (BOTH, [loop([(1.0, 1.0, 0.5)], aspect=0.4, penalty=0.0, anchor=0.5)]),
    "kept rows": (BOTH, [loop(kept_generations=2, forgetting=0.7, first_rows=0.5)]),
    "kept rows across aspect 1": (DRIFTS, [loop(aspect=1.6, penalty=0.0, kept_generations=None, forgetting=0.6)]),
    "kept labelled rows": (DRIFTS, [loop([(0.4, 1.0, 1.0), (0.6, 0.0, None)], kept_generations=1, forgetting=0.8)]),
    "one way after another": (
        BOTH,
        [
            loop([(1.0, 1.0, 0.6)], aspect=0.5),
            loop([(0.5, 2.0, 1.0), (0.5, 1.0, 1.0)], kept_generations=1, forgetting=0.5, penalty=0.2),
            loop(anchor=0.6, aspect=1.4),
        ],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_risk_against_monte_carlo(name):
    population, loops = CASES[name]
    rng, T, replicates = np.random.default_rng(len(name)), 3, 40
    draws = np.array([naive_run(population, loops, T, 120, rng) for _ in range(replicates)])
    mean, error = draws.mean(axis=0), draws.std(axis=0, ddof=1) / math.sqrt(replicates)
    want = np.array([fm.risk(population, loops, T, judged=judged) for judged in ("now", "next")])
    np.testing.assert_array_less(np.abs(mean - want), largest_z(8 * len(CASES)) * error + FINITE_SIZE * want)


@pytest.mark.parametrize("population", [TWO, DRIFTS, BOTH, fm.Population.spiked(10.0, 0.7).replace(persistence=0.8)])
@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("aspect", [0.4, 1.7])
def test_limit_is_where_generations_go(population, aspect, penalty):
    mixed = [(0.5, 1.0, 0.7), (0.5, 0.6, None)]
    for groups, anchor, kept in itertools.product([None, mixed], [0.0, 0.6, 1.0], [0, 2]):
        if kept and (groups or anchor):
            continue
        each = loop(groups, aspect=aspect, penalty=penalty, anchor=anchor, kept_generations=kept, forgetting=0.8)
        found = fm.limit(population, each)
        assert (found.collapse_number < 1) == math.isfinite(found.risk)
        if math.isfinite(found.risk):
            assert fm.risk(population, each, 600)[-1] == pytest.approx(found.risk, rel=LAW)


@pytest.mark.parametrize("persistence", [1.0, 0.9])
@pytest.mark.parametrize("forgetting", [1.0, 0.7])
@pytest.mark.parametrize("penalty", [0.0, 0.2])
def test_long_run_of_all_rows_kept(penalty, forgetting, persistence):
    population = TWO.replace(persistence=persistence)
    each = loop([(0.5, 1.0, 1.0), (0.5, 2.0, 1.0)], penalty=penalty, kept_generations=None, forgetting=forgetting)
    late = fm.risk(population, each, 300)
    limit = fm.limit(population, each).risk
    assert abs(late[-1] - limit) <= 1.4 * abs(late[150] - limit) / (1 if penalty == 0 and forgetting < 1 else 2) + 1e-9


def test_collapse_number_is_the_spectral_radius():
    """Psi >= 1 exactly where the linear part of a generation's map has spectral radius 1 or more."""
    for w, anchor, persistence in itertools.product([0.0, 0.2, 0.6], [0.0, 0.8, 1.0], [1.0, 0.8]):
        population = BOTH.replace(persistence=persistence)
        for aspect in (1.05, 1.2, 2.0):
            each = loop([(0.5, 1.0, w), (0.5, 1.0, None)], aspect=aspect, penalty=0.0, anchor=anchor)
            turn, zero = generation(population, each, each.groups), np.zeros(4)
            columns = [np.concatenate(turn.step((x[:2], x[2:]))) for x in (*np.eye(4), zero)]
            radius = np.max(np.abs(np.linalg.eigvals(np.array(columns[:-1]).T - columns[-1][:, None])))
            psi = turn.collapse_number
            assert (psi >= 1) == (radius >= 1 - 1e-12) or abs(psi - 1) < 1e-6


def test_real_only_is_plain_ridge_with_row_sizes():
    """Groups of sizes and the equivalents of unequal rows are two roads to one number."""
    for aspect, penalty in itertools.product([0.4, 1.0, 2.5], [0.0, 1e-5, 0.5]):
        if aspect == 1.0 and penalty == 0:
            continue
        plain = PlainRidge(PopulationEquivalents(BOTH, aspect)).risk(penalty)
        assert fm.risk(BOTH, loop(aspect=aspect, penalty=penalty), 0)[0] == pytest.approx(plain, rel=CLOSED)


def test_first_rows_are_rows_of_their_own_aspect():
    one = fm.risk(TWO, loop(aspect=0.7, first_rows=0.35), 0)
    assert one == pytest.approx(fm.risk(TWO, loop(aspect=2.0), 0), rel=CLOSED)


def test_kept_rows_that_stand_still_are_more_rows():
    found = fm.risk(TWO, loop(kept_generations=None, aspect=2.0), 4)
    want = [fm.risk(TWO, loop(aspect=2.0 / (t + 1)), 0)[0] for t in range(5)]
    assert found == pytest.approx(want, rel=CLOSED)


def test_a_model_meets_the_next_coefficients():
    now, after = (fm.risk(DRIFTS, loop(), 3, judged=judged) for judged in ("now", "next"))
    assert np.all(after > now)
    assert fm.risk(TWO, loop(), 3, judged="next") == pytest.approx(fm.risk(TWO, loop(), 3), rel=CLOSED)
    # Coefficients of no persistence are new each time: nothing helps but the null model.
    gone = TWO.replace(persistence=0.0)
    assert fm.risk(gone, loop(penalty=1e6), 3, judged="next")[-1] == pytest.approx(TWO.null_risk, rel=1e-3)
    with pytest.raises(ValueError, match="judged"):
        fm.risk(TWO, loop(), 3, judged="later")


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"anchor": 0.5}, "an anchor of 0.5"),
        ({"groups": [(1.0, 1.0, 0.6)]}, "synthetic labels"),
        ({"groups": [(0.5, 1.0, 1.0), (0.5, 1.0, None)]}, "synthetic labels"),
    ],
)
def test_kept_rows_have_no_theory_beside_the_previous_model(more, named):
    groups = more.pop("groups", None)
    for function in (lambda at: fm.risk(TWO, at, 3), lambda at: fm.limit(TWO, at)):
        with pytest.raises(ValueError, match=rf"kept rows \(kept_generations=2\) beside {named}.*simulate"):
            function(loop(groups, kept_generations=2, **more))


def test_what_forgets_nothing_stays_and_coefficients_leave_it():
    idle = loop([(1.0, 1.0, 0.0)], anchor=1.0, synthetic_noise_ratio=0.0)
    for population in (TWO, DRIFTS):
        assert fm.risk(population, idle, 400)[-1] == pytest.approx(fm.limit(population, idle).risk, rel=1e-9)


def test_surfaces_over_anchor_and_persistence():
    grid = {"anchor": np.array([0.0, 0.5, 1.0]), "persistence": np.array([0.7, 1.0])}
    found = fm.limit_surface(BOTH, loop([(0.5, 1.0, 0.7), (0.5, 0.6, None)]), real_weight=[0.3, 0.9], **grid)
    assert dict(found.risk.sizes) == {"real_weight": 2, "anchor": 3, "persistence": 2}
    for w, anchor, c in itertools.product([0.3, 0.9], *grid.values()):
        each = loop([(0.5, 1.0, w), (0.5, 0.6, None)], anchor=anchor)
        want = fm.limit(BOTH.replace(persistence=c), each).risk
        assert found.risk.sel(real_weight=w, anchor=anchor, persistence=c).item() == pytest.approx(want, rel=LAW)
    kept = fm.limit_surface(BOTH, loop(kept_generations=2), persistence=[0.8, 1.0], penalty=[0.1, 1.0])
    want = fm.limit(BOTH.replace(persistence=0.8), loop(kept_generations=2, penalty=1.0)).risk
    assert kept.risk.sel(persistence=0.8, penalty=1.0).item() == pytest.approx(want, rel=LAW)
    frozen = fm.limit_surface(TWO, fm.Loop(aspect=0.7, real_weight=0.5), penalty=np.geomspace(0.1, 1, 3), anchor=[0.0, 0.9])
    want = fm.limit(TWO, fm.Loop(aspect=0.7, real_weight=0.5, penalty=1.0, anchor=0.9)).risk
    assert frozen.risk.sel(penalty=1.0, anchor=0.9).item() == pytest.approx(want, rel=LAW)
    with pytest.raises(ValueError, match="persistence"):
        fm.limit_surface(TWO, fm.Loop(aspect=0.7, real_weight=0.5), persistence=[0.5])
    with pytest.raises(ValueError, match="synthetic labels"):
        fm.limit_surface(TWO, loop(kept_generations=2), real_weight=[1.0, 0.5])


@pytest.mark.parametrize("penalty", [0.0, 0.4])
def test_slopes_of_schedules(penalty):
    each = loop([(0.6, 1.0, 0.7), (0.4, 0.5, None)], penalty=penalty, anchor=0.6, aspect=1.5, first_rows=0.8)
    schedules, weights, step = FreshSetting(BOTH, (each,)).schedules(4), np.array([0.9, 0.5, 0.2, 0.7]), 1e-5
    value, slopes = schedules.value_and_gradient(weights)
    assert value == pytest.approx(fm.risk(BOTH, [each.at_weight(w) for w in weights], 4)[-1], rel=1e-12)
    moved = [(schedules.risk(weights + e) - schedules.risk(weights - e)) / (2 * step) for e in step * np.eye(4)]
    np.testing.assert_allclose(slopes, moved, rtol=1e-6)


def general_step(population, groups, penalty, aspect, anchor, G):
    """Section 5 as printed, for one fit: groups are (share, row weight, coefficients over the vectors, label noise).

    ``G`` (vectors, vectors, atoms) are the inner products of beta, the previous model and earlier coefficients; returned are
    those of the fit with each vector, and its squared length.
    """
    positive = population.eigenvalues > 0
    tau, h = population.eigenvalues[positive], population.shares[positive]
    sizes = population.row_sizes or ([1.0], [1.0])
    rows = [(f * pi, a * b, np.asarray(C), s / b) for f, a, C, s in groups for b, pi in zip(*sizes, strict=True)]
    f, a, s = (np.array([row[k] for row in rows]) for k in (0, 1, 3))
    f, aspect = f / f.sum(), aspect / f.sum()
    delta = 1.0
    for _ in range(20000):
        v = f * a / ((1 + a * delta) * penalty)
        d = 1 / (1 + v.sum() * tau)
        delta, last = aspect / penalty * np.sum(h * tau * d), delta
        if abs(delta - last) < 1e-15 * delta:
            break
    mean = d * (np.asarray(anchor)[:, None] + tau * sum(vk * row[2] for vk, row in zip(v, rows, strict=True))[:, None])
    r = []
    for *_, C, _ in rows:
        apart = C[:, None] - mean
        r.append(np.sum(tau * np.einsum("ma,nma,na->a", apart, G, apart)))
    N = np.sum(v**2 / f * (s + r)) / (1 - np.sum(v**2 / f) * aspect * np.sum(h * tau**2 * d**2))
    return np.einsum("ma,nma->na", mean, G), np.einsum("ma,nma,na->a", mean, G, mean) + N * aspect * h * tau * d**2


def printed_course(population, each, T):
    """(2, T + 1) risks now and on the next coefficients, by ``general_step``; a constant loop."""
    positive = population.eigenvalues > 0
    tau, g, c = population.eigenvalues[positive], population.signal[positive], population.persistence
    sigma2, rho = population.noise_variance, each.synthetic_noise_ratio

    def judged(cross, square):
        return [np.sum(tau * (square - 2 * k * cross + g)) for k in (1.0, c)]

    first = [(1.0, 1.0, [1.0], sigma2)]
    cross, square = general_step(population, first, each.penalty, each.aspect / each.first_rows, [0.0], g[None, None])
    cross, risks = cross[0], [judged(cross[0], square)]
    used = [group for group in each.groups if group.row_weight > 0]
    for t in range(1, T + 1):
        if each.kept_generations == 0:
            # beta_t and the previous model.
            G = np.array([[g, c * cross], [c * cross, square]])
            labels = [(k.real_weight, 1 - k.real_weight) for k in used]
            groups = [
                (k.share, k.row_weight, C, sigma2 * (C[0] ** 2 + rho * C[1] ** 2)) for k, C in zip(used, labels, strict=True)
            ]
            penalty = each.penalty / sum(group.share for group in used)
            found, square = general_step(population, groups, penalty, each.aspect, [0.0, each.anchor], G)
        else:
            oldest = t if each.kept_generations is None else min(t, each.kept_generations)
            ages = np.arange(oldest + 1)
            G = c ** np.abs(np.subtract.outer(ages, ages))[:, :, None] * g
            groups = []
            for age in ages:
                of_age = [fm.Group(1.0)] if age == t else used
                share = each.first_rows if age == t else 1.0
                groups += [(share * k.share, each.forgetting**age * k.row_weight, ages == age, sigma2) for k in of_age]
            found, square = general_step(population, groups, each.penalty, each.aspect, 0.0 * ages, G)
        cross = found[0]
        risks.append(judged(cross, square))
    return np.array(risks).T


POPULATIONS = [
    TWO,
    BOTH,
    fm.Population.spiked(10.0, 0.7).replace(persistence=0.8),
    fm.Population([0.0, 1.0, 4.0], [0.2, 0.5, 0.3], [1.0, 1.0, 0.5], 0.0, ([0.5, 2.0], [2 / 3, 1 / 3]), 0.95),
]
LOOPS = [
    loop(aspect=0.4, anchor=1.0),
    loop([(0.5, 1.0, 0.7), (0.5, 0.6, None)], aspect=1.7, anchor=0.6, synthetic_noise_ratio=0.3, first_rows=0.5),
    loop([(0.2, 2.0, 0.0), (0.3, 1.0, 1.0), (0.5, 0.3, 0.2)], anchor=0.9, penalty=0.05),
    loop([(0.4, 1.0, 0.9), (0.6, 0.0, None)], anchor=0.3),
    loop(aspect=1.7, kept_generations=2, forgetting=0.6, first_rows=2.0),
    loop([(0.5, 1.0, 1.0), (0.5, 3.0, 1.0)], kept_generations=None, forgetting=0.9, penalty=1.5),
]


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("each", LOOPS)
def test_risk_against_the_printed_step(population, each):
    got = [fm.risk(population, each, 4, judged=judged) for judged in ("now", "next")]
    np.testing.assert_allclose(got, printed_course(population, each, 4), rtol=1e-9)


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("each", LOOPS)
def test_no_penalty_is_where_penalties_go(population, each):
    for aspect in (0.3, 3.7):
        small, none = (fm.risk(population, each.replace(penalty=penalty, aspect=aspect), 3) for penalty in (1e-9, 0.0))
        np.testing.assert_allclose(small, none, rtol=1e-4, atol=1e-9)
