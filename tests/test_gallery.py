"""The gallery has a script for every picture."""

import ast
from pathlib import Path

import pytest

from freshmix import plots
from freshmix.plots.on_axes import PICTURES

SCRIPTS = sorted((Path(__file__).parents[1] / "examples" / "gallery").glob("plot_*.py"))
# What makes the results that have pictures.
MADE_BY = {
    "recommend": "Recommendation",
    "plan": "Plan",
    "find_weight": "FoundWeight",
    "optimal_memory": "Memory",
    "theory": "Theory",
}
# Figures of their own of what ``.plot()`` draws on axes.
SAME = {
    "check_picture": ("Recommendation", "check"),
    "found_weight_picture": ("FoundWeight", "weights"),
    "generation_picture": ("Recommendation", "generations"),
    "phase_diagram": ("Theory", "phase"),
    "plan_picture": ("Plan", "labels"),
    "risk_by_generation": ("Theory", "generation"),
    "risk_by_weight": ("Theory", "weight"),
    "risk_surface": ("Theory", "surface"),
    "ways_picture": ("Recommendation", "ways"),
    "weight_picture": ("Recommendation", "weights"),
}
# Two panels of ``all_pictures``.
SAME_AS_OTHERS = {"both"}


def shown(script):
    """What a script draws: pictures of a result by kind and name, and functions of ``plots``."""
    calls = [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.Call)]
    called = [(ast.unparse(call.func), call) for call in calls]
    kinds = [MADE_BY[name] for path, _ in called if (name := path.rpartition(".")[2]) in MADE_BY and "plot" not in path]
    for path, call in called:
        if path.endswith(".plot"):
            kind = kinds[0]
            yield kind, call.args[0].value if call.args else next(iter(PICTURES[kind]))
        elif path.startswith("plots."):
            yield path.removeprefix("plots.")


@pytest.fixture(scope="module")
def gallery():
    return {picture for script in SCRIPTS for picture in shown(script)}


def test_every_picture_of_a_result_has_a_script(gallery):
    wanted = {(kind, name) for kind, pictures in PICTURES.items() for name in pictures}
    assert wanted <= gallery, sorted(wanted - gallery)


def test_every_function_that_draws_has_a_script(gallery):
    functions = {name for name in plots.__all__ if name.islower()}
    assert set(SAME) <= functions
    missing = {name for name in functions - SAME_AS_OTHERS if name not in gallery and SAME.get(name) not in gallery}
    assert not missing


def test_scripts_are_numbered_one_by_one():
    assert [int(script.name.split("_")[1]) for script in SCRIPTS] == list(range(1, len(SCRIPTS) + 1))
