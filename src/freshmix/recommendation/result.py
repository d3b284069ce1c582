"""What a recommendation holds."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ..arguments import Floats, choice
from ..loop import Loop
from ..population import Population
from ..replays.check import DOES_NOT_FIT, Check
from ..views import Pictured, frame, plain
from ..words.recommendation import lines, rivals
from .teaching import TeacherLabels

# The verdict where the features determine the labels: there is no noise to judge by.
DETERMINED = "exact"
# Where no ways to remember were compared.
_NOTHING: Mapping[str, Any] = {"best": "", "best_under": {}, "rivals": {}, "persistence": None}


@dataclass(frozen=True)
class OtherEnd:
    """What is best where labels are renewed as they are not assumed to be.

    Attributes
    ----------
    label_renewal : float
        0 (labels come back as they are) or 1 (all noise is drawn anew).
    real_weight, penalty, alpha, risk, prediction_error : float
        Of the best constant loop there, as in ``Recommendation``.
    recommended_risk : float
        Excess risk there of the loop that is recommended.
    """

    label_renewal: float
    real_weight: float
    penalty: float
    alpha: float
    risk: float
    prediction_error: float
    recommended_risk: float

    def times(self, factor: float, noise: float) -> "OtherEnd":
        """With its excess risks multiplied."""
        risk = factor * self.risk
        return replace(self, risk=risk, prediction_error=risk + noise, recommended_risk=factor * self.recommended_risk)


@dataclass(frozen=True, eq=False, repr=False)
class Recommendation(Pictured):
    """What to do with a loop on this table, what it brings, and how sure that is.

    Attributes
    ----------
    loop : Loop
        The recommended loop, with its aspect, penalty and real weight; of a schedule for rows of several groups, that of the
        horizon.
    loops : tuple of Loop
        The recommended loops of t = 1, 2, ..., the last one kept on: one for each generation of a schedule for rows of several
        groups, otherwise ``loop`` alone. ``freshmix.risk(population, loops, T)`` gives the risks by generation.
    real_weight, row_weight, penalty : float
        w (the last one of a schedule), the loss weight of the rows without a real label (1: all alike) and lambda of
        ``(X'X/n + lambda I)^-1 X'y/n``.
    alpha : float
        rows x penalty, the ``alpha`` of scikit-learn's ``Ridge``.
    risk, prediction_error : float
        Expected excess risk at the horizon, and that plus the noise variance; squared units of the label.
    baselines : dict
        Excess risk of ``real_only`` (one generation), ``keep_all_labels`` (labels of the horizon's generations averaged;
        12 in the long run), ``today`` (None if no real weight was given), each with the best penalty for it unless the
        penalty was fixed, and ``synthetic_only`` at the recommended penalty; inf if unbounded. With a schedule also
        ``constant_weight``, the best one.
    intervals : dict
        Name -> (low, high), 90% posterior intervals; those of ``real_weight`` and ``penalty`` (within a factor 100 of the
        recommended one) hold the best choice and always the recommended one, the others its expectation, one-sided where 0
        is not excluded.
    verdict_probabilities : dict
        Verdict -> its share of the posterior draws, the most likely first: the recommended loop as it is against real labels
        only with the penalty that is best for the draw. Where the recommendation is real labels only, it is ``holds`` for sure.
    verdict, reason : str
        What the recommended loop does (see ``Limit``), and why; ``exact`` where the features determine the labels, to rounding:
        nothing is judged then; ``theory does not fit`` where ``check`` failed, and what the
        replay says.
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
        Name (``recommended``, ``real_only``, ``synthetic_only``, ``today``; with fresh covariates ``keep_all_labels`` too) ->
        (T + 1,) excess risk of generations 0 ... T.
    advice : str
        ``keep_all_labels`` where keeping all real labels is better than any mix at the horizon (the mix is for when old rows
        or labels cannot be kept), ``real_only`` where the recommended loop uses no synthetic label, or ``mix``.
    long_run_risk : float or None
        Excess risk of the recommended loop in the long run (inf if it diverges), where the horizon is another.
    labelled : float
        Share of rows with a real label.
    rows_per_generation : int or None
        Rows of a generation, with fresh covariates.
    backtest : dict or None
        Name -> (mean squared error on later rows, its standard error), where the table has a time column; sample weights
        count in fits and errors.
    schedule : tuple of float or None
        Real weights w_1 ... w_T of the rows that have a real label, where a schedule was asked for. Of the best
        constant weight, the greedy schedule, the best one that never rises and the best of all it is the first whose prediction
        error at the horizon is within 0.1% of the least.
    check : Check or None
        The recommended loop replayed on the table's own rows with known signals, against theory; None where the table does
        not allow it, and then ``unchecked`` says why.
    unchecked : str or None
        Why there is no ``check``.
    correction : float
        What all excess risks were multiplied by, since the replay found the setting right and its figures not; 1 otherwise.
    label_renewal : float or None
        kappa, with frozen covariates: the share of the noise that is drawn anew when a row is labelled again: as given,
        0 for a target of classes, as repeated rows show (then with an interval), or 1 where nothing shows it.
    other_end : OtherEnd or None
        The best loop were labels renewed the other way, where ``label_renewal`` is assumed or taken for classes.
    step : str or None
        What a generation is called where the table has times: ``day``, ``week``, ``month``, ``quarter``, ``year`` or ``step``.
    teaching : TeacherLabels or None
        What a teacher's labels are worth in one fit to a generation's rows, where ``predictions`` were given.
    compare : callable
        Works out ``best``, ``best_under``, ``rivals`` and ``persistence`` when one of them is asked for.
    options : dict
        What ``recommend`` was asked for beside the defaults: names of files and columns as such, True for arrays and frames.
    """

    _words = "recommendation"

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
    advice: str = "mix"
    long_run_risk: float | None = None
    labelled: float = 1.0
    rows_per_generation: int | None = None
    backtest: Mapping[str, tuple[float, float]] | None = None
    schedule: tuple[float, ...] | None = None
    check: Check | None = None
    unchecked: str | None = None
    correction: float = 1.0
    options: Mapping[str, object] = field(default_factory=dict)
    verdict_probabilities: Mapping[str, float] = field(default_factory=dict)
    loops: tuple[Loop, ...] = ()
    label_renewal: float | None = None
    other_end: OtherEnd | None = None
    step: str | None = None
    teaching: TeacherLabels | None = None
    compare: Callable[[], dict[str, Any]] = field(default=lambda: dict(_NOTHING), repr=False)

    @cached_property
    def _compared(self) -> dict[str, Any]:
        return self.compare()

    @property
    def best(self) -> str:
        """The best way to remember that ``may_keep`` allows, by its name in ``rivals``."""
        return str(self._compared["best"])

    @property
    def best_under(self) -> Mapping[str, str]:
        """What may be kept (``nothing``, ``model``, ``moments``, ``rows``) -> the best way then, by its name in ``rivals``."""
        found: Mapping[str, str] = self._compared["best_under"]
        return found

    @property
    def rivals(self) -> Mapping[str, Mapping[str, Any]]:
        """Ways to remember at the horizon (12 in the long run), each at its own best; worked out when they are first asked for.

        ``real_only``, ``mixed``, ``anchored`` (the penalty pulls towards the previous model), ``anchored_mixed``, ``keep_all``;
        with new rows also ``forgetting``, and ``window`` where it is best -> ``penalty`` per row of the fit, ``alpha``,
        ``real_weight``, ``row_weight`` (of rows without a real label; 0 leaves them out), ``anchor``, ``kept_generations``
        (None: all) and ``forgetting``; what has to be ``stored`` and whether that is ``allowed``; ``risk``,
        ``prediction_error`` with a 90% ``prediction_error_interval``, its ``difference`` to the best one with a 90%
        ``difference_interval``; and from a table with times the ``backtest``, mean squared error on the next step and its
        standard error, and its ``backtest_difference`` to that of the best one, likewise. There models are judged on the next
        step under the drift that the labels show, and the intercept is a feature: a column of ones. ``today``, the loop in use,
        is among them where its real weight or row weight was given, and ``taught``, real labels with those of a teacher, where
        ``teaching`` says to use these and there are no times.
        """
        found: Mapping[str, Mapping[str, Any]] = self._compared["rivals"]
        return found

    @property
    def persistence(self) -> tuple[float, tuple[float, float]] | None:
        """c of the coefficients from one time step to the next, with a 90% interval; None without times."""
        found: tuple[float, tuple[float, float]] | None = self._compared["persistence"]
        return found

    def code(self, way: str | None = None) -> str:
        """Lines of scikit-learn that carry a way out in one generation; of the best one, unless another of ``rivals`` is named.

        Raises ValueError where there is none of that name.
        """
        name = self.best if way is None else choice("way", way, tuple(self.rivals))
        return lines(self, name)

    def to_dict(self) -> dict[str, Any]:
        """Everything, by the keys of ``--json`` (docs/keys.md): plain numbers, text, lists and dicts; inf where unbounded."""
        found = super().to_dict()
        del found["compare"]
        compared: dict[str, Any] = plain(self._compared)
        return found | compared

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_compared": self._compared, "compare": dict(_NOTHING).copy}

    def __post_init__(self) -> None:
        if not self.loops:
            object.__setattr__(self, "loops", (self.loop,))

    def to_frame(self) -> Any:
        """The recommended mix, its baselines and the ways to remember as a pandas data frame.

        A row for each: ``recommended``, names of ``baselines``, then names of ``rivals``. Of all of them ``risk`` and
        ``prediction_error`` (squared label units) and ``change``, that of the prediction error against the recommended mix in
        percent; of the ways also the keys of ``rivals``. Real labels only, which are both, have one row.
        """
        baselines = {"recommended": (self.risk, self.prediction_error, 0.0)}
        baselines |= {each.key: (each.risk, each.prediction_error, each.change) for each in rivals(self)}
        names = [*baselines, *(name for name in self.rivals if name not in baselines)]
        keys = [key for way in list(self.rivals.values())[:1] for key in way if key not in ("risk", "prediction_error")]
        figures = [baselines.get(name) or self._figures(name) for name in names]
        columns: dict[str, Any] = dict(zip(("risk", "prediction_error", "change"), zip(*figures, strict=True), strict=True))
        columns |= {key: [self.rivals.get(name, {}).get(key) for name in names] for key in keys}
        return frame(columns, names)

    def _figures(self, name: str) -> tuple[float, float, float]:
        """Risk, prediction error and its change of a way to remember."""
        way = self.rivals[name]
        error = way["prediction_error"]
        change = 100 * (error / self.prediction_error - 1) if 0 < self.prediction_error < math.inf else math.nan
        return way["risk"], error, change


def advice_of(risk: float, real_alone: bool, baselines: Mapping[str, float | None]) -> str:
    """What is best at the horizon: keeping all real labels, real labels only (``real_alone``), or the mix."""
    kept = baselines["keep_all_labels"]
    if kept is not None and kept < risk * (1 - 1e-9):
        return "keep_all_labels"
    return "real_only" if real_alone else "mix"


def told(found: Check | str) -> tuple[Check | None, str | None]:
    """A check, or why there is none."""
    return (None, found) if isinstance(found, str) else (found, None)


def judged(check: Check | None, theory: tuple[str, str]) -> tuple[str, str]:
    """Verdict and reason: theory's, with what the replay says of its figures, or the replay's where nothing can be trusted."""
    if check is None or check.fits:
        return theory
    return (theory[0], f"{theory[1]}; {check.reason()}") if check.trusted else (DOES_NOT_FIT, check.reason())


def corrected(found: "Recommendation", factor: float) -> "Recommendation":
    """With all excess risks multiplied by what the replay found them to be off by; those of ``rivals`` are already."""
    if factor == 1.0:
        return found
    noise = found.noise_variance

    def error(end: float) -> float:
        return noise + factor * (end - noise) if end > noise else end

    low, high = found.intervals["risk"]
    least, most = found.intervals["prediction_error"]
    intervals = {**found.intervals, "risk": (low * factor, high * factor), "prediction_error": (error(least), error(most))}
    return replace(
        found,
        correction=factor,
        risk=factor * found.risk,
        prediction_error=noise + factor * found.risk,
        intervals=intervals,
        other_end=None if found.other_end is None else found.other_end.times(factor, noise),
        baselines={name: None if risk is None else factor * risk for name, risk in found.baselines.items()},
        risk_by_weight=factor * found.risk_by_weight,
        risk_by_weight_tuned=factor * found.risk_by_weight_tuned,
        risk_by_generation={name: factor * risks for name, risks in found.risk_by_generation.items()},
        long_run_risk=None if found.long_run_risk is None else factor * found.long_run_risk,
    )


def ratio(null: float, noise: float) -> float:
    """Signal-to-noise ratio; inf without noise."""
    return max(null, 0.0) / noise if noise > 0 else math.inf
