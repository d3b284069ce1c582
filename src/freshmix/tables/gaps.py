"""What becomes of missing features and labels: refused, left out with their rows, or filled in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats, flag
from ..words.table import listed_gaps, named, some

if TYPE_CHECKING:
    from .blocks import Blocks, Column

HOW = ("mean", "median")
ADVICE = "fill them (impute='mean'), or leave such rows out (drop_missing=True)"


@dataclass(frozen=True)
class Gaps:
    """``drop_missing`` leaves out rows with missing features, ``impute`` fills them, ``drop_unlabelled`` leaves out others.

    Raises
    ------
    ValueError
        If ``impute`` is neither None, mean nor median, or rows are to be left out and filled.
    """

    drop_missing: bool = False
    impute: str | None = None
    drop_unlabelled: bool = False

    def __post_init__(self) -> None:
        checked_impute(self.impute)
        flag("drop_missing", self.drop_missing)
        flag("drop_unlabelled", self.drop_unlabelled)
        if self.drop_missing and self.impute is not None:
            raise ValueError("rows with missing features are left out (drop_missing=True) or filled (impute=), not both")


def checked_impute(how: str | None) -> str | None:
    """The way to fill gaps, if it is one."""
    if how is not None and how not in HOW:
        raise ValueError(f"impute must be {' or '.join(HOW)}, got {how!r}")
    return how


def filled(X: Floats, labelled: NDArray[np.bool_], names: Sequence[str] | None, how: str) -> Floats:
    """(n, p) X with its gaps filled by scikit-learn's ``SimpleImputer``, fitted to the rows that are ``labelled``.

    Raises
    ------
    ValueError
        If a column holds nothing on those rows, or infinite values.
    """
    from sklearn.impute import SimpleImputer

    infinite = np.isinf(X).sum(axis=0)
    if infinite.any():
        counts = {named(names, i): int(count) for i, count in enumerate(infinite)}
        raise ValueError(f"X must be finite, got infinite values in {listed_gaps(counts, len(X))}")
    there = (~np.isnan(X[labelled])).sum(axis=0)
    refuse_empty(there == 0, names)
    return np.asarray(SimpleImputer(strategy=how).fit(X[labelled]).transform(X))


def refuse_empty(empty: NDArray[np.bool_], names: Sequence[str] | None) -> None:
    """ValueError that names columns without a value to fill them by."""
    if empty.any():
        listed = some(named(names, i) for i in np.flatnonzero(empty).tolist())
        raise ValueError(f"gaps must have something to be filled by, but columns are empty on all labelled rows: {listed}")


@dataclass(frozen=True, eq=False)
class Fill:
    """(p,) means of the cells that are there on labelled rows, how often a cell is missing, and the number of rows."""

    mean: Floats
    known: Floats
    missing: Floats
    rows: int

    @classmethod
    def of(cls, source: "Blocks") -> "Fill":
        """From one pass over blocks.

        Raises
        ------
        ValueError
            If a column holds nothing on labelled rows.
        """
        found = source.fold(cls._block, cls.merge)
        refuse_empty((found.known == 0) & (found.missing > 0), source.names)
        return found

    @classmethod
    def _block(cls, columns: "Sequence[Column]", y: "Column") -> "Fill":
        real = ~np.isnan(y)
        there = [column[real & ~np.isnan(column)] for column in columns]
        mean = np.array([column.mean(dtype=np.float64) if column.size else 0.0 for column in there])
        known = np.array([column.size for column in there], dtype=np.float64)
        return cls(mean, known, np.array([np.isnan(column).sum() for column in columns], dtype=np.float64), len(y))

    def merge(self, other: "Fill") -> "Fill":
        """That of both sets of rows."""
        known = self.known + other.known
        part = np.divide(other.known, known, out=np.zeros_like(known), where=known > 0)
        mean = self.mean + part * (other.mean - self.mean)
        return Fill(mean, known, self.missing + other.missing, self.rows + other.rows)

    def into(self, columns: "Sequence[Column]") -> "list[Column]":
        """Columns of a block without gaps."""
        filled = (np.where(np.isnan(column), mean, column) for column, mean in zip(columns, self.mean, strict=True))
        return [new if gaps else column for new, gaps, column in zip(filled, self.missing > 0, columns, strict=True)]
