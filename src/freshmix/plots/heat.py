"""Shades of excess risk over two parameters."""

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from ..arguments import Floats
from ..words import figures
from ..words import pictures as words
from .ranges import of_shades
from .style import GREY, INK, plain_ticks

UNBOUNDED = "#3b3b3f"


def draw_risk(axes: Axes, x: Floats, y: Floats, risk: Floats, null: float) -> None:
    """Shade ``risk`` (len(y), len(x)), dark grey where it is unbounded, with a thin line at the null risk."""
    shades = of_shades(risk, null)
    if shades is not None:
        norm = LogNorm(shades.low, shades.high)
        # Gouraud shading knows no gaps.
        shading: Literal["gouraud", "nearest"] = "gouraud" if risk.size > 1e4 and np.isfinite(risk).all() else "nearest"
        shown = np.ma.masked_invalid(np.clip(risk, shades.low, None))
        mesh = axes.pcolormesh(x, y, shown, norm=norm, cmap="cividis_r", shading=shading)
        figure = axes.get_figure(root=False)
        assert figure is not None
        bar = figure.colorbar(mesh, ax=axes, extend="max" if np.any(shown > shades.high) else "neither")
        plain_ticks(bar.ax.yaxis, close=True)
        bar.ax.tick_params(labelsize=9, colors=INK)
        bar.set_label(words.RISK, fontsize=10, color=INK)
        filled = np.where(np.isfinite(risk), risk, 1e300)
        if filled.min() < null < filled.max():
            axes.contour(x, y, np.clip(filled / null, 1e-3, 1e3), levels=[1.0], colors=["white"], linewidths=1, zorder=3)
            axes.plot([], [], color=GREY, linewidth=1, label=words.NULL_LINE)
    if not np.isfinite(risk).all():
        axes.plot([], [], "s", color=UNBOUNDED, label=figures.UNBOUNDED)
