"""The page's pictures show their tables, whatever the loop, and can be read on light as on dark."""

import base64
import json
import math

import numpy as np
import plotly.graph_objects as go
import pytest

import freshmix as fm
from freshmix import theory
from freshmix.explorer.pictures import NAMES, drawn, sent
from freshmix.explorer.pictures.style import COLOURS, broken
from freshmix.words import pictures as words

POPULATIONS = {
    "isotropic": fm.Population.isotropic(signal=2.0),
    "spiked": fm.Population.spiked(10.0, 0.7, features=200),
    "power law": fm.Population.power_law(1.2, 120, source=0.5),
    "null directions": fm.Population([0.0, 1.0, 4.0], [0.3, 0.5, 0.2], [0.0, 0.2, 0.8]),
    "no signal": fm.Population.isotropic(signal=0.0),
    "no noise": fm.Population.isotropic(noise_variance=0.0),
}
LOOPS = {
    "ridge": fm.Loop(aspect=1.4, penalty=0.1, real_weight=0.5),
    "min-norm": fm.Loop(aspect=2.0, real_weight=0.2),
    "synthetic only": fm.Loop(aspect=2.0, real_weight=0.0),
    "threshold": fm.Loop(aspect=1.0, real_weight=0.5),
    "fresh": fm.Loop(aspect=0.7, penalty=0.1, real_weight=0.5, covariates="fresh"),
    "diverging": fm.Loop.partially_labelled(aspect=1.2, labelled=0.5),
    "no synthetic noise": fm.Loop(aspect=0.5, real_weight=0.3, covariates="fresh", synthetic_noise_ratio=0.0),
}
# What the page lies on: the body and a card, light and dark.
PAGES = {"light": ("#ffffff", "#f8f9fa"), "dark": ("#242424", "#2e2e2e")}


def table(name, population, loop):
    if name == "risk_by_generation":
        return theory.by_generation(population, loop, 8)
    if name == "risk_by_weight":
        return theory.by_weight(population, loop, 3, points=21)
    if name == "weight_penalty":
        return theory.weight_penalty(population, loop, points=9)
    if name == "phase":
        return theory.phase_diagram(population, loop, points=17)
    if name == "ways":
        return theory.ways(population, fm.optimal_memory(population, loop, 3))
    return theory.spectrum(population)


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def assert_sent(picture, by_plotly):
    """What a browser gets is what plotly itself would send, to the digits of its numbers."""
    if isinstance(by_plotly, dict) and "bdata" in by_plotly:
        assert picture.get("shape") == by_plotly.get("shape")
        np.testing.assert_array_equal(numbers(picture), numbers(by_plotly))
    elif isinstance(by_plotly, dict):
        assert picture.keys() == by_plotly.keys()
        for key, value in by_plotly.items():
            assert_sent(picture[key], value)
    elif isinstance(by_plotly, list):
        assert len(picture) == len(by_plotly)
        for one, other in zip(picture, by_plotly, strict=True):
            assert_sent(one, other)
    elif by_plotly is None:
        assert picture is None or math.isnan(picture)
    else:
        assert picture == by_plotly


def numbers(coded):
    return np.frombuffer(base64.b64decode(coded["bdata"]), coded["dtype"]).astype(float)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("name", [name for name in NAMES if name != "ways"])
def test_every_state_has_its_picture(name, population, loop):
    """Pictures are made without plotly's checks, which cost more than all else: here they are checked."""
    population, loop = POPULATIONS[population], LOOPS[loop]
    if name == "phase" and loop.covariates == "frozen":
        with pytest.raises(ValueError, match="fresh"):
            table(name, population, loop)
        return
    found = table(name, population, loop)
    for template in COLOURS:
        figure = drawn(name, found, template)
        go.Figure(figure.to_dict())
        text = figure.to_json()
        assert_sent(sent(name, found, template), json.loads(text))
        json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} in the picture"))
        assert figure.layout.title.text
        assert figure.layout.xaxis.title.text
        for trace in figure.data:
            for values in (trace.x, trace.y, trace.z if trace.type == "contour" else None):
                if values is not None:
                    assert not np.isinf(np.array(values, dtype=float)).any()


@pytest.mark.parametrize("name", LOOPS)
def test_risk_by_generation_shows_its_table(name):
    population, loop = POPULATIONS["spiked"], LOOPS[name]
    best = {"best_weight": fm.optimal_weight(population, loop).loop}
    found = theory.by_generation(population, loop, 8, best)
    figure = drawn("risk_by_generation", found, "light")
    for key in found.data_vars:
        (curve,) = traces(figure, words.THEORY[key])
        values = np.where(np.isfinite(found[key]), found[key], np.nan)
        np.testing.assert_array_equal(curve.y, values)
    limit = found.loop.attrs["limit"]
    if math.isinf(limit):
        assert traces(figure, words.UNBOUNDED_IN_THE_END)
    else:
        (dashed,) = [trace for trace in figure.data if (trace.name or "").startswith("long run: ")]
        assert set(dashed.y) == {limit}
        assert dashed.line.dash == "dash"


