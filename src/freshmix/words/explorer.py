"""What the explorer says: names of settings and terms with what they mean, and notices."""

from collections.abc import Sequence
from typing import Any

from .figures import short
from .theory import APPROACHED

# Settings: a name, and what it is, for those who hover over it.
SETTINGS = {
    "model": ("Population", "What the data are like: how features vary together, and in which directions the signal lies."),
    "eigenvalues": ("Eigenvalues", "Variances of the features along their principal directions, with commas between them."),
    "shares": ("Shares", "The share of the directions that have each of these eigenvalues; scaled to a sum of 1."),
    "strength": ("Strength of the spike", "How much more one direction varies than the others, whose variance is 1."),
    "alignment": ("Alignment", "The cosine between the coefficients and the spike: 1 has all of the signal in it, 0 none."),
    "ratio": ("Ratio of variances", "The variance of the strong features over that of the weak ones."),
    "share": ("Share of strong features", "How many of the features are strong ones."),
    "correlation": ("Correlation", "Between neighbouring features (AR(1)), or between any two (equicorrelated)."),
    "decay": ("Decay", "Eigenvalue number j is j to the power of minus this: the larger, the fewer directions matter."),
    "source": (
        "Smoothness",
        "The larger, the more of the signal lies in the strong directions (source exponent). Empty: spread evenly.",
    ),
    "features": (
        "Features",
        "How many eigenvalues there are. Theory is that of many features, whatever their number.",
    ),
    "table": ("Your table", "The population that was estimated from your table."),
    "signal_to_noise": (
        "Signal to noise",
        "Variance that the features explain over the variance of the label noise.",
    ),
    "persistence": (
        "Persistence",
        "The part of the coefficients that the next generation keeps; the rest drifts. 1: nothing drifts.",
    ),
    "covariates": ("Rows", "Whether each retraining has the same rows again, or new ones."),
    "label_renewal": (
        "Label renewal",
        "When the same row is labelled again, the share of its label noise that is new: 1 is a fresh label, 0 the same one.",
    ),
    "labelled": ("Labelled share", "The share of new rows that get a real label; the others get the model's."),
    "first_rows": ("First rows", "Rows of the first model over the rows of any later one."),
    "aspect": ("Aspect ratio", "Features over rows of one fit. Above 1 there are more features than rows."),
    "penalty": (
        "Penalty",
        "The ridge penalty per row: scikit-learn's alpha over the number of rows. 0 is least squares, or interpolation where "
        "features outnumber rows.",
    ),
    "real_weight": (
        "Real weight",
        "The share w of the real label in the mix: label = w x real + (1 - w) x what the last model says.",
    ),
    "synthetic_noise_ratio": (
        "Synthetic noise",
        "Noise variance of the model's labels over that of real ones: 0 for plain predictions, 1 for labels that are sampled.",
    ),
    "row_weight": ("Row weight", "What a row without a real label counts in the loss (sample_weight); labelled rows count 1."),
    "anchor": (
        "Anchor",
        "The penalty pulls towards this much of the last model: 0 is plain ridge, 1 stays near the last model.",
    ),
    "kept_generations": ("Kept generations", "Of how many earlier generations the labelled rows stay in the fit."),
    "forgetting": ("Forgetting", "What a kept row counts for each generation of its age: 0.8 is 0.8, 0.64, 0.512 and so on."),
    "generations": ("Generations", "How many times the model is retrained in the picture by generation."),
    "picture": ("Picture", "What is shown below."),
}
MODELS = {
    "isotropic": "Isotropic",
    "random-effects": "Random effects",
    "spiked": "Spiked",
    "two-level": "Two levels",
    "autoregressive": "AR(1)",
    "equicorrelated": "Equicorrelated",
    "power-law": "Power law",
    "table": "Your table",
}
COVARIATES = {"frozen": "Same rows", "fresh": "New rows"}
PARTS = {"population": "Population", "loop": "Loop", "learner": "Learner", "memory": "Memory", "picture": "Pictures"}
# What the ends of sliders stand for.
ENDS = {
    "penalty": ("none", ""),
    "real_weight": ("synthetic only", "real only"),
    "label_renewal": ("same label", "new label"),
    "labelled": ("", "all rows"),
    "synthetic_noise_ratio": ("predictions", ""),
    "anchor": ("none", "last model"),
    "persistence": ("", "no drift"),
    "forgetting": ("", "none"),
}
VERDICTS = {
    "diverges": "The error grows without bound.",
    "collapses": "In the long run worse than real labels only, and worse than using no model at all.",
    "degrades": "In the long run worse than real labels only.",
    "holds": "In the long run as good as real labels only.",
    "improves": "In the long run better than real labels only.",
}
# The figures behind a verdict, by what words/verdict.py calls them.
TERMS = {
    "excess risk in the long run": "The mean squared prediction error above the unavoidable noise, after many retrainings.",
    "excess risk of generation 0": "That of the first model, which was fitted on real labels.",
    "with real labels only": "That of the same learner on the rows with a real label, without anything from the last model.",
    "of predicting the mean": "That of a model that knows nothing of the features: the variance that they explain.",
    "collapse number": "The part of the last model's error that comes back in the next one: at 1 or more the loop diverges.",
}
PICTURES = {
    "risk_by_generation": "By generation",
    "risk_by_weight": "By weight",
    "weight_penalty": "Weight and penalty",
    "phase": "Phase diagram",
    "ways": "Ways to remember",
    "spectrum": "Spectrum",
}
TITLE = "freshmix explorer"
SUBTITLE = "What becomes of a model that is retrained again and again, on real labels and on its own."
CONTROLS = "Settings"
ALL = "all"
NONE = "none"
INTERPOLATE = "0"
USE = "Use them"
FAILED = "Something went wrong in the page's server; its terminal says what. Change a setting to go on."
RESET = "Start again"
SCHEME = "Light or dark"
CODE = "In Python"
COPY = "Copy"
COPIED = "Copied"

