"""Long-run risk over real weight and penalty."""

import numpy as np
import xarray as xr

from ...words import pictures as words
from .heat import diverging, shades
from .style import MARK, RISK, WHITE, Picture, Template, X, Y, figure_of, here, line, log_ticks


def figure(table: xr.Dataset, template: Template) -> Picture:
    """The table of ``theory.weight_penalty``: the best pair, the best weight at each penalty, and the loop's own pair."""
    w, penalty = table.real_weight.values, table.penalty.values
    risk = table.risk.transpose("penalty", "real_weight").values
    traces = shades(template, w, penalty, risk, table.attrs["null"], words.of_pair(RISK, X, Y))
    if "collapse_number" in table:
        traces += diverging(template, w, penalty, table.collapse_number.transpose("penalty", "real_weight").values)
    best_at = line(template, table.best_at.values, penalty, words.BEST_AT_EACH_PENALTY, "vermillion", dash="dash", width=2.2)
    best_at["line"]["color"] = MARK
    traces.append(best_at | {"hovertemplate": words.best_at(X, Y) + "<extra></extra>"})
    best = table.attrs["best_weight"], table.attrs["best_penalty"]
    label = words.best("", {"real_weight": best[0], "penalty": best[1]})
    # A best penalty of 0, or one beyond the picture, is marked at its edge.
    place = float(np.clip(best[1], penalty[0], penalty[-1]))
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": [best[0]],
            "y": [place],
            "name": label,
            "marker": {"symbol": "star", "size": 16, "color": WHITE, "line": {"color": MARK, "width": 2}},
            "hovertemplate": f"{label}<extra></extra>",
            "cliponaxis": False,
        }
    )
    current = table.attrs["current"]
    if current is not None:
        place = float(np.clip(current[1], penalty[0], penalty[-1]))
        hover = words.here({"real_weight": current[0], "penalty": current[1]})
        traces.append(here(template, (current[0], place), hover, on_shades=True))
    ticks = log_ticks(penalty[0], penalty[-1], close=False)
    return figure_of(
        template,
        words.RISK_SURFACE,
        words.WEIGHT,
        words.PENALTY,
        traces,
        xaxis={"range": [0, 1], "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1], "showgrid": False},
        yaxis={
            "type": "log",
            "range": np.log10(penalty[[0, -1]]).tolist(),
            "tickvals": ticks.tolist(),
            "ticktext": [f"{tick:g}" for tick in ticks],
            "showgrid": False,
        },
        clickmode="event",
    )
