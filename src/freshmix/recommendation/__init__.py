"""From a table to a recommendation: estimate -> risk -> optimum (mathematics.md sections 6 and 7)."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..arguments import Floats, whole
from ..estimation import Estimate
from ..loop import Loop
from ..optima import frozen as optimum
from ..optima.frozen import Goal
from ..prepared.features import Kernel, checked_weights, estimate_from, precomputed, scaled_features
from ..prepared.large import LargeStream, LargeTable, read_large
from ..prepared.stream import Stream, checked_times
from ..prepared.suspects import table_warnings
from ..tables import Blocks, source_of, split_time, to_arrays
from ..threads import on_one_blas_thread
from ..words.doubts import no_best_weight
from .answer import Answer
from .fresh import FreshAnswer
from .request import FRESH, Request, frozen_rows
from .result import HORIZON, Recommendation

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
    labelled: float | None = None,
    schedule: bool = False,
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
        What is known of the loop: covariates, labels, synthetic noise ratio, today's real weight, or today's groups of rows
        (their shares then hold in place of the table's). Its aspect is filled in. By default, where every row has a label
        and no ``time``, ``rows_per_generation`` or ``labelled`` is given, the paper's setting: the same rows relabelled in
        each generation with fresh real labels and sampled synthetic ones. Otherwise the practitioner's: new rows in each
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
    labelled : float, optional
        Share of a generation's rows that get a real label; by default the table's.
    schedule : bool
        Whether to recommend a schedule of real weights w_1 ... w_T for the horizon T (12 by default) instead of a constant
        one; of the labelled rows, where only a share of them has a real label.
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
    Source: mathematics.md sections 6 and 7: the smoothed plug-in from one eigendecomposition of the smaller of X'X and XX'.

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
    request = Request.of(
        loop,
        generations,
        kernel,
        penalty,
        standardize,
        rows_per_generation,
        labelled,
        schedule,
        seed,
        time=time is not None,
        sample_weight=sample_weight is not None,
    )
    source = X if isinstance(X, LargeTable) else source_of(X, y)
    if not isinstance(source, Blocks | LargeTable):
        if source is not None:
            time = source.time if time is None else time
            sample_weight = source.weight if sample_weight is None else sample_weight
            return _in_memory(source.X, source.y, time, sample_weight, request, source.features, source.notes)
        return _in_memory(X, y, time, sample_weight, request)
    for name, value in (("time", time), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(f"{name} must be left out for a table that is read in blocks")
    if request.kernel != "linear":
        raise ValueError(f"kernel must be linear for a table that is read in blocks, got {kernel!r}")
    return _in_blocks(source if isinstance(source, LargeTable) else read_large(source, standardize), request)


def _in_blocks(large: LargeTable, request: Request) -> Recommendation:
    """From the moments of a table whose rows have passed."""
    if request.rows_per_generation is not None:
        large = replace(large, rows_per_generation=request.rows_per_generation)
    sized = [] if large.rows_per_generation is None else ["rows_per_generation"]
    asked = [*sized, *(name for name in FRESH if name in request.options and name not in sized)]
    known = request.known(large.partly, asked)
    rng = np.random.default_rng(request.seed)
    if known.covariates == "fresh":
        found = large.estimate(None, rng)
        return _fresh_in_blocks(large, found, known, request)
    frozen_rows(large.labelled, large.rows, asked)
    found = large.estimate(request.penalty, rng)
    kept = None if large.sample is None else (*large.sample, None)
    answer = _frozen(found, known, request, large.features, large.notes, kept)
    return replace(answer, warnings=(*answer.warnings, *large.warnings), options=request.options)


def _fresh_in_blocks(large: LargeTable, found: Estimate, known: Loop, request: Request) -> Recommendation:
    """New rows in each generation; no rows are left for a backtest."""
    count = large.rows if large.rows_per_generation is None else whole("rows_per_generation", large.rows_per_generation, low=3)
    stream = LargeStream(np.broadcast_to(np.True_, (large.labelled,)), None, count, large)
    notes = (*large.notes, "no backtest: the rows of a table that is read in blocks are not kept")
    if large.partly:
        notes = (*notes, "labelled and other rows were compared by the means of their columns, not by their spreads")
    answer = FreshAnswer(
        found,
        known,
        stream,
        np.empty((0, large.features)),
        np.broadcast_to(np.nan, (large.rows,)),
        large.names,
        request.horizon(known),
        request.penalty,
        request.seed,
        notes,
        share=request.labelled,
        scheduled=request.schedule,
        sample=large.sample,
    ).recommendation()
    return replace(answer, warnings=(*answer.warnings, *large.warnings), options=request.options)


def _in_memory(
    X: Any,
    y: Any,
    time: Any,
    sample_weight: Any,
    request: Request,
    columns: tuple[str, ...] | None = None,
    notes: tuple[str, ...] = (),
) -> Recommendation:
    """From the rows themselves."""
    X, time = split_time(X, time)
    features, labels, names = to_arrays(X, y, columns, unlabelled=True)
    weights = checked_weights(sample_weight, labels)
    kernel, rng = request.kernel, np.random.default_rng(request.seed)
    features = precomputed(features) if kernel == "precomputed" else features
    if weights is not None and not weights.kept.all():
        # First of all: rows without weight have no say in scales, warnings and the kind of loop.
        kept = weights.kept
        features = features[np.ix_(kept, kept)] if kernel == "precomputed" else features[kept]
        labels, time = labels[kept], None if time is None else checked_times(time, kept.size)[kept]
    asked = [name for name in FRESH if (time is not None if name == "time" else name in request.options)]
    known = request.known(bool(np.isnan(labels).any()), asked)
    warnings = table_warnings(features, labels, names, kernel)
    if kernel == "precomputed":
        prepared = features
    else:
        prepared, names, done = scaled_features(features, names, request.standardize)
        notes = (*notes, *done)
    if weights is not None:
        notes = (*notes, *weights.notes)
    precision = None if weights is None else weights.precision
    if known.covariates == "frozen":
        frozen_rows(int((~np.isnan(labels)).sum()), labels.size, asked)
        found = estimate_from(prepared, labels, kernel, request.penalty, rng, precision)
        answer = _frozen(found, known, request, prepared.shape[1], notes, (prepared, labels, precision))
    else:
        if kernel != "linear":
            raise ValueError(f"kernel must be linear for fresh covariates, got {kernel!r}")
        stream = Stream.of(labels, time, request.rows_per_generation)
        real = stream.labelled
        # At the threshold of a generation, not of the table.
        found = estimate_from(prepared[real], labels[real], kernel, None, rng, precision)
        fresh = FreshAnswer(
            found,
            known,
            stream,
            prepared,
            labels,
            names,
            request.horizon(known),
            request.penalty,
            request.seed,
            notes,
            share=request.labelled,
            scheduled=request.schedule,
            sample_weight=None if weights is None else weights.every,
        )
        if fresh.horizon is None and known.synthetic_noise_ratio == 0 and not fresh.best.attained:
            fresh = replace(fresh, horizon=HORIZON, notes=(*notes, no_best_weight(HORIZON)))
        answer = fresh.recommendation()
    if weights is not None and (known.covariates == "fresh" or found.factorisation.row_weights is None):
        warnings = (*warnings, *weights.warnings)
    return replace(answer, warnings=(*answer.warnings, *warnings), options=request.options)


@on_one_blas_thread
def _frozen(
    found: Estimate,
    known: Loop,
    request: Request,
    features: int,
    notes: tuple[str, ...],
    rows: tuple[Floats, Floats, Floats | None] | None,
) -> Recommendation:
    given, horizon = request.penalty, request.horizon(known)
    if known.synthetic_noise_ratio == 0 and horizon is None and known.labels == "fresh":
        notes, horizon = (*notes, no_best_weight(HORIZON)), HORIZON
    goal = Goal(found.equivalents(), known.synthetic_noise_ratio, known.labels, horizon)
    best = optimum.best_loop(goal) if given is None else optimum.best_weight(goal, given)
    name = request.kernel if isinstance(request.kernel, str) else "callable"
    answer = Answer(
        found, known, goal, best, given, name, features, notes, rows, request.kernel, request.seed, request.schedule
    )
    return answer.recommendation()
