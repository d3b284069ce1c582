"""Checks of one number or one array: the message names the parameter, what was expected and what came."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
# The horizon shown, and used where the long run has no best weight.
HORIZON = 12
# Seconds of work generation by generation; what comes later is the long run.
MOST_IN_A_ROW = 100_000
# Beyond it a recommendation takes minutes and gigabytes, and is that of the long run or of no use.
MOST_GENERATIONS = 500
# Processes on one machine.
MOST_WORKERS = 1024
# Divided by shares of rows it stays below what a loop takes.
MOST_PENALTY = 1e90


def number(name: str, value: Any, *, low: float = -math.inf, high: float = math.inf, above: float = -math.inf) -> float:
    """A finite float with ``low <= value <= high`` and ``value > above``."""
    expected = "a finite number"
    if above > -math.inf:
        expected = f"a number above {above:g}" + (f" and at most {high:g}" if high < math.inf else "")
    elif low > -math.inf and high < math.inf:
        expected = f"a number between {low:g} and {high:g}"
    elif low > -math.inf:
        expected = f"a number of at least {low:g}"
    # bool is an int in Python; a weight of True is a mistake, not a one.
    unfit = isinstance(value, (bool, np.bool_, str, bytes, complex)) or getattr(value, "dtype", None) == np.bool_
    if unfit or np.asarray(value, dtype=object).ndim:
        raise TypeError(f"{name} must be {expected}, got {value!r}")
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name} must be {expected}, got {_short(value)}") from None
    if not math.isfinite(result) or not low <= result <= high or not result > above:
        raise ValueError(f"{name} must be {expected}, got {result!r}")
    return result


def whole(name: str, value: Any, *, low: int, more: str = "") -> int:
    """An integer of at least ``low``; ``more`` is what else may stand there."""
    expected = f"{name} must be a whole number of at least {low}{more}, got {_short(value)}"
    try:
        result = number(name, value, low=low)
    except (TypeError, ValueError) as problem:
        raise type(problem)(expected) from None
    if result != int(result):
        raise ValueError(expected)
    return int(result)


def horizon(generations: Any, default: int | None) -> int | None:
    """A number of generations that can be computed in reasonable time; None for inf, the long run."""
    if generations is None:
        return default
    if isinstance(generations, float) and generations == math.inf:
        return None
    count = whole("generations", generations, low=1, more=" or inf")
    if count > MOST_GENERATIONS:
        raise ValueError(f"generations must be at most {MOST_GENERATIONS}, or inf for the long run, got {count}")
    return count


def generations_in_a_row(generations: Any) -> int:
    """A number of generations that can be computed one after another."""
    count = whole("generations", generations, low=0)
    if count > MOST_IN_A_ROW:
        raise ValueError(f"generations must be at most {MOST_IN_A_ROW}; fm.limit gives the long run; got {count}")
    return count


def process_count(workers: Any, *, low: int) -> int:
    """A number of processes that one machine can run."""
    count = whole("workers", workers, low=low)
    if count > MOST_WORKERS:
        raise ValueError(f"workers must be at most {MOST_WORKERS} processes, got {count}")
    return count


def number_or_auto(name: str, value: Any, *, low: float, high: float = math.inf) -> float | None:
    """A finite float with ``low <= value <= high``, or None for the word auto."""
    if isinstance(value, str) and value == "auto":
        return None
    try:
        return number(name, value, low=low, high=high)
    except (TypeError, ValueError) as problem:
        raise type(problem)(str(problem).replace("must be ", "must be auto or ", 1)) from None


def flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {_short(value)}")
    return bool(value)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence.

    >>> listed(["rows", "shares", "signal"])
    'rows, shares and signal'
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def choice(name: str, value: Any, options: Iterable[str]) -> str:
    """One of a few words."""
    words = list(options)
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{name} must be one of {', '.join(words)}, got {_short(value)}")
    return str(value)


def vector(name: str, value: ArrayLike, *, low: float = -math.inf) -> Floats:
    """A read-only, finite, non-empty one-dimensional copy with no entry under ``low``."""
    try:
        # Text and truth values convert, but are mistakes.
        numeric = isinstance(value, str) or np.asarray(value).dtype.kind in "iufO"
        mixed = isinstance(value, (list, tuple)) and any(isinstance(each, (bool, str)) for each in value)
        result = np.array(value if numeric and not mixed else None, dtype=np.float64)
        if not numeric or mixed:
            raise TypeError
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a one-dimensional array of numbers, got {_short(value)}") from None
    if result.ndim != 1 or result.size == 0:
        raise ValueError(f"{name} must be a one-dimensional array of at least one number, got shape {result.shape}")
    bad = ~np.isfinite(result) | (result < low)
    if bad.any():
        least = f" of at least {low:g}" if low > -math.inf else ""
        first = int(np.argmax(bad))
        raise ValueError(f"{name} must hold finite numbers{least}, got {float(result[first])!r} at position {first}")
    result.setflags(write=False)
    return result


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
