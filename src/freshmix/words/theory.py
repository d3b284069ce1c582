"""What theory says of a population and a loop, in parts: the loop, the population, courses, the best loops, turning points."""

import math
from collections.abc import Sequence
from typing import Any

from ..arguments import HORIZON
from .figures import figures
from .layout import Answer, Block, Grid, Lines, Pairs, Verdict
from .loop import in_words
from .remembering import NAMES

APPROACHED = " (approached, not attained)"
# Generations that raise the risk by less than this part do not hurt.
_WORSE = 1e-3
COURSES = {
    "loop": "this loop",
    "best_weight": "best weight",
    "best_loop": "best loop",
    "real_only": "real only",
    "synthetic_only": "synthetic only",
}

# A ``freshmix.theory.Theory``: it stands above this room, and is read by its fields alone.
Theory = Any


def answer(found: Theory) -> Answer:
    """All of it."""
    return (
        Block((assumption(found), population(found))),
        Verdict(found.limit.verdict, found.limit.reason),
        Grid("Excess risk by generation (squared label units)", *courses(found)),
        *([Pairs("Best in the long run", best(found))] if found.best_weight is not None else []),
        Lines("Where it turns", turns(found)),
    )


def assumption(found: Theory) -> str:
    """The loop that is assumed, in a sentence or two."""
    best = found.filled_in and found.best_weight is not None
    return in_words(found.loop) + (" The real weight is the best one." if best else "")


def population(found: Theory) -> str:
    """Spectrum, signal and noise, in one sentence."""
    p = found.population
    tau = p.eigenvalues
    spectrum = f"{tau.size} eigenvalues from {tau.min():.4g} to {tau.max():.4g}"
    if tau.size == 1:
        spectrum = f"all eigenvalues {tau[0]:.4g}"
    more = ""
    if p.row_sizes is not None:
        more += f"; rows of unequal size, {p.row_sizes[0].min():.4g} to {p.row_sizes[0].max():.4g} around a mean of 1"
    if p.persistence < 1:
        more += f"; coefficients drift, persistence {p.persistence:.4g}"
    known = f"null risk {p.null_risk:.4g}, signal-to-noise ratio {figures(p.signal_to_noise_ratio)}"
    return f"Population: {spectrum}; {known}{more}."


def courses(found: Theory) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Names and rows of the excess risk by generation: the early ones, then fewer and fewer, and the long run."""
    known = [name for name in COURSES if name in found.by_generation]
    T, risks = found.generations, [found.by_generation[name] for name in known]
    ranges = (range(6), range(10, 21, 5), range(30, 101, 10), range(200, 1001, 100), range(2000, T, 1000), [T])
    shown = sorted({t for each in ranges for t in each if t <= T})
    rows: list[Sequence[str]] = [(str(t), *(figures(float(risk[t])) for risk in risks)) for t in shown]
    rows.append(("long run", *(figures(risk.attrs["limit"]) for risk in risks)))
    return ("t", *(COURSES[name] for name in known)), rows


def best(found: Theory) -> list[tuple[str, str]]:
    """The best loops in the long run."""
    names = {"best real weight at this penalty": found.best_weight, "best weight and penalty": found.best_loop}
    rows = []
    for name, optimum in names.items():
        groups = optimum.loop.groups or ()
        text = f"w = {optimum.real_weight:.6g}, penalty {optimum.loop.penalty:.4g}, excess risk {figures(optimum.risk)}"
        if len(groups) > 1:
            weight = next((group.row_weight for group in groups if not group.labelled), 0.0)
            text += f", row weight {weight:.4g} without a real label"
        rows.append((name, text + ("" if optimum.attained else APPROACHED)))
    return rows


def turns(found: Theory) -> list[str]:
    """Where the loop turns from one verdict to another, a line each."""
    if found.best_weight is None:
        return ["kept rows go with real labels alone: there is no weight to choose, and no collapse"]
    if found.improving_weights:
        spans = " and ".join(f"{low:.4g} < w < {high:.4g}" for low, high in found.improving_weights)
        said = [f"better than real labels only in the long run for {spans}"]
    else:
        said = ["no real weight is better than real labels only in the long run at this penalty"]
    said.append(_boundary(found))
    if found.limit.collapse_number is not None:
        said.append(f"collapse number at this aspect: {figures(found.limit.collapse_number)}")
    return said + stop(found) + remembered(found)


def stop(found: Theory) -> list[str]:
    """Where to stop, where more generations hurt."""
    t, T, risks = found.stop_at, found.generations, found.by_generation.loop.values
    if not risks[T] > risks[t] * (1 + _WORSE):
        return []
    return [
        f"stop at generation {t}: excess risk {figures(float(risks[t]))} there, {figures(float(risks[T]))} at generation {T}"
    ]


def remembered(found: Theory) -> list[str]:
    """Which ways to remember beat the best loop: the best with the last model alone, and the best of all."""
    if found.best_loop is None or found.loop.labelled == 0:
        return []
    better = found.best_loop.beaten_by(HORIZON)
    if not better:
        return [f"no other way to remember is better than the best loop at generation {HORIZON}"]
    best = next(iter(better))
    one = next((name for name, way in better.items() if way.stored == "model"), best)
    told = [f"{NAMES[name]} ({figures(better[name].risk)})" for name in dict.fromkeys((one, best))]
    return [f"better than the best loop at generation {HORIZON}: {' and '.join(told)}"]


def _boundary(found: Theory) -> str:
    if found.collapse_boundary:
        spans = " and ".join(f"{low:.4g} to {figures(high)}" for low, high in found.collapse_boundary)
        return f"diverges at aspects {spans} (collapse number of 1 or more)"
    if found.collapse_boundary is not None:
        return "diverges at no aspect ratio (collapse number below 1)"
    if math.isinf(found.limit.first):
        return "unbounded at every real weight: without a penalty this aspect is the interpolation threshold"
    silent = found.loop.synthetic_noise_ratio * found.population.noise_variance == 0
    if found.loop.penalty > 0 or silent:
        return "bounded at every real weight"
    return "bounded at every real weight above 0; at 0 the risk grows linearly"
