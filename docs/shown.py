"""A directive that runs a command of freshmix when the documentation is built, and shows what it printed."""

import os
import shlex
import subprocess
import sys
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import workshop

# Of a long answer the first lines are shown, where an option says how many.
_MORE = "..."


class Shown(SphinxDirective):
    """The command line in the content, run beside the example tables, with its output below it.

    ``lines`` is the most that are shown. With ``here`` it runs where the lines of Python of this page do, a folder that holds
    ``examples``; with ``words`` a narrow screen wraps it. A command that fails fails the build.
    """

    has_content = True
    option_spec: ClassVar = {"lines": int, "here": directives.flag, "words": directives.flag}

    def run(self) -> list[nodes.Node]:
        """The command and its output as one block."""
        command = " ".join(self.content)
        name, *arguments = shlex.split(command)
        if name != "freshmix":
            raise self.error(f"a command of freshmix is shown, got {name!r}")
        done = subprocess.run(
            [sys.executable, "-m", "freshmix", *arguments],
            cwd=workshop.of_page(self.env.docname).folder if "here" in self.options else workshop.EXAMPLES,
            env={**os.environ, **workshop.ENVIRONMENT},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise self.error(f"{command}: {done.stderr.strip()}")
        lines = [line.rstrip() for line in done.stdout.strip("\n").splitlines()]
        most = self.options.get("lines", len(lines))
        shown = lines if len(lines) <= most else [*lines[:most], _MORE]
        text = "\n".join([f"$ {command}", *shown])
        return [nodes.literal_block(text, text, language="none", classes=["words"] if "words" in self.options else [])]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("shown", Shown)
    return {"parallel_read_safe": True}
