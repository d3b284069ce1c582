"""Worker processes that fail one by one: each has an executor of its own, replaced when its process dies."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any
from weakref import WeakKeyDictionary

from ..threads import ONE_THREAD

# One call runs and two wait, so that no process is idle while results travel or are written.
_DEPTH = 3


@dataclass
class _Lane:
    executor: Executor
    process: BaseProcess | None
    futures: list[Future[Any]] = field(default_factory=list)
    # Kept for calls that may have killed a process, one at a time.
    apart: bool = False
    # How the process before this one ended.
    end: str = ""

    def waiting(self) -> int:
        """Calls that are not done."""
        self.futures = [each for each in self.futures if not each.done()]
        return len(self.futures)


class Processes(Executor):
    """Processes with one BLAS thread each; when one dies, only the calls it held fail, and another takes its place.

    Parameters
    ----------
    count : int
        Number of processes.

    Examples
    --------
    >>> with Processes(1) as processes:
    ...     processes.submit(divmod, 7, 2).result()
    (3, 1)
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._lanes = [_Lane(*_start()) for _ in range(count)]
        self._homes: WeakKeyDictionary[Future[Any], tuple[_Lane, Executor]] = WeakKeyDictionary()

    def room(self) -> bool:
        """Whether a process would take one more call at once or next."""
        return any(lane.waiting() < _DEPTH for lane in self._lanes if not lane.apart)

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a call on the process that has least to do."""
        return self._on(min((each for each in self._lanes if not each.apart), key=_Lane.waiting), call, args, kwargs)

    def submit_apart(self, call: Callable[..., Any], *args: Any) -> Future[Any] | None:
        """Run a call on a process that does nothing else, so that its death is this call's doing; None if none is free."""
        for lane in self._lanes:
            if lane.apart and not lane.waiting():
                return self._on(lane, call, args, {})
        return None

    def mingle(self) -> None:
        """All processes for all calls again."""
        for lane in self._lanes:
            lane.apart = False

    def _on(self, lane: _Lane, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[Any]:
        try:
            future = lane.executor.submit(call, *args, **kwargs)
        except RuntimeError:
            # It died between two calls.
            self._replace(lane)
            future = lane.executor.submit(call, *args, **kwargs)
        lane.futures.append(future)
        self._homes[future] = lane, lane.executor
        return future

    def bury(self, future: Future[Any]) -> str:
        """A new process for the dead one that held a call, kept apart until ``mingle``; how the dead one ended."""
        lane, executor = self._homes[future]
        if lane.executor is executor:
            self._replace(lane)
        # Also where a later call has found it dead before, and replaced it.
        lane.apart = True
        return lane.end

    def _replace(self, lane: _Lane) -> None:
        lane.end = _end_of(lane.process)
        lane.executor.shutdown(wait=False)
        (lane.executor, lane.process), lane.futures = _start(), []

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, also in the middle of a call."""
        for lane in self._lanes:
            lane.executor.shutdown(kill_workers=True)  # type: ignore[call-arg]


class Here(Executor):
    """This process, one call after another."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a call now."""
        future: Future[Any] = Future()
        future.set_result(call(*args, **kwargs))
        return future


def _start() -> tuple[Executor, BaseProcess | None]:
    from loky import ProcessPoolExecutor

    executor = ProcessPoolExecutor(max_workers=1, timeout=None, env=ONE_THREAD, initializer=_begin, initargs=(os.getpid(),))
    with _uninterrupted():
        # Libraries are loaded while the caller still prepares.
        executor.submit(os.getpid)
    if os.name == "posix":
        # The process has its own ends of these pipes. While ours were open, its death in the middle of a result would
        # leave this side waiting for the other half.
        executor._result_queue._writer.close()
        executor._call_queue._reader.close()
    return executor, next(iter(executor._processes.values()), None)


def _end_of(process: BaseProcess | None) -> str:
    deadline = time.monotonic() + 5.0
    while process is not None and time.monotonic() < deadline:
        # None also while another thread is just taking note of the end.
        if (code := process.exitcode) is not None:
            names = {int(each): each.name for each in signal.Signals}
            return f"killed by {names.get(-code, f'signal {-code}')}" if code < 0 else f"exit code {code}"
        time.sleep(0.01)
    return "it is not known how"


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes started here leave Ctrl-C to this one, from their first moment."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin(parent: int) -> None:
    """In a new process: leave interruptions to the parent, end with it, and load what tasks need."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    from . import task

    assert task


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
