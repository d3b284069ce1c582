"""From a table to a recommendation: estimate -> risk -> optimum (mathematics.md sections 6 and 7)."""

from collections.abc import Sequence
from inspect import signature
from typing import Any

from ..loop import Loop
from ..prepared import Kernel, prepare
from ..risks.fresh import FreshSetting
from ..risks.frozen import FrozenSetting
from ..risks.setting import kind_of
from ..stages import at
from ..threads import one_blas_thread
from ..words import waiting
from .new_rows import NewRows
from .request import Request
from .result import Recommendation
from .same_rows import SameRows
from .teaching import TeacherLabels

__all__ = ["Recommendation", "TeacherLabels", "recommend"]

_ANSWERS: dict[type, type[SameRows] | type[NewRows]] = {FrozenSetting: SameRows, FreshSetting: NewRows}


def recommend(
    X: Any,
    y: Any = None,
    *,
    loop: Loop | None = None,
    covariates: str | None = None,
    labels: str | None = None,
    label_renewal: float | None = None,
    synthetic_labels: str | None = None,
    synthetic_noise_ratio: float | None = None,
    real_weight: float | None = None,
    row_weight: float | None = None,
    generations: int | float | None = None,
    kernel: Kernel = "linear",
    penalty: float | str = "auto",
    standardize: bool = True,
    time: Any = None,
    rows_per_generation: int | None = None,
    sample_weight: Any = None,
    predictions: Any = None,
    labelled: float | None = None,
    schedule: bool = False,
    may_keep: str = "rows",
    drop: str | Sequence[str] = (),
    drop_missing: bool = False,
    impute: str | None = None,
    drop_unlabelled: bool = False,
    separator: str | None = None,
    decimal: str | None = None,
    seed: int = 0,
) -> Recommendation:
    """The real weight and the penalty that keep a loop on this table best, and what they bring.

    Parameters
    ----------
    X : data frame, (n, p) array, or names of files
        The table. Columns of a data frame (pandas, polars, also lazy ..., a dict of columns, a list of dicts) and of files
        (CSV, Parquet, Arrow, Excel; one, several or a pattern) are read as docs/tables.md says: numbers as they are, text of
        few values as 0/1 columns. Arrays hold numbers. Features are centred, and scaled to unit variance if
        ``standardize``. Also Dask arrays, and what ``freshmix.tables.open_table`` returns; files larger than memory are read in
        blocks. With ``kernel="precomputed"`` the (n, n) kernel matrix.
    y : str, or (n,) array or series
        The name of the column of real labels, or the labels beside X; empty (NaN) where a row has none.
    loop : Loop, optional
        What is known of the loop: covariates, labels, synthetic noise ratio, today's real weight, or today's groups of rows
        (their shares then hold in place of the table's). Its aspect is filled in. By default, where every row has a label
        and no ``time``, ``rows_per_generation``, ``labelled`` or ``predictions`` is given, the paper's setting: the same rows
        relabelled in each generation with fresh real labels and sampled synthetic ones. Otherwise the practitioner's: new rows
        in each generation, the table's share of them labelled, synthetic labels that are plain predictions.
    covariates, labels, synthetic_labels, synthetic_noise_ratio, real_weight, row_weight : optional
        The same said without a ``Loop``, where the rest is left to the table: covariates ``frozen`` or ``fresh``, labels
        ``fresh`` or ``frozen``, synthetic labels ``predictions`` or ``sampled`` (or rho itself), today's real weight, and the
        loss weight that rows without a real label have today (others having 1).
    label_renewal : float, optional
        In [0, 1], with frozen covariates (a ``Loop`` has it too): the share of the noise variance that is drawn anew when a row
        is labelled again. By default what ``labels`` says (``fresh`` 1, ``frozen`` 0) or, where that is left out too, 0 where
        the target names classes (two values, or at most 20 whole numbers of 10 rows each on average), an estimate with its
        interval where rows are repeated (5 copies or more, 20 different rows or more), and otherwise 1; ``other_end`` holds
        what is best at the other end of a default.
    generations : int or inf, optional
        Horizon T >= 1 to be best at; by default the long run for frozen covariates and 12 for fresh ones.
    kernel : str or callable
        A pairwise kernel of scikit-learn, ``precomputed``, or a function of two arrays that returns the matrix of all pairs.
    penalty : "auto" or float
        Ridge penalty lambda to use, 0 for interpolation, or "auto" to choose it with the weight.
    standardize : bool
        Whether to scale features to unit variance.
    time : str, or (n,) array or series, optional
        Time step of each row (numbers, dates or text that sorts), or the name of the column that holds it. Its steps are
        the generations: they give the rows per generation, and a backtest on later rows.
    rows_per_generation : int, optional
        By default the median number of rows per time step, or all rows.
    sample_weight : str, or (n,) array or series, optional
        Precision of each label, up to a common factor: a weight of 2 means half the noise variance, not two rows.
    predictions : str, or (n,) array or series, optional
        Labels of an outside teacher, NaN where it has none; at least 10 rows must have both. Never a feature. ``teaching`` then
        says what they are worth; each generation has new rows.
    labelled : float, optional
        Share of a generation's rows that get a real label; by default the table's.
    schedule : bool
        Whether to recommend a schedule of real weights w_1 ... w_T for the horizon T (12 by default) instead of a constant
        one; of the labelled rows, where only a share of them has a real label.
    may_keep : "nothing", "model", "moments" or "rows"
        What may be kept from one generation to the next, for the best way to remember: nothing, the last model, X'X and X'y of
        past labelled rows (p^2 numbers), or those rows.
    drop : str or sequence of str
        Columns to leave out.
    drop_missing : bool
        Whether to leave out rows with missing features instead of refusing them.
    impute : str, optional
        Fill missing features by the ``mean`` or ``median`` of their column over the labelled rows, which the answer says first.
    drop_unlabelled : bool
        Whether to leave out rows without a real label.
    separator, decimal : str, optional
        What separates fields of files of text, and the decimal sign; by default both are read off the file.
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
    >>> table = {"dose": X[:, 0], "clinic": ["a", "b"] * 100, "patient": [*range(200)], "effect": y}
    >>> recommend(table, "effect", drop="patient", generations=4).features
    2
    """
    asked = {name: value for name, value in locals().items() if name in DEFAULTS}
    request = Request.of(asked, DEFAULTS)
    at(waiting.READING)
    table = prepare(
        X,
        y,
        time=time,
        sample_weight=sample_weight,
        predictions=predictions,
        kernel=request.kernel,
        standardize=request.standardize,
        rows_per_generation=request.rows_per_generation,
        drop=drop,
        drop_missing=drop_missing,
        impute=impute,
        drop_unlabelled=drop_unlabelled,
        separator=separator,
        decimal=decimal,
    )
    known = request.known(table)
    with one_blas_thread():
        return _ANSWERS[kind_of(known)].of(known, table, request).recommendation()


DEFAULTS = {name: each.default for name, each in signature(recommend).parameters.items()}
