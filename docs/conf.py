"""Sphinx configuration: everything is local, also the formulas (MathML)."""

import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

import freshmix

# The extension beside this file.
sys.path.insert(0, str(Path(__file__).parent))

project = "freshmix"
author = "The freshmix developers"
project_copyright = "2026, The freshmix developers"
version = release = freshmix.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.autosectionlabel", "shown"]
myst_enable_extensions = ["dollarmath"]
autosectionlabel_prefix_document = True
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
exclude_patterns = ["_build"]

html_theme = "pydata_sphinx_theme"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_theme_options = {"navigation_with_keys": False, "show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}
html_copy_source = False


def inline_math(writer: Any, node: nodes.math) -> None:
    """A formula in a line."""
    writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def display_math(writer: Any, node: nodes.math_block) -> None:
    """A formula on its own."""
    writer.body.append(convert(node.astext(), display="block"))
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Write formulas as MathML, which browsers render themselves."""
    app.add_html_math_renderer("mathml", (inline_math, None), (display_math, None))
