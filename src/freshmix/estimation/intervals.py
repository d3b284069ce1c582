"""90% intervals from posterior draws."""

import numpy as np

from ..arguments import Floats

LEVEL = 0.9
Interval = tuple[float, float]
# Draws pile up at 0 where their 5% quantile is a smaller part of the median: it is 0.1 for a flat density from 0.
_AT_WALL = 0.25


def credible(draws: Floats, scale: float = 1.0, floor: Floats | float = 0.0) -> tuple[float, float]:
    """90% interval of (d,) draws of a quantity that is at least 0, stretched about their median.

    ``floor`` (0, or one for each draw) is what the quantity is without a signal: the wall.

    Equal tails; where the draws pile up at 0 and the interval from 0 to their 90% quantile is shorter, it is that one: the end
    is at the wall, not off it by construction. A long tail above, as of a ratio to next to no noise, is no reason for it.
    """
    tail = (1 - LEVEL) / 2
    if np.isinf(draws).any():
        # Risks of loops that diverge: nothing to interpolate between, or to stretch.
        infinite = np.quantile(draws, [tail, 1 - tail], method="inverted_cdf")
        return float(infinite[0]), float(infinite[1])
    low, middle, top, high = np.quantile(draws, [tail, 0.5, LEVEL, 1 - tail])
    wall = float(np.quantile(floor, tail))
    least, centre = np.quantile(draws - floor, [tail, 0.5])
    ends = np.array([wall, top] if top - wall < high - low and least < _AT_WALL * centre else [low, high])
    ends = middle + scale * (ends - middle)
    return float(max(ends[0], 0.0)), float(ends[1])


def holding(interval: Interval, value: float) -> Interval:
    """The interval, extended to a value that is reported beside it.

    A mean may lie outside the middle of its own draws: that of a noise next to nothing rests on the few that are not.
    """
    return float(min(interval[0], value)), float(max(interval[1], value))
