"""A table in memory made ready: rows of weight, columns that vary, and what looks suspect."""

from typing import Any

import numpy as np

from ..tables.arrays import aligned, split_time, to_arrays
from ..tables.gaps import filled
from ..words.table import filled_in, named
from .features import checked_weights, scaled_features
from .kept import Prepared, Rows
from .kernels import Kernel, precomputed
from .stream import Stream, checked_times
from .suspects import label_bias, table_warnings


def from_memory(
    X: Any,
    y: Any,
    time: Any,
    sample_weight: Any,
    kernel: Kernel,
    standardize: bool,
    rows_per_generation: int | None,
    columns: tuple[str, ...] | None = None,
    notes: tuple[str, ...] = (),
    gaps: tuple[str, ...] = (),
    impute: str | None = None,
) -> Prepared:
    """From arrays or data frames; ``columns``, ``notes`` and ``gaps`` are those of a file that they come from."""
    X, time = split_time(X, time)
    time, sample_weight = aligned(X, time, "time"), aligned(X, sample_weight, "sample_weight")
    every, labels, names = to_arrays(X, y, columns, unlabelled=True, gaps=impute is not None)
    weights = checked_weights(sample_weight, labels)
    # First of all: rows without weight have no say in scales, warnings and the kind of loop.
    times = None if time is None else checked_times(time, labels.size)[weights.kept]
    real = labels[weights.kept]
    gram = kernel == "precomputed"
    if gram and impute is not None:
        raise ValueError("impute must be left out for a precomputed kernel, which has no gaps")
    raw = precomputed(every)[weights.kept][:, weights.kept] if gram else every[weights.kept]
    if impute is not None and (missing := np.isnan(raw).sum(axis=0)).any():
        gaps = (filled_in({named(names, i): int(count) for i, count in enumerate(missing)}, len(raw), impute),)
        raw = filled(raw, ~np.isnan(real), names, impute)
    features, kept, done = (raw, names, ()) if gram else scaled_features(raw, names, standardize, ~np.isnan(real))
    return Prepared(
        Stream.of(real, times, rows_per_generation, label_bias(features, real, kept)),
        features.shape[1],
        kept,
        Rows(features, real, weights.precision),
        None,
        (*notes, *done, *weights.notes),
        table_warnings(raw, real, names, kernel),
        weights.uneven,
        kernel,
        gaps,
    )
