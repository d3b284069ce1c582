"""Which items of a sweep run next, and what becomes of those that fail."""

from collections import Counter, deque
from collections.abc import Iterable

from ..processes import WorkerDied

# Seconds of work that are sent to a worker at once.
BATCH = 0.15
ATTEMPTS = 3


class Queue:
    """Items in batches of about ``BATCH`` seconds for ``at_once`` calls; those of a batch that failed run again, each alone."""

    def __init__(self, items: Iterable[int], at_once: int) -> None:
        self._items, self._alone = deque(items), deque[int]()
        self._at_once = at_once
        self._deaths: Counter[int] = Counter()
        self._seconds = BATCH

    def __bool__(self) -> bool:
        return bool(self._items or self._alone)

    def take(self) -> list[int]:
        """The items of one call."""
        if self._alone:
            return [self._alone.popleft()]
        share = -(-len(self._items) // (4 * self._at_once))
        size = max(1, min(round(BATCH / self._seconds), share, 1024))
        return [self._items.popleft() for _ in range(min(size, len(self._items)))]

    def timed(self, seconds: float) -> None:
        """Take note of how long an item took."""
        self._seconds = max(1e-5, 0.8 * self._seconds + 0.2 * seconds)

    def put_back(self, items: list[int]) -> None:
        """Items that a call did not come to are the next ones."""
        self._items.extendleft(reversed(items))

    def failed(self, items: list[int], error: Exception) -> str:
        """Why an item has failed for good; nothing where items run again. Only one that was alone in its call is to blame."""
        died = isinstance(error, WorkerDied)
        if len(items) == 1:
            self._deaths[items[0]] += died
            if not died:
                return f"{type(error).__name__}: {' '.join(str(error).split())}"
            if self._deaths[items[0]] == ATTEMPTS:
                return f"its worker died {ATTEMPTS} times in a row: {error}"
        self._alone.extend(items)
        return ""
