"""Pictures of a Recommendation. Values in, figures out: no risk is computed here, and no global state is kept."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike

from ._checks import Floats
from .recommend import Recommendation

# Okabe and Ito's palette: told apart with any kind of colour vision, and legible on white as on near-black.
BLUE, VERMILLION, GREEN, PURPLE, GREY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#80868e"
# Text and frames. A shade that nothing else has, so that a page can put its own text colour in its place.
INK = "#1a1a1b"

GOLDEN_WEIGHT = (5**0.5 - 1) / 2
# A logarithmic axis from this range on; curves further than the second one from the recommended risk leave the picture.
_LOG_RANGE, _MOST_RANGE = 20.0, 1e3
# Inches from the x axis down to the legend: room for the tick labels and the axis label.
_LEGEND_DROP = 0.5

_BASELINES = {
    "real_only": ("real labels only", VERMILLION, "--"),
    "keep_all_labels": ("keep all real labels", GREEN, "-."),
    "synthetic_only": ("synthetic labels only", PURPLE, ":"),
}
_COURSES = {
    "recommended": ("recommended", BLUE, "-", "o"),
    "real_only": ("real labels only", VERMILLION, "--", "s"),
    "synthetic_only": ("synthetic labels only", PURPLE, ":", "^"),
    "today": ("today's weight", GREEN, "-.", "D"),
}


def weight_picture(recommendation: Recommendation) -> Figure:
    """Excess risk R(w) at the horizon (squared label units) against the real weight w.

    One curve at the recommended penalty, one with the penalty re-tuned at each weight where they differ; a dot at the
    recommendation, a dashed line at the golden ratio 1/phi = 0.618, faint lines for the baselines. Infinite values are
    left out.
    """
    figure = _figure(5.8)
    _draw_weights(figure.subplots(), recommendation)
    return figure


def generation_picture(recommendation: Recommendation) -> Figure:
    """Excess risk R_t (squared label units) of generations t = 0 ... T: the recommendation and its rivals."""
    figure = _figure(5.8)
    _draw_generations(figure.subplots(), recommendation)
    return figure


def both(recommendation: Recommendation) -> Figure:
    """The two pictures side by side, for one PNG or PDF file."""
    figure = _figure(11.6)
    left, right = figure.subplots(1, 2)
    _draw_weights(left, recommendation)
    _draw_generations(right, recommendation)
    return figure


def _figure(width: float) -> Figure:
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    return Figure(figsize=(width, 4.8), dpi=150, layout=layout, facecolor="white")


def _draw_weights(axes: Axes, recommendation: Recommendation) -> None:
    fixed, tuned = _finite(recommendation.risk_by_weight), _finite(recommendation.risk_by_weight_tuned)
    dot = _finite([recommendation.risk])
    lines = {
        name: value for name in _BASELINES if (value := recommendation.baselines.get(name)) is not None and np.isfinite(value)
    }
    low, high = _scale(axes, dot[0], [fixed, tuned, dot, _finite(list(lines.values()))])
    w = recommendation.weight_grid
    at_best = f"recommended: w = {recommendation.real_weight:.4g}"
    axes.plot(recommendation.real_weight, dot[0], "o", color=BLUE, markersize=8, label=at_best, zorder=5, clip_on=False)
    axes.plot(w, fixed, color=BLUE, linewidth=2.2, label=f"penalty λ = {recommendation.penalty:.4g}", zorder=4)
    if not np.allclose(fixed, tuned, rtol=1e-6, atol=0.0, equal_nan=True):
        style = (0, (6, 2))
        axes.plot(w, tuned, color=GREY, linestyle=style, linewidth=1.8, label="λ re-tuned at each weight", zorder=3)
    for name, value in lines.items():
        if low <= value <= high:
            label, colour, dashes = _BASELINES[name]
            axes.axhline(value, color=colour, linestyle=dashes, linewidth=1.2, label=label, zorder=1)
    axes.axvline(GOLDEN_WEIGHT, color=GREY, linestyle=(0, (5, 4)), linewidth=0.9, zorder=0)
    # Above the frame, where no curve runs.
    axes.annotate(
        "golden ratio 1/φ = 0.618",
        (GOLDEN_WEIGHT, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=8,
        color=INK,
    )
    axes.set_xlim(0.0, 1.0)
    t = recommendation.generations
    _dress(axes, f"Best real weight {'in the long run' if t is None else f'at generation {t}'}")
    axes.set_xlabel("real weight w (share of the real label in the mix)", fontsize=10, color=INK)


def _draw_generations(axes: Axes, recommendation: Recommendation) -> None:
    courses = {name: _finite(course) for name, course in recommendation.risk_by_generation.items()}
    _scale(axes, _finite([recommendation.risk])[0], list(courses.values()))
    last = max([1, *(course.size - 1 for course in courses.values())])
    for order, (name, course) in enumerate(courses.items()):
        label, colour, dashes, marker = _COURSES.get(name, (name.replace("_", " "), GREY, "-", "v"))
        best = name == "recommended"
        axes.plot(
            np.arange(course.size),
            course,
            color=colour,
            linestyle=dashes,
            linewidth=2.4 if best else 1.5,
            marker=marker,
            # Of curves that coincide, the markers stand beside each other.
            markevery=(order, len(courses) * (1 + course.size // 24)) if course.size > 8 else None,
            markersize=5,
            label=label,
            zorder=4 if best else 3,
        )
    axes.set_xlim(-0.02 * last, 1.02 * last)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    _dress(axes, "Risk by generation")
    axes.set_xlabel("generation t (0: fitted on real labels)", fontsize=10, color=INK)


def _dress(axes: Axes, title: str) -> None:
    """What both pictures share: frame, grid, labels, and a legend below, where it covers nothing."""
    axes.set_title(title, fontsize=11, color=INK, pad=18)
    axes.set_ylabel("excess risk (squared label units)", fontsize=10, color=INK)
    axes.set_facecolor("none")
    axes.tick_params(which="both", labelsize=9, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.grid(color=GREY, alpha=0.2, linewidth=0.6)
    figure = axes.get_figure(root=True)
    assert figure is not None
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=axes.transAxes + ScaledTranslation(0.0, -_LEGEND_DROP, figure.dpi_scale_trans),
        ncols=2,
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
        handlelength=3,
        borderaxespad=0.0,
    )


def _finite(values: ArrayLike) -> Floats:
    """A copy with NaN, which is not drawn, in place of infinities."""
    result = np.array(values, dtype=np.float64)
    result[~np.isfinite(result)] = np.nan
    return result


def _scale(axes: Axes, anchor: float, curves: list[Floats]) -> tuple[float, float]:
    """Set the y axis for these curves, logarithmic where they span a wide range; return its limits.

    ``anchor`` is the recommended risk: the picture reaches _MOST_RANGE times above and below it at most.
    """
    values = np.concatenate(curves)
    values = values[np.isfinite(values)]
    if values.size == 0:
        axes.set_yticks([])
        axes.text(0.05, 0.9, "unbounded throughout", transform=axes.transAxes, fontsize=9, color=INK)
        return 0.0, 1.0
    if anchor > 0:
        near = (values >= anchor / _MOST_RANGE) & (values <= anchor * _MOST_RANGE)
        values = values[near] if near.any() else values
    low, high = float(values.min()), float(values.max())
    if low > 0 and high > _LOG_RANGE * low:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 300 else (1.0,)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        limits = low * (low / high) ** 0.06, high * (high / low) ** 0.06
    else:
        margin = 0.06 * (high - low) or 0.1 * abs(high) or 0.05
        limits = low - margin, high + margin
    axes.set_ylim(*limits)
    return limits
