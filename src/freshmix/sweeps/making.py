"""Stores made, and made longer: beside what is there, then moved into place."""

import asyncio
import json
import math
import os
import platform
import shutil
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.core.buffer import Buffer
from zarr.storage import LocalStore

from ..files import replace_file, sync_folder
from ..version import __version__
from .grid import Sweep, SweepError
from .layout import Block, Region, chunk_shape, described, regions
from .reading import changed_metadata, coordinates_of, seal, sealed

_MASK_BYTES = 2**22
# Half-made stores are thrown away, whole ones moved into place.
MAKING, MADE = ".making", ".made"
# A second copy of the group's metadata.
_COPY = ".zarr.json"

# A store's group, results and marks.
Old = tuple[zarr.Group, "zarr.Array[Any]", NDArray[np.bool_]]


class Durable(LocalStore):
    """Files that are on disk, whole, before what is written after them."""

    async def set(self, key: str, value: Buffer) -> None:
        """Write a file and wait until it is on disk."""
        await asyncio.to_thread(_put, self.root / key, value.to_bytes())


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        replace_file(path, content, durable=True)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def settle(root: Path) -> None:
    """Finish or undo what an earlier process left half done."""
    shutil.rmtree(root / MAKING, ignore_errors=True)
    for leftover in root.glob("**/.freshmix-*"):
        leftover.unlink(missing_ok=True)
    made = root / MADE
    if not made.exists():
        return
    for new in sorted(made.iterdir(), key=lambda path: path.name == "zarr.json"):
        old = root / new.name
        if old.is_dir():
            shutil.rmtree(old)
        new.replace(old)
    sync_folder(root)
    made.rmdir()


def mend(root: Path) -> list[str]:
    """Restore damaged metadata; what was wrong. Raises SweepError where there is nothing to restore them from."""
    found = []
    content = sealed(root / "zarr.json")
    if content is None:
        content = sealed(root / _COPY)
        if content is None:
            raise SweepError(f"{root}/zarr.json is not that of a sweep, or damaged together with its copy")
        _put(root / "zarr.json", (root / _COPY).read_bytes())
        found.append("zarr.json: damaged")
    for path, copy in changed_metadata(root, content):
        _put(path, json.dumps(copy, indent=2).encode())
        found.append(f"{path.relative_to(root)}: damaged")
    if sealed(root / _COPY) is None:
        _put(root / _COPY, (root / "zarr.json").read_bytes())
    return found


def make(root: Path, sweep: Sweep, blocks: Sequence[Block], old: Old | None) -> None:
    """A store without results, or with those of an old one."""
    making = root / MAKING
    shutil.rmtree(making, ignore_errors=True)
    lead = len(sweep.outer_shape)
    codecs = [ZstdCodec(level=1), Crc32cCodec()]
    try:
        group = zarr.create_group(Durable(making), zarr_format=3, attributes=_attributes(sweep, blocks, old))
        for name, values in sweep.coordinates.items():
            data = coordinate(values)
            kind: Any = str if isinstance(values[0], str) else data.dtype
            axis = group.create_array(
                name, shape=data.shape, chunks=data.shape, dtype=kind, compressors=codecs, dimension_names=(name,)
            )
            axis[...] = data
        risk = group.create_array(
            "risk",
            shape=sweep.shape,
            chunks=chunk_shape(sweep.shape, lead, 8),
            dtype="float64",
            fill_value=math.nan,
            compressors=codecs,
            dimension_names=sweep.dims,
            attributes={"long_name": "excess risk", "units": "squared label units"},
        )
        marks = group.create_array(
            "done",
            shape=sweep.shape[:-1],
            chunks=chunk_shape(sweep.shape[:-1], lead, 1, _MASK_BYTES),
            dtype="bool",
            fill_value=False,
            compressors=codecs,
            dimension_names=sweep.dims[:-1],
            attributes={"long_name": "finished"},
        )
        if old is not None:
            _copy(old, sweep, risk, marks)
        with warnings.catch_warnings():
            # Plain open_zarr looks for consolidated metadata; both are read the same way.
            warnings.filterwarnings("ignore", "Consolidated metadata")
            zarr.consolidate_metadata(Durable(making))
        content = json.loads((making / "zarr.json").read_bytes())
        content["attributes"]["seal"] = seal(content)
        for name in ("zarr.json", _COPY):
            _put(making / name, json.dumps(content, indent=2).encode())
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    os.replace(making, root / MADE)
    sync_folder(root)
    settle(root)


def _copy(old: Old, sweep: Sweep, risk: "zarr.Array[Any]", marks: "zarr.Array[Any]") -> None:
    """Finished results of an old store, put in their places."""
    group, old_risk, done = old
    # From the description: a coordinate on disk may be damaged.
    before = coordinates_of(group)
    axes = list(old_risk.metadata.dimension_names or ())  # type: ignore[union-attr]
    order = [axes.index(name) for name in sweep.dims]
    position = {name: {value: i for i, value in enumerate(before[name])} for name in sweep.dims}
    old_done = done.transpose(order[:-1])
    for _, where in regions(risk.shape, risk.chunks):
        new, past = _matching(sweep.dims, sweep, position, where)
        if not all(new) or not old_done[np.ix_(*past[:-1])].any():
            continue
        places = tuple(np.array(past[order.index(axis)]) for axis in range(len(order)))
        chosen = old_risk.oindex[places]
        buffer = np.full(tuple(part.stop - part.start for part in where), np.nan)
        buffer[np.ix_(*new)] = np.asarray(chosen).transpose(order)
        risk[where] = buffer
    new, past = _matching(sweep.dims[:-1], sweep, position, (slice(None),) * marks.ndim)
    grown = np.zeros(marks.shape, dtype=bool)
    grown[np.ix_(*new)] = old_done[np.ix_(*past)]
    marks[...] = grown


def _matching(
    dims: Sequence[str], sweep: Sweep, position: Mapping[str, Mapping[Any, int]], where: Region
) -> tuple[list[list[int]], list[list[int]]]:
    """Along each dimension, the places within a region and in the old arrays of the values that both have."""
    pairs = [
        [(k, position[name][value]) for k, value in enumerate(sweep.coordinates[name][part]) if value in position[name]]
        for name, part in zip(dims, where, strict=True)
    ]
    return [[k for k, _ in each] for each in pairs], [[i for _, i in each] for each in pairs]


def coordinate(values: Sequence[Any]) -> NDArray[Any]:
    """A coordinate as an array."""
    return np.array(values, dtype=object) if isinstance(values[0], str) else np.array(values)


def versions() -> dict[str, str]:
    """What the numbers of a store may depend on in their last digits."""
    libraries = {name: version(name) for name in ("numpy", "scipy", "zarr")}
    return {"freshmix": __version__, "python": platform.python_version()} | libraries


def _attributes(sweep: Sweep, blocks: Sequence[Block], old: Old | None) -> dict[str, Any]:
    return {
        "title": sweep.title,
        "spec": sweep.text,
        "sweep": json.dumps(described(sweep)),
        "blocks": json.dumps(blocks),
        # Those the first results were made with.
        "versions": json.dumps(versions()) if old is None else old[0].attrs["versions"],
    }
