"""Self-distillation: facts of mathematics.md section 4, and searches over its weights one risk at a time."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

import freshmix as fm

ALIGNED = fm.Population.spiked(10.0, 1.0)


def test_an_aligned_spike_gains_fivefold():
    ridge, once = fm.self_distillation(ALIGNED, fm.Loop(aspect=0.5), steps=1)
    assert ridge.risk == pytest.approx(fm.risk(ALIGNED, ridge.loop, 0)[0], rel=1e-9)
    assert once.risk == pytest.approx(fm.risk(ALIGNED, once.loop, 1)[-1], rel=1e-9)
    assert once.ratio == pytest.approx(0.215, abs=5e-4)
    assert once.loop.schedule[0] == pytest.approx(23, abs=0.2)
    # Within [0, 1] there is much less to gain.
    within = fm.optimal_loop(ALIGNED, once.loop, generations=1)
    assert within.risk / ridge.risk == pytest.approx(0.886, abs=5e-4)


def test_isotropic_signals_gain_nothing():
    for signal in (0.5, 4.0):
        found = fm.self_distillation(fm.Population.isotropic(signal), fm.Loop(aspect=0.8), steps=2)
        assert [each.ratio for each in found] == pytest.approx([1.0] * 3, abs=1e-9)


def test_no_search_finds_better_weights():
    population = fm.Population([0.3, 1.0, 5.0], [0.4, 0.4, 0.2], [0.1, 0.2, 1.5], 2.0)
    found = fm.self_distillation(population, fm.Loop(aspect=0.7), steps=2)
    assert found[2].ratio < found[1].ratio < 1
    start = [*found[2].loop.schedule, math.log(found[2].loop.penalty)]

    def risk(x):
        loop = found[2].loop.replace(schedule=x[:2], penalty=math.exp(x[2]))
        return fm.risk(population, loop, 2)[-1]

    for shift in ([0.0, 0.0, 0.0], [0.4, -0.4, 0.5]):
        least = minimize(risk, np.add(start, shift), method="Nelder-Mead", options={"maxfev": 150}).fun
        assert found[2].risk <= least * (1 + 1e-6)


@pytest.mark.parametrize("steps", [-1, 1.5, 13])
def test_bad_steps(steps):
    with pytest.raises(ValueError, match="steps"):
        fm.self_distillation(ALIGNED, fm.Loop(aspect=0.5), steps)
