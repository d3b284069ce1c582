"""How far to trust an outside teacher: the best weights of its labels, and how wrong it may be (mathematics.md section 5)."""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import brentq, minimize

from ..arguments import Floats, number
from ..loop import Group, Loop
from ..population import Population
from ..risks.fresh import FreshSetting
from ..risks.taught import by_generation
from ..teacher import Teacher
from ..views import View

# Starts of the search: log10 of the penalty over that of real labels only, real weight, and root of the row weight.
_PENALTIES, _WEIGHTS, _ROWS = (-2.0, -1.0, 0.0, 0.5), (0.2, 0.6, 0.95), (0.1, 0.5, 1.0)
_STARTS = 3
# Errors of a teacher beyond this many times its own are not looked at.
_MOST = 1e4


@dataclass(frozen=True, eq=False, repr=False)
class Teaching(View):
    """One fit on real labels and a teacher's, at its best.

    Attributes
    ----------
    loop : Loop
        With its penalty and groups: rows with a real label, whose labels are ``w * real + (1 - w) * teacher``, and rows
        with the teacher's alone.
    real_weight, row_weight, penalty : float
        w; the loss weight of rows without a real label, others counting 1; lambda.
    risk : float
        Excess risk.
    real_only : float
        That of the best ridge on the rows with a real label.
    teacher_alone : float
        That of the teacher's own predictions.
    tolerable : float
        How many times the energy of its error ``phi - beta`` the teacher might have before its labels lower the risk of
        ``real_only`` by less than 1%, used at their best; inf where it may have ten thousand times.
    """

    _words = "teaching"

    loop: Loop
    real_weight: float
    row_weight: float
    penalty: float
    risk: float
    real_only: float
    teacher_alone: float
    tolerable: float


def optimal_teaching(population: Population, loop: Loop, teacher: Teacher, *, worth: float = 0.01) -> Teaching:
    """Best penalty, real weight and row weight of one fit on real labels and a teacher's.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        Its aspect, and the share of its rows that have a real label (``Loop.partially_labelled``); the rest is searched.
    teacher : Teacher
        Who labels rows, those with a real label too.
    worth : float
        Gain over real labels only, as a part of their risk, for which a teacher is worth using (see ``Teaching.tolerable``).

    Returns
    -------
    Teaching

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range, or no row has a real label.

    Examples
    --------
    >>> from freshmix import Loop, Population, Teacher
    >>> population = Population.isotropic()
    >>> loop = Loop.partially_labelled(aspect=0.5, labelled=0.2)
    >>> found = optimal_teaching(population, loop, Teacher.of(population, error=0.1))
    >>> found.risk < min(found.real_only, found.teacher_alone)
    True
    """
    worth = number("worth", worth, above=0.0, high=1.0)
    if loop.aspect is None:
        raise ValueError("the loop needs an aspect (features / rows), got none")
    share = loop.labelled
    if share == 0:
        raise ValueError("loop must have rows with a real label, got none")
    groups = [Group(share)] if share == 1 else [Group(share), Group(1 - share, 1.0, 0.0)]
    plain = FreshSetting(population, (loop.replace(covariates="fresh", groups=groups, anchor=0.0),))
    penalty, real_only = plain.real_only().best()
    start = penalty * share if penalty > 0 else 1e-6 * plain.scale
    best, risk = _best(population, loop, teacher, start)
    signal, alignment = teacher.beside(population)
    apart = float(population.eigenvalues @ (signal - 2 * alignment + population.signal))
    used = best.groups or ()
    return Teaching(
        loop=best,
        real_weight=used[0].real_weight,
        row_weight=used[-1].row_weight if share < 1 else 1.0,
        penalty=best.penalty,
        risk=min(risk, real_only),
        real_only=real_only,
        teacher_alone=apart + teacher.noise_variance,
        tolerable=_tolerable(population, loop, teacher, start, (1 - worth) * real_only),
    )


def _groups(share: float, w: float, a: float) -> list[Group]:
    real = Group(share, 1.0, w, labelled=True, labels_from="teacher")
    return [real] if share == 1 else [real, Group(1 - share, a, 0.0, labels_from="teacher")]


def _best(population: Population, loop: Loop, teacher: Teacher, start: float, starts: int = _STARTS) -> tuple[Loop, float]:
    """The best loop of one fit, from a few starts."""
    share = loop.labelled

    def made(x: Floats) -> Loop:
        groups = _groups(share, float(x[1]), float(x[2]) ** 2)
        return loop.replace(covariates="fresh", penalty=start * 10 ** float(x[0]), groups=groups, anchor=0.0)

    def risk(x: Floats) -> float:
        return math.log(float(by_generation(population, made(x), 1, "now", teacher)[1]))

    points = [np.array(point) for point in product(_PENALTIES, _WEIGHTS, _ROWS if share < 1 else (1.0,))]
    points.sort(key=risk)
    bounds = [(-6.0, 4.0), (0.0, 1.0), (1e-3, 3.0)]
    found = min((minimize(risk, x, bounds=bounds, method="L-BFGS-B") for x in points[:starts]), key=lambda each: each.fun)
    return made(found.x), math.exp(found.fun)


def _tolerable(population: Population, loop: Loop, teacher: Teacher, start: float, enough: float) -> float:
    """The factor of the teacher's error at which its best use comes to this risk."""
    signal, alignment = teacher.beside(population)
    g = population.signal

    def worse(factor: float) -> Teacher:
        # phi = beta + root(factor) (phi - beta)
        root = math.sqrt(factor)
        apart, along = signal - 2 * alignment + g, alignment - g
        return Teacher(np.maximum(g + 2 * root * along + factor * apart, 0.0), g + root * along, teacher.noise_variance)

    def over(log_factor: float) -> float:
        return _best(population, loop, worse(math.exp(log_factor)), start, 1)[1] - enough

    low, high = -math.log(_MOST), math.log(_MOST)
    if over(low) > 0:
        return 0.0
    if over(high) < 0:
        return math.inf
    return math.exp(brentq(over, low, high, xtol=1e-2))
