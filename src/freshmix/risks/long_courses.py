"""Many generations of a loop on frozen covariates: what they remember, and where nothing changes any more."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BarycentricInterpolator

from ..arguments import Floats

# What a product of contractions comes to where nothing of the past is left.
_NOTHING = 1e-18
# Beyond so many generations of a constant loop only some are computed: the risk is analytic in log t there.
_DENSE, _NODES = 512, 48
_AGREEMENT = 1e-10


def contractions(weights: Floats, penalty: float, largest: float, anchor: float = 0.0) -> Floats:
    """(T,) most that generation t keeps of the one before: |m_t| at the largest eigenvalue or, alpha, at 0."""
    q = largest / (largest + penalty)
    return np.asarray(np.maximum(np.abs(anchor * (1 - q) + (1 - weights) * q), anchor))


def memory(kept: Floats) -> int:
    """Most generations in a row over which the (T,) contractions leave something: the degree of filters in q that matters."""
    # Generations that grow on the one before forget nothing.
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.clip(kept, 1e-300, 1.0)))])
    # logs fall: the first generation from which on all that came before t is nothing.
    first = np.searchsorted(-logs, -(logs - math.log(_NOTHING)), side="right") - 1
    return int(np.max(np.arange(logs.size) - np.maximum(first, 0)))


def settled_after(weights: Floats, kept: Floats) -> tuple[int, int]:
    """The generation after which the weight is constant, and the one after which the risk is too (at most T)."""
    changes = np.flatnonzero(np.diff(weights))
    constant = int(changes[-1]) + 1 if changes.size else 0
    rate = float(kept[-1])
    steps = math.ceil(math.log(_NOTHING) / math.log(rate)) if 0 < rate < 1 else 0 if rate == 0 else weights.size
    return constant, min(weights.size, constant + steps + 1)


def along(constant: int, generations: int, at: Callable[[NDArray[np.intp]], Floats]) -> Floats:
    """(T + 1,) risks of generations 0 ... T from those that ``at`` computes, of a loop that is constant after ``constant``.

    All of them are up to ``_DENSE`` more; then the risk at Chebyshev nodes in log t gives the others.

    Raises ArithmeticError where these do not agree with the risk itself to 1e-10 halfway between.
    """
    dense = constant + _DENSE
    if generations <= 2 * dense:
        return at(np.arange(generations + 1))
    low, high = math.log(_DENSE), math.log(generations - constant)
    x = (low + high) / 2 - (high - low) / 2 * np.cos(np.pi * np.arange(_NODES + 1) / _NODES)
    nodes = np.unique(constant + np.round(np.exp(x)).astype(int))
    between = np.unique((nodes[:-1] + nodes[1:]) // 2)[:: _NODES // 4]
    found = at(np.concatenate([np.arange(dense), nodes, between]))
    head, at_nodes, true = np.split(found, [dense, dense + nodes.size])
    line = BarycentricInterpolator(np.log(nodes - constant), at_nodes)
    if np.max(np.abs(line(np.log(between - constant)) - true) / np.maximum(np.abs(true), 1e-300)) > _AGREEMENT:
        raise ArithmeticError(f"the risk of {generations} generations did not settle: ask for fewer, or for the long run")
    return np.concatenate([head, line(np.log(np.arange(dense, generations + 1) - constant))])
