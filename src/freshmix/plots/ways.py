"""The ways of training beside each other: how far each is behind the best, or their errors where no ways were compared."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..recommendation import Recommendation
from ..words import pictures as words
from ..words.figures import UNBOUNDED, short
from ..words.loop import RETRAININGS
from ..words.remembering import IN_TABLE
from .style import BLUE, GREEN, GREY, INK, ORANGE, RIVALS, SINGLE, VERMILLION, dress, figure_of

# Colours of ways that other pictures show, too.
OF_WAYS = {"real_only": VERMILLION, "keep_all": GREEN, "today": ORANGE}

# A way this many times worse than the recommendation is not drawn, and said so.
_MOST = 5.0
# Nor is one whose distance from the best is this many times the median of them.
_MOST_GAP = 8.0


def ways_picture(recommendation: Recommendation) -> Figure:
    """How far each way of training is above the best (squared label units), with 90% intervals of the differences.

    Where no ways were compared: their prediction errors, the noise variance, which no model goes below, and the 90% interval of
    the recommendation.
    """
    figure = figure_of(SINGLE)
    draw_ways(figure.subplots(), recommendation)
    return figure


def draw_ways(axes: Axes, recommendation: Recommendation) -> None:
    """The picture on given axes."""
    if recommendation.rivals:
        _draw_gaps(axes, recommendation)
    else:
        _draw_errors(axes, recommendation)
    axes.grid(axis="y", visible=False)


def _draw_gaps(axes: Axes, r: Recommendation) -> None:
    order = sorted(r.rivals, key=lambda name: (name != r.best, r.rivals[name]["prediction_error"]))
    gaps = np.array([r.rivals[name]["difference"] for name in order])
    ends = np.array([r.rivals[name]["difference_interval"] for name in order])
    others = gaps[gaps > 0]
    most = _MOST_GAP * float(np.median(others)) if others.size else math.inf
    near = np.flatnonzero(gaps <= most)
    for place, name in enumerate(order):
        colour = BLUE if name == r.best else OF_WAYS.get(name, GREY)
        if place in near:
            axes.plot(ends[place], [place, place], color=colour, linewidth=4, alpha=0.35, solid_capstyle="butt", zorder=2)
            axes.plot([gaps[place]], [place], "o", color=colour, markersize=8, zorder=3)
        else:
            _beyond(axes, place, gaps[place])
    axes.plot([], [], color=GREY, linewidth=4, alpha=0.5, label=words.INTERVAL)
    # An interval that reaches far beyond all ways is cut off there.
    low, high = float(min(0.0, ends[near].min())), float(min(ends[near].max(), 2 * max(gaps[near].max(), 0.0) or math.inf))
    margin = 0.08 * (high - low) or 0.1
    axes.set_xlim(low - margin, high + 2 * margin)
    axes.set_yticks(range(len(order)), [IN_TABLE[name] for name in order])
    axes.set_ylim(len(order) - 0.5, -0.5)
    last = len(r.risk_by_generation["recommended"]) - 1
    dress(axes, words.ways(last, r.step or RETRAININGS), words.GAP, "")


def _beyond(axes: Axes, place: int, value: float) -> None:
    text = UNBOUNDED if math.isinf(value) else short(value)
    axes.annotate(
        f"{text}  ▸", (1.0, place), xycoords=("axes fraction", "data"), ha="right", va="center", fontsize=9, color=INK
    )


def _draw_errors(axes: Axes, r: Recommendation) -> None:
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
            _beyond(axes, place, value)
    values = np.array([value for *_, value in rows if value <= _MOST * best] + [noise, low, high])
    values = values[np.isfinite(values)]
    if values.size:
        margin = 0.08 * float(np.ptp(values)) or 0.1 * abs(float(values[0])) or 0.1
        axes.set_xlim(float(values.min()) - margin, float(values.max()) + 2 * margin)
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    dress(axes, words.ways(r.generations, r.step or RETRAININGS), words.ERROR, "")
