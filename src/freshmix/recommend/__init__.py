"""From a table to a recommendation: estimate -> risk -> optimum (MATH sections 6 and 7)."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from .._checks import choice, number, whole
from ..loop import Loop
from ..optimum import frozen as optimum
from ..optimum.frozen import Goal
from ..tables import split_time, to_arrays
from .answer import Answer
from .fresh import FreshAnswer
from .prepare import PAIRWISE_KERNELS, estimate_from, scaled_features
from .result import HORIZON, Recommendation
from .stream import Stream

__all__ = ["Recommendation", "recommend"]


def recommend(
    X: Any,
    y: Any,
    *,
    loop: Loop | None = None,
    generations: int | float | None = None,
    kernel: str = "linear",
    penalty: float | str = "auto",
    standardize: bool = True,
    time: Any = None,
    rows_per_generation: int | None = None,
    labelled: float | None = None,
    schedule: bool = False,
    seed: int = 0,
) -> Recommendation:
    """The real weight and the penalty that keep a loop on this table best, and what they bring.

    Parameters
    ----------
    X : (n, p) array or data frame
        Numeric features without gaps. They are centred, and scaled to unit variance if ``standardize``.
    y : (n,) array or series
        Real labels; NaN where a row has none.
    loop : Loop, optional
        What is known of the loop: covariates, labels, synthetic noise ratio, today's real weight, or today's groups of rows
        (their shares then hold in place of the table's). Its aspect is filled in. By default, where every row has a label
        and no ``time``, ``rows_per_generation`` or ``labelled`` is given, the paper's setting: the same rows relabelled in
        each generation with fresh real labels and sampled synthetic ones. Otherwise the practitioner's: new rows in each
        generation, the table's share of them labelled, synthetic labels that are plain predictions.
    generations : int or inf, optional
        Horizon T >= 1 to be best at; by default the long run for frozen covariates and 12 for fresh ones.
    kernel : str
        A pairwise kernel of scikit-learn.
    penalty : "auto" or float
        Ridge penalty lambda to use, 0 for interpolation, or "auto" to choose it with the weight.
    standardize : bool
        Whether to scale features to unit variance.
    time : (n,) array or str, optional
        Time step of each row (numbers, dates or text that sorts), or the name of a column of X that holds it. Its steps are
        the generations: they give the rows per generation, and a backtest on later rows.
    rows_per_generation : int, optional
        By default the median number of rows per time step, or all rows.
    labelled : float, optional
        Share of a generation's rows that get a real label; by default the table's.
    schedule : bool
        Whether to recommend a schedule of real weights w_1 ... w_T for the horizon T (12 by default) instead of a constant
        one. Needs a real label in every row.
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
    kernel = choice("kernel", kernel, PAIRWISE_KERNELS)
    seed = whole("seed", seed, low=0)
    X, time = split_time(X, time)
    features, labels, names = to_arrays(X, y, unlabelled=True)
    partly = bool(np.isnan(labels).any())
    options = _asked(
        loop=(loop, None),
        generations=(generations, None),
        kernel=(kernel, "linear"),
        penalty=(penalty, "auto"),
        standardize=(standardize, True),
        time=(time is not None, False),
        rows_per_generation=(rows_per_generation, None),
        labelled=(labelled, None),
        schedule=(schedule, False),
        seed=(seed, 0),
    )
    asked = [name for name in ("time", "rows_per_generation", "labelled") if name in options]
    known = _known_loop(loop, partly or bool(asked))
    horizon = _horizon(generations, known, schedule)
    if known.covariates == "frozen" and asked:
        raise ValueError(f"{asked[0]} needs a loop with covariates='fresh': frozen rows are the same each time")
    if labelled is not None and len(known.groups or ()) > 1:
        raise ValueError(f"labelled says what the loop's groups say already, got {labelled!r} beside groups")
    prepared, notes = scaled_features(features, names, standardize)
    rng = np.random.default_rng(seed)
    if known.covariates == "fresh":
        if kernel != "linear":
            raise ValueError(f"kernel must be linear for fresh covariates, got {kernel!r}")
        stream = Stream.of(labels, time, rows_per_generation)
        share = stream.share if labelled is None else number("labelled", labelled, above=0.0, high=1.0)
        real = stream.labelled
        # At the threshold of a generation, not of the table.
        found = estimate_from(prepared[real], labels[real], kernel, None, rng)
        fresh = FreshAnswer(found, known, stream, prepared, labels, names, horizon, given, seed, notes, share, schedule)
        return replace(fresh.recommendation(), options=options)
    if partly:
        count = int(np.isnan(labels).sum())
        raise ValueError(
            f"loop must have covariates='fresh' where rows have no real label, got none in {count} of {labels.size} rows: "
            "frozen covariates with only some rows labelled have no closed form (freshmix.simulate runs them)"
        )
    found = estimate_from(prepared, labels, kernel, given, rng)
    notes = (*notes, *_horizon_notes(known, horizon))
    if known.synthetic_noise_ratio == 0 and horizon is None and known.labels == "fresh":
        horizon = HORIZON
    goal = Goal(found.equivalents(), known.synthetic_noise_ratio, known.labels, horizon)
    best = optimum.best_loop(goal) if given is None else optimum.best_weight(goal, given)
    answer = Answer(found, known, goal, best, given, kernel, prepared, labels, notes, seed, schedule)
    return replace(answer.recommendation(), options=options)


def _asked(**pairs: tuple[Any, Any]) -> dict[str, Any]:
    """The options that are not left at their defaults, given as (value, default)."""
    return {name: value for name, (value, default) in pairs.items() if value is not default and value != default}


def _known_loop(loop: Loop | None, stream: bool) -> Loop:
    if loop is None:
        return Loop(covariates="fresh", synthetic_noise_ratio=0.0) if stream else Loop()
    if not isinstance(loop, Loop):
        raise TypeError(f"loop must be a Loop, got {type(loop).__name__}")
    if loop.schedule is not None:
        raise ValueError("loop must have one real_weight or groups, or neither: schedule=True finds a schedule")
    if loop.covariates == "frozen" and loop.groups is not None and loop.real_weight is None:
        raise ValueError("loop must have one real_weight or none with frozen covariates: groups need covariates='fresh'")
    if loop.aspect is not None:
        raise ValueError(f"loop must leave aspect out, since the table gives it, got {loop.aspect!r}")
    return loop


def _horizon(generations: int | float | None, loop: Loop, schedule: bool) -> int | None:
    """T, or None for the long run: asked for by inf, and the default of frozen covariates without a schedule."""
    if not isinstance(schedule, bool):
        raise TypeError(f"schedule must be True or False, got {schedule!r}")
    if generations is None:
        return HORIZON if loop.covariates == "fresh" or schedule else None
    if isinstance(generations, float) and math.isinf(generations) and generations > 0:
        if schedule:
            raise ValueError(
                "generations must be a whole number for a schedule, got inf: in the long run only its last weight counts"
            )
        return None
    return whole("generations", generations, low=1)


def _horizon_notes(loop: Loop, horizon: int | None) -> tuple[str, ...]:
    if loop.synthetic_noise_ratio == 0 and horizon is None and loop.labels == "fresh":
        return (
            "synthetic labels without noise: in the long run the risk keeps falling as the real weight tends to 0, so that no "
            f"best weight exists; the weight is best for generation {HORIZON} instead",
        )
    return ()
