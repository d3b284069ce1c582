"""The loop with any model on real rows."""

from typing import Any

from .figures import figures
from .layout import Answer, Grid, Lines

# xarray datasets: of all repeats, and their means with standard errors.
Dataset = Any

_MEASURES = {"squared_error": "Squared error", "log_loss": "Log loss", "accuracy": "Share of right classes"}
_MIXED = {
    "labels": "rows with both labels are fitted to their weighted mean",
    "rows": "rows with both labels are fitted twice, with weights w and 1 - w",
    "draws": "rows with both labels are fitted to one of them, the real one with probability w",
}
_ANCHORED = {
    "offset": "Each model is fitted to what the anchor leaves of the labels, and added to it.",
    "warm_start": "Each fit starts where the last one ended (warm_start).",
    "init": "Each model is fitted on top of the last one (init).",
}
_LABELS = {"sampled": "drawn", "probabilities": "one for each class, counting its probability"}
# Generations that are shown.
_SHOWN = 5


def other_libraries(which: str) -> str:
    """A warning about a store."""
    return f"the store was begun with other libraries, last digits may differ: {which}"


def failed(failed: int, asked: int, first: str, reason: str, store: object) -> str:
    """The error of a replay of which a part failed."""
    return f"{failed:,} of {asked:,} runs failed, first {first}: {reason}; those that are finished are kept in {store}"


def answer(found: Dataset, means: Dataset) -> Answer:
    """A table for each measure: real weights by generation."""
    T = found.sizes["generation"] - 1
    shown = sorted({round(T * k / (_SHOWN - 1)) for k in range(_SHOWN)})
    names = ("real weight", *(f"t = {t}" for t in shown), "standard error")
    grids = []
    for name in found.data_vars:
        rows = []
        for k, w in enumerate(found["real_weight"].to_numpy()):
            error = float(means[f"{name}_error"][k, -1])
            last = "" if error != error else figures(error)
            rows.append((figures(w), *(figures(float(means[name][k, t])) for t in shown), last))
        grids.append(Grid(f"{_MEASURES[name]} by generation t, on {found.attrs['test_rows']} rows held out", names, rows))
    size, kind = found.attrs["rows_per_generation"], found.attrs["covariates"]
    said = [f"{found.sizes['repeat']} repeats of {size} {kind} rows a generation.", f"Mixing: {_MIXED[found.attrs['mixing']]}."]
    if found.attrs["rows_come_again"]:
        said.append("The table has too few rows for each generation to have its own: rows come again.")
    if made := _LABELS.get(found.attrs["synthetic_labels"]):
        said.append(f"Synthetic labels: {made}.")
    if found.attrs["threshold"] > 0:
        said.append(f"Unlabelled rows of which a model is less sure than {figures(found.attrs['threshold'])} are left out.")
    if found.attrs["anchoring"] in _ANCHORED:
        said.append(_ANCHORED[found.attrs["anchoring"]])
    return *grids, Lines("How", said)
