"""What theory says of a loop, as tables, pictures and on the command line."""

import csv
import io
import json
import math

import numpy as np
import pytest
from matplotlib.figure import Figure

import freshmix as fm
from freshmix import plots
from freshmix import theory as tables
from freshmix.cli import main
from freshmix.optima import improving_weights
from freshmix.population_file import MODELS, named_population, read_population
from freshmix.risks.fresh import varied

from .test_cli import failure, invoke
from .test_plots import check_text
from .tolerances import CLOSED, LAW

GROUPS = [fm.Group(0.3, 1.0, 0.8), fm.Group(0.3, 2.0, 0.5), fm.Group(0.4, 0.5, 0.0)]
LOOPS = {
    "min-norm": fm.Loop(aspect=2.0, real_weight=0.2),
    "ridge": fm.Loop(aspect=0.7, penalty=0.1),
    "schedule": fm.Loop(aspect=2.0, penalty=0.1, schedule=[0.5, 0.4]),
    "frozen labels": fm.Loop(aspect=2.0, penalty=0.1, real_weight=0.5, labels="frozen"),
    "rho 0": fm.Loop(aspect=2.0, real_weight=0.5, synthetic_noise_ratio=0.0),
    "synthetic only": fm.Loop(aspect=2.0, real_weight=0.0),
    "fresh": fm.Loop(aspect=0.7, penalty=0.1, real_weight=0.5, covariates="fresh"),
    "partial": fm.Loop.partially_labelled(aspect=1.2, labelled=0.5),
    "three groups": fm.Loop(aspect=0.7, penalty=0.05, covariates="fresh", groups=GROUPS),
    "threshold": fm.Loop(aspect=1.0, real_weight=0.5),
}
POPULATION = fm.Population.spiked(5.0, 0.5, signal=2.0)
PICTURES = {
    "generation": (lambda p, loop: tables.theory(p, loop, 8).by_generation, plots.risk_by_generation),
    "weight": (lambda p, loop: tables.by_weight(p, loop, 3, points=21), plots.risk_by_weight),
    "surface": (lambda p, loop: tables.weight_penalty(p, loop, points=11), plots.risk_surface),
}


@pytest.mark.parametrize("name", LOOPS)
def test_tables_hold_what_the_front_door_says(name):
    loop = LOOPS[name]
    found = tables.theory(POPULATION, loop, 4)
    if found.filled_in:
        assert found.loop == fm.optimal_weight(POPULATION, loop).loop
    np.testing.assert_array_equal(found.by_generation["loop"], fm.risk(POPULATION, found.loop, 4))
    limit = fm.limit(POPULATION, found.loop)
    assert found.limit == limit
    assert found.by_generation["real_only"].attrs["limit"] == limit.real_only
    assert found.by_generation["loop"].attrs["limit"] == limit.risk
    assert found.best_loop.risk <= found.best_weight.risk * (1 + LAW)
    assert (found.collapse_boundary is None) == (loop.covariates == "frozen")


@pytest.mark.parametrize("generations", [0, 1, 7])
@pytest.mark.parametrize("name", LOOPS)
def test_risk_by_weight_at_a_horizon_is_that_of_each_loop(name, generations):
    found = tables.by_weight(POPULATION, LOOPS[name], generations, points=11)
    loops = [varied(LOOPS[name], real_weight=float(w)) for w in found.real_weight]
    np.testing.assert_allclose(found.at_horizon, [fm.risk(POPULATION, loop, generations)[-1] for loop in loops], rtol=1e-10)


