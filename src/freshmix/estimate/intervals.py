"""90% intervals from posterior draws."""

import numpy as np

from .._checks import Floats

LEVEL = 0.9
# Tail probabilities left out below; the rest of the 10% is left out above.
_LOW_TAILS = np.linspace(0.0, 1 - LEVEL, 11)


def shortest(draws: Floats, scale: float = 1.0) -> tuple[float, float]:
    """The shortest 90% interval of (d,) draws of a quantity that is at least 0, stretched about their median.

    Where the draws pile up at 0 it starts there: a one-sided interval, not an end that is off the wall by construction.
    """
    if np.isinf(draws).any():
        # Risks of loops that diverge: nothing to interpolate between, or to stretch.
        infinite = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="inverted_cdf")
        return float(infinite[0]), float(infinite[1])
    # Below the low tails in steps of 1%: ends read off single draws would be noisy.
    low, high = np.quantile(draws, _LOW_TAILS), np.quantile(draws, _LOW_TAILS + LEVEL)
    low[0] = min(low[0], 0.0)
    best = int(np.argmin(high - low))
    middle = float(np.median(draws))
    ends = middle + scale * (np.array([low[best], high[best]]) - middle)
    return float(max(ends[0], 0.0)), float(ends[1])
