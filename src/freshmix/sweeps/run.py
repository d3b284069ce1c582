"""Only what is missing is run, and only what is committed counts; one process writes."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field

from ..arguments import Floats
from ..threads import one_blas_thread
from .processes import Here, Processes
from .store import Store
from .task import Job, Outcome, run

# Seconds: between commits, of work sent to a worker at once, and after which a worker returns what it has.
COMMIT, BATCH, BUDGET = 0.5, 0.15, 0.3
ATTEMPTS = 3

Report = Callable[[int, dict[int, str]], None]


@dataclass
class Run:
    """The missing items of a store on their way through an executor."""

    store: Store
    executor: Executor
    concurrency: int
    report: Report
    finished: dict[int, Floats] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    committed: int = 0
    busy: float = 0.0

    def __post_init__(self) -> None:
        self._flying: dict[Future[list[Outcome]], tuple[list[int], bool]] = {}
        self._suspects: deque[int] = deque()
        self._deaths: Counter[int] = Counter()
        self._seconds = BATCH
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
        self._queue = deque(items)
        try:
            with one_blas_thread():
                while self._queue or self._suspects or self._flying:
                    self._send()
                    self._receive()
            self._commit()
        except OSError as error:
            if error.errno is None:
                raise
            words = f"{error.strerror}; the {self.committed:,} tasks that this run committed are kept"
            raise OSError(error.errno, words, str(self.store.root)) from error
        except BaseException:
            self._save()
            raise
        finally:
            # Processes of our own are few calls ahead, and end with them.
            if not isinstance(self.executor, Processes):
                for future in self._flying:
                    future.cancel()

    def _send(self) -> None:
        processes = self.executor if isinstance(self.executor, Processes) else None
        while processes and self._suspects:
            future = processes.submit_apart(run, [self._job(self._suspects[0])], BUDGET)
            if future is None:
                break
            self._flying[future] = ([self._suspects.popleft()], True)
        if processes and not self._suspects and not any(alone for _, alone in self._flying.values()):
            processes.mingle()
        while self._queue and (processes.room() if processes else len(self._flying) < self.concurrency):
            share = -(-len(self._queue) // (2 * self.concurrency))
            size = max(1, min(round(BATCH / self._seconds), share, 1024))
            self._submit([self._queue.popleft() for _ in range(min(size, len(self._queue)))])
            if isinstance(self.executor, Here):
                break

    def _submit(self, items: list[int]) -> None:
        future = self.executor.submit(run, [self._job(item) for item in items], BUDGET)
        self._flying[future] = (items, False)

    def _receive(self) -> None:
        left = max(0.0, COMMIT - (time.monotonic() - self._last))
        done, _ = wait(self._flying, timeout=left, return_when=FIRST_COMPLETED)
        for future in done:
            self._take(future)
        if time.monotonic() - self._last >= COMMIT:
            self._commit()

    def _take(self, future: "Future[list[Outcome]]") -> None:
        items, alone = self._flying.pop(future)
        try:
            outcomes = future.result()
        except BrokenExecutor as error:
            if not isinstance(self.executor, Processes):
                self._queue.extendleft(reversed(items))
                raise RuntimeError(f"the executor is broken: {' '.join(str(error).split())}") from error
            self._died(items, alone, self.executor.bury(future))
            return
        except Exception as error:
            # Dask's scheduler tries a task on several workers before it says that it kills them.
            if len(items) > 1:
                for item in items:
                    self._submit([item])
            else:
                self.failed[items[0]] = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return
        for item, outcome in zip(items, outcomes, strict=False):
            self.busy += outcome.seconds
            self._seconds = max(1e-5, 0.8 * self._seconds + 0.2 * outcome.seconds)
            if outcome.values is None:
                self.failed[item] = outcome.reason
            else:
                self.finished[item] = outcome.values
        self._queue.extendleft(reversed(items[len(outcomes) :]))

    def _died(self, items: list[int], alone: bool, end: str) -> None:
        """A worker is dead. Only a task that was alone with it is to blame; the others are tried again, each alone."""
        for item in items:
            self._deaths[item] += alone
            if self._deaths[item] < ATTEMPTS:
                self._suspects.append(item)
            else:
                self.failed[item] = f"its worker died {ATTEMPTS} times in a row: {end}"

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

    def _save(self) -> None:
        """What is finished, at an end that comes too early."""
        for future in [each for each in self._flying if each.done() and not each.cancelled() and not each.exception()]:
            self._take(future)
        self._commit()