@pytest.mark.parametrize("rho", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("aspect", [0.5, 2.0])
def test_improving_weights_without_a_penalty(rho, aspect):
    ((low, high),) = improving_weights(POPULATION, fm.Loop(aspect=aspect, synthetic_noise_ratio=rho))
    assert low == pytest.approx(rho / (2 + rho), rel=LAW)
    assert high == 1.0


def test_no_weight_improves_on_frozen_labels_without_a_penalty():
    assert improving_weights(POPULATION, fm.Loop(aspect=2.0, labels="frozen")) == []


def test_improving_weights_are_where_the_verdict_says_so():
    loop = fm.Loop.partially_labelled(aspect=0.6, labelled=0.5, penalty=0.02)
    spans = improving_weights(POPULATION, loop)
    for w in np.linspace(0.025, 0.975, 20):
        groups = [fm.Group(0.5, 1.0, w), fm.Group(0.5, 1.0, 0.0)]
        verdict = fm.limit(POPULATION, loop.replace(groups=groups)).verdict
        assert (verdict == "improves") == any(low < w < high for low, high in spans)


def test_phase_diagram_agrees_with_the_boundary():
    loop = fm.Loop.partially_labelled(aspect=1.2, labelled=0.5)
    found = tables.phase_diagram(fm.Population.isotropic(), loop, points=41)
    for share in (0.25, 0.5, 0.75):
        spans = fm.collapse_boundary(fm.Population.isotropic(), fm.Loop.partially_labelled(labelled=share))
        line = found.sel(labelled=share, method="nearest")
        assert line.labelled == pytest.approx(share)
        for aspect, psi, risk in zip(line.aspect.values, line.collapse_number.values, line.risk.values, strict=True):
            inside = any(low <= aspect <= high for low, high in spans)
            assert (psi >= 1) == inside == math.isinf(risk)


def test_phase_diagram_is_fine_enough_for_a_line_at_the_boundary():
    """Isotropic and min-norm, share f labelled: diverges between (2-f)/(3-2f) and (2 (1-f) / (sqrt(4-3f) - sqrt f))^2."""
    found = tables.phase_diagram(fm.Population.isotropic(), fm.Loop.partially_labelled(aspect=1.2, labelled=0.5))
    assert {0.1, 10.0} <= set(found.aspect.values)
    for f in found.labelled.values[2:-1]:
        level, x = np.log(np.clip(found.collapse_number.sel(labelled=f).values, 0.05, 20.0)), np.log(found.aspect.values)
        ends = np.flatnonzero(np.diff(np.sign(level)))[[0, -1]]
        drawn = [np.exp(x[i] - level[i] * (x[i + 1] - x[i]) / (level[i + 1] - level[i])) for i in ends]
        exact = [(2 - f) / (3 - 2 * f), (2 * (1 - f) / (math.sqrt(4 - 3 * f) - math.sqrt(f))) ** 2]
        np.testing.assert_allclose(drawn, exact, rtol=0.02)


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_of_every_loop(kind, name):
    make, draw = PICTURES[kind]
    figure = draw(make(POPULATION, LOOPS[name]))
    assert isinstance(figure, Figure)
    check_text(figure)


@pytest.mark.parametrize("penalty", [0.0, 0.1])
def test_picture_of_the_phase_diagram(penalty):
    loop = fm.Loop.partially_labelled(aspect=1.2, labelled=0.5, penalty=penalty)
    check_text(plots.phase_diagram(tables.phase_diagram(POPULATION, loop, points=21)))


PARAMETERS = {
    "isotropic": {"signal": 2.0},
    "random-effects": {"eigenvalues": [1.0, 2.0], "shares": [0.5, 0.5]},
    "spiked": {"strength": 3.0, "alignment": 0.5, "features": 50},
    "two-level": {"ratio": 4.0},
    "autoregressive": {"correlation": 0.5, "features": 30},
    "equicorrelated": {"correlation": 0.5, "features": 30},
    "power-law": {"decay": 1.0, "features": 30, "source": 0.5},
    "covariance": {"covariance": [[2.0, 0.5], [0.5, 1.0]], "coefficients": [1.0, -1.0]},
    "atoms": {"eigenvalues": [1.0, 2.0], "shares": [0.5, 0.5], "signal": [1.0, 2.0], "noise_variance": 0.5},
}


@pytest.mark.parametrize("model", MODELS)
def test_populations_by_name_and_from_files(model, tmp_path):
    expected = named_population(model, PARAMETERS[model])
    path = tmp_path / "population.json"
    path.write_text(json.dumps({"model": model, **PARAMETERS[model]}))
    assert read_population(path) == expected
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in PARAMETERS[model].items())
    path = tmp_path / "population.toml"
    path.write_text(f'[population]\nmodel = "{model}"\n{lines}')
    assert read_population(path) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[1]", "by name"),
        ('{"model": "spikey"}', "must be one of isotropic"),
        ('{"model": "spiked", "strenght": 1}', "did you mean strength"),
        ('{"model": "spiked"}', "needs strength and alignment"),
        ('{"eigenvalues": [1], "shares": [0.5], "signal": [1]}', "sum to 1"),
        ('{"eigenvalues": "1", "shares": [1], "signal": [1]}', "one-dimensional array"),
    ],
)
def test_bad_population_files(tmp_path, capsys, text, says):
    path = tmp_path / "population.json"
    path.write_text(text)
    line = failure(capsys, "theory", path, "--aspect", 2)
    assert says in line
    assert path.name in line


