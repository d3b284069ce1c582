"""Risk by generation, from theory."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..theory import Theory
from ..words import pictures as words
from ..words.loop import horizon
from .style import BLUE, GREEN, ORANGE, PURPLE, VERMILLION, draw_courses, dress, figure_of, finite, scale

_LOOKS = {
    "loop": (BLUE, "-", "o"),
    "best_weight": (GREEN, "-.", "D"),
    "best_loop": (ORANGE, (0, (6, 2)), "v"),
    "real_only": (VERMILLION, "--", "s"),
    "synthetic_only": (PURPLE, ":", "^"),
}


def table(found: Theory) -> xr.Dataset:
    """What is drawn."""
    return found.by_generation


def risk_by_generation(table: xr.Dataset) -> Figure:
    """The table of ``theory.by_generation``; the long run of this loop is a thin line on the right."""
    figure = figure_of(6.2)
    paint(figure.subplots(), table)
    return figure


def paint(axes: Axes, table: xr.Dataset) -> None:
    """The picture on given axes."""
    courses = {name: finite(table[name].values) for name in _LOOKS if name in table}
    # A loop that diverges leaves the picture, and its rivals stay.
    rival, own = float(courses["real_only"][-1]), float(courses["loop"][-1])
    scale(axes, rival if np.isfinite(rival) else own, list(courses.values()))
    draw_courses(axes, courses, {name: (words.THEORY[name], *look) for name, look in _LOOKS.items()})
    long_run = table["loop"].attrs["limit"]
    bottom, top = axes.get_ylim()
    if bottom <= long_run <= top:
        axes.axhline(
            long_run, color=BLUE, linewidth=0.8, alpha=0.6, label=f"{words.THIS_LOOP} {horizon(None)}: {long_run:.4g}", zorder=1
        )
    elif not np.isfinite(long_run):
        axes.plot([], [], " ", label=words.UNBOUNDED_LATER)
    dress(axes, words.RISK_BY_GENERATION, words.GENERATION)


draw = risk_by_generation
