"""A directive that runs lines of Python when the documentation is built, and shows what they print and draw."""

import html
import re
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import workshop

# Beside the built pages, in the source folder as Sphinx wants it.
PICTURES = Path(__file__).parent / "_build" / "pictures"

# Three cells beside each other, as in a table: a name and its words are two.
_COLUMNS = re.compile(r"\S {2,}\S+(?: \S+)* {2,}\S|[│┌└]")


def _code(value: str) -> str:
    return directives.choice(value, ("shown", "folded", "hidden"))


def _form(value: str) -> str:
    return directives.choice(value, ("text", "markdown"))


def _words(text: str) -> bool:
    """Whether text has sentences, which may be wrapped, and neither tables nor lines of Python."""
    return not any(_COLUMNS.search(line) or line.startswith("import ") for line in text.splitlines())


class Executed(SphinxDirective):
    """Lines of Python, run after those above them on the page, with what they print and the pictures of pyplot below.

    ``code`` says whether the lines are shown, folded away or hidden, ``as`` whether what is printed is text or markdown (a
    table, say), ``lines`` the most lines of text; ``alt`` describes the picture. An error or a warning fails the build.
    """

    has_content = True
    option_spec: ClassVar = {"code": _code, "as": _form, "lines": int, "alt": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """The lines, what they printed, what they drew."""
        code = "\n".join(self.content)
        page = self.env.docname
        PICTURES.mkdir(parents=True, exist_ok=True)
        name = f"{page.replace('/', '-')}-{self.lineno}"
        reply = workshop.of_page(page).run(code, PICTURES, name)
        if "error" in reply:
            raise self.error(f"these lines failed:\n{code}\n{reply['error']}")
        return [*self._lines(code), *self._printed(reply["printed"]), *self._pictures(reply["pictures"])]

    def _lines(self, code: str) -> list[nodes.Node]:
        how = self.options.get("code", "shown")
        if how == "hidden":
            return []
        block = nodes.literal_block(code, code, language="python")
        if how == "shown":
            return [block]
        summary = html.escape("The lines that draw this" if "alt" in self.options else "The lines behind this")
        before = f'<details class="lines"><summary>{summary}</summary>'
        return [nodes.raw("", before, format="html"), block, nodes.raw("", "</details>", format="html")]

    def _printed(self, printed: str) -> list[nodes.Node]:
        lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
        if not lines:
            return []
        if self.options.get("as") == "markdown":
            return self.parse_text_to_nodes("\n".join(lines))
        most = self.options.get("lines", len(lines))
        text = "\n".join(lines if len(lines) <= most else [*lines[:most], "..."])
        block = nodes.literal_block(text, text, language="none")
        return [nodes.container("", block, classes=["printed", "words"] if _words(text) else ["printed"])]

    def _pictures(self, files: list[str]) -> list[nodes.Node]:
        if files and "alt" not in self.options:
            raise self.error("a picture needs an alt text")
        folder = f"/_build/{PICTURES.name}"
        return [nodes.image("", uri=f"{folder}/{Path(file).name}", alt=self.options["alt"]) for file in files]


def close(app: Sphinx, doctree: nodes.document) -> None:
    """End what ran for the page that was read."""
    workshop.close(app.env.docname)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("executed", Executed)
    app.connect("doctree-read", close)
    return {"parallel_read_safe": True}
