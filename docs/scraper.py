"""Pictures of the gallery: figures of pyplot, and a ``figure`` that a script made without it."""

import ast
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst, matplotlib_scraper


def scraped(block: Any, variables: dict[str, Any], settings: dict[str, Any]) -> str:
    """What sphinx-gallery shows below a block."""
    shown: str = matplotlib_scraper(block, variables, settings)
    figure = variables["example_globals"].pop("figure", None)
    if isinstance(figure, Figure):
        path = next(variables["image_path_iterator"])
        figure.savefig(path, dpi=150)
        title = (ast.get_docstring(ast.parse(Path(variables["src_file"]).read_text())) or "").partition("\n")[0]
        shown += figure_rst([path], settings["src_dir"], title)
    return shown
