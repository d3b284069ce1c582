"""From a table to a recommendation: estimate -> risk -> optimum (MATH sections 6 and 7)."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from .._checks import number, whole
from ..estimate import Estimate
from ..loop import Loop
from ..optimum import frozen as optimum
from ..optimum.frozen import Goal
from ..tables import Blocks, source_of, split_time, to_arrays
from .answer import Answer
from .checks import table_warnings
from .fresh import FreshAnswer
from .large import LargeTable, read_large
from .prepare import Kernel, checked_kernel, checked_weights, estimate_from, precomputed, scaled_features
from .result import HORIZON, Recommendation
from .stream import Stream

__all__ = ["Recommendation", "recommend"]


def recommend(
    X: Any,
    y: Any = None,
    *,
    loop: Loop | None = None,
    generations: int | float | None = None,
    kernel: Kernel = "linear",
    penalty: float | str = "auto",
    standardize: bool = True,
    time: Any = None,
    rows_per_generation: int | None = None,
    sample_weight: Any = None,
    seed: int = 0,
) -> Recommendation:
    """The real weight and the penalty that keep a loop on this table best, and what they bring.

    Parameters
    ----------
    X : (n, p) array or data frame
        Numeric features without gaps. They are centred, and scaled to unit variance if ``standardize``. Also a Dask array, what
        ``freshmix.tables.open_table`` returns, or the names of CSV or Parquet files: tables larger than memory are read in
        blocks. With ``kernel="precomputed"`` the (n, n) kernel matrix.
    y : (n,) array or series
        Real labels; NaN where a row has none. Where X names files, the name of their target column.
    loop : Loop, optional
        What is known of the loop: covariates, labels, synthetic noise ratio, today's real weight. Its aspect is filled in. By
        default, where every row has a label and no ``time`` is given, the paper's setting: the same rows relabelled in each
        generation with fresh real labels and sampled synthetic ones. Otherwise the practitioner's: new rows in each
        generation, the table's share of them labelled, synthetic labels that are plain predictions.
    generations : int or inf, optional
        Horizon T >= 1 to be best at; by default the long run for frozen covariates and 12 for fresh ones.
    kernel : str or callable
        A pairwise kernel of scikit-learn, ``precomputed``, or a function of two arrays that returns the matrix of all pairs.
    penalty : "auto" or float
        Ridge penalty lambda to use, 0 for interpolation, or "auto" to choose it with the weight.
    standardize : bool
        Whether to scale features to unit variance.
    time : (n,) array or str, optional
        Time step of each row (numbers, dates or text that sorts), or the name of a column of X that holds it. Its steps are
        the generations: they give the rows per generation, and a backtest on later rows.
    rows_per_generation : int, optional
        By default the median number of rows per time step, or all rows.
    sample_weight : (n,) array, optional
        Precision of each label, up to a common factor: a weight of 2 means half the noise variance, not two rows.
    seed : int
        Seed of the posterior draws behind estimates and intervals.

    Returns
    -------
    Recommendation

    Raises
    ------
    TypeError, ValueError
        If the data or a parameter cannot be used; the message names it.

    Notes
    -----
    Source: MATH sections 6 and 7: the smoothed plug-in from one eigendecomposition of the smaller of X'X and XX'.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 100))
    >>> y = X @ rng.standard_normal(100) / 10 + rng.standard_normal(200)
    >>> best = recommend(X, y)
    >>> best.verdict, 0.5 < best.real_weight <= 1, round(best.alpha / best.penalty)
    ('improves', True, 200)
    """
    given = None if penalty == "auto" else number("penalty", penalty, low=0.0)
    kernel = checked_kernel(kernel)
    rng = np.random.default_rng(whole("seed", seed, low=0))
    source = X if isinstance(X, LargeTable) else source_of(X, y)
    if isinstance(source, Blocks | LargeTable):
        for name, value in (("time", time), ("sample_weight", sample_weight)):
            if value is not None:
                raise ValueError(f"{name} must be left out for a table that is read in blocks")
        if kernel != "linear":
            raise ValueError(f"kernel must be linear for a table that is read in blocks, got {kernel!r}")
        large = source if isinstance(source, LargeTable) else read_large(source, standardize)
        if rows_per_generation is not None:
            large = replace(large, rows_per_generation=whole("rows_per_generation", rows_per_generation, low=3))
        rows_per_generation = large.rows_per_generation
        known = _known_loop(loop, large.partly or rows_per_generation is not None)
        horizon = _horizon(generations, known)
        found = large.estimate(given if known.covariates == "frozen" else None, rng)
        if known.covariates == "fresh":
            return large.fresh_answer(found, known, horizon, given, seed)
        _frozen_rows(large.labelled, large.rows, rows_per_generation is not None)
        answer = _frozen(found, known, horizon, given, "linear", large.features, large.notes)
        return replace(answer, warnings=(*answer.warnings, *large.warnings))
    notes: tuple[str, ...] = ()
    columns = None
    if source is not None:
        time = source.time if time is None else time
        sample_weight = source.weight if sample_weight is None else sample_weight
        X, y, columns, notes = source.X, source.y, source.features, source.notes
    X, time = split_time(X, time)
    features, labels, names = to_arrays(X, y, columns, unlabelled=True)
    weights = checked_weights(sample_weight, labels)
    known = _known_loop(loop, bool(np.isnan(labels).any()) or time is not None or rows_per_generation is not None)
    horizon = _horizon(generations, known)
    warnings = table_warnings(features, labels, names, kernel)
    if kernel == "precomputed":
        prepared = precomputed(features)
    else:
        prepared, names, done = scaled_features(features, names, standardize)
        notes = (*notes, *done)
    if weights is not None:
        kept = weights.kept
        prepared = prepared[np.ix_(kept, kept)] if kernel == "precomputed" else prepared[kept]
        labels, time, notes = labels[kept], time if time is None else np.asarray(time)[kept], (*notes, *weights.notes)
    precision = None if weights is None else weights.precision
    if known.covariates == "frozen":
        _frozen_rows(int((~np.isnan(labels)).sum()), labels.size, time is not None or rows_per_generation is not None)
        found = estimate_from(prepared, labels, kernel, given, rng, precision)
        answer = _frozen(found, known, horizon, given, kernel, prepared.shape[1], notes)
    else:
        if kernel != "linear":
            raise ValueError(f"kernel must be linear for fresh covariates, got {kernel!r}")
        stream = Stream.of(labels, time, rows_per_generation)
        real = stream.labelled
        # At the threshold of a generation, not of the table.
        found = estimate_from(prepared[real], labels[real], kernel, None, rng, precision)
        answer = FreshAnswer(found, known, stream, prepared, labels, names, horizon, given, seed, notes).recommendation()
    return replace(answer, warnings=(*answer.warnings, *warnings))


def _frozen_rows(labelled: int, rows: int, stepped: bool) -> None:
    """Refuse what frozen covariates cannot mean: time steps, and rows without a real label."""
    if stepped:
        raise ValueError("time and rows_per_generation need a loop with covariates='fresh': frozen rows are the same each time")
    if labelled < rows:
        raise ValueError(
            f"loop must have covariates='fresh' where rows have no real label, got none in {rows - labelled} of {rows} rows: "
            "frozen covariates with only some rows labelled have no closed form (freshmix.simulate runs them)"
        )


def _frozen(
    found: Estimate,
    known: Loop,
    horizon: int | None,
    given: float | None,
    kernel: Kernel,
    features: int,
    notes: tuple[str, ...],
) -> Recommendation:
    notes = (*notes, *_horizon_notes(known, horizon))
    if known.synthetic_noise_ratio == 0 and horizon is None and known.labels == "fresh":
        horizon = HORIZON
    goal = Goal(found.equivalents(), known.synthetic_noise_ratio, known.labels, horizon)
    best = optimum.best_loop(goal) if given is None else optimum.best_weight(goal, given)
    name = kernel if isinstance(kernel, str) else "callable"
    return Answer(found, known, goal, best, given, name, features, notes).recommendation()


def _known_loop(loop: Loop | None, stream: bool) -> Loop:
    if loop is None:
        return Loop(covariates="fresh", synthetic_noise_ratio=0.0) if stream else Loop()
    if not isinstance(loop, Loop):
        raise TypeError(f"loop must be a Loop, got {type(loop).__name__}")
    if loop.schedule is not None:
        raise ValueError("loop must have one real_weight or groups, or neither: schedules are not supported here yet")
    if loop.covariates == "frozen" and loop.groups is not None and loop.real_weight is None:
        raise ValueError("loop must have one real_weight or none with frozen covariates: groups need covariates='fresh'")
    if loop.aspect is not None:
        raise ValueError(f"loop must leave aspect out, since the table gives it, got {loop.aspect!r}")
    return loop


def _horizon(generations: int | float | None, loop: Loop) -> int | None:
    """T, or None for the long run: asked for by inf, and the default of frozen covariates."""
    if generations is None:
        return HORIZON if loop.covariates == "fresh" else None
    if isinstance(generations, float) and math.isinf(generations) and generations > 0:
        return None
    return whole("generations", generations, low=1)


def _horizon_notes(loop: Loop, horizon: int | None) -> tuple[str, ...]:
    if loop.synthetic_noise_ratio == 0 and horizon is None and loop.labels == "fresh":
        return (
            "synthetic labels without noise: in the long run the risk keeps falling as the real weight tends to 0, so that no "
            f"best weight exists; the weight is best for generation {HORIZON} instead",
        )
    return ()
