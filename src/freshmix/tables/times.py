"""Time steps in their order: numbers and dates by value, also where they come as text; other text by the alphabet, and said."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..words.table import assumed_order

# Years, quarters, months and weeks of fixed width sort as text: 2025, 2025-07, 2025Q3, 2025-W09.
_SORTS = re.compile(r"\d{4}(-?(Q[1-4]|W\d{2})|-\d{2})?")
_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


def steps_in_order(times: NDArray[Any]) -> tuple[NDArray[np.intp], str | None]:
    """The step 0, 1, ... of each of (n,) times, and a warning where their order had to be assumed.

    Text that is all numbers is ordered as numbers, ISO dates (and days such as 31.12.2025 or 12/31/2025 where only one reading
    fits) as dates, any other text by the alphabet.

    Raises
    ------
    TypeError
        If the times cannot be sorted.

    Examples
    --------
    >>> steps_in_order(np.array(["10", "9", "10"]))
    (array([1, 0, 1]), None)
    >>> steps_in_order(np.array(["Jan", "Feb"]))[0]
    array([1, 0])
    """
    try:
        values, index = np.unique(times, return_inverse=True)
    except TypeError:
        raise TypeError("time must hold values that can be sorted: numbers, dates or text, not a mixture") from None
    index = index.astype(np.intp)
    if not all(isinstance(value, str) for value in values.tolist()):
        return index, None
    words = [str(value).strip() for value in values.tolist()]
    keys, how = _keys(words)
    order = np.unique(np.array(keys, dtype=object), return_inverse=True)[1].astype(np.intp)
    if how is None:
        return order[index], None
    first, last = (words[int(place)] for place in (np.argmin(order), np.argmax(order)))
    return order[index], assumed_order(how, first, last)


def _keys(words: list[str]) -> tuple[list[Any], str | None]:
    """What each text is sorted by, and how it is read where that is a guess."""
    if len({len(word) for word in words}) == 1 and all(_SORTS.fullmatch(word) for word in words):
        return list(words), None
    for read in (_number, _iso):
        keys = _each(read, words)
        if keys is not None:
            return keys, None
    readings = [keys for keys in (_each(_day_first, words), _each(_month_first, words)) if keys is not None]
    if readings:
        # Both fit where no day is above 12.
        return readings[0], None if len(readings) == 1 else "the day first"
    return list(words), "as text, by the alphabet"


def _each(read: Callable[[str], Any], words: list[str]) -> list[Any] | None:
    try:
        return [read(word) for word in words]
    except ValueError:
        return None


def _number(word: str) -> int | float:
    try:
        return int(word)
    except ValueError:
        value = float(word)
    if not np.isfinite(value):
        raise ValueError(word)
    return value


def _iso(word: str) -> datetime:
    found = datetime.fromisoformat(word)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _day_first(word: str, day: int = 1, month: int = 2) -> datetime:
    match = _DAY.fullmatch(word)
    if match is None:
        raise ValueError(word)
    return datetime(int(match[3]), int(match[month]), int(match[day]), tzinfo=UTC)


def _month_first(word: str) -> datetime:
    return _day_first(word, day=2, month=1)
