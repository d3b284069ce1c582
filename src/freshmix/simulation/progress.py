"""A bar on stderr: how far work in many pieces is."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast


class Patient:
    """A stream whose reader may go away, a terminal for one: what is told then is lost, and the work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write if that can be done."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush if that can be done."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def bar(pieces: str, total: int, before: int = 0, *, transient: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Yields what is told how many pieces are done, those done before among them, and how many have failed."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    rate, failures = TextColumn("{task.fields[rate]}"), TextColumn("{task.fields[failures]}")
    columns = (pieces, BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn(), failures)
    with Progress(*columns, console=Console(file=cast(TextIO, Patient(sys.stderr))), transient=transient) as shown:
        task = shown.add_task("", total=total, completed=before, rate="", failures="")
        start = time.monotonic()

        def tell(done: int, failed: int) -> None:
            rate = f"{(done - before) / max(time.monotonic() - start, 1e-9):.3g}/s"
            shown.update(task, completed=done, rate=rate, failures=f"{failed} failed" if failed else "")

        yield tell
