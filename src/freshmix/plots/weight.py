"""Risk against the real weight, from theory."""

import xarray as xr
from matplotlib.figure import Figure

from .style import BLUE, GREEN, ORANGE, PURPLE, VERMILLION, WEIGHT_LABEL, dress, figure_of, finite, golden_line, scale


def risk_by_weight(table: xr.Dataset) -> Figure:
    """The table of ``theory.by_weight``: long run (and generation T) against w; infinite values are left out."""
    figure = figure_of(6.2)
    axes = figure.subplots()
    facts = table.attrs
    curves = [("long_run", "in the long run", BLUE, "-")]
    if "at_horizon" in table:
        curves.append(("at_horizon", f"at generation {facts['generations']}", ORANGE, "-."))
    values = {name: finite(table[name].values) for name, *_ in curves}
    low, high = scale(axes, facts["best_risk"], [*values.values(), finite([facts["real_only"], facts["null"]])])
    for name, label, colour, dashes in curves:
        axes.plot(table.real_weight, values[name], color=colour, linestyle=dashes, linewidth=2.2, label=label, zorder=4)
    w, best = facts["best_weight"], facts["best_risk"]
    if low <= best <= high:
        axes.plot(w, best, "o", color=BLUE, markersize=8, label=f"best in the long run: w = {w:.4g}", zorder=5, clip_on=False)
    for name, label, colour, dashes in (
        ("real_only", "real labels only", VERMILLION, "--"),
        ("null", "null risk (predicting 0)", PURPLE, ":"),
    ):
        if low <= facts[name] <= high:
            axes.axhline(facts[name], color=colour, linestyle=dashes, linewidth=1.3, label=label, zorder=1)
    unbounded = table.real_weight.values[table.long_run.values == float("inf")]
    if unbounded.size:
        span = f"w = {unbounded[0]:.3g}" + (f" to {unbounded[-1]:.3g}" if unbounded.size > 1 else "")
        axes.plot([], [], " ", color=GREEN, label=f"unbounded at {span}")
    golden_line(axes)
    axes.set_xlim(0.0, 1.0)
    dress(axes, "Excess risk against the real weight")
    axes.set_xlabel(WEIGHT_LABEL, fontsize=10)
    return figure
