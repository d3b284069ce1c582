"""Risk by generation, from theory."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .style import BLUE, GREEN, ORANGE, PURPLE, VERMILLION, dress, figure_of, finite, scale

COURSES = {
    "loop": ("this loop", BLUE, "-", "o"),
    "best_weight": ("best weight, same penalty", GREEN, "-.", "D"),
    "best_loop": ("best weight and penalty", ORANGE, (0, (6, 2)), "v"),
    "real_only": ("real labels only", VERMILLION, "--", "s"),
    "synthetic_only": ("synthetic labels only", PURPLE, ":", "^"),
}


def risk_by_generation(table: xr.Dataset) -> Figure:
    """The table of ``theory.by_generation``; the long run of this loop is a thin line on the right."""
    figure = figure_of(6.2)
    axes = figure.subplots()
    t = table.generation.values
    courses = {name: finite(table[name].values) for name in COURSES if name in table}
    # A loop that diverges leaves the picture, and its rivals stay.
    rival, own = float(courses["real_only"][-1]), float(courses["loop"][-1])
    scale(axes, rival if np.isfinite(rival) else own, list(courses.values()))
    last = max(1, int(t[-1]))
    for order, (name, values) in enumerate(courses.items()):
        label, colour, dashes, marker = COURSES[name]
        axes.plot(
            t,
            values,
            color=colour,
            linestyle=dashes,
            linewidth=2.4 if name == "loop" else 1.5,
            marker=marker,
            # Of curves that coincide, the markers stand beside each other.
            markevery=(order, len(courses) * (1 + t.size // 24)) if t.size > 8 else None,
            markersize=5,
            label=label,
            zorder=4 if name == "loop" else 3,
        )
    long_run = table["loop"].attrs["limit"]
    bottom, top = axes.get_ylim()
    if bottom <= long_run <= top:
        axes.axhline(
            long_run, color=BLUE, linewidth=0.8, alpha=0.6, label=f"this loop in the long run: {long_run:.4g}", zorder=1
        )
    elif not np.isfinite(long_run):
        axes.plot([], [], " ", label="this loop is unbounded in the long run")
    axes.set_xlim(-0.02 * last, 1.02 * last)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    dress(axes, "Excess risk by generation")
    axes.set_xlabel("generation t (0: fitted on real labels)", fontsize=10)
    return figure
