"""A table in memory made ready: rows of weight, columns that vary, and what looks suspect."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..tables.arrays import to_arrays
from ..tables.frames import aligned
from ..tables.gaps import filled
from ..words import table as words
from .features import checked_weights, scaled_features
from .kept import Order, Prepared, Rows
from .kernels import Kernel, precomputed
from .predictions import checked_predictions
from .presentation import Presentation
from .stream import Stream, checked_times
from .suspects import label_bias, table_warnings


def from_memory(
    X: Any,
    y: Any,
    time: Any,
    sample_weight: Any,
    predictions: Any,
    kernel: Kernel,
    standardize: bool,
    rows_per_generation: int | None,
    columns: tuple[str, ...] | None = None,
    notes: tuple[str, ...] = (),
    gaps: tuple[str, ...] = (),
    impute: str | None = None,
    time_name: Any = None,
) -> Prepared:
    """From arrays or data frames; ``columns``, ``notes`` and ``gaps`` are those of a file that they come from."""
    time, sample_weight = aligned(X, time, "time"), aligned(X, sample_weight, "sample_weight")
    predictions = aligned(X, predictions, "predictions")
    every, labels, names = to_arrays(X, y, columns, unlabelled=True, gaps=impute is not None)
    told = None if predictions is None else checked_predictions(predictions, labels)
    weights = checked_weights(sample_weight, labels)
    # First of all: rows without weight have no say in scales, warnings and the kind of loop.
    times = None if time is None else checked_times(time, labels.size)[weights.kept]
    real = labels[weights.kept]
    gram = kernel == "precomputed"
    raw = precomputed(every)[weights.kept][:, weights.kept] if gram else every[weights.kept]
    stream = Stream.of(real, times, rows_per_generation, time_name if isinstance(time_name, str) else None)
    missing = np.isnan(raw)
    read = np.where(missing, 0.0, raw) if missing.any() else raw
    told = None if told is None else told[weights.kept]
    marks = _marks(stream.steps, weights.precision, None if told is None else np.abs(told))
    shown = Presentation.of_table(read, real, kernel, *marks)
    steps = shown.by_row(stream.steps)
    features, own = shown.features(raw), shown.labels(real)
    if impute is not None and missing.any():
        counts = {words.named(names, i): int(count) for i, count in enumerate(missing.sum(axis=0))}
        gaps = (words.filled_in(counts, len(raw), impute),)
        # Means of the rows in their order, too.
        raw, features = (filled(each, ~np.isnan(labels), names, impute) for each, labels in ((raw, real), (features, own)))
    kept, done = names, tuple[str, ...]()
    if not gram:
        places = tuple(names[i] if names else str(i) for i in shown.columns.tolist())
        features, kept, done = scaled_features(features, places, standardize, ~np.isnan(own))
    columns = kept if names or kept is None else tuple(words.named(None, int(place)) for place in kept)
    bias = label_bias(features, own, columns)
    return Prepared(
        replace(stream, steps=steps, bias=bias),
        features.shape[1],
        kept if names else None,
        Rows(features, own, shown.by_row(weights.precision)),
        None,
        (*notes, *done, *weights.notes),
        table_warnings(raw, real, names, kernel),
        weights.uneven,
        kernel,
        gaps,
        Order(np.arange(labels.size)[weights.kept][shown.rows], False) if steps is None else Order(steps, True),
        columns or (),
        None if told is None else shown.labels(told),
        shown.sign,
    )


def _marks(steps: NDArray[np.intp] | None, precision: Floats | None, told: Floats | None) -> list[Floats]:
    """What tells rows apart beside their numbers: places in the order of values, which no rounding moves."""
    return [np.unique(each, return_inverse=True)[1].astype(np.float64) for each in (steps, precision, told) if each is not None]
