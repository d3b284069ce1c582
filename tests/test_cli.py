"""The command line parses, calls and prints; a failed run says so in one line and leaves nothing behind."""

import html
import io
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import freshmix as fm
from freshmix.cli import app, main
from freshmix.cli.command import spelled
from freshmix.cli.output import csv, waiting
from freshmix.plots import of_theory
from freshmix.population_file import MODELS
from freshmix.reproduce import NAMES
from freshmix.simulation import ENGINES, WORKFLOWS
from freshmix.stages import at, told_to
from freshmix.words import waiting as words

from .test_plots import UNBOUNDED, recommendation

RECOMMEND = fm.recommend
HEAVY = ("numpy", "scipy", "polars", "matplotlib", "sklearn", "rich", "jinja2")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    rows = "".join(f"{i % 7},{(i * i) % 11},{i}\n" for i in range(30))
    path.write_text("a,b,y\n" + rows)
    return path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What fm.recommend was called with, in its place a hand-made answer."""
    found: list[dict[str, Any]] = []

    def fake(X: Any, y: Any, **options: Any) -> fm.Recommendation:
        found.append({"X": X, "y": y, **options})
        return recommendation()

    monkeypatch.setattr(fm, "recommend", fake)
    return found


def invoke(*arguments: str | Path, width: int = 80) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": str(width)})
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def failure(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 2) -> str:
    """The one line on stderr of a run that fails."""
    assert main([str(each) for each in arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("freshmix: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err


def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "freshmix", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    code = f"import sys, freshmix.cli; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def test_help_and_version_as_a_process() -> None:
    result = run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert "recommend" in result.stdout
    assert run("--version").stdout == f"freshmix {fm.__version__}\n"


def test_errors_as_a_process(tmp_path: Path) -> None:
    result = run("recommend", tmp_path / "missing.csv", "--target", "y", "--report", tmp_path / "report.html")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("freshmix: error: ")
    assert result.stderr.count("\n") == 1
    assert "missing.csv" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_bare_command_prints_help() -> None:
    assert invoke() == invoke("--help")
    assert "--target" in invoke("recommend", "--help")


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("theory", [*MODELS, *of_theory.NAMES]),
        ("simulate", [*MODELS, *ENGINES, *WORKFLOWS]),
        ("reproduce", NAMES),
    ],
)
def test_help_names_what_the_registries_hold(command: str, names: list[str]) -> None:
    text = re.sub(r"-\s+", "-", invoke(command, "--help", width=400))
    assert [name for name in names if name not in text] == []
    assert "{" not in text


COMMANDS = vars(typer.main.get_command(app))["commands"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_short_to_ask_for_and_has_no_types_of_python(command: str) -> None:
    text = invoke(command, "-h")
    assert text == invoke(command, "--help")
    assert not re.search(r"<\w|list\[|Path", text)
    assert [each.name for each in COMMANDS[command].params if not each.help] == []


def test_options_are_completed(tmp_path: Path) -> None:
    asked = {"_FRESHMIX_COMPLETE": "complete_bash", "COMP_WORDS": "freshmix recommend --may", "COMP_CWORD": "2"}
    assert run(env=os.environ | asked).stdout.split() == ["--may-keep"]


@pytest.mark.parametrize("name", of_theory.NAMES)
def test_every_plot_of_theory_has_its_file(name: str) -> None:
    file = import_module(f"freshmix.plots.{name}")
    assert callable(file.table)
    assert callable(file.draw)


def test_csv_keeps_every_digit() -> None:
    values = [1 / 3, 1e-7, 1e22, 5e-324, math.inf, -math.inf, math.nan]
    lines = csv({"t": [*range(7)], "risk": values}).decode().splitlines()
    assert lines[0] == "t,risk"
    read = [float(line.split(",")[1]) for line in lines[1:]]
    assert read[:6] == values[:6]
    assert lines[5:] == ["4,inf", "5,-inf", "6,nan"]


OF_PYTHON = {"loop", "X", "y"}


def test_defaults(table: Path, calls: list[dict[str, Any]]) -> None:
    invoke("recommend", table, "--target", "y")
    (call,) = calls
    assert (call.pop("X"), call.pop("y")) == (str(table), "y")
    defaults = {name: each.default for name, each in signature(RECOMMEND).parameters.items() if name not in OF_PYTHON}
    assert call == defaults


def test_every_option_arrives(table: Path, calls: list[dict[str, Any]]) -> None:
    options = (
        "--kernel rbf --penalty 0 --labels frozen --label-renewal 0.3 --covariates frozen --synthetic-noise 0.5 "
        "--real-weight 0.3 --generations 4 --seed 7 --drop b --drop a --drop-missing --no-standardize --time t "
        "--rows-per-generation 5 --labelled 0.5 --weight w --predictions p --row-weight 2 --schedule --separator ; --decimal , "
        "--impute mean --drop-unlabelled"
    )
    invoke("recommend", table, table, "--target", "y", "--synthetic-labels", "sampled", *options.split())
    (call,) = calls
    assert call == {
        "X": [str(table), str(table)],
        "y": "y",
        "kernel": "rbf",
        "penalty": 0,
        "labels": "frozen",
        "label_renewal": 0.3,
        "covariates": "frozen",
        "synthetic_labels": "sampled",
        "synthetic_noise_ratio": 0.5,
        "real_weight": 0.3,
        "generations": 4,
        "seed": 7,
        "drop": ["b", "a"],
        "drop_missing": True,
        "standardize": False,
        "may_keep": "rows",
        "time": "t",
        "rows_per_generation": 5,
        "labelled": 0.5,
        "sample_weight": "w",
        "predictions": "p",
        "row_weight": 2.0,
        "schedule": True,
        "separator": ";",
        "decimal": ",",
        "impute": "mean",
        "drop_unlabelled": True,
    }


# What has to do with how a result is shown, on either side.
SHOWN = {"as_json", "report", "save"}


@pytest.mark.parametrize(("command", "function"), [("recommend", RECOMMEND), ("plan", fm.plan)])
def test_options_bear_the_names_of_parameters(command: str, function: Callable[..., Any]) -> None:
    options = {each.name: each for each in vars(typer.main.get_command(app))["commands"][command].params}
    names = {name for name in options if name not in SHOWN | {"table", "target"}}
    assert names == set(signature(function).parameters) - OF_PYTHON
    assert [name for name in names if f"--{name.replace('_', '-')}" not in options[name].opts] == []


@pytest.mark.usefixtures("calls")
def test_plain_words(table: Path) -> None:
    made = recommendation()
    text = invoke("recommend", table, "--target", "y", width=160)
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines[0].startswith("Best: Fit each generation on 0.43 x real label + 0.57 x synthetic label, with Ridge(alpha=24).")
    assert made.assumption in lines
    assert "improves: synthetic labels average the noise of past real labels" in lines
    words = " ".join(text.split())
    for expected in (
        "real weight w 0.43",
        "alpha 24, 0.12 per row",
        "error above the unavoidable noise (excess risk) 0.33 (0.20 to 0.40) in the long run",
        "real labels only 1.6 (+12%)",
        "today's setting 1.51",
        "synthetic labels only grows without bound",
        "noise variance 1.10 (0.90 to 1.30)",
        "signal-to-noise ratio 0.90 (0.50 to 2.00)",
        "Warnings - only 40 rows",
        "features standardised",
    ):
        assert expected in words
    assert "\x1b" not in text


@pytest.mark.usefixtures("calls")
def test_text_wraps_at_the_width(table: Path) -> None:
    narrow = invoke("recommend", table, "--target", "y", width=60)
    assert max(len(line.rstrip()) for line in narrow.splitlines()) <= 60
    wide = invoke("recommend", table, "--target", "y", width=200)
    assert len(wide.splitlines()) < len(narrow.splitlines())


def test_large_numbers_have_exponents(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interval = (3.353e9, 3.865e9)
    made = recommendation(generations=12, prediction_error=3.577e9, intervals={"prediction_error": interval, "risk": interval})
    monkeypatch.setattr(fm, "recommend", lambda *_, **__: made)
    words = " ".join(invoke("recommend", table, "--target", "y").split())
    assert "Prediction error 3.58e+09 (3.35e+09 to 3.86e+09) after 12 retrainings." in words


@pytest.mark.parametrize("made", [recommendation(), UNBOUNDED, recommendation(population=None, aspect=None)])
def test_json_is_strict_and_complete(table: Path, monkeypatch: pytest.MonkeyPatch, made: fm.Recommendation) -> None:
    monkeypatch.setattr(fm, "recommend", lambda *_, **__: made)
    text = invoke("recommend", table, "--target", "y", "--json", width=40)
    assert text.count("\n") == 1

    def refuse(name: str) -> None:
        raise AssertionError(name)

    found = json.loads(text, parse_constant=refuse)
    assert set(found) == set(made.__dataclass_fields__) - {"compare"} | {"best", "best_under", "rivals", "persistence"}
    assert found["baselines"]["synthetic_only"] is None
    assert found["verdict"] == made.verdict
    assert found["loop"]["groups"] == [
        {"share": 1.0, "row_weight": 1.0, "real_weight": 0.43, "labelled": True, "labels_from": "model"}
    ]
    assert len(found["risk_by_weight"]) == made.weight_grid.size
    assert found["risk_by_weight"][0] is None
    if made.population is None:
        assert found["population"] is None
    else:
        plain = {"eigenvalues": [1.0], "shares": [1.0], "signal": [1.0], "noise_variance": 1.0}
        assert found["population"] == plain | {"row_sizes": None, "persistence": 1.0}


@pytest.mark.usefixtures("calls")
def test_report_is_written_and_named(table: Path) -> None:
    target = table.with_name("report.html")
    assert f"Report written to {target}" in invoke("recommend", table, "--target", "y", "--report", target)
    page = target.read_text(encoding="utf-8")
    assert "recommendation = fm.recommend(" in page


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ["--generations", "inf", "--real-weight", "0.3"],
        ["--schedule", "--generations", "3", "--labels", "frozen", "--penalty", "0.2", "--no-standardize"],
        ["--time", "when", "--row-weight", "0.5", "--seed", "4", "--synthetic-labels", "sampled", "--generations", "inf"],
    ],
)
def test_the_lines_of_the_report_run_and_reproduce_it(tmp_path: Path, options: list[str]) -> None:
    table = tmp_path / "a table.csv"
    rows = "".join(f"{i % 7},{(i * i) % 11},{i // 10},{(3 * i) % 7 + i % 11}\n" for i in range(60))
    table.write_text("a,b,when,y\n" + rows)
    target = tmp_path / "report.html"
    said = json.loads(invoke("recommend", table, "--target", "y", "--drop", "b", *options, "--report", target, "--json"))
    code = html.unescape(target.read_text().split("<pre><code>")[-1].split("</code></pre>")[0])
    names: dict[str, Any] = {}
    exec(code, names)
    found = names["recommendation"]
    assert found.penalty == said["penalty"]
    assert found.real_weight == said["real_weight"]
    assert found.intervals["risk"] == tuple(said["intervals"]["risk"])
    assert found.baselines["today"] == said["baselines"]["today"]
    assert (found.check is None) == (said["check"] is None)


@pytest.mark.usefixtures("calls")
def test_json_stays_json_with_a_report(table: Path) -> None:
    target = table.with_name("report.png")
    json.loads(invoke("recommend", table, "--target", "y", "--json", "--report", target))
    assert target.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nonsense"], "--nonsense"),
        (["nonsense"], "nonsense"),
        (["recommend"], "TABLE is needed"),
        (["recommend", "TABLE"], "--target"),
        (["recommend", "TABLE", "--target"], "--target"),
        (["recommend", "TABLE", "--target", "y", "--seed", "x"], "--seed"),
        (["recommend", "TABLE", "--target", "y", "--unknown"], "--unknown"),
        (["recommend", "TABLE", "other", "--target", "y"], "other"),
        (["recommend", "TABLE", "--target", "y", "--penalty", "much"], "--penalty must be auto or a number"),
        (["recommend", "TABLE", "--target", "y", "--penalty", "-1"], "--penalty must be auto or a number"),
        (["recommend", "TABLE", "--target", "y", "--penalty", "nan"], "--penalty must be auto or a number"),
        (["recommend", "TABLE", "--target", "y", "--labels", "old"], "--labels must be one of fresh, frozen"),
        (["recommend", "TABLE", "--target", "y", "--row-weight", "-1"], "--row-weight must hold finite numbers of at least 0"),
        (["recommend", "TABLE", "--target", "y", "--synthetic-noise", "-1"], "--synthetic-noise-ratio must be"),
        (["recommend", "TABLE", "--target", "missing"], "missing"),
        (["recommend", "nowhere.csv", "--target", "y"], "nowhere.csv"),
    ],
)
def test_errors_are_one_line(capsys: pytest.CaptureFixture[str], table: Path, arguments: list[str], words: str) -> None:
    line = failure(capsys, *[str(table) if each == "TABLE" else each for each in arguments])
    assert line.startswith("freshmix: error: ")
    assert words in line


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("leave it out (drop=['COLUMN'])", "leave it out (--drop COLUMN)"),
        ("say decimal=',' or decimal='.'", "say --decimal , or --decimal ."),
        ("rows left out (drop_missing=True), standardize=False", "rows left out (--drop-missing), --no-standardize"),
        ("loop must have covariates='fresh' at time 3", "loop must have --covariates fresh at time 3"),
        ("real_weight must be 1, got 'real_weight'", "--real-weight must be 1, got 'real_weight'"),
        ("row_weight=1.5. One of rows_per_generation and time=", "--row-weight 1.5. One of --rows-per-generation and --time"),
        ("X must vary, got penalty.csv in row_weight.csv", "the table must vary, got penalty.csv in row_weight.csv"),
    ],
)
def test_refusals_name_options(message: str, said: str) -> None:
    options = vars(typer.main.get_command(app))["commands"]["recommend"].params
    assert spelled(message, options) == said


@pytest.mark.parametrize("name", ["report.txt", "missing/report.html"])
def test_report_path_is_checked_first(
    capsys: pytest.CaptureFixture[str], table: Path, calls: list[dict[str, Any]], name: str
) -> None:
    line = failure(capsys, "recommend", table, "--target", "y", "--report", table.parent / name)
    assert "--report must" in line
    assert calls == []


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    "error", [ValueError("first\n  second"), TypeError("cells must be numbers"), OSError("no disk"), ArithmeticError("x")]
)
def test_failed_run_leaves_no_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, table: Path, error: Exception
) -> None:
    monkeypatch.setattr(fm, "recommend", raising(error))
    line = failure(capsys, "recommend", table, "--target", "y", "--report", table.with_name("report.html"))
    assert line == f"freshmix: error: {' '.join(str(error).split())}\n"
    assert list(table.parent.iterdir()) == [table]


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("as_json", [False, True])
def test_failed_writing_loses_no_result(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, table: Path, as_json: bool
) -> None:
    monkeypatch.setattr(os, "replace", raising(OSError(28, "No space left on device", ".freshmix-beside.html")))
    report = table.with_name("report.html")
    assert main(["recommend", str(table), "--target", "y", "--report", str(report), *["--json"] * as_json]) == 2
    out, err = capsys.readouterr()
    assert err == f"freshmix: error: {report}: No space left on device\n"
    assert "real_weight" in json.loads(out) if as_json else "real weight" in out
    assert "Report written" not in out
    assert list(table.parent.iterdir()) == [table]


@pytest.mark.usefixtures("calls")
def test_failed_printing_loses_no_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, table: Path
) -> None:
    monkeypatch.setattr("freshmix.words.layout.show", raising(OSError(5, "Input/output error")))
    report = table.with_name("report.html")
    assert "Input/output error" in failure(capsys, "recommend", table, "--target", "y", "--report", report)
    assert report.exists()


@pytest.mark.parametrize("wrapped", [False, True])
def test_interruption(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, table: Path, wrapped: bool) -> None:
    error: BaseException = KeyboardInterrupt()
    if wrapped:
        error = RuntimeError("an import failed")
        error.__cause__ = KeyboardInterrupt()
    monkeypatch.setattr(fm, "recommend", raising(error))
    assert failure(capsys, "recommend", table, "--target", "y", code=130) == "freshmix: interrupted\n"


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch, table: Path) -> None:
    monkeypatch.setattr(fm, "recommend", raising(KeyError("oops")))
    with pytest.raises(KeyError):
        main(["recommend", str(table), "--target", "y"])


@pytest.mark.slow
def test_interruption_while_sampling_says_one_line(tmp_path: Path) -> None:
    """A signal that arrives in the middle of the work."""
    path = tmp_path / "table.csv"
    path.write_text("a,b,y\n" + "".join(f"{i % 7},{(i * i) % 11},{i}\n" for i in range(60)))
    code = """
