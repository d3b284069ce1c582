"""Laws of independent numbers: entries of rows, and label noise."""

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import Floats, number, vector

LEAST_DEGREES = 4.0


@dataclass(frozen=True)
class Entries:
    """The law of independent numbers of mean 0 and variance 1: the entries z of a row, or label noise over sigma.

    ``name`` is gaussian, rademacher, uniform, t (with ``degrees`` of freedom) or pool (standardised numbers to resample).
    """

    name: str
    degrees: float = math.inf
    pool: Floats | None = None

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Independent standardised numbers."""
        if self.name == "gaussian":
            return rng.standard_normal(shape)
        if self.name == "rademacher":
            return np.asarray(2.0 * rng.integers(0, 2, shape, dtype=np.int8) - 1.0)
        if self.name == "uniform":
            return np.asarray(rng.uniform(-math.sqrt(3), math.sqrt(3), shape))
        if self.pool is not None:
            return np.asarray(rng.choice(self.pool, shape))
        return np.asarray(rng.standard_t(self.degrees, shape) * math.sqrt((self.degrees - 2) / self.degrees))

    def __str__(self) -> str:
        return f"t{self.degrees:g}" if self.name == "t" else self.name


def entries_of(value: "str | ArrayLike | Entries", parameter: str = "entries") -> Entries:
    """Entries from their name (gaussian, rademacher, uniform, t5, t12.5 ...) or from numbers to resample.

    Raises
    ------
    TypeError, ValueError
        If the name is unknown, t has 4 degrees of freedom or fewer (fourth moments are needed), or the numbers to resample
        are all the same.

    Examples
    --------
    >>> str(entries_of("t6")), entries_of([1.0, 3.0]).pool.tolist()
    ('t6', [-1.0, 1.0])
    """
    if isinstance(value, Entries):
        return value
    if not isinstance(value, str):
        pool = vector(parameter, value)
        if pool.std() == 0:
            raise ValueError(f"{parameter} to resample must not all be the same, got {float(pool[0])!r} only")
        return Entries("pool", pool=(pool - pool.mean()) / pool.std())
    if value in ("gaussian", "rademacher", "uniform"):
        return Entries(value)
    match = re.fullmatch(r"t(\d+(?:\.\d+)?)", value)
    if match is None:
        raise ValueError(
            f"{parameter} must be gaussian, rademacher, uniform, t5 (any degrees above 4) or numbers, got {value!r}"
        )
    return Entries("t", number(f"the degrees of freedom of {parameter}", float(match[1]), above=LEAST_DEGREES))
