"""A bar on stderr: how far work in many pieces is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(pieces: str, total: int, before: int = 0, *, transient: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Yields what is told how many pieces are done, those done before among them, and how many have failed."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    rate, failures = TextColumn("{task.fields[rate]}"), TextColumn("{task.fields[failures]}")
    columns = (pieces, BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn(), failures)
    with Progress(*columns, console=Console(stderr=True), transient=transient) as shown:
        task = shown.add_task("", total=total, completed=before, rate="", failures="")
        start = time.monotonic()

        def tell(done: int, failed: int) -> None:
            rate = f"{(done - before) / max(time.monotonic() - start, 1e-9):.3g}/s"
            shown.update(task, completed=done, rate=rate, failures=f"{failed} failed" if failed else "")

        yield tell
