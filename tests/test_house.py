"""The house rule: imports go down the table of docs/house.md, and theory and simulation never meet."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "freshmix"
# Rooms of one side must not import those of the other.
APART = (({"risks", "optima", "theory"}, {"simulation", "sweeps"}), ({"equivalents"}, {"sampling"}))
# Above all others: what every module may be loaded by.
ENTRANCES = {"__init__", "__main__"}


def rows():
    """The rooms of each row of the table, from the top down."""
    lines = (ROOT / "docs" / "house.md").read_text().splitlines()
    firsts = [line.split("|")[1] for line in lines if line.startswith("| `")]
    return [[re.sub(r"(/|\.py)$", "", name) for name in re.findall(r"`([^`]+)`", first)] for first in firsts]


FLOORS = {name: -row for row, names in enumerate(rows()) for name in names}


def room_of(path):
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path):
    """(room, line) of each import of a module of freshmix."""
    package = path.relative_to(SOURCE).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = (node.module or "").split(".") if node.module else []
            if node.level:
                base = ["freshmix", *package[: len(package) - node.level + 1], *base]
            names = [".".join(base)] if len(base) > 1 else [".".join([*base, alias.name]) for alias in node.names]
        else:
            continue
        for name in names:
            first, _, rest = name.partition(".")
            if first == "freshmix" and rest:
                yield rest.split(".")[0], node.lineno


FILES = sorted(path for path in SOURCE.rglob("*.py") if room_of(path) not in ENTRANCES)


def test_every_room_is_in_the_table():
    assert {room_of(path) for path in FILES} == set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down(path):
    here = room_of(path)
    upward = [(room, line) for room, line in imported(path) if room in FLOORS and room != here and FLOORS[room] >= FLOORS[here]]
    assert upward == []
    for one, other in APART:
        for mine, theirs in ((one, other), (other, one)):
            assert not (here in mine and any(room in theirs for room, _ in imported(path)))


def test_a_sound_import_is_seen():
    """The walk itself: relative and absolute imports, of rooms and of names in them."""
    assert "population" in {room for room, _ in imported(SOURCE / "equivalents" / "population.py")}
    assert "theory" in {room for room, _ in imported(SOURCE / "cli" / "theory.py")}


@pytest.mark.parametrize(
    "path", [path for path in FILES if room_of(path) != "cli"], ids=lambda path: str(path.relative_to(SOURCE))
)
def test_only_the_command_line_speaks_of_options(path):
    """Messages name parameters as Python does; ``cli/command.py`` turns them into options."""
    tree = ast.parse(path.read_text())
    documented = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    docstrings = {id(node.body[0].value) for node in documented if node.body and isinstance(node.body[0], ast.Expr)}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert [text.value for text in texts if id(text) not in docstrings and re.search(r"--[a-z]", text.value)] == []


def test_docstrings_name_sections_that_exist():
    page = (ROOT / "docs" / "mathematics.md").read_text()
    known = {int(number) for number in re.findall(r"^## (\d+)\.", page, re.MULTILINE)}
    assert known == set(range(1, 10))
    for path in SOURCE.rglob("*.py"):
        text = " ".join(path.read_text().split())
        for start, end in re.findall(r"mathematics\.md,? (?:sections? )?(\d+)(?:(?:, \d+)*,? (?:and|to) (\d+))?", text):
            assert {int(each) for each in (start, end) if each} <= known, path
        assert "MATH" not in text, path
