"""The least point of a smooth function of one variable, to nearly all digits."""

from collections.abc import Callable

import numpy as np
from numpy.polynomial import Chebyshev
from scipy.optimize import minimize_scalar

from ..arguments import Floats


def least(function: Callable[[Floats], Floats], grid: Floats, values: Floats) -> tuple[float, float]:
    """The least point of a smooth function, from its values on a grid: Chebyshev interpolants on shrinking intervals.

    The root of an interpolant's derivative keeps nearly all digits, where comparing values keeps half of them.
    """
    at = int(np.argmin(values))
    best, lowest = float(grid[at]), float(values[at])
    low, high = float(grid[max(at - 1, 0)]), float(grid[min(at + 1, grid.size - 1)])
    floor, ceiling = float(grid[0]), float(grid[-1])
    for _ in range(6):
        if not high > low:
            break
        nodes = (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(14) + 0.5) / 14)
        at_nodes = function(nodes)
        if not np.isfinite(at_nodes).all():
            # A divergent loop within the interval: only comparisons are left.
            with np.errstate(over="ignore", invalid="ignore"):
                found = minimize_scalar(lambda x: float(function(np.array([x]))[0]), bounds=(low, high), method="bounded")
            return (float(found.x), float(found.fun)) if found.fun < lowest else (best, lowest)
        fitted = Chebyshev.fit(nodes, at_nodes, 13, domain=[low, high])
        roots = fitted.deriv().roots()
        inside = roots[(np.abs(roots.imag) < 1e-8) & (roots.real > low) & (roots.real < high)].real
        candidates = np.array([low, high, *inside])
        found = float(candidates[np.argmin(fitted(candidates))])
        value = float(function(np.array([found]))[0])
        if value <= lowest * (1 + 1e-14):
            best, lowest = found, min(value, lowest)
        width = (high - low) / 6
        if width < 1e-3 * max(abs(best), 1e-300):
            break
        low, high = max(best - width, floor), min(best + width, ceiling)
    return best, lowest
