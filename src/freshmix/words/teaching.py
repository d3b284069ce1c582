"""How far a teacher is to be trusted."""

import math
from typing import Any

from .figures import figures
from .layout import Answer, Pairs

# A ``freshmix.Teaching``: it stands above this room, and is read by its fields alone.
Teaching = Any


def answer(found: Teaching) -> Answer:
    """The best settings, what they bring, and how wrong the teacher may be."""
    rows = [
        ("rows with a real label", f"label = {figures(found.real_weight)} x real + {figures(1 - found.real_weight)} x teacher"),
        ("rows without", f"the teacher's label, at sample_weight {figures(found.row_weight)}"),
        ("penalty lambda", figures(found.penalty)),
        ("error above the unavoidable noise", figures(found.risk)),
        ("with real labels only", figures(found.real_only)),
        ("of the teacher alone", figures(found.teacher_alone)),
    ]
    if math.isinf(found.tolerable):
        most = "however wrong it is"
    elif found.tolerable == 0:
        most = "never: it does not help"
    else:
        most = f"while its error is less than {figures(found.tolerable)} times what it is"
    return (Pairs("The teacher's labels at their best", [*rows, ("worth using", most)]),)
