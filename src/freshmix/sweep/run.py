"""Only what is missing is run; one process writes."""

import time
from collections.abc import Iterable

from ..simulate.replicates import one_blas_thread
from .store import Store
from .task import Job, run


def job_of(store: Store, item: int) -> Job:
    """What an item of a store runs."""
    number, task = divmod(item, store.sweep.tasks)
    coordinates, replicate = store.sweep.task_of(task)
    return Job(store.sweep.point(coordinates), replicate, tuple(store.blocks[number].items()))


def here(store: Store, items: Iterable[int]) -> dict[int, str]:
    """Run items in this process; what failed, and why."""
    failed, finished, last = {}, {}, time.monotonic()
    with one_blas_thread():
        for item in items:
            outcome = run([job_of(store, item)])[0]
            if outcome.values is None:
                failed[item] = outcome.reason
            else:
                finished[item] = outcome.values
            if time.monotonic() - last > 0.5:
                store.commit(finished)
                finished, last = {}, time.monotonic()
        store.commit(finished)
    return failed
