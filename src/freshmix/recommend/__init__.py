"""From a table to a recommendation: estimate -> risk -> optimum (MATH sections 6 and 7)."""

from typing import Any

import numpy as np

from .._checks import choice, number, whole
from ..loop import Loop
from ..optimum import frozen as optimum
from ..optimum.frozen import Goal
from ..tables import to_arrays
from .answer import HORIZON, Answer
from .prepare import PAIRWISE_KERNELS, estimate_from, scaled_features
from .result import Recommendation

__all__ = ["Recommendation", "recommend"]


def recommend(
    X: Any,
    y: Any,
    *,
    loop: Loop | None = None,
    generations: int | None = None,
    kernel: str = "linear",
    penalty: float | str = "auto",
    standardize: bool = True,
    seed: int = 0,
) -> Recommendation:
    """The real weight and the penalty that keep a loop on this table best, and what they bring.

    Parameters
    ----------
    X : (n, p) array or data frame
        Numeric features without gaps. They are centred, and scaled to unit variance if ``standardize``.
    y : (n,) array or series
        Real labels.
    loop : Loop, optional
        What is known of the loop: labels, synthetic noise ratio, today's real weight. Its aspect is filled in. By default
        the paper's setting: the same rows relabelled in each generation with fresh real labels and sampled synthetic ones.
    generations : int, optional
        Horizon T >= 1 to be best at; by default the long run.
    kernel : str
        A pairwise kernel of scikit-learn.
    penalty : "auto" or float
        Ridge penalty lambda to use, 0 for interpolation, or "auto" to choose it with the weight.
    standardize : bool
        Whether to scale features to unit variance.
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
    known = _known_loop(loop)
    given = None if penalty == "auto" else number("penalty", penalty, low=0.0)
    horizon = None if generations is None else whole("generations", generations, low=1)
    kernel = choice("kernel", kernel, PAIRWISE_KERNELS)
    rng = np.random.default_rng(whole("seed", seed, low=0))
    features, labels, names = to_arrays(X, y)
    prepared, notes = scaled_features(features, names, standardize)
    found = estimate_from(prepared, labels, kernel, given, rng)
    notes = (*notes, *_horizon_notes(known, horizon))
    if known.synthetic_noise_ratio == 0 and horizon is None and known.labels == "fresh":
        horizon = HORIZON
    goal = Goal(found.equivalents(), known.synthetic_noise_ratio, known.labels, horizon)
    best = optimum.best_loop(goal) if given is None else optimum.best_weight(goal, given)
    return Answer(found, known, goal, best, given, kernel, prepared.shape[1], notes).recommendation()


def _known_loop(loop: Loop | None) -> Loop:
    if loop is None:
        return Loop()
    if not isinstance(loop, Loop):
        raise TypeError(f"loop must be a Loop, got {type(loop).__name__}")
    if loop.covariates == "fresh":
        raise ValueError("loop must have covariates='frozen': recommendations for fresh covariates are not supported yet")
    if loop.schedule is not None or (loop.groups is not None and loop.real_weight is None):
        raise ValueError("loop must have one real_weight or none: schedules and groups are not supported here yet")
    if loop.aspect is not None:
        raise ValueError(f"loop must leave aspect out, since the table gives it, got {loop.aspect!r}")
    return loop


def _horizon_notes(loop: Loop, horizon: int | None) -> tuple[str, ...]:
    if loop.synthetic_noise_ratio == 0 and horizon is None and loop.labels == "fresh":
        return (
            "synthetic labels without noise: in the long run the risk keeps falling as the real weight tends to 0, so that no "
            f"best weight exists; the weight is best for generation {HORIZON} instead",
        )
    return ()
