"""What is wrong with the values of a sweep, and where in its file."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..population_file import parameters_of
from .grid import INNER, LOOP, MOST_MARKS, MOST_RESULTS, MOST_TASKS, OPTIONS, Sweep, Value, settings

Place = tuple[str | int, ...]
# The tables of a point: population, loop, options, and inner, the weights and penalties.
Point = Mapping[str, Mapping[str, Any]]

# Keys of a loop: those that go with others stand before them.
_LOOP = (*reversed(LOOP), "groups", "schedule", "real_weight", "penalty")

# Values that are sound beside most others; 0.5 for numbers that are not here, and words may be left out.
_SOUND: dict[str, Any] = {
    "rows": 1000,
    "features": 1000,
    "schedule": [0.5],
    "groups": [{"share": 1.0, "real_weight": 0.5}],
    "anchor": 0.0,
    "kept_generations": 0,
    "forgetting": 1.0,
    "first_rows": 1.0,
    "persistence": 1.0,
    "row_sizes": [[1.0], [1.0]],
    **dict.fromkeys(("covariates", "labels", *(name for name in OPTIONS if name != "rows"))),
}


class Fault(NamedTuple):
    """A place in the sweep file, key by key, and what is wrong there."""

    place: Place
    text: str


def oversized(sweep: Sweep) -> list[Fault]:
    """A grid that is too large to be made, told before anything is."""
    inner = math.prod(map(len, sweep.inner.values()))
    sizes = " x ".join(f"{name} {len(values)}" for name, values in (sweep.axes | sweep.inner).items())
    counts = (
        ("tasks", sweep.tasks, MOST_TASKS),
        ("results of one task", inner * (sweep.generations + 1), MOST_RESULTS),
        ("results of one generation", inner * sweep.tasks, MOST_MARKS),
    )
    place = "replicates" if sweep.replicates > MOST_TASKS else "grid"
    said = (
        f"{sizes or 'no grid'}, {sweep.replicates:,} replicates, {sweep.generations:,} generations: make several sweeps of it"
    )
    return [
        Fault((place,), f"{name} must be at most {most:,}, got {count:,} from {said}")
        for name, count, most in counts
        if count > most
    ][:1]


def checked(sweep: Sweep, dropped: Sequence[Place]) -> list[Fault]:
    """Faults of values: those of the first point, then each value of each axis beside the first values of the others.

    What comes of a key that was left out for a fault of its own is no fault.
    """
    wrong = {fault.place[-1] for fault in misnamed(sweep)}
    outer = {name: values for name, values in sweep.outer.items() if name not in wrong}
    inner = {name: values for name, values in sweep.inner.items() if name not in wrong}
    sweep = replace(sweep, outer=outer, inner=inner)
    axes = sweep.axes | sweep.inner
    first = {name: values[0] for name, values in axes.items()}
    faults, found = [], _fault(sweep, first, dropped)
    if found is not None:
        others = ({**first, name: value} for name, values in sweep.axes.items() for value in values[1:])
        better = next((each for each in others if _fault(sweep, each, dropped) is None), None)
        # Without a sound point beside it, only what differs from the first point's fault is told of other values.
        if better is None:
            faults.append(Fault(_blamed(sweep, first, found), found))
        else:
            first, found = better, None
    for name, values in axes.items():
        for i, value in enumerate(values):
            said = _fault(sweep, {**first, name: value}, dropped)
            if said is not None and said != found:
                named = {"population": ("populations", str(value)), "loop": ("loops", str(value))}
                faults.append(Fault(named.get(name, ("grid", name, i)), said))
    return faults


def _fault(sweep: Sweep, at: Mapping[str, Value], dropped: Sequence[Place]) -> str | None:
    """What is wrong at a point, other than that a key was left out."""
    point = _point(sweep, at)
    said = _said(point)
    if said is None:
        return None
    keys = _keys(sweep, at)
    # The keys of groups are all of one.
    lacking = (keys.get(place) or keys.get(place[:2]) or keys.get(place[:3]) for place in dropped)
    return None if any(key and _depends(point, said, *key) for key in lacking) else said


def _blamed(sweep: Sweep, at: Mapping[str, Value], said: str) -> Place:
    """The place of the first key that the fault of a point depends on, or of the table that lacks one or has a wrong model."""
    point, keys = _point(sweep, at), _keys(sweep, at)
    given = [place for place, (table, name) in keys.items() if name in point[table] and (place[0] == "grid") == (name in at)]
    for place in given:
        if _depends(point, said, *keys[place]):
            return place
    for place, (table, name) in keys.items():
        needed = (table == "population" or name in ("aspect", "real_weight")) and name not in point[table]
        if needed and place[0] != "grid" and _depends(point, said, table, name):
            return place[:-1]
    return _place("population", at) if _said({**point, "population": {"model": "isotropic"}}) != said else ()


def _place(table: str, at: Mapping[str, Value]) -> Place:
    return (f"{table}s", str(at[table])) if table in at else (table,)


def _keys(sweep: Sweep, at: Mapping[str, Value]) -> dict[Place, tuple[str, str]]:
    """The tables and names of a point by the places that they may be given in; those that go with others stand before them."""
    given = sweep.populations[str(at.get("population", ""))]
    model = (*(name for name in given if name != "model"), *reversed(parameters_of(str(given["model"]))))
    tables = {"population": model, "loop": _LOOP, "options": OPTIONS, "inner": INNER}
    found: dict[Place, tuple[str, str]] = {(name,): ("options", name) for name in OPTIONS if name != "rows"}
    found |= {("grid", name): (table, name) for table, names in tables.items() for name in names}
    found |= {(*_place(table, at), name): (table, name) for table in ("population", "loop") for name in tables[table]}
    return found | {("rows",): ("options", "rows")}


def _point(sweep: Sweep, at: Mapping[str, Value]) -> Point:
    point: Point = json.loads(sweep.point({name: value for name, value in at.items() if name not in INNER}))
    return {**point, "inner": {name: value for name, value in at.items() if name in INNER}}


def _depends(point: Point, said: str, table: str, name: str) -> bool:
    """Whether a fault is another or none with a sound value of a key, or none without the key."""
    value = point[table].get(name, 0)
    sound = _SOUND.get(name, [1 / len(value)] * len(value) if isinstance(value, list) else 0.5)
    others = {key: each for key, each in point[table].items() if key != name}
    without = _said({**point, table: others})
    return without is None or (_said({**point, table: {**others, name: sound}}) if sound is not None else without) != said


def _said(point: Point) -> str | None:
    inner = {name: (value,) for name, value in point["inner"].items()}
    try:
        settings(json.dumps(point), inner)
    except (TypeError, ValueError, ArithmeticError) as error:
        return " ".join(str(error).split())
    return None


def misnamed(sweep: Sweep) -> Iterator[Fault]:
    """Axes of the grid that nothing has, or that are given elsewhere too."""
    models = {name: parameters_of(str(table["model"])) for name, table in sweep.populations.items()}
    known = {*LOOP, *OPTIONS, *INNER, *(each for names in models.values() for each in names)}
    for name in sweep.outer | sweep.inner:
        if name not in known:
            said = f"is not a parameter of the loop, the simulation or a population; known: {', '.join(sorted(known))}"
            yield Fault(("grid", name), said)
            continue
        if name in sweep.options:
            yield Fault(("grid", name), f"is given twice, here and as {name} = {sweep.options[name]!r}")
        for each, table in sweep.loops.items():
            if name in table:
                yield Fault(("grid", name), f"is given twice, here and in {_named('loop', each)}")
        if name in (*LOOP, *OPTIONS, *INNER):
            continue
        for each, names in models.items():
            if name not in names:
                model = sweep.populations[each]["model"]
                yield Fault(("grid", name), f"is no parameter of {_named('population', each)} ({model})")
            elif name in sweep.populations[each]:
                yield Fault(("grid", name), f"is given twice, here and in {_named('population', each)}")


def _named(kind: str, name: str) -> str:
    return f"{kind}s.{name}" if name else kind
