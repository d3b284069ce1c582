"""Titles, axes and legends of pictures, and what each picture of a page shows."""

from collections.abc import Mapping

from .figures import UNBOUNDED, figures
from .loop import RETRAININGS, horizon
from .recommendation import WAYS as WAYS
from .remembering import NAMES

# Axes.
RISK = "excess risk (squared label units)"
ERROR = "prediction error (squared label units)"
ROOT = "root of the prediction error (label units)"
WEIGHT = "real weight w (share of the real label in the mix)"
WEIGHT_PARTLY = "real weight w of labelled rows (others: synthetic)"
GAP = "error above the best (squared label units)"
GENERATION = "generation t (0: fitted on real labels)"
PENALTY = "penalty λ"
ASPECT = "aspect ratio γ = features / rows per generation"
SHARE = "share of rows with a real label"
EIGENVALUE = "eigenvalue of the features' covariance"
SHARE_OF_ALL = "share of all"

MEASURES = {
    "squared_error": "squared error on rows held out",
    "log_loss": "log loss on rows held out",
    "accuracy": "share of right classes on rows held out",
    "inaccuracy": "share of wrong classes on rows held out",
}

# Titles.
RISK_BY_GENERATION = "Excess risk by generation"
RISK_BY_WEIGHT = "Excess risk against the real weight"
RISK_SURFACE = "Long-run excess risk over real weight and penalty"
PHASE_DIAGRAM = "Long-run excess risk over aspect and labelled share"
COURSES = "Risk by generation"
SPECTRUM = "Spectrum, and where the signal lies"

FOUND_WEIGHT = "Best real weight of this model on this table"

# Legends.
NOT_TOLD_APART = "cannot be told from the best"
ABOVE_BEST = "above the chosen one, ± 2 standard errors"
ONE_OVER_PHI = "1/φ"
GOLDEN = "1/φ = 0.618: best without a penalty"
HALF = "1/2: the best weight is at least this where the signal has no preferred direction"
HERE = "you are here"
RECOMMENDED = "best mix"
SCHEDULE = "best schedule"
INTERVAL = "90% interval"
NOISE = "noise variance"
MEAN = "predicting the mean"
TARGET = "target"
BEST_LOOP = "best loop"
PREDICTED = "predicted"
THIS_LOOP = "this loop"
THEORY = {
    "loop": THIS_LOOP,
    "best_weight": "best weight, same penalty",
    "best_loop": "best weight and penalty",
    "real_only": WAYS["real_only"],
    "synthetic_only": WAYS["synthetic_only"],
}
WAY = NAMES
NOT_DRAWN = "Unbounded values, and those more than a thousand times the risk of the mix, are not drawn."
NULL = "null risk (predicting 0)"
NULL_LINE = "white line: null risk"
DIVERGES = "diverges (Ψ ≥ 1): hatched"
UNBOUNDED_THROUGHOUT = "unbounded throughout"
UNBOUNDED_LATER = "this loop is unbounded in the long run"
UNBOUNDED_IN_THE_END = f"{UNBOUNDED} {horizon(None)}"
BEST_AT_EACH_PENALTY = "best weight at each penalty"
CONSTANT = "constant weight at its best penalty"
TUNED = "λ re-tuned at each weight"
REPLAYED = "replayed, ± 2 standard errors"
SIMULATION = "simulation"
SIMULATED = "simulated, ± 2 standard errors"
COLLAPSE = "diverges inside"
SPECTRUM_OF = {"share": "of the directions", "signal": "of the signal"}


def replayed(repeats: int, last: int, by_weight: bool) -> str:
    """Title of a replay with any model."""
    when = f"generation {last}, " if by_weight else ""
    return f"Replay: {when}mean of {repeats} repeats" + (", ± 2 standard errors" if repeats > 1 else "")


def best_of_tried(weight: float) -> str:
    """The best weight of a search."""
    return f"chosen: {figures(weight)}"


def above(measure: str) -> str:
    """Axis of differences from the best weight."""
    return f"{MEASURES[measure].removesuffix(' on rows held out')} above the chosen weight's"


def of_page(real_weight: float) -> dict[str, str]:
    """What the pictures of a recommendation's page show, for those who cannot see them."""
    return {
        "weights": f"Excess risk against the real weight; best mix: {figures(real_weight)}",
        "generations": "Excess risk by generation for the recommendation and its rivals",
        "ways": "How far each way to train is behind the best, with intervals",
        "check": "Excess risk by generation: predicted, and replayed on the table's rows",
    }


def of_plan(labels: float, step: str | None) -> str:
    """What the picture of a plan's page shows."""
    at = step or "generation"
    return f"Root of the prediction error by labels a {at}, for each way to train; the plan: {figures(labels)} labels"


