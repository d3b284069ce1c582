"""Leave-one-out errors on a table's own labels: what they say of a penalty without any model (mathematics.md section 7)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..risks.plain import penalty_range

# Penalties that are tried: so many a decade, up to this many times the largest eigenvalue.
_PER_DECADE, _MOST = 6, 1e2
# A difference of less than this many of its own standard errors is no reason to leave the best penalty of the model.
DOUBT = 0.5
# A row that its own label decides alone has no leave-one-out error.
_LEAST_FREE = 1e-9
# Rows stand alone that are free by less than the first, and by less than this part of what rows are on average.
_ALONE, _FAR_BELOW = 0.1, 0.2


class Piece(NamedTuple):
    """Rows of U with the weights a and labels of their fit, how many ``times`` each is there, and its label less those above.

    Labels of records that are there several times are their mean.
    """

    U: Floats
    a: Floats
    y: Floats
    times: Floats
    apart: Floats


@dataclass(frozen=True, eq=False)
class LeaveOneOut:
    """Squared leave-one-out errors of ridge over a grid of penalties.

    Attributes
    ----------
    penalties : (m,) array
        z, ascending.
    mean : (m,) array
        Mean over the rows of (y_i - yhat_i)^2 / (1 - h_i)^2, by the precision of their labels. Of k records of one row all are
        left out: the error is y_i - ybar + (ybar - yhat_i) / (1 - k h_i) then.
    error : (m,) array
        Standard error of the mean's distance from the least one, row by row.
    heard : float
        In [0, 1]: by how much what it says is multiplied (see ``sizes.unevenness``).
    alone : (k,) and (k, m) arrays
        Rows that nearly decide their own fit where most do not, by their places, and at which penalties.
    """

    penalties: Floats
    mean: Floats
    error: Floats
    heard: float = 1.0
    alone: tuple[NDArray[np.intp], NDArray[np.bool_]] = (np.empty(0, dtype=np.intp), np.empty((0, 0), dtype=bool))

    @classmethod
    def of(cls, pieces: Iterable[Piece], eigenvalues: Floats, responses: Floats, rows: int) -> "LeaveOneOut":
        """From rows, (r,) eigenvalues s > 0 and responses c = U'y; they may be some of the n ``rows`` of the fit."""
        most = float(eigenvalues.max())
        least, _ = penalty_range((float(eigenvalues.min()), most))
        z = np.geomspace(least, _MOST * most, round(_PER_DECADE * math.log10(_MOST * most / least)) + 1)
        fitted = eigenvalues[:, None] / np.add.outer(eigenvalues, z)
        count, repeated, total, products = 0, 0.0, np.zeros(z.size), np.zeros((z.size, z.size))
        places, alone = [], []
        for U, a, y, times, apart in pieces:
            free = 1 - times[:, None] * ((a / rows)[:, None] + U**2 @ fitted)
            left = (y[:, None] - U @ (fitted * responses[:, None])) / np.maximum(free, _LEAST_FREE)
            squares = (apart[:, None] + left) ** 2
            decides = free < np.minimum(_ALONE, _FAR_BELOW * free.mean(axis=0))
            places.append(count + np.flatnonzero(decides.any(axis=1)))
            alone.append(decides[decides.any(axis=1)])
            count += len(y)
            repeated += float(times.sum())
            total += squares.sum(axis=0)
            products += squares.T @ squares
        mean, second = total / count, products / count
        best = int(np.argmin(mean))
        variance = np.diag(second) - 2 * second[best] + second[best, best] - (mean - mean[best]) ** 2
        # Those that are left out together move together.
        error = np.sqrt(np.maximum(variance, 0.0) * (repeated / count) / max(count - 1, 1))
        return cls(z, mean, error, alone=(np.concatenate(places), np.concatenate(alone)))

    def standing_alone(self, penalty: float) -> NDArray[np.intp]:
        """Places of the rows that nearly decide their own fit at a penalty: the nearest of the grid."""
        places, decides = self.alone
        nearest = int(np.argmin(np.abs(np.log(self.penalties / max(penalty, float(self.penalties[0]))))))
        return places[decides[:, nearest]] if places.size else places

    @property
    def best(self) -> float:
        """The penalty of the least error."""
        return float(self.penalties[int(np.argmin(self.mean))])

    def error_at(self, penalty: float) -> float:
        """The mean squared error at a penalty, interpolated."""
        return float(np.interp(math.log(penalty), np.log(self.penalties), self.mean))

    def against(self, penalties: Floats) -> Floats:
        """What these penalties cost beyond doubt, interpolated.

        heard max(0, mean - least mean - half a standard error of that).
        """
        cost = self.heard * np.maximum(self.mean - self.mean.min() - DOUBT * self.error, 0.0)
        return np.asarray(np.interp(np.log(np.maximum(penalties, 1e-300)), np.log(self.penalties), cost))
