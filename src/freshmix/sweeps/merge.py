"""Shards put together."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import zarr
from numpy.typing import NDArray

from .grid import Sweep, SweepError
from .layout import same_sweep
from .making import remove
from .reading import Chunks, blocks_of, open_read_only
from .store import Store


def shards_of(store: Path) -> list[Path]:
    """The stores of shards beside a store."""
    name = re.compile(re.escape(store.name) + r"\.(\d+)-of-(\d+)")
    folder = store.parent
    found = [path for path in folder.iterdir() if name.fullmatch(path.name)] if folder.is_dir() else []
    return sorted(found, key=lambda path: [int(each) for each in path.name.removeprefix(store.name)[1:].split("-of-")])


class Merged(NamedTuple):
    """How many results were new, and what shards have lost of theirs."""

    news: int
    lost: list[str]


def merge(plan: Sweep, store: str | Path, shards: Sequence[Path] | None = None) -> Merged:
    """Take the finished results of shards into a store.

    Shards stay as they are, and may be running or be merged again later.

    Raises
    ------
    OSError
        If there is no shard, or the store is in use or cannot be written to.
    SweepError
        If a shard is of another sweep, or two differ in a result; nothing is taken then.
    """
    root = Path(store)
    parts = shards_of(root) if shards is None else list(shards)
    if not parts:
        raise FileNotFoundError(f"there are no shards named {root.name}.1-of-N and so on beside {str(root)!r}")
    groups = {part: open_read_only(part) for part in parts}
    first = next(iter(groups.values()))
    # What shards computed together stays together in a new store, and so do values that were written otherwise.
    plan = same_sweep(parts[0], json.loads(str(first.attrs["sweep"])), plan)
    for part, group in groups.items():
        if group.attrs["sweep"] != json.dumps(plan.described()) or blocks_of(group) != blocks_of(first):
            raise SweepError(_another(part))
    fresh = not root.exists()
    try:
        with Store(root, plan, blocks_of(first)) as opened:
            if opened.group.attrs["sweep"] != first.attrs["sweep"] or opened.blocks != blocks_of(first):
                raise SweepError(_another(parts[0]))
            taken = {str(part): _results(part, group) for part, group in groups.items()}
            news = opened.absorb({name: (chunks, done) for name, (chunks, done, _) in taken.items()})
    except SweepError:
        if fresh:
            remove(root)
        raise
    return Merged(news, [f"{name}: {said}" for name, (_, _, lost) in taken.items() for said in lost])


def _another(part: Path) -> str:
    return f"{part} is a shard of another sweep, or of a shorter grid: run the shard again with this one first"


def _results(part: Path, group: zarr.Group) -> tuple[Chunks, NDArray[np.bool_], list[str]]:
    chunks = Chunks(part, group)
    # Marks first: a running shard adds results meanwhile, but takes none away.
    done, _ = chunks.done()
    said = []
    for where, lost, reason in chunks.damages(done):
        done[where[:-1]][lost] = False
        said.append(reason)
    return chunks, done, said
