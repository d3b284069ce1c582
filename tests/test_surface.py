"""Surfaces against pointwise limits."""

import itertools
import math

import numpy as np
import pytest

import freshmix as fm
from freshmix.risks import fresh


@pytest.mark.parametrize("labels", ["fresh", "frozen"])
@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", ["isotropic", "power law", "spiked"])
def test_weight_and_penalty(name, aspect, labels):
    population = {
        "isotropic": fm.Population.isotropic(2.0),
        "power law": fm.Population.power_law(1.0, 200),
        "spiked": fm.Population.spiked(10.0, 0.7),
    }[name]
    loop = fm.Loop(aspect=aspect, labels=labels, synthetic_noise_ratio=0.7)
    w, penalties = np.array([0.0, 0.01, 0.3, 0.7, 0.999999, 1.0]), np.array([0.0, 1e-4, 0.02, 1.0, 300.0])
    found = fm.limit_surface(population, loop, real_weight=w, penalty=penalties)
    assert found.risk.dims == ("real_weight", "penalty")
    for i, weight in enumerate(w):
        for j, penalty in enumerate(penalties):
            point = fm.limit(population, loop.replace(real_weight=weight, penalty=penalty)).risk
            assert float(found.risk[i, j]) == pytest.approx(point, rel=1e-9)


def test_weight_and_penalty_without_a_signal():
    """The bias is 0 throughout."""
    population, loop = fm.Population([1.0, 5.0], [0.75, 0.25], [0.0, 0.0], 2.0), fm.Loop(aspect=2.0)
    w, penalties = np.linspace(0.0, 1.0, 21), np.geomspace(1e-4, 1e3, 15)
    found = fm.limit_surface(population, loop, real_weight=w, penalty=penalties).risk
    for i, j in itertools.product((0, 1, 9, 20), (0, 7, 14)):
        point = fm.limit(population, loop.replace(real_weight=w[i], penalty=penalties[j])).risk
        assert float(found[i, j]) == pytest.approx(point, rel=1e-9)


def test_dimensions_follow_the_keywords():
    population = fm.Population.isotropic()
    loop = fm.Loop(real_weight=0.5, penalty=0.1)
    found = fm.limit_surface(population, loop, aspect=[0.5, 2.0], penalty=[0.1, 1.0, 2.0])
    assert found.risk.dims == ("penalty", "aspect")
    assert float(found.risk[2, 1]) == pytest.approx(fm.limit(population, loop.replace(aspect=2.0, penalty=2.0)).risk)
    phases = fm.limit_surface(population, fm.Loop(covariates="fresh"), aspect=[0.5, 0.9, 1.2, 2.0], labelled=[0.25, 0.5])
    assert phases.risk.dims == ("aspect", "labelled")
    assert math.isinf(phases.risk.sel(aspect=1.2, labelled=0.5))
    assert float(phases.collapse_number.sel(aspect=2.0, labelled=0.5)) < 1


ROWS = {
    "equal": (1.0, 1.0),
    "weighted": (1.0, 0.3),
    "labelled rows only": (1.0, 0.0),
}


@pytest.mark.parametrize("noise_ratio", [0.0, 0.7])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("name", ["isotropic", "rank deficient", "spiked"])
def test_fresh_covariates_over_all_four(name, rows, noise_ratio):
    population = {
        "isotropic": fm.Population.isotropic(2.0),
        "rank deficient": fm.Population([0.0, 1.0, 4.0], [0.2, 0.5, 0.3], [1.0, 1.0, 0.5], 1.5),
        "spiked": fm.Population.spiked(10.0, 0.7),
    }[name]
    loop = fm.Loop.partially_labelled(labelled=0.4, row_weight=ROWS[rows], synthetic_noise_ratio=noise_ratio)
    grid = {
        "real_weight": [0.0, 1e-9, 0.4, 1.0],
        "penalty": [0.0, 1e-3, 2.0],
        "aspect": [0.3, 1.0, 1.25, 3.0],
        "labelled": [0.1, 0.6, 1.0] if rows == "labelled rows only" else [0.0, 0.1, 0.6, 1.0],
    }
    found = fm.limit_surface(population, loop, **grid)
    assert found.risk.dims == tuple(grid)
    for w, penalty, aspect, share in itertools.product(*grid.values()):
        groups = [fm.Group(share, 1.0, w), fm.Group(1 - share, ROWS[rows][1], 0.0)]
        groups = [group for group in groups if group.share > 0]
        point = fm.limit(population, loop.replace(groups=groups, penalty=penalty, aspect=aspect))
        at = found.sel(real_weight=w, penalty=penalty, aspect=aspect, labelled=share)
        assert float(at.risk) == pytest.approx(point.risk, rel=1e-9, abs=1e-12)
        assert float(at.collapse_number) == pytest.approx(point.collapse_number, rel=1e-9, abs=1e-12)


def test_three_groups_over_weight_and_penalty():
    groups = [fm.Group(0.3, 1.0, 0.8), fm.Group(0.3, 2.0, 0.5), fm.Group(0.4, 0.5, 0.0)]
    population, loop = fm.Population.two_level(10.0), fm.Loop(aspect=0.7, covariates="fresh", groups=groups)
    found = fm.limit_surface(population, loop, real_weight=[0.2, 1.0], penalty=[0.0, 0.1])
    for w, penalty in itertools.product([0.2, 1.0], [0.0, 0.1]):
        risk = fm.limit(population, loop.at_weight(w).replace(penalty=penalty)).risk
        assert float(found.risk.sel(real_weight=w, penalty=penalty)) == pytest.approx(risk, rel=1e-12)


def test_bad_grids():
    population, loop = fm.Population.isotropic(), fm.Loop(aspect=2.0)
    with pytest.raises(ValueError, match="at least one"):
        fm.limit_surface(population, loop)
    with pytest.raises(ValueError, match="real_weight"):
        fm.limit_surface(population, loop, real_weight=[0.5, 1.5])
    with pytest.raises(ValueError, match="labelled"):
        fm.limit_surface(population, loop, labelled=[0.5])
    with pytest.raises(ValueError, match="no rows are left"):
        fm.limit_surface(population, fm.Loop.partially_labelled(labelled=0.5, row_weight=(1, 0)), aspect=[2], labelled=[0.5, 0])
    with pytest.raises(ValueError, match="aspect"):
        fm.limit_surface(population, fm.Loop(), real_weight=[0.5])


def test_loops_that_share_their_equations():
    """By their columns as by their rows."""
    rng = np.random.default_rng(3)
    columns = [rng.choice([0.1, 2.0, 3.0], 200), np.ones(200), *rng.choice([False, True], (3, 200))]
    kind = fresh._kinds(columns)
    rows = np.unique(np.column_stack(columns), axis=0, return_inverse=True)[1].ravel()
    assert np.unique(kind).tolist() == list(range(kind.max() + 1))
    assert len(set(zip(kind.tolist(), rows.tolist(), strict=True))) == kind.max() + 1 == rows.max() + 1
