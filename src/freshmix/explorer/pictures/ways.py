"""Ways to remember side by side, each at its best: at the horizon, and by generation."""

import math
from typing import Any

import numpy as np
import xarray as xr

from ...plots.ranges import finite, of_risks
from ...words import pictures as words
from ...words.figures import short
from ...words.memory import STORED
from ...words.remembering import IN_TABLE, NAMES
from .style import COLOURS, Picture, Template, Y, axis, figure_of, line, risk_axis

# Colour, dash and marker.
_LOOKS = {
    "real_only": ("vermillion", "dash", "square"),
    "mixed": ("blue", "solid", "circle"),
    "anchored": ("orange", "longdash", "triangle-down"),
    "anchored_mixed": ("purple", "dashdot", "diamond"),
    "keep_all": ("green", "dot", "triangle-up"),
    "forgetting": ("ink", "longdashdot", "cross"),
    "window": ("grey", "dash", "x"),
}
# A way this many times worse than the best leaves the upper half, and says so.
_MOST = 5.0
# Pixels of the picture: a line for each way, and the lower half.
_LINE, _REST = 26, 440
_GAP = 0.2
# Characters of a label, beside the names of the ways.
_LABEL_WIDTH = 26


def figure(table: xr.Dataset, template: Template) -> Picture:
    """The table of ``theory.ways``: above, the risk of each at the horizon; below, by generation."""
    names = [str(name) for name in table.way.values]
    height = _LINE * len(names) + _REST
    share = (_LINE * len(names) + 10) / (height - 130)
    horizon, t = finite(table.at_horizon.values), table.generation.values
    courses = {name: finite(table.risk.sel(way=name).values) for name in names}
    # What rises without bound leaves the picture; the ways that may be carried out stay.
    best = float(table.at_horizon.sel(way=table.attrs["best"]))
    found = of_risks(best, list(courses.values()))
    most = _MOST * float(np.nanmin(horizon)) if np.isfinite(horizon).any() else math.inf
    shown = np.where((horizon <= most) | (most == 0), horizon, np.nan)
    traces, notes = [], []
    for place, name in enumerate(names):
        facts = table.sel(way=name)
        hover = words.of_way(NAMES[name], short(float(facts.at_horizon)), STORED[str(facts.stored.item())], bool(facts.allowed))
        traces.append(_dot(template, name, place, shown[place], bool(facts.allowed), hover))
        if not np.isfinite(shown[place]):
            notes.append(_beyond(place, float(facts.at_horizon)))
        traces.append(_course(template, name, t, courses[name]))
    right = float(np.nanmax(shown)) * 1.08 if np.isfinite(shown).any() else 1.0
    return figure_of(
        template,
        words.memory(table.attrs["generations"]),
        "",
        "",
        traces,
        height=height,
        showlegend=False,
        xaxis=axis(template, words.RISK, width=_LABEL_WIDTH, anchor="y", range=[0, right or 1.0]),
        yaxis={
            "domain": [1 - share, 1],
            "range": [len(names) - 0.5, -0.5],
            "tickvals": list(range(len(names))),
            "ticktext": [IN_TABLE[name] for name in names],
            "showgrid": False,
            "ticks": "",
            "showline": False,
        },
        xaxis2=axis(template, words.GENERATION, width=_LABEL_WIDTH, anchor="y2", tickformat="d"),
        yaxis2=axis(template, words.RISK, width=_LABEL_WIDTH, anchor="x2", domain=[0, 1 - share - _GAP], **risk_axis(found)),
        annotations=notes,
    )


def _dot(template: Template, name: str, place: int, value: float, allowed: bool, hover: str) -> dict[str, Any]:
    colour, _, symbol = _LOOKS[name]
    shade = COLOURS[template][colour]
    # A way that may not be carried out is hollow.
    symbol = symbol if allowed else f"{symbol}-open"
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [0.0, value],
        "y": [place, place],
        "line": {"color": shade, "width": 3},
        "marker": {"symbol": symbol, "size": [0, 12], "opacity": 1, "color": shade},
        "name": NAMES[name],
        "hovertemplate": f"{hover}<extra></extra>",
        "cliponaxis": False,
    }


def _course(template: Template, name: str, t: Any, values: Any) -> dict[str, Any]:
    colour, dash, symbol = _LOOKS[name]
    return line(
        template,
        t,
        values,
        NAMES[name],
        colour,
        dash=dash,
        mode="lines+markers",
        marker={"symbol": symbol, "size": 6, "maxdisplayed": 14},
        xaxis="x2",
        yaxis="y2",
        hovertemplate=words.of_generation(NAMES[name], "%{x}", Y) + "<extra></extra>",
    )


def _beyond(place: int, value: float) -> dict[str, Any]:
    return {
        "x": 1.0,
        "xref": "x domain",
        "y": place,
        "xanchor": "right",
        "text": f"{short(value)} ▸",
        "showarrow": False,
    }
