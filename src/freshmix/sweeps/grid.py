"""The grid of a sweep: its axes, its tasks, and what one task runs."""

import hashlib
import inspect
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..loop import Group, Loop
from ..population import Population
from ..population_file import MODELS, named_population
from ..simulation import prepared
from ..simulation.experiment import Experiment

# Axes that one factorisation serves: a task holds all of them.
INNER = ("real_weight", "penalty")
LOOP = ("aspect", "labelled", "row_weight", "synthetic_noise_ratio", "covariates", "labels")
OPTIONS = ("rows", "engine", "workflow", "entries", "label_noise", "noise", "device", "dtype")
RESERVED = ("population", "loop", "replicate", "generation", *INNER)

Value = float | int | str
# A place in the sweep file and what is wrong there.
Fault = tuple[tuple[str | int, ...], str]
# Values of the inner axes that are computed together.
Block = Mapping[str, tuple[float, ...]]


class SweepError(ValueError):
    """What is wrong with a sweep file or a store; several lines."""


@dataclass(frozen=True)
class Sweep:
    """A checked sweep file, expanded in memory.

    Attributes
    ----------
    title, text : str
        As given; neither changes a number.
    generations, replicates, seed : int
    options : dict
        Parameters of ``simulate`` that are the same in all tasks.
    populations, loops : dict of dict
        By name; a single nameless one (key "") has no axis.
    outer : dict of tuple
        Axes of the grid with a task for each value, in order.
    inner : dict of tuple
        The grid of real weights and penalties within each task.
    """

    title: str
    text: str
    generations: int
    replicates: int
    seed: int
    options: dict[str, Value]
    populations: dict[str, dict[str, Any]]
    loops: dict[str, dict[str, Any]]
    outer: dict[str, tuple[Value, ...]]
    inner: dict[str, tuple[float, ...]] = field(default_factory=dict)

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
    """Engine and setting of the tasks at a point; raises TypeError or ValueError where there are none."""
    content = json.loads(point)
    options = content["options"]
    loop = loop_of(content["loop"])
    population = population_of(content["population"], loop.aspect, options.get("rows"))
    grids: dict[str, Any] = {name: list(values) for name, values in block.items()}
    return prepared(population, loop, **options, **grids)


def loop_of(table: Mapping[str, Any]) -> Loop:
    """A loop from its table; ``labelled`` and ``row_weight`` describe groups, on fresh covariates by default."""
    given = dict(table)
    labelled, row_weight = given.pop("labelled", None), given.pop("row_weight", None)
    if labelled is not None:
        clash = [name for name in ("groups", "schedule") if name in given]
        if clash:
            raise ValueError(f"labelled does not go with {clash[0]}")
        weights = (1.0, 1.0 if row_weight is None else row_weight)
        return Loop.partially_labelled(labelled=labelled, row_weight=weights, **given)
    if row_weight is not None:
        raise ValueError("row_weight, that of rows without a real label, needs labelled")
    if "groups" in given:
        given["groups"] = [Group(**group) for group in given["groups"]]
    return Loop(**given)


def population_of(table: Mapping[str, Any], aspect: float | None, rows: int | None) -> Population:
    """A population from its table; a model that needs a number of features has aspect x rows by default."""
    given = dict(table)
    model = str(given.pop("model"))
    make = MODELS.get(model.replace("_", "-"))
    needs = (
        make is not None
        and "features" in (known := inspect.signature(make).parameters)
        and (known["features"].default is inspect.Parameter.empty)
    )
    if needs and "features" not in given and aspect is not None and rows is not None:
        given["features"] = max(1, round(aspect * rows))
    return named_population(model, given)


