"""Stores made, and made longer: beside what is there, then moved into place."""

import asyncio
import contextlib
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
from .grid import Sweep
from .layout import Block, Region, changes, chunk_shape, regions
from .reading import COPY, changed_metadata, coordinates_of, description, seal, sealed
from .stamps import stamped, whose

_MASK_BYTES = 2**22
# Half-made stores are thrown away, whole ones moved into place.
MAKING, MADE = ".making", ".made"
# Marks are on disk where nothing is finished, too: lost ones are seen.
ALL_CHUNKS: Any = {"write_empty_chunks": True}

# A store's group, results and marks.
Old = tuple[zarr.Group, "zarr.Array[Any]", NDArray[np.bool_]]


class Durable(LocalStore):
    """Files that are on disk, whole, before what is written after them; chunks bear the stamp of their owner."""

    def __init__(self, root: Path, owner: str, *, read_only: bool = False) -> None:
        super().__init__(root, read_only=read_only)
        self._owner = owner

    async def set(self, key: str, value: Buffer) -> None:
        """Write a file and wait until it is on disk."""
        await asyncio.to_thread(_put, self.root / key, stamped(key, value.to_bytes(), self._owner))


def _put(path: Path, content: bytes) -> None:
    try:
        _make_way(path)
        replace_file(path, content, durable=True)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def _make_way(path: Path) -> None:
    """The folder of a file, and neither a folder in the file's place nor a file in that of a folder."""
    if path.is_dir():
        shutil.rmtree(path)
    for folder in path.parents:
        if folder.is_dir():
            break
        # Above a file there may be another; and another chunk, written at the same time, may make the folder first.
        with contextlib.suppress(NotADirectoryError, IsADirectoryError):
            if folder.is_file() or folder.is_symlink():
                folder.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)


def remove(path: Path) -> None:
    """A file or folder is no longer there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def settle(root: Path) -> None:
    """Finish or undo what an earlier process left half done."""
    remove(root / MAKING)
    for leftover in root.glob("**/.freshmix-*"):
        remove(leftover)
    made = root / MADE
    if made_of(root) is None:
        remove(made)
        return
    for new in sorted(made.iterdir(), key=lambda path: (path.name == COPY, path.name == "zarr.json")):
        remove(root / new.name)
        new.replace(root / new.name)
    sync_folder(root)
    made.rmdir()


def made_of(root: Path) -> dict[str, Any] | None:
    """The description of a store that is whole but not in its place yet; None for one that does not lengthen what is there."""
    new = sealed(root / MADE / "zarr.json")
    if new is None:
        return None
    old = sealed(root / "zarr.json") or sealed(root / COPY) or new
    return None if changes(*(json.loads(each["attributes"]["sweep"]) for each in (old, new))) else new


def mend(root: Path) -> list[str]:
    """Restore damaged metadata; what was wrong. Raises SweepError where there is nothing to restore them from."""
    content, found = description(root)
    if found:
        for name in ("zarr.json", COPY):
            _put(root / name, json.dumps(content, indent=2).encode())
    for path, copy in changed_metadata(root, content):
        _put(path, json.dumps(copy, indent=2).encode())
        found.append(f"{path.relative_to(root)}: damaged")
    return found


def make(root: Path, sweep: Sweep, blocks: Sequence[Block], old: Old | None) -> None:
    """A store without results, or with those of an old one."""
    making = root / MAKING
    shutil.rmtree(making, ignore_errors=True)
    lead = len(sweep.outer_shape)
    codecs = [ZstdCodec(level=1), Crc32cCodec()]
    try:
        attributes = _attributes(sweep, blocks, old)
        owner = whose(attributes)
        group = zarr.create_group(Durable(making, owner), zarr_format=3, attributes=attributes)
        for name, values in sweep.coordinates.items():
            data = coordinate(values)
            kind: Any = str if isinstance(values[0], str) else data.dtype
            axis = group.create_array(
                name,
                shape=data.shape,
                chunks=data.shape,
                dtype=kind,
                # A lost coordinate is no row of zeros.
                fill_value=math.nan if data.dtype.kind == "f" else None,
                compressors=codecs,
                dimension_names=(name,),
            )
            axis[...] = data
        risk = group.create_array(
            sweep.results,
            shape=sweep.shape,
            chunks=chunk_shape(sweep.shape, lead, 8),
            dtype="float64",
            fill_value=math.nan,
            compressors=codecs,
            dimension_names=sweep.dims,
            attributes=dict(sweep.meaning),
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
            config=ALL_CHUNKS,
        )
        if old is None:
            marks[...] = False
        else:
            _copy(old, sweep, risk, marks)
        with warnings.catch_warnings():
            # Plain open_zarr looks for consolidated metadata; both are read the same way.
            warnings.filterwarnings("ignore", "Consolidated metadata")
            zarr.consolidate_metadata(Durable(making, owner))
        content = json.loads((making / "zarr.json").read_bytes())
        content["attributes"]["seal"] = seal(content)
        for name in ("zarr.json", COPY):
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


def versions(sweep: Sweep) -> dict[str, str]:
    """What the numbers of a store may depend on in their last digits."""
    libraries = {name: version(name) for name in sweep.libraries}
    return {"freshmix": __version__, "python": platform.python_version()} | libraries


def _attributes(sweep: Sweep, blocks: Sequence[Block], old: Old | None) -> dict[str, Any]:
    return {
        "title": sweep.title,
        "spec": sweep.text,
        "sweep": json.dumps(sweep.described()),
        "blocks": json.dumps(blocks),
        "stamped": True,
        # Those the first results were made with.
        "versions": json.dumps(versions(sweep)) if old is None else old[0].attrs["versions"],
    }
