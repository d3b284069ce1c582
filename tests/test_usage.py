"""Command lines that cannot be read: one line that names the option, what was expected and what came, or an example."""

import subprocess
import sys

import pytest

from .test_cli import failure


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("recommend",), "TABLE is needed, as in: freshmix recommend homes.csv --target value --time month"),
        (("recommend", "t.csv"), "--target is needed, as in: freshmix recommend homes.csv --target value --time month"),
        (("plan", "t.csv", "--target", "y"), "--cost-per-label is needed, as in: freshmix plan "),
        (("replay", "t.csv", "--target", "y"), "--model is needed, as in: freshmix replay "),
        (("sweep", "spec.toml"), "--store is needed, as in: freshmix sweep "),
        (
            ("plan", "t.csv", "--target", "y", "--cost-per-label", "two"),
            "freshmix: error: --cost-per-label must be a number, got 'two'\n",
        ),
        (("theory", "--aspect", ""), "--aspect must be a number, got ''"),
        (("theory", "--aspect", "1,5"), "--aspect must be a number, got '1,5'"),
        (("simulate", "--aspect", "1", "--rows", "1.5"), "--rows must be a whole number, got '1.5'"),
        (("theory", "--generations", "ten"), "--generations must be a whole number, got 'ten'"),
        (("theory", "--month", "2"), "there is no option --month: freshmix theory --help lists what there is"),
        (("theory", "--penality", "2"), "there is no option --penality: did you mean --penalty?"),
        (("--versoin",), "there is no option --versoin: did you mean --version?"),
        (("recommend", "t.csv", "--target"), "--target needs a value"),
        (("recomend", "t.csv"), "Did you mean 'recommend'?"),
        (("theory", "isotropic", "spiked"), "there is no place for spiked: options begin with --"),
        (("theory", "spiked", "strength=2", "alignment=1"), "parameters are given as -p strength=2 -p alignment=1"),
        (("theory", "spiked", "--noise-variance", "2"), "parameters of a population are given as -p noise_variance=VALUE"),
        (("theory", "spiked", "-p", "strength=2"), "population spiked needs alignment: add -p alignment=VALUE\n"),
        (("theory", "homes.csv", "--aspect", "2"), "a table goes with freshmix recommend"),
        (
            ("plan", "t.csv", "--target", "y", "--cost-per-label", "2", "--budget", "1", "--value", "1"),
            "got --budget and --value",
        ),
        (("recommend", "https://example.com/t.csv", "--target", "y"), "must be a file on this machine"),
        (("recommend", "home.csv", "--target", "value"), "home.csv: no such file (did you mean homes.csv?)"),
        (("recommend", "other.csv", "--target", "value"), "other.csv: no such file (did you mean below/other.csv?)"),
        (("recommend", "nothing.csv", "--target", "value"), "nothing.csv: no such file\n"),
        (("recommend", "homes.csv", "--target", "z", "--separator", "tab"), "it has month,value"),
        (
            ("replay", "homes.csv", "--target", "value", "--model", "sklearn.linear_model.Rigde"),
            "did you mean sklearn.linear_model.Ridge?",
        ),
        (("replay", "homes.csv", "--target", "value", "--model", "not_there.Model"), "there is no module not_there"),
        (
            ("replay", "homes.csv", "--target", "value", "--model", "sklearn.naive_bayes.GaussianNB"),
            "numbers are for a regressor",
        ),
        (("explore", "homes.csv"), "--target is needed with a table"),
        (("explore", "--port", "99999"), "--port must be at most 65535, got '99999'"),
        (("explore", "--workers", "0"), "--workers must be at least 1, got '0'"),
        (("reproduce", "99"), "got '99' (names: min-norm-weight, "),
        (("reproduce", "Fig. 2", "--workers", "-1"), "--workers must be a whole number"),
    ],
)
def test_one_line_that_helps(arguments, says, capsys, tmp_path, monkeypatch):
    rows = "".join(f"{i % 7},{i / 3}\n" for i in range(90))
    (tmp_path / "homes.csv").write_text(f"month,value\n{rows}")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "other.csv").touch()
    monkeypatch.chdir(tmp_path)
    said = failure(capsys, *arguments)
    assert says in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("arguments", [("reproduce", "--list"), ("theory", "--aspect", "2")])
def test_a_reader_that_has_had_enough_is_told_nothing(arguments):
    run = subprocess.Popen(
        [sys.executable, "-m", "freshmix", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    run.stdout.close()
    assert run.stderr.read() == ""
    assert run.wait() == 1
    run.stderr.close()
