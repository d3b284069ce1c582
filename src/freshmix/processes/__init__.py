"""Worker processes that fail one by one: when one dies, only the call that it ran fails, and another takes its place.

They are reached through pipes alone: nothing is left of them anywhere, however they and this process end.
"""

import atexit
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

import cloudpickle

from ..threads import ONE_THREAD
from .worker import receive, send

# Of a process's calls one runs and one waits, so that it is not idle while results travel.
_DEPTH = 2
# The process imports nothing of the script that starts it.
_COMMAND = """
import pickle, sys
path, libraries = pickle.loads(pickle.load(sys.stdin.buffer))
sys.path[:] = path
from freshmix.processes.worker import serve
serve(libraries)
"""


class WorkerDied(BrokenExecutor):
    """The process that ran a call is dead; the message says how it ended."""


class Processes(Executor):
    """Processes with one BLAS thread each; when one dies, the call that it ran fails, and another takes its place.

    Parameters
    ----------
    count : int
        Number of processes.
    libraries : str
        Module that they load before the first call.

    Raises
    ------
    OSError
        If no process can be started.

    Examples
    --------
    >>> with Processes(1) as processes:
    ...     processes.submit(divmod, 7, 2).result()
    (3, 1)
    """

    def __init__(self, count: int, libraries: str = "freshmix") -> None:
        # Calls that a sweep has under way: enough that no process waits for results to be written.
        self.at_once = 3 * count
        self.owner, self.ended = os.getpid(), False
        self._backlog: deque[tuple[Future[Any], Any]] = deque()
        # Of all calls and processes: both change hands when a process dies.
        self._lock = threading.RLock()
        self._lanes: list[_Lane] = []
        try:
            for _ in range(count):
                self._lanes.append(_Lane(self._lock, self._feed, libraries))
        except BaseException:
            self.shutdown()
            raise

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a call on the process that is free first."""
        future: Future[Any] = Future()
        with self._lock:
            if self.ended:
                raise RuntimeError("the processes have been shut down")
            self._backlog.append((future, (call, args, kwargs)))
        self._feed()
        return future

    def _feed(self) -> None:
        """Send calls to processes that have little to do; those that are not sent can be cancelled."""
        with self._lock:
            while self._backlog and not self.ended:
                lane = min(self._lanes, key=_Lane.waiting)
                if lane.waiting() >= _DEPTH:
                    return
                future, call = self._backlog.popleft()
                if future.set_running_or_notify_cancel():
                    try:
                        message = cloudpickle.dumps(call)
                        lane.take(future, message)
                    except Exception as error:
                        future.set_exception(error)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, also in the middle of a call."""
        with self._lock:
            self.ended = True
            while self._backlog:
                self._backlog.popleft()[0].cancel()
        for lane in self._lanes:
            lane.end()


_shared: Processes | None = None


def shared(count: int, libraries: str) -> Processes:
    """Processes that later calls use again: they load their libraries once."""
    global _shared
    # A process that was forked off has pipes of the same ones, but not the right to them.
    if _shared is None or _shared.ended or _shared.owner != os.getpid() or _shared.at_once != 3 * count:
        if _shared is not None and _shared.owner == os.getpid():
            _shared.shutdown()
        _shared = Processes(count, libraries)
        atexit.register(_shared.shutdown)
    return _shared


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

    def __init__(self, lock: threading.RLock, free: Callable[[], None], libraries: str) -> None:
        self._calls: deque[tuple[Future[Any], bytes]] = deque()
        self._lock, self._free, self._libraries = lock, free, libraries
        self._ended = False
        self._start()

    def waiting(self) -> int:
        """Calls that are not done."""
        return len(self._calls)

    def take(self, future: Future[Any], call: bytes) -> None:
        """Run a call after the others; raises OSError where no process can be started."""
        if self.process is None:
            self._start()
        self._calls.append((future, call))
        self._send(call)

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
        self.process: subprocess.Popen[bytes] | None = None
        self.process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD},
            **apart,
        )
        self._thread = threading.Thread(target=self._receive, args=(self.process,), daemon=True)
        self._thread.start()
        for message in (pickle.dumps((sys.path, self._libraries)), *(call for _, call in self._calls)):
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
            with self._lock:
                future, _ = self._calls.popleft()
            self._free()
            (future.set_result if good else future.set_exception)(value)
        self._bury(process)

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        """The call that a dead process ran has failed; a new process takes the others."""
        end = _end_of(process)
        error: Exception = WorkerDied(end)
        with self._lock:
            self.process = None
            lost = [self._calls.popleft() for _ in (list(self._calls) if self._ended else list(self._calls)[:1])]
            if self._calls:
                try:
                    self._start()
                except OSError as problem:
                    error = problem
                    lost += self._calls
                    self._calls.clear()
        for future, _ in lost:
            future.set_exception(error)
        self._free()


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
