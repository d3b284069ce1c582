"""Risk against the real weight, from theory."""

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..theory import Theory, by_weight
from ..words import pictures as words
from ..words.loop import horizon
from .style import BLUE, GREEN, ORANGE, PURPLE, VERMILLION, dress, figure_of, finite, golden_line, scale


def table(found: Theory) -> xr.Dataset:
    """What is drawn."""
    return by_weight(found.population, found.loop, found.generations)


def risk_by_weight(table: xr.Dataset) -> Figure:
    """The table of ``theory.by_weight``: long run (and generation T) against w; infinite values are left out."""
    figure = figure_of(6.2)
    paint(figure.subplots(), table)
    return figure


def paint(axes: Axes, table: xr.Dataset) -> None:
    """The picture on given axes."""
    facts = table.attrs
    curves = [("long_run", horizon(None), BLUE, "-")]
    if "at_horizon" in table:
        curves.append(("at_horizon", horizon(facts["generations"]), ORANGE, "-."))
    values = {name: finite(table[name].values) for name, *_ in curves}
    low, high = scale(axes, facts["best_risk"], [*values.values(), finite([facts["real_only"], facts["null"]])])
    for name, label, colour, dashes in curves:
        axes.plot(table.real_weight, values[name], color=colour, linestyle=dashes, linewidth=2.2, label=label, zorder=4)
    w, best = facts["best_weight"], facts["best_risk"]
    if low <= best <= high:
        axes.plot(
            w,
            best,
            "o",
            color=BLUE,
            markersize=8,
            label=f"best {horizon(None)}: {words.at({'real_weight': w})}",
            zorder=5,
            clip_on=False,
        )
    for name, label, colour, dashes in (
        ("real_only", words.WAYS["real_only"], VERMILLION, "--"),
        ("null", words.NULL, PURPLE, ":"),
    ):
        if low <= facts[name] <= high:
            axes.axhline(facts[name], color=colour, linestyle=dashes, linewidth=1.3, label=label, zorder=1)
    unbounded = table.real_weight.values[table.long_run.values == float("inf")]
    if unbounded.size:
        axes.plot([], [], " ", color=GREEN, label=words.unbounded(unbounded[0], unbounded[-1]))
    golden_line(axes)
    axes.set_xlim(0.0, 1.0)
    dress(axes, words.RISK_BY_WEIGHT, words.WEIGHT)


draw = risk_by_weight
