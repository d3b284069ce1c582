"""The paper's figures: scores by hand, sweep files that parse, small runs, and theory that is wrong on purpose."""

import csv
import math
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.stats import kstest, norm, t

import freshmix as fm
from freshmix.cli import main
from freshmix.processes import Here, Processes
from freshmix.reproduce import NAMES, figure, min_norm_weight, named, paper_figure, part
from freshmix.reproduce.beyond import accumulated
from freshmix.reproduce.paper_figure import produce
from freshmix.reproduce.part import content_of
from freshmix.reproduce.scores import mean_and_error, scores, threshold
from freshmix.reproduce.statistics import best_weight, growth, least_weight
from freshmix.sweeps import task
from freshmix.sweeps.spec import read_spec

from .test_cli import failure
from .test_plots import check_text
from .tolerances import largest_z

TINY = {"replicates": 2, "grid": {"rows": [20, 40]}}
QUICK = ("min-norm-weight", "min-norm-generations", "frozen-labels")


def over_rows(values, rows):
    return xr.DataArray(values, {"rows": rows}, "rows")


def test_score_by_hand():
    """From n and 2n rows: (2 * 0.2 - 0.3) / sqrt(4 * 0.01 + 0.01) = 0.1 / 0.2236, and many replicates make t normal."""
    difference, error = over_rows([0.3, 0.2], [10, 20]), over_rows([0.1, 0.1], [10, 20])
    assert math.isclose(float(scores(difference, error, 10**7)), 0.1 / math.sqrt(0.05), rel_tol=1e-5)
    # Welch and Satterthwaite: 9 * 0.05^2 / (0.04^2 + 0.01^2) degrees of freedom.
    z = float(scores(-difference, error, 10))
    assert z < 0
    assert math.isclose(norm.sf(-z), t.sf(0.1 / math.sqrt(0.05), 9 * 0.0025 / 0.0017), rel_tol=1e-10)


def test_score_of_one_number_of_rows():
    z = float(scores(over_rows([0.2], [100]), over_rows([0.1], [100]), 5))
    assert math.isclose(norm.sf(z), t.sf(2.0, 4), rel_tol=1e-10)
    with pytest.raises(ValueError, match="one or two"):
        scores(over_rows([1.0, 1.0, 1.0], [1, 2, 3]), over_rows([1.0, 1.0, 1.0], [1, 2, 3]), 5)


@pytest.mark.parametrize("difference", [math.nan, math.inf, 1e9])
def test_what_is_missing_or_far_off_is_no_agreement(difference):
    assert abs(float(scores(over_rows([0.1, difference], [10, 20]), over_rows([0.1, 0.1], [10, 20]), 20))) > 10


def test_scores_are_normal_whatever_the_bias_of_order_one_over_rows():
    rng = np.random.default_rng(5)
    rows, replicates = np.array([50, 100]), 12
    runs = rng.standard_normal((4000, replicates, 2)) * [3.0, 2.0] + 40.0 / rows
    risk = xr.DataArray(runs, {"rows": rows}, ("family", "replicate", "rows"))
    mean, error = mean_and_error(risk, lambda each: each)
    z = scores(mean, error, replicates)
    assert kstest(z.values, norm.cdf).pvalue > 1e-3


def test_mean_and_error_of_a_nonlinear_statistic():
    """Of the square of the mean, the jackknife takes away s^2 / R, exactly."""
    risk = xr.DataArray([1.0, 2.0, 4.0, 9.0], dims="replicate")
    value, error = mean_and_error(risk, lambda mean: mean**2)
    assert math.isclose(float(value), 16.0 - float(risk.var(ddof=1)) / 4)
    without = np.array([15.0, 14.0, 12.0, 7.0]) / 3
    assert math.isclose(float(error), math.sqrt(0.75 * ((without**2 - (without**2).mean()) ** 2).sum()))


def test_threshold_is_that_of_the_tests():
    assert threshold(60) == largest_z(60)


def test_best_weight_is_the_vertex():
    w = xr.DataArray([0.3, 0.5, 0.55, 0.6, 0.65], dims="real_weight")
    rows = xr.DataArray([10, 20], dims="rows")
    risk = (2 + (w - 0.57) ** 2 + 0 * rows).expand_dims(generation=[9]).assign_coords(real_weight=w.values)
    np.testing.assert_allclose(best_weight(risk, risk), 0.57, atol=1e-12)
    assert least_weight(risk, risk).values.tolist() == [0.55, 0.55]


def test_growth():
    powers = xr.DataArray(3.0 ** np.arange(5), dims="generation")
    assert math.isclose(float(growth(powers, powers)), 9.0)


def sizes():
    for name in NAMES:
        for sweep, quick in figure(name).sweeps.items():
            yield pytest.param(sweep, {}, id=sweep)
            yield pytest.param(sweep, quick, id=f"{sweep}, quick")


@pytest.mark.parametrize(("sweep", "changes"), list(sizes()))
def test_sweeps_have_whole_numbers_of_features_at_every_size(sweep, changes):
    """Theory is of aspect features / rows: rounded features would be another aspect."""
    plan = read_spec(content_of(sweep, changes))
    aspects = plan.axes.get("aspect") or [loop["aspect"] for loop in plan.loops.values()]
    rows = plan.axes.get("rows") or [plan.options["rows"]]
    features = np.outer(aspects, rows)
    np.testing.assert_allclose(features, np.round(features), atol=1e-9)
    assert len(rows) == 1 or rows[1] == 2 * rows[0]


