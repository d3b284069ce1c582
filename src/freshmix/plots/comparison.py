"""Theory as lines, simulation as markers with Monte Carlo error bars."""

import math
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..arguments import Floats
from ..words import pictures as words
from .style import COLOURS, MARKERS, dress, figure_of, finite, scale, whole_ticks

_LABELS = {"generation": words.GENERATION, "real_weight": words.WEIGHT, "penalty": words.PENALTY}


def axis_of(generations: int, sizes: Mapping[str, int]) -> str | None:
    """The dimension on the x axis that leaves few enough curves of grids of these sizes, or None."""
    curves = math.prod(sizes.values())
    if curves <= len(COLOURS) and (generations > 0 or not sizes):
        return "generation"
    longest = sorted(sizes, key=lambda name: -sizes[name])
    return next((name for name in longest if curves // sizes[name] <= len(COLOURS)), None)


def compare(theory: xr.DataArray | None, simulation: xr.Dataset, along: str = "generation") -> Figure:
    """Excess risks of theory and simulation against one dimension, a colour for each value of the others.

    Parameters
    ----------
    theory : xarray.DataArray or None
        Excess risk with the dimensions of ``simulation.risk`` but ``replicate``; None where there is no theory.
    simulation : xarray.Dataset
        ``risk(replicate, [real_weight], [penalty], generation)`` of ``freshmix.simulate``.
    along : str
        The dimension of the x axis; of generations that are not on it, the last one is shown.

    Returns
    -------
    matplotlib.figure.Figure
        Lines for theory; means over replicates with bars of two Monte Carlo standard errors.

    Raises
    ------
    ValueError
        If there is no such dimension, or more than six curves to draw.
    """
    risk = simulation.risk
    if along == "replicate" or along not in risk.dims:
        raise ValueError(f"along must be one of {', '.join(str(d) for d in risk.dims if d != 'replicate')}, got {along!r}")
    if along != "generation":
        risk = risk.isel(generation=-1)
        theory = None if theory is None else theory.isel(generation=-1)
    others = [str(name) for name in risk.dims if name not in ("replicate", along)]
    points = list(product(*(risk[name].values for name in others)))
    if len(points) > len(COLOURS):
        raise ValueError(f"compare draws at most {len(COLOURS)} curves, got {len(points)}: select some values first")
    figure = figure_of(6.6)
    axes = figure.subplots()
    x = risk[along].values
    count = risk.sizes["replicate"]
    drawn = []
    for point, colour, marker in zip(points, COLOURS, MARKERS, strict=False):
        at = dict(zip(others, point, strict=True))
        name = words.at(at)
        look = {"color": colour, "marker": marker, "linestyle": ":" if theory is None else "none"}
        values = risk.sel(at).transpose("replicate", along).values
        drawn += draw_means(axes, x, values, label=f"simulation {name}".strip(), **look)
        if theory is not None:
            line = finite(theory.sel(at).values)
            axes.plot(x, line, color=colour, linewidth=1.8, label=f"theory {name}".strip(), zorder=3)
            drawn.append(line)
    # Nothing is cut off: where a loop diverges, that is what the picture is for.
    scale(axes, 0.0, drawn)
    if along == "penalty" and x.min() > 0:
        axes.set_xscale("log")
    if along == "generation":
        whole_ticks(axes.xaxis)
    when = "" if along == "generation" else f"; generation {int(simulation.generation[-1])}"
    dress(axes, words.comparison(count, theory is not None), _LABELS[along] + when)
    return figure


def draw_means(axes: Axes, x: Floats, values: Floats, **look: Any) -> list[Floats]:
    """Means of (replicates, m) risks with bars of two standard errors; what the y axis should hold."""
    count = len(values)
    mean = finite(values.mean(axis=0))
    error = 2 * values.std(axis=0, ddof=1) / np.sqrt(count) if count > 1 else np.zeros_like(mean)
    size = 5 if x.size <= 25 else 3
    axes.errorbar(x, mean, yerr=error, zorder=4, markersize=size, linewidth=1.0, capsize=2.5, elinewidth=1.2, **look)
    # Bars that reach towards 0 leave a logarithmic picture rather than flatten it.
    return [mean, mean + error, np.where(2 * error < mean, mean - error, mean)]
