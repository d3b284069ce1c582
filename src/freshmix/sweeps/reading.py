"""Looking at a store, in use or not."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.storage import LocalStore

from .grid import SweepError
from .layout import Block, Region, regions

# What the run that holds a store, or the last one, tells of itself.
PROGRESS = ".progress"


def open_read_only(root: Path) -> zarr.Group:
    """A store to look at, in use or not; raises SweepError where there is none."""
    if not (root / "zarr.json").is_file():
        raise SweepError(f"{root} is not the store of a sweep" if root.exists() else f"there is no store {str(root)!r}")
    if sealed(root / "zarr.json") is None:
        raise SweepError(f"{root}/zarr.json is not that of a sweep, or damaged; the same sweep again mends it if it can")
    return zarr.open_group(LocalStore(root, read_only=True), mode="r", use_consolidated=False)


def seal(content: Mapping[str, Any]) -> str:
    """SHA-256 of a group's metadata, but for the seal itself."""
    attributes = {name: value for name, value in content["attributes"].items() if name != "seal"}
    return hashlib.sha256(json.dumps({**content, "attributes": attributes}, sort_keys=True).encode()).hexdigest()


def sealed(path: Path) -> dict[str, Any] | None:
    """A group's metadata, if they can be read and are as they were written."""
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        return content if content["attributes"]["seal"] == seal(content) else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def changed_metadata(root: Path, content: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Files of arrays that are not as the group's metadata have them, and what they should hold."""
    for name, copy in content["consolidated_metadata"]["metadata"].items():
        path = root / name / "zarr.json"
        try:
            if json.loads(path.read_bytes()) == copy:
                continue
        except (OSError, ValueError):
            pass
        yield path, copy


def array_of(group: zarr.Group, name: str) -> "zarr.Array[Any]":
    """An array of a store."""
    found = group[name]
    if not isinstance(found, zarr.Array):
        raise SweepError(f"{group.store_path} has no array {name}")
    return found


def blocks_of(group: zarr.Group) -> list[Block]:
    """The blocks of weights and penalties that the store's numbers were computed in."""
    return [{name: tuple(values) for name, values in block.items()} for block in json.loads(str(group.attrs["blocks"]))]


def chunk_file(root: Path, array: "zarr.Array[Any]", index: Sequence[int]) -> Path:
    """The file of a chunk."""
    return root / array.path / str(array.metadata.encode_chunk_key(tuple(index)))


def marks_of(risk: "zarr.Array[Any]", marks: "zarr.Array[Any]") -> tuple[NDArray[np.bool_], str]:
    """Which results are finished, and what is wrong with the marks.

    Where the marks cannot be read, the results tell: each was written whole, and only when it was finished.
    """
    try:
        return np.array(marks[...], dtype=bool), ""
    except Exception as error:
        done = np.zeros(marks.shape, dtype=bool)
        for _, where in regions(risk.shape, risk.chunks):
            try:
                done[where[:-1]] = ~np.isnan(risk[where]).any(axis=-1)
            except Exception:
                done[where[:-1]] = True
        return done, f"done: {in_words(error)}"


def damages(risk: "zarr.Array[Any]", done: NDArray[np.bool_]) -> Iterator[tuple[Region, NDArray[np.bool_], str]]:
    """Region of each chunk that cannot be read or lacks finished results, which ones are lost, and why."""
    for index, where in regions(risk.shape, risk.chunks):
        marked = done[where[:-1]]
        if not marked.any():
            continue
        name = f"risk chunk {'/'.join(map(str, index))}"
        try:
            lost = marked & np.isnan(risk[where]).any(axis=-1)
        except Exception as error:
            yield where, np.ones_like(marked), f"{name}: {in_words(error)}"
            continue
        if lost.any():
            yield where, lost, f"{name}: {int(lost.sum())} results are marked as finished but missing"


def in_words(error: Exception) -> str:
    """What a library says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def coordinates_of(group: zarr.Group) -> dict[str, list[Any]]:
    """The coordinates that a store must have, from its description."""
    content = json.loads(str(group.attrs["sweep"]))
    named = {"population": list(content["populations"]), "loop": list(content["loops"])}
    ends = {"replicate": list(range(content["replicates"])), "generation": list(range(content["generations"] + 1))}
    axes = {name: values for name, values in named.items() if values != [""]}
    return {**axes, **content["grid"], **ends}
