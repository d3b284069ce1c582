"""Figure 9, beyond the paper: what memory is worth (mathematics.md section 5)."""

from collections.abc import Mapping

import numpy as np

from ..arguments import Floats
from ..loop import Loop
from ..plots.panels import Marks, Panel, Series
from ..population import Population
from ..risks import risk
from ..words.remembering import NAMES
from .paper_figure import PaperFigure
from .part import Part
from .statistics import last

SHOWN = ("real_only", "mixed", "anchored", "anchored_mixed", "forgetting")
PERSISTENCE = {"memory_standing": 1.0, "memory_slow": 0.97, "memory_fast": 0.85}
ASPECTS = (0.2, 1.0, 3.0)


def next_step(population: Population, loop: Loop, generations: int) -> Floats:
    """(1,) risk of the last generation on the coefficients that it meets in use."""
    return risk(population, loop, generations, judged="next")[-1:]


def content(parts: Mapping[str, Part]) -> list[Panel]:
    """A panel for each drift and share of labels: the risk of each way at its best, against the aspect."""
    return [
        Panel(
            f"{100 * labelled:g}% labelled, persistence {PERSISTENCE[name]:g}",
            "aspect ratio γ",
            "excess risk at the next step",
            [_along_aspects(part, way, labelled, order) for order, way in enumerate(SHOWN)],
            x_log=True,
            x_ticks=ASPECTS,
        )
        for labelled in (1.0, 0.3)
        for name, part in parts.items()
    ]


def _along_aspects(part: Part, way: str, labelled: float, order: int) -> Series:
    part = part.against(next_step)
    found = [part.compare(last, loop=f"{way}, {aspect:g}, {labelled:g}") for aspect in ASPECTS]
    value, error, theory, z = (np.array([each[name].item() for each in found]) for name in ("value", "error", "theory", "z"))
    x = np.array(ASPECTS)
    return Series(NAMES[way], (x, theory), Marks(x, value, error, theory, z), colour=order)


FIGURE = PaperFigure(
    "memory-worth",
    "What memory is worth: generation 12, each way to remember at its best",
    {name: {"replicates": 8} for name in PERSISTENCE},
    content,
    columns=3,
)
