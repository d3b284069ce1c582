"""A Recommendation or a Plan -> one HTML page that needs no network."""

from typing import TYPE_CHECKING

from ..version import __version__
from ..words import code
from ..words.pictures import NOT_DRAWN
from ..words.signs import visible
from .drawings import drawings, is_plan, trusted

if TYPE_CHECKING:
    from ..plans import Plan
    from ..recommendation import Recommendation


def page(result: "Recommendation | Plan", title: str, command: str | None) -> str:
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
        blocks=[(type(block).__name__, block) for block in result.answer()],
        bad=not trusted(result),
        title=title,
        command=command if command is not None else code.call(result.options, "plan" if is_plan(result) else "recommend"),
        pictures=[(alt, Markup(visible(drawn))) for alt, drawn in drawings(result)],
        remark="" if is_plan(result) else NOT_DRAWN,
        version=__version__,
    )
