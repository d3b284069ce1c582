"""The ways of training beside each other."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..recommendation import Recommendation
from ..words import pictures as words
from ..words.figures import UNBOUNDED
from .style import BLUE, GREY, INK, RIVALS, dress, figure_of

# A way this many times worse than the recommendation is not drawn, and said so.
_MOST = 5.0


def ways_picture(recommendation: Recommendation) -> Figure:
    """Prediction error (squared label units) of each way of training, and the noise variance, which no model goes below.

    The bar of the recommendation is its 90% interval.
    """
    figure = figure_of(5.8)
    draw_ways(figure.subplots(), recommendation)
    return figure


def draw_ways(axes: Axes, recommendation: Recommendation) -> None:
    """The picture on given axes."""
    r = recommendation
    best, noise = r.prediction_error, r.noise_variance
    rows = [(words.RECOMMENDED, BLUE, best)]
    for key, (name, colour) in RIVALS.items():
        risk = r.baselines.get(key)
        if risk is not None:
            rows.append((name, colour, risk + noise))
    if math.isfinite(noise):
        axes.axvline(noise, color=GREY, linestyle=(0, (5, 4)), linewidth=1.0, label=words.NOISE, zorder=0)
    low, high = r.intervals.get("prediction_error", (math.nan, math.nan))
    if math.isfinite(low) and math.isfinite(high):
        axes.plot([low, high], [0, 0], color=BLUE, linewidth=5, alpha=0.35, solid_capstyle="butt", label=words.INTERVAL)
    for place, (_, colour, value) in enumerate(rows):
        if value <= _MOST * best or not math.isfinite(best):
            axes.plot([value], [place], "o", color=colour, markersize=8, zorder=3)
        else:
            text = UNBOUNDED if math.isinf(value) else f"{value:.3g}"
            axes.annotate(
                f"{text}  ▸", (1.0, place), xycoords=("axes fraction", "data"), ha="right", va="center", fontsize=9, color=INK
            )
    values = np.array([value for *_, value in rows if value <= _MOST * best] + [noise, low, high])
    values = values[np.isfinite(values)]
    if values.size:
        margin = 0.08 * float(np.ptp(values)) or 0.1 * abs(float(values[0])) or 0.1
        axes.set_xlim(float(values.min()) - margin, float(values.max()) + 2 * margin)
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    dress(axes, words.ways(r.generations), words.ERROR, "")
    axes.grid(axis="y", visible=False)
