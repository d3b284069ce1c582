"""``fm.estimate_teacher``: what an outside model's predictions on labelled rows say of it (mathematics.md sections 5 and 7)."""

import math
from typing import Any

import numpy as np

from ..arguments import Floats
from ..population import Population
from ..teacher import Teacher
from .estimated import estimate


def estimate_teacher(X: Any, y: Any, predictions: Any, *, seed: int = 0) -> tuple[Population, Teacher]:
    """The population behind a table, and the teacher behind predictions of its labels.

    Parameters
    ----------
    X : (n, p) array
        Features as numbers.
    y : (n,) array
        Real labels; NaN where a row has none.
    predictions : (n,) array
        What the teacher says of each row; NaN where it says nothing. Rows with both labels count.
    seed : int
        Seed of the posterior draws behind estimates.

    Returns
    -------
    Population, Teacher

    Raises
    ------
    TypeError, ValueError
        If the data cannot be used, or fewer than 10 rows have both labels.

    Notes
    -----
    Energies of y, of the predictions and of their difference are estimated on the same bands; inner products follow from
    ``2 <phi, beta> = |beta|^2 + |phi|^2 - |phi - beta|^2``, held within what is possible. What in the predictions is no
    linear function of the features is the teacher's noise, whose covariance with that of y follows from the three variances in
    the same way. All are taken about their means: a constant by which the predictions are off is not in it.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((400, 20))
    >>> y, predictions = X @ np.ones(20) / 4 + rng.standard_normal(400), X @ np.ones(20) / 5
    >>> population, teacher = estimate_teacher(X, y, predictions)
    >>> teacher.noise_variance < 0.1 < population.noise_variance
    True
    """
    rows = np.asarray(X, dtype=np.float64)
    labels, said = (_numbers(name, each, len(rows)) for name, each in (("y", y), ("predictions", predictions)))
    both = np.isfinite(labels) & np.isfinite(said)
    if both.sum() < 10:
        raise ValueError(f"predictions must be there for at least 10 rows with a real label, got {int(both.sum())}")
    rows, labels, said = rows[both], labels[both], said[both]
    own, theirs, apart = (estimate(rows, each, seed=seed) for each in (labels, said, said - labels))
    most = np.sqrt(own.signal * theirs.signal)
    alignment = np.clip((own.signal + theirs.signal - apart.signal) / 2, -most, most)
    noises = own.noise_variance, theirs.noise_variance
    highest = math.sqrt(noises[0] * noises[1])
    shared = float(np.clip((sum(noises) - apart.noise_variance) / 2, -highest, highest))
    parts = own.eigenvalues, own.shares, own.signal, own.noise_variance, own.row_sizes
    return Population(*parts), Teacher(theirs.signal, alignment, theirs.noise_variance, shared)


def _numbers(name: str, values: Any, rows: int) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != (rows,):
        raise ValueError(f"{name} must be {rows} numbers, one for each row, got shape {found.shape}")
    if np.isinf(found).any():
        raise ValueError(f"{name} must be finite numbers, or NaN, got inf")
    return found
