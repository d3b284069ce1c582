"""The pictures of a page, inline."""

import io
import re
from typing import TYPE_CHECKING

from ..words.pictures import of_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..recommendation import Recommendation


def drawings(r: "Recommendation") -> list[tuple[str, str]]:
    """Description and inline SVG of each picture on the page."""
    from .. import plots

    draw = {"weights": plots.weight_picture, "generations": plots.generation_picture, "ways": plots.ways_picture}
    if r.check is not None:
        draw["check"] = plots.check_picture
    return [(of_page(r.real_weight)[name], _svg(picture(r), name)) for name, picture in draw.items()]


def _svg(figure: "Figure", prefix: str) -> str:
    """The figure as an inline SVG: the same bytes every time, text in the page's colour, ids of its own."""
    from matplotlib import rc_context

    from ..plots import INK

    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with rc_context({"svg.hashsalt": "freshmix", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    # Glyphs have the same ids in every SVG; two on one page would clash.
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", text)
