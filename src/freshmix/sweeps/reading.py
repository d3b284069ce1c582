"""Looking at a store, in use or not."""

import contextlib
import hashlib
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.storage import LocalStore

from ..arguments import Floats
from .grid import RESULTS, SweepError
from .layout import Block, Region, region, regions
from .stamps import stranger, whose

# A second copy of the group's metadata; what the run that holds a store, or the last one, tells of itself.
COPY, PROGRESS = ".zarr.json", ".progress"


class _Described(LocalStore):
    """Metadata come from the description: what became of their files does not matter."""

    def __init__(self, root: Path, content: Mapping[str, Any]) -> None:
        super().__init__(root, read_only=True)
        arrays = content["consolidated_metadata"]["metadata"]
        files = {"zarr.json": content, **{f"{name}/zarr.json": each for name, each in arrays.items()}}
        self._files = {key: json.dumps(each).encode() for key, each in files.items()}

    async def get(self, key: str, prototype: BufferPrototype | None = None, byte_range: Any = None) -> Buffer | None:
        """The content of a file."""
        if key in self._files:
            return (prototype or default_buffer_prototype()).buffer.from_bytes(self._files[key])
        return await super().get(key, prototype, byte_range)


def open_read_only(root: Path) -> zarr.Group:
    """A store to look at, in use or not; raises SweepError where there is none."""
    content, _ = description(root)
    return zarr.open_group(_Described(root, content), mode="r", use_consolidated=False)


def description(root: Path) -> tuple[dict[str, Any], list[str]]:
    """The metadata of a store's group, from its file or the copy, and what is wrong with these.

    Raises SweepError where there is no store, or neither file can be read.
    """
    files = {name: sealed(root / name) for name in ("zarr.json", COPY)}
    known = [content for content in files.values() if content is not None]
    if not known:
        raise SweepError(_nothing(root))
    # Where one is of another store, the chunks tell which.
    content = max(known, key=lambda each: _own_chunks(root, each)) if len(known) > 1 and known[0] != known[1] else known[0]
    faults = []
    for name, found in files.items():
        if found != content:
            reason = "not that of this store" if found else "damaged" if os.path.lexists(root / name) else "missing"
            faults.append(f"{name}: {reason}")
    return content, faults


def _nothing(root: Path) -> str:
    if not root.exists():
        return f"there is no store {str(root)!r}"
    if not is_begun(root):
        return f"{root} is not the store of a sweep"
    return (
        f"{root} has lost its description (zarr.json and {COPY}), and its results cannot be told apart: run the sweep elsewhere"
    )


def is_begun(root: Path) -> bool:
    """Whether a folder holds parts of a store."""
    return any(os.path.lexists(root / name) for name in ("zarr.json", COPY, "done", *RESULTS))


def _own_chunks(root: Path, content: Mapping[str, Any]) -> int:
    """How many of the first chunks bear the stamp of a description."""
    files = [path for name in ("done", *RESULTS) for path, _ in zip((root / name / "c").rglob("*"), range(20), strict=False)]
    owner = whose(content["attributes"])
    keys = [path.relative_to(root).as_posix() for path in files if path.is_file()]
    return sum(not stranger(root, key, owner) for key in keys)


def seal(content: Mapping[str, Any]) -> str:
    """SHA-256 of a group's metadata, but for the seal itself."""
    attributes = {name: value for name, value in content["attributes"].items() if name != "seal"}
    return hashlib.sha256(json.dumps({**content, "attributes": attributes}, sort_keys=True).encode()).hexdigest()


