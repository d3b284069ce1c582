"""The pictures of a page, inline."""

import io
import re
from typing import TYPE_CHECKING, TypeGuard, cast

from ..words.pictures import of_page, of_plan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..plans import Plan
    from ..recommendation import Recommendation


def is_plan(result: "Recommendation | Plan") -> TypeGuard["Plan"]:
    """Which of the two it is, without loading either."""
    return type(result).__name__ == "Plan"


def trusted(result: "Recommendation | Plan") -> bool:
    """Whether nothing speaks against the theory behind it."""
    check = None if is_plan(result) else cast("Recommendation", result).check
    return check is None or check.trusted


def drawings(result: "Recommendation | Plan") -> list[tuple[str, str]]:
    """Description and inline SVG of each picture on the page."""
    from .. import plots

    if is_plan(result):
        return [(of_plan(result.ways[result.best]["labels"], result.advice.step), _svg(plots.plan_picture(result), "plan"))]
    r = cast("Recommendation", result)
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