# Why a setting is not used.
NO_TABLE = "No table yet: isotropic features stand for it. Give one below, under Your table."
NEEDS_NEW_ROWS = "Needs new rows in each generation."
NEEDS_SAME_ROWS = "Needs the same rows: new ones come with labels of their own."
NEEDS_UNLABELLED = "Needs a labelled share below 1."
NEEDS_KEPT_ROWS = "Needs kept generations."
KEEPS_ROWS = "Kept rows go with real labels alone."
# Why there is no picture.
NO_WEIGHT = "Kept rows go with real labels alone: there is no weight to choose."
NO_PHASE = "The phase diagram over labelled shares needs new rows in each generation."
NOT_AN_ADDRESS = "The address holds too much to be read: every setting is at its default."
NO_SIGNAL = "eigenvalues must hold one above 0 with a share above 0"


def label(name: str) -> str:
    """The name of a setting."""
    return SETTINGS[name][0]


def out_of_range(name: str, low: float, high: float, whole: bool, given: Any) -> str:
    """A number that will not do."""
    kind = "a whole number" if whole else "a number"
    return f"{name} must be {kind} from {low:g} to {high:g}, got {_short(given)}"


def not_a_choice(name: str, known: Sequence[str], given: Any) -> str:
    """A word that is not known."""
    return f"{name} must be one of {', '.join(known)}, got {_short(given)}"


def not_numbers(name: str, most: int, high: float, given: Any) -> str:
    """A list that will not do."""
    return f"{name} must be 1 to {most} numbers from 0 to {high:g} with commas between them, not all 0, got {_short(given)}"


def not_a_table(name: str) -> str:
    """An estimated population that cannot be read."""
    return f"{name} must be a population that freshmix wrote into an address, got something else"


def not_paired(eigenvalues: int, shares: int) -> str:
    """Lists of different lengths."""
    return f"shares must be as many as eigenvalues, got {shares} and {eigenvalues}"


def unknown(name: str) -> str:
    """A setting that does not exist."""
    return f"There is no setting called {_short(name)}."


def default_stands(refusal: str) -> str:
    """What becomes of a setting that was refused."""
    return f"{refusal}: its default stands."


def _short(given: Any) -> str:
    text = str(given)
    return text if len(text) <= 40 else f"{text[:40]}..."


def best(real_weight: float, penalty: float, risk: float, attained: bool) -> str:
    """The best loop, in a sentence."""
    tail = "" if attained else APPROACHED
    shown = "no penalty" if penalty == 0 else f"penalty {short(penalty)}"
    return f"Best in the long run: real weight {short(real_weight)}, {shown}; excess risk {short(risk)}{tail}."


def best_weight(real_weight: float, risk: float, attained: bool) -> str:
    """The best weight at the penalty that is set."""
    return f"At this penalty: real weight {short(real_weight)}; excess risk {short(risk)}{'' if attained else APPROACHED}."


# Lines of Python that give the data of pictures.
BY_WEIGHT = "risk_by_weight = theory.by_weight(population, loop)"
CALLS = {
    "weight_penalty": "weight_penalty = theory.weight_penalty(population, loop, {points})",
    "phase": "phase = theory.phase_diagram(population, loop)",
    "ways": "ways = theory.ways(population, fm.optimal_memory(population, loop))",
    "spectrum": "spectrum = theory.spectrum(population)",
}


# A best weight that is approached only has no course of its own.
_BESIDE = ', {"best_weight": best.loop} if best.attained else {}'


def by_generation(generations: int, mixes: bool) -> list[str]:
    """The lines that give the risk by generation."""
    best = ["best = fm.optimal_weight(population, loop)  # at this penalty"] if mixes else []
    beside = _BESIDE if mixes else ""
    return [*best, f"risk_by_generation = theory.by_generation(population, loop, {generations}{beside})"]


def lines(population: str, loop: str, mixes: bool, calls: Sequence[str]) -> str:
    """The Python lines behind a page, from those of its population and its loop and of the pictures."""
    said = [
        "import freshmix as fm",
        "from freshmix import theory",
        "",
        f"population = {population}",
        f"loop = {loop}",
        "print(fm.limit(population, loop))  # the verdict",
        *(["print(fm.optimal_loop(population, loop))  # the best weight and penalty"] if mixes else []),
        *calls,
    ]
    return "\n".join(said) + "\n"


def no_port(host: str, port: int, taken: bool, why: str) -> str:
    """A port that cannot be had."""
    if taken:
        return f"port {port} of {host} is in use: take another one, or 0 for any that is free"
    return f"the page cannot be served at port {port} of {host}: {why}"


def at(address: str) -> str:
    """Where the page is."""
    return f"The explorer is at {address} (Ctrl+C ends it)"
