"""From a table to a recommendation: estimate -> risk -> optimum (MATH sections 6 and 7)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import estimate, optimum
from ._checks import Floats, choice, number, whole
from .loop import Loop
from .optimum import Best, Goal
from .population import Population
from .risk import frozen
from .risk.verdict import judge
from .tables import to_arrays

# The horizon shown, and used where the long run has no best weight.
HORIZON = 12
FEW_ROWS = 50
ILL_CONDITIONED = 1e8
# Directions of a kernel matrix that carry nothing are no sign of collinear columns.
PAIRWISE_KERNELS = ("linear", "rbf", "laplacian", "polynomial", "poly", "cosine", "sigmoid", "additive_chi2", "chi2")


@dataclass(frozen=True, eq=False)
class Recommendation:
    """What to do with a loop on this table, what it brings, and how sure that is.

    Attributes
    ----------
    loop : Loop
        The recommended loop, with its aspect, penalty and real weight.
    real_weight, row_weight, penalty : float
        w, the loss weight of the rows (1: all alike) and lambda of ``(X'X/n + lambda I)^-1 X'y/n``.
    alpha : float
        rows x penalty, the ``alpha`` of scikit-learn's ``Ridge``.
    risk, prediction_error : float
        Expected excess risk at the horizon, and that plus the noise variance; squared units of the label.
    baselines : dict
        Excess risk of ``real_only`` (one generation), ``keep_all_labels`` (labels of the horizon's generations averaged;
        12 in the long run), ``today`` (None if no real weight was given), each with the best penalty for it unless the
        penalty was fixed, and ``synthetic_only`` at the recommended penalty; inf if unbounded.
    intervals : dict
        Name -> (low, high), 90% posterior intervals.
    verdict, reason : str
        What the recommended loop does (see ``Limit``), and why.
    warnings : tuple of str
        Where the theory is on thin ice for this table.
    population : Population or None
        The estimated population; None for kernels.
    assumption : str
        The loop that is assumed, in one sentence.
    attained : bool
        False where the risk only tends to its infimum (see ``Optimum``).
    generations : int or None
        The horizon T that the weight is best for; None for the long run.
    rows, features : int
        Size of the table as used; for kernels ``features`` is the number of input columns.
    aspect : float or None
        Features per row, of centred rows; None for kernels.
    noise_variance, signal_to_noise_ratio : float
        The estimates behind the recommendation.
    notes : tuple of str
        What was done to the table (standardised, one-hot encoded ...).
    weight_grid, risk_by_weight, risk_by_weight_tuned : (m,) arrays
        Excess risk at the horizon against the real weight: at the recommended penalty, and at the best penalty for each
        weight (the same array where the penalty was fixed).
    risk_by_generation : dict
        Name (``recommended``, ``real_only``, ``synthetic_only``, ``today``) -> (T + 1,) excess risk of generations 0 ... T.
    """

    loop: Loop
    real_weight: float
    row_weight: float
    penalty: float
    alpha: float
    risk: float
    prediction_error: float
    baselines: Mapping[str, float | None]
    intervals: Mapping[str, tuple[float, float]]
    verdict: str
    reason: str
    warnings: tuple[str, ...]
    population: Population | None
    assumption: str
    attained: bool
    generations: int | None
    rows: int
    features: int
    aspect: float | None
    noise_variance: float
    signal_to_noise_ratio: float
    notes: tuple[str, ...]
    weight_grid: Floats
    risk_by_weight: Floats
    risk_by_weight_tuned: Floats
    risk_by_generation: Mapping[str, Floats]


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
    prepared, notes = _prepare(features, names, standardize)
    found = _estimate(prepared, labels, kernel, given, rng)
    notes = (*notes, *_horizon_notes(known, horizon))
    if known.synthetic_noise_ratio == 0 and horizon is None and known.labels == "fresh":
        horizon = HORIZON
    goal = Goal(found.equivalents(), known.synthetic_noise_ratio, known.labels, horizon)
    best = optimum.best_loop(goal) if given is None else optimum.best_weight(goal, given)
    return _Answer(found, known, goal, best, given, kernel, prepared.shape[1], notes).recommendation()


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


def _prepare(X: Floats, names: tuple[str, ...] | None, standardize: bool) -> tuple[Floats, tuple[str, ...]]:
    """Columns that vary, scaled to unit variance if asked; every fit has an intercept, so all are centred later."""
    centred = X - X.mean(axis=0)
    size = np.maximum(centred.max(axis=0), -centred.min(axis=0))
    kept = size > 1e-13 * np.maximum(X.max(axis=0), -X.min(axis=0))
    if not kept.any():
        raise ValueError("X must have a column that varies, got only constant ones")
    notes = []
    if not kept.all():
        labels = [names[i] if names else str(i) for i in np.flatnonzero(~kept)]
        more = f" and {len(labels) - 5} more" if len(labels) > 5 else ""
        notes.append(f"constant columns left out: {', '.join(labels[:5])}{more}")
        X, centred, size = X[:, kept], centred[:, kept], size[kept]
    if not standardize:
        return X, (*notes, "features centred, not scaled")
    # Over the largest entry first: squares of 1e200 overflow.
    centred /= size
    centred /= np.sqrt(np.einsum("ij,ij->j", centred, centred) / X.shape[0])
    return centred, (*notes, "features standardised to mean 0 and variance 1")


def _estimate(X: Floats, y: Floats, kernel: str, penalty: float | None, rng: np.random.Generator) -> estimate.Estimate:
    n, p = X.shape
    if kernel == "linear":
        if penalty == 0 and p in (n - 1, n):
            raise ValueError(
                f"penalty must be positive here, got 0: with an intercept, {n} rows and {p} features are at the interpolation "
                "threshold, where the variance without a penalty is unbounded"
            )
        return estimate.banded(estimate.factorise(X, y), rng)
    # scikit-learn is slow to import, and linear loops do without it.
    from sklearn.metrics.pairwise import pairwise_kernels

    try:
        gram = pairwise_kernels(X, metric=kernel)
    except ValueError as problem:
        raise ValueError(f"kernel {kernel!r} cannot be used on this table: {str(problem).splitlines()[0]}") from None
    return estimate.banded(estimate.factorise_gram(np.asarray(gram, dtype=np.float64), y), rng)


def _horizon_notes(loop: Loop, horizon: int | None) -> tuple[str, ...]:
    if loop.synthetic_noise_ratio == 0 and horizon is None and loop.labels == "fresh":
        return (
            "synthetic labels without noise: in the long run the risk keeps falling as the real weight tends to 0, so that no "
            f"best weight exists; the weight is best for generation {HORIZON} instead",
        )
    return ()


@dataclass(frozen=True)
class _Answer:
    """Everything a recommendation is put together from."""

    found: estimate.Estimate
    known: Loop
    goal: Goal
    best: Best
    given: float | None
    kernel: str
    features: int
    notes: tuple[str, ...]

    def recommendation(self) -> Recommendation:
        f, best = self.found.factorisation, self.best
        aspect = None if self.kernel != "linear" else f.aspect
        baselines = self.baselines()
        real_only = baselines["real_only"]
        assert real_only is not None
        null = self.goal.equivalents.null_risk
        verdict, reason = judge(best.risk, real_only, null, "no real labels enter and nothing is forgotten")
        weights = np.linspace(0.0, 1.0, 101)
        at_penalty = self.goal.over_weights(weights, best.penalty)
        return Recommendation(
            loop=self.known.replace(aspect=aspect, penalty=best.penalty, real_weight=best.real_weight),
            real_weight=best.real_weight,
            row_weight=1.0,
            penalty=best.penalty,
            alpha=f.rows * best.penalty,
            risk=best.risk,
            prediction_error=best.risk + self.found.noise_variance,
            baselines=baselines,
            intervals=self.intervals(),
            verdict=verdict,
            reason=reason,
            warnings=self.warnings(),
            population=self.found.population() if aspect is not None else None,
            assumption=self.assumption(),
            attained=best.attained,
            generations=self.goal.generations,
            rows=f.rows,
            features=self.features,
            aspect=aspect,
            noise_variance=self.found.noise_variance,
            signal_to_noise_ratio=_ratio(null, self.found.noise_variance),
            notes=self.notes,
            weight_grid=weights,
            risk_by_weight=at_penalty,
            risk_by_weight_tuned=at_penalty if self.given is not None else optimum.tuned_risks(self.goal, weights),
            risk_by_generation=self.by_generation(),
        )

    def assumption(self) -> str:
        """The loop that is assumed, in one sentence."""
        rho = self.known.synthetic_noise_ratio
        real = (
            "fresh real labels each generation" if self.known.labels == "fresh" else "the first generation's real labels kept"
        )
        synthetic = {
            0.0: "synthetic labels that are plain predictions",
            1.0: "synthetic labels sampled from the fitted model",
        }.get(rho, f"synthetic labels with {rho:g} times the real labels' noise variance")
        until = "in the long run" if self.goal.generations is None else f"at generation {self.goal.generations}"
        return (
            f"Assumed loop: the same {self.found.factorisation.rows} rows relabelled in each generation, {real}, {synthetic}; "
            f"judged {until}."
        )

    def today(self) -> Best | None:
        """Today's weight at the given penalty, at its own, or else at the best one for it."""
        w = self.known.real_weight
        if w is None:
            return None
        penalty = self.given if self.given is not None else self.known.penalty or None
        if penalty is None:
            return optimum.best_penalty(self.goal, w)
        return Best(w, penalty, float(self.goal.over_weights(np.array([w]), penalty)[0]))

    def real_only_penalty(self, times_seen: float) -> tuple[float, float]:
        """Penalty and risk of plain ridge on real labels averaged over that many draws."""
        equivalents = self.goal.equivalents
        if self.given is not None:
            return self.given, float(frozen.real_only_risk(equivalents, self.given, times_seen))
        return optimum.best_plain_ridge(equivalents, times_seen)

    def baselines(self) -> dict[str, float | None]:
        today = self.today()
        draws = (self.goal.generations or HORIZON) + 1 if self.known.labels == "fresh" else 1
        synthetic = self.goal.over_weights(np.zeros(1), self.best.penalty)[0]
        return {
            "real_only": self.real_only_penalty(1.0)[1],
            "keep_all_labels": self.real_only_penalty(draws)[1],
            "today": None if today is None else today.risk,
            "synthetic_only": float(synthetic),
        }

    def by_generation(self) -> dict[str, Floats]:
        horizon = self.goal.generations or HORIZON
        equivalents = self.goal.equivalents

        def course(w: float, penalty: float) -> Floats:
            rho, labels = self.known.synthetic_noise_ratio, self.known.labels
            return frozen.risk_by_generation(equivalents, np.full(horizon, w), penalty, rho, labels)

        courses = {
            "recommended": course(self.best.real_weight, self.best.penalty),
            "real_only": np.full(horizon + 1, self.real_only_penalty(1.0)[1]),
            "synthetic_only": course(0.0, self.best.penalty),
        }
        today = self.today()
        if today is not None:
            courses["today"] = course(today.real_weight, today.penalty)
        return courses

    def intervals(self) -> dict[str, tuple[float, float]]:
        """90% posterior intervals; risks are affine in (sigma^2, g), so a few evaluations serve all draws."""
        noise, signal = self.found.noise_draws, self.found.signal_draws
        draws = np.column_stack([noise, signal])
        centre = draws.mean(axis=0)
        steps = np.maximum(centre, 0.1 * centre.max())
        points = np.vstack([centre, centre + np.diag(steps)])
        known = [self.found.equivalents(float(point[0]), point[1:]) for point in points]
        goals = [Goal(each, self.goal.noise_ratio, self.goal.labels, self.goal.generations) for each in known]
        at = np.array([self.best.real_weight])
        risks = np.array([goal.over_weights(at, self.best.penalty)[0] for goal in goals])
        nulls = np.array([each.null_risk for each in known])
        moves = (draws - centre) / steps
        risk, null = (values[0] + moves @ (values[1:] - values[0]) for values in (risks, nulls))
        return {
            "noise_variance": _interval(noise),
            "signal_to_noise_ratio": _interval(null / noise),
            "risk": _interval(risk),
            "prediction_error": _interval(risk + noise),
        }

    def warnings(self) -> tuple[str, ...]:
        """Where the theory is on thin ice for this table."""
        f = self.found.factorisation
        found = []
        if f.rows < FEW_ROWS:
            found.append(f"only {f.rows} rows: the theory is asymptotic and the estimates are rough below {FEW_ROWS}")
        if self.best.penalty == 0 and f.features is not None and abs(f.aspect - 1) < 0.1:
            found.append(
                f"features / rows is {f.aspect:.3g}, close to 1 without a penalty: the variance is near its peak; use a penalty"
            )
        low, high = _interval(self.found.noise_draws)
        if high > 4 * low:
            found.append(
                f"the noise variance is hardly identifiable here: from {low:.3g} to {high:.3g} anything fits (90%), and the "
                "best weight depends on it"
            )
        if f.condition > ILL_CONDITIONED and self.kernel == "linear":
            found.append(
                "columns are collinear: "
                + ("some are combinations of others" if math.isinf(f.condition) else f"condition number {f.condition:.1e}")
                + "; coefficients along them are not determined, predictions are"
            )
        if not self.best.attained and self.best.penalty > 0:
            found.append("the table shows no signal that a linear fit can use: the best penalty has no upper bound")
        return tuple(found)


def _interval(draws: Floats) -> tuple[float, float]:
    low, high = np.quantile(draws, [0.05, 0.95])
    return float(low), float(high)


def _ratio(null: float, noise: float) -> float:
    return max(null, 0.0) / noise if noise > 0 else math.inf
