"""Sphinx configuration: everything is local, also the formulas (MathML) and their font."""

import sys
from pathlib import Path

import freshmix

ROOT = Path(__file__).resolve().parents[1]
# The extensions beside this file.
sys.path.insert(0, str(ROOT / "docs"))

project = "freshmix"
author = "The freshmix developers"
project_copyright = "2026, The freshmix developers"
version = release = freshmix.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "docstrings",
    "executed",
    "mathml",
    "shown",
]
myst_enable_extensions = ["attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
napoleon_use_ivar = True
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "auto_examples/**/*.ipynb", "auto_examples/**/*.py"]

# Every script of the gallery runs at every build, two at a time.
sphinx_gallery_conf = {
    "examples_dirs": str(ROOT / "examples" / "gallery"),
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"\.py$",
    "run_stale_examples": True,
    "abort_on_example_error": True,
    "parallel": 2,
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("scraper.scraped",),
    "backreferences_dir": "auto_examples/backreferences",
    "doc_module": ("freshmix",),
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
    "matplotlib_animations": False,
    "write_computation_times": False,
    "default_thumb_file": None,
}

# Of what a command or a console shows, what was typed is copied.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "freshmix"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_favicon = "../src/freshmix/explorer/assets/icon.svg"
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
