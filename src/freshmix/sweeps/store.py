"""Results of a sweep on disk: one Zarr group that plain ``xarray.open_zarr`` reads."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from ..arguments import Floats
from ..files import replace_file
from .grid import Sweep, SweepError
from .layout import Block, Region, more_blocks, region, regions, same_sweep
from .lock import NAME as LOCK
from .lock import Lock
from .making import ALL_CHUNKS, MADE, MAKING, Durable, coordinate, made_of, make, mend, remove, settle, versions
from .reading import PROGRESS, Chunks, array_of, blocks_of, chunk_file, description, in_words, is_begun
from .stamps import whose

_OPEN_CHUNKS = 64


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

    def __init__(self, root: Path, sweep: Sweep, blocks: Sequence[Block] | None = None) -> None:
        self.root, self.sweep = root, sweep
        if root.exists() and not root.is_dir():
            raise NotADirectoryError(f"the store must be a folder, got the file {str(root)!r}")
        strangers = root.is_dir() and any(path.name not in (LOCK, PROGRESS, MAKING, MADE) for path in root.iterdir())
        if strangers and not is_begun(root) and made_of(root) is None:
            raise SweepError(f"{root} is a folder with other files in it, not the store of a {sweep.kind}")
        root.mkdir(parents=True, exist_ok=True)
        self.lock = Lock(root)
        try:
            settle(root)
            if not is_begun(root):
                make(root, sweep, [dict(sweep.inner)] if blocks is None else blocks, None)
            old = json.loads(description(root)[0]["attributes"]["sweep"])
            self.sweep = same_sweep(root, old, sweep)
            mended = mend(root)
            self._open()
            if json.dumps(old) != json.dumps(self.sweep.described()):
                mended += self._lengthen(old)
            self.healed = [*mended, *self._heal_coordinates(), *self._heal()]
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        owner = whose(description(self.root)[0]["attributes"])
        self.group = zarr.open_group(Durable(self.root, owner), mode="r+", use_consolidated=False)
        self.blocks = blocks_of(self.group)
        self._chunks = Chunks(self.root, self.group)
        self.risk, self._marks = self._chunks.risk, self._chunks.marks.with_config(ALL_CHUNKS)
        self.done, self._lost_marks = self._chunks.done()
        self._filling: dict[tuple[int, ...], Floats] = {}
        self._inner = [np.ix_(*self._places(block)) if block else () for block in self.blocks]

    def _lengthen(self, old: Mapping[str, Any]) -> list[str]:
        """Longer grids and more replicates; what was healed on the way."""
        healed = self._heal()
        inner = {name: tuple(old["grid"][name]) for name in self.sweep.inner}
        make(self.root, self.sweep, more_blocks(self.blocks, inner, self.sweep.inner), (self.group, self.risk, self.done))
        self._open()
        return healed

    def _heal_coordinates(self) -> list[str]:
        found = []
        for name, values in self.sweep.coordinates.items():
            axis = array_of(self.group, name)
            try:
                if np.asarray(axis[...]).tolist() == list(values):
                    continue
                reason = "changed"
            except Exception as error:
                reason = in_words(error)
            axis[...] = coordinate(values)
            found.append(f"{name}: {reason}")
        return found

    def _heal(self) -> list[str]:
        """Unmark and remove what cannot be read, so that it is computed again."""
        found = self._lost_marks
        for where, lost, reason in self._chunks.damages(self.done):
            found.append(reason)
            self.done[where[:-1]][lost] = False
        if found:
            # Marks first: a chunk without its data must not count as finished at any moment.
            self._marks[...] = self.done
            for index, where in regions(self.risk.shape, self.risk.chunks):
                if not self.done[where[:-1]].any():
                    remove(chunk_file(self.root, self.risk, index))
        return found

    def other_versions(self) -> str:
        """Libraries that are not those the store was begun with, in words; nothing if all are the same."""
        begun, now = json.loads(str(self.group.attrs["versions"])), versions(self.sweep)
        return ", ".join(f"{name} {begun.get(name)} -> {now[name]}" for name in now if begun.get(name) != now[name])

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
        cells, chunks = [], self.risk.chunks
        for item, values in results.items():
            number, task = divmod(item, self.sweep.tasks)
            block = self.blocks[number]
            index = tuple(map(int, np.unravel_index(task, self.sweep.outer_shape)))
            chunk = (*(i // c for i, c in zip(index, chunks, strict=False)), *([0] * (len(block) + 1)))
            touched[chunk] = None
            inner = self._inner[number]
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
        mark_chunks = self._marks.chunks
        marks = {tuple(i // c for i, c in zip(index, mark_chunks, strict=False)) for index, _ in cells}
        for lead in marks:
            where = region((*lead, *([0] * (self.done.ndim - len(lead)))), self.done.shape, mark_chunks)
            self._marks[where] = self.done[where]
        self._forget(touched)

    def absorb(self, others: Mapping[str, tuple[Chunks, NDArray[np.bool_]]]) -> int:
        """Take finished results of stores of the same layout, with their marks; how many were new.

        Raises SweepError, before any is taken, where results for the same task are not the same.
        """
        self.lock.check()
        for _, where in regions(self.risk.shape, self.risk.chunks):
            self._united(where, others)
        before = int(self.done.sum())
        for _, where in regions(self.risk.shape, self.risk.chunks):
            values, done = self._united(where, others)
            if (done & ~self.done[where[:-1]]).any():
                self.risk[where] = values
                self.done[where[:-1]] = done
        self._marks[...] = self.done
        return int(self.done.sum()) - before

    def _united(
        self, where: Region, others: Mapping[str, tuple[Chunks, NDArray[np.bool_]]]
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """What this store and others have in a region."""
        done = self.done[where[:-1]].copy()
        values = np.array(self.risk[where]) if done.any() else np.full((*done.shape, self.risk.shape[-1]), np.nan)
        for name, (chunks, marks) in others.items():
            theirs = marks[where[:-1]]
            if theirs.any():
                found = chunks.within(where, marks)
                if not np.array_equal(found[done & theirs], values[done & theirs]):
                    raise SweepError(f"{name} and {self.root} or another shard have different results for the same task")
                values[theirs] = found[theirs]
                done |= theirs
        return values, done

    def values(self) -> Floats:
        """All results, NaN where they are missing."""
        return self._chunks.within(tuple(slice(0, size) for size in self.risk.shape), self.done)

    def note(self, content: Mapping[str, Any]) -> None:
        """Leave word of the run for other processes; nothing depends on it."""
        with contextlib.suppress(OSError):
            replace_file(self.root / PROGRESS, json.dumps(content).encode())

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
