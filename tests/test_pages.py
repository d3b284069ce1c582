"""README and pages say what is true: the output they show is printed today, and their commands and lines of Python run."""

import re
import runpy
import shlex
import subprocess
import sys
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
# Minutes, a setting up, or a copy of what runs here.
NUMBER = re.compile(r"\d+(?:\.\d+)?")
LEFT_OUT = ("freshmix reproduce", "make", ".")


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


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/plan.md"])
def test_lines_of_python_run(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    for lines in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL):
        exec(compile(lines, page, "exec"), {})
