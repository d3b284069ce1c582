"""From a table to a label budget: how many real labels a loop on new rows needs (mathematics.md sections 5 to 7)."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from inspect import signature
from typing import Any

import numpy as np

from ..arguments import HORIZON, MOST_PENALTY, choice, flag, horizon, number, number_or_auto, whole
from ..loop import noise_ratio
from ..optima.memory import RULES
from ..prepared import Prepared, prepare
from ..recommendation import DEFAULTS
from ..recommendation.new_rows import NewRows
from ..recommendation.request import Request, options_of
from ..stages import at
from ..tables import Table
from ..words import waiting
from ..words.doubts import determined, few_labelled_rows
from .advice import Aim, advice
from .budget import Plan
from .course import Point, Setting
from .curve import DRAWS, plan_from

__all__ = ["Plan", "plan"]


def plan(
    X: Any,
    y: Any = None,
    *,
    cost_per_label: float,
    target_risk: float | None = None,
    target_error: float | None = None,
    budget: float | None = None,
    value: float | None = None,
    owned: int | None = None,
    may_keep: str = "rows",
    rows_per_generation: int | None = None,
    generations: int | float | None = None,
    penalty: float | str = "auto",
    row_weight: float | str = "auto",
    synthetic_labels: str | None = None,
    synthetic_noise_ratio: float | None = None,
    standardize: bool = True,
    time: Any = None,
    drop: str | Sequence[str] = (),
    drop_missing: bool = False,
    impute: str | None = None,
    drop_unlabelled: bool = False,
    separator: str | None = None,
    decimal: str | None = None,
    seed: int = 0,
) -> Plan:
    """How many labels to buy: for a target, with a budget, at what they are worth, or where buying more brings little.

    New rows come in each generation; some of them get a real label, at a price, the others the previous model's prediction.
    The first generation has the labels of the table's first time step, or else as many as any other. For each number of labels
    the best real weight, row weight and penalty are found; for the table's own they are those of ``freshmix.recommend``.

    Parameters
    ----------
    X, y
        The table, as ``freshmix.recommend`` takes it: rows without a real label are empty (NaN) in y.
    cost_per_label : float
        Price of one real label, above 0.
    target_risk, target_error : float, optional
        Excess risk, or prediction error (excess risk plus noise variance), to be reached with as few labels as possible.
    budget : float, optional
        What labels may cost in each generation, in place of a target.
    value : float, optional
        What one unit less of the typical error (root of the prediction error, in label units) is worth in each generation,
        in place of a target or a budget: the labels bought are those that are worth most. With none of them labels are bought
        up to the knee of the curve, where twice as many lower the typical error by less than 1%.
    owned : int, optional
        Labels owned already, on which the first model is fitted; by default those of the table's first time step, or else as
        many as in any other generation.
    may_keep : "nothing", "model", "moments" or "rows"
        What may be kept from one generation to the next, as for ``freshmix.recommend``.
    rows_per_generation : int, optional
        Rows in a generation, labelled or not; by default the median per time step, or all rows of the table.
    generations : int or inf, optional
        Horizon T, by default 12. With more rows than features and no penalty of your own the long run needs synthetic noise:
        without it the risk keeps falling as the loop's memory grows.
    penalty : "auto" or float
        Ridge penalty lambda of each generation, the first one too, or "auto" to choose it.
    row_weight : "auto" or float
        Loss weight of the rows without a real label (1 as much as a labelled row, 0 leaves them out), or "auto" to choose it.
    synthetic_labels : "predictions" or "sampled", optional
        Plain predictions, the default, or sampled from the model.
    synthetic_noise_ratio : float, optional
        The same as a number, rho: 0 for predictions, 1 where they are sampled.
    standardize : bool
        Whether to scale features to unit variance.
    time : str, or (n,) array or series, optional
        Time step of each row, or the name of the column that holds it.
    drop, drop_missing, impute, drop_unlabelled, separator, decimal
        How the table is read, as for ``freshmix.recommend``.
    seed : int
        Seed of the posterior draws behind estimates and intervals.

    Returns
    -------
    Plan

    Raises
    ------
    TypeError, ValueError
        If the data or a parameter cannot be used; the message names it.

    Notes
    -----
    Source: mathematics.md sections 5 to 7. Intervals come from posterior draws of the estimate, with the loops of the curve
    kept.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 30))
    >>> y = X @ rng.standard_normal(30) / 5 + rng.standard_normal(300)
    >>> found = plan(X, y, cost_per_label=2.0, budget=200.0)
    >>> found.labels, found.cost, found.verdict
    (100.0, 200.0, 'feasible')
    """
    asked = {name: value for name, value in locals().items() if name in _DEFAULTS}
    price = number("cost_per_label", cost_per_label, above=0.0)
    _check_aims(target_risk=target_risk, target_error=target_error, budget=budget, value=value)
    owned = None if owned is None else whole("owned", owned, low=1)
    may_keep = choice("may_keep", may_keep, RULES)
    fixed = number_or_auto("penalty", penalty, low=0.0, high=MOST_PENALTY)
    others = number_or_auto("row_weight", row_weight, low=0.0)
    ratio = noise_ratio(synthetic_labels, synthetic_noise_ratio) or 0.0
    T = horizon(generations, HORIZON)
    standardize = flag("standardize", standardize)
    seed = whole("seed", seed, low=0)
    if isinstance(X, Table) and X.weight is not None:
        raise ValueError("a plan does not take sample weights: leave the weight column out")
    reading: dict[str, Any] = {"drop": drop, "drop_missing": drop_missing, "impute": impute, "separator": separator}
    reading |= {"drop_unlabelled": drop_unlabelled, "decimal": decimal}
    at(waiting.READING)
    table = prepare(X, y, time=time, standardize=standardize, rows_per_generation=rows_per_generation, **reading)
    answer = _as_recommended(table, ratio, generations, fixed, may_keep, seed)
    found, stream = answer.found, table.stream
    f = found.factorisation
    exact = determined(f.rows, f.features) if found.exact else None
    doubts = (exact, stream.order, stream.bias, few_labelled_rows(stream.labelled))
    count = stream.rows_per_generation
    first = None if stream.first_labelled is None else stream.first_rows(stream.share)
    first = first if owned is None else owned / count
    setting = Setting(
        answer.population, answer.aspect, ratio, T, fixed, others, first, answer.setting.judged, answer.correction
    )
    if setting.averages_for_ever:
        raise ValueError(
            "generations must be a number here: without synthetic noise and with more rows than features, the long-run risk "
            "falls to 0 as the real weight does, whatever the labels"
        )
    target = target_risk
    if target_error is not None:
        _check_above_noise(target_error, answer.population.noise_variance)
        target = target_error - answer.population.noise_variance
    labels = round(stream.share * count) if budget is None else _affordable(budget, price, count)
    warnings = (*table.warnings, *(each for each in doubts if each is not None))
    points: dict[int, Point] = {}
    if others is None and owned is None and answer.horizon == T:
        best = answer.constant
        points = {
            min(max(round(answer.share * count), 1), count): Point(answer.share, best.loop, answer.correction * best.risk)
        }
    labels = min(max(labels, 1), count)
    error = target_risk if target_error is None else target_error
    aim = Aim(price, error, target_risk is not None, None if budget is None else float(labels), value)
    made = plan_from(
        answer.draws(DRAWS),
        setting,
        count,
        price,
        target,
        budget,
        labels,
        warnings,
        table.notes,
        points,
        answer.step,
        partial(advice, answer, aim, owned),
    )
    assumption = made.assumption + table.stated
    return replace(made, features=table.features, assumption=assumption, options=options_of(asked, _DEFAULTS))


_DEFAULTS = {name: each.default for name, each in signature(plan).parameters.items()}


def _as_recommended(
    table: Prepared, noise_ratio: float, generations: int | float | None, penalty: float | None, may_keep: str, seed: int
) -> NewRows:
    """What ``freshmix.recommend`` says of the table's own labels."""
    asked = {"covariates": "fresh", "synthetic_noise_ratio": noise_ratio, "generations": generations, "seed": seed}
    asked["may_keep"] = may_keep
    request = Request.of(DEFAULTS | asked | {"penalty": "auto" if penalty is None else penalty}, DEFAULTS)
    return NewRows.of(request.known(table), table, request)


def _check_aims(**aims: float | None) -> None:
    given = [name for name, value in aims.items() if value is not None]
    if len(given) > 1:
        # With the sign by which the command line knows a parameter, wherever it stands.
        named = " and ".join(f"{name}=" for name in given)
        raise ValueError(f"a plan takes one of target_risk=, target_error=, budget= and value=, got {named}")
    for name in given:
        number(name, aims[name], above=0.0)


def _check_above_noise(error: float, noise_variance: float) -> None:
    if error <= noise_variance:
        raise ValueError(
            f"target_error must be above the noise variance {noise_variance:.4g} that no model removes, got {error:g}"
        )


def _affordable(budget: float, price: float, rows: int) -> int:
    """Labels that a budget pays for, of that many rows at most."""
    if budget < price:
        raise ValueError(f"budget must pay for at least one label at {price:g}, got {budget:g}")
    # A quotient such as 0.3 / 0.1 is a whole number but for its rounding.
    return math.floor(min(budget / price * (1 + 4 * np.finfo(np.float64).eps), rows))
