"""Calls in a process of their own, with a bound on time and memory: whatever a stranger's file does, the page goes on."""

import atexit
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from typing import Any

from ..processes import Processes
from ..words import uploading as words

# Seconds of the processor for one call, and those that pass until it is given up, on a machine that is busy with others.
MOST_SECONDS = 60
_PATIENCE = 300
# Bytes of memory beyond those of the libraries.
MOST_MEMORY = 3 * 1024**3
# Calls that wait for the one that runs: fewer than a server has threads, so that other questions are answered meanwhile.
MOST_WAITING = 3


class Apart:
    """One call at a time, each in a process that ends with it: nothing of what it was given stays in memory.

    The next process loads its libraries ahead, once there has been a first call.

    Parameters
    ----------
    libraries : str
        Module that a process loads before its call.
    seconds : int
        Of the processor, for one call.
    memory : int
        Bytes for one call.
    waiting : int
        Calls that may wait; more are refused.

    Examples
    --------
    >>> apart = Apart("freshmix.words.uploading")
    >>> apart.call(divmod, 7, 2)
    (3, 1)
    >>> apart.close()
    """

    def __init__(
        self, libraries: str, seconds: int = MOST_SECONDS, memory: int = MOST_MEMORY, waiting: int = MOST_WAITING
    ) -> None:
        self._libraries, self._bounds = libraries, (seconds, memory)
        self._places = threading.BoundedSemaphore(1 + waiting)
        self._turn = threading.Lock()
        self._spare: Processes | None = None
        atexit.register(self.close)

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """What the function returns or raises.

        Raises
        ------
        ValueError
            If it takes too long or needs too much memory, or if too many calls wait.
        """
        seconds = self._bounds[0]
        with self._place():
            process = self._spare or Processes(1, self._libraries)
            self._spare = None
            try:
                return process.submit(_bounded, *self._bounds, function, args).result(_PATIENCE)
            except TimeoutError:
                raise ValueError(words.too_long(seconds)) from None
            except BrokenExecutor as end:
                raise ValueError(words.too_long(seconds) if "SIGXCPU" in str(end) else words.TOO_MUCH) from None
            except MemoryError:
                raise ValueError(words.TOO_MUCH) from None
            finally:
                process.shutdown()
                self._spare = Processes(1, self._libraries)

    def close(self) -> None:
        """End the process that waits for the next call."""
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.shutdown()

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise ValueError(words.BUSY)
        try:
            with self._turn:
                yield
        finally:
            self._places.release()


def _bounded(seconds: int, memory: int, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Runs in the process: what goes beyond its bounds ends with it."""
    _bound(seconds, memory)
    try:
        return function(*args)
    except Exception:
        raise
    except BaseException:
        # A panic of a library in Rust is no Exception.
        raise ValueError(words.UNREADABLE) from None


def _bound(seconds: int, memory: int) -> None:
    if sys.platform != "linux":
        return
    import os
    import resource

    # Others on the machine go first.
    os.nice(5)
    with open("/proc/self/statm") as file:
        loaded = int(file.read().split()[0]) * resource.getpagesize()
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    for bound, most in ((resource.RLIMIT_AS, loaded + memory), (resource.RLIMIT_CPU, int(used) + seconds)):
        hard = resource.getrlimit(bound)[1]
        resource.setrlimit(bound, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    # No file that a process leaves when it is ended.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