def checked(sweep: Sweep) -> list[Fault]:
    """Faults of values: those of the first point, then each value of each axis beside the first values of the others."""
    faults: list[Fault] = []
    wrong = {location[-1] for location, _ in misnamed(sweep)}
    outer = {name: values for name, values in sweep.outer.items() if name not in wrong}
    inner = {name: values for name, values in sweep.inner.items() if name not in wrong}
    sweep = replace(sweep, outer=outer, inner=inner)
    first = {name: values[0] for name, values in sweep.axes.items()}
    block = {name: values[:1] for name, values in sweep.inner.items()}
    found = _fault(sweep, first, block)
    if found is not None:
        sound = (
            {**first, name: value}
            for name, values in sweep.axes.items()
            for value in values[1:]
            if _fault(sweep, {**first, name: value}, block) is None
        )
        # Without a sound point beside it, only what differs from the first point's fault is told of other values.
        first, found = (better, None) if (better := next(sound, None)) else (first, found)
    if found is not None:
        faults.append((_blamed(sweep, found), found))
    for name, values in sweep.axes.items():
        for i, value in enumerate(values):
            said = _fault(sweep, {**first, name: value}, block)
            if said is not None and said != found:
                named = {"population": ("populations", str(value)), "loop": ("loops", str(value))}
                faults.append((named.get(name, ("grid", name, i)), said))
    for name, values in sweep.inner.items():
        for i, value in enumerate(values):
            said = _fault(sweep, first, {**block, name: (value,)})
            if said is not None and said != found:
                faults.append((("grid", name, i), said))
    return faults


def _fault(sweep: Sweep, coordinates: Mapping[str, Value], block: Block) -> str | None:
    try:
        settings(sweep.point(coordinates), block)
    except (TypeError, ValueError, ArithmeticError) as error:
        return " ".join(str(error).split())
    return None


def _blamed(sweep: Sweep, message: str) -> tuple[str | int, ...]:
    """The place in the file that the fault of the first point comes from, as far as its message tells."""
    for name in (*sweep.outer, *sweep.inner):
        if message.startswith(name):
            return ("grid", name)
    for kind, tables in (("population", sweep.populations), ("loop", sweep.loops)):
        name, table = next(iter(tables.items()))
        place = (f"{kind}s", name) if name else (kind,)
        for key in table:
            if message.startswith(key):
                return (*place, key)
        if message.startswith((kind, f"the {kind}")):
            return place
    return next(((key,) for key in sweep.options if message.startswith(key)), ())


def misnamed(sweep: Sweep) -> Iterator[Fault]:
    """Axes of the grid that nothing has, or that are given elsewhere too."""
    models = {name: _parameters(str(table["model"])) for name, table in sweep.populations.items()}
    known = {*LOOP, *OPTIONS, *INNER, *(each for names in models.values() for each in names)}
    for name, values in (sweep.outer | sweep.inner).items():
        if name not in known:
            yield (
                ("grid", name),
                f"is not a parameter of the loop, the simulation or a population; known: {', '.join(sorted(known))}",
            )
            continue
        if name in sweep.options:
            yield ("grid", name), f"is given twice, here and as {name} = {sweep.options[name]!r}"
        for each, table in sweep.loops.items():
            if name in table:
                yield ("grid", name), f"is given twice, here and in {_table('loop', each)}"
        if name in (*LOOP, *OPTIONS, *INNER):
            continue
        for each, names in models.items():
            if name not in names:
                yield ("grid", name), f"is no parameter of {_table('population', each)} ({sweep.populations[each]['model']})"
            elif name in sweep.populations[each]:
                yield ("grid", name), f"is given twice, here and in {_table('population', each)}"
        if name in ("rows", "features") and any(value != int(value) for value in values if not isinstance(value, str)):
            yield ("grid", name), "must hold whole numbers"


def _table(kind: str, name: str) -> str:
    return f"{kind}s.{name}" if name else kind


def _parameters(model: str) -> tuple[str, ...]:
    make = MODELS.get(model.replace("_", "-"))
    return tuple(inspect.signature(make).parameters) if make is not None else ()
