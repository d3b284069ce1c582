"""What a table leaves once it is prepared."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats, whole
from ..words.table import without_label
from .kernels import Kernel
from .stream import Stream


class Rows(NamedTuple):
    """Rows at hand: (m, p) features as scaled (or the kernel matrix), (m,) labels, NaN where there is none, up to a sign.

    ``precision`` holds that of each label, of mean 1 over the labelled rows; None where all count alike.
    """

    X: Floats
    y: Floats
    precision: Floats | None = None

    def labelled(self) -> "Rows":
        """Those with a real label."""
        real = ~np.isnan(self.y)
        return (
            self if real.all() else Rows(self.X[real], self.y[real], None if self.precision is None else self.precision[real])
        )


class Order(NamedTuple):
    """Where rows stand in the table as it was given: (m,) places, or time steps where it is ``timed``.

    Rows at hand come in an order of their own (see ``presentation``), in which nothing depends on how they were given.
    """

    place: NDArray[np.intp]
    timed: bool

    def of(self, rows: NDArray[np.intp]) -> "Order":
        """That of some of the rows."""
        return Order(self.place[rows], self.timed)


@dataclass(frozen=True, eq=False)
class Products:
    """What the labelled rows leave where they are not kept: products of their centred and scaled columns.

    ``gram`` is X'X/n and ``labels`` X'y; or, ``by_columns``, XX'/n and y itself. ``energy`` is y'y.
    """

    gram: Floats
    labels: Floats
    energy: float
    rows: int
    features: int
    by_columns: bool = False


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table made ready.

    Attributes
    ----------
    stream : Stream
        Its rows as generations: how many, how many of them labelled, in which order.
    features, names
        Number and names (if there are any) of the columns that vary; for kernels of those of X.
    rows : Rows or None
        All rows of a table in memory; of one in blocks a sample for a replay, or none.
    products : Products or None
        Where the table was read in blocks.
    notes, warnings : tuple of str
        What was done to it, and what looks suspect.
    uneven : str or None
        A warning for where theory takes rows of several sample weights as equally weighted.
    kernel : str or callable
        What the features are compared by.
    gaps : tuple of str
        What became of gaps in the features, where an answer says so first.
    order : Order or None
        Where the rows at hand stand in the table; None where that has no meaning.
    columns : tuple of str
        What the columns of the rows at hand are called, by their names or else their places in the table; empty for kernels.
    predictions : (m,) array or None
        A teacher's labels of the rows at hand, with the sign of their labels, NaN where there are none.
    sign : float
        Of the labels at hand: 1 or -1.
    """

    stream: Stream
    features: int
    names: tuple[str, ...] | None
    rows: Rows | None
    products: Products | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    uneven: str | None = None
    kernel: Kernel = "linear"
    gaps: tuple[str, ...] = ()
    order: Order | None = None
    columns: tuple[str, ...] = ()
    predictions: Floats | None = None
    sign: float = 1.0

    @property
    def stated(self) -> str:
        """What an answer says of the table beside the loop, a blank before each sentence."""
        empty = self.stream.rows - self.stream.labelled
        return "".join(f" {each}" for each in (*([without_label(empty, self.stream.rows)] if empty else []), *self.gaps))

    @property
    def partly(self) -> bool:
        """Whether some rows have no real label."""
        return self.stream.labelled < self.stream.rows

    @property
    def share(self) -> float:
        """Share of rows with a real label."""
        return self.stream.share

    def with_rows_per_generation(self, rows: int) -> "Prepared":
        """The same table in generations of that many rows."""
        count = whole("rows_per_generation", rows, low=3)
        return replace(self, stream=replace(self.stream, rows_per_generation=count, asked=True))
