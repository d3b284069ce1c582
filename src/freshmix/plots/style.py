"""What all pictures share: colours, frame, legend, scale."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from ..arguments import Floats
from ..words import pictures as words
from .palette import BLUE as BLUE
from .palette import COLOURS as COLOURS
from .palette import GOLDEN_WEIGHT as GOLDEN_WEIGHT
from .palette import GREEN as GREEN
from .palette import GREY as GREY
from .palette import INK as INK
from .palette import ORANGE as ORANGE
from .palette import PURPLE as PURPLE
from .palette import RIVALS as RIVALS
from .palette import VERMILLION as VERMILLION
from .ranges import finite as finite
from .ranges import of_risks

MARKERS = ("o", "s", "D", "^", "v", "P")

# Inches: a picture of its own, narrow enough for its text to be read on a telephone.
SINGLE = 4.9

# Inches from the x axis down to the legend: room for the tick labels and the axis label.
_LEGEND_DROP = 0.5


def figure_of(width: float, height: float = 4.8) -> Figure:
    """An empty figure of this size (inches), with no global state behind it."""
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    return Figure(figsize=(width, height), dpi=150, layout=layout, facecolor="white")


def golden_line(axes: Axes) -> None:
    """A faint line at w = 1/phi."""
    named_line(axes, GOLDEN_WEIGHT, words.GOLDEN, 3)


def named_line(axes: Axes, x: float, name: str, above: float) -> None:
    """A faint vertical line, named above the frame by so many points, where no curve runs."""
    axes.axvline(x, color=GREY, linestyle=(0, (5, 4)), linewidth=0.9, zorder=0)
    axes.annotate(
        name,
        (x, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, above),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=8,
        color=INK,
    )


def frame(axes: Axes, title: str, xlabel: str, ylabel: str, *, size: float, pad: float) -> None:
    """Title, labels, ticks and grid in the page's ink; ``size`` is that of the title."""
    axes.set_title(title, fontsize=size, color=INK, pad=pad)
    axes.set_xlabel(xlabel, fontsize=size - 1, color=INK)
    axes.set_ylabel(ylabel, fontsize=size - 1, color=INK)
    axes.tick_params(which="both", labelsize=size - 2, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.grid(color=GREY, alpha=0.2, linewidth=0.6)


def dress(axes: Axes, title: str, xlabel: str, ylabel: str = words.RISK, background: str = "none") -> None:
    """What pictures share: frame, grid, labels, and a legend below, where it covers nothing."""
    frame(axes, title, xlabel, ylabel, size=11, pad=18)
    axes.set_facecolor(background)
    figure = axes.get_figure(root=True)
    assert figure is not None
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            bbox_transform=axes.transAxes + ScaledTranslation(0.0, -_LEGEND_DROP, figure.dpi_scale_trans),
            ncols=2,
            frameon=False,
            fontsize=8.5,
            labelcolor=INK,
            handlelength=3,
            borderaxespad=0.0,
        )


def scale(axes: Axes, anchor: float, curves: list[Floats]) -> tuple[float, float]:
    """Set the y axis for these curves, logarithmic where they span a wide range; return its limits.

    ``anchor`` is the recommended risk, which the picture reaches so far above and below of (``ranges``).
    """
    found = of_risks(anchor, curves)
    if found is None:
        axes.set_yticks([])
        axes.text(0.05, 0.9, words.UNBOUNDED_THROUGHOUT, transform=axes.transAxes, fontsize=9, color=INK)
        return 0.0, 1.0
    if found.log:
        axes.set_yscale("log")
        plain_ticks(axes.yaxis, found.close)
    axes.set_ylim(found.low, found.high)
    return found.low, found.high


def plain_ticks(axis: Axis, close: bool = False) -> None:
    """Ticks of a logarithmic axis at powers of 10, and at 2 and 5 times those where they stand ``close``; numbers as such."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if close else (1.0,)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def whole_ticks(axis: Axis) -> None:
    """Ticks at generations."""
    axis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def draw_courses(axes: Axes, courses: Mapping[str, Floats], looks: Mapping[str, tuple[str, str, Any, str]]) -> None:
    """Curves over generations 0 ... T, the first one in front; ``looks`` are their names, colours, dashes and markers."""
    for order, (name, values) in enumerate(courses.items()):
        label, colour, dashes, marker = looks[name]
        axes.plot(
            np.arange(values.size),
            values,
            color=colour,
            linestyle=dashes,
            linewidth=1.5 if order else 2.4,
            marker=marker,
            # Of curves that coincide, the markers stand beside each other.
            markevery=(order, len(courses) * (1 + values.size // 24)) if values.size > 8 else None,
            markersize=5,
            label=label,
            zorder=3 if order else 4,
        )
    last = max([1, *(values.size - 1 for values in courses.values())])
    axes.set_xlim(-0.02 * last, 1.02 * last)
    whole_ticks(axes.xaxis)
