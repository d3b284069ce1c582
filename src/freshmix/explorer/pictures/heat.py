"""Shades of excess risk over two parameters, with contours, and the region where a loop diverges."""

import math
from typing import Any

import numpy as np

from ...arguments import Floats
from ...plots.ranges import of_shades
from ...words import pictures as words
from .style import COLOURS, MARK, SHADES, UNBOUNDED, WHITE, Template, log_ticks, said

# Lines of equal risk within the shades.
_LINES = 12
# The collapse number ranges over many powers of ten; clipped, its level 1 stays where it is.
_MOST_PSI = 3.0


def shades(template: Template, x: Floats, y: Floats, risk: Floats, null: float, hover: str) -> list[dict[str, Any]]:
    """Shade ``risk`` (len(y), len(x)) with lines of equal risk and a white one at the null risk.

    Unbounded risks are shaded as the largest ones are: ``diverging`` covers them. ``hover`` has the words of a point, with
    ``style.RISK`` for its risk.
    """
    found = of_shades(risk, null)
    if found is None:
        return [said(template, words.UNBOUNDED_THROUGHOUT)]
    low, high = math.log10(found.low), math.log10(found.high)
    with np.errstate(divide="ignore"):
        level = np.clip(np.log10(risk), low, high)
    ticks = log_ticks(found.low, found.high)
    colours = COLOURS[template]
    # Single precision is beyond what a screen shows, and halves what is sent.
    drawn = {
        "type": "contour",
        "x": x,
        "y": y,
        "z": level.astype(np.float32),
        "customdata": risk.astype(np.float32),
        "zmin": low,
        "zmax": high,
        "colorscale": SHADES,
        "reversescale": True,
        "contours": {"coloring": "heatmap", "start": low, "end": high, "size": (high - low) / _LINES},
        "line": {"width": 0.6, "color": "rgba(255, 255, 255, 0.45)"},
        "hovertemplate": f"{hover}<extra></extra>",
        "colorbar": {
            "title": {"text": words.RISK, "side": "right", "font": {"size": 12}},
            "tickvals": np.log10(ticks).tolist(),
            "ticktext": [f"{tick:g}" for tick in ticks],
            "thickness": 12,
            "outlinewidth": 0,
            "tickcolor": colours["ink"],
            "ticks": "outside",
            "ticklen": 3,
        },
        "name": words.RISK,
        "showlegend": False,
    }
    traces = [drawn]
    if np.nanmin(risk) < null < np.max(risk):
        with np.errstate(divide="ignore"):
            beside = np.clip(np.log10(risk / null), -3.0, 3.0)
        traces.append(_level(x, y, beside, WHITE, "dash"))
        traces.append(_key(words.NULL_LINE, colours["grey"], "dash"))
    return traces


def diverging(template: Template, x: Floats, y: Floats, collapse_number: Floats) -> list[dict[str, Any]]:
    """Cover where the collapse number (len(y), len(x)) is 1 or more, with the boundary as a line."""
    with np.errstate(divide="ignore"):
        psi = np.clip(np.log(collapse_number), -_MOST_PSI, _MOST_PSI)
    if psi.max() < 0:
        return []
    region = _level(x, y, psi, MARK, "solid", 2.2)
    # What meets a constraint is left as it is, and the rest is filled.
    region["contours"] |= {"operation": "<"}
    region["fillcolor"] = UNBOUNDED
    return [region, _key(words.COLLAPSE, MARK, "solid")]


def _level(x: Floats, y: Floats, values: Floats, colour: str, dash: str, width: float = 1.6) -> dict[str, Any]:
    """The line at level 0."""
    return {
        "type": "contour",
        "x": x,
        "y": y,
        "z": values.astype(np.float32),
        "contours": {"type": "constraint", "operation": "=", "value": 0.0},
        "line": {"color": colour, "width": width, "dash": dash},
        "hoverinfo": "skip",
        "showscale": False,
        "showlegend": False,
    }


def _key(name: str, colour: str, dash: str) -> dict[str, Any]:
    """The legend's line for a level."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [None],
        "y": [None],
        "name": name,
        "line": {"color": colour, "dash": dash, "width": 2.2},
        "hoverinfo": "skip",
    }
