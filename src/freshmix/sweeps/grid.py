"""The grid of a sweep: its axes, its tasks, and what one task runs."""

import hashlib
import inspect
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ..loop import Group, Loop
from ..population import Population
from ..population_file import named_population, parameters_of
from ..simulation import prepared
from ..simulation.experiment import Experiment

# Axes that one factorisation serves: a task holds all of them.
INNER = ("real_weight", "penalty")
MEMORY = ("anchor", "kept_generations", "forgetting", "first_rows", "label_renewal")
LOOP = ("aspect", "labelled", "row_weight", "synthetic_noise_ratio", "covariates", "labels", *MEMORY)
OPTIONS = ("rows", "engine", "workflow", "entries", "label_noise", "noise", "device", "dtype", "judged")
# Arrays that results may lie in: risks of simulations, errors of replays.
RESULTS = ("risk", "error")
RESERVED = ("population", "loop", "replicate", "generation", *INNER)

# Minutes and a gigabyte of the process that hands out tasks.
MOST_TASKS, MOST_VALUES = 10_000_000, 10_000
# Results of a task, written at once; marks of all results, kept in memory.
MOST_RESULTS, MOST_MARKS = 10_000_000, 1_000_000_000

Value = float | int | str
# Values of the inner axes that are computed together.
Block = Mapping[str, tuple[Any, ...]]


class SweepError(ValueError):
    """What is wrong with a sweep file or a store; several lines."""


@dataclass(frozen=True)
class Sweep:
    """A checked sweep file, expanded in memory; neither its title nor its text changes a number."""

    title: str
    text: str
    generations: int
    replicates: int
    seed: int
    options: dict[str, Value]  # parameters of ``simulate`` that are the same in all tasks
    populations: dict[str, dict[str, Any]]  # by name; a single nameless one (key "") has no axis
    loops: dict[str, dict[str, Any]]
    outer: dict[str, tuple[Value, ...]]  # axes of the grid with a task for each value, in order
    inner: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # real weights and penalties within each task

    # What a store calls it, and what lies in it: one of ``RESULTS``, with its meaning.
    kind: ClassVar[str] = "sweep"
    results: ClassVar[str] = "risk"
    meaning: ClassVar[Mapping[str, str]] = {"long_name": "excess risk", "units": "squared label units"}
    # What numbers may depend on in their last digits.
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "scipy", "zarr")

    @cached_property
    def axes(self) -> dict[str, tuple[Value, ...]]:
        """Axes with a task for each value, but for replicates: named populations and loops, then those of the grid."""
        named = {"population": tuple(self.populations), "loop": tuple(self.loops)}
        return {name: values for name, values in named.items() if values != ("",)} | self.outer

    @property
    def dims(self) -> tuple[str, ...]:
        """Dimensions of the results."""
        return (*self.axes, "replicate", *self.inner, "generation")

    @cached_property
    def coordinates(self) -> dict[str, tuple[Value, ...]]:
        """Coordinates of the results, in the order of their dimensions."""
        ends = {"replicate": tuple(range(self.replicates)), **self.inner}
        return {**self.axes, **ends, "generation": tuple(range(self.generations + 1))}

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the results."""
        return tuple(map(len, self.coordinates.values()))

    @cached_property
    def outer_shape(self) -> tuple[int, ...]:
        """Shape of the tasks: the axes, then replicates."""
        return (*map(len, self.axes.values()), self.replicates)

    @cached_property
    def tasks(self) -> int:
        """Number of tasks: one for each point of the axes and replicate, with the whole grid of weights and penalties."""
        return math.prod(self.outer_shape)

    def task_of(self, task: int) -> tuple[dict[str, Value], int]:
        """Coordinates and replicate of a task."""
        *index, replicate = np.unravel_index(task, self.outer_shape)
        return {name: values[i] for (name, values), i in zip(self.axes.items(), index, strict=True)}, int(replicate)

    def name_of(self, task: int) -> str:
        """A task in words."""
        coordinates, replicate = self.task_of(task)
        return ", ".join(f"{name}={value}" for name, value in {**coordinates, "replicate": replicate}.items())

    def described(self) -> dict[str, Any]:
        """All that changes its numbers, as JSON reads it back."""
        content = {
            "generations": self.generations,
            "seed": self.seed,
            "options": self.options,
            "populations": self.populations,
            "loops": self.loops,
            "grid": {**self.outer, **self.inner},
            "replicates": self.replicates,
        }
        loaded: dict[str, Any] = json.loads(json.dumps(content))
        return loaded

    def point(self, coordinates: Mapping[str, Value]) -> str:
        """What the tasks at these coordinates run, as text: small, and the same for all their replicates."""
        given = dict(coordinates)
        population = dict(self.populations[str(given.pop("population", ""))])
        loop = dict(self.loops[str(given.pop("loop", ""))])
        options = dict(self.options)
        for name, value in given.items():
            (loop if name in LOOP else options if name in OPTIONS else population)[name] = value
        content = {
            "population": population,
            "loop": loop,
            "options": {**options, "generations": self.generations, "seed": seed_of(self.seed, coordinates)},
        }
        return json.dumps(content)


def seed_of(seed: int, coordinates: Mapping[str, Value]) -> int:
    """Seed of the tasks at these coordinates, from names and values: a longer grid leaves the others' alone.

    Examples
    --------
    >>> seed_of(0, {"aspect": 2, "rows": 100}) == seed_of(0, {"rows": 100, "aspect": 2.0})
    True
    """
    exact = {name: value if isinstance(value, str) else float(value) for name, value in coordinates.items()}
    text = json.dumps({"seed": seed, "coordinates": exact}, sort_keys=True)
    # 53 bits: any program reads such a number back exactly.
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 11


def settings(point: str, block: Block) -> tuple[str, Experiment]:
    """Engine and experiment of the tasks at a point; raises TypeError or ValueError where there are none."""
    content = json.loads(point)
    options = content["options"]
    loop = loop_of(content["loop"])
    population = population_of(content["population"], loop.aspect, options.get("rows"))
    grids: dict[str, Any] = {name: list(values) for name, values in block.items()}
    return prepared(population, loop, **options, **grids)


def loop_of(table: Mapping[str, Any]) -> Loop:
    """A loop from its table; ``labelled`` and ``row_weight`` describe groups, on fresh covariates by default."""
    given = dict(table)
    if given.get("kept_generations") == "all":
        given["kept_generations"] = None
    labelled, row_weight = given.pop("labelled", None), given.pop("row_weight", None)
    if labelled is not None:
        clash = [name for name in ("groups", "schedule") if name in given]
        if clash:
            raise ValueError(f"labelled does not go with {clash[0]}")
        weights = (1.0, 1.0 if row_weight is None else row_weight)
        memory = {name: given.pop(name) for name in MEMORY if name in given}
        return Loop.partially_labelled(labelled=labelled, row_weight=weights, **given).replace(**memory)
    if row_weight is not None:
        raise ValueError("row_weight, that of rows without a real label, needs labelled")
    if "groups" in given:
        given["groups"] = [Group(**group) for group in given["groups"]]
    return Loop(**given)


def population_of(table: Mapping[str, Any], aspect: float | None, rows: int | None) -> Population:
    """A population from its table; a model that needs a number of features has aspect x rows by default."""
    given = dict(table)
    model = str(given.pop("model"))
    features = parameters_of(model).get("features")
    needs = features is not None and features.default is inspect.Parameter.empty
    if needs and "features" not in given and aspect is not None and rows is not None:
        given["features"] = max(1, round(aspect * rows))
    return named_population(model, given)
