"""How far a sweep is: a bar on a terminal, otherwise a line each minute."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .run import Report

_LOG = 60.0


@contextmanager
def progress(total: int, before: int, shown: bool | None) -> Iterator[Report]:
    """Reports committed and failed tasks on stderr; ``shown`` is by default a bar on a terminal and lines elsewhere."""
    if shown is False:
        yield lambda committed, failed: None
    elif shown or sys.stderr.isatty():
        with _bar(total, before) as report:
            yield report
    else:
        yield _lines(total, before)


@contextmanager
def _bar(total: int, before: int) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        "tasks",
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failures]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total, completed=before, rate="", failures="")
        start = time.monotonic()

        def report(committed: int, failed: dict[int, str]) -> None:
            rate = f"{committed / max(time.monotonic() - start, 1e-9):.3g}/s"
            bar.update(task, completed=before + committed, rate=rate, failures=f"{len(failed)} failed" if failed else "")

        yield report


def _lines(total: int, before: int) -> Report:
    start = last = time.monotonic()

    def report(committed: int, failed: dict[int, str]) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _LOG:
            return
        last = now
        print(f"freshmix: {in_words(total, before, committed, now - start, len(failed))}", file=sys.stderr, flush=True)

    return report


def in_words(total: int, before: int, committed: int, seconds: float, failed: int) -> str:
    """How far it is, in one line.

    Examples
    --------
    >>> in_words(1000, 100, 300, 60.0, 1)
    '400 of 1,000 tasks, 5/s, 2.0 min left, 1 failed'
    """
    rate = committed / max(seconds, 1e-9)
    left = f"{duration((total - before - committed - failed) / rate)} left" if rate else "time left unknown"
    return f"{before + committed:,} of {total:,} tasks, {rate:.3g}/s, {left}" + (f", {failed} failed" if failed else "")


def duration(seconds: float) -> str:
    """A length of time in its own unit.

    Examples
    --------
    >>> duration(45), duration(7200)
    ('45 s', '2.0 h')
    """
    if seconds < 100:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
