"""Excess risk by generation and in the long run; each setting of a loop has its own file."""

from .._checks import Floats, whole
from ..equivalents import PopulationEquivalents
from ..loop import Loop
from ..population import Population
from . import frozen
from .verdict import Limit, Verdict

__all__ = ["Limit", "Verdict", "limit", "risk"]


def risk(population: Population, loop: Loop, generations: int) -> Floats:
    """Asymptotic excess risk E||bhat_t - beta||^2_Sigma of generations 0 ... T.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        The training loop, with an aspect and real weights (constant or a schedule).
    generations : int
        T, at least 0.

    Returns
    -------
    (generations + 1,) array
        In units of the squared label; inf at the interpolation threshold. The prediction error is this plus
        ``population.noise_variance``.

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range.
    ArithmeticError
        If the contour quadrature does not settle to a relative 1e-10.

    Notes
    -----
    Source: arXiv 2509.22341, generalised; MATH sections 3 and 4.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> risk(Population.isotropic(signal=2.0), Loop(aspect=2.0, penalty=0.5, real_weight=0.6), 3).round(6).tolist()
    [0.926302, 0.850147, 0.898069, 0.926146]
    """
    generations = whole("generations", generations, low=0)
    aspect = frozen_aspect(population, loop)
    equivalents = PopulationEquivalents(population, aspect)
    weights = loop.weights(generations)
    return frozen.risk_by_generation(equivalents, weights, loop.penalty, loop.synthetic_noise_ratio, loop.labels)


def limit(population: Population, loop: Loop) -> Limit:
    """Excess risk in the long run, with a verdict.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        The training loop, with an aspect and a real weight (of a schedule the last weight is kept on).

    Returns
    -------
    Limit
        ``.risk .verdict .reason .first .real_only .null .collapse_number``

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range.

    Notes
    -----
    Source: arXiv 2509.22341, generalised; MATH sections 3, 4 and 6.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> found = limit(Population.isotropic(signal=2.0), Loop(aspect=2.0, real_weight=0.2))
    >>> round(found.risk, 4), found.verdict
    (2.8889, 'collapses')
    """
    aspect = frozen_aspect(population, loop)
    return frozen.limit(PopulationEquivalents(population, aspect), loop, aspect)


def frozen_aspect(population: Population, loop: Loop) -> float:
    if not isinstance(population, Population):
        raise TypeError(f"population must be a Population, got {type(population).__name__}")
    if not isinstance(loop, Loop):
        raise TypeError(f"loop must be a Loop, got {type(loop).__name__}")
    if loop.aspect is None:
        raise ValueError("the loop needs an aspect (features / rows per generation), got none")
    if loop.covariates == "fresh":
        raise ValueError("covariates='fresh' is not supported yet: expected covariates='frozen'")
    if loop.groups is not None and loop.real_weight is None:
        raise ValueError("frozen covariates with groups of different real weights have no closed form: simulate them")
    return loop.aspect
