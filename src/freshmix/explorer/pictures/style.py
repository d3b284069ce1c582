"""What the page's pictures share: colours on light and on dark, frame, axes, hover, legend."""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from textwrap import wrap
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Floats
from ...plots import palette
from ...plots.ranges import Range
from ...words import pictures as words

Template = Literal["light", "dark"]
# A figure as plotly knows it: ``data`` and ``layout``.
Picture = dict[str, Any]

FONT = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
# The palette of all pictures, by name. Where one of its colours is too near to a page's background for a line, a shade of it.
COLOURS: Mapping[Template, Mapping[str, str]] = {
    "light": {
        "ink": palette.INK,
        "grey": "#6b7178",
        "grid": "rgba(128, 134, 142, 0.25)",
        "paper": "#ffffff",
        "blue": palette.BLUE,
        "vermillion": palette.VERMILLION,
        "green": "#00855f",
        "purple": "#b3588d",
        "orange": "#a87300",
    },
    "dark": {
        "ink": "#e8e8ea",
        "grey": "#a3a9b1",
        "grid": "rgba(160, 166, 174, 0.22)",
        "paper": "#2e2e2e",
        "blue": "#56b4e9",
        "vermillion": "#ff8a3d",
        "green": "#1fc498",
        "purple": palette.PURPLE,
        "orange": palette.ORANGE,
    },
}
# Where a risk is unbounded: on the colours of shades as on both pages.
UNBOUNDED = "#3b3b3f"
# What the pictures of shades are drawn over is of their own colours, whatever the page.
WHITE, MARK = "#ffffff", palette.VERMILLION
# By the name that plotly has in a browser, from dark to light.
SHADES = "Cividis"

# d3's three significant digits, written out, without zeros at the end.
NUMBER = ".3~r"
X, Y, RISK = (f"%{{{name}:{NUMBER}}}" for name in ("x", "y", "customdata"))

# Characters of a line in the narrowest picture.
_TITLE_WIDTH, _LABEL_WIDTH = 44, 40
# And of one that stands upright in the lowest picture.
_HEIGHT = 24
_TICKS = np.array([1.0, 2.0, 5.0])


def figure_of(template: Template, title: str, x: str, y: str, traces: Sequence[Mapping[str, Any]], **layout: Any) -> Picture:
    """A figure in the page's style; ``layout`` has what is special to it."""
    colours = COLOURS[template]
    shared = {
        "template": {},
        "title": {"text": broken(title, _TITLE_WIDTH), "x": 0.0, "pad": {"l": 8}, "xanchor": "left", "font": {"size": 14}},
        "font": {"family": FONT, "size": 12, "color": colours["ink"]},
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "margin": {"l": 58, "r": 14, "t": 30 + 19 * len(wrap(title, _TITLE_WIDTH)), "b": 56},
        "xaxis": axis(template, x),
        "yaxis": axis(template, y, _HEIGHT),
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": colours["paper"],
            "bordercolor": colours["grey"],
            "font": {"family": FONT, "size": 12, "color": colours["ink"]},
            "align": "left",
            "namelength": -1,
        },
        "legend": {
            "orientation": "h",
            "x": 0.0,
            "xanchor": "left",
            "xref": "container",
            "y": 0.0,
            "yanchor": "bottom",
            "yref": "container",
            "font": {"size": 11.5},
            "bgcolor": "rgba(0, 0, 0, 0)",
        },
        "dragmode": False,
        "colorway": [colours[name] for name in ("blue", "vermillion", "green", "orange", "purple", "grey")],
    }
    # What the picture says of an axis is added to what all axes have.
    return {"data": [dict(trace) for trace in traces], "layout": _joined(shared, layout)}


def axis(template: Template, title: str, width: int = _LABEL_WIDTH, **more: Any) -> dict[str, Any]:
    """An axis with its title, broken where the narrowest picture ends."""
    colours = COLOURS[template]
    return {
        "title": {"text": broken(title, width), "standoff": 8},
        "showline": True,
        "linecolor": colours["ink"],
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": colours["ink"],
        "gridcolor": colours["grid"],
        "zeroline": False,
        "automargin": True,
        **more,
    }


def risk_axis(found: Range | None) -> dict[str, Any]:
    """Range and ticks of an axis of risks."""
    if found is None:
        return {"range": [0, 1], "showticklabels": False}
    if not found.log:
        return {"range": [found.low, found.high]}
    ticks = log_ticks(found.low, found.high, found.close)
    return {
        "type": "log",
        "range": [math.log10(found.low), math.log10(found.high)],
        "tickvals": ticks.tolist(),
        "ticktext": [f"{tick:g}" for tick in ticks],
    }


def log_ticks(low: float, high: float, close: bool = True) -> Floats:
    """Powers of ten between two positive ends, and 2 and 5 times those where they stand ``close``."""
    powers = 10.0 ** np.arange(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = np.outer(powers, _TICKS if close else _TICKS[:1]).ravel()
    return ticks[(ticks >= low * (1 - 1e-9)) & (ticks <= high * (1 + 1e-9))]


def line(
    template: Template,
    x: ArrayLike,
    y: ArrayLike,
    name: str,
    colour: str,
    *,
    dash: str = "solid",
    width: float = 2.0,
    **more: Any,
) -> dict[str, Any]:
    """A curve; NaN is a gap."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.asarray(x),
        "y": np.asarray(y),
        "name": name,
        "line": {"color": COLOURS[template][colour], "dash": dash, "width": width},
        **more,
    }


def said(template: Template, name: str) -> dict[str, Any]:
    """A line of the legend without a curve: what cannot be drawn."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [None],
        "y": [None],
        "name": name,
        "marker": {"color": "rgba(0, 0, 0, 0)"},
        "hoverinfo": "skip",
    }


def here(template: Template, place: tuple[float, float], hover: str, *, on_shades: bool = False) -> dict[str, Any]:
    """The ring around what the controls say."""
    colours = COLOURS[template]
    fill, edge = (WHITE, palette.INK) if on_shades else (colours["paper"], colours["ink"])
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [place[0]],
        "y": [place[1]],
        "name": words.HERE,
        "marker": {"symbol": "circle", "size": 12, "color": fill, "line": {"color": edge, "width": 2.5}},
        "hovertemplate": f"{hover}<extra></extra>",
        "cliponaxis": False,
    }


@cache
def broken(text: str, width: int) -> str:
    """Lines of at most so many characters: broken before a bracket, or into lines of about the same length."""
    if len(text) <= width:
        return text
    head, bracket, tail = text.partition(" (")
    if bracket and max(len(head), len(tail) + 1) <= width:
        return f"{head}<br>({tail}"
    lines = wrap(text, width)
    while len(shorter := wrap(text, width - 1)) == len(lines) and width > 2:
        lines, width = shorter, width - 1
    return "<br>".join(lines)


def _joined(shared: dict[str, Any], special: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(shared)
    for key, value in special.items():
        known = result.get(key)
        result[key] = _joined(known, value) if isinstance(known, dict) and isinstance(value, Mapping) else value
    return result
