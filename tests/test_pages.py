"""README and pages say what is true: the output they show is printed today, and their commands and lines of Python run."""

import inspect
import pkgutil
import re
import runpy
import shlex
import subprocess
import sys
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest

import freshmix as fm

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
# Minutes, a setting up, an installation, or a copy of what runs here.
NUMBER = re.compile(r"\d+(?:\.\d+)?")
LEFT_OUT = ("freshmix reproduce", "freshmix explore", "make", "pip install", ".")


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/plan.md"])
def test_what_pages_show_is_printed_today(page):
    """Word by word; numbers to a twentieth: searches of flat optima end a little elsewhere on another processor."""
    shown = (ROOT / page).read_text()
    printed = runpy.run_path(str(ROOT / "docs" / "shown_output.py"))["renewed"](shown)
    words = [NUMBER.sub("#", text).split() for text in (shown, printed)]
    # A weight of 1 may be 0.999, which takes a word more.
    assert SequenceMatcher(None, *words, autojunk=False).ratio() > 0.99
    if words[0] == words[1]:
        numbers = [np.array([float(each) for each in NUMBER.findall(text)]) for text in (shown, printed)]
        np.testing.assert_allclose(*numbers, rtol=0.05, atol=0.5)


def test_every_shown_command_is_one_of_ours():
    commands = re.findall(r"^\$ (.*)$", README, re.MULTILINE)
    assert len(commands) >= 3
    assert all(command.startswith("freshmix ") for command in commands)


COMMANDS = [line.split("#")[0].strip() for line in re.findall(r"^ {4}(\S.*)$", README, re.MULTILINE)]


@pytest.mark.slow
@pytest.mark.parametrize("command", [each for each in COMMANDS if not each.startswith(LEFT_OUT)])
def test_the_commands_of_the_readme_run(command, tmp_path):
    name, *arguments = shlex.split(command)
    assert name == "freshmix"
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    subprocess.run([sys.executable, "-m", "freshmix", *arguments], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)


# Blocks of Python that the building of the documentation does not run (it runs those of the directive ``executed``).
LINES = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGES = {page.relative_to(ROOT): page.read_text() for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]}


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if LINES.search(text)], ids=str)
def test_lines_of_python_run(page, tmp_path, monkeypatch):
    """Page by page, each block after those above it, in a folder that holds ``examples``."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    if page.name == "sweep.md":
        spec = {"generations": 1, "replicates": 2, "rows": 20, "loop": {"real_weight": 0.6}, "grid": {"aspect": [0.5, 2.0]}}
        fm.sweep(spec, "aspects.zarr", workers=0)
    namespace = {"__name__": "page"}
    for lines in LINES.findall(PAGES[page]):
        exec(compile(lines, page, "exec"), namespace)


def test_every_public_name_has_its_page():
    """docs/reference.md lists what the front door has."""
    listed = set(re.findall(r"^   ([\w.]+)$", PAGES[Path("docs/reference.md")], re.MULTILINE))
    assert {name for name in dir(fm) if not name.startswith("_")} <= listed


def test_functions_named_beside_formulas_exist_and_name_the_section():
    """Theory leads to the function that computes it, and its docstring (or that of its module) back to the section."""
    sections = re.split(r"^## (\d+)\.", PAGES[Path("docs/mathematics.md")], flags=re.MULTILINE)
    for number, text in zip(sections[1::2], sections[2::2], strict=True):
        for name in re.findall(r"\{py:(?:func|class|mod)\}`([\w.]+)`", text):
            thing = pkgutil.resolve_name(name)
            where = thing if inspect.ismodule(thing) else inspect.getmodule(thing)
            told = " ".join(f"{inspect.getdoc(thing)} {inspect.getdoc(where)}".split())
            named = re.findall(r"sections? (\d+(?:(?:,| and| to) \d+)*)", told)
            covered = set()
            for each in named:
                ends = [int(digit) for digit in re.findall(r"\d+", each)]
                covered |= set(range(ends[0], ends[-1] + 1)) if "to" in each else set(ends)
            assert int(number) in covered or name == "freshmix.simulate", (number, name, named)
