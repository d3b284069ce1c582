"""Does the theory fit? Predicted against replayed risk."""

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..recommendation import Recommendation
from ..words import pictures as words
from .style import BLUE, INK, SINGLE, VERMILLION, dress, figure_of, finite, scale, whole_ticks


def check_picture(recommendation: Recommendation) -> Figure:
    """Excess risk R_t (squared label units) of the recommended loop: predicted, and replayed on the table's own rows.

    Bars of the replay reach two standard errors. Empty where there was no replay.
    """
    figure = figure_of(SINGLE)
    draw_check(figure.subplots(), recommendation)
    return figure


def draw_check(axes: Axes, recommendation: Recommendation) -> None:
    """The picture on given axes."""
    check = recommendation.check
    title = words.check(None)
    if check is None:
        why = fill(recommendation.unchecked or "not checked", 48)
        axes.text(0.05, 0.9, why, transform=axes.transAxes, fontsize=9, color=INK, va="top")
    else:
        t = np.arange(check.predicted.size)
        predicted, observed, error = finite(check.predicted), finite(check.observed), 2 * finite(check.standard_error)
        scale(axes, float(predicted[-1]), [predicted, observed - error, observed + error])
        axes.plot(t, predicted, color=BLUE, linewidth=2.2, label=words.PREDICTED, zorder=3)
        axes.errorbar(
            t,
            observed,
            error,
            color=VERMILLION,
            fmt="o",
            markersize=5,
            capsize=3,
            label=words.REPLAYED,
            zorder=4,
        )
        title = words.check(check.fits, check.z[check.worst])
        axes.set_xlim(-0.04 * t[-1] - 0.1, 1.04 * t[-1] + 0.1)
        whole_ticks(axes.xaxis)
    dress(axes, title, words.of_generations(recommendation.step))
