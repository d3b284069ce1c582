"""How far simulation is from theory, in Monte Carlo standard errors."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from scipy.stats import norm, t

# Chance that a figure whose theory is right is called wrong, all its points together.
FAMILY_LEVEL = 1e-3
_LEAST_TAIL = 1e-300

Statistic = Callable[[xr.DataArray], xr.DataArray]


def threshold(points: int) -> float:
    """What the scores of so many points stay under, all of them, but for FAMILY_LEVEL (Bonferroni).

    >>> round(threshold(100), 3)
    4.417
    """
    return float(norm.isf(FAMILY_LEVEL / (2 * max(points, 1))))


def mean_and_error(risk: xr.DataArray, statistic: Statistic) -> tuple[xr.DataArray, xr.DataArray]:
    """A statistic of the mean over replicates, without its bias of order 1/replicates, and its standard error: the jackknife.

    For the mean itself these are the mean and s / sqrt(replicates).

    >>> risk = xr.DataArray([1.0, 2.0, 6.0], dims="replicate")
    >>> mean, error = mean_and_error(risk, lambda mean: mean)
    >>> round(float(mean), 12), round(float(error), 4)
    (3.0, 1.5275)
    """
    count = risk.sizes["replicate"]
    mean = risk.mean("replicate")
    if count == 1:
        return statistic(mean), xr.full_like(statistic(mean), np.nan)
    without = statistic((mean * count - risk) / (count - 1))
    centre = without.mean("replicate")
    error = (((without - centre) ** 2).sum("replicate") * (count - 1) / count) ** 0.5
    return count * statistic(mean) - (count - 1) * centre, error


def scores(difference: xr.DataArray, error: xr.DataArray, replicates: int) -> xr.DataArray:
    """Normal scores of simulation minus theory, from runs at one or two numbers of rows (the dimension ``rows``).

    Theory is the limit of many rows: at n rows D(n) = c/n + O(1/n^2). From n and m n rows, (m D(mn) - D(n)) / (m - 1) is
    free of the first term; it is divided by its standard error, and the ratio, Student-t by Welch and Satterthwaite's degrees
    of freedom, is turned into the normal score of the same tail.
    """
    n = difference.rows.values.astype(float)
    if n.size == 1:
        weights = np.array([1.0])
    elif n.size == 2:
        m = n[1] / n[0]
        weights = np.array([-1.0, m]) / (m - 1)
    else:
        raise ValueError(f"rows must hold one or two numbers, got {n.size}")
    factor = xr.DataArray(weights, {"rows": difference.rows}, "rows")
    # A missing number must not pass for agreement.
    total = (factor * difference).sum("rows", skipna=False)
    parts = (factor * error) ** 2
    variance = parts.sum("rows", skipna=False)
    freedom = (replicates - 1) * variance**2 / (parts**2).sum("rows")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(total.values) / np.sqrt(variance.values)
        tails = np.maximum(t.sf(ratio, freedom.values), _LEAST_TAIL)
    found = np.sign(total.values) * norm.isf(np.minimum(tails, 0.5))
    return total.copy(data=np.where(total.values == 0, 0.0, np.where(np.isnan(found), np.inf, found)))
