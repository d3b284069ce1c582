"""Pictures of a Recommendation."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..recommendation import Recommendation
from ..words import pictures as words
from ..words.loop import RETRAININGS
from .check import draw_check
from .style import BLUE, GREY, RIVALS, SINGLE, draw_courses, dress, figure_of, finite, golden_line, scale
from .ways import draw_ways

_BASELINES = {"real_only": "--", "keep_all_labels": "-.", "synthetic_only": ":"}
_COURSES: dict[str, tuple[Any, str]] = {
    "real_only": ("--", "s"),
    "synthetic_only": (":", "^"),
    "today": ((0, (6, 2)), "D"),
    "keep_all_labels": ("-.", "v"),
    "constant_weight": ((0, (3, 1)), "P"),
}


def weight_picture(recommendation: Recommendation) -> Figure:
    """Excess risk R(w) at the horizon (squared label units) against the real weight w.

    One curve at the recommended penalty, one with the penalty re-tuned at each weight where they differ; a dot at the
    recommendation, a dashed line at the golden ratio 1/phi = 0.618 where that is the best weight without a penalty, faint
    lines for the baselines. Infinite values are left out.
    """
    figure = figure_of(SINGLE)
    draw_weights(figure.subplots(), recommendation)
    return figure


def generation_picture(recommendation: Recommendation) -> Figure:
    """Excess risk R_t (squared label units) of generations t = 0 ... T: the recommendation and its rivals."""
    figure = figure_of(SINGLE)
    draw_generations(figure.subplots(), recommendation)
    return figure


def both(recommendation: Recommendation) -> Figure:
    """The first two pictures side by side."""
    figure = figure_of(11.6)
    left, right = figure.subplots(1, 2)
    draw_weights(left, recommendation)
    draw_generations(right, recommendation)
    return figure


def all_pictures(recommendation: Recommendation) -> Figure:
    """The four pictures, for one PNG or PDF file."""
    figure = figure_of(11.6, 9.6)
    (one, two), (three, four) = figure.subplots(2, 2)
    draw_weights(one, recommendation)
    draw_generations(two, recommendation)
    draw_ways(three, recommendation)
    draw_check(four, recommendation)
    return figure


def draw_weights(axes: Axes, recommendation: Recommendation) -> None:
    """The picture of ``weight_picture`` on given axes."""
    fixed, tuned = finite(recommendation.risk_by_weight), finite(recommendation.risk_by_weight_tuned)
    dot = finite([recommendation.risk])
    lines = {
        name: value for name in _BASELINES if (value := recommendation.baselines.get(name)) is not None and np.isfinite(value)
    }
    low, high = scale(axes, dot[0], [fixed, tuned, dot, finite(list(lines.values()))])
    w = recommendation.weight_grid
    if recommendation.schedule is None:
        at_best = f"{words.RECOMMENDED}: {words.at({'real_weight': recommendation.real_weight})}"
        axes.plot(recommendation.real_weight, dot[0], "o", color=BLUE, markersize=8, label=at_best, zorder=5, clip_on=False)
        at_penalty = words.at_penalty(recommendation.penalty)
    else:
        axes.axhline(dot[0], color=BLUE, linewidth=1.2, label=words.SCHEDULE, zorder=2)
        at_penalty = words.CONSTANT
    axes.plot(w, fixed, color=BLUE, linewidth=2.2, label=at_penalty, zorder=4)
    if not np.allclose(fixed, tuned, rtol=1e-6, atol=0.0, equal_nan=True):
        style = (0, (6, 2))
        axes.plot(w, tuned, color=GREY, linestyle=style, linewidth=1.8, label=words.TUNED, zorder=3)
    for name, value in lines.items():
        if low <= value <= high:
            label, colour = RIVALS[name]
            axes.axhline(value, color=colour, linestyle=_BASELINES[name], linewidth=1.2, label=label, zorder=1)
    loop = recommendation.loop
    if loop.covariates == "frozen" and loop.renewal == 1 and loop.synthetic_noise_ratio == 1:
        golden_line(axes)
    axes.set_xlim(0.0, 1.0)
    title = words.best_weight(recommendation.generations, recommendation.step or RETRAININGS)
    dress(axes, title, words.WEIGHT if recommendation.labelled == 1 else words.WEIGHT_PARTLY)


def draw_generations(axes: Axes, recommendation: Recommendation) -> None:
    """The picture of ``generation_picture`` on given axes."""
    courses = {name: finite(course) for name, course in recommendation.risk_by_generation.items()}
    scale(axes, finite([recommendation.risk])[0], list(courses.values()))
    looks = {name: (*RIVALS.get(name, (name.replace("_", " "), GREY)), *_COURSES.get(name, ("-", "v"))) for name in courses}
    draw_courses(axes, courses, looks | {"recommended": (words.RECOMMENDED, BLUE, "-", "o")})
    dress(axes, words.COURSES, words.of_generations(recommendation.step))
