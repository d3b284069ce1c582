"""Arguments of a simulation, checked once and made into its setting."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import Floats, vector, whole
from ..loop import Loop
from ..population import Population
from ..sampling import Entries, Rows, Source, source_of


def grid_of(name: str, values: ArrayLike | None, high: float = math.inf) -> Floats | None:
    """(m,) values of a grid, or None where the loop's own is meant."""
    if values is None:
        return None
    grid = vector(name, np.atleast_1d(np.asarray(values)), low=0.0)
    if grid.max() > high:
        raise ValueError(f"{name} must hold numbers between 0 and {high:g}, got {float(grid.max())!r}")
    return grid


def data_of(population: Any, loops: Sequence[Loop], T: int, rows: int | None) -> tuple[Source, tuple[int, ...]]:
    """The source, and the rows of generations 0 ... T."""
    if not isinstance(population, Population) and not hasattr(population, "task"):
        raise TypeError(f"population must be a Population or a source of freshmix.sampling, got {type(population).__name__}")
    if rows is None:
        if not isinstance(population, Rows):
            raise TypeError("rows, the number of rows of generation 0, is needed")
        rows = population.X.shape[0]
    n = whole("rows", rows, low=1)
    first = loops[0].aspect
    if isinstance(population, Population):
        if first is None:
            raise ValueError("the loop needs an aspect (features / rows per generation), got none")
        source = source_of(population, max(1, round(first * n)))
        p = source.features
    else:
        source, p = population, population.features
        if first is not None and abs(p / n - first) > 1e-9 * first:
            raise ValueError(f"aspect must be features / rows = {p / n:g} or left out, got {first!r}")
        first = p / n
    if isinstance(source, Rows) and loops[0].covariates == "fresh":
        source = dataclasses.replace(source, resample=True)
    counts = [n]
    for t in range(1, T + 1):
        aspect = loops[min(t, len(loops)) - 1].aspect
        counts.append(n if aspect is None or aspect == first else max(1, round(p / aspect)))
    return source, tuple(counts)


def check_entries(source: Source, entries: Entries) -> None:
    """A table's rows have no entries of their own law."""
    if isinstance(source, Rows) and entries.name != "gaussian":
        raise ValueError(f"entries must be left out for the rows of a table, which come as they are, got {entries}")


def loops_with_weights(loops: Sequence[Loop], weights: Floats | None, T: int) -> tuple[Loop, ...]:
    """The loops, once they say all that a run needs; loops without weights of their own take them from the grid."""
    for each in loops:
        if each.covariates == "frozen" and len(loops) > 1:
            raise ValueError("a sequence of loops needs covariates='fresh' in all of them: frozen rows cannot change")
        if each.groups is None and each.schedule is None and weights is None and T > 0:
            raise ValueError("the loop needs a real_weight, a schedule or groups, or a grid of real_weight")
        if each.schedule is not None and weights is not None:
            raise ValueError("real_weight is a grid of constant weights: give the loop no schedule beside it")
        if each.groups is not None and any(group.row_weight <= 0 for group in each.groups):
            raise ValueError("groups must have row weights above 0 to be simulated: leave out rows of weight 0")
    if weights is None:
        return tuple(loops)
    return tuple(each if each.groups else each.replace(real_weight=1.0) for each in loops)
