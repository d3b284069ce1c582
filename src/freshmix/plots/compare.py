"""Theory as lines, simulation as markers with Monte Carlo error bars."""

from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .style import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION, WEIGHT_LABEL, dress, figure_of, finite, scale

_COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, GREY)
_MARKERS = ("o", "s", "D", "^", "v", "P")
_LABELS = {
    "generation": "generation t (0: fitted on real labels)",
    "real_weight": WEIGHT_LABEL,
    "penalty": "penalty λ",
}
_SYMBOLS = {"real_weight": "w", "penalty": "λ", "generation": "t"}


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
    if len(points) > len(_COLOURS):
        raise ValueError(f"compare draws at most {len(_COLOURS)} curves, got {len(points)}: select some values first")
    figure = figure_of(6.6)
    axes = figure.subplots()
    x = risk[along].values
    count = risk.sizes["replicate"]
    drawn = []
    for point, colour, marker in zip(points, _COLOURS, _MARKERS, strict=False):
        at = dict(zip(others, point, strict=True))
        name = ", ".join(f"{_SYMBOLS[key]} = {value:.4g}" for key, value in at.items())
        values = risk.sel(at).transpose("replicate", along).values
        mean = finite(values.mean(axis=0))
        error = 2 * values.std(axis=0, ddof=1) / np.sqrt(count) if count > 1 else np.zeros_like(mean)
        style: dict[str, Any] = {
            "color": colour,
            "marker": marker,
            "markersize": 5 if x.size <= 25 else 3,
            "linestyle": "none" if theory is not None else ":",
            "linewidth": 1.0,
            "capsize": 2.5,
            "elinewidth": 1.2,
        }
        axes.errorbar(x, mean, yerr=error, label=f"simulation {name}".strip(), zorder=4, **style)
        # Bars that reach towards 0 leave a logarithmic picture rather than flatten it.
        drawn += [mean, mean + error, np.where(2 * error < mean, mean - error, mean)]
        if theory is not None:
            line = finite(theory.sel(at).values)
            axes.plot(x, line, color=colour, linewidth=1.8, label=f"theory {name}".strip(), zorder=3)
            drawn.append(line)
    # Nothing is cut off: where a loop diverges, that is what the picture is for.
    scale(axes, 0.0, drawn)
    if along == "penalty" and x.min() > 0:
        axes.set_xscale("log")
    if along == "generation":
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    bars = f"mean of {count} replicates, bars of two standard errors" if count > 1 else "one replicate"
    dress(axes, f"Theory and simulation: {bars}" if theory is not None else f"Simulation: {bars}")
    axes.set_xlabel(
        _LABELS[along] + ("" if along == "generation" else f"; generation {int(simulation.generation[-1])}"), fontsize=10
    )
    return figure
