"""How far a teacher is to be trusted."""

import math
from typing import Any

from .figures import figures
from .layout import Answer, Pairs

# A ``freshmix.Teaching``: it stands above this room, and is read by its fields alone.
Teaching = Any


def answer(found: Teaching) -> Answer:
    """The best settings, what they bring, and how wrong the teacher may be."""
    if not found.used:
        said = f"of no use: real labels only are as good, at penalty lambda {figures(found.penalty)}"
        rows = [("the teacher's labels", said)]
    else:
        rows = _settings(found)
    rows += [
        ("error above the unavoidable noise", figures(found.risk)),
        ("with real labels only", figures(found.real_only)),
        ("of the teacher alone", figures(found.teacher_alone)),
    ]
    return (Pairs("The teacher's labels at their best", [*rows, ("worth using", _limit(found.tolerable))]),)


def _settings(found: Teaching) -> list[tuple[str, str]]:
    real, taught = figures(found.real_weight), figures(1 - found.real_weight)
    return [
        ("rows with a real label", f"label = {real} x real + {taught} x teacher"),
        ("rows without", f"the teacher's label, at sample_weight {figures(found.row_weight)}"),
        ("penalty lambda", figures(found.penalty)),
    ]


def _limit(tolerable: float) -> str:
    """How wrong the teacher may be."""
    if math.isinf(tolerable):
        return "however wrong it is"
    if tolerable == 0:
        return "never: it does not help"
    return f"while its error is less than {figures(tolerable)} times what it is"
