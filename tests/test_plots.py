"""Pictures show the recommendation's own numbers, and nothing is cut off or covered."""

import math
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import freshmix as fm
from freshmix import plots
from freshmix.replays.check import Check


def recommendation(**changes: Any) -> fm.Recommendation:
    """A hand-made recommendation: made-up numbers of plausible shape."""
    w = np.linspace(0.0, 1.0, 101)
    with np.errstate(divide="ignore"):
        tuned = 0.2 + (0.3 * w**2 + 0.1 * (1 - w) ** 2) / (w * (2 - w))
    fixed = tuned * (1 + (w - 0.43) ** 2)
    t = np.arange(13)
    values: dict[str, Any] = {
        "loop": fm.Loop(aspect=0.5, penalty=0.12, real_weight=0.43),
        "real_weight": 0.43,
        "row_weight": 1.0,
        "penalty": 0.12,
        "alpha": 24.0,
        "risk": float(tuned[43]),
        "prediction_error": float(tuned[43]) + 1.1,
        "baselines": {"real_only": 0.5, "keep_all_labels": 0.25, "today": 0.41, "synthetic_only": math.inf},
        "intervals": {"noise_variance": (0.9, 1.3), "signal_to_noise_ratio": (0.5, 2.0), "risk": (0.2, 0.4)},
        "verdict": "improves",
        "reason": "synthetic labels average the noise of past real labels",
        "warnings": ("only 40 rows: the theory is asymptotic",),
        "population": fm.Population.isotropic(),
        "assumption": "Assumed loop: the same 200 rows relabelled in each generation.",
        "attained": True,
        "generations": None,
        "rows": 200,
        "features": 100,
        "aspect": 0.5,
        "noise_variance": 1.1,
        "signal_to_noise_ratio": 0.9,
        "notes": ("features standardised to mean 0 and variance 1",),
        "weight_grid": w,
        "risk_by_weight": fixed,
        "risk_by_weight_tuned": tuned,
        "risk_by_generation": {
            "recommended": 0.33 + 0.17 * 0.3**t,
            "real_only": np.full(13, 0.5),
            "synthetic_only": 0.5 + 0.3 * t,
            "today": 0.41 + 0.09 * 0.4**t,
        },
        "check": Check(0.34 + 0.16 * 0.3**t, 0.35 + 0.15 * 0.3**t, np.full(13, 0.01), 1.1, 150, "rows", 0.5),
    }
    return fm.Recommendation(**(values | changes))


UNBOUNDED = recommendation(
    risk=math.inf,
    prediction_error=math.inf,
    verdict="diverges",
    baselines={"real_only": math.inf, "keep_all_labels": math.inf, "today": None, "synthetic_only": math.inf},
    risk_by_weight=np.full(101, np.inf),
    risk_by_weight_tuned=np.full(101, np.inf),
    risk_by_generation={"recommended": np.full(13, np.inf)},
    check=None,
)
ZERO = recommendation(
    risk=0.0,
    baselines={"real_only": 0.0, "keep_all_labels": 0.0, "today": None, "synthetic_only": 0.0},
    risk_by_weight=np.zeros(101),
    risk_by_weight_tuned=np.zeros(101),
    risk_by_generation={"recommended": np.zeros(2), "real_only": np.zeros(2)},
)
EXPLODING = recommendation(
    generations=12,
    baselines={"real_only": 0.5, "keep_all_labels": 1e-9, "today": 0.41, "synthetic_only": 1e12},
    risk_by_generation={"recommended": np.full(13, 0.33), "synthetic_only": 0.5 * 10.0 ** np.arange(13)},
)
PICTURES = [plots.weight_picture, plots.generation_picture, plots.ways_picture, plots.check_picture, plots.all_pictures]
CASES = {"usual": recommendation(), "unbounded": UNBOUNDED, "zero": ZERO, "exploding": EXPLODING}


def lines(figure: Figure, axes: int = 0) -> dict[str, Any]:
    return {str(line.get_label()): line for line in figure.axes[axes].get_lines()}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "picture", [plots.weight_picture, plots.generation_picture, plots.ways_picture, plots.check_picture, plots.all_pictures]
)
def test_all_text_lies_in_the_figure_and_legends_cover_no_curve(picture: Any, case: str) -> None:
    figure = picture(CASES[case])
    check_text(figure)
    for axes in figure.axes:
        assert "(squared label units)" in axes.get_ylabel() + axes.get_xlabel()


