"""Time steps in their order: numbers, dates and months by value, also where they come as text; other text is refused."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..words.table import MONTHS_AS_NUMBERS, assumed_order, same_times, without_year
from .marks import MISSING

# Years, quarters, months and weeks of fixed width sort as text: 2025, 2025-07, 2025Q3, 2025-W09.
_SORTS = re.compile(r"\d{4}(-?(Q[1-4]|W\d{2})|-\d{2})?")
_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_COUNTED = re.compile(r"([^\d]*?)\s*(\d+)")
# Months or versions rather than numbers: 2024.1 and 2024.10.
_DOTTED = re.compile(r"(\d+)\.(\d+)")
_YEAR_MONTH = re.compile(r"(19|20)\d\d\.(0?[1-9]|1[0-2])")


def steps_in_order(times: NDArray[Any]) -> tuple[NDArray[np.intp], str | None]:
    """The step 0, 1, ... of each of (n,) times, and a warning where their order or number had to be assumed.

    Text that is all numbers is ordered as numbers, but 2024.1 and 2024.10 are two steps, the first and the tenth of 2024; ISO
    dates (and days such as 31.12.2025 or 12/31/2025 where only one reading fits) as dates; months (Jan 2022), quarters and
    words with a number (week 9) by what they count.

    Raises
    ------
    TypeError
        If the times cannot be sorted.
    ValueError
        If text is none of these, or stands for a missing time.

    Examples
    --------
    >>> steps_in_order(np.array(["10", "9", "10"]))
    (array([1, 0, 1]), None)
    >>> steps_in_order(np.array(["Jan 2023", "Feb 2022"]))[0]
    array([1, 0])
    >>> steps_in_order(np.array(["2024.10", "2024.1", "2024.9"]))[0]
    array([2, 0, 1])
    """
    try:
        values, index = np.unique(times, return_inverse=True)
    except TypeError:
        raise TypeError("time must hold values that can be sorted: numbers, dates or text, not a mixture") from None
    index = index.astype(np.intp)
    if not all(isinstance(value, str) for value in values.tolist()):
        return index, _looks_like_months(values)
    words = [str(value).strip() for value in values.tolist()]
    gaps = np.flatnonzero([word in MISSING for word in words])
    if gaps.size:
        raise ValueError(f"time must not have gaps, got {int(np.isin(index, gaps).sum())} missing values ({words[gaps[0]]!r})")
    keys, how = _keys(words)
    order = np.unique(_objects(keys), return_inverse=True)[1].astype(np.intp)
    if how is None and _no_year(keys) and (back := _goes_back(order[index])) is not None:
        return order[index], without_year(*(words[int(np.flatnonzero(order == step)[0])] for step in (*back, 0)))
    if how is None:
        same = len({*words}) - len({*order.tolist()})
        return order[index], same_times(words, order.tolist()) if same and _each(_number, words) is not None else None
    first, last = (words[int(place)] for place in (np.argmin(order), np.argmax(order)))
    return order[index], assumed_order(how, first, last)


def _objects(keys: list[Any]) -> NDArray[Any]:
    """One object each, tuples too."""
    made = np.empty(len(keys), dtype=object)
    made[:] = keys
    return made


def _no_year(keys: list[Any]) -> bool:
    return all(isinstance(key, tuple) and len(key) == 1 for key in keys)


def _goes_back(steps: NDArray[np.intp]) -> tuple[int, int] | None:
    """From and to which step the rows first go back, where they rise else; rows in no order go back as often as not."""
    runs = steps[np.flatnonzero(np.diff(steps, prepend=-1))]
    backs = np.flatnonzero(np.diff(runs) < 0)
    return (int(runs[backs[0]]), int(runs[backs[0] + 1])) if 0 < backs.size < runs.size / 4 else None


def _looks_like_months(values: NDArray[Any]) -> str | None:
    """A warning where numbers may have been months: 2024.1 is then January and October at once."""
    if values.dtype.kind != "f":
        return None
    words = [f"{value:.10g}" for value in values.tolist()]
    if not all(_YEAR_MONTH.fullmatch(word) for word in words if "." in word) or not any(
        word.endswith((".11", ".12")) for word in words
    ):
        return None
    return MONTHS_AS_NUMBERS


def _keys(words: list[str]) -> tuple[list[Any], str | None]:
    """What each text is sorted by, and how it is read where that is a guess."""
    if len({len(word) for word in words}) == 1 and all(_SORTS.fullmatch(word) for word in words):
        return list(words), None
    numbers = _each(_number, words)
    if numbers is not None:
        dotted = [match for word in words if (match := _DOTTED.fullmatch(word))]
        months = all(_YEAR_MONTH.fullmatch(word) for word in words) and len({len(word) for word in words}) > 1
        if len(dotted) == len(words) and (months or len({*numbers}) < len({*words})):
            pairs = [(int(match[1]), int(match[2]), len(match[2])) for match in dotted]
            return pairs, "as a number before and a number after the point, such as year and month"
        return numbers, None
    for read in (_iso, _month, _quarter):
        keys = _each(read, words)
        if (
            keys is not None
            and len({type(key) for key in keys}) == 1
            and len({len(k) if isinstance(k, tuple) else 0 for k in keys}) == 1
        ):
            return keys, None
    readings = [keys for keys in (_each(_day_first, words), _each(_month_first, words)) if keys is not None]
    if readings:
        # Both fit where no day is above 12.
        return readings[0], None if len(readings) == 1 else "the day first"
    if all(len(word) == 1 for word in words):
        return list(words), "by the alphabet"
    counted = [_COUNTED.fullmatch(word) for word in words]
    if all(counted) and len({match[1].lower() for match in counted if match}) == 1:
        return [int(match[2]) for match in counted if match], "by the number that ends them"
    odd = (
        next(word for word in words if not (_COUNTED.fullmatch(word) or _each(_month, [word])))
        if not all(counted)
        else words[0]
    )
    raise ValueError(
        f"time must hold numbers, dates, months or words with one number, got text such as {odd!r}, whose order is not known: "
        "write numbers or ISO dates"
    )


def _month(word: str) -> tuple[int, ...]:
    """(year, month), or the month alone, of Jan 2022, 2022 January, Jan-22, January."""
    parts = [part for part in re.split(r"[\s./,'-]+", word.lower()) if part]
    names = [place % 12 for place, name in enumerate((*_MONTHS, *_LONG)) for part in parts if part == name]
    years = [part for part in parts if re.fullmatch(r"\d{4}|\d{2}", part)]
    if not names or len(parts) != 1 + len(years) or len(years) > 1:
        raise ValueError(word)
    year = [int(each) if len(each) == 4 else 2000 + int(each) for each in years]
    return (*year, names[0])


def _quarter(word: str) -> tuple[int, ...]:
    """(year, quarter or half) of Q1 2024, 2024 Q1, 2024H2, or the quarter alone."""
    match = re.fullmatch(r"(?:(\d{4})[\s/-]*)?([QH])([1-4])(?:[\s/-]*(\d{4}))?", word.upper())
    if match is None or (match[1] and match[4]):
        raise ValueError(word)
    return (*(int(year) for year in (match[1], match[4]) if year), int(match[3]))


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


# What a step is called, and how many days apart dates of such steps are.
STEPS = {"day": (1, 1), "week": (7, 7), "month": (28, 31), "quarter": (89, 92), "year": (365, 366)}
STEP = "step"
_SHAPES = {
    "month": re.compile(r"\d{4}-?(0[1-9]|1[0-2])|(19|20)\d\d\.(0?[1-9]|1[0-2])"),
    "quarter": re.compile(r"\d{4}-?Q[1-4]"),
    "week": re.compile(r"\d{4}-?W\d{2}"),
    "year": re.compile(r"(19|20)\d\d"),
}


def step_name(times: NDArray[Any], column: str | None = None) -> str:
    """What one time step is called: ``day``, ``week``, ``month``, ``quarter`` or ``year``, or ``step`` where nothing shows it.

    Dates and months show it by how far apart they are, words with a number by the word, and else the ``column`` by its name.

    Examples
    --------
    >>> step_name(np.array(["2024-01", "2024-02"])), step_name(np.array(["week 9", "week 10"]))
    ('month', 'week')
    >>> step_name(np.array([1, 2, 3]), "month_number"), step_name(np.array([1, 2, 3]))
    ('month', 'step')
    """
    values = np.unique(times)
    if values.dtype.kind == "M":
        return _spaced(values.astype("datetime64[D]")) or _called(column)
    words = [str(value).strip() for value in values.tolist()]
    for name, shape in _SHAPES.items():
        if values.dtype.kind not in "iu" and all(shape.fullmatch(word) for word in words):
            return name
    if _each(_month, words) is not None:
        return "month"
    if _each(_quarter, words) is not None:
        return "quarter"
    dates = None if _each(_number, words) is not None else _dates(words)
    if dates is not None:
        return _spaced(dates) or _called(column)
    counted = _called(words[0]) if all(_COUNTED.fullmatch(word) for word in words) else STEP
    return _called(column) if counted == STEP else counted


def _dates(words: list[str]) -> NDArray[Any] | None:
    """The days of texts that are all dates, in their order."""
    for read in (_iso, _day_first, _month_first):
        found = _each(read, words)
        if found is not None:
            return np.unique(np.array([date.replace(tzinfo=None) for date in found], dtype="datetime64[D]"))
    return None


def _spaced(days: NDArray[Any]) -> str | None:
    """The name of steps whose dates stand so far apart, in the median."""
    apart = float(np.median(np.diff(days).astype(int))) if days.size > 1 else 0.0
    return next((name for name, (low, high) in STEPS.items() if low <= apart <= high), None)


def _called(text: str | None) -> str:
    """The name that a text holds."""
    return next((name for name in STEPS if name in (text or "").lower()), STEP)
