"""How a store stands, told from outside, and how much a sweep would take."""

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .grid import Sweep, SweepError
from .layout import same_sweep
from .lock import owner_of
from .merge import shards_of
from .reading import PROGRESS, Chunks, array_of, is_begun, open_read_only
from .task import Job, run


@dataclass(frozen=True)
class Status:
    """Tasks of a store and how many are finished, its owner, bytes on disk, and what its last run told."""

    store: Path
    tasks: int
    finished: int
    owner: str | None
    size: int
    last: dict[str, Any] = field(default_factory=dict)


def status(store: str | Path) -> list[Status]:
    """The status of a store and of its shards; it may be in use.

    Raises
    ------
    OSError
        If there are neither.
    """
    root = Path(store)
    paths = [*([root] if root.exists() else []), *shards_of(root)]
    if not paths:
        raise FileNotFoundError(f"there is no store {str(root)!r}")
    return [_of(path) for path in paths]


def _of(root: Path) -> Status:
    group = open_read_only(root)
    done, _ = Chunks(root, group).done()
    axes: Any = array_of(group, "done").metadata
    lead = axes.dimension_names.index("replicate") + 1
    tasks = math.prod(done.shape[:lead])
    finished = int(done.reshape(tasks, -1).all(axis=1).sum())
    return Status(root, tasks, finished, owner_of(root), sum(map(_size, root.rglob("*"))), _last(root))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        # Moved into place meanwhile.
        return 0


def _last(root: Path) -> dict[str, Any]:
    """What the last run told; nothing where that cannot be read."""
    try:
        last = json.loads((root / PROGRESS).read_bytes())
        failed = {str(name): str(reason) for name, reason in last["failed"].items()}
        return {"run": str(last["run"]), "failed": failed}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


@dataclass(frozen=True)
class Forecast:
    """Tasks in all and finished, seconds of one task and of what is left on some workers, bytes on disk at most."""

    tasks: int
    finished: int
    task_seconds: float
    seconds: float
    size: int


def forecast(plan: Sweep, store: str | Path, workers: int) -> Forecast:
    """What a sweep would take, from its middle task, run once (twice if it is short).

    Raises
    ------
    SweepError
        If the store belongs to another sweep, or the task fails.
    """
    root, finished = Path(store), 0
    if is_begun(root):
        plan = same_sweep(root, json.loads(str(open_read_only(root).attrs["sweep"])), plan)
        finished = _of(root).finished
    coordinates, replicate = plan.task_of(plan.tasks // 2)
    job = Job(plan.point(coordinates), replicate, tuple(plan.inner.items()))
    start = time.perf_counter()
    outcome = run([job], 0.0)[0]
    if time.perf_counter() - start < 1.0:
        outcome = run([job], 0.0)[0]
    if outcome.values is None:
        raise SweepError(f"task {plan.name_of(plan.tasks // 2)} fails: {outcome.reason}")
    cells = int(np.prod(plan.shape, dtype=np.int64))
    size = cells * 8 + cells // plan.shape[-1]
    seconds = outcome.seconds * (plan.tasks - finished) / max(1, workers)
    return Forecast(plan.tasks, finished, outcome.seconds, seconds, size)
