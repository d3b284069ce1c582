"""Only what is missing is run, and only what is committed counts; one process writes."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field

from ..arguments import Floats
from ..processes import WorkerDied
from ..threads import one_blas_thread
from .queue import Queue
from .store import Store
from .task import Job, Outcome, run

# Seconds: between commits, and after which a worker returns what it has.
COMMIT, BUDGET = 0.5, 0.3

Report = Callable[[int, dict[int, str]], None]
# What a worker does with jobs in so many seconds.
Work = Callable[[Sequence[Job], float], list[Outcome]]


@dataclass
class Run:
    """The missing items of a store on their way through an executor, some calls at once."""

    store: Store
    executor: Executor
    at_once: int
    report: Report
    work: Work = run
    finished: dict[int, Floats] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    committed: int = 0
    busy: float = 0.0

    def __post_init__(self) -> None:
        self._flying: dict[Future[list[Outcome]], list[int]] = {}
        self._last = time.monotonic()
        self._place, self._point = -1, ""
        self._blocks = [tuple(block.items()) for block in self.store.blocks]

    def complete(self, items: Iterable[int]) -> None:
        """Run items and commit them at least every second; what fails is in ``failed``.

        Raises
        ------
        OSError
            If the store cannot be written to; what was committed stays.
        KeyboardInterrupt
            If interrupted, with everything committed that was finished.
        """
        self._queue = Queue(items, self.at_once)
        try:
            with one_blas_thread():
                while self._queue or self._flying:
                    while self._queue and len(self._flying) < self.at_once:
                        batch = self._queue.take()
                        self._flying[self.executor.submit(self.work, [self._job(item) for item in batch], BUDGET)] = batch
                    self._receive()
            self._commit()
        except OSError as error:
            if error.errno is None:
                raise
            words = f"{error.strerror}; the {self.committed:,} tasks that this run committed are kept"
            raise OSError(error.errno, words, str(self.store.root)) from error
        except BaseException:
            # What is finished, at an end that comes too early.
            for future in [each for each in self._flying if each.done() and not each.cancelled() and not each.exception()]:
                self._take(future)
            self._commit()
            raise
        finally:
            for future in self._flying:
                future.cancel()

    def _receive(self) -> None:
        left = max(0.0, COMMIT - (time.monotonic() - self._last))
        done, _ = wait(self._flying, timeout=left, return_when=FIRST_COMPLETED)
        for future in done:
            self._take(future)
        if time.monotonic() - self._last >= COMMIT:
            self._commit()

    def _take(self, future: "Future[list[Outcome]]") -> None:
        items = self._flying.pop(future)
        try:
            outcomes = future.result()
        except Exception as error:
            if isinstance(error, BrokenExecutor) and not isinstance(error, WorkerDied):
                raise RuntimeError(f"the executor is broken: {' '.join(str(error).split())}") from error
            if reason := self._queue.failed(items, error):
                self.failed[items[0]] = reason
            return
        for item, outcome in zip(items, outcomes, strict=False):
            self.busy += outcome.seconds
            self._queue.timed(outcome.seconds)
            if outcome.values is None:
                self.failed[item] = outcome.reason
            else:
                self.finished[item] = outcome.values
        self._queue.put_back(items[len(outcomes) :])

    def _job(self, item: int) -> Job:
        number, task = divmod(item, self.store.sweep.tasks)
        place = task // self.store.sweep.replicates
        if place != self._place:
            # Replicates of one point follow each other.
            self._place, self._point = place, self.store.sweep.point(self.store.sweep.task_of(task)[0])
        return Job(self._point, task % self.store.sweep.replicates, self._blocks[number])

    def _commit(self) -> None:
        if self.finished:
            self.store.commit(self.finished)
            self.committed += len(self.finished)
            self.finished = {}
        self._last = time.monotonic()
        self.report(self.committed, self.failed)
