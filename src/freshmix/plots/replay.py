"""A replay with any model: errors on rows held out, by generation and real weight."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..words import pictures as words
from .comparison import draw_means
from .style import COLOURS, GOLDEN_WEIGHT, MARKERS, SINGLE, dress, figure_of, named_line, scale, whole_ticks

if TYPE_CHECKING:
    import xarray as xr

    from ..estimators import FoundWeight

# Of the x axis, between two weights.
_APART = 0.006


def replay_picture(found: "xr.Dataset") -> Figure:
    """Errors of ``freshmix.replay``, a panel for each measure: means of its repeats, with bars of two standard errors.

    By generation, a line for each real weight; of more weights than there are colours, by weight, in the last generation.
    """
    measures = list(found.data_vars)
    figure = figure_of(max(6.6, SINGLE * len(measures)))
    panels = figure.subplots(1, len(measures), squeeze=False)[0]
    for axes, name in zip(panels, measures, strict=True):
        values = found[name].transpose("repeat", "real_weight", "generation").to_numpy()
        weights, last = found["real_weight"].to_numpy(), int(found["generation"][-1])
        if weights.size <= len(COLOURS):
            drawn = []
            for k, w in enumerate(weights):
                look = {"color": COLOURS[k], "marker": MARKERS[k], "linestyle": "-", "label": words.at({"real_weight": w})}
                # Beside each other: all weights have the same splits, and bars of nearly the same length.
                apart = _APART * (k - (weights.size - 1) / 2) * last
                drawn += draw_means(axes, found["generation"].to_numpy() + apart, values[:, k], **look)
            whole_ticks(axes.xaxis)
            label = words.GENERATION
        else:
            drawn = draw_means(axes, weights, values[:, :, -1], color=COLOURS[0], marker="o", linestyle="-")
            named_line(axes, GOLDEN_WEIGHT, words.ONE_OVER_PHI, 3)
            label = words.WEIGHT
        scale(axes, 0.0, drawn)
        dress(axes, words.replayed(len(values), last, weights.size > len(COLOURS)), label, words.MEASURES[str(name)])
    return figure


def found_weight_picture(found: "FoundWeight") -> Figure:
    """What each weight's error is above the best one's, with bars of two standard errors, and the interval."""
    figure = figure_of(6.2)
    draw_found_weight(figure.subplots(), found)
    return figure


def draw_found_weight(axes: Axes, found: "FoundWeight") -> None:
    """The picture on given axes."""
    axes.axvspan(*found.interval, color=COLOURS[0], alpha=0.12, linewidth=0, label=words.NOT_TOLD_APART)
    others = found.weights != found.real_weight
    axes.errorbar(
        found.weights[others],
        found.differences[others],
        yerr=2 * found.difference_errors[others],
        color=COLOURS[0],
        marker="o",
        markersize=5,
        linestyle="none",
        capsize=2.5,
        zorder=4,
        label=words.ABOVE_BEST,
    )
    axes.plot(
        found.real_weight, 0.0, "D", color=COLOURS[1], markersize=8, zorder=5, label=words.best_of_tried(found.real_weight)
    )
    axes.plot(found.weights, found.differences, color=COLOURS[0], linewidth=1.2, alpha=0.6, zorder=3)
    named_line(axes, GOLDEN_WEIGHT, words.ONE_OVER_PHI, 3)
    low = float(np.min(found.differences - 2 * found.difference_errors))
    high = float(np.max(found.differences + 2 * found.difference_errors))
    margin = 0.06 * (high - low) or 1.0
    axes.set_ylim(low - margin, high + margin)
    axes.set_xlim(-0.02, 1.02)
    dress(axes, words.FOUND_WEIGHT, words.WEIGHT, words.above(found.measure))
