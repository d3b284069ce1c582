"""What a table says of a loop on fresh rows: rows per generation, labelled share, and whether labels are missing at random."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats, whole
from ..tables.times import STEP, step_name, steps_in_order

# Of a longer history the latest steps are backtested.
MOST_STEPS = 100


@dataclass(frozen=True, eq=False)
class Stream:
    """Rows in the order of time, some of them with a real label.

    ``steps`` holds the time step of each row, 0, 1, ...; None without a time column. ``asked``: the rows per generation were
    asked for, and are not those of a step. ``first_labelled``: labelled rows of the first step. ``step`` is what a step is
    called (``month``). Sentences, where there is something to say: ``order``, of an order of the steps that had to be assumed;
    ``bias``, of labels that are not missing at random.
    """

    rows: int
    labelled: int
    rows_per_generation: int
    steps: NDArray[np.intp] | None = None
    asked: bool = False
    order: str | None = None
    bias: str | None = None
    first_labelled: int | None = None
    step: str = STEP

    @classmethod
    def of(cls, y: Floats, time: Any, rows_per_generation: int | None, column: str | None = None) -> "Stream":
        """Steps from (n,) times of any kind that sorts; rows per generation are the median per step unless given.

        ``column`` is the name of the times.
        """
        steps, order, step = None, None, STEP
        if time is not None:
            times = checked_times(time, y.size)
            (steps, order), step = steps_in_order(times), step_name(times, column)
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
        asked = rows_per_generation is not None
        # Rows counted off are no longer those of a month.
        made = cls(y.size, int((~np.isnan(y)).sum()), count, steps, asked, order, step=STEP if asked else step)
        return made if steps is None else replace(made, first_labelled=int((~np.isnan(y[made.blocks()[0]])).sum()))

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
        return self.labelled / self.rows

    def first_rows(self, share: float) -> float:
        """Rows that a first model is fitted on, over those of a generation of which such a ``share`` is labelled.

        Labelled rows of the table's own first step, one at least; without steps, as many as of any other generation.
        """
        return share if self.first_labelled is None else max(self.first_labelled, 1) / self.rows_per_generation


def checked_times(time: Any, rows: int) -> NDArray[Any]:
    """(rows,) time steps as an array.

    Raises
    ------
    ValueError
        If there is not one for each row, or some are missing.
    """
    masked = int(np.ma.getmaskarray(time).sum()) if isinstance(time, np.ma.MaskedArray) else 0
    if masked:
        raise ValueError(f"time must not have gaps, got {masked} missing values")
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
