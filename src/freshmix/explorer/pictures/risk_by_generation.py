"""Risk by generation of a loop and its rivals, with the points of a simulation where there are some."""

import numpy as np
import xarray as xr

from ...arguments import Floats
from ...plots.ranges import finite, of_risks
from ...words import pictures as words
from ...words.figures import short
from .style import COLOURS, Picture, Template, Y, figure_of, line, risk_axis, said

# Colour, dash and marker, as in the pictures of matplotlib.
_LOOKS = {
    "loop": ("blue", "solid", "circle"),
    "best_weight": ("green", "dashdot", "diamond"),
    "best_loop": ("orange", "longdash", "triangle-down"),
    "real_only": ("vermillion", "dash", "square"),
    "synthetic_only": ("purple", "dot", "triangle-up"),
}


def figure(table: xr.Dataset, template: Template, points: xr.Dataset | None = None) -> Picture:
    """The table of ``theory.by_generation``, and of ``mean_and_error`` of a simulation of the same loop as ``points``.

    The long run of the loop is a thin dashed line; values far from the rivals leave the picture, infinite ones are gaps.
    """
    courses = {name: finite(table[name].values) for name in _LOOKS if name in table}
    t = table.generation.values
    # A loop that diverges leaves the picture, and its rivals stay.
    rival, last = float(courses["real_only"][-1]), float(courses["loop"][-1])
    null = table.attrs["null"]
    shown = list(courses.values())
    if points is not None:
        mean, error = finite(points["mean"].values), 2 * np.nan_to_num(finite(points["standard_error"].values))
        shown += [mean + error, np.where(2 * error < mean, mean - error, mean)]
    found = of_risks(rival if np.isfinite(rival) else last, shown)
    traces = [_course(template, t, name, courses[name]) for name in reversed(courses)]
    if found is not None and found.low <= null <= found.high:
        flat = np.full(t.size, null)
        hover = f"{words.MEAN}: {Y}<extra></extra>"
        traces.insert(0, line(template, t, flat, words.MEAN, "grey", dash="longdashdot", width=1.3, hovertemplate=hover))
    traces += _long_run(template, t, table["loop"].attrs["limit"])
    if points is not None:
        traces.append(_points(template, points.generation.values, mean, error))
    margin = 0.02 * max(int(t[-1]), 1)
    return figure_of(
        template,
        words.RISK_BY_GENERATION,
        words.GENERATION,
        words.RISK,
        traces,
        xaxis={"range": [-margin, max(int(t[-1]), 1) + margin], "tickformat": "d"},
        yaxis=risk_axis(found),
        hovermode="x unified",
        legend={"traceorder": "reversed"},
    )


def _course(template: Template, t: Floats, name: str, values: Floats) -> dict[str, object]:
    colour, dash, symbol = _LOOKS[name]
    label = words.THEORY[name]
    return line(
        template,
        t,
        values,
        label,
        colour,
        dash=dash,
        width=3.0 if name == "loop" else 1.8,
        mode="lines+markers",
        marker={"symbol": symbol, "size": 6, "maxdisplayed": 14},
        hovertemplate=f"{label}: {Y}<extra></extra>",
    )


def _long_run(template: Template, t: Floats, value: float) -> list[dict[str, object]]:
    if not np.isfinite(value):
        return [said(template, words.UNBOUNDED_IN_THE_END)]
    name = words.long_run(short(value))
    look = line(template, t[[0, -1]], np.full(2, value), name, "blue", dash="dash", width=1.2)
    return [look | {"hoverinfo": "skip"}]


def _points(template: Template, t: Floats, mean: Floats, error: Floats) -> dict[str, object]:
    ink = COLOURS[template]["ink"]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": t,
        "y": mean,
        "error_y": {"type": "data", "array": error, "color": ink, "thickness": 1.4, "width": 3},
        "name": words.SIMULATED,
        "marker": {"symbol": "circle-open", "size": 8, "color": ink, "line": {"width": 1.6}},
        "hovertemplate": f"{words.SIMULATION}: {Y} ± %{{error_y.array:.2~r}}<extra></extra>",
    }
