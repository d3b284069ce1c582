"""From a table to a recommendation: estimate -> risk -> optimum (mathematics.md sections 6 and 7)."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..arguments import HORIZON
from ..estimation import Estimate, estimate_of
from ..loop import Loop
from ..optima import frozen as optimum
from ..optima.frozen import Goal
from ..prepared import Kernel, Prepared, prepare
from ..threads import on_one_blas_thread
from ..words import table as words
from ..words.doubts import no_best_weight
from .answer import Answer
from .fresh import FreshAnswer
from .request import Request
from .result import Recommendation

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
    table = prepare(
        X,
        y,
        time=time,
        sample_weight=sample_weight,
        kernel=request.kernel,
        standardize=request.standardize,
        rows_per_generation=request.rows_per_generation,
    )
    known = request.known(table)
    fresh = known.covariates == "fresh"
    # New rows: at the threshold of a generation, not of the table.
    found = estimate_of(table, None if fresh else request.penalty, np.random.default_rng(request.seed))
    answer = (_fresh if fresh else _frozen)(found, known, table, request)
    uneven = table.uneven if fresh or found.factorisation.row_weights is None else None
    warnings = (*answer.warnings, *table.warnings, *([] if uneven is None else [uneven]))
    return replace(answer, warnings=warnings, options=request.options)


def _fresh(found: Estimate, known: Loop, table: Prepared, request: Request) -> Recommendation:
    """New rows in each generation."""
    answer = FreshAnswer(
        found,
        known,
        table,
        request.horizon(known),
        request.penalty,
        request.seed,
        (*table.notes, *(words.without_rows(table.partly) if table.products is not None else ())),
        share=request.labelled,
        scheduled=request.schedule,
    )
    if answer.horizon is None and known.synthetic_noise_ratio == 0 and not answer.best.attained:
        answer = replace(answer, horizon=HORIZON, notes=(*answer.notes, no_best_weight(HORIZON)))
    return answer.recommendation()


@on_one_blas_thread
def _frozen(found: Estimate, known: Loop, table: Prepared, request: Request) -> Recommendation:
    """The same rows in each generation."""
    given, horizon, notes = request.penalty, request.horizon(known), table.notes
    if known.synthetic_noise_ratio == 0 and horizon is None and known.labels == "fresh":
        notes, horizon = (*notes, no_best_weight(HORIZON)), HORIZON
    goal = Goal(found.equivalents(), known.synthetic_noise_ratio, known.labels, horizon)
    best = optimum.best_loop(goal) if given is None else optimum.best_weight(goal, given)
    name = table.kernel if isinstance(table.kernel, str) else "callable"
    answer = Answer(
        *(found, known, goal, best, given, name, table.features, notes, table.rows),
        *(table.kernel, request.seed, request.schedule),
    )
    return answer.recommendation()
