"""What runs in a worker process: calls come on its standard input, their results go to its standard output."""

import os
import pickle
import queue
import signal
import sys
import threading
from importlib import import_module
from typing import IO

# Each message is a pickle of bytes: a call that cannot be unpickled leaves the stream whole.
Calls = queue.SimpleQueue[bytes]


def send(stream: IO[bytes] | None, message: bytes) -> None:
    """Write one message."""
    assert stream is not None
    pickle.dump(message, stream)
    stream.flush()


def receive(stream: IO[bytes] | None) -> bytes:
    """Read one message; raises EOFError or pickle.UnpicklingError where the other side ends before it does."""
    assert stream is not None
    found: bytes = pickle.load(stream)
    return found


def serve(libraries: str) -> None:
    """Run calls one after another until the process that sends them ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What calls print must not come between results.
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    calls: Calls = queue.SimpleQueue()
    threading.Thread(target=_read, args=(calls,), daemon=True).start()
    # While the caller still prepares.
    import_module(libraries)
    while True:
        message = calls.get()
        try:
            call, args, kwargs = pickle.loads(message)
            outcome = True, call(*args, **kwargs)
        except Exception as error:
            outcome = False, error
        try:
            answer = pickle.dumps(outcome)
        except Exception as error:
            answer = pickle.dumps((False, RuntimeError(f"what came of a call cannot be sent: {error}")))
        try:
            send(results, answer)
        except OSError:
            os._exit(1)


def _read(calls: Calls) -> None:
    """Take calls in while one runs, and end with the process that sends them, also in the middle of a call."""
    while True:
        try:
            calls.put(receive(sys.stdin.buffer))
        except (EOFError, OSError, pickle.UnpicklingError):
            os._exit(1)
