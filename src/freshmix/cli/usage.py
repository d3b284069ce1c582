"""A command line that cannot be read, in a line: what is wrong, what was expected, an example where something is missing."""

import difflib
import re
from typing import Any

# What pydantic, which typer converts with, calls the kind of fault -> what was expected.
_EXPECTED = {"float": "a number", "int": "a whole number", "bool": "true or false"}
_BOUNDS = {"less_than_equal": "at most", "greater_than_equal": "at least", "less_than": "below", "greater_than": "above"}


def usage(error: Any) -> str:
    """The message of one of typer's usage errors."""
    kind = type(error).__name__
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    if kind == "MissingParameter" and parameter is not None:
        return f"{_name(parameter)} is needed{_example(context)}"
    if kind == "NoSuchOption":
        known = [name for each in context.command.params for name in (*each.opts, *each.secondary_opts)] if context else []
        near = difflib.get_close_matches(error.option_name, known, n=1, cutoff=0.7)
        parameter_of = error.option_name.lstrip("-").replace("-", "_")
        if not near and "-p" in known and parameter_of in _of_populations():
            return f"there is no option {error.option_name}: parameters of a population are given as -p {parameter_of}=VALUE"
        advice = f"did you mean {near[0]}?" if near else f"{_path(context)} --help lists what there is"
        return f"there is no option {error.option_name}: {advice}"
    if kind == "BadOptionUsage" and "requires an argument" in error.message:
        return f"{error.option_name} needs a value"
    if extra := re.search(r"unexpected extra argument\S*(?: argument)? \((.*)\)$", getattr(error, "message", "")):
        return f"there is no place for {extra[1]}: {_instead(extra[1].split(), context)}"
    given = _given(error)
    if kind == "BadParameter" and parameter is not None and given is not None:
        return f"{_name(parameter)} must be {given[0]}, got {given[1]!r}"
    return str(error.format_message())


def _of_populations() -> set[str]:
    """The names of what populations are made of."""
    from freshmix.population_file import MODELS, parameters_of

    return {name for model in MODELS for name in parameters_of(model)}


def _instead(extra: list[str], context: Any) -> str:
    """How words that no argument takes can be given."""
    known = [name for each in context.command.params for name in each.opts] if context else []
    if "-p" in known and all("=" in each for each in extra):
        return f"parameters are given as {' '.join(f'-p {each}' for each in extra)}"
    return f"options begin with --, and {_path(context)} --help lists them"


def _name(parameter: Any) -> str:
    """An option as it is typed, an argument as help calls it."""
    return str(max(parameter.opts, key=len)) if parameter.param_type_name == "option" else str(parameter.metavar).strip("[].")


def _path(context: Any) -> str:
    return context.command_path if context else "freshmix"


def _example(context: Any) -> str:
    """The first of the command's examples."""
    lines = [line.strip() for line in (getattr(getattr(context, "command", None), "epilog", None) or "").splitlines()]
    examples = [line for line in lines if line.startswith("freshmix ")]
    return f", as in: {examples[0]}" if examples else f": see {_path(context)} --help"


def _given(error: BaseException) -> tuple[str, Any] | None:
    """What was expected and what came, where a value could not be converted."""
    for fault in getattr(error.__cause__, "errors", list)():
        kind, bounds = str(fault.get("type", "")), list((fault.get("ctx") or {}).values())
        expected = _EXPECTED.get(kind.partition("_")[0])
        if kind in _BOUNDS and bounds:
            expected = f"{_BOUNDS[kind]} {bounds[0]}"
        if expected:
            return expected, fault.get("input")
    return None
