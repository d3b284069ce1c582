"""What a label plan holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..arguments import Floats
from ..loop import Loop
from ..population import Population
from ..views import Pictured, frame


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Pictured):
    """How many real labels a loop on new rows needs in each generation, and what they bring.

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

    def to_frame(self) -> Any:
        """The ``curve`` as a pandas data frame: a row for each number of labels per generation."""
        return frame(self.curve)