def sealed(path: Path) -> dict[str, Any] | None:
    """A group's metadata, if they can be read and are as they were written."""
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        return content if content["attributes"]["seal"] == seal(content) else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def changed_metadata(root: Path, content: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Files of arrays that are not as the group's metadata have them, and what they should hold."""
    for name, copy in content["consolidated_metadata"]["metadata"].items():
        path = root / name / "zarr.json"
        try:
            if json.loads(path.read_bytes()) == copy:
                continue
        except (OSError, ValueError, RecursionError):
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
    return root / _key(array, index)


def _key(array: "zarr.Array[Any]", index: Sequence[int]) -> str:
    return f"{array.path}/{array.metadata.encode_chunk_key(tuple(index))}"


class Chunks:
    """Results and marks of a store as they lie on disk; what is not the store's own counts as unreadable."""

    def __init__(self, root: Path, group: zarr.Group) -> None:
        self.root, self.owner = root, whose(group.attrs)
        self.risk = array_of(group, next((name for name in RESULTS if name in group), RESULTS[0]))
        self.marks = array_of(group, "done")

    def values(self, index: Sequence[int], where: Region) -> Floats:
        """The results of a chunk, NaN where there are none."""
        return np.asarray(self._read(self.risk, index, where))

    def _read(self, array: "zarr.Array[Any]", index: Sequence[int], where: Region) -> Any:
        if stranger(self.root, _key(array, index), self.owner):
            raise ValueError("of another store")
        return array[where]

    def within(self, where: Region, done: NDArray[np.bool_]) -> Floats:
        """The finished results of any region, from chunks that hold some: others may be damaged."""
        found = np.full([part.stop - part.start for part in where], np.nan)
        chunks = self.risk.chunks
        spans = [range(part.start // c, -(-part.stop // c)) for part, c in zip(where, chunks, strict=True)]
        for index in itertools.product(*spans):
            own = region(index, self.risk.shape, chunks)
            both = tuple(slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(where, own, strict=True))
            if done[both[:-1]].any():
                found[_from(where, both)] = self.values(index, own)[_from(own, both)]
        return found

    def done(self) -> tuple[NDArray[np.bool_], list[str]]:
        """Which results are finished, and what is wrong with the marks.

        Where marks cannot be read or are missing, the results tell: each was written whole, and only when it was finished.
        """
        done, faults = np.zeros(self.marks.shape, dtype=bool), []
        told: NDArray[np.bool_] | None = None
        for index, where in regions(self.marks.shape, self.marks.chunks):
            reason = "" if chunk_file(self.root, self.marks, index).is_file() else "missing"
            try:
                done[where] = self._read(self.marks, index, where)
            except Exception as error:
                reason = in_words(error)
            if reason:
                told = self._finished() if told is None else told
                done[where] = told[where]
            # Older stores have no marks where nothing is finished.
            if reason and (reason != "missing" or self.owner or done[where].any()):
                faults.append(f"done chunk {_place(index)}: {reason}")
        return done, faults

    def _finished(self) -> NDArray[np.bool_]:
        """Which results are there and can be read."""
        done = np.zeros(self.marks.shape, dtype=bool)
        for index, where in regions(self.risk.shape, self.risk.chunks):
            if os.path.lexists(chunk_file(self.root, self.risk, index)):
                with contextlib.suppress(Exception):
                    done[where[:-1]] = ~np.isnan(self.values(index, where)).any(axis=-1)
        return done

    def damages(self, done: NDArray[np.bool_]) -> Iterator[tuple[Region, NDArray[np.bool_], str]]:
        """Region of each chunk that cannot be read or lacks finished results, which ones are lost, and why."""
        for index, where in regions(self.risk.shape, self.risk.chunks):
            marked = done[where[:-1]]
            if not marked.any() and not os.path.lexists(chunk_file(self.root, self.risk, index)):
                continue
            name = f"{self.risk.path} chunk {_place(index)}"
            try:
                lost = marked & np.isnan(self.values(index, where)).any(axis=-1)
            except Exception as error:
                yield where, marked.copy(), f"{name}: {in_words(error)}"
                continue
            if lost.any():
                yield where, lost, f"{name}: {int(lost.sum())} results are marked as finished but missing"


def _from(start: Region, where: Region) -> Region:
    """A region counted from the beginning of another."""
    return tuple(slice(b.start - a.start, b.stop - a.start) for a, b in zip(start, where, strict=True))


def _place(index: Sequence[int]) -> str:
    return "/".join(map(str, index))


def in_words(error: Exception) -> str:
    """What a library says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def coordinates_of(group: zarr.Group) -> dict[str, list[Any]]:
    """The coordinates that a store must have, from its description."""
    content = json.loads(str(group.attrs["sweep"]))
    # Replays have neither.
    named = {"population": list(content.get("populations", [""])), "loop": list(content.get("loops", [""]))}
    ends = {"replicate": list(range(content["replicates"])), "generation": list(range(content["generations"] + 1))}
    axes = {name: values for name, values in named.items() if values != [""]}
    return {**axes, **content["grid"], **ends}
