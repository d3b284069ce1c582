"""The best real weight of any model."""

from typing import Any

from .figures import figures, span
from .layout import Answer, Grid, Pairs

# A ``freshmix.estimators.FoundWeight``: it stands above this room, and is read by its fields alone.
FoundWeight = Any

_MEASURES = {"squared_error": "squared error", "log_loss": "log loss", "inaccuracy": "share of wrong classes"}


def answer(found: FoundWeight) -> Answer:
    """The weight and what is known of others."""
    measure = _MEASURES[found.measure]
    facts = [("best real weight", figures(found.real_weight)), ("weights that cannot be told from it", span(*found.interval))]
    facts += [(name, "among them" if within else "worse beyond chance") for name, within in found.within.items()]
    if found.theory is not None:
        facts.append(("theory, for ridge on this table", figures(found.theory)))
    facts.append(
        (f"{measure} in the last generation", f"{figures(found.error)}, standard error {figures(found.standard_error)}")
    )
    rows = []
    for k, w in enumerate(found.weights):
        above = f"{figures(found.differences[k])}, {figures(found.difference_errors[k])}"
        gap = "chosen" if w == found.real_weight else above
        rows.append((figures(w), figures(found.errors[k]), gap, str(int(found.repeats[k]))))
    names = ("weight", measure, "above the chosen one, standard error", "repeats")
    return Pairs("Real weight", facts), Grid("Weights tried", names, rows)
