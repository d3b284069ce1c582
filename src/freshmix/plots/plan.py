"""Typical error against labels per generation, for each way of remembering: what a label budget buys."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..words import pictures as words
from .style import BLUE, COLOURS, GREY, INK, ORANGE, dress, figure_of, plain_ticks

if TYPE_CHECKING:
    from ..plans import Plan

# A way this many times worse than the best one at its worst leaves the picture.
_MOST = 1.6
_DASHES = ("--", "-.", ":", (0, (6, 2)), (0, (3, 1, 1, 1)))


def plan_picture(plan: "Plan") -> Figure:
    """The root of the prediction error of each way by labels per generation, with the plan's own point.

    The best way has its 90% band; a line stands where the table is now, and another at the target.
    """
    figure = figure_of(7.0, 5.4)
    draw_plan(figure.subplots(), plan)
    return figure


def draw_plan(axes: Axes, plan: "Plan") -> None:
    """The picture on given axes."""
    curves, best = plan.curves, plan.best
    labels = curves["labels"]
    low, high = np.sqrt(curves["low"]), np.sqrt(curves["high"])
    axes.fill_between(labels, low, high, color=BLUE, alpha=0.15, linewidth=0, label=words.INTERVAL)
    others = [name for name in plan.ways if name != best]
    for name, colour, dashes in zip(others, COLOURS[1:], _DASHES, strict=True):
        axes.plot(labels, np.sqrt(curves[name]), color=colour, linestyle=dashes, linewidth=1.5, label=words.WAY[name], zorder=3)
    root = np.sqrt(curves[best])
    axes.plot(labels, root, color=BLUE, linewidth=2.4, label=words.WAY[best], zorder=4)
    if plan.advice.goal is not None:
        axes.axhline(
            np.sqrt(plan.advice.goal), color=ORANGE, linestyle=(0, (6, 2)), linewidth=1.3, label=words.TARGET, zorder=2
        )
    way = plan.ways[best]
    if np.isfinite(way["labels"]):
        text = words.planned(way["labels"], way["cost"])
        axes.plot(way["labels"], way["rmse"], "o", color=BLUE, markersize=8, label=text, zorder=5, clip_on=False)
    axes.axvline(plan.advice.labels_now, color=GREY, linestyle=(0, (5, 4)), linewidth=0.9, zorder=0)
    axes.annotate(
        words.now(plan.advice.labels_now),
        (plan.advice.labels_now, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=8,
        color=INK,
    )
    ends = [float(low.min()), _MOST * float(root.min()), float(high.max())]
    goal = [] if plan.advice.goal is None else [float(np.sqrt(plan.advice.goal))]
    bottom, top = min([ends[0], *goal]), max([min(ends[2], max(ends[1], float(root.max()))), *goal])
    margin = 0.05 * (top - bottom) or 0.05 * top or 1.0
    axes.set_ylim(bottom - margin, top + margin)
    if labels[-1] > labels[0]:
        axes.set_xscale("log")
        axes.set_xlim(labels[0], labels[-1])
    plain_ticks(axes.xaxis, labels[-1] < 300 * labels[0])
    dress(axes, words.plan(plan.advice.compared_at, plan.advice.step), words.labels(plan.advice.step), words.ROOT)
