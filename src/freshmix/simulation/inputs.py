"""Arguments of a simulation, checked once and made into its experiment."""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import Floats, choice, generations_in_a_row, vector, whole
from ..loop import Loop
from ..machine import check_memory
from ..population import Population
from ..sampling import Entries, Rows, Source, entries_of, source_of
from . import registry
from .choose import engine_of
from .experiment import Experiment
from .namespace import arrays_of

# The risk of a loop with a weight beyond it overflows at once.
_MOST_WEIGHT = 1e100


def prepared(
    population: Population | Source,
    loop: Loop | Sequence[Loop],
    generations: int,
    *,
    rows: int | None = None,
    seed: int = 0,
    real_weight: ArrayLike | None = None,
    penalty: ArrayLike | None = None,
    entries: str | ArrayLike = "gaussian",
    label_noise: str | ArrayLike = "gaussian",
    noise: str = "auto",
    engine: str = "auto",
    workflow: str = "replace",
    device: str | None = None,
    dtype: str = "float64",
    judged: str = "now",
) -> tuple[str, Experiment]:
    """The engine and the checked experiment of a ``simulate`` call, whose replicates ``one_replicate`` runs one by one."""
    loops = (loop,) if isinstance(loop, Loop) else tuple(loop) if isinstance(loop, Iterable) else ()
    if not loops or not all(isinstance(each, Loop) for each in loops):
        raise TypeError(f"loop must be a Loop or a sequence of at least one Loop, got {type(loop).__name__}")
    T = generations_in_a_row(generations)
    source, counts = data_of(population, loops, T, rows)
    weights = weights_of(real_weight, loops)
    experiment = Experiment(
        source=source,
        loops=loops_with_weights(loops, weights, T),
        generations=T,
        rows=counts,
        weights=weights,
        penalties=None if penalty is None else vector("penalty", np.atleast_1d(np.asarray(penalty)), low=0.0),
        entries=entries_of(entries),
        label_noise=entries_of(label_noise, "label_noise"),
        expected=choice("noise", noise, ("auto", "expected", "sampled")) != "sampled",
        seed=whole("seed", seed, low=0),
        workflow=choice("workflow", workflow, registry.WORKFLOWS),
        judged=choice("judged", judged, ("now", "next")),
        arrays=arrays_of(device, dtype),
    )
    check_entries(source, experiment.entries)
    check_memories(experiment)
    name = engine_of(experiment, choice("engine", engine, ("auto", *registry.ENGINES)), noise)
    check_size(experiment, registry.engine(name).DENSE)
    return name, experiment if registry.engine(name).EXPECTS else dataclasses.replace(experiment, expected=False)


def check_memories(experiment: Experiment) -> None:
    """Raise ValueError where two ways of remembering contradict each other."""
    if experiment.persistence < 1 and not experiment.fresh:
        raise ValueError(f"persistence below 1 needs covariates='fresh', got {experiment.persistence!r} with frozen ones")
    if registry.workflow(experiment.workflow).KEEPS:
        for name, none in (("kept_generations", 0), ("forgetting", 1.0)):
            if any(getattr(loop, name) != none for loop in experiment.loops):
                raise ValueError(
                    f"{name} is for workflows that keep no rows by themselves, got it with {experiment.workflow!r}"
                )


def check_size_of_weights(weights: Iterable[float]) -> None:
    """Raise ValueError for a real weight whose square overflows."""
    largest = max((float(w) for w in weights), key=abs, default=0.0)
    if abs(largest) > _MOST_WEIGHT:
        raise ValueError(f"real_weight must be at most {_MOST_WEIGHT:g} in size to be simulated, got {largest!r}")


def weights_of(values: ArrayLike | None, loops: Sequence[Loop]) -> Floats | None:
    """(m,) real weights of a grid, or None where those of the loops are meant."""
    if values is None:
        return None
    grid = vector("real_weight", np.atleast_1d(np.asarray(values)))
    check_size_of_weights(grid)
    beyond = grid[(grid < 0) | (grid > 1)]
    if beyond.size and loops[0].covariates == "fresh":
        raise ValueError(f"real_weight must hold numbers between 0 and 1 with covariates='fresh', got {float(beyond[0])!r}")
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
        check_memory(3.0 * 8 * first * n, f"{first * n:.3g} features (aspect x rows)", "ask for fewer rows or a smaller aspect")
        source = source_of(population, max(1, round(first * n)))
        p = source.features
    else:
        source, p = population, population.features
        if first is not None and abs(p / n - first) > 1e-9 * first:
            raise ValueError(f"aspect must be features / rows = {p / n:g} or left out, got {first!r}")
        first = p / n
    if isinstance(source, Rows) and loops[0].covariates == "fresh":
        source = dataclasses.replace(source, resample=True)
    counts = [max(1, round(loops[0].first_rows * n))]
    for t in range(1, T + 1):
        aspect = loops[min(t, len(loops)) - 1].aspect
        counts.append(n if aspect is None or aspect == first else max(1, round(p / aspect)))
    return source, tuple(counts)


def check_size(experiment: Experiment, dense: bool) -> None:
    """Raise ValueError where a replicate cannot fit into memory: a design with its Gram matrix, or its bidiagonal form."""
    trained = registry.workflow(experiment.workflow).trained_on(experiment) if experiment.fresh else experiment.rows
    rows, features = max(trained), experiment.source.features
    side, cells = min(rows, features), math.prod(experiment.shape)
    design = rows * features + 2 * side**2 if dense else 8 * side
    advice = "ask for fewer rows" + (", or for engine='exact-law' where it covers the loop" if dense else "")
    check_memory(8.0 * design, f"{rows} rows of {features} features", advice)
    check_memory(8.0 * cells, f"{cells} results (weights x penalties x generations)", "ask for fewer")


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
        if any(group.labels_from == "teacher" for group in each.groups or ()):
            raise ValueError("groups with labels_from='teacher' need teacher=, which fm.risk and fm.limit take")
        check_size_of_weights([*(each.schedule or ()), *(group.real_weight for group in each.groups or ())])
        if each.covariates == "frozen" and any(group.row_weight == 0 for group in each.groups or ()):
            raise ValueError("groups on frozen covariates must have row weights above 0: leave out rows of weight 0")
    if weights is None:
        return tuple(loops)
    return tuple(each if each.groups else each.replace(real_weight=1.0) for each in loops)
