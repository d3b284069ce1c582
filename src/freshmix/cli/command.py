"""A command: help that names what the registries hold, and refusals in the words of the command line."""

import contextlib
import re
import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from functools import partial
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from .output import say

_REGISTRIES = {
    "populations": ("population_file", "MODELS"),
    "engines": ("simulation", "ENGINES"),
    "workflows": ("simulation", "WORKFLOWS"),
    "figures": ("reproduce", "NAMES"),
}
# Parameters of the command line that bear another name than in Python.
_IN_PYTHON = {"table": "X", "target": "y", "group": "groups"}
# What there is no option for is called by what it is.
_IN_WORDS = {"X": "the table", "y": "the target"}
_EXPECTED = (ValueError, TypeError, ArithmeticError, OSError, MemoryError, BrokenExecutor)
HELP = {"help_option_names": ["-h", "--help"]}
_VALUE = r"'[^']*'|\"[^\"]*\"|\[[^\]]*\]|[+\-.\w]*\w|"


class Refused(Exception):
    """What cannot be done, in one line for the user."""


def examples(commands: Sequence[str]) -> str | None:
    """What help ends with; None where there are none."""
    # Lines after this sign are not put together.
    return "\n".join(["\b", "Examples:", *(f"  {each}" for each in commands)]) if commands else None


class _Names(dict[str, str]):
    def __missing__(self, name: str) -> str:
        module, registry = _REGISTRIES[name]
        return ", ".join(getattr(import_module(f"freshmix.{module}"), registry))


class Command(TyperCommand):
    """A command whose options may say ``{engines}`` and the like, and whose errors name its options."""

    def get_help(self, ctx: Any) -> str:
        """The help page; names are looked up when it is asked for."""
        for parameter in self.params:
            option = vars(parameter)
            if option.get("help"):
                option["help"] = option["help"].format_map(_Names())
            if option.get("param_type_name") == "argument" or type(parameter).__name__.endswith("Argument"):
                _plainly(parameter)
        return super().get_help(ctx)

    def invoke(self, ctx: Any) -> Any:
        """Run it; what a user can mend is ``Refused``."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Whoever reads has had enough, as head has: typer ends the command without a word.
            raise
        except _EXPECTED as error:
            raise Refused(spelled(_in_words(error), self.params)) from error


def _plainly(argument: Any) -> None:
    """An argument by its name alone: some versions of typer add braces and the type in Python."""
    name = str(argument.metavar)
    optional = name if argument.required or name.startswith("[") else f"[{name}]"
    usage = optional + ("..." if argument.nargs != 1 and not name.endswith("...") else "")
    for method, said in (("display_type_rich", ""), ("_usage_display_name", usage), ("_rich_display_name", name)):
        if hasattr(argument, method):
            setattr(argument, method, partial(_said, said))


def _said(said: str, **_: Any) -> str:
    return said


def spelled(message: str, parameters: Iterable[Any]) -> str:
    """A message with options for Python's parameters: ``drop=['id']`` is ``--drop id``, ``time must`` is ``--time must``."""
    options = {_IN_PYTHON.get(each.name, each.name): each for each in parameters if each.name}

    def option(match: re.Match[str]) -> str:
        name, value = match[1], match[2] if match.re.groups > 1 else ""
        found = options[name]
        if value == "False" and found.secondary_opts:
            return str(found.secondary_opts[0])
        plain = "" if value in ("True", "False") else re.sub(r"^\[?['\"]?|['\"]?\]?$", "", value)
        return " ".join(filter(None, (_IN_WORDS.get(name) or found.opts[0], plain)))

    def some(names: Iterable[str]) -> str:
        return "|".join(map(re.escape, names)) or r"(?!)"

    message = re.sub(rf"(?<![\w.])({some(options)})=({_VALUE})", option, message)
    # Alone, what leads a refusal is a name, and so is any word with an underscore.
    message = re.sub(rf"^({some(options)})(?= (?:must|needs|goes|says)\b)", option, message)
    underscored = [name for name in options if "_" in name]
    return re.sub(rf"(?<![\w.'\"/-])({some(underscored)})(?![\w.'\"/-])", option, message)


def _in_words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, BrokenExecutor):
        return f"a worker process died: {error}"
    return str(error) or type(error).__name__


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Errors of several lines: all faults of a file, all differences from a store."""
    try:
        yield
    except ValueError as error:
        if len(said := str(error).splitlines()) < 2:
            raise
        for line in said:
            say(f"freshmix: error: {line}", error=True)
        raise typer.Exit(2) from None


@contextlib.contextmanager
def stopped_softly() -> Iterator[None]:
    """A job that is told to stop, or whose terminal is closed, commits what is finished, as an interrupted one does."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    told = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # nohup has SIGHUP ignored.
    before = {each: signal.signal(each, stop) for each in told if signal.getsignal(each) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
