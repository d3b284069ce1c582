"""A table that is handed to the page: from its bytes to a recommendation and the state that it means.

The browser holds the file, and sends it with each request that needs it. Here it is bytes in memory alone, read and worked on
in a process of its own that ends with the answer.
"""

import base64
import binascii
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ..loop import Loop
from ..population import Population
from ..recommendation import Recommendation, recommend
from ..tables import Held
from ..words import code
from ..words import uploading as words
from ..words.layout import Answer
from ..words.signs import visible
from .apart import Apart
from .state import FIELDS, State

MOST_BYTES = 10_000_000
MOST_UNPACKED = 50_000_000
MOST_COLUMNS = 2_000
MOST_CELLS = 1_000_000
_LONGEST_NAME = 80
LIMITS = words.limits(MOST_BYTES, MOST_UNPACKED, MOST_COLUMNS, MOST_CELLS)
# Names that columns of times tend to have, in small letters.
_TIMES = ("time", "date", "datetime", "timestamp", "day", "week", "month", "quarter", "year", "period")
# What a person does to mend these is said in the message.
REFUSALS = (ValueError, TypeError, ArithmeticError, OSError)


@dataclass(frozen=True)
class Asked:
    """What is asked of a table.

    ``gaps`` is a key of ``words.uploading.HOW``; the rest as in ``freshmix.recommend``.
    """

    target: str
    time: str | None = None
    drop: tuple[str, ...] = ()
    gaps: str = "refuse"
    may_keep: str = "rows"

    def reading(self) -> dict[str, Any]:
        """How the table is read, for ``Held.read``, of what is not at its default."""
        impute = self.gaps if self.gaps in ("mean", "median") else None
        found = {"time": self.time, "drop": self.drop, "drop_missing": self.gaps == "drop", "impute": impute}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True)
class Recommended:
    """What comes of a table: everything that the page shows, and nothing of its rows.

    Attributes
    ----------
    said : blocks of words/layout.py
        The recommendation with its intervals, checks, warnings and notes.
    result : dict
        The same by the keys of docs/keys.md.
    population, loop : Population, Loop
        The estimate, and the recommended loop.
    generations : int
        The horizon of the ways to remember.
    lines : str
        The call that gives the same in Python.
    """

    said: Answer
    result: dict[str, Any] = field(repr=False)
    population: Population
    loop: Loop
    generations: int
    lines: str

    @classmethod
    def of(cls, found: Recommendation, lines: str = "") -> "Recommended":
        """What there is of a recommendation."""
        assert found.population is not None
        horizon = len(found.risk_by_generation["recommended"]) - 1
        # The estimate's draws stay behind.
        return cls(found.answer(), found.to_dict(), found.population.replace(), found.loop, horizon, lines)


def received(name: Any, contents: Any) -> Held:
    """The file that a browser sent: its name, and ``data:TYPE;base64,BYTES``.

    Raises
    ------
    ValueError
        If there is none, it came incomplete, or it is larger than ``MOST_BYTES``.

    Examples
    --------
    >>> received("folder/t.csv", "data:text/csv;base64,YSxiCjEsMgo=").columns()
    ('a', 'b')
    """
    if not isinstance(name, str) or not isinstance(contents, str) or not contents:
        raise ValueError(words.NOTHING)
    base = short(re.split(r"[/\\]", name)[-1])
    packed = contents[contents.find(",") + 1 :]
    size = 3 * len(packed) / 4
    if size > MOST_BYTES + 4:
        raise ValueError(words.too_large(base, size, MOST_BYTES))
    try:
        content = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(words.NOT_SENT) from None
    return Held(base, content, MOST_UNPACKED)


def short(name: str) -> str:
    """A name that can be shown, with its end, which says what kind of file it is."""
    text = visible(name)
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 23]}...{text[-20:]}"


def columns_of(file: Held) -> tuple[str, ...]:
    """Names of the columns of a file.

    Raises ValueError if it cannot be read or has too many, in one sentence.
    """
    names: tuple[str, ...] = _apart().call(_columns_of, file)
    return names


