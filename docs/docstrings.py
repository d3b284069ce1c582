"""What docstrings say, made to read well on a page: sections of mathematics.md that they name become links to them."""

import re
from typing import Any

from sphinx.application import Sphinx

NAMED = re.compile(r"mathematics\.md,?\s+sections?\s+(\d+(?:(?:,|\s+and|\s+to)\s+\d+)*)")


def linked(text: str) -> str:
    """The text with each number of a section in a role that leads there."""

    def roles(match: re.Match[str]) -> str:
        return "mathematics, section " + re.sub(r"\d+", r":ref:`\g<0> <math-\g<0>>`", match[1])

    return NAMED.sub(roles, text)


def barred(line: str) -> str:
    """The line with the bars of norms as such, outside of literals; elsewhere they would name a substitution."""
    if line.lstrip().startswith((">>>", "...")):
        return line
    parts = line.split("``")
    return "``".join(part if index % 2 else part.replace("|", r"\|") for index, part in enumerate(parts))


SHARED = re.compile(r"^:(ivar|vartype) (\w+(?:, \w+)+):((?:.*)(?:\n[ \t]+.*)*)", re.MULTILINE)


def one_by_one(text: str) -> str:
    """Attributes that share a line, each with a line of its own: Sphinx would take the first for the type of the last."""
    return SHARED.sub(lambda match: "\n".join(f":{match[1]} {name}:{match[3]}" for name in match[2].split(", ")), text)


def read_well(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Change the docstring that autodoc is about to read."""
    lines[:] = [barred(line) for line in one_by_one(linked("\n".join(lines))).split("\n")]


def ours(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what a class has from scikit-learn."""
    return True if (getattr(thing, "__module__", None) or "").startswith("sklearn") else None


def setup(app: Sphinx) -> dict[str, bool]:
    """After napoleon, which is at the usual place."""
    app.connect("autodoc-process-docstring", read_well, priority=900)
    app.connect("autodoc-skip-member", ours)
    return {"parallel_read_safe": True}
