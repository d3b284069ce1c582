"""What a simulation found, in parts: the loop, how it was run, and means beside theory."""

import json
from collections.abc import Sequence
from itertools import product
from math import isfinite, isinf, isnan
from typing import TYPE_CHECKING, Any

from .figures import UNBOUNDED
from .layout import Answer, Block, Grid, Lines
from .loop import in_words

if TYPE_CHECKING:
    from ..loop import Loop

# An xarray.Dataset of means and standard errors, and theory where there is one: ``freshmix.mean_and_error``.
Summary = Any


def answer(said: str, summary: Summary, replicates: int, told: Sequence[str]) -> Answer:
    """All of it, for the loop that is ``said``; ``told`` are warnings."""
    return (
        Block((said, facts(summary, replicates))),
        Grid(*risks(summary)),
        Lines("Warnings", tuple(dict.fromkeys(told))),
    )


def assumption(loop: "Loop", weight_grid: bool, penalty_grid: bool, filled_in: bool) -> str:
    """The loop that is assumed, in a sentence or two."""
    said = in_words(loop, weight_grid, penalty_grid)
    return said + (" The real weight is the best one in the long run." if filled_in else "")


def facts(summary: Summary, replicates: int) -> str:
    """How it was run, in one sentence; ``replicates`` are those that were finished."""
    known = summary.attrs
    rows = json.loads(known["rows"])
    done = f"{replicates} of {known['replicates']}" if known["partial"] else known["replicates"]
    return (
        f"Simulated by the {known['engine']} engine: {rows[min(1, len(rows) - 1)]} rows, {known['features']} features, "
        f"{done} replicates, {known['noise']} label noise, workflow {known['workflow']}, seed {known['seed']}"
        + ("; judged on the next generation's coefficients." if known["judged"] == "next" else ".")
    )


def risks(summary: Summary) -> tuple[str, Sequence[str], list[Sequence[str]]]:
    """Heading, names and rows of means by generation, or at the last one over a grid."""
    last = summary.isel(generation=-1)
    grid = bool(last["mean"].dims)
    shown = last if grid else summary
    dims = [str(name) for name in shown["mean"].dims]
    known = [name for name in ("mean", "standard_error", "theory") if name in summary]
    values = zip(*(shown[name].values.ravel().tolist() for name in known), strict=True)
    places = product(*(shown[name].values.tolist() for name in dims))
    rows = [(*(f"{each:.4g}" for each in place), *_cells(*row)) for place, row in zip(places, values, strict=True)]
    names = [name.replace("_", " ") for name in (*dims, *known)] + ["z"] * ("theory" in known)
    when = f" at generation {int(summary.generation[-1])}" if grid else " by generation"
    return f"Excess risk{when} (squared label units)", names, list(rows)


def _cells(mean: float, error: float, theory: float | None = None) -> tuple[str, ...]:
    """A mean, its standard error and, where there is theory, that and the z-score."""
    cells = f"{mean:.5g}", "-" if isnan(error) else f"{error:.2g}"
    if theory is None:
        return cells
    known = error > 0 and isfinite(theory)
    return (*cells, UNBOUNDED if isinf(theory) else f"{theory:.5g}", f"{(mean - theory) / error:.1f}" if known else "-")
