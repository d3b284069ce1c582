"""What a label plan holds."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from ..arguments import Floats, choice
from ..loop import Loop
from ..population import Population
from ..views import Pictured, frame, plain
from ..words import remembering


@dataclass(frozen=True, eq=False)
class Advice:
    """Ways of remembering, each at its own best with as many labels as it needs.

    From a table with times they are judged on the next step, under the drift that the table shows.

    Attributes
    ----------
    best : str
        The best way that ``may_keep`` allows: the recommended one, or the one that needs the fewest labels for a target.
    ways : dict
        Name of a way -> ``labels`` and ``cost`` per generation (inf: out of reach), the ``risk``, ``prediction_error`` and its
        root ``rmse`` that they bring, the prediction errors with as many labels as ``now`` and with ``all_labelled``,
        ``as_much_as_alone`` (the labels that do what real labels alone do with as many as now, or that meet the target), what
        has to be ``stored`` and whether that is ``allowed``, and settings to carry it out: ``penalty`` per row of the fit,
        ``alpha``, ``real_weight``, ``row_weight``, ``anchor``, ``kept_generations`` (None: all), ``forgetting``.
    curves : dict
        (m,) arrays over ``labels`` per generation: ``cost``, the prediction error of each way, ``low`` and ``high`` (90%) of
        that of the best one, and ``label_gain``, by how much one label more lowers its root.
    best_intervals : dict
        Of the best way: ``prediction_error``, ``rmse`` and, with a target, ``labels`` -> (low, high), 90%.
    aim : str
        What decided the labels of ``ways``: ``target``, ``budget``, ``value`` or else ``knee``, past which twice as many labels
        lower the root of the prediction error by less than 1%.
    value : float or None
        What one unit less of the root of the prediction error is worth in each generation, as given.
    may_keep : str
        As given.
    labels_now, labels_owned : float
        Labels per generation that the table has now, and those that the first model is fitted on.
    label_gain, break_even : float
        By how much one label more would lower the root of the best way's prediction error, and what a unit of that has to be
        worth in each generation for the label to pay.
    reading_error : float
        How far numbers read off the curves may be off, as a part of the prediction error.
    goal : float or None
        The prediction error that ``ways`` are to reach, with a target.
    compared_at : int
        The horizon of ``ways``: that of the plan, or 12 in the long run.
    step : str or None
        What a generation is called where the table has times.
    persistence : tuple or None
        Of coefficients from one time step to the next, with its 90% interval; None without times.
    """

    best: str
    ways: Mapping[str, Mapping[str, Any]]
    curves: Mapping[str, Floats]
    best_intervals: Mapping[str, tuple[float, float]]
    aim: str
    value: float | None
    may_keep: str
    labels_now: float
    labels_owned: float
    label_gain: float
    break_even: float
    goal: float | None
    compared_at: int
    step: str | None
    reading_error: float
    persistence: tuple[float, tuple[float, float]] | None


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Pictured):
    """How many real labels a loop on new rows needs in each generation, and what they bring.

    ``best``, ``ways`` and ``curves`` compare ways of remembering, as a recommendation does. The other fields are those of the
    loop that mixes real labels with the last model's, at the penalty and row weight asked for.

    Attributes
    ----------
    labels, cost : float
        Labels per generation, and what they cost; inf where the target is out of reach.
    share : float
        Labelled share of a generation's rows; 1 where the target is out of reach.
    loop : Loop
        The best loop at that share: real weight, row weight of the other rows, penalty, aspect.
    risk, prediction_error : float
        Excess risk of that loop at the horizon, and that plus the noise variance; squared units of the label.
    verdict, reason : str
        ``feasible``, ``out of reach`` (labels on all rows miss the target) or ``collapses`` (no share of labels keeps the risk
        at or below that of predicting the mean), and why.
    changes : tuple of str
        What would help where the verdict is not ``feasible``.
    intervals : dict
        Name -> (low, high), 90% intervals over posterior draws of the estimate, for the loops of the curve: ``labels`` and
        ``cost`` (with a target), ``risk``, ``prediction_error``, ``noise_variance``.
    curve : dict
        (m,) arrays over ``labels`` per generation: ``cost``, ``risk`` with ``risk_low`` and ``risk_high`` (90%),
        ``real_weight``, ``row_weight`` and ``penalty`` of the best loop, and the risks of its rivals ``real_only`` (the
        generation's labelled rows alone) and ``keep_all_labels`` (all labelled rows so far).
    rivals : dict
        Labels per generation with which ``real_only`` and ``keep_all_labels`` meet the target (inf: never); empty without one.
    target, budget : float or None
        Excess risk aimed at, and money per generation, as given.
    cost_per_label : float
        Price of one label.
    rows_per_generation, features : int
        n and p of a generation.
    aspect : float
        p / n.
    generations : int or None
        The horizon; None for the long run.
    null_risk, noise_variance, signal_to_noise_ratio : float
        Excess risk of predicting the mean, and the estimates behind the plan.
    population : Population
        The estimated population.
    assumption : str
        The loop that is assumed, in one sentence.
    warnings, notes : tuple of str
        Where the theory is on thin ice, and what was done to the table.
    options : dict
        What was asked for beside the defaults, by keyword.
    advice : Advice
        Ways of remembering, worked out when it is asked for; ``best``, ``ways`` and ``curves`` are its own.
    """

    _words = "plan"

    labels: float
    cost: float
    share: float
    loop: Loop
    risk: float
    prediction_error: float
    verdict: str
    reason: str
    changes: tuple[str, ...]
    intervals: Mapping[str, tuple[float, float]]
    curve: Mapping[str, Floats]
    rivals: Mapping[str, float]
    target: float | None
    budget: float | None
    cost_per_label: float
    rows_per_generation: int
    features: int
    aspect: float
    generations: int | None
    null_risk: float
    noise_variance: float
    signal_to_noise_ratio: float
    population: Population
    assumption: str
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    advise: Callable[[], Advice] = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def advice(self) -> Advice:
        """Ways of remembering compared."""
        return self.advise()

    @property
    def best(self) -> str:
        """The best way that may be carried out."""
        return self.advice.best

    @property
    def ways(self) -> Mapping[str, Mapping[str, Any]]:
        """Ways of remembering, by name; see ``Advice``."""
        return self.advice.ways

    @property
    def curves(self) -> Mapping[str, Floats]:
        """Prediction errors of the ways by labels per generation; see ``Advice``."""
        return self.advice.curves

    def to_dict(self) -> dict[str, Any]:
        """Everything, by the keys of ``--json`` (docs/keys.md): plain numbers, text, lists and dicts; inf where unbounded."""
        own = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "advise"}
        found: dict[str, Any] = plain(own | {each.name: getattr(self.advice, each.name) for each in fields(self.advice)})
        return found

    def code(self, way: str | None = None) -> str:
        """scikit-learn's lines for one generation of a way, by default of ``best``, with the labels of the plan.

        Raises ValueError where there is none of that name.
        """
        name = self.best if way is None else choice("way", way, tuple(self.ways))
        noise = math.sqrt(self.loop.synthetic_noise_ratio * max(self.noise_variance, 0.0))
        scaled = bool(self.options.get("standardize", True))
        return remembering.code(self.ways[name], self.advice.persistence is not None, False, noise, scaled)

    def to_frame(self) -> Any:
        """The ``curves`` as a pandas data frame: a row for each number of labels per generation."""
        return frame(self.curves)