def test_best_schedule_is_that_of_theory():
    schedule = content_of("min_norm_generations")["loops"]["best schedule"]["schedule"]
    np.testing.assert_allclose(schedule, fm.optimal_schedule(fm.Population.isotropic(), fm.Loop(aspect=2.0), 7), atol=1e-6)


def test_accumulated_least_squares():
    """Generation 0 is plain least squares; with few features the risk tends to pi^2/6 times that."""
    population = fm.Population.isotropic(noise_variance=2.0)
    loop = fm.Loop(aspect=0.25, real_weight=0.0, covariates="fresh")
    assert math.isclose(accumulated(population, loop, 0)[0], fm.risk(population, loop, 0)[0])
    found = accumulated(population, loop.replace(aspect=1e-9), 20000)
    assert math.isclose(found[-1] / found[0], math.pi**2 / 6, rel_tol=1e-4)


def run(name, changes, executor, tmp_path, monkeypatch):
    """The verdict on a figure whose picture and table are sound."""
    drawn = []

    def kept(shape, kind):
        drawn.append(shape)
        return picture(shape, kind)

    picture = paper_figure.picture
    monkeypatch.setattr(paper_figure, "picture", kept)
    verdict = produce(figure(name), tmp_path, tmp_path, changes, 2, executor)
    check_text(drawn[0])
    png, svg, table = (path.read_bytes() for path in verdict.files)
    assert png.startswith(b"\x89PNG")
    assert b"</svg>" in svg
    rows = list(csv.DictReader(table.decode().splitlines()))
    scored = [float(row["z"]) for row in rows if row["z"]]
    assert len(scored) >= verdict.points > 0
    assert np.isclose(max(map(abs, scored)), verdict.worst)
    assert math.isfinite(verdict.worst)
    assert {row["kind"] for row in rows} >= {"theory", "simulation"}
    return verdict


@pytest.mark.parametrize("name", QUICK)
def test_small_runs(name, tmp_path, monkeypatch):
    # Two replicates say little, so what they say is not asked here.
    run(name, dict.fromkeys(figure(name).sweeps, TINY), Here(), tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def processes():
    with Processes(2) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_quick_figures_agree(name, processes, tmp_path, monkeypatch):
    verdict = run(name, figure(name).sweeps, processes, tmp_path, monkeypatch)
    assert verdict.agrees, verdict


@pytest.fixture
def tiny(monkeypatch):
    """The first figure, small."""
    changes = {"replicates": 12, "noise": "expected", "grid": {"rows": [20, 40], "real_weight": [0.3, 0.6, 1.0]}}
    monkeypatch.setattr(min_norm_weight, "FIGURE", replace(min_norm_weight.FIGURE, sweeps={"min_norm_weight": changes}))


def reproduced(capsys, *arguments):
    code = main(["reproduce", *map(str, arguments)])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.out


def test_command_agrees_and_resumes(tiny, tmp_path, capsys, monkeypatch):
    arguments = ("1", "--quick", "--workers", 0, "--out", tmp_path / "out", "--store", tmp_path / "store")
    code, out = reproduced(capsys, *arguments)
    assert code == 0
    assert "must stay under" in out
    assert "agree" in out
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert set(written) == {f"min-norm-weight.{kind}" for kind in ("png", "svg", "csv")}

    def again(*_):
        raise AssertionError("nothing is missing")

    monkeypatch.setattr(task, "one_replicate", again)
    assert reproduced(capsys, *arguments) == (0, out)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == written


def test_wrong_theory_is_found(tiny, tmp_path, capsys, monkeypatch):
    right = part.limit_surface
    monkeypatch.setattr(part, "limit_surface", lambda *given, **grid: 2 * right(*given, **grid))
    code, out = reproduced(capsys, "min-norm-weight", "--quick", "--workers", 0, "--out", tmp_path)
    assert code == 1
    assert "DISAGREE" in out


def test_failed_runs_are_an_error(tiny, tmp_path, capsys, monkeypatch):
    def fails(*_):
        raise ArithmeticError("no luck")

    monkeypatch.setattr(task, "one_replicate", fails)
    assert "failed" in failure(capsys, "reproduce", "1", "--quick", "--workers", "0", "--out", tmp_path)


def test_list(capsys):
    code, out = reproduced(capsys, "--list")
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()] == [[str(i), name] for i, name in enumerate(NAMES, start=1)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("min-norm-wieght",), "did you mean min-norm-weight?"),
        (("10",), "from 1 to 9"),
        (("1", "--workers", "-1"), "workers"),
    ],
)
def test_bad_input_is_one_line(arguments, says, capsys, tmp_path):
    assert says in failure(capsys, "reproduce", *arguments, "--out", tmp_path / "out")


def test_names_and_numbers():
    assert named() == list(NAMES)
    assert named(["8", "min_norm_weight", "beyond"]) == ["min-norm-weight", "beyond"]
