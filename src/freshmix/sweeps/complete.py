"""One run of a sweep from its description to its store."""

import time
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..arguments import process_count, whole
from ..processes import Here, Processes
from ..words import sweep as words
from .grid import Sweep
from .progress import progress as shown
from .run import Run
from .spec import read_spec
from .store import Store

# Workers that an executor of unknown size is taken to have: enough to keep a large cluster at work.
_ELSEWHERE = 128


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Tasks in all, finished before and committed; what failed and why; damages healed; libraries that are not those the store
    was begun with; seconds of the tasks, and in all.
    """

    store: Path
    tasks: int
    before: int
    committed: int
    failed: dict[str, str]
    healed: list[str]
    versions: str
    busy: float
    seconds: float


def complete(
    spec: str | Path | Mapping[str, Any] | Sweep,
    store: str | Path,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    shard: tuple[int, int] | None = None,
    progress: bool | None = None,
) -> Summary:
    """Run what is missing, as ``freshmix.sweep`` describes it."""
    start = time.perf_counter()
    plan = read_spec(spec)
    if workers is None:
        count = processors()
    else:
        count = process_count(workers, low=0) if executor is None else whole("workers", workers, low=0)
    elsewhere = 2 * max(1, _ELSEWHERE if workers is None else count)
    root = Path(store) if shard is None else shard_path(Path(store), *shard)
    with ExitStack() as stack:
        if executor is None:
            # They load their libraries while the store is opened.
            executor = stack.enter_context(Processes(min(count, plan.tasks), "freshmix.sweeps.task")) if count else Here()
        opened = stack.enter_context(Store(root, plan))
        # With values as they stand in the store.
        plan = opened.sweep
        items = opened.missing()
        mine = opened.items
        if shard is not None:
            items = items[items % shard[1] == shard[0] - 1]
            mine = len(range(shard[0] - 1, opened.items, shard[1]))
        show = stack.enter_context(shown(mine, mine - len(items), progress))
        begun = time.monotonic()

        def report(committed: int, failed: dict[int, str]) -> None:
            show(committed, failed)
            said = words.progress(mine, mine - len(items), committed, time.monotonic() - begun, len(failed))
            opened.note({"run": said, "failed": {plan.name_of(item % plan.tasks): why for item, why in failed.items()}})

        # An executor of others says nothing of its size.
        run = Run(opened, executor, getattr(executor, "at_once", elsewhere), report)
        run.complete(map(int, items))
        failed = {plan.name_of(item % plan.tasks): reason for item, reason in sorted(run.failed.items())}
        other = opened.other_versions() if run.committed else ""
    seconds = time.perf_counter() - start
    return Summary(root, mine, mine - len(items), run.committed, failed, opened.healed, other, run.busy, seconds)


def processors() -> int:
    """Cores that this process may use."""
    from loky import cpu_count

    return int(cpu_count())


def shard_path(store: Path, part: int, parts: int) -> Path:
    """The store of part ``part`` of ``parts``, beside the one they are merged into."""
    whole("the number of shards", parts, low=1)
    if not 1 <= whole("shard", part, low=1) <= parts:
        raise ValueError(f"shard must lie between 1 and {parts}, got {part}")
    return store.with_name(f"{store.name}.{part}-of-{parts}")
