"""What a watched loop does."""

import math
from typing import Any

from .figures import figures
from .layout import Answer, Pairs, Verdict

# A ``freshmix.watch.Watched``: it stands above this room, and is read by its fields alone.
Watched = Any


def answer(state: Watched) -> Answer:
    """The verdict and its numbers."""
    rows = [
        ("generation", str(state.generation)),
        ("mean squared error on the hold-out", figures(state.error)),
        ("of the reference", figures(state.reference)),
    ]
    if math.isfinite(state.bound):
        rows.append(("rise of the last generations, and its lower bound", f"{figures(state.rise)}, {figures(state.bound)}"))
    return Verdict(state.verdict, reason(state)), Pairs("Squared label units", rows)


def reason(state: Watched) -> str:
    """Why."""
    if state.verdict == "learning":
        return "the first generations make the reference"
    if state.verdict == "healthy":
        return "the error has not risen beyond chance"
    now = state.error / state.reference if state.reference > 0 else math.inf
    return f"the error began to rise at generation {state.since}, and is now {figures(now)} times that of the reference"