def test_command_prints_the_numbers():
    out = invoke("theory", "--aspect", 2, "--real-weight", 0.2, "-p", "signal=2", "--generations", 3)
    assert "collapses" in out
    assert "2.889" in out
    assert "w = 0.618034" in out
    assert "0.3333 < w < 1" in out


def test_json_reads_back_as_a_population(tmp_path):
    path = tmp_path / "all.json"
    options = ("theory", "spiked", "-p", "strength=3", "-p", "alignment=0.5", "--aspect", 2, "--labelled", 0.5)
    out = invoke(*options, "--json", "--save", path)
    assert json.loads(path.read_text()) == json.loads(out)
    content = json.loads(out)
    assert read_population(path) == fm.Population.spiked(3.0, 0.5)
    loop = fm.Loop.partially_labelled(aspect=2.0, labelled=0.5)
    population = fm.Population.spiked(3.0, 0.5)
    np.testing.assert_array_equal(content["risk_by_generation"]["loop"], fm.risk(population, loop, 20))
    assert content["limit"]["risk"] == fm.limit(population, loop).risk
    assert content["collapse_boundary"] == [list(each) for each in fm.collapse_boundary(population, loop)]


def test_csv_of_a_surface_has_a_row_for_each_point(tmp_path):
    path = tmp_path / "surface.csv"
    invoke("theory", "--aspect", 2, "--plot", "surface", "--save", path)
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert len(rows) == 161 * 161
    for row in rows[:: len(rows) // 20]:
        loop = fm.Loop(aspect=2.0, real_weight=float(row["real_weight"]), penalty=float(row["penalty"]))
        assert float(row["risk"]) == pytest.approx(fm.limit(fm.Population.isotropic(), loop).risk, rel=CLOSED)


@pytest.mark.parametrize("plot", ["generation", "weight", "surface", "phase"])
def test_pictures_are_saved_and_the_same_each_time(plot, tmp_path):
    options = ("theory", "--aspect", 0.8, "--labelled", 0.5, "--penalty", 0.1, "--plot", plot)
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    invoke(*options, "--save", first, "--save", tmp_path / "c.png")
    if plot == "generation":
        invoke(*options, "--save", second)
        assert first.read_bytes() == second.read_bytes()
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "--aspect is needed"),
        (("--aspect", "0"), "aspect must be a number above 0"),
        (("nonsense", "--aspect", "2"), "must be one of isotropic"),
        (("--aspect", "2", "-p", "signal"), "NAME=VALUE"),
        (("--aspect", "2", "-p", "signal=x"), "numbers"),
        (("--aspect", "2", "-p", "noise=1"), "did you mean noise_variance"),
        (("--aspect", "2", "--plot", "pie"), "--plot must be one of"),
        (("--aspect", "2", "--plot", "phase"), "--covariates fresh"),
        (("--aspect", "2", "--save", "x.xls"), "--save must end in"),
        (("--aspect", "2", "--save", "/nowhere/x.png"), "folder that exists"),
        (("--aspect", "2", "--real-weight", "0.5", "--schedule", "0.5"), "one of"),
        (("--aspect", "2", "--schedule", "0.5;0.4"), "commas"),
        (("--aspect", "2", "--group", "1,1"), "three numbers"),
        (("--aspect", "2", "--group", "0.5,1,1"), "sum to 1"),
        (("--aspect", "2", "--row-weight", "2"), "--labelled"),
        (("--aspect", "2", "--covariates", "fresh", "--labels", "frozen"), "--labels frozen needs --covariates frozen"),
        (("missing.json", "--aspect", "2"), "No such file"),
        (("--aspect", "2", "--generations", "-1"), "generations"),
    ],
)
def test_bad_input_is_one_line(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert says in failure(capsys, "theory", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_plot_without_a_file_has_a_name_of_its_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["theory", "--aspect", "2", "--plot", "weight"]) == 0
    assert "theory-weight.png" in capsys.readouterr().out
    assert (tmp_path / "theory-weight.png").exists()


def test_more_generations_may_hurt():
    """Noiseless self-distillation of an aligned spike is best after a few steps, and then forgets the signal."""
    population = fm.Population.spiked(10.0, 1.0)
    loop = fm.Loop(aspect=0.5, penalty=0.1, real_weight=0.0, labels="frozen", synthetic_noise_ratio=0.0)
    found = tables.theory(population, loop, 12)
    risks = fm.risk(population, loop, 12)
    assert found.stop_at == np.argmin(risks)
    assert 0 < found.stop_at < 12
    assert f"stop at generation {found.stop_at}: excess risk" in str(found)
    assert "stop at generation" not in str(tables.theory(population, loop.replace(real_weight=1.0), 12))


@pytest.mark.parametrize(
    ("loop", "persistence"),
    [
        (fm.Loop(aspect=0.8), 1.0),
        (fm.Loop(aspect=1.5, labels="frozen"), 1.0),
        (fm.Loop(aspect=0.8, covariates="fresh"), 0.9),
        (fm.Loop.partially_labelled(aspect=1.2, labelled=0.4), 0.95),
    ],
)
@pytest.mark.parametrize("judged", ["now", "next"])
def test_ways_come_to_what_they_were_chosen_for(loop, persistence, judged):
    population = POPULATION.replace(persistence=persistence)
    memory = fm.optimal_memory(population, loop, 5, "model", judged=judged)
    found = tables.ways(population, memory)
    np.testing.assert_allclose(found.risk[:, -1], found.at_horizon, rtol=1e-12)
    # Least first; ways that differ by less than the search can tell are equal.
    np.testing.assert_allclose(found.at_horizon, sorted(way.risk for way in memory.ways.values()), rtol=1e-8)
    assert found.allowed.values.tolist() == [memory.ways[name].stored in ("nothing", "model") for name in found.way.values]
    assert found.attrs["best"] == memory.best


@pytest.mark.parametrize("most", [2, 7, 48, 1000])
@pytest.mark.parametrize("name", ["power law", "null", "spike"])
def test_spectrum_only_puts_together_what_the_population_has(name, most):
    population = {
        "power law": fm.Population.power_law(1.2, 120, source=0.5),
        "null": fm.Population([4.0, 0.0, 1.0, 4.0], [0.2, 0.3, 0.4, 0.1], [0.5, 0.0, 0.2, 0.3]),
        "spike": fm.Population.spiked(10.0, 0.7),
    }[name]
    found = tables.spectrum(population, most)
    assert found.sizes["eigenvalue"] <= most
    assert np.all(np.diff(found.eigenvalue) > 0)
    null = float(population.shares[population.eigenvalues == 0].sum())
    assert found.attrs["null_share"] == null
    np.testing.assert_allclose(float(found.share.sum()) + null, 1.0, rtol=1e-12)
    np.testing.assert_allclose(float(found.signal.sum()), 1.0, rtol=1e-12)
    # Of all eigenvalues from one on, told one by one.
    for i, tau in enumerate(found.eigenvalue.values):
        first = tau if not found.attrs["bands"] else None
        if first is not None:
            above = population.eigenvalues >= first
            np.testing.assert_allclose(found.share_above[i], population.shares[above].sum(), rtol=1e-12)
            signal = (population.eigenvalues * population.signal)[above].sum() / population.null_risk
            np.testing.assert_allclose(found.signal_above[i], signal, rtol=1e-12)
    # The mean eigenvalue stays what it was.
    mean = float((found.eigenvalue * found.share).sum())
    np.testing.assert_allclose(mean, population.eigenvalues @ population.shares, rtol=1e-12)


def test_spectrum_without_a_signal():
    assert tables.spectrum(fm.Population.isotropic(signal=0.0)).signal.values.tolist() == [0.0]
