"""README and pages say what is true: the output they show is printed today, and their commands and lines of Python run."""

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
# Minutes, a setting up, or a copy of what runs here.
LEFT_OUT = ("freshmix reproduce", "make", ".")


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/plan.md"])
def test_what_pages_show_is_printed_today(page):
    text = (ROOT / page).read_text()
    assert runpy.run_path(str(ROOT / "docs" / "shown_output.py"))["renewed"](text) == text


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
