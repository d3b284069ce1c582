"""Fresh covariates: closed forms of mathematics.md section 5, laws, dense refits, boundaries and label counts."""

import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import norm

import freshmix as fm
from freshmix.risks.generation import generations
from freshmix.risks.setting import setting_of

from . import dense
from .tolerances import CLOSED, FAMILY_LEVEL, LAW

POPULATIONS = {
    "isotropic": fm.Population.isotropic(2.0),
    "two level": fm.Population.two_level(10.0, 0.25, 0.9, 2.0, noise_variance=0.5),
    "spiked": fm.Population.spiked(10.0, 0.7),
    "power law": fm.Population.power_law(1.0, 40, source=0.5, signal=3.0),
}


@pytest.mark.parametrize("rho", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("w", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("gamma", [1.2, 2.0, 5.0])
def test_isotropic_minnorm_with_all_rows_labelled(gamma, w, rho):
    b, noise = 2.0, 1.5
    loop = fm.Loop(aspect=gamma, covariates="fresh", real_weight=w, synthetic_noise_ratio=rho)
    top = (1 - 1 / gamma) * b + (w**2 + rho * (1 - w) ** 2) * noise / (gamma - 1)
    assert fm.limit(fm.Population.isotropic(b, noise), loop).risk == pytest.approx(top / (1 - (1 - w) ** 2 / gamma), rel=CLOSED)


@pytest.mark.parametrize("f", [0.1, 0.5, 0.9])
def test_collapse_boundary_closed_forms(f):
    population = fm.Population.isotropic()
    ((low, high),) = fm.collapse_boundary(population, fm.Loop.partially_labelled(labelled=f))
    assert low == pytest.approx((2 - f) / (3 - 2 * f), rel=CLOSED)
    assert high == pytest.approx((2 * (1 - f) / (math.sqrt(4 - 3 * f) - math.sqrt(f))) ** 2, rel=CLOSED)
    for aspect, verdict in ((low * 1.001, True), (high * 0.999, True), (low * 0.999, False), (high * 1.001, False)):
        found = fm.limit(population, fm.Loop.partially_labelled(aspect=aspect, labelled=f))
        assert (found.verdict == "diverges") == verdict
        assert (found.collapse_number >= 1) == verdict
    # Row weights are inert when the model interpolates, and least squares does not know the spectrum.
    weighted = fm.Loop.partially_labelled(labelled=f, row_weight=(1.0, 0.2))
    assert fm.collapse_boundary(population, weighted)[0][1] == pytest.approx(high, rel=CLOSED)
    assert fm.collapse_boundary(POPULATIONS["two level"], fm.Loop.partially_labelled(labelled=f))[0][0] == pytest.approx(low)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("scale", [1.0, 0.3, 1e6])
@pytest.mark.parametrize(("shift", "unbounded"), [(0.0, True), (1e-14, True), (-1e-14, True), (1e-6, False), (-1e-6, True)])
def test_a_collapse_number_within_rounding_of_one_diverges(order, scale, shift, unbounded):
    """At aspect 5/4 it is exactly 1 for these groups: the risk is inf, never 1e16."""
    groups = [fm.Group(0.25, 3.0, 1.0), fm.Group(0.5, 0.2, 0.0), fm.Group(0.25, 1.0, 0.5)]
    loop = fm.Loop(aspect=1.25 * (1 + shift), covariates="fresh", groups=[groups[i] for i in order])
    population = fm.Population([scale, 31 * scale], [1, 0], [1, 0], 1)
    found = fm.limit(population, loop)
    assert math.isinf(found.risk) == unbounded
    assert (found.verdict == "diverges") == unbounded
    assert (found.collapse_number >= 1) == unbounded
    surface = fm.limit_surface(population, loop, aspect=[loop.aspect])
    assert np.isinf(surface.risk.item()) == unbounded
    assert surface.collapse_number.item() == found.collapse_number


def test_collapse_boundary_elsewhere():
    population = fm.Population.isotropic()
    assert fm.collapse_boundary(population, fm.Loop.partially_labelled(labelled=0.5, penalty=1.0)) == []
    synthetic = fm.Loop(covariates="fresh", real_weight=0.0)
    assert fm.collapse_boundary(population, synthetic) == [(0.0, pytest.approx(1.0))]
    # A penalty, or the labelled rows alone, always do better than the null risk where there is signal.
    assert fm.collapse_boundary(population, fm.Loop.partially_labelled(labelled=0.5), best=True) == []
    assert fm.collapse_boundary(fm.Population.isotropic(0.0), synthetic, best=True) == [(0.0, math.inf)]
    assert fm.collapse_boundary(fm.Population.isotropic(0.0, 0.0), synthetic, best=True) == []
    with pytest.raises(ValueError, match="covariates"):
        fm.collapse_boundary(population, fm.Loop(real_weight=0.5))


@pytest.mark.parametrize("penalty", [0.0, 0.01])
@pytest.mark.parametrize(("f", "a"), [(0.3, 1.0), (0.5, 0.3)])
@pytest.mark.parametrize("tau", [[1.0, 10.0, 1.0], [0.0, 1.0, 4.0]])
def test_collapse_boundary_is_where_iterations_grow(tau, f, a, penalty):
    population = fm.Population(tau, [0.2, 0.5, 0.3], [1.0, 1.0, 0.5], 1.5)
    loop = fm.Loop.partially_labelled(labelled=f, penalty=penalty, row_weight=(1.0, a))
    found = fm.collapse_boundary(population, loop)
    assert found or penalty > 0
    for aspect in np.geomspace(0.2, 5.0, 23):
        if all(abs(aspect / end - 1) > 0.02 for ends in found for end in ends):
            risks = fm.risk(population, loop.replace(aspect=aspect), 600)
            grows = math.isinf(risks[-1]) or risks[-1] > 1.01 * risks[300]
            assert grows == any(low < aspect < high for low, high in found)


@pytest.mark.parametrize(
    "loop", [fm.Loop(aspect=0.5, covariates="fresh"), fm.Loop.partially_labelled(aspect=0.5, labelled=0.3)]
)
def test_least_squares_without_synthetic_noise_has_no_best_weight(loop):
    """The risk falls to 0 in proportion to w, and w = 0 itself only keeps generation 0."""
    population, loop = POPULATIONS["two level"], loop.replace(synthetic_noise_ratio=0.0)
    risks = [fm.limit(population, loop.at_weight(w)).risk for w in (1e-3, 1e-4, 1e-5)]
    assert risks[1] / risks[0] == pytest.approx(0.1, rel=0.1)
    assert risks[2] / risks[1] == pytest.approx(0.1, rel=0.01)
    for best in (fm.optimal_weight(population, loop), fm.optimal_loop(population, loop)):
        assert (best.risk, best.real_weight, best.attained) == (0.0, 0.0, False)
    assert fm.optimal_weight(population, loop, generations=4).attained
    assert fm.optimal_weight(population, loop.replace(aspect=2.0)).attained


def test_divergence_ends_in_infinity_without_a_warning():
    risks = fm.risk(fm.Population.isotropic(), fm.Loop.partially_labelled(aspect=1.05, labelled=0.3), 3000)
    assert risks[-1] == math.inf
    assert not np.isnan(risks).any()


@pytest.mark.parametrize("penalty", [0.0, 0.1])
@pytest.mark.parametrize("aspect", [0.6, 1.6])
@pytest.mark.parametrize("name", POPULATIONS)
def test_laws(name, aspect, penalty):
    population = POPULATIONS[name]
    tau, h, g, noise = population.eigenvalues, population.shares, population.signal, population.noise_variance
    loop = fm.Loop.partially_labelled(
        aspect=aspect, labelled=0.7, real_weight=0.8, penalty=penalty, row_weight=(1.0, 0.5), synthetic_noise_ratio=0.7
    )
    risks = fm.risk(population, loop, 6)
    assert fm.risk(fm.Population(tau, h, 5 * g, 5 * noise), loop, 6) == pytest.approx(5 * risks, rel=LAW)
    rescaled = fm.Population(3 * tau, h, g / 3, noise)
    assert fm.risk(rescaled, loop.replace(penalty=3 * penalty), 6) == pytest.approx(risks, rel=LAW)
    # Real labels only: every generation is plain ridge; risk at large T tends to the limit.
    real = loop.replace(real_weight=1.0)
    assert fm.risk(population, real, 4) == pytest.approx(np.full(5, risks[0]), rel=LAW)
    assert fm.risk(population, loop, 400)[-1] == pytest.approx(fm.limit(population, loop).risk, rel=LAW)
    # A vanishing penalty is min-norm interpolation, or weighted least squares.
    tiny = fm.risk(population, loop.replace(penalty=1e-11), 6)
    assert tiny == pytest.approx(fm.risk(population, loop.replace(penalty=0.0), 6), rel=1e-6)
    # One group split into two alike is the same loop; a group of row weight 0 is left out, and n with it.
    third, half = fm.Group(1 / 3, 1.0, 0.6), fm.Group(0.5, 1.0, 0.6)
    alike = loop.replace(groups=[third, fm.Group(2 / 3, 1.0, 0.6)])
    assert fm.risk(population, alike, 4) == pytest.approx(fm.risk(population, loop.replace(real_weight=0.6), 4), rel=LAW)
    ignored = fm.limit(population, loop.replace(groups=[half, fm.Group(0.5, 0.0, 0.1)])).risk
    kept = loop.replace(real_weight=0.6, aspect=2 * aspect, penalty=2 * penalty)
    assert ignored == pytest.approx(fm.limit(population, kept).risk, rel=LAW)


def test_sequences_and_schedules():
    population = POPULATIONS["two level"]
    loop = fm.Loop(aspect=0.7, covariates="fresh", penalty=0.1, real_weight=0.5)
    other = loop.replace(aspect=2.0, penalty=0.4, real_weight=0.9)
    mixed = fm.risk(population, [loop, loop, other], 5)
    assert mixed[:3] == pytest.approx(fm.risk(population, loop, 2))
    assert fm.limit(population, [loop, other]).risk == fm.limit(population, other).risk
    scheduled = fm.risk(population, loop.replace(schedule=[0.5, 0.5, 0.2]), 4)
    assert scheduled == pytest.approx(fm.risk(population, [loop, loop, loop.replace(real_weight=0.2)], 4))
    with pytest.raises(ValueError, match="sequence of loops"):
        fm.risk(population, [fm.Loop(aspect=1.0, real_weight=0.5)] * 2, 3)
    with pytest.raises(TypeError, match="loop must be"):
        fm.risk(population, [], 3)


def test_real_only_is_the_labelled_rows_alone():
    population = POPULATIONS["isotropic"]
    found = fm.limit(population, fm.Loop.partially_labelled(aspect=0.8, labelled=0.4, penalty=0.2))
    alone = fm.risk(population, fm.Loop(aspect=2.0, penalty=0.5, real_weight=1.0), 0)[0]
    assert found.real_only == pytest.approx(alone)
    assert fm.limit(population, fm.Loop.partially_labelled(aspect=0.5, labelled=0.5)).verdict == "improves"


def test_least_squares_on_its_own_predictions():
    population = POPULATIONS["isotropic"]
    noisy = fm.limit(population, fm.Loop(aspect=0.5, covariates="fresh", real_weight=0.0))
    assert noisy.risk == math.inf
    growth = np.diff(fm.risk(population, fm.Loop(aspect=0.5, covariates="fresh", real_weight=0.0), 5))
    assert growth == pytest.approx(np.full(5, 1.0))  # sigma^2 gamma / (1 - gamma)
    idle = fm.limit(population, fm.Loop(aspect=0.5, covariates="fresh", real_weight=0.0, synthetic_noise_ratio=0.0))
    assert idle.risk == pytest.approx(idle.first)
    assert idle.verdict == "holds"


def test_threshold_is_unbounded_and_says_why():
    found = fm.limit(POPULATIONS["isotropic"], fm.Loop(aspect=1.0, covariates="fresh", real_weight=0.5))
    assert (found.risk, found.verdict) == (math.inf, "diverges")
    assert "interpolation threshold" in found.reason


@pytest.mark.parametrize("target", [1.2, 1.5, 3.0])
def test_labels_needed(target):
    population, loop = POPULATIONS["isotropic"], fm.Loop.partially_labelled(aspect=0.5, labelled=0.5)
    share = fm.labels_needed(population, loop, target)
    there = fm.Loop.partially_labelled(aspect=0.5, labelled=share)
    assert fm.limit(population, there).risk == pytest.approx(target, rel=1e-9)
    assert fm.limit(population, fm.Loop.partially_labelled(aspect=0.5, labelled=share - 0.01)).risk > target
    assert fm.labels_needed(population, loop, 1e-3) == math.inf


def test_the_penalty_of_the_best_loop_follows_the_spectrum():
    """Nearly collinear columns whose signal counts: the best penalty is far below 1e-8 of the largest eigenvalue."""
    population = fm.Population([1.0, 1e-10], [0.5, 0.5], [1.0, 1e9], 1e-2)
    loop = fm.Loop(aspect=0.5, covariates="fresh")
    best = fm.optimal_loop(population, loop)
    assert best.loop.penalty < 1e-11
    grid, setting = np.geomspace(1e-14, 1.0, 43), setting_of(population, loop.replace(penalty=1.0))
    tried = setting.risks(real_weight=np.linspace(0.4, 1.0, 13)[:, None], penalty=grid)
    assert best.risk <= tried.min() < 0.98 * setting.risks(real_weight=best.real_weight, penalty=grid[grid > 1e-8]).min()


@pytest.mark.parametrize("name", POPULATIONS)
def test_optimal_loop_beats_its_neighbours(name):
    population, loop = POPULATIONS[name], fm.Loop.partially_labelled(aspect=1.2, labelled=0.5)
    best = fm.optimal_loop(population, loop)
    real, other = best.loop.groups
    for w, a, c in ((0.98, 1, 1), (1.02, 1, 1), (1, 0.9, 1), (1, 1.1, 1), (1, 1, 0.9), (1, 1, 1.1)):
        groups = [fm.Group(real.share, 1.0, min(1.0, w * real.real_weight)), fm.Group(other.share, a * other.row_weight, 0.0)]
        near = best.loop.replace(groups=groups, penalty=c * best.loop.penalty)
        assert fm.limit(population, near).risk >= best.risk * (1 - 1e-12)
    assert best.risk <= fm.optimal_weight(population, loop).risk
    assert fm.limit(population, best.loop).risk == pytest.approx(best.risk)
    horizon = fm.optimal_weight(population, loop, generations=3)
    assert fm.risk(population, horizon.loop, 3)[-1] == pytest.approx(horizon.risk)


@pytest.mark.slow
@pytest.mark.parametrize("penalty", [0.0, 0.2])
@pytest.mark.parametrize("aspect", [0.6, 1.6])
def test_against_dense_refits(aspect, penalty):
    """z-scores of naive runs at n = 300, with the 1/n bias of a finite table allowed for."""
    n, generations, repeats = 300, 4, 60
    p = round(aspect * n)
    population = fm.Population([1.0, 4.0], [0.5, 0.5], [1.0, 1.0], 1.0)
    groups = [fm.Group(0.5, 1.0, 0.9), fm.Group(0.3, 0.5, 0.3), fm.Group(0.2, 2.0, 0.0)]
    loop = fm.Loop(aspect=aspect, penalty=penalty, covariates="fresh", groups=groups, synthetic_noise_ratio=0.5)
    rng = np.random.default_rng([300, round(10 * aspect), round(10 * penalty)])
    runs = np.array([dense.run(n, population, [p // 2, p - p // 2], loop, generations, rng) for _ in range(repeats)])
    theory = fm.risk(population, loop, generations)
    error = np.abs(runs.mean(axis=0) - theory) - 4 / n * theory
    z = error / (runs.std(axis=0, ddof=1) / np.sqrt(repeats))
    assert z.max() < norm.isf(FAMILY_LEVEL / (8 * (generations + 1)))


def test_labels_needed_between_none_and_the_first_share():
    # Without real labels this loop tends to a finite risk, so the root lies in the first cell of the grid.
    population = fm.Population.isotropic()
    loop = fm.Loop.partially_labelled(aspect=2.0, labelled=0.5, penalty=1.0)
    none = fm.limit(population, loop.replace(groups=[fm.Group(1.0, 1.0, 0.0)])).risk
    some = fm.limit(population, loop.replace(groups=[fm.Group(0.0025, 1.0, 1.0), fm.Group(0.9975, 1.0, 0.0)])).risk
    target = (none + some) / 2
    share = fm.labels_needed(population, loop, target)
    assert 0 < share < 0.0025
    groups = [fm.Group(share, 1.0, 1.0), fm.Group(1 - share, 1.0, 0.0)]
    assert fm.limit(population, loop.replace(groups=groups)).risk == pytest.approx(target, rel=LAW)


@pytest.mark.parametrize("generations", [1, 12, None])
@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_risks_of_many_loops_are_those_of_each(generations, ratio):
    """Mixed row weights, penalties with 0 among them, weights from 0 to 1, rows left out: bounded and divergent loops."""
    population = fm.Population([0.0, 0.5, 4.0], [0.2, 0.5, 0.3], [1.0, 1.0, 0.4], 1.5)
    loop = fm.Loop.partially_labelled(aspect=1.0, labelled=0.3, synthetic_noise_ratio=ratio)
    grid = list(product((0.4, 1.25, 2.0), (0.0, 0.01, 3.0), (0.0, 0.6, 1.0), (0.0, 0.2, 5.0)))
    points = dict(zip(("aspect", "penalty", "real_weight", "row_weight"), np.transpose(grid), strict=True))
    setting = setting_of(population, loop)
    together = setting.risks(generations, **points)
    alone = [
        setting.with_loops(
            loop.replace(aspect=aspect, penalty=penalty, groups=[fm.Group(0.3, 1.0, w), fm.Group(0.7, row, 0.0)])
        ).risk(generations)
        for aspect, penalty, w, row in grid
    ]
    assert np.isinf(together).any()
    np.testing.assert_allclose(together, alone, rtol=1e-12)


@pytest.mark.parametrize("persistence", [1.0, 0.9])
def test_a_step_against_its_formulas(persistence):
    """Atom by atom and group by group (mathematics.md section 5)."""
    rng = np.random.default_rng(2)
    population = fm.Population.random_effects([0.2, 1.0, 7.0], [0.5, 0.3, 0.2], noise_variance=0.6)
    f, a, w = np.array([[0.5, 0.3, 0.2]] * 4), rng.uniform(0.2, 3.0, (4, 3)), rng.uniform(0.0, 1.0, (4, 3))
    anchor, kept = np.array([0.0, 0.2, 0.7, 1.0]), np.full(4, persistence)
    turn = generations(population, 1.7, np.array([0.1, 0.5, 1.0, 9.0]), f, a, w, 0.4, anchor, kept)
    A, Q = -rng.uniform(0.0, 1.0, (4, 3)), rng.uniform(0.0, 2.0, (4, 3))
    got_A, got_Q = turn.step((A, Q))
    tau, g = turn.tau, turn.energy
    for i in range(4):
        D, c, s = turn.shrinkage[i], 1 - turn.forgotten[i], turn.slack[i]
        before = persistence * A[i] - (1 - persistence) * g
        after = Q[i] + 2 * (1 - persistence) * (A[i] + g)
        b = [np.sum(tau * (D**2 * g - 2 * D * each * before + each**2 * after)) for each in s]
        N = np.sum(turn.mixture[i] * (turn.label_noise[i] + b)) / turn.rest[i]
        np.testing.assert_allclose(got_A[i], -D * g + c * before, rtol=1e-13)
        np.testing.assert_allclose(got_Q[i], D**2 * g - 2 * D * c * before + c**2 * after + N * turn.noise[i], rtol=1e-12)