def test_an_exploding_loop_has_a_logarithmic_axis_that_keeps_its_rivals():
    found = theory.by_generation(POPULATIONS["isotropic"], LOOPS["diverging"], 60)
    assert found.loop[-1] > 1e6 * found.real_only[-1]
    axis = drawn("risk_by_generation", found, "dark").layout.yaxis
    assert axis.type == "log"
    assert axis.range[0] < math.log10(found.real_only[-1]) < axis.range[1] < math.log10(found.loop[-1])


def test_points_of_a_simulation_with_their_errors():
    population, loop = POPULATIONS["isotropic"], LOOPS["ridge"]
    points = fm.mean_and_error(fm.simulate(population, loop, 5, rows=50, replicates=6))
    figure = drawn("risk_by_generation", theory.by_generation(population, loop, 5), "light", points=points)
    (drawn_points,) = traces(figure, words.SIMULATED)
    np.testing.assert_array_equal(drawn_points.y, points["mean"])
    np.testing.assert_array_equal(drawn_points.error_y.array, 2 * points.standard_error)
    single = fm.mean_and_error(fm.simulate(population, loop, 5, rows=50, replicates=1))
    figure = drawn("risk_by_generation", theory.by_generation(population, loop, 5), "light", points=single)
    assert not np.any(traces(figure, words.SIMULATED)[0].error_y.array)


@pytest.mark.parametrize("name", LOOPS)
def test_risk_by_weight_shows_its_table(name):
    population, loop = POPULATIONS["spiked"], LOOPS[name]
    found = theory.by_weight(population, loop, 3, points=21)
    figure = drawn("risk_by_weight", found, "light")
    for key, label in (("long_run", "in the long run"), ("at_horizon", "at generation 3")):
        (curve,) = traces(figure, label)
        np.testing.assert_array_equal(curve.x, found.real_weight)
        np.testing.assert_array_equal(curve.y, np.where(np.isfinite(found[key]), found[key], np.nan))
    facts = found.attrs
    assert facts["current"] == (loop.groups[0].real_weight, fm.limit(population, loop).risk)
    ring = traces(figure, words.HERE)
    assert bool(ring) == math.isfinite(facts["current"][1])
    assert all((each.x[0], each.y[0]) == facts["current"] for each in ring)
    stars = [trace for trace in figure.data if trace.type == "scatter" and trace.marker.symbol == "star"]
    assert all((each.x[0], each.y[0]) == (facts["best_weight"], facts["best_risk"]) for each in stars)
    # Least squares without synthetic noise averages for ever: its best risk, 0, is no place on a logarithmic axis.
    assert bool(stars) == (0 < facts["best_risk"] < math.inf)
    assert {(5**0.5 - 1) / 2, 0.5} <= {shape.x0 for shape in figure.layout.shapes}
    # Weights whose long run is unbounded are shaded.
    unbounded = found.real_weight.values[np.isinf(found.long_run)]
    bands = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert bool(bands) == bool(unbounded.size)
    assert all(band.x0 <= unbounded.min() and band.x1 >= unbounded.max() for band in bands)


@pytest.mark.parametrize("name", ["ridge", "fresh", "diverging"])
def test_weight_penalty_shows_its_table(name):
    population, loop = POPULATIONS["isotropic"], LOOPS[name]
    found = theory.weight_penalty(population, loop, points=15)
    figure = drawn("weight_penalty", found, "light")
    shades = figure.data[0]
    # Of the names of shades that plotly's Python knows a browser has some only, and none backwards.
    assert (shades.to_plotly_json()["colorscale"], shades.reversescale) == ("Cividis", True)
    risk = found.risk.transpose("penalty", "real_weight").values
    # Unbounded ones are said to be infinite: what is no number would be called NaN where it is pointed at.
    np.testing.assert_allclose(np.array(shades.customdata), risk, rtol=1e-6)
    level = np.clip(np.log10(risk), shades.zmin, shades.zmax)
    np.testing.assert_allclose(shades.z, level, rtol=1e-6, atol=1e-6)
    (best_at,) = traces(figure, words.BEST_AT_EACH_PENALTY)
    np.testing.assert_array_equal(best_at.x, found.best_at)
    np.testing.assert_array_equal(best_at.y, found.penalty)
    (star,) = [trace for trace in figure.data if trace.type == "scatter" and trace.marker.symbol == "star"]
    assert (star.x[0], star.y[0]) == (found.attrs["best_weight"], found.attrs["best_penalty"])
    (ring,) = traces(figure, words.HERE)
    assert found.attrs["current"] == (loop.groups[0].real_weight, loop.penalty)
    assert ring.x[0] == loop.groups[0].real_weight
    assert ring.y[0] == max(loop.penalty, found.penalty[0])
    assert bool(traces(figure, words.COLLAPSE)) == (name == "diverging")


