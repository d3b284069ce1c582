"""Phase diagram over (aspect, labelled share)."""

import numpy as np
import xarray as xr

from ...words import pictures as words
from .heat import diverging, shades
from .style import RISK, Picture, Template, X, Y, figure_of, here

_TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10]


def figure(table: xr.Dataset, template: Template) -> Picture:
    """The table of ``theory.phase_diagram``: shades of risk, where the loop diverges, and the loop itself.

    A click is an event with the aspect as ``x`` and the labelled share as ``y``.
    """
    aspect, share = table.aspect.values, table.labelled.values
    risk, psi = (table[name].transpose("labelled", "aspect").values for name in ("risk", "collapse_number"))
    traces = shades(template, aspect, share, risk, table.attrs["null"], words.of_phase(RISK, X, Y))
    traces += diverging(template, aspect, share, psi)
    now = table.attrs.get("current", (None, None))
    if now[0] is not None and aspect[0] <= now[0] <= aspect[-1]:
        traces.append(here(template, now, words.here({"aspect": now[0], "labelled": now[1]}), on_shades=True))
    return figure_of(
        template,
        words.PHASE_DIAGRAM,
        words.ASPECT,
        words.SHARE,
        traces,
        xaxis={
            "type": "log",
            "range": np.log10(aspect[[0, -1]]).tolist(),
            "tickvals": _TICKS,
            "ticktext": [f"{tick:g}" for tick in _TICKS],
            "showgrid": False,
        },
        yaxis={"range": [0, 1], "showgrid": False},
        clickmode="event",
    )
