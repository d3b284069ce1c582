"""How a sweep lies on disk: chunks that hold whole tasks, and what two sweeps have in common."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .grid import Sweep, SweepError

Region = tuple[slice, ...]
Block = dict[str, tuple[Any, ...]]

_EPS = np.finfo(np.float64).eps
# Small enough to write again each second while it fills, large enough that a store is few files.
_CHUNK_BYTES = 2**20


def chunk_shape(shape: Sequence[int], lead: int, itemsize: int, limit: int = _CHUNK_BYTES) -> tuple[int, ...]:
    """Chunks of whole tasks: the ``lead`` first axes cut, the last of them last; the other axes whole.

    Examples
    --------
    >>> chunk_shape((3, 500, 21, 11), 2, 8)
    (1, 500, 21, 11)
    """
    room = max(1, limit // (math.prod(shape[lead:]) * itemsize))
    cut = []
    for size in reversed(shape[:lead]):
        cut.append(min(size, room))
        room = room // size if room >= size else 1
    return (*reversed(cut), *shape[lead:])


def regions(shape: Sequence[int], chunks: Sequence[int]) -> Iterator[tuple[tuple[int, ...], Region]]:
    """Index and region of each chunk."""
    for index in np.ndindex(*(-(-size // chunk) for size, chunk in zip(shape, chunks, strict=True))):
        yield index, region(index, shape, chunks)


def region(index: Sequence[int], shape: Sequence[int], chunks: Sequence[int]) -> Region:
    """The part of the array that a chunk holds."""
    return tuple(slice(i * c, min((i + 1) * c, size)) for i, c, size in zip(index, chunks, shape, strict=True))


def same_sweep(root: Path, old: Mapping[str, Any], sweep: Sweep) -> Sweep:
    """The sweep with the values that a store has of its grid up to rounding: a range that gives 0.30000000000000004 means 0.3.

    Raises SweepError where the store is that of another sweep.
    """
    grid = old.get("grid", {})
    outer, inner = (
        {name: _known(values, grid.get(name, ())) for name, values in axes.items()} for axes in (sweep.outer, sweep.inner)
    )
    sweep = replace(sweep, outer=outer, inner=inner)
    if said := changes(old, sweep.described()):
        raise SweepError("\n".join((f"{root} is the store of another {sweep.kind}; they differ in:", *said)))
    return sweep


def _known(values: Sequence[Any], known: Sequence[Any]) -> tuple[Any, ...]:
    free = np.array([each for each in {*known} - {*values} if not isinstance(each, str)], dtype=np.float64)
    near = {}
    for value in {each for each in values if not isinstance(each, str)} - {*known} if free.size else ():
        nearest = float(free[np.argmin(np.abs(free - value))])
        if abs(value - nearest) <= 4 * _EPS * abs(nearest):
            near[value] = nearest
    return tuple(near.get(value, value) for value in values)


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What stands between a store and a sweep, other than longer grids and more replicates; a line each.

    Examples
    --------
    >>> changes({"grid": {"aspect": [1.5]}, "seed": 0}, {"grid": {"aspect": [1.5, 2.0]}, "seed": 1})
    ['seed: 0 -> 1']
    """
    old, new = dict(old), dict(new)
    said = []
    if new.get("replicates", 1) < old.get("replicates", 1):
        said.append(f"replicates: {old['replicates']} -> {new['replicates']}, fewer")
    before, after = old.pop("grid", {}), new.pop("grid", {})
    known = {name: set(values) for name, values in after.items()}
    for name in {**before, **after}:
        if name not in after or name not in before:
            said.append(f"grid.{name}: {'left out' if name in before else 'new'}")
        elif gone := [value for value in before[name] if value not in known[name]]:
            said.append(f"grid.{name}: without {', '.join(map(str, gone))}")
    for kind in ("populations", "loops"):
        # A longer list of named ones is a longer grid.
        if "" not in old.get(kind, {}) and "" not in new.get(kind, {}):
            new[kind] = {name: table for name, table in new.get(kind, {}).items() if name in old.get(kind, {})}
    one, other = (_flat({k: v for k, v in each.items() if k != "replicates"}) for each in (old, new))
    differing = (name for name in {**one, **other} if one.get(name) != other.get(name))
    return said + [f"{name}: {one.get(name, 'not given')} -> {other.get(name, 'not given')}" for name in differing]


def _flat(content: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(content, dict):
        return {path: content}
    return {
        name: value
        for key, each in content.items()
        for name, value in _flat(each, f"{path}.{key}" if path and key else path or key).items()
    }


def more_blocks(blocks: Sequence[Block], old: Block, new: Block) -> list[Block]:
    """Blocks of weights and penalties that cover a longer grid; what was computed together stays together.

    Rounding may depend on what is computed together, so a store keeps its blocks: a task done again gives the same bits.

    Examples
    --------
    >>> more_blocks([{"real_weight": (0.5,)}], {"real_weight": (0.5,)}, {"real_weight": (0.5, 1.0)})
    [{'real_weight': (0.5,)}, {'real_weight': (1.0,)}]
    """
    found = list(blocks)
    names = list(new)
    for k, name in enumerate(names):
        added = tuple(value for value in new[name] if value not in old[name])
        if added:
            found.append(
                {**{each: old[each] for each in names[:k]}, name: added, **{each: new[each] for each in names[k + 1 :]}}
            )
    return found
