"""What is said of a sweep: how far it is, what it would take, what was wrong."""

from collections.abc import Mapping, Sequence

# Failed tasks that are named.
_NAMED = 10


def duration(seconds: float) -> str:
    """A length of time in its own unit.

    Examples
    --------
    >>> duration(45), duration(7200)
    ('45 s', '2.0 h')
    """
    if seconds < 100:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def progress(total: int, before: int, committed: int, seconds: float, failed: int) -> str:
    """How far it is, in one line.

    Examples
    --------
    >>> progress(1000, 100, 300, 60.0, 1)
    '400 of 1,000 tasks, 5/s, 2.0 min left, 1 failed'
    """
    rate = committed / max(seconds, 1e-9)
    left = f"{duration((total - before - committed - failed) / rate)} left" if rate else "time left unknown"
    return f"{before + committed:,} of {total:,} tasks, {rate:.3g}/s, {left}" + (f", {failed} failed" if failed else "")


def finished(finished: int, tasks: int, now: int, seconds: float, store: object) -> str:
    """The end of a run."""
    return f"{finished:,} of {tasks:,} tasks finished, {now:,} of them now in {duration(seconds)}. Results: {store}"


def asides(healed: Sequence[str], versions: str, failed: Mapping[str, str]) -> list[str]:
    """What is to be known of a run beside its results."""
    other = [f"the store was begun with other libraries, last digits may differ: {versions}"] if versions else []
    return [*(f"was damaged, computed again: {line}" for line in healed), *other, *failures(failed)]


def failures(failed: Mapping[str, str]) -> list[str]:
    """The first tasks that failed, and why."""
    return [f"failed: {name}: {reason}" for name, reason in list(failed.items())[:_NAMED]]


def again(failed: int) -> str:
    """The error of a run in which tasks failed."""
    return f"{failed:,} tasks failed; the same command tries them again"


def forecast(
    tasks: int, finished: int, sizes: Mapping[str, int], one: float, seconds: float, workers: int, size: int
) -> list[str]:
    """What a sweep would take."""
    shape = ", ".join(f"{name} {count}" for name, count in sizes.items())
    return [
        f"{tasks:,} tasks, {finished:,} of them finished ({shape})",
        f"{duration(one)} for one task, {duration(seconds)} in all on {workers} workers",
        f"{size / 1e6:,.1f} MB on disk at most",
    ]


def merged(finished: int, tasks: int, shards: int, store: object) -> str:
    """The end of a merge."""
    return f"{finished:,} of {tasks:,} tasks finished after merging {shards} shards into {store}"


def status(
    store: object, finished: int, tasks: int, size: int, owner: str | None, run: str | None, failed: Mapping[str, str]
) -> list[str]:
    """How a store stands, who holds it, and how far its last run has come."""
    said = [f"{store}: {finished:,} of {tasks:,} tasks finished ({100 * finished / tasks:.1f}%), {size / 1e6:,.1f} MB"]
    if run is not None:
        said.append(f"  {f'in use by {owner}' if owner else 'last run'}: {run}")
    return [*said, *(f"  {line}" for line in failures(failed))]


def lost(faults: int) -> str:
    """The error of a merge of damaged shards."""
    return f"shards have lost results in {faults} places: run them again, then merge again"


def sound(store: object, finished: int, tasks: int) -> str:
    """The end of a check that found nothing."""
    return f"{store}: nothing wrong, {finished:,} of {tasks:,} tasks finished"


def damaged(store: object, faults: int) -> str:
    """The error of a check that found something."""
    return f"{store} has {faults} faults; the same sweep again mends it"
