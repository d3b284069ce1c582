"""A Recommendation -> one HTML page that needs no network."""

from typing import TYPE_CHECKING

from ..version import __version__
from ..words import code
from ..words.signs import visible
from .drawings import drawings

if TYPE_CHECKING:
    from ..recommendation import Recommendation


def page(recommendation: "Recommendation", title: str, command: str | None) -> str:
    """The page: the words of the command line, with pictures.

    ``command`` holds the lines that reproduce it, by default a call in Python.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    shelf = Environment(
        loader=PackageLoader("freshmix.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    return shelf.get_template("page.html.j2").render(
        blocks=[(type(block).__name__, block) for block in recommendation.answer()],
        bad=recommendation.check is not None and not recommendation.check.trusted,
        title=title,
        command=command if command is not None else code.call(recommendation.options),
        pictures=[(alt, Markup(visible(drawn))) for alt, drawn in drawings(recommendation)],
        version=__version__,
    )
