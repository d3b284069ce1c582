"""What a search over loops found."""

from typing import Any

from .figures import figures
from .layout import Answer, Block, Pairs
from .loop import in_words
from .theory import APPROACHED

# A ``freshmix.Optimum``: it stands above this room, and is read by its fields alone.
Optimum = Any


def answer(found: Optimum) -> Answer:
    """All of it."""
    loop = found.loop
    others = [group.row_weight for group in loop.groups or () if not group.labelled]
    rows = [
        ("best real weight", f"{found.real_weight:.6g}"),
        *([("row weight without a real label", f"{others[0]:.4g}")] if others else []),
        ("penalty lambda", f"{loop.penalty:.4g}"),
        ("excess risk", figures(found.risk) + ("" if found.attained else APPROACHED)),
    ]
    return Pairs("Best loop", rows), Block((in_words(loop),))
