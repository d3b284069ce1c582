"""Shards put together."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from .grid import Sweep, SweepError
from .layout import described
from .reading import array_of, blocks_of, damages, marks_of, open_read_only
from .store import Store


def shards_of(store: Path) -> list[Path]:
    """The stores of shards beside a store."""
    name = re.compile(re.escape(store.name) + r"\.(\d+)-of-(\d+)")
    folder = store.parent
    found = [path for path in folder.iterdir() if name.fullmatch(path.name)] if folder.is_dir() else []
    return sorted(found, key=lambda path: [int(each) for each in path.name.removeprefix(store.name)[1:].split("-of-")])


def merge(plan: Sweep, store: str | Path, shards: Sequence[Path] | None = None) -> int:
    """Take the finished results of shards into a store; how many results were new.

    Shards stay as they are, and may be running or be merged again later.

    Raises
    ------
    OSError
        If there is no shard, or the store is in use or cannot be written to.
    SweepError
        If a shard is of another sweep, or two shards differ in a result.
    """
    root = Path(store)
    parts = shards_of(root) if shards is None else list(shards)
    if not parts:
        raise FileNotFoundError(f"there are no shards named {root.name}.1-of-N and so on beside {str(root)!r}")
    groups = (open_read_only(part) for part in parts)
    # What shards computed together stays together in a new store.
    blocks = next((blocks_of(each) for each in groups if each.attrs["sweep"] == json.dumps(described(plan))), None)
    with Store(root, plan, blocks) as opened:
        return sum(_take(opened, part) for part in parts)


def _take(store: Store, part: Path) -> int:
    group = open_read_only(part)
    if group.attrs["sweep"] != store.group.attrs["sweep"] or blocks_of(group) != store.blocks:
        raise SweepError(f"{part} is a shard of another sweep, or of a shorter grid: run the shard again with this one first")
    risk, marks = array_of(group, "risk"), array_of(group, "done")
    # Marks first: a running shard adds results meanwhile, but takes none away.
    done, _ = marks_of(risk, marks)
    for where, lost, _ in damages(risk, done):
        done[where[:-1]][lost] = False
    return store.absorb(risk, done, str(part))
