"""Risks by generation of one or more loops on frozen covariates that differ in their weights alone."""

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..equivalents import Equivalents
from .contour import functionals
from .filters import ridge_filters
from .long_courses import along, memory, settled_after

# rho, kappa and alpha: what the formulas ask of a loop beside its weights and its penalty.
Law = tuple[float, float, float]


def settled_courses(equivalents: Equivalents, weights: Floats, penalty: float, kept: Floats, law: Law) -> Floats:
    """Excess risk of generations 0 to T, (T + 1,) for (T,) weights and (T + 1, m) for (T, m) of them, on one contour.

    ``kept`` are the ``contractions`` of the weights, of the same shape. Raises ArithmeticError if the quadrature does not
    settle to 1e-10.
    """
    noise_ratio, renewal, anchor = law
    total, loops = weights.shape[0], weights.shape[1:]
    constant, settled = 0, 0
    if weights.size:
        columns = zip(np.atleast_2d(weights.T), np.atleast_2d(kept.T), strict=True)
        constant, settled = (max(each) for each in zip(*(settled_after(*column) for column in columns), strict=True))
    most = kept if kept.ndim == 1 else kept.max(axis=1)

    def at(generations: NDArray[np.intp]) -> Floats:
        order, place = np.unique(generations, return_inverse=True)
        head = weights[: order[-1]]
        filters = ridge_filters(head, penalty, noise_ratio, renewal, anchor, shown=set(order.tolist()))
        bias, variance = functionals(equivalents, penalty, memory(most[: head.shape[0]]), filters)
        return np.asarray((bias + variance).reshape(order.size, *loops)[place])

    risks = along(constant, settled, at)
    # From there on nothing changes any more.
    return np.concatenate([risks, np.repeat(risks[-1:], total - settled, axis=0)])
