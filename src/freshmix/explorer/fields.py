"""What can be set on the page: each setting's kind, its least and its largest value, and how it is written in the address."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..words import explorer as words

# Atoms that are typed in one by one.
_MOST_ATOMS = 50


@dataclass(frozen=True)
class Numeric:
    """A number from ``low`` to ``high``; a slider goes over ``slides``, along logarithms where it is ``log``.

    ``whole`` numbers have no fraction; ``optional`` ones may be left out; the slider of one with ``zero`` ends in 0.
    """

    default: float | None
    low: float
    high: float
    slides: tuple[float, float] | None = None
    log: bool = False
    whole: bool = False
    optional: bool = False
    zero: bool = False

    def read(self, name: str, text: str) -> Any:
        """The number that the text stands for."""
        if self.optional and not text:
            return None
        return self.checked(name, _number(text), text)

    def checked(self, name: str, value: Any, given: Any = None) -> Any:
        """The number, once it is known to be one that will do."""
        given = value if given is None else given
        if value is None and self.optional:
            return None
        good = isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high
        if not good or (self.whole and value != int(value)):
            raise ValueError(words.out_of_range(name, self.low, self.high, self.whole, given))
        return int(value) if self.whole else float(value)

    def nearest(self, value: float, digits: int = 4) -> Any:
        """The number that will do which is nearest, with so many digits."""
        near = min(max(float(f"{value:.{digits}g}"), self.low), self.high)
        return round(near) if self.whole else near

    def write(self, value: Any) -> str:
        """As in the address."""
        return "" if value is None else _text(value)


@dataclass(frozen=True)
class Choice:
    """One of a few words, or of whole numbers that are written so; ``meant`` are the values behind them."""

    default: Any
    meant: Mapping[str, Any]

    def read(self, name: str, text: str) -> Any:
        """The value that the word stands for."""
        if text not in self.meant:
            raise ValueError(words.not_a_choice(name, list(self.meant), text))
        return self.meant[text]

    def checked(self, name: str, value: Any) -> Any:
        """The value, once it is known to be one of them."""
        if value not in self.meant.values():
            raise ValueError(words.not_a_choice(name, list(self.meant), value))
        return value

    def write(self, value: Any) -> str:
        """The word for it."""
        return next(text for text, meant in self.meant.items() if meant == value)


@dataclass(frozen=True)
class Numbers:
    """A few numbers of at least 0 with commas between them, at least one of them above 0."""

    default: tuple[float, ...]
    high: float = 1e6

    def read(self, name: str, text: str) -> tuple[float, ...]:
        """The numbers that the text stands for."""
        return self.checked(name, tuple(_number(each) for each in text.split(",")), text)

    def checked(self, name: str, values: Any, given: Any = None) -> tuple[float, ...]:
        """The numbers, once they are known to be such that will do."""
        values = tuple(values)
        good = all(isinstance(each, int | float) and 0 <= each <= self.high for each in values)
        if not good or not 0 < len(values) <= _MOST_ATOMS or max(values) == 0:
            raise ValueError(words.not_numbers(name, _MOST_ATOMS, self.high, values if given is None else given))
        return tuple(map(float, values))

    def write(self, values: tuple[float, ...]) -> str:
        """As in the address."""
        return ",".join(map(_text, values))


@dataclass(frozen=True)
class Coded:
    """Text that is read elsewhere by ``known``, which raises ValueError."""

    default: str
    known: Callable[[str], Any]

    def read(self, name: str, text: str) -> str:
        """The text, once it is known to stand for something."""
        return self.checked(name, text)

    def checked(self, name: str, text: Any) -> str:
        """The same."""
        if text:
            try:
                self.known(text)
            except ValueError:
                raise ValueError(words.not_a_table(name)) from None
        return str(text)

    def write(self, text: str) -> str:
        """As it is."""
        return text


Field = Numeric | Choice | Numbers | Coded


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _text(value: float) -> str:
    """The shortest text for a number, as a browser writes it."""
    text = repr(float(value))
    return text.removesuffix(".0")
