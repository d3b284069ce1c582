"""Phase diagram over (aspect, labelled share)."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from .. import theory as tables
from ..theory import Theory
from ..words import pictures as words
from .heat import UNBOUNDED, draw_risk
from .style import INK, VERMILLION, dress, figure_of


def table(found: Theory) -> xr.Dataset:
    """What is drawn."""
    return tables.phase_diagram(found.population, found.loop)


def phase_diagram(table: xr.Dataset) -> Figure:
    """The table of ``theory.phase_diagram``: shades of excess risk, and the region where the loop diverges."""
    figure = figure_of(7.0)
    paint(figure.subplots(), table)
    return figure


def paint(axes: Axes, table: xr.Dataset) -> None:
    """The picture on given axes."""
    aspect, share = table.aspect.values, table.labelled.values
    draw_risk(axes, aspect, share, table.risk.transpose("labelled", "aspect").values, null=table.attrs["null"])
    psi = table.collapse_number.transpose("labelled", "aspect").values
    # Psi ranges over many powers of ten; clipped, its level 1 stays where it is.
    level = np.clip(np.where(np.isfinite(psi), psi, 1e3), 1e-3, 1e3)
    if level.max() >= 1:
        axes.contourf(aspect, share, np.log(level), levels=[0, 10], colors=["none"], hatches=["///"], zorder=4)
        axes.contour(aspect, share, np.log(level), levels=[0], colors=[VERMILLION], linewidths=2, zorder=5)
        axes.plot([], [], color=VERMILLION, linewidth=2, label=words.DIVERGES)
    now = table.attrs.get("current", (None, None))
    if now[0] is not None and aspect[0] <= now[0] <= aspect[-1]:
        axes.plot(*now, "o", color="white", markeredgecolor=INK, markersize=9, label=words.THIS_LOOP, clip_on=False, zorder=6)
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks([0.1, 0.2, 0.5, 1, 2, 5, 10])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylim(0, 1)
    dress(axes, words.PHASE_DIAGRAM, words.ASPECT, words.SHARE, background=UNBOUNDED)


draw = phase_diagram
