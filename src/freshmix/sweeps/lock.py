"""One process at a time on a store: a lock file with its owner and a heartbeat."""

import contextlib
import json
import math
import os
import secrets
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

_BEAT = 5.0
# A process on another host that has not shown itself for so long (seconds) is taken for dead.
STALE = 120.0
NAME = ".lock"


class Lock:
    """Holds a folder until released, or until this process dies.

    On one host the kernel's lock on the file decides, which no dead process holds; for an owner on another host, whose lock
    the file system may not show, the time of its last heartbeat does.

    Raises
    ------
    BlockingIOError
        If another process holds the folder.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / NAME
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            owner = _owner(self._path)
            free = _lock_file(self._file)
            age = time.time() - os.stat(self._path).st_mtime
            if owner and (_alive(owner, age) if free is None else not free or (_elsewhere(owner) and self._beats_on(age))):
                raise BlockingIOError(_refusal(root, owner, age))
            if free is False:
                raise BlockingIOError(f"{root} is in use by another process that has just started")
            self._token = secrets.token_hex(8)
            content = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time(), "token": self._token}
            _write(self._file, json.dumps(content).encode())
        except BaseException:
            os.close(self._file)
            raise
        self._stop = threading.Event()
        self._beat = threading.Thread(target=self._beats, daemon=True)
        self._beat.start()

    def _beats_on(self, age: float) -> bool:
        """Whether a process elsewhere still shows itself. Where its clock is far ahead, only the next heartbeat tells."""
        if age > -STALE:
            return age < STALE
        before = os.stat(self._path).st_mtime
        time.sleep(2.5 * _BEAT)
        return os.stat(self._path).st_mtime != before

    def _beats(self) -> None:
        while not self._stop.wait(_BEAT):
            # A disk that is away for a moment must not end the heartbeat.
            with contextlib.suppress(OSError):
                os.utime(self._path)

    def check(self) -> None:
        """Raise BlockingIOError if another process has taken the store, believing this one dead."""
        owner = _owner(self._path)
        if owner.get("token") != self._token:
            raise BlockingIOError(f"{self._path.parent} was taken over by another process while this one stood still")

    def release(self) -> None:
        """Let go; the empty file stays, for a removed one could be locked twice."""
        self._stop.set()
        self._beat.join()
        if _owner(self._path).get("token") == self._token:
            _write(self._file, b"")
        os.close(self._file)


def owner_of(root: Path) -> str | None:
    """Who holds a store, in words; None for nobody."""
    path = root / NAME
    owner = _owner(path)
    if not owner:
        return None
    age = time.time() - path.stat().st_mtime
    if not _alive(owner, age):
        return None
    return _in_words(owner)


def _owner(path: Path) -> dict[str, Any]:
    """The owner's process, host, beginning and token; nothing where they cannot be read."""
    try:
        found = json.loads(path.read_bytes())
        pid, since = int(found["pid"]), float(found["since"])
        known = 0 < pid < 2**31 and math.isfinite(since)
        return {"pid": pid, "since": since, "host": str(found["host"]), "token": str(found["token"])} if known else {}
    except (OSError, ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return {}


def _lock_file(file: int) -> bool | None:
    """Whether this process holds the file's lock now; None where the system has no such locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _elsewhere(owner: dict[str, Any]) -> bool:
    return bool(owner["host"] != socket.gethostname())


def _alive(owner: dict[str, Any], age: float) -> bool:
    if _elsewhere(owner) or sys.platform == "win32":
        return abs(age) < STALE
    try:
        os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _refusal(root: Path, owner: dict[str, Any], age: float) -> str:
    hint = "wait for it or stop it"
    if _elsewhere(owner):
        hint += f", or wait until it has been silent for {STALE:g} s"
    heard = f"last heard of {age:.0f} s ago" if age > -1 else f"its clock {-age:.0f} s ahead of the one here"
    return f"{root} is in use by {_in_words(owner)}, {heard}: {hint}"


def _in_words(owner: dict[str, Any]) -> str:
    minutes = max(time.time() - owner["since"], 0) / 60
    return f"process {owner['pid']} on {owner['host']} for {minutes:.1f} min"


def _write(file: int, content: bytes) -> None:
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    os.write(file, content)
    os.fsync(file)
