"""Formulas as MathML, which browsers render themselves."""

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

# A prime is raised by its own shape: as a superscript it would be raised and made smaller once more. The class has its size.
_PRIME = "<mi>&#x02032;</mi>"
_UPRIGHT = '<mpadded class="prime" voffset="-0.3em" height="0.45em" depth="0"><mo>&#x02032;</mo></mpadded>'


def rendered(formula: str, display: str) -> str:
    """The formula, with every hat, bar and tilde an accent: otherwise some float above their letter."""
    made = convert(formula, display=display).replace(_PRIME, _UPRIGHT)
    return re.sub(r"<mover>(?=<mi)", '<mover accent="true">', made)


def inline_math(writer: Any, node: nodes.math) -> None:
    """A formula in a line."""
    writer.body.append(rendered(node.astext(), "inline"))
    raise nodes.SkipNode


def display_math(writer: Any, node: nodes.math_block) -> None:
    """A formula on its own."""
    writer.body.append(rendered(node.astext(), "block"))
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (inline_math, None), (display_math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
