"""What of the simulated risks is compared with theory.

Each takes mean risks and the theory of the same points, both with the sweep's dimensions, and gives a number for each point of
the others.
"""

import xarray as xr


def last(mean: xr.DataArray, theory: xr.DataArray) -> xr.DataArray:
    """Risk of the last generation."""
    return mean.isel(generation=-1)


def course(mean: xr.DataArray, theory: xr.DataArray) -> xr.DataArray:
    """Risks of all generations."""
    return mean


def growth(mean: xr.DataArray, theory: xr.DataArray) -> xr.DataArray:
    """(R_2k - R_k) / (R_k - R_0) with 2k the last generation: above 1 where the risk grows faster and faster."""
    k = (mean.sizes["generation"] - 1) // 2
    first, middle, end = (mean.isel(generation=i) for i in (0, k, 2 * k))
    return (end - middle) / (middle - first)


def best_weight(mean: xr.DataArray, theory: xr.DataArray) -> xr.DataArray:
    """Real weight of least risk: the vertex of the parabola through the three weights about theory's least.

    Simulation and theory go through the same three weights, so that the parabola favours neither.
    """
    mean, theory = mean.isel(generation=-1), theory.isel(generation=-1)
    if "rows" in theory.dims:
        theory = theory.isel(rows=-1, drop=True)
    least = theory.argmin("real_weight").clip(1, theory.sizes["real_weight"] - 2)
    points = [least - 1, least, least + 1]
    x = [theory.real_weight[each].drop_vars("real_weight") for each in points]
    y = [mean.isel(real_weight=each).drop_vars("real_weight") for each in points]
    pairs = ((0, 1, 2), (1, 2, 0), (2, 0, 1))
    top = sum(y[i] * (x[j] ** 2 - x[k] ** 2) for i, j, k in pairs)
    bottom = sum(y[i] * (x[j] - x[k]) for i, j, k in pairs)
    return xr.DataArray(top / (2 * bottom))


def least_weight(mean: xr.DataArray, theory: xr.DataArray) -> xr.DataArray:
    """The weight of the grid with the least risk."""
    return mean.isel(generation=-1).idxmin("real_weight")
