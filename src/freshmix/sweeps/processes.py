"""Worker processes that fail one by one: when one dies, only the call that it ran fails, and another takes its place."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any

from ..threads import ONE_THREAD
from .worker import receive, send

# One call runs and two wait, so that no process is idle while results travel or are written.
_DEPTH = 3
# The process imports nothing of the script that starts it.
_COMMAND = """
import pickle, sys
sys.path[:] = pickle.loads(pickle.load(sys.stdin.buffer))
from freshmix.sweeps.worker import serve
serve()
"""


class WorkerDied(BrokenExecutor):
    """The process that ran a call is dead; the message says how it ended."""


class Processes(Executor):
    """Processes with one BLAS thread each; when one dies, the call that it ran fails, and another takes its place.

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
        # Calls that a sweep has under way.
        self.at_once = _DEPTH * count
        self._lanes = [_Lane() for _ in range(count)]

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a call on the process that has least to do."""
        return min(self._lanes, key=_Lane.waiting).submit(pickle.dumps((call, args, kwargs)))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, also in the middle of a call."""
        for lane in self._lanes:
            lane.end()


class Here(Executor):
    """This process, one call after another."""

    at_once = 1

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a call now."""
        future: Future[Any] = Future()
        future.set_result(call(*args, **kwargs))
        return future


class _Lane:
    """One process after another, and the calls that it has not answered: the first of them runs, the others wait."""

    def __init__(self) -> None:
        self._calls: deque[tuple[Future[Any], bytes]] = deque()
        # Of the calls and the process: both change hands when one dies.
        self._lock = threading.RLock()
        self._ended = False
        self._start()

    def waiting(self) -> int:
        """Calls that are not done."""
        return len(self._calls)

    def submit(self, call: bytes) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            if self._ended:
                raise RuntimeError("the processes have been shut down")
            self._calls.append((future, call))
            if self.process is None:
                self._start()
            else:
                self._send(call)
        return future

    def end(self) -> None:
        with self._lock:
            self._ended = True
            if self.process is not None:
                self.process.kill()
        self._thread.join()

    def _start(self) -> None:
        """A new process, and the calls that the one before left."""
        # Ctrl-C on a terminal is for the process group in front: workers leave it to the process that started them.
        if sys.platform == "win32":
            apart: Any = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        else:
            apart = dict[str, Any](process_group=0)
        self.process: subprocess.Popen[bytes] | None = subprocess.Popen(
            [sys.executable, "-c", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD},
            **apart,
        )
        self._thread = threading.Thread(target=self._receive, args=(self.process,), daemon=True)
        self._thread.start()
        for message in (pickle.dumps(sys.path), *(call for _, call in self._calls)):
            self._send(message)

    def _send(self, message: bytes) -> None:
        assert self.process is not None
        # To a dead process: ``_bury`` sends it to the next one.
        with contextlib.suppress(OSError, ValueError):
            send(self.process.stdin, message)

    def _receive(self, process: subprocess.Popen[bytes]) -> None:
        """Hand on results until the process ends, perhaps in the middle of one."""
        while True:
            try:
                message = receive(process.stdout)
            except (EOFError, OSError, pickle.UnpicklingError):
                break
            try:
                good, value = pickle.loads(message)
            except Exception as error:
                good, value = False, error
            future, _ = self._calls.popleft()
            (future.set_result if good else future.set_exception)(value)
        self._bury(process)

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        """The call that a dead process ran has failed; a new process takes the others."""
        end = _end_of(process)
        with self._lock:
            self.process = None
            lost = [self._calls.popleft() for _ in (list(self._calls) if self._ended else list(self._calls)[:1])]
            if self._calls:
                self._start()
        for future, _ in lost:
            future.set_exception(WorkerDied(end))


def _end_of(process: subprocess.Popen[bytes]) -> str:
    for stream in (process.stdin, process.stdout):
        # What was on its way to it is lost.
        with contextlib.suppress(OSError):
            assert stream is not None
            stream.close()
    try:
        code = process.wait(timeout=5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        return "it is not known how"
    names = {int(each): each.name for each in signal.Signals}
    return f"killed by {names.get(-code, f'signal {-code}')}" if code < 0 else f"exit code {code}"
