"""Long-run risk over (real weight, penalty)."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..theory import Theory, weight_penalty
from ..words import pictures as words
from .heat import UNBOUNDED, draw_risk
from .style import VERMILLION, dress, figure_of


def table(found: Theory) -> xr.Dataset:
    """What is drawn."""
    return weight_penalty(found.population, found.loop)


def risk_surface(table: xr.Dataset) -> Figure:
    """The table of ``theory.weight_penalty``: shades of excess risk, with the best pair marked."""
    figure = figure_of(7.0)
    paint(figure.subplots(), table)
    return figure


def paint(axes: Axes, table: xr.Dataset) -> None:
    """The picture on given axes."""
    w, penalty = table.real_weight.values, table.penalty.values
    risk = table.risk.transpose("penalty", "real_weight").values
    psi = table.collapse_number.transpose("penalty", "real_weight").values if "collapse_number" in table else None
    draw_risk(axes, w, penalty, risk, null=table.attrs["null"], collapse_number=psi)
    axes.set_yscale("log")
    best_w, best_penalty = table.attrs["best_weight"], table.attrs["best_penalty"]
    label = f"best: {words.at({'real_weight': best_w, 'penalty': best_penalty})}"
    # A best penalty of 0, or one beyond the picture, is marked at its edge.
    place = float(np.clip(best_penalty, penalty[0], penalty[-1]))
    axes.plot(
        best_w, place, "*", color="white", markeredgecolor=VERMILLION, markersize=15, label=label, clip_on=False, zorder=6
    )
    axes.plot(
        table.best_at, penalty, color=VERMILLION, linestyle="--", linewidth=1.4, label=words.BEST_AT_EACH_PENALTY, zorder=5
    )
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(penalty[0], penalty[-1])
    dress(axes, words.RISK_SURFACE, words.WEIGHT, words.PENALTY, background=UNBOUNDED)


draw = risk_surface
