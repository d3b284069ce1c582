"""freshmix simulate, and the picture of theory beside simulation."""

import csv
import io
import json
import os
import signal

import numpy as np
import pytest
import xarray as xr

import freshmix as fm
from freshmix import plots
from freshmix.cli import main
from freshmix.simulation import spectral

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
        (("--weights", "2", "--covariates", "fresh"), "--real-weight"),
        (("--rows", "0"), "rows"),
        (("--entries", "cauchy"), "entries"),
        (("--engine", "magic"), "engine"),
        (("--save", "x.xls"), "--save must end in"),
        (("--schedule", "0.5", "--weights", "0.5"), "schedule"),
        (("--label-noise", "no-such-file.txt"), "no-such-file.txt"),
        (("--device", "gpu"), "device"),
        (("--dtype", "float16"), "dtype"),
        (("--weights", ",".join("0.5" for _ in range(7)), "--penalties", "1,2,3,4,5,6,7", "--save", "x.png"), "six curves"),
        (("--covariates", "fresh", "--engine", "spectral"), "frozen covariates"),
    ],
)
def test_bad_input_is_one_line(arguments, says, capsys):
    assert says in failure(capsys, *OPTIONS, *arguments)


@pytest.fixture
def interruptible():
    """Ctrl-C as on a terminal; programs that run in the background inherit that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interruption_keeps_what_was_finished(monkeypatch, capsys, tmp_path):
    engine = spectral.risks

    def interrupted(setting, replicates):
        if 3 in replicates:
            os.kill(os.getpid(), signal.SIGINT)
        return engine(setting, replicates)

    monkeypatch.setattr(spectral, "risks", interrupted)
    target = tmp_path / "part.nc"
    arguments = (*OPTIONS[:6], 4000, *OPTIONS[7:], "--save", target)
    assert main([str(each) for each in arguments]) == 130
    out, err = capsys.readouterr()
    assert err == "freshmix: interrupted\n"
    assert "3 of 4000 replicates" in " ".join(out.split())
    with xr.open_dataset(target) as stored:
        assert stored.risk.sizes["replicate"] == 3
        assert stored.attrs["partial"] == 1


@pytest.mark.usefixtures("interruptible")
def test_an_interruption_before_the_first_leaves_nothing(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(spectral, "risks", lambda setting, replicates: os.kill(os.getpid(), signal.SIGINT))
    assert "interrupted" in failure(capsys, *OPTIONS, "--save", tmp_path / "part.nc", code=130)
    assert list(tmp_path.iterdir()) == []


def test_theory_is_that_of_whole_features(tmp_path):
    target = tmp_path / "out.json"
    invoke("simulate", "--aspect", 0.37, "--rows", 50, "--replicates", 2, "--real-weight", 0.5, "--save", target)
    theory = fm.risk(fm.Population.isotropic(), fm.Loop(aspect=18 / 50, real_weight=0.5), 10)
    np.testing.assert_allclose(json.loads(target.read_text())["theory"], theory, rtol=1e-12)


def test_numbers_to_resample_come_from_a_file(tmp_path):
    residuals = tmp_path / "residuals.txt"
    residuals.write_text("1\n2.5\n-3\n")
    target = tmp_path / "out.nc"
    invoke(*OPTIONS, "--real-weight", 0.5, "--noise", "sampled", "--label-noise", residuals, "--save", target)
    loop = fm.Loop(aspect=0.5, real_weight=0.5)
    options = {"rows": 30, "replicates": 4, "seed": 7, "noise": "sampled"}
    expected = fm.simulate(fm.Population.isotropic(), loop, 3, label_noise=[1.0, 2.5, -3.0], **options)
    with xr.open_dataset(target) as stored:
        np.testing.assert_array_equal(stored.risk, expected.risk)


@pytest.mark.parametrize(
    ("grids", "shown"),
    [
        (("--weights", "0.2,0.8", "--penalties", "0.1,1"), "generation"),
        (("--weights", "0.2,0.4,0.6,0.8", "--penalties", "0.1,1"), "real_weight"),
        (("--weights", "0.2,0.8", "--penalties", "0.1,1,2,3"), "penalty"),
    ],
)
def test_the_picture_has_the_axis_that_leaves_few_curves(grids, shown, tmp_path, monkeypatch):
    drawn = []
    compare = plots.compare

    def noted(theory, found, along):
        drawn.append(along)
        return compare(theory, found, along)

    monkeypatch.setattr(plots, "compare", noted)
    out = invoke(*OPTIONS, *grids, "--save", tmp_path / "out.svg", width=200)
    assert drawn == [shown]
    assert "a grid of penalties; a grid of real weights on all rows" in out


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


def test_a_diverging_loop_is_shown_from_the_start():
    loop = fm.Loop.partially_labelled(aspect=0.9, labelled=0.5)
    found = fm.simulate(fm.Population.isotropic(), loop, 12, rows=60, replicates=4)
    axes = plots.compare(None, found).axes[0]
    low, high = axes.get_ylim()
    mean = found.risk.mean("replicate")
    assert mean[-1] > 1e3 * mean[0]
    assert axes.get_yscale() == "log"
    assert low < mean.min()
    assert mean.max() < high


def test_pictures_that_cannot_be_drawn():
    with pytest.raises(ValueError, match="along"):
        plots.compare(None, simulated(real_weight=[0.5]), "aspect")
    with pytest.raises(ValueError, match="at most 6"):
        plots.compare(None, simulated(real_weight=np.linspace(0, 1, 9)))


MEMORY = ("--covariates", "fresh", "--kept-generations", "all", "--forgetting", 0.7, "--first-rows", 0.5, "--persistence", 0.9)


def test_what_a_loop_remembers_comes_from_options():
    options = (*MEMORY, "--anchor", 0.5, "--row-sizes", "1:2,4:1", "--real-weight", 0.5, "--penalty", 0.2, "--judged", "next")
    content = json.loads(invoke(*OPTIONS, *options, "--json"))
    population = fm.Population.isotropic().replace(persistence=0.9, row_sizes=([0.5, 2.0], [2 / 3, 1 / 3]))
    loop = fm.Loop(
        aspect=0.5,
        penalty=0.2,
        real_weight=0.5,
        covariates="fresh",
        anchor=0.5,
        kept_generations=None,
        forgetting=0.7,
        first_rows=0.5,
    )
    found = fm.simulate(population, loop, 3, rows=30, replicates=4, seed=7, judged="next")
    np.testing.assert_array_equal(content["mean"], fm.mean_and_error(found)["mean"])
    # Rows kept beside an anchor have no theory.
    assert "theory" not in content
    said = " ".join(invoke(*OPTIONS, *options, width=200).split())
    for each in (
        "pulled towards 0.5 times the previous model",
        "labelled rows of all earlier generations kept in the fit, each counting 0.7 of the next",
        "generation 0 on 0.5 times as many rows",
        "judged on the next generation's coefficients",
    ):
        assert each in said


def test_kept_rows_beside_theory():
    # Without a weight they go with real labels alone; features and rows of generation 0 are whole numbers.
    content = json.loads(invoke(*OPTIONS, *MEMORY, "--penalty", 0.2, "--judged", "next", "--json"))
    loop = fm.Loop(
        aspect=0.5, penalty=0.2, real_weight=1.0, covariates="fresh", kept_generations=None, forgetting=0.7, first_rows=0.5
    )
    theory = fm.risk(fm.Population.isotropic().replace(persistence=0.9), loop, 3, judged="next")
    np.testing.assert_allclose(content["theory"], theory, rtol=1e-12)


def test_renewed_labels_and_weights_beyond_one():
    content = json.loads(invoke(*OPTIONS, "--label-renewal", 0.4, "--real-weight", 1.5, "--penalty", 0.2, "--json"))
    loop = fm.Loop(aspect=0.5, penalty=0.2, real_weight=1.5, label_renewal=0.4)
    np.testing.assert_allclose(content["theory"], fm.risk(fm.Population.isotropic(), loop, 3), rtol=1e-12)
    said = " ".join(invoke(*OPTIONS, "--label-renewal", 0.4, "--real-weight", 1.5, width=200).split())
    assert "real labels with 40% of their noise new each time" in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--kept-generations", "few"), "--kept-generations must be a whole number or all, got 'few'"),
        (("--kept-generations", 2), "--kept-generations needs --covariates fresh"),
        (("--row-sizes", "1,2"), "--row-sizes must be sizes and shares such as"),
        (("--row-sizes", "0:1,2:1"), "--row-sizes must be sizes and shares above 0"),
        (("--persistence", 0.9), "persistence below 1 needs --covariates fresh"),
        (("--anchor", 2), "--anchor must be a number between 0 and 1"),
        (("--judged", "later"), "--judged must be one of now, next"),
    ],
)
def test_faults_of_what_is_remembered(capsys, options, says):
    assert says in failure(capsys, *OPTIONS, *options)


def test_theory_of_kept_rows():
    content = json.loads(invoke("theory", "--aspect", 0.5, *MEMORY, "--penalty", 0.2, "--generations", 3, "--json"))
    assert content["best_weight"] is None
    assert set(content["risk_by_generation"]) == {"loop", "real_only"}
    said = " ".join(invoke("theory", "--aspect", 0.5, *MEMORY, "--penalty", 0.2, width=200).split())
    assert "coefficients drift, persistence 0.9" in said
    assert "there is no weight to choose" in said
