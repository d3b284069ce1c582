"""Sphinx configuration: everything is local, also the formulas (MathML) and their font."""

import sys
from pathlib import Path

import freshmix

# The extensions beside this file.
sys.path.insert(0, str(Path(__file__).parent))

project = "freshmix"
author = "The freshmix developers"
project_copyright = "2026, The freshmix developers"
version = release = freshmix.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "executed",
    "mathml",
    "shown",
]
myst_enable_extensions = ["attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
exclude_patterns = ["_build"]

# Of what a command or a console shows, what was typed is copied.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "freshmix"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
}
# Pages without others below them have nothing to show at the side.
html_sidebars = {"index": [], "start": [], "changelog": []}
html_copy_source = False
