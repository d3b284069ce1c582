"""Ways to remember beside each other."""

import math

import numpy as np
from matplotlib.axes import Axes

from ..optima import Memory
from ..words import pictures as words
from ..words.figures import UNBOUNDED
from ..words.remembering import NAMES
from .style import BLUE, GREY, INK, dress

# A way this many times worse than the best is not drawn, and said so.
_MOST = 5.0


def draw_memory(axes: Axes, found: Memory) -> None:
    """Excess risk of each way at its best, the least first; those that may not be carried out in grey."""
    names = sorted(found.ways, key=lambda name: found.ways[name].risk)
    risks = np.array([found.ways[name].risk for name in names])
    allowed = found.to_frame().allowed.to_dict()
    least = float(risks.min())
    for place, (name, risk) in enumerate(zip(names, risks.tolist(), strict=True)):
        colour = BLUE if allowed[name] else GREY
        if math.isfinite(risk) and (risk <= _MOST * least or least == 0):
            axes.plot([risk], [place], "o", color=colour, markersize=8, zorder=3)
            continue
        text = UNBOUNDED if math.isinf(risk) else f"{risk:.3g}"
        axes.annotate(
            f"{text}  ▸", (1.0, place), xycoords=("axes fraction", "data"), ha="right", va="center", fontsize=9, color=INK
        )
    axes.set_yticks(range(len(names)), [NAMES[name] for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(left=0.0)
    dress(axes, words.memory(found.generations), words.RISK, "")
    axes.grid(axis="y", visible=False)
