"""Results of a sweep on disk: one Zarr group that plain ``xarray.open_zarr`` reads."""

import asyncio
import json
import math
import os
import platform
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.core.buffer import Buffer
from zarr.storage import LocalStore

from .. import __version__
from .._checks import Floats
from ..files import replace_file, sync_folder
from .grid import Sweep, SweepError
from .layout import Block, Region, changes, chunk_shape, described, more_blocks, region, regions
from .lock import NAME as LOCK
from .lock import Lock

_MASK_BYTES = 2**22
_OPEN_CHUNKS = 64
# A store is made, or made longer, beside itself and then moved into place: half-made ones are thrown away, whole ones moved.
_MAKING, _MADE = ".making", ".made"


class _Durable(LocalStore):
    """Files that are on disk, whole, before what is written after them."""

    async def set(self, key: str, value: Buffer) -> None:
        await asyncio.to_thread(_put, self.root / key, value.to_bytes())


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, content, durable=True)


class Store:
    """A sweep's store, held by this process until ``close``.

    Opening it takes up what an earlier process left, makes it longer where the sweep has grown, and marks as missing what
    cannot be read.

    Raises
    ------
    OSError
        If the folder cannot be written to, or another process holds the store.
    SweepError
        If it is the store of another sweep; the message says what differs.
    """

    def __init__(self, root: Path, sweep: Sweep) -> None:
        self.root, self.sweep = root, sweep
        strangers = root.is_dir() and any(path.name not in (LOCK, _MAKING, _MADE) for path in root.iterdir())
        if root.exists() and not root.is_dir():
            raise NotADirectoryError(f"the store must be a folder, got the file {str(root)!r}")
        if strangers and not any((root / name).exists() for name in ("zarr.json", _MADE)):
            raise SweepError(f"{root} is a folder with other files in it, not the store of a sweep")
        root.mkdir(parents=True, exist_ok=True)
        self.lock = Lock(root)
        try:
            _settle(root)
            if not (root / "zarr.json").exists():
                _make(root, sweep, [dict(sweep.inner)], None)
            self._open()
            old, new = self.group.attrs["sweep"], json.dumps(described(sweep))
            if old != new:
                self._lengthen(json.loads(str(old)))
            self.healed = self._heal()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        self.group = zarr.open_group(_Durable(self.root), mode="r+", use_consolidated=False)
        self.blocks = blocks_of(self.group)
        self.risk, self._marks = _array(self.group, "risk"), _array(self.group, "done")
        self.done, self._unreadable_marks = marks_of(self.risk, self._marks)
        self._filling: dict[tuple[int, ...], Floats] = {}

    def _lengthen(self, old: Mapping[str, Any]) -> None:
        """Longer grids and more replicates; anything else is refused."""
        if said := changes(old, described(self.sweep)):
            raise SweepError("\n".join((f"{self.root} is the store of another sweep; they differ in:", *said)))
        self._heal()
        inner = {name: tuple(old["grid"][name]) for name in self.sweep.inner}
        _make(self.root, self.sweep, more_blocks(self.blocks, inner, self.sweep.inner), self)
        self._open()

    def _heal(self) -> list[str]:
        """Unmark and remove what cannot be read, so that it is computed again."""
        found = []
        for where, lost, reason in damages(self.risk, self.done):
            found.append(reason)
            self.done[where[:-1]][lost] = False
        if found or self._unreadable_marks:
            # Marks first: a chunk without its data must not count as finished at any moment.
            self._marks[...] = self.done
            for index, where in regions(self.risk.shape, self.risk.chunks):
                if not self.done[where[:-1]].any():
                    chunk_file(self.root, self.risk, index).unlink(missing_ok=True)
        return found

    @property
    def items(self) -> int:
        """Number of simulations: tasks, for each block of weights and penalties that is computed together."""
        return self.sweep.tasks * len(self.blocks)

    def missing(self) -> NDArray[np.intp]:
        """Items that are not finished; item = block x tasks + task."""
        lead = len(self.sweep.outer_shape)
        found = []
        for number, block in enumerate(self.blocks):
            cells = self.done.reshape(self.sweep.tasks, *self.done.shape[lead:])
            for axis, places in enumerate(self._places(block), start=1):
                cells = cells.take(places, axis)
            found.append(np.flatnonzero(~cells.reshape(self.sweep.tasks, -1).all(axis=1)) + number * self.sweep.tasks)
        return np.concatenate(found)

    def commit(self, results: Mapping[int, Floats]) -> None:
        """Write finished items: their chunks first, then their marks; raises OSError where that fails."""
        self.lock.check()
        touched: dict[tuple[int, ...], None] = {}
        cells = []
        for item, values in results.items():
            number, task = divmod(item, self.sweep.tasks)
            block = self.blocks[number]
            index = tuple(map(int, np.unravel_index(task, self.sweep.outer_shape)))
            chunks = self.risk.chunks
            chunk = (*(i // c for i, c in zip(index, chunks, strict=False)), *([0] * (len(block) + 1)))
            touched[chunk] = None
            inner = np.ix_(*self._places(block)) if block else ()
            within = self._buffer(chunk)[tuple(i % c for i, c in zip(index, chunks, strict=False))]
            within[inner or ...] = values.reshape(*map(len, block.values()), -1)
            cells.append((index, inner))
        for chunk in touched:
            self.risk[region(chunk, self.risk.shape, self.risk.chunks)] = self._filling[chunk]
        for index, inner in cells:
            if inner:
                self.done[index][inner] = True
            else:
                self.done[index] = True
        marks = {tuple(i // c for i, c in zip(index, self._marks.chunks, strict=False)) for index, _ in cells}
        for lead in marks:
            where = region((*lead, *([0] * (self.done.ndim - len(lead)))), self.done.shape, self._marks.chunks)
            self._marks[where] = self.done[where]
        self._forget(touched)

    def _buffer(self, chunk: tuple[int, ...]) -> Floats:
        """The contents of a chunk, kept here while it fills."""
        if chunk not in self._filling:
            where = region(chunk, self.risk.shape, self.risk.chunks)
            shape = tuple(each.stop - each.start for each in where)
            known = self.done[where[:-1]].any()
            self._filling[chunk] = np.array(self.risk[where]) if known else np.full(shape, np.nan)
        return self._filling[chunk]

    def _forget(self, touched: Mapping[tuple[int, ...], None]) -> None:
        for chunk in touched:
            if self.done[region(chunk, self.risk.shape, self.risk.chunks)[:-1]].all():
                del self._filling[chunk]
        while len(self._filling) > _OPEN_CHUNKS:
            del self._filling[next(iter(self._filling))]

    def _places(self, block: Block) -> list[list[int]]:
        return [[self.sweep.inner[name].index(value) for value in values] for name, values in block.items()]

    def close(self) -> None:
        """Let other processes have the store."""
        self.lock.release()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
        return done, f"done: {_reason(error)}"


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
            yield where, np.ones_like(marked), f"{name}: {_reason(error)}"
            continue
        if lost.any():
            yield where, lost, f"{name}: {int(lost.sum())} results are marked as finished but missing"


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _array(group: zarr.Group, name: str) -> "zarr.Array[Any]":
    found = group[name]
    if not isinstance(found, zarr.Array):
        raise SweepError(f"{group.store_path} has no array {name}")
    return found


def _settle(root: Path) -> None:
    """Finish or undo what an earlier process left half done."""
    shutil.rmtree(root / _MAKING, ignore_errors=True)
    for leftover in root.glob("**/.freshmix-*"):
        leftover.unlink(missing_ok=True)
    made = root / _MADE
    if not made.exists():
        return
    for new in sorted(made.iterdir(), key=lambda path: path.name == "zarr.json"):
        old = root / new.name
        if old.is_dir():
            shutil.rmtree(old)
        new.replace(old)
    sync_folder(root)
    made.rmdir()


def _make(root: Path, sweep: Sweep, blocks: Sequence[Block], old: Store | None) -> None:
    """A store without results, or with those of an old one."""
    making = root / _MAKING
    shutil.rmtree(making, ignore_errors=True)
    lead = len(sweep.outer_shape)
    codecs = [ZstdCodec(level=1), Crc32cCodec()]
    try:
        group = zarr.create_group(_Durable(making), zarr_format=3, attributes=_attributes(sweep, blocks))
        for name, values in sweep.coordinates.items():
            data = np.array(values) if not isinstance(values[0], str) else np.array(values, dtype=object)
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
            zarr.consolidate_metadata(_Durable(making))
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    os.replace(making, root / _MADE)
    sync_folder(root)
    _settle(root)


def _copy(old: Store, sweep: Sweep, risk: "zarr.Array[Any]", marks: "zarr.Array[Any]") -> None:
    """Finished results of an old store, put in their places."""
    before = _coordinates(old.group, old.risk)
    order = [list(before).index(name) for name in sweep.dims]
    position = {name: {value: i for i, value in enumerate(before[name])} for name in sweep.dims}
    old_done = old.done.transpose(order[:-1])
    for _, where in regions(risk.shape, risk.chunks):
        new, past = _matching(sweep.dims, sweep, position, where)
        if not all(new) or not old_done[np.ix_(*past[:-1])].any():
            continue
        places = tuple(np.array(past[order.index(axis)]) for axis in range(len(order)))
        chosen = old.risk.oindex[places]
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


def _coordinates(group: zarr.Group, risk: "zarr.Array[Any]") -> dict[str, list[Any]]:
    names = risk.metadata.dimension_names  # type: ignore[union-attr]
    return {str(name): np.asarray(_array(group, str(name))[...]).tolist() for name in names or ()}


def _attributes(sweep: Sweep, blocks: Sequence[Block]) -> dict[str, Any]:
    libraries = {name: version(name) for name in ("numpy", "scipy", "zarr")}
    return {
        "title": sweep.title,
        "spec": sweep.text,
        "sweep": json.dumps(described(sweep)),
        "blocks": json.dumps(blocks),
        "versions": json.dumps({"freshmix": __version__, "python": platform.python_version()} | libraries),
    }