def likely(columns: Sequence[str]) -> tuple[str | None, str | None]:
    """The columns that the menus start with: the last one for the target, and one of times where a name says so.

    >>> likely(["Month", "size", "price"])
    ('price', 'Month')
    """
    times = [name for name in columns if name.strip().lower() in _TIMES]
    target = next((name for name in reversed(columns) if name not in times), None)
    return target, (times[0] if len(times) == 1 else None)


def recommended(file: Held, asked: Asked) -> Recommended:
    """The recommendation for a table.

    Raises
    ------
    ValueError
        If the table cannot be used, is too large or takes too long; one sentence that says what to do.
    """
    found: Recommended = _apart().call(_recommended, file, asked)
    return found


def set_to(state: State, found: Recommended) -> tuple[State, list[str]]:
    """The state with the population and the loop of a table, and a sentence for each setting that has no room for its value."""
    loop = found.loop
    groups = loop.groups or ()
    labelled = [group for group in groups if group.labelled]
    others = [group for group in groups if not group.labelled]
    values: dict[str, Any] = {
        "covariates": loop.covariates,
        "aspect": loop.aspect,
        "penalty": loop.penalty,
        "real_weight": labelled[0].real_weight if labelled else 1.0,
        "synthetic_noise_ratio": loop.synthetic_noise_ratio,
        "anchor": 0.0,
        "kept_generations": 0,
        "generations": found.generations,
    }
    if loop.covariates == "fresh":
        values |= {"labelled": sum(group.share for group in labelled) if others else 1.0, "first_rows": loop.first_rows}
        values |= {"row_weight": others[0].row_weight} if others else {}
    else:
        values["label_renewal"] = 1.0 if loop.label_renewal is None else loop.label_renewal
    said = []
    for name, value in values.items():
        low, high = getattr(FIELDS[name], "low", None), getattr(FIELDS[name], "high", None)
        if not isinstance(value, float) or low is None or high is None:
            continue
        # As many digits as an address has room for.
        rounded = float(f"{value:.4g}")
        values[name] = min(max(rounded, low), high)
        if values[name] != rounded:
            said.append(words.beyond(name.replace("_", " "), f"{rounded:g}", f"{values[name]:g}"))
    drift = float(f"{found.population.persistence:.4g}")
    return state.of_population(found.population).replace(**values, persistence=drift), said


@cache
def _apart() -> Apart:
    return Apart("freshmix.explorer.uploaded")


def _columns_of(file: Held) -> tuple[str, ...]:
    """Runs apart."""
    with _in_sentences():
        return _checked_columns(file)


def _checked_columns(file: Held) -> tuple[str, ...]:
    names = file.columns()
    if len(names) > MOST_COLUMNS:
        raise ValueError(words.too_many_columns(file.name, len(names), MOST_COLUMNS))
    return names


def _recommended(file: Held, asked: Asked) -> Recommended:
    """Runs apart."""
    with _in_sentences():
        _checked_columns(file)
        table = file.read(asked.target, **asked.reading())
        rows, features = table.X.shape
        if rows * features > MOST_CELLS:
            raise ValueError(words.too_many_cells(file.name, rows, features, MOST_CELLS))
        with warnings.catch_warnings():
            # What a person should know is in the answer.
            warnings.simplefilter("ignore")
            found = recommend(table, may_keep=asked.may_keep)
            kept = {} if asked.may_keep == "rows" else {"may_keep": asked.may_keep}
            return Recommended.of(found, code.call({"X": file.name, "y": asked.target, **asked.reading(), **kept}))


@contextmanager
def _in_sentences() -> Iterator[None]:
    """Refusals in the words of the page."""
    try:
        yield
    except REFUSALS as problem:
        said = problem.strerror if isinstance(problem, OSError) else None
        raise ValueError(words.refusal(said or str(problem) or type(problem).__name__)) from None
