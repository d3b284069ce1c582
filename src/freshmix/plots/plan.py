"""Excess risk against labels per generation: what a label budget buys."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..words import pictures as words
from .style import BLUE, GREEN, ORANGE, PURPLE, VERMILLION, dress, figure_of, finite, plain_ticks, scale

if TYPE_CHECKING:
    from ..plans import Plan


def plan_picture(plan: "Plan") -> Figure:
    """The curve of a plan with its 90% band, its rivals, the target and the plan's own point."""
    figure = figure_of(6.6)
    draw_plan(figure.subplots(), plan)
    return figure


def draw_plan(axes: Axes, plan: "Plan") -> None:
    """The picture on given axes."""
    curve = plan.curve
    labels = curve["labels"]
    rivals = [
        ("real_only", words.PLAN["real_only"], VERMILLION, "--"),
        ("keep_all_labels", words.PLAN["keep_all_labels"], GREEN, "-."),
    ]
    lines = [finite(curve["risk"]), *(finite(curve[name]) for name, *_ in rivals)]
    levels = [finite([plan.null_risk])] + ([] if plan.target is None else [finite([plan.target])])
    anchor = plan.risk if np.isfinite(plan.risk) else plan.null_risk
    low, high = scale(axes, anchor, [*(each[each > 0] for each in lines), *levels])
    band = np.clip(finite(curve["risk_low"]), low, high), np.clip(finite(curve["risk_high"]), low, high)
    axes.fill_between(labels, *band, color=BLUE, alpha=0.15, linewidth=0, label=words.INTERVAL)
    axes.plot(labels, lines[0], color=BLUE, linewidth=2.4, label=words.BEST_LOOP, zorder=4)
    for (_, name, colour, dashes), values in zip(rivals, lines[1:], strict=True):
        axes.plot(labels, values, color=colour, linestyle=dashes, linewidth=1.5, label=name, zorder=3)
    axes.axhline(plan.null_risk, color=PURPLE, linestyle=":", linewidth=1.3, label=words.MEAN, zorder=1)
    if plan.target is not None:
        axes.axhline(plan.target, color=ORANGE, linestyle=(0, (6, 2)), linewidth=1.3, label=words.TARGET, zorder=2)
    if np.isfinite(plan.labels) and low <= plan.risk <= high:
        text = words.planned(plan.labels, plan.cost)
        axes.plot(plan.labels, plan.risk, "o", color=BLUE, markersize=8, label=text, zorder=5, clip_on=False)
    if labels[-1] > labels[0]:
        axes.set_xscale("log")
        axes.set_xlim(labels[0], labels[-1])
    plain_ticks(axes.xaxis, labels[-1] < 300 * labels[0])
    dress(axes, words.plan(plan.generations), words.LABELS)
