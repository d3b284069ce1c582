"""The pictures of a page, inline."""

import io
import re
from typing import TYPE_CHECKING

from ..words.figures import figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..recommendation import Recommendation


def drawings(r: "Recommendation") -> list[tuple[str, str]]:
    """Description and inline SVG of each picture on the page."""
    from .. import plots

    known = [
        ("weights", f"Excess risk against the real weight; recommended: {figures(r.real_weight)}", plots.weight_picture),
        ("generations", "Excess risk by generation for the recommendation and its rivals", plots.generation_picture),
        ("ways", "Prediction error of each way of training, with the recommendation's interval", plots.ways_picture),
    ]
    if r.check is not None:
        known.append(("check", "Excess risk by generation: predicted, and replayed on the table's rows", plots.check_picture))
    return [(description, _svg(draw(r), name)) for name, description, draw in known]


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
