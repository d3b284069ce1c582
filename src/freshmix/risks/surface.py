"""Limit risks over grids of parameters, with the coordinates that belong to them."""

import xarray as xr
from numpy.typing import ArrayLike

from ..arguments import vector
from ..loop import Loop
from ..population import Population
from .setting import check_loops, kind_of, varied


def limit_surface(
    population: Population,
    loop: Loop,
    *,
    real_weight: ArrayLike | None = None,
    penalty: ArrayLike | None = None,
    aspect: ArrayLike | None = None,
    labelled: ArrayLike | None = None,
    anchor: ArrayLike | None = None,
    persistence: ArrayLike | None = None,
) -> xr.Dataset:
    """Long-run excess risk on a grid of real weights, penalties, aspects, labelled shares, anchors and persistences.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        What is not varied. ``real_weight`` varies the weight of all rows with a real label; ``labelled`` needs fresh
        covariates and makes the loop partially labelled, with the row weights that it has; ``persistence``, of the
        population's coefficients, needs them too.
    real_weight, penalty, aspect, labelled, anchor, persistence : (m,) arrays, optional
        The grid; at least one.

    Returns
    -------
    xarray.Dataset
        ``risk`` (inf where the loop diverges) and, for fresh covariates, ``collapse_number``; dimensions in the order of
        the keywords above.

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range.

    Notes
    -----
    Source: mathematics.md sections 3 to 5. Over (real weight, penalty) with frozen covariates the companion equation is solved
    on a few Chebyshev nodes of log z only, and x12/(1-x12) interpolated to 1e-11. With fresh covariates all points of one
    aspect are solved at once.

    Examples
    --------
    >>> found = limit_surface(Population.isotropic(), Loop(aspect=2.0), real_weight=[0.5, 1.0], penalty=[0.1, 1.0, 10.0])
    >>> dict(found.risk.sizes)
    {'real_weight': 2, 'penalty': 3}
    """
    given = {
        "real_weight": real_weight,
        "penalty": penalty,
        "aspect": aspect,
        "labelled": labelled,
        "anchor": anchor,
        "persistence": persistence,
    }
    grid = {name: vector(name, values, low=0.0) for name, values in given.items() if values is not None}
    if not grid:
        raise ValueError(f"limit_surface needs a grid of at least one of {', '.join(given)}, got none")
    for name in ("real_weight", "labelled", "anchor", "persistence"):
        if name in grid and grid[name].max() > 1:
            raise ValueError(f"{name} must hold numbers between 0 and 1, got {float(grid[name].max())!r}")
    kind = kind_of(loop)
    for name in ("labelled", "persistence"):
        if name in grid and not kind.partly_labelled:
            raise ValueError(f"{name} needs a loop with covariates='fresh', got covariates={loop.covariates!r}")
    first = {name: float(values[0]) for name, values in grid.items() if name != "persistence"}
    check_loops(population, varied(loop, **first))
    variables = kind.surface(population, loop, grid)
    found = xr.Dataset({name: (list(grid), values) for name, values in variables.items()}, coords=dict(grid))
    found["risk"].attrs = {"long_name": "long-run excess risk", "units": "squared label units"}
    found.attrs = {"population": repr(population), "loop": repr(loop)}
    return found
