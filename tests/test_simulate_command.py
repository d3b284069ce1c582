"""freshmix simulate, and the picture of theory beside simulation."""

import csv
import io
import json

import numpy as np
import pytest
import xarray as xr

import freshmix as fm
from freshmix import plots

from .test_cli import failure, invoke
from .test_plots import check_text

OPTIONS = ("simulate", "--aspect", 0.5, "--rows", 30, "--replicates", 4, "--generations", 3, "--seed", 7)


def test_numbers_are_those_of_the_front_door(tmp_path):
    files = [tmp_path / f"out.{kind}" for kind in ("nc", "csv", "json")]
    saves = [each for file in files for each in ("--save", file)]
    out = invoke(*OPTIONS, "--weights", "0.2,0.8", "--penalties", "0.1,1", *saves, width=120)
    loop = fm.Loop(aspect=0.5)
    grid = {"real_weight": [0.2, 0.8], "penalty": [0.1, 1.0]}
    expected = fm.simulate(fm.Population.isotropic(), loop, 3, rows=30, replicates=4, seed=7, **grid)
    with xr.open_dataset(files[0]) as stored:
        np.testing.assert_array_equal(stored.risk, expected.risk)
        assert stored.attrs["seed"] == 7
    summary = fm.mean_and_error(expected)
    content = json.loads(files[2].read_text())
    np.testing.assert_array_equal(content["mean"], summary["mean"])
    rows = list(csv.DictReader(io.StringIO(files[1].read_text())))
    assert len(rows) == 16
    np.testing.assert_allclose([float(row["mean"]) for row in rows], summary["mean"].values.ravel(), rtol=1e-12)
    theory = fm.risk(fm.Population.isotropic(), loop.replace(real_weight=0.8, penalty=1.0), 3)
    np.testing.assert_allclose(content["theory"][1][1], theory, rtol=1e-12)
    assert f"{theory[-1]:.5g}" in out


def test_without_a_weight_the_best_one_is_taken():
    assert "real weight 0.618 on all rows" in " ".join(invoke(*OPTIONS, width=200).split())


def test_what_theory_does_not_cover_is_simulated_without_it():
    out = invoke(*OPTIONS, "--labelled", 0.5, "--workflow", "accumulate")
    assert "theory" not in out
    assert "accumulate" in out


def test_warnings_are_printed():
    out = invoke(*OPTIONS[:2], 1.0, *OPTIONS[3:], "--real-weight", 0.5, width=200)
    assert "interpolation threshold" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--weights", "a"), "--weights must be numbers"),
        (("--weights", "2"), "real_weight"),
        (("--rows", "0"), "rows"),
        (("--entries", "cauchy"), "entries"),
        (("--engine", "magic"), "engine"),
        (("--save", "x.xls"), "--save must end in"),
        (("--schedule", "0.5", "--weights", "0.5"), "schedule"),
        (("--covariates", "fresh", "--engine", "spectral"), "frozen covariates"),
    ],
)
def test_bad_input_is_one_line(arguments, says, capsys):
    assert says in failure(capsys, *OPTIONS, *arguments)


def simulated(**grid):
    return fm.simulate(fm.Population.isotropic(), fm.Loop(aspect=0.5, penalty=0.1), 3, rows=30, replicates=4, **grid)


def test_the_picture_shows_means_and_bars():
    found = simulated(real_weight=[0.2, 0.8])
    summary = fm.mean_and_error(found)
    theory = summary["mean"] * 1.1
    figure = plots.compare(theory, found)
    check_text(figure)
    axes = figure.axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    np.testing.assert_array_equal(lines["theory w = 0.8"].get_ydata(), theory[1])
    bars = axes.collections[0].get_segments()
    np.testing.assert_allclose([bar[1, 1] - bar[0, 1] for bar in bars], 4 * summary.standard_error[0])


@pytest.mark.parametrize("along", ["generation", "real_weight", "penalty"])
def test_pictures_along_each_dimension(along):
    found = simulated(real_weight=[0.2, 0.8], penalty=[0.1, 1.0, 10.0])
    check_text(plots.compare(fm.mean_and_error(found)["mean"], found, along))
    check_text(plots.compare(None, found.isel(replicate=[0]), along))


def test_pictures_that_cannot_be_drawn():
    with pytest.raises(ValueError, match="along"):
        plots.compare(None, simulated(real_weight=[0.5]), "aspect")
    with pytest.raises(ValueError, match="at most 6"):
        plots.compare(None, simulated(real_weight=np.linspace(0, 1, 9)))
