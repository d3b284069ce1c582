"""Results read well: ten lines, the whole answer, a notebook's view, a dict with the keys of --json."""

import ast
import json
import math
import re
from collections.abc import Callable
from functools import cache, partial
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.linear_model import LinearRegression

import freshmix as fm
from freshmix.cli.output import Output
from freshmix.plans.budget import Advice
from freshmix.plots.on_axes import PICTURES
from freshmix.theory import theory
from freshmix.views import plain

from .test_cli import invoke
from .test_plots import UNBOUNDED, recommendation

SOURCE = Path(fm.__file__).parent
POPULATION = fm.Population.isotropic()


def table() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    return X, X[:, 0] + rng.standard_normal(60)


MAKERS: dict[str, Any] = {
    "recommendation": recommendation,
    "unbounded": lambda: UNBOUNDED,
    "limit": lambda: fm.limit(POPULATION, fm.Loop(aspect=2.0, real_weight=0.5)),
    "diverges": lambda: fm.limit(POPULATION, fm.Loop(aspect=2.0, real_weight=0.0)),
    "optimum": lambda: fm.optimal_weight(POPULATION, fm.Loop.partially_labelled(aspect=0.5, labelled=0.5)),
    "memory": lambda: fm.optimal_memory(POPULATION, fm.Loop(aspect=0.5, covariates="fresh"), 2, may_keep="model"),
    "theory": lambda: theory(POPULATION, fm.Loop(aspect=0.5, covariates="fresh"), 4),
    "plan": lambda: fm.plan(*table(), cost_per_label=1.0, generations=1, penalty=0.1, row_weight=1.0),
    "find-weight": lambda: fm.find_weight(LinearRegression(), *table(), weights=[0.5], generations=1, repeats=3),
    "estimate": lambda: fm.estimate(*table()),
    "teaching": lambda: fm.recommend(*table(), predictions=table()[0][:, 0], generations=1).teaching,
}


@cache
def made(name: str) -> Any:
    return MAKERS[name]()


@pytest.mark.parametrize("name", MAKERS)
def test_ten_lines_and_the_whole_answer(name: str) -> None:
    found = made(name)
    lines = repr(found).splitlines()
    assert lines[0].split(":")[0] == type(found).__name__
    assert 2 <= len(lines) <= 10
    whole = str(found)
    assert whole == whole.strip("\n")
    if hasattr(found, "verdict"):
        assert lines[0].endswith(found.verdict)
        assert " ".join(found.reason.split()) in " ".join(whole.split())
    # The notebook has the same words.
    view = unescape(found._repr_html_())
    for line in lines[1:-1]:
        label, value = line.strip().split("  ", 1)
        assert label in whole
        assert label in view
        assert value.strip().removesuffix("...") in view


@pytest.mark.parametrize("name", MAKERS)
def test_dicts_have_the_keys_of_json(name: str) -> None:
    found = made(name)
    content = found.to_dict()
    # Plain numbers, text, lists and dicts; what is unbounded stays a number.
    assert repr(json.loads(json.dumps(content))) == repr(content)
    assert name != "diverges" or content["risk"] == math.inf
    printed = json.loads(Output(lambda: None, content, lambda: None, {})._json())  # type: ignore[arg-type,return-value]
    assert list(printed) == list(content)
    if name not in ("theory", "memory"):
        fields = set(type(found).__dataclass_fields__)
        # What is worked out when it is asked for.
        later = {"compare": {"best", "best_under", "rivals", "persistence"}, "advise": set(Advice.__dataclass_fields__)}
        for worker in fields & set(later):
            fields = fields - {worker} | later[worker]
        assert set(content) == fields


KEYS: dict[str, Callable[[], Any]] = {
    "recommend": recommendation,
    "check": lambda: recommendation().check,
    "loop": lambda: fm.Loop(),
    "group": lambda: fm.Group(1.0),
    "population": lambda: made("estimate"),
    "teacher": lambda: made("teaching").teacher,
    "held-out check": lambda: made("teaching").check,
    **{
        name: partial(lambda name: made(name), name)
        for name in ("plan", "find-weight", "theory", "limit", "optimum", "teaching")
    },
}


