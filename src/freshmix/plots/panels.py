"""Several panels in one figure: theory as lines, simulation as markers with Monte Carlo error bars."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, NullLocator

from ..arguments import Floats
from .style import COLOURS, GREY, INK, MARKERS, frame, named_line, plain_ticks, whole_ticks

# Inches: a panel, its legend's line, the footnote.
_WIDE, _HIGH, _LEGEND_LINE, _FOOT = 3.9, 3.1, 0.19, 0.62


@dataclass(frozen=True)
class Marks:
    """Simulated points: values and standard errors at ``x``, with theory's values and z-scores there (NaN if not compared)."""

    x: Floats
    value: Floats
    error: Floats
    theory: Floats
    z: Floats

    def points(self) -> Iterator[tuple[float, float, float, float, float]]:
        """x, value, error, theory and z, point by point."""
        yield from zip(*(each.tolist() for each in (self.x, self.value, self.error, self.theory, self.z)), strict=True)


@dataclass(frozen=True)
class Series:
    """One colour of a panel: a line of theory and its best point, and simulated points, drawn ``shift`` to the right."""

    label: str
    line: tuple[Floats, Floats] | None = None
    marks: Marks | None = None
    best: tuple[float, float] | None = None
    colour: int | None = None
    hollow: bool = False
    shift: float = 0.0


@dataclass(frozen=True)
class Panel:
    """Curves over one pair of axes.

    ``verticals`` are (x, name above the frame), ``levels`` (y, name in the legend); ``band`` is (y, low x, high x, name), a
    shaded region.
    """

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_log: bool = False
    y_log: bool = False
    x_ticks: Sequence[float] = ()
    whole_x: bool = False
    verticals: Sequence[tuple[float, str]] = ()
    levels: Sequence[tuple[float, str]] = ()
    y_limits: tuple[float, float] | None = None
    band: Sequence[tuple[Floats, Floats, Floats, str]] = field(default_factory=tuple)


def panels(content: Sequence[Panel], columns: int, title: str, footnote: str = "") -> Figure:
    """Panels in rows of ``columns``, the title above, a footnote below.

    Panels that all have the same legend share one at the bottom.
    """
    rows = -(-len(content) // columns)
    shared = len(content) > 1 and len({_names(panel) for panel in content}) == 1
    lines = 1 if shared else max(-(-len(_names(panel)) // 2) for panel in content)
    height = rows * (_HIGH + (0 if shared else lines * _LEGEND_LINE)) + _FOOT
    width = max(columns * _WIDE, 5.6)
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08, hspace=0.04, wspace=0.03)
    figure = Figure(figsize=(width, height), dpi=150, layout=layout, facecolor="white")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    # Titles of a row at one height.
    pad = 15 if any(panel.verticals for panel in content) else 6
    for axes, panel in zip(grid, content, strict=False):
        _draw(axes, panel, pad)
        if not shared:
            _legend(axes, 2)
    for axes in grid[len(content) :]:
        axes.set_visible(False)
    figure.suptitle(title, fontsize=12, color=INK)
    if shared:
        handles, labels = grid[0].get_legend_handles_labels()
        # The layout has room for one thing below: the footnote is its title.
        legend = figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncols=min(len(labels), 6),
            frameon=False,
            fontsize=9,
            labelcolor=INK,
            title=footnote,
            title_fontsize=8,
        )
        legend.get_title().set_color(INK)
    elif footnote:
        figure.supxlabel(footnote, fontsize=8, color=INK)
    return figure


def _names(panel: Panel) -> tuple[str, ...]:
    names = [each.label for each in panel.series] + [name for _, name in panel.levels] + [each[3] for each in panel.band]
    return tuple(dict.fromkeys(name for name in names if name))


def _draw(axes: Axes, panel: Panel, pad: float) -> None:
    for y, low, high, name in panel.band:
        axes.fill_betweenx(y, low, high, color=GREY, alpha=0.25, linewidth=0, label=name, zorder=0)
    for order, each in enumerate(panel.series):
        _one(axes, each, order if each.colour is None else each.colour)
    for level, name in panel.levels:
        axes.axhline(level, color=INK, linestyle=":", linewidth=1.0, label=name, zorder=1)
    for at, name in panel.verticals:
        named_line(axes, at, name, 2)
    _scales(axes, panel)
    frame(axes, panel.title, panel.x_label, panel.y_label, size=10.5, pad=pad)


def _one(axes: Axes, series: Series, order: int) -> None:
    colour, marker = COLOURS[order % len(COLOURS)], MARKERS[order % len(MARKERS)]
    label = series.label
    if series.line is not None:
        axes.plot(*series.line, color=colour, linewidth=1.6, label=None if series.marks is not None else label, zorder=3)
    if series.marks is not None:
        marks = series.marks
        axes.errorbar(
            marks.x + series.shift,
            marks.value,
            yerr=None if np.isnan(marks.error).all() else 2 * marks.error,
            color=colour,
            marker=marker,
            markersize=5,
            markerfacecolor="white" if series.hollow else colour,
            linestyle="none",
            capsize=2.2,
            elinewidth=1.1,
            label=label,
            zorder=4,
        )
    if series.best is not None:
        axes.plot(
            *series.best,
            "*",
            color="white",
            markeredgecolor=colour,
            markersize=11,
            markeredgewidth=1.3,
            zorder=5,
            clip_on=False,
        )


def _scales(axes: Axes, panel: Panel) -> None:
    plain = FuncFormatter(lambda value, _: f"{value:g}")
    if panel.x_log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(plain)
    if panel.x_ticks:
        axes.set_xticks(list(panel.x_ticks))
    if panel.whole_x:
        whole_ticks(axes.xaxis)
    if panel.y_limits is not None:
        axes.set_ylim(*panel.y_limits)
    if panel.y_log:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        plain_ticks(axes.yaxis, 300 * low > high)


def _legend(axes: Axes, columns: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    axes.legend(
        list(once.values()),
        list(once),
        loc="upper center",
        bbox_to_anchor=(0.5, -0.17),
        ncols=columns,
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
        handlelength=1.8,
        columnspacing=1.2,
        borderaxespad=0.0,
    )
