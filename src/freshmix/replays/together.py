"""Are rows near each other in a table alike? Ridge with neighbours held out together, against rows held out at random.

Where rows are independent their order says nothing, and neighbours are held out like any others: the excess risk then has its
place among those of random draws, whatever else the theory assumes.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.stats import t as student

from ..arguments import Floats
from ..prepared import Order
from ..words import replay as words
from .check import LEAST_HARM, MOST_GAP, ranks

# Random draws, the level of the test, the rows that it uses at most, and the runs of neighbours that these are.
DRAWS, LEVEL, MOST_ROWS, _RUNS = 12, 0.002, 800, 8
# Of the mean eigenvalue: least penalty of a fit that would interpolate.
_LEAST = 1e-6


def alike(together: float, apart: Sequence[float] | Floats, noise: float) -> str | None:
    """A warning where the excess risk with neighbours held out ``together`` is above those of random draws, rows ``apart``.

    Beyond chance at ``LEVEL``, by the t-distribution of another draw about the mean of these in logarithms; and by a tenth,
    and a fiftieth of the prediction error.
    """
    mean, logs = float(np.mean(apart)), np.log(np.maximum(apart, 1e-300))
    beyond = student.isf(LEVEL, logs.size - 1) * float(logs.std(ddof=1)) * math.sqrt(1 + 1 / logs.size)
    gap = together - mean
    large = gap > MOST_GAP * mean and gap > LEAST_HARM * (mean + noise)
    return words.neighbours(together, mean) if large and math.log(together) - float(logs.mean()) > beyond else None


def neighbours(
    X: Floats,
    beta: Floats,
    group: NDArray[np.intp],
    order: Order,
    penalty: float,
    folds: int,
    noise: float,
    rng: np.random.Generator,
    precision: Floats | None = None,
    products: Floats | None = None,
) -> str | None:
    """``alike`` for ridge on (n, p) rows of known signals, in so many folds; rows of a group stay together.

    With S held out, f_S - fhat_S = (I - H_SS)^-1 [(I - H) f]_S, H being the hat matrix of all rows (block leave-out): one
    matrix serves any number of draws. ``penalty`` is per row of a fit, ``precision`` that of each label (None: all alike);
    ``products`` are XX', where they are at hand.
    """
    place = np.argsort(order.place, kind="stable")
    if place.size > MOST_ROWS:
        starts = np.linspace(0, place.size - MOST_ROWS // _RUNS, _RUNS).astype(int)
        place = place[np.add.outer(starts, np.arange(MOST_ROWS // _RUNS)).ravel()]
    X, group = X[place], np.unique(group[place], return_inverse=True)[1].astype(np.intp)
    a = np.ones(place.size) if precision is None else precision[place]
    root, signal = np.sqrt(a), X @ beta
    left = _left(X @ X.T if products is None else products[np.ix_(place, place)], a, penalty * (1 - 1 / folds))
    residuals = left @ (signal * root[:, None])

    def risk(part: NDArray[np.intp]) -> float:
        total = 0.0
        for k in range(folds):
            S = np.flatnonzero(part[group] == k)
            error = np.linalg.solve(left[np.ix_(S, S)], residuals[S]) / root[S, None]
            total += float(np.sum(error**2))
        return total / residuals.size

    count = int(group.max()) + 1
    together = risk(ranks(group, Order(np.arange(place.size), False)) * folds // count)
    return alike(together, [risk(rng.permutation(count) % folds) for _ in range(DRAWS)], noise)


def _left(products: Floats, a: Floats, penalty: float) -> Floats:
    """(n, n) I - H of ridge with an intercept, on rows scaled by the roots of their weights a; the penalty is per row.

    From the rows' products XX', whatever their centre:
    alpha (G + alpha)^-1 - u u', for the products G of centred scaled rows, alpha = penalty sum(a), and u = root(a / sum(a)).
    """
    total = a.sum()
    to_mean = products @ a / total
    G = products - to_mean[:, None]
    G -= to_mean - a @ to_mean / total
    G *= np.multiply.outer(np.sqrt(a), np.sqrt(a))
    alpha = total * max(penalty, _LEAST * float(np.trace(G)) / a.size**2)
    u = np.sqrt(a / total)
    G[np.diag_indices(a.size)] += alpha
    return np.asarray(alpha * _inverse(G) - np.multiply.outer(u, u))


def _inverse(A: Floats) -> Floats:
    """Of a positive definite matrix, which is overwritten: by its Cholesky factor, half the work of any matrix's."""
    factor, _ = dpotrf(A.T, lower=True, overwrite_a=True)
    lower, failed = dpotri(factor, lower=True, overwrite_c=True)
    if failed:
        raise np.linalg.LinAlgError("Singular matrix")
    return np.asarray(np.tril(lower) + np.tril(lower, -1).T)
