"""A Recommendation -> one HTML page that needs no network."""

from typing import TYPE_CHECKING

from ..version import __version__
from ..words import code
from ..words import recommendation as words
from ..words.figures import figures, percent
from ..words.loop import horizon
from ..words.signs import visible
from .drawings import drawings

if TYPE_CHECKING:
    from ..recommendation import Recommendation


def page(recommendation: "Recommendation", title: str, command: str | None) -> str:
    """The page; ``command`` holds the lines that reproduce it, by default a call in Python."""
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
    shelf.filters.update(figures=figures, percent=percent)
    parts = (
        words.recipe,
        words.other_end,
        words.settings,
        words.rivals,
        words.remarks,
        words.backtested,
        words.estimates,
        words.checked,
    )
    return shelf.get_template("page.html.j2").render(
        r=recommendation,
        title=title,
        command=command if command is not None else code.call(recommendation.options),
        horizon=horizon(recommendation.generations),
        pictures=[(alt, Markup(visible(drawn))) for alt, drawn in drawings(recommendation)],
        version=__version__,
        **{part.__name__: part(recommendation) for part in parts},
    )