def test_phase_covers_where_the_loop_diverges_and_can_be_clicked():
    population, loop = POPULATIONS["isotropic"], LOOPS["diverging"]
    found = theory.phase_diagram(population, loop, points=41)
    figure = drawn("phase", found, "dark")
    assert figure.layout.clickmode == "event"
    shades, region = figure.data[0], next(trace for trace in figure.data if trace.type == "contour" and trace.fillcolor)
    np.testing.assert_array_equal(shades.x, found.aspect)
    np.testing.assert_array_equal(shades.y, found.labelled)
    psi = found.collapse_number.transpose("labelled", "aspect").values
    # What meets the constraint is left as it is.
    assert (region.contours.operation, region.contours.value) == ("<", 0)
    np.testing.assert_array_equal(np.array(region.z) >= 0, psi >= 1)
    (ring,) = traces(figure, words.HERE)
    assert (ring.x[0], ring.y[0]) == (loop.aspect, loop.labelled)


@pytest.mark.parametrize("loop", ["ridge", "fresh", "diverging"])
@pytest.mark.parametrize("may_keep", ["model", "rows"])
def test_ways_show_their_table(loop, may_keep):
    population = POPULATIONS["isotropic"].replace(persistence=1.0 if loop == "ridge" else 0.9)
    found = theory.ways(population, fm.optimal_memory(population, LOOPS[loop], 3, may_keep))
    for template in COLOURS:
        figure = drawn("ways", found, template)
        go.Figure(figure.to_dict())
        assert_sent(sent("ways", found, template), json.loads(figure.to_json()))
        dots = [trace for trace in figure.data if trace.xaxis != "x2"]
        courses = [trace for trace in figure.data if trace.xaxis == "x2"]
        np.testing.assert_array_equal([dot.x[1] for dot in dots], found.at_horizon)
        np.testing.assert_array_equal([course.y for course in courses], found.risk)
        assert [not dot.marker.symbol.endswith("-open") for dot in dots] == found.allowed.values.tolist()
        assert list(figure.layout.yaxis.tickvals) == list(range(len(dots)))


def test_ways_far_behind_are_told():
    population = POPULATIONS["isotropic"]
    found = theory.ways(population, fm.optimal_memory(population, LOOPS["fresh"], 3))
    told = np.concatenate([found.at_horizon[:-2], [np.inf, 1000.0]])
    figure = drawn("ways", found.assign(at_horizon=("way", told)), "light")
    assert [note.text for note in figure.layout.annotations] == ["unbounded ▸", "1000 ▸"]


def test_spectrum_shows_its_table():
    found = theory.spectrum(POPULATIONS["spiked"])
    figure = drawn("spectrum", found, "light")
    for trace, name in zip(figure.data, ("share", "signal"), strict=True):
        assert trace.name == words.SPECTRUM_OF[name]
        np.testing.assert_array_equal(trace.y[1::3], found[name])
        np.testing.assert_allclose(np.log(trace.x[1::3]), np.log(found.eigenvalue), atol=0.05)
    assert "eigenvalue 11" in figure.data[0].hovertext[4]
    assert "30% of the directions have eigenvalue 0" in drawn(
        "spectrum", theory.spectrum(POPULATIONS["null directions"]), "light"
    ).layout.xaxis.title.text.replace("<br>", " ")


def test_text_and_lines_can_be_told_from_the_page():
    for template, pages in PAGES.items():
        for name, colour in COLOURS[template].items():
            if name not in ("paper", "grid"):
                for page in pages:
                    assert contrast(colour, page) >= (4.5 if name in ("ink", "grey") else 3.0), (template, name, page)
        assert contrast(COLOURS[template]["ink"], COLOURS[template]["paper"]) >= 4.5


def contrast(one, other):
    """Of two colours, as WCAG 2 has it."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_lines_of_text_are_about_as_long():
    label = "real weight w (share of the real label in the mix)"
    assert broken(label, 40) == "real weight w<br>(share of the real label in the mix)"
    title = "Long-run excess risk over aspect and labelled share"
    assert broken(title, 44) == "Long-run excess risk over<br>aspect and labelled share"
    assert broken("generation t (0: fitted on real labels)", 26) == "generation t<br>(0: fitted on real labels)"
    assert broken("penalty λ", 40) == "penalty λ"
    assert broken("", 40) == ""
