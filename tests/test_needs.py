"""Labels that ways of remembering need: searches from nearby loops, and brute force over loops and numbers of labels."""

import pytest

from freshmix.loop import Group, Loop
from freshmix.optima.memory import ONE_BY_ONE, FreshWays
from freshmix.population import Population
from freshmix.risks.fresh import FreshSetting

LEVELS = Population([0.3, 1.0, 4.0], [0.4, 0.4, 0.2], [0.5, 0.6, 0.2], 1.5, persistence=0.97)


def ways_at(share, near=None, horizon=6):
    groups = [Group(share, 1.0, 1.0, labelled=True)] + ([Group(1 - share, 0.0, 0.0)] if share < 1 else [])
    loop = Loop(aspect=0.4, groups=groups, covariates="fresh", synthetic_noise_ratio=0.0, first_rows=0.3)
    return FreshWays(FreshSetting(LEVELS, (loop,)), horizon, "next", near or {})


@pytest.mark.slow
@pytest.mark.parametrize(("known", "share"), [(0.3, 0.5), (1.0, 0.6), (0.2, 1.0), (0.3, 0.05)])
def test_a_loop_nearby_is_as_good_a_start_as_a_grid(known, share):
    near = {name: loop for name, (loop, _, _) in ways_at(known).ways().items()}
    every = ways_at(share).ways()
    for name in ONE_BY_ONE:
        loop, risk, stored = ways_at(share, near).way(name)
        assert risk <= every[name][1] * (1 + 1e-6)
        assert stored == every[name][2]
        assert FreshSetting(LEVELS, (loop,)).by_generation(6, "next")[-1] == pytest.approx(risk, rel=1e-9)
