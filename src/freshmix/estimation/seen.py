"""Whether a teacher has seen the real labels that it is judged by.

A label's noise is new to a teacher that has not: what it is off by varies along the features as much as that noise does, or
more. A model that was fitted to these labels has taken up a part of it.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import f as f_distribution
from scipy.stats import kurtosis, norm

from ..arguments import Floats

# Chances of a false alarm, of each of the two tests; and a spread that is larger by less than this is no sign of it.
_LEVEL, _LARGER = 1e-5, 1.3
# Rows that are looked at.
_MOST = 4000
# Directions of the features are as many as half the rows at most.
_HALF = 2


@dataclass(frozen=True)
class Seen:
    """Signs of it.

    Attributes
    ----------
    along : float
        Mean square along the features of what the teacher is off by, over that across them: about 1, or more, for a teacher
        that has not seen the labels.
    spread : float
        Variance of the teacher's labels about a linear fit where the real label is there, over that where it is not; NaN where
        there are too few rows.
    sign : str or None
        Which of them is beyond chance, ``along`` or ``spread``; None where neither is.
    """

    along: float
    spread: float
    sign: str | None

    @classmethod
    def of(cls, rows: Floats, labels: Floats, said: Floats, others: Floats, said_of_others: Floats) -> "Seen":
        """From (n, p) rows with both labels, and (m, p) rows with the teacher's alone."""
        rows, labels, said, others, said_of_others = (each[:_MOST] for each in (rows, labels, said, others, said_of_others))
        square, rest, k = _along(rows, said - labels)
        left = labels.size - 1 - k
        along = square / k / (rest / left)
        chance = float(f_distribution.cdf(along, k, left))
        spread, other_chance = _spread(rows, said, others, said_of_others)
        if chance < _LEVEL:
            return cls(along, spread, "along")
        return cls(along, spread, "spread" if spread > _LARGER and other_chance < _LEVEL else None)


def _along(rows: Floats, values: Floats) -> tuple[float, float, int]:
    """Sums of squares of (n,) values about their mean, along the first k directions of the rows and across them; k."""
    centred, values = rows - rows.mean(axis=0), values - values.mean()
    most = min(centred.shape[1], (values.size - 1) // _HALF)
    U, s, _ = np.linalg.svd(centred, full_matrices=False)
    k = max(1, int((s[:most] > 1e-10 * s[0]).sum()))
    square = float(np.sum((values @ U[:, :k]) ** 2))
    return square, max(float(values @ values) - square, np.finfo(float).tiny), k


def _spread(rows: Floats, said: Floats, others: Floats, said_of_others: Floats) -> tuple[float, float]:
    """Ratio of the variances of both about linear fits, and the chance of one as large; the kurtosis says how far they vary."""
    p = rows.shape[1]
    if min(len(rows), len(others)) < 2 * p + 20:
        return math.nan, 1.0
    one, two = _residuals(rows, said), _residuals(others, said_of_others)
    variances = [float(each @ each) / (each.size - 1 - p) for each in (one, two)]
    least = 1e-18 * float(np.var(said))
    if min(variances) <= least:
        return (math.nan, 1.0) if max(variances) <= least else (variances[0] / max(variances[1], least), 1.0)
    error = math.sqrt(sum((kurtosis(each, fisher=False) - 1) / each.size for each in (one, two)))
    return variances[0] / variances[1], float(norm.sf(math.log(variances[0] / variances[1]) / error))


def _residuals(rows: Floats, values: Floats) -> Floats:
    design = np.column_stack([np.ones(len(rows)), rows])
    return np.asarray(values - design @ np.linalg.lstsq(design, values, rcond=None)[0])
