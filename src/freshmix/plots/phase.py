"""Phase diagram over (aspect, labelled share)."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from .. import theory as tables
from ..theory import Theory
from ..words import pictures as words
from .heat import UNBOUNDED, draw_risk
from .style import INK, dress, figure_of


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
    risk, psi = (table[name].transpose("labelled", "aspect").values for name in ("risk", "collapse_number"))
    draw_risk(axes, aspect, share, risk, null=table.attrs["null"], collapse_number=psi)
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