import os, signal, sys
from freshmix import cli
from freshmix.estimation.posterior import Posterior
likelihood = Posterior.log_posterior
def interrupted(self, theta):
    os.kill(os.getpid(), signal.SIGINT)
    return likelihood(self, theta)
Posterior.log_posterior = interrupted
sys.exit(cli.main())
"""
    command = [sys.executable, "-c", code, "recommend", str(path), "--target", "y"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "freshmix: interrupted\n")


def test_a_line_that_finds_its_terminal_gone_is_an_interruption() -> None:
    """It may come before the signal, which is held back here."""
    code = """
import signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_IGN)
from freshmix import cli
def late(*_, **__):
    print("ready", flush=True)
    while sys.stdout.isatty():
        time.sleep(0.01)
    print("a line", flush=True)
cli.app = late
sys.exit(cli.main(["theory"]))
"""
    pid, terminal = os.forkpty()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", code])
    assert os.read(terminal, 100).startswith(b"ready")
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130


def test_a_wait_is_told_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        shown = False

        def isatty(self) -> bool:
            return self.shown

    for shown in (True, False):
        stream = Terminal()
        stream.shown = shown
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        with waiting():
            at(words.READING)
            at(words.SEARCHING)
        assert ("searching for the best weight" in stream.getvalue()) == shown


@pytest.mark.slow
def test_stages_are_told_in_their_order() -> None:
    rng, said = np.random.default_rng(0), []
    X = rng.standard_normal((30, 3))
    with told_to(said.append):
        fm.recommend(X, X[:, 0] + rng.standard_normal(30), penalty=0.1, generations=2, labels="frozen").to_dict()
    assert said == [words.READING, words.ESTIMATING, words.SEARCHING, words.REPLAYING, words.INTERVALS, words.COMPARING]
