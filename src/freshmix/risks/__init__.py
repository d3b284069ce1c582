"""Excess risk by generation and in the long run; each setting of a loop has its own file."""

from collections.abc import Sequence

from ..arguments import Floats, choice, generations_in_a_row
from ..loop import Loop
from ..population import Population
from ..teacher import Teacher
from . import taught
from .setting import check_loops, setting_of
from .verdict import Limit, Verdict

__all__ = ["Limit", "Verdict", "limit", "risk"]


def risk(
    population: Population,
    loop: Loop | Sequence[Loop],
    generations: int,
    judged: str = "now",
    teacher: Teacher | None = None,
) -> Floats:
    """Asymptotic excess risk E||bhat_t - beta||^2_Sigma of generations 0 to T.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop or sequence of Loop
        The training loop, with an aspect and real weights (constant, a schedule, or groups); with fresh covariates also a
        sequence for t = 1, 2, ..., of which the last one is kept on. Generation 0 is plain ridge on real labels.
    generations : int
        T, from 0 to 100,000.
    judged : "now" or "next"
        Whether a model is judged on the coefficients that it was fitted under, or on those of the next generation, which it
        meets in use (R_next); they differ where the population's persistence is below 1.
    teacher : Teacher, optional
        Who labels the groups that have ``labels_from="teacher"``.

    Returns
    -------
    (generations + 1,) array
        In units of the squared label; inf at the interpolation threshold. The prediction error is this plus
        ``population.noise_variance``.

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range, frozen covariates come with groups of different real weights, or rows are
        kept beside an anchor or synthetic labels (no theory: simulate).
    ArithmeticError
        If the contour quadrature of frozen covariates does not settle to a relative 1e-10.

    Notes
    -----
    Source: arXiv 2509.22341, generalised; mathematics.md sections 3 to 5.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> risk(Population.isotropic(signal=2.0), Loop(aspect=2.0, penalty=0.5, real_weight=0.6), 3).round(6).tolist()
    [1.455214, 1.365595, 1.369025, 1.371799]
    >>> half = Loop.partially_labelled(aspect=1.5, labelled=0.5)
    >>> risk(Population.isotropic(signal=2.0), half, 2).round(6).tolist()
    [2.666667, 4.444444, 5.62963]
    >>> kept = Loop(aspect=1.0, penalty=0.5, real_weight=1.0, covariates="fresh", kept_generations=None)
    >>> risk(Population.isotropic(signal=2.0).replace(persistence=0.9), kept, 3, judged="next").round(6).tolist()
    [1.2, 0.943919, 0.899675, 0.913468]
    """
    judged = choice("judged", judged, ("now", "next"))
    if teacher is not None:
        check_loops(population, loop, taught=True)
        return taught.by_generation(population, loop, generations_in_a_row(generations), judged, teacher)
    return setting_of(population, loop).by_generation(generations_in_a_row(generations), judged)


def limit(population: Population, loop: Loop | Sequence[Loop], teacher: Teacher | None = None) -> Limit:
    """Excess risk in the long run, with a verdict.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop or sequence of Loop
        The training loop, with an aspect and real weights; of a schedule or a sequence the last one is kept on.
    teacher : Teacher, optional
        Who labels the groups that have ``labels_from="teacher"``.

    Returns
    -------
    Limit
        ``.risk .verdict .reason .first .real_only .null .collapse_number``

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range, frozen covariates come with groups of different real weights, or rows are
        kept beside an anchor or synthetic labels (no theory: simulate).

    Notes
    -----
    Source: arXiv 2509.22341, generalised; mathematics.md sections 3 to 6.

    Examples
    --------
    >>> from freshmix import Group, Loop, Population, Teacher
    >>> found = limit(Population.isotropic(signal=2.0), Loop(aspect=2.0, real_weight=0.2))
    >>> round(found.risk, 4), found.verdict
    (2.8889, 'collapses')
    >>> limit(Population.isotropic(), Loop.partially_labelled(aspect=1.3, labelled=0.5)).verdict
    'diverges'
    >>> taught = Loop(aspect=1.3, covariates="fresh", groups=[Group(0.5), Group(0.5, 1.0, 0.0, labels_from="teacher")])
    >>> round(limit(Population.isotropic(), taught, Teacher([0.9], [0.9])).risk, 4)
    2.0
    """
    if teacher is not None:
        check_loops(population, loop, taught=True)
        return taught.limit(population, loop, teacher)
    return setting_of(population, loop).limit()