def best_weight(generations: int | None, step: str = RETRAININGS) -> str:
    """Title of the risk against the real weight."""
    return f"Best real weight {horizon(generations, step)}"


def memory(generations: int) -> str:
    """Title of ways to remember."""
    return f"Ways to remember, each at its best, {horizon(generations)}"


def ways(generations: int | None, step: str = RETRAININGS) -> str:
    """Title of the ways of training."""
    return f"Ways to train, {horizon(generations, step)}"


def of_generations(step: str | None) -> str:
    """The axis of generations, by what the table calls them."""
    return GENERATION if step is None else f"{step} (0: fitted on real labels)"


def plan(generations: int, step: str | None) -> str:
    """Title of a plan's curves."""
    return f"Typical error {horizon(generations, step or RETRAININGS)}, by labels a {step or 'generation'}"


def labels(step: str | None) -> str:
    """Axis of a plan's curves."""
    return f"labels a {step or 'generation'}"


def now(labels: float) -> str:
    """The table's own number of labels."""
    return f"now: {labels:.3g}"


def check(fits: bool | None, z: float = 0.0) -> str:
    """Title of a replay; None where there was none."""
    asked = "Does the theory fit?"
    return asked if fits is None else f"{asked} {'Yes' if fits else 'No'}: largest z-score {z:+.1f}"


def comparison(replicates: int, beside_theory: bool) -> str:
    """Title of a simulation, beside theory or alone."""
    bars = f"mean of {replicates} replicates, bars of two standard errors" if replicates > 1 else "one replicate"
    return f"{'Theory and simulation' if beside_theory else 'Simulation'}: {bars}"


def at(point: Mapping[str, float]) -> str:
    """Coordinates of a grid, as in ``w = 0.5, λ = 0.1``."""
    symbols = {"real_weight": "w", "penalty": "λ", "generation": "t", "aspect": "γ", "labelled": "labelled share"}
    return ", ".join(f"{symbols[name]} = {value:.3g}" for name, value in point.items())


def long_run(risk: str) -> str:
    """Where a course ends."""
    return f"long run: {risk}"


def here(point: Mapping[str, float]) -> str:
    """The point that the controls say, on hover.

    >>> here({"real_weight": 0.6, "penalty": 0.25})
    'you are here: w = 0.6, λ = 0.25'
    """
    return f"{HERE}: {at(point)}"


def best(when: str, point: Mapping[str, float] | None = None) -> str:
    """The best point of a picture.

    >>> best("in the long run", {"real_weight": 0.618})
    'best in the long run: w = 0.618'
    """
    name = f"best {when}".strip()
    return f"{name}: {at(point)}" if point else name


# What is said on hover: texts are numbers, or a picture's placeholders of them.


def of_generation(name: str, generation: str, risk: str) -> str:
    """A course at a generation."""
    return f"{name}<br>generation {generation}: excess risk {risk}"


def of_weight(name: str, weight: str, risk: str) -> str:
    """A curve at a real weight."""
    return f"{name}<br>w = {weight}: excess risk {risk}"


def of_pair(risk: str, weight: str, penalty: str) -> str:
    """A point of the surface over real weight and penalty."""
    return f"excess risk {risk} in the long run<br>real weight w = {weight}<br>penalty λ = {penalty}"


def best_at(weight: str, penalty: str) -> str:
    """The best weight at a penalty."""
    return f"best weight at penalty λ = {penalty}: w = {weight}"


def of_phase(risk: str, aspect: str, share: str) -> str:
    """A point of the phase diagram."""
    return f"excess risk {risk} in the long run<br>aspect γ = {aspect}<br>share of rows with a real label: {share}"


def of_way(name: str, risk: str, stored: str, allowed: bool) -> str:
    """A way to remember at the horizon."""
    kept = f"to be kept: {stored}" + ("" if allowed else " (more than may be kept)")
    return f"{name}<br>excess risk {risk}<br>{kept}"


def of_eigenvalue(eigenvalue: str, share: str, signal: str, share_above: str, signal_above: str) -> str:
    """A band of directions; shares in percent."""
    return (
        f"eigenvalue {eigenvalue}: {share}% of the directions, {signal}% of the signal<br>"
        f"from here up: {share_above}% of the directions hold {signal_above}% of the signal"
    )


def at_zero(percent: str) -> str:
    """Directions in which no feature varies."""
    return f"{percent}% of the directions have eigenvalue 0"


def at_penalty(penalty: float) -> str:
    """The penalty of a curve over weights."""
    return f"{PENALTY} = {penalty:.3g}"


def planned(labels: float, cost: float) -> str:
    """The point of a plan."""
    return f"{labels:g} labels, cost {cost:.4g}"


def unbounded(low: float, high: float) -> str:
    """The weights at which the risk is unbounded."""
    return f"{UNBOUNDED} at w = {low:.3g}" + (f" to {high:.3g}" if high > low else "")
