"""Shades of excess risk over two parameters."""

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from ..arguments import Floats
from ..words import figures
from ..words import pictures as words
from .ranges import of_shades
from .style import GREY, INK, VERMILLION, plain_ticks

UNBOUNDED = "#3b3b3f"
_MOST_PSI = 20.0


def draw_risk(axes: Axes, x: Floats, y: Floats, risk: Floats, null: float, collapse_number: Floats | None = None) -> None:
    """Shade ``risk`` (len(y), len(x)), dark grey where it is unbounded, with a thin line at the null risk.

    With a ``collapse_number`` of the same shape that is where it is 1 or more, up to the very boundary.
    """
    shades = of_shades(risk, null)
    bounded = np.isfinite(risk)
    covered = collapse_number is not None and bool(np.all(bounded | (collapse_number >= 1)))
    if shades is not None:
        norm = LogNorm(shades.low, shades.high)
        # Gouraud shading knows no gaps: where they are not covered, there are blocks.
        smooth = covered or (risk.size > 1e4 and bool(bounded.all()))
        shading: Literal["gouraud", "nearest"] = "gouraud" if smooth else "nearest"
        shown = np.clip(np.where(bounded, risk, shades.high if smooth else np.nan), shades.low, None)
        mesh = axes.pcolormesh(x, y, np.ma.masked_invalid(shown), norm=norm, cmap="cividis_r", shading=shading)
        figure = axes.get_figure(root=False)
        assert figure is not None
        bar = figure.colorbar(mesh, ax=axes, extend="max" if np.any(risk[bounded] > shades.high) else "neither")
        plain_ticks(bar.ax.yaxis, close=True)
        bar.ax.tick_params(labelsize=9, colors=INK)
        bar.set_label(words.RISK, fontsize=10, color=INK)
        filled = np.where(bounded, risk, 1e300)
        if filled.min() < null < filled.max():
            axes.contour(x, y, np.clip(filled / null, 1e-3, 1e3), levels=[1.0], colors=["white"], linewidths=1, zorder=3)
            axes.plot([], [], color=GREY, linewidth=1, label=words.NULL_LINE)
    if covered:
        assert collapse_number is not None
        _cover(axes, x, y, collapse_number)
    elif not bounded.all():
        axes.plot([], [], "s", color=UNBOUNDED, label=figures.UNBOUNDED)


def _cover(axes: Axes, x: Floats, y: Floats, collapse_number: Floats) -> None:
    """The region where a loop diverges, hatched, with its boundary."""
    # Psi ranges over many powers of ten; clipped, its level 1 stays where it is.
    level = np.log(np.clip(collapse_number, 1 / _MOST_PSI, _MOST_PSI))
    if level.max() < 0:
        return
    axes.contourf(x, y, level, levels=[0, 10], colors=[UNBOUNDED], hatches=["///"], zorder=4)
    axes.contour(x, y, level, levels=[0], colors=[VERMILLION], linewidths=2, zorder=5)
    axes.plot([], [], color=VERMILLION, linewidth=2, label=words.DIVERGES)