def check_text(figure: Figure) -> None:
    """All text lies in the figure, and legends lie below their axes."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    for text in figure.findobj(Text):
        box = text.get_window_extent(renderer)
        # Matplotlib keeps labels of ticks beyond the axis limits, and does not draw them.
        if text.get_text() and not any(text in axes.get_xticklabels() + axes.get_yticklabels() for axes in figure.axes):
            assert 0 <= box.x0 <= box.x1 <= figure.bbox.x1, text
            assert 0 <= box.y0 <= box.y1 <= figure.bbox.y1, text
    for axes in figure.axes:
        if axes.get_legend() is not None:
            assert axes.get_legend().get_window_extent(renderer).y1 < axes.get_window_extent(renderer).y0


def test_weight_picture_shows_the_numbers() -> None:
    made = recommendation()
    drawn = lines(plots.weight_picture(made))
    dot = drawn["best mix: w = 0.43"]
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (made.real_weight, made.risk)
    finite = np.isfinite(made.risk_by_weight)
    assert np.array_equal(drawn["penalty λ = 0.12"].get_ydata()[finite], made.risk_by_weight[finite])
    assert np.array_equal(drawn["λ re-tuned at each weight"].get_ydata()[finite], made.risk_by_weight_tuned[finite])
    assert drawn["real labels only"].get_ydata()[0] == 0.5
    assert drawn["keep all real labels"].get_ydata()[0] == 0.25
    assert "synthetic labels only" not in drawn


def test_golden_ratio_is_marked() -> None:
    assert math.isclose(plots.GOLDEN_WEIGHT, 0.6180339887498949)
    axes = plots.weight_picture(recommendation()).axes[0]
    assert any(set(line.get_xdata()) == {plots.GOLDEN_WEIGHT} for line in axes.get_lines())
    assert any("0.618" in text.get_text() for text in axes.texts)
    elsewhere = recommendation(loop=fm.Loop(aspect=0.5, penalty=0.12, real_weight=0.43, labels="frozen"))
    assert not list(plots.weight_picture(elsewhere).axes[0].texts)


def test_one_curve_where_the_penalty_was_fixed() -> None:
    made = recommendation()
    drawn = lines(plots.weight_picture(recommendation(risk_by_weight_tuned=made.risk_by_weight)))
    assert "λ re-tuned at each weight" not in drawn


def test_generation_picture_shows_the_numbers() -> None:
    made = recommendation()
    drawn = lines(plots.generation_picture(made))
    assert list(drawn) == ["best mix", "real labels only", "synthetic labels only", "today's setting"]
    for line, course in zip(drawn.values(), made.risk_by_generation.values(), strict=True):
        assert np.array_equal(line.get_ydata(), course)


@pytest.mark.parametrize(("top", "scale"), [(2.0, "linear"), (30.0, "log")])
def test_axis_is_logarithmic_for_a_wide_range_only(top: float, scale: str) -> None:
    made = recommendation(risk=1.0, risk_by_generation={"recommended": np.array([top, 1.0])})
    assert plots.generation_picture(made).axes[0].get_yscale() == scale


def test_an_exploding_curve_does_not_flatten_the_others() -> None:
    low, high = plots.weight_picture(EXPLODING).axes[0].get_ylim()
    assert -0.1 * high < low < EXPLODING.risk < high < EXPLODING.risk * 1e5


def test_infinite_values_are_not_drawn() -> None:
    for line in plots.weight_picture(UNBOUNDED).axes[0].get_lines():
        assert not np.isinf(np.asarray(line.get_ydata(), dtype=float)).any()


def test_both_holds_the_two_pictures() -> None:
    figure = plots.both(recommendation())
    assert "best mix: w = 0.43" in lines(figure, 0)
    assert "today's setting" in lines(figure, 1)


@pytest.mark.parametrize(("generations", "words"), [(None, "in the long run"), (5, "after 5 retrainings")])
def test_title_names_the_horizon(generations: int | None, words: str) -> None:
    assert words in plots.weight_picture(recommendation(generations=generations)).axes[0].get_title()


def test_check_picture_shows_the_numbers() -> None:
    made = recommendation()
    figure = plots.check_picture(made)
    assert np.array_equal(lines(figure)["predicted"].get_ydata(), made.check.predicted)
    (bars,) = figure.axes[0].containers
    assert np.array_equal(bars.lines[0].get_ydata(), made.check.observed)
    assert "Yes: largest z-score +1.0" in figure.axes[0].get_title()
    assert "not checked" in plots.check_picture(UNBOUNDED).axes[0].texts[0].get_text()


def test_ways_picture_shows_the_numbers() -> None:
    made = recommendation(intervals={"prediction_error": (1.3, 1.6)})
    axes = plots.ways_picture(made).axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["best mix", "real labels only", "keep all real labels", "today's setting", "synthetic labels only"]
    dots = {float(line.get_ydata()[0]): float(line.get_xdata()[0]) for line in axes.get_lines() if line.get_marker() == "o"}
    assert dots == pytest.approx({0: made.prediction_error, 1: 1.6, 2: 1.35, 3: 1.51})
    assert any("unbounded" in text.get_text() for text in axes.texts)
    (interval,) = [line for line in axes.get_lines() if line.get_label() == "90% interval"]
    assert list(interval.get_xdata()) == [1.3, 1.6]


def test_ways_are_shown_by_how_far_they_are_behind_the_best() -> None:
    known = {"stored": "nothing", "allowed": True}
    gaps = {"keep_all": 0.0, "mixed": 0.1, "anchored": 0.2, "today": 0.3, "real_only": 40.0}
    ways = {
        name: known | {"difference": gap, "difference_interval": (gap / 2, 2 * gap), "prediction_error": 1.3 + gap}
        for name, gap in gaps.items()
    }
    made = recommendation(compare=lambda: {"best": "keep_all", "rivals": ways, "persistence": None})
    figure = plots.ways_picture(made)
    check_text(figure)
    (axes,) = figure.axes
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["all labels kept", "mixed", "anchored", "today's setting", "real labels only"]
    dots = {float(line.get_ydata()[0]): float(line.get_xdata()[0]) for line in axes.get_lines() if line.get_marker() == "o"}
    assert dots == pytest.approx({0: 0.0, 1: 0.1, 2: 0.2, 3: 0.3})
    # One that is far behind does not flatten the others.
    assert axes.get_xlim()[1] < 1
    assert any("40" in text.get_text() for text in axes.texts)


def test_a_schedule_has_a_line_instead_of_a_dot() -> None:
    drawn = lines(plots.weight_picture(recommendation(schedule=(0.5, 0.4))))
    assert "best schedule" in drawn
    assert not any(name.startswith("best mix: w") for name in drawn)
