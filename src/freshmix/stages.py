"""What a long computation is at, told to whoever listens: nobody, unless the command line does on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_LISTENER: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


def at(stage: str) -> None:
    """Say what begins."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(stage)


@contextmanager
def told_to(listener: Callable[[str], None]) -> Iterator[None]:
    """Have stages told to this function.

    Examples
    --------
    >>> with told_to(print):
    ...     at("reading")
    reading
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)
