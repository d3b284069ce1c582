"""The spectrum: how many directions have which eigenvalue, and where the signal lies."""

import math
from typing import Any

import numpy as np
import xarray as xr

from ...arguments import Floats
from ...words import pictures as words
from ...words.figures import short
from .style import COLOURS, Picture, Template, figure_of, log_ticks

# What is left free at each end, in powers of ten at least, and as a part of the whole.
_ROOM, _PART = 0.15, 0.05
# Stems of the two shares stand beside each other, by this part of the axis.
_ASIDE = 0.006
# Bands of more directions than this are thin stems.
_MANY = 16


def figure(table: xr.Dataset, template: Template) -> Picture:
    """The table of ``theory.spectrum``: the share of directions at each eigenvalue beside the share of the signal there."""
    tau = table.eigenvalue.values
    low, high = math.log10(tau[0]), math.log10(tau[-1])
    room = max(_ROOM, _PART * (high - low))
    ticks = log_ticks(10 ** (low - room), 10 ** (high + room), close=high - low < 2.5)
    aside = 10 ** (_ASIDE * (high - low + 2 * room))
    hover = [
        words.of_eigenvalue(*map(short, each[:1]), *(short(100 * share) for share in each[1:]))
        for each in zip(tau, *(table[name].values for name in ("share", "signal", "share_above", "signal_above")), strict=True)
    ]
    traces = [
        _stems(template, tau * aside**side, table[name].values, words.SPECTRUM_OF[name], colour, symbol, hover)
        for name, colour, symbol, side in (("share", "blue", "circle", -1), ("signal", "vermillion", "diamond", 1))
    ]
    null = table.attrs["null_share"]
    return figure_of(
        template,
        words.SPECTRUM,
        words.EIGENVALUE if null == 0 else f"{words.EIGENVALUE}; {words.at_zero(short(100 * null))}",
        words.SHARE_OF_ALL,
        traces,
        xaxis={
            "type": "log",
            "range": [low - room, high + room],
            "tickvals": ticks.tolist(),
            "ticktext": [f"{tick:g}" for tick in ticks],
            "showgrid": False,
        },
        yaxis={"tickformat": ".0%", "rangemode": "tozero"},
    )


def _stems(
    template: Template, tau: Floats, values: Floats, name: str, colour: str, symbol: str, hover: list[str]
) -> dict[str, Any]:
    few = tau.size <= _MANY
    foot, gap = np.zeros(tau.size), np.full(tau.size, np.nan)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": np.column_stack([tau, tau, gap]).ravel(),
        "y": np.column_stack([foot, values, gap]).ravel(),
        "name": name,
        "line": {"color": COLOURS[template][colour], "width": 3 if few else 1.5},
        "marker": {"symbol": symbol, "size": [0, 9 if few else 5, 0] * tau.size, "opacity": 1, "line": {"width": 0}},
        "hovertext": [text for each in hover for text in ("", each, "")],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