def test_the_page_of_keys_lists_all_of_them() -> None:
    page = (Path(__file__).parents[1] / "docs" / "keys.md").read_text()
    row = re.compile(r"^\| `([^`]+)` \|(.*?)\|.*\|$", re.MULTILINE)
    tables = {part.split("\n", 1)[0]: row.findall(part) for part in page.split("\n## ")[1:]}
    assert set(tables) == set(KEYS)
    for name, make in KEYS.items():
        found = make()
        content = found.to_dict() if hasattr(found, "to_dict") else plain(found)
        assert sorted(key for key, _ in tables[name]) == sorted(content), name
    numbers = {"risk", "prediction_error", "noise_variance", "penalty", "real_weight", "aspect", "rows", "generations"}
    assert all(units.strip() for rows in tables.values() for key, units in rows if key in numbers)


def test_frames() -> None:
    found = recommendation().to_frame()
    assert found.index.tolist() == ["recommended", "real_only", "keep_all_labels", "today", "synthetic_only"]
    assert found.risk["real_only"] == 0.5
    assert found.prediction_error["recommended"] == recommendation().prediction_error
    assert found.change["real_only"] == pytest.approx(100 * (1.6 / recommendation().prediction_error - 1))
    assert made("plan").to_frame().mixed.tolist() == made("plan").curves["mixed"].tolist()
    assert made("theory").to_frame().loop.tolist() == made("theory").by_generation.loop.values.tolist()
    ways = made("memory").to_frame()
    assert ways.risk.is_monotonic_increasing
    assert not ways.allowed["keep_all"]
    assert ways.anchor["anchored"] == made("memory").ways["anchored"].loop.anchor
    assert made("memory").to_dict()["best"] == made("memory").best
    assert made("estimate").to_frame().shares.sum() == pytest.approx(1)


@pytest.mark.parametrize("name", ["recommendation", "unbounded", "plan", "theory", "memory"])
def test_pictures_on_axes_of_ones_own(name: str) -> None:
    for picture in PICTURES[type(made(name)).__name__]:
        if picture == "phase":
            continue
        figure = Figure()
        axes, other = figure.subplots(1, 2)
        assert made(name).plot(picture, ax=axes) is axes
        assert axes.get_title()
        assert not other.has_data()
        figure.draw_without_rendering()


def test_pictures_on_new_axes_and_refusals() -> None:
    from matplotlib import pyplot

    axes = recommendation().plot()
    assert axes.get_title().startswith("Best real weight")
    pyplot.close(axes.figure)
    with pytest.raises(ValueError, match="picture must be one of weights, generations, ways, check, got 'pie'"):
        recommendation().plot("pie")
    with pytest.raises(TypeError, match="ax must be axes of matplotlib, got int"):
        recommendation().plot(ax=3)


def test_notebooks_are_safe() -> None:
    found = recommendation(notes=("column <b>&amp;</b> left out",), verdict="<i>")
    assert "<b>&" not in found._repr_html_()
    assert "&lt;i&gt;" in found._repr_html_()


def test_what_is_printed_is_what_the_command_line_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(fm, "recommend", lambda *_, **__: recommendation())
    text = invoke("recommend", tmp_path / "t.csv", "--target", "y")
    assert [line.rstrip() for line in text.strip("\n").splitlines()] == str(recommendation()).splitlines()


def test_one_file_loads_rooms_from_above() -> None:
    """Imports by name, which the walk over imports does not see, stay in their room but for ``views`` and the command line."""
    for path in SOURCE.rglob("*.py"):
        where = path.relative_to(SOURCE).parts[0]
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        named = [node for node in calls if ast.unparse(node.func).endswith("import_module")]
        assert where in ("views.py", "cli") or not any("freshmix" in ast.unparse(node) for node in named), path
        loaded = [node for node in calls if ast.unparse(node.func) == "room"]
        assert where == "views.py" or not loaded, path
        rooms = {ast.unparse(node.args[0]).strip("f'\"").split(".")[0] for node in loaded}
        assert rooms <= {"words", "plots"}
