"""How far a sweep is: a bar on a terminal, otherwise a line soon and each minute."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..simulation.progress import Patient, bar
from ..words import sweep as words
from .run import Report

# Seconds to the first line, and between lines.
_FIRST, _LOG = 5.0, 60.0


@contextmanager
def progress(total: int, before: int, shown: bool | None) -> Iterator[Report]:
    """Reports committed and failed tasks on stderr; ``shown`` is by default a bar on a terminal and lines elsewhere."""
    if shown is False:
        yield lambda committed, failed: None
    elif shown or sys.stderr.isatty():
        with bar("tasks", total, before) as tell:
            yield lambda committed, failed: tell(before + committed, len(failed))
    else:
        yield _lines(total, before)


def _lines(total: int, before: int) -> Report:
    start = time.monotonic()
    due = start + _FIRST

    def report(committed: int, failed: dict[int, str]) -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due:
            due = now + _LOG
            said = words.progress(total, before, committed, now - start, len(failed))
            print(f"freshmix: {said}", file=Patient(sys.stderr), flush=True)

    return report
