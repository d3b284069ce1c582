"""Non-negative least squares that always has an answer."""

import numpy as np
from scipy.optimize import lsq_linear, nnls

from ..arguments import Floats

_STEPS = 1000


def nonnegative(design: Floats, target: Floats) -> Floats:
    """argmin |A x - b| over x >= 0, (k,) for (m, k) A and (m,) b.

    Columns that are nearly dependent can send scipy's ``nnls`` in a circle between sets of them, up to its step limit. The
    bounded least squares in its place keeps the best point so far, on columns of length 1.
    """
    try:
        return np.asarray(nnls(design, target)[0])
    except RuntimeError:
        length = np.linalg.norm(design, axis=0)
        length[length == 0] = 1.0
        return np.asarray(lsq_linear(design / length, target, (0, np.inf), method="bvls", max_iter=_STEPS).x / length)
