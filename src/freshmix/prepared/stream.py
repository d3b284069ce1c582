"""What a table says of a loop on fresh rows: rows per generation, labelled share, and whether labels are missing at random."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from ..arguments import Floats, whole
from ..tables.times import steps_in_order

LABEL_BIAS_LEVEL = 1e-3
# Of a longer history the latest steps are backtested.
MOST_STEPS = 100


@dataclass(frozen=True, eq=False)
class Stream:
    """Rows in the order of time, some of them with a real label.

    ``steps`` holds the time step of each row, 0, 1, ...; None without a time column. ``asked``: the rows per generation were
    asked for, and are not those of a step. ``order``: a sentence where the order of the steps had to be assumed.
    """

    labelled: NDArray[np.bool_]
    steps: NDArray[np.intp] | None
    rows_per_generation: int
    asked: bool = field(default=False, kw_only=True)
    order: str | None = field(default=None, kw_only=True)

    @classmethod
    def of(cls, y: Floats, time: Any, rows_per_generation: int | None) -> "Stream":
        """Steps from (n,) times of any kind that sorts; rows per generation are the median per step unless given."""
        steps = order = None
        if time is not None:
            steps, order = steps_in_order(checked_times(time, y.size))
        if rows_per_generation is not None:
            count = whole("rows_per_generation", rows_per_generation, low=3)
        elif steps is not None:
            count = int(np.median(np.bincount(steps)))
            if count < 3:
                raise ValueError(
                    f"time must have at least 3 rows per step in the median, got {count}: name a coarser column, or give "
                    "rows_per_generation"
                )
        else:
            count = int(y.size)
        return cls(~np.isnan(y), steps, count, asked=rows_per_generation is not None, order=order)

    def blocks(self) -> list[NDArray[np.intp]]:
        """Rows of each generation in the order of time, the latest ``MOST_STEPS``: steps, or as many rows as were asked for."""
        assert self.steps is not None
        order = np.argsort(self.steps, kind="stable")
        if self.asked:
            count = max(1, order.size // self.rows_per_generation)
            found = np.split(order[-count * self.rows_per_generation :], count)
        else:
            found = np.split(order, np.cumsum(np.bincount(self.steps))[:-1])
        return found[-MOST_STEPS:]

    @property
    def share(self) -> float:
        """Share of rows with a real label."""
        return float(self.labelled.mean())

    def label_bias(self, X: Floats, names: tuple[str, ...] | None) -> str | None:
        """A sentence where labelled and other rows differ in the mean or spread of some column more than chance explains."""
        few = min(self.labelled.sum(), (~self.labelled).sum())
        if few < 10:
            return None
        p = X.shape[1]
        X = np.hstack([X, np.abs(X - X.mean(axis=0))])
        one, two = X[self.labelled], X[~self.labelled]
        spread = np.sqrt(one.var(axis=0, ddof=1) / len(one) + two.var(axis=0, ddof=1) / len(two))
        gap = one.mean(axis=0) - two.mean(axis=0)
        z = np.abs(np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0))
        worst = int(np.argmax(z))
        if z[worst] <= student.isf(LABEL_BIAS_LEVEL / (2 * z.size), few - 1):
            return None
        name = ("" if worst < p else "the spread of ") + (names[worst % p] if names else f"column {worst % p}")
        size = abs(gap[worst]) / X[:, worst].std()
        return (
            f"labels are not missing at random: {name} differs by {size:.2g} standard deviations between labelled and other "
            f"rows (z = {z[worst]:.1f}), and the theory assumes that they are alike"
        )


def checked_times(time: Any, rows: int) -> NDArray[Any]:
    """(rows,) time steps as an array.

    Raises
    ------
    ValueError
        If there is not one for each row, or some are missing.
    """
    times = np.asarray(time.to_numpy() if hasattr(time, "to_numpy") else time)
    if times.ndim != 1 or times.size != rows:
        raise ValueError(f"time must hold one value for each of the {rows} rows, got shape {times.shape}")
    gaps = np.isnan(times) if times.dtype.kind in "fc" else np.isnat(times) if times.dtype.kind in "mM" else np.False_
    if times.dtype == object:
        # None, and NaN or NaT among objects, which differ from themselves.
        gaps = np.array([each is None or each != each for each in times])
    if gaps.any():
        raise ValueError(f"time must not have gaps, got {int(gaps.sum())} missing values")
    return times
