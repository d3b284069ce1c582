"""A teacher's labels beside the real ones, as they are used."""

from typing import Any

import numpy as np

from ..arguments import Floats
from ..tables.arrays import LARGEST, is_constant, to_vector

# Fewer rows with both labels say nothing of a teacher.
FEWEST_BOTH = 10
# Correlations that differ from 1 by less are 1.
_SAME = 1e-9


def checked_predictions(predictions: Any, y: Floats) -> Floats:
    """(n,) numbers, NaN where the teacher says nothing.

    Raises
    ------
    TypeError, ValueError
        If they are no numbers, not one for each row, or infinite; if fewer than 10 rows have both labels, or the predictions
        there do not vary or are the very labels.
    """
    plain = np.ma.filled(predictions, np.nan) if isinstance(predictions, np.ma.MaskedArray) else to_vector(predictions)
    try:
        found = np.array(plain, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError("predictions must hold a number for each row, or NaN where there is none, got others") from None
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.shape != y.shape:
        raise ValueError(f"predictions must hold one number for each of the {y.size} rows, got shape {found.shape}")
    known = found[~np.isnan(found)]
    if not np.isfinite(known).all() or (known.size and np.abs(known).max() > LARGEST):
        raise ValueError(f"predictions must be numbers of at most {LARGEST:g} in size, or NaN, got {np.abs(known).max():g}")
    both = ~np.isnan(found) & ~np.isnan(y)
    if both.sum() < FEWEST_BOTH:
        raise ValueError(
            f"predictions must be there for at least {FEWEST_BOTH} rows with a real label, got {both.sum()} of "
            f"{(~np.isnan(y)).sum()}: what the teacher is worth shows on rows that have both labels"
        )
    if is_constant(found[both]):
        raise ValueError(f"predictions must vary, got {found[both][0]:g} in all {both.sum()} rows with a real label")
    if abs(np.corrcoef(found[both], y[both])[0, 1]) > 1 - _SAME:
        raise ValueError(
            f"predictions must not be the real labels, got a linear function of them in all {both.sum()} rows that have both: "
            "the teacher has seen them. Leave empty its predictions of rows that it was fitted on"
        )
    return found
