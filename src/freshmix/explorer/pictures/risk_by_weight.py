"""Risk against the real weight: in the long run and at the horizon."""

from typing import Any

import numpy as np
import xarray as xr

from ...plots.palette import GOLDEN_WEIGHT
from ...plots.ranges import Range, finite, of_risks
from ...words import pictures as words
from ...words.loop import horizon
from .style import COLOURS, Picture, Template, X, Y, figure_of, here, line, risk_axis, said


def figure(table: xr.Dataset, template: Template) -> Picture:
    """The table of ``theory.by_weight``: the best weight, 1/2, 1/phi and the loop's own weight are marked."""
    facts = table.attrs
    w = table.real_weight.values
    curves = {"long_run": (horizon(None), "blue", "solid")}
    if "at_horizon" in table:
        curves["at_horizon"] = (horizon(facts["generations"]), "orange", "dashdot")
    values = {name: finite(table[name].values) for name in curves}
    best = finite([facts["best_risk"]])[0]
    found = of_risks(best, [*values.values(), finite([facts["real_only"], facts["null"]])])
    traces = []
    for name, (label, colour, dash) in curves.items():
        hover = words.of_weight(label, X, Y) + "<extra></extra>"
        traces.append(line(template, w, values[name], label, colour, dash=dash, width=2.6, hovertemplate=hover))
    for name, label, colour, dash in (
        ("real_only", words.WAYS["real_only"], "vermillion", "dash"),
        ("null", words.MEAN, "grey", "longdashdot"),
    ):
        if _inside(found, facts[name]):
            flat = line(template, [0.0, 1.0], np.full(2, facts[name]), label, colour, dash=dash, width=1.4)
            traces.append(flat | {"hovertemplate": f"{label}: {Y}<extra></extra>"})
    if _inside(found, best):
        traces.append(_best(template, facts["best_weight"], best))
    current = facts["current"]
    if current is not None and _inside(found, current[1]):
        traces.append(here(template, current, words.of_weight(words.HERE, X, Y)))
    shapes = [_rule(template, x, dash) for x, dash in ((0.5, "dot"), (GOLDEN_WEIGHT, "dash"))]
    unbounded = w[np.isinf(table.long_run.values)]
    if unbounded.size:
        traces.append(said(template, words.unbounded(unbounded[0], unbounded[-1])))
        shapes.append(_band(template, unbounded[0], unbounded[-1]))
    return figure_of(
        template,
        words.RISK_BY_WEIGHT,
        words.WEIGHT,
        words.RISK,
        traces,
        xaxis={"range": [-0.01, 1.01], "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1], "hoverformat": ".3~r"},
        yaxis=risk_axis(found),
        shapes=shapes,
        annotations=[_named(template, 0.5, "1/2", words.HALF), _named(template, GOLDEN_WEIGHT, "1/φ", words.GOLDEN)],
    )


def _inside(found: Range | None, value: float) -> bool:
    return found is not None and found.low <= value <= found.high


def _best(template: Template, w: float, risk: float) -> dict[str, Any]:
    colours = COLOURS[template]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [w],
        "y": [risk],
        "name": words.best(horizon(None), {"real_weight": w}),
        "marker": {"symbol": "star", "size": 14, "color": colours["blue"], "line": {"color": colours["paper"], "width": 1}},
        "hovertemplate": words.of_weight(words.best(horizon(None)), X, Y) + "<extra></extra>",
        "cliponaxis": False,
    }


def _rule(template: Template, x: float, dash: str) -> dict[str, Any]:
    """A thin vertical line through the picture."""
    colour = COLOURS[template]["grey"]
    ends = {"x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper"}
    return {"type": "line", **ends, "line": {"color": colour, "width": 1.2, "dash": dash}, "layer": "below"}


def _band(template: Template, low: float, high: float) -> dict[str, Any]:
    """Weights whose long run is unbounded."""
    ends = {"x0": low - 0.005, "x1": high + 0.005, "y0": 0, "y1": 1, "yref": "paper"}
    return {
        "type": "rect",
        **ends,
        "fillcolor": COLOURS[template]["grey"],
        "opacity": 0.22,
        "line": {"width": 0},
        "layer": "below",
    }


def _named(template: Template, x: float, text: str, hover: str) -> dict[str, Any]:
    """The name of a vertical line, above the frame where no curve runs."""
    return {
        "x": x,
        "y": 1.0,
        "yref": "paper",
        "yanchor": "bottom",
        "text": text,
        "showarrow": False,
        "hovertext": hover,
        "font": {"size": 12, "color": COLOURS[template]["ink"]},
    }
