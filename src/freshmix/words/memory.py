"""Ways to remember between retrainings, beside each other."""

from typing import Any

from .figures import figures
from .layout import Answer, Block, Grid, Pairs
from .remembering import NAMES

# A ``freshmix.Memory``: it stands above this room, and is read by its fields alone.
Memory = Any

STORED = {
    "nothing": "nothing",
    "model": "the last model",
    "moments": "moments (X'X, X'y)",
    "rows": "rows",
}
RULES = {
    "nothing": "nothing may be kept",
    "model": "the last model may be kept",
    "moments": "moments of the past may be kept",
    "rows": "rows may be kept",
}


def answer(found: Memory) -> Answer:
    """The best way, then all of them."""
    best = found.ways[found.best]
    on = "the next step's coefficients" if found.judged == "next" else "its own coefficients"
    said = (
        f"Best where {RULES[found.may_keep]}: {NAMES[found.best]}, excess risk {figures(best.risk)} at generation "
        f"{found.generations}, judged on {on}."
    )
    ways = found.ways.items()
    rows = [(NAMES[name], figures(way.risk), figures(way.prediction_error), STORED[way.stored]) for name, way in ways]
    rules = [(RULES[rule], NAMES[name]) for rule, name in found.best_under.items()]
    names = ("way", "excess risk", "prediction error", "to be kept")
    return (
        Block((said,)),
        Grid("Each way at its best", names, rows, left=1),
        Pairs("With", [(NAMES[name], settings(way)) for name, way in ways]),
        Pairs("Best where", rules),
    )


def settings(way: Any) -> str:
    """Those that are not as in plain ridge on real labels."""
    of = way.settings
    parts = [f"penalty {of['penalty']:.4g}"]
    if of["real_weight"] != 1:
        parts.append(f"w = {of['real_weight']:.4g}")
    if of["row_weight"] not in (0, 1):
        parts.append(f"row weight {of['row_weight']:.4g} without a real label")
    if of["anchor"] > 0:
        parts.append(f"anchor {of['anchor']:.4g}")
    if of["kept_generations"]:
        parts.append(f"last {of['kept_generations']} generations")
    if of["forgetting"] != 1:
        parts.append(f"forgetting {of['forgetting']:.4g}")
    return ", ".join(parts)
