"""A directive that runs a command of freshmix when the documentation is built, and shows what it printed."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

EXAMPLES = Path(__file__).parents[1] / "examples"
# Of a long answer the first lines are shown, where an option says how many.
_MORE = "..."


class Shown(SphinxDirective):
    """The command line in the content, run beside the example tables, with its output below it.

    ``lines`` is the most that are shown. A command that fails fails the build.
    """

    has_content = True
    option_spec: ClassVar = {"lines": int}

    def run(self) -> list[nodes.Node]:
        """The command and its output as one block."""
        command = " ".join(self.content)
        name, *arguments = shlex.split(command)
        if name != "freshmix":
            raise self.error(f"a command of freshmix is shown, got {name!r}")
        done = subprocess.run(
            [sys.executable, "-m", "freshmix", *arguments],
            cwd=EXAMPLES,
            env={**os.environ, "COLUMNS": "100", "OPENBLAS_NUM_THREADS": "1"},
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
        return [nodes.literal_block(text, text, language="none")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("shown", Shown)
    return {"parallel_read_safe": True}
