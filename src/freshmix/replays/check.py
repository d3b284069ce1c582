"""Two questions to a table: is the recommended setting right, and are its figures? A semi-synthetic replay on its own rows.

Signals are drawn from the posterior of a ridge model of the table, so that they are known and have the strength and the
direction that the labels show; the loop is run on some rows of the table and judged on others.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..loop import Loop
from ..prepared import Order
from ..words import replay as words

# Signals drawn for a replay, the rows that one uses at most, and the fewest different rows that it needs.
SIGNALS = 8
MOST_ROWS, FEWEST_ROWS = 20_000, 20
# The theory is refused where the z-score passes the first, and the gap these parts of the risk and of the prediction error.
MOST_Z, MOST_GAP, LEAST_HARM = 3.0, 0.1, 0.02
# Of observed and predicted risk: beyond it theory says nothing of the figures.
_MOST_RATIO = 3.0
# A mix that gains less than this over real labels only is not worth one.
_NO_WORSE = 1.02
DOES_NOT_FIT = "theory does not fit"
# Real weight, penalty and excess risk.
Mix = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Check:
    """Predicted against observed excess risk by generation, on the table's own rows with known signals.

    Attributes
    ----------
    predicted, observed, standard_error : (T + 1,) arrays
        Excess risk of generations 0 ... T (squared label units): of theory, of the replay, and the error of their difference.
    noise_variance : float
        sigma^2 of the replay's labels.
    rows : int
        Rows that a generation of the replay is fitted on.
    held_out : str
        ``rows`` where the rows that judge are drawn at random, ``blocks`` where they are later steps of a table with times.
    real_only : float
        Replayed excess risk of real labels only.
    best : tuple or None
        Real weight, penalty and excess risk of the best loop of a grid on the replay, where one was searched.
    null_risk : float
        Replayed excess risk of predicting the mean.
    best_error : float
        Standard error of what the recommended loop loses to ``best``.
    neighbours : str or None
        A warning, where the check holds and rows that stand together in the table are alike.
    real_labels : tuple or None
        On the table's own labels: mean squared leave-one-out error of the ridge fit that the loop comes to on average, and what
        theory says of it; None where it is not known.
    """

    predicted: Floats
    observed: Floats
    standard_error: Floats
    noise_variance: float
    rows: int
    held_out: str
    real_only: float
    best: Mix | None = None
    null_risk: float = math.inf
    best_error: float = 0.0
    neighbours: str | None = None
    real_labels: tuple[float, float] | None = None

    @property
    def regret(self) -> float:
        """Prediction error of the recommended loop on the replay over the best one's, less 1; 0 where none was sought."""
        if self.best is None:
            return 0.0
        error = self.best[2] + self.noise_variance
        return (float(self.observed[-1]) + self.noise_variance) / error - 1 if error > 0 else 0.0

    @property
    def setting_holds(self) -> bool:
        """Whether no other setting is better on the replay beyond chance, by more than a fiftieth of the prediction error."""
        if self.best is None:
            return True
        return self.regret <= LEAST_HARM or float(self.observed[-1]) - self.best[2] <= 2 * self.best_error

    @property
    def correction(self) -> float:
        """What the figures are multiplied by where the setting holds and they do not.

        The root of observed over predicted excess risk: what a few rows far out make of a replay is no better known.
        """
        if self.fits or not self.setting_holds or not self.predicted[-1] > 0:
            return 1.0
        return math.sqrt(float(self.observed[-1] / self.predicted[-1]))

    @property
    def far_off(self) -> float | None:
        """Observed over predicted excess risk, where the setting can be trusted and the figures are off by over 3 times."""
        if self.fits or not self.trusted or not self.predicted[-1] > 0:
            return None
        ratio = float(self.observed[-1] / self.predicted[-1])
        return None if 1 / _MOST_RATIO <= ratio <= _MOST_RATIO else ratio

    @property
    def trusted(self) -> bool:
        """Whether the figures are right, or the setting is, and better on the replay than predicting the mean."""
        return self.fits or (self.setting_holds and float(self.observed[-1]) < self.null_risk)

    @property
    def z(self) -> Floats:
        """Observed minus predicted in standard errors, (T + 1,)."""
        gap = self.observed - self.predicted
        return np.divide(gap, self.standard_error, out=np.zeros_like(gap), where=self.standard_error > 0)

    @property
    def worst(self) -> int:
        """The generation of the largest z-score: the first, where others are as large but for rounding."""
        size = np.abs(self.z)
        return int(np.argmax(size >= size.max() * (1 - 1e-9)))

    @property
    def fits(self) -> bool:
        """Whether the figures are right: no generation off beyond chance by a tenth of its risk and a fiftieth of its error."""
        gap = np.abs(self.observed - self.predicted)
        large = (gap > MOST_GAP * self.predicted) & (gap > LEAST_HARM * (self.predicted + self.noise_variance))
        return not bool(np.any((np.abs(self.z) > MOST_Z) & large))

    def line(self) -> str:
        """What was found, in one sentence."""
        found = words.compared(
            self.fits, self.setting_holds, self.rows, self.observed, self.predicted, self.z[self.worst], self.worst
        )
        return found if self.real_labels is None else found + words.on_real_labels(*self.real_labels)

    def reason(self) -> str:
        """What the replay says: beside theory's verdict where figures are corrected, in its place where none can be trusted."""
        if self.trusted:
            return words.corrected(self.correction, self.regret)
        no_worse = self.best is not None and self.real_only <= self.best[2] * _NO_WORSE
        blocks = self.held_out == "blocks"
        return words.in_place_of_theory(self.observed, self.predicted[-1], self.real_only, self.best, no_worse, blocks)


def decided(
    replay: Callable[[str], tuple[Check, Callable[[], tuple[Mix, float]]]],
    order: Order | None,
    neighbours: Callable[[Order], str | None],
) -> Check:
    """The check that decides, with the best mix on its replay where it fails.

    ``replay`` holds out rows at random (``rows``) or together as they stand in the table (``blocks``). Where rows have times
    the blocks decide; elsewhere rows at random do, and ``neighbours`` that are alike are a warning: the table may be sorted.
    """
    check, best = replay("blocks" if order is not None and order.timed else "rows")
    if not check.fits:
        mix, error = best()
        return replace(check, best=mix, best_error=error)
    return check if order is None or order.timed else replace(check, neighbours=neighbours(order))


def ranks(group: NDArray[np.intp], order: Order) -> NDArray[np.intp]:
    """(k,) rank of each group in the order of the table, by the first of its rows."""
    first = np.full(int(group.max()) + 1, np.iinfo(np.intp).max)
    np.minimum.at(first, group, order.place)
    return np.argsort(np.argsort(first, kind="stable"))


def best_mix(loop: Loop, pairs: Iterable[tuple[float, float]], risk: Callable[[Loop], float]) -> Mix:
    """The best of some constant real weights and penalties of a loop, by its risk on a replay."""
    tried = ((float(w), float(x), risk(loop.at_weight(float(w)).replace(penalty=float(x)))) for w, x in pairs)
    return min(tried, key=lambda mix: mix[2])


def drawn_signals(
    X: Floats, y: Floats, noise: float, null_risk: float, rng: np.random.Generator, products: Floats | None = None
) -> Floats:
    """(p, m) coefficients from the posterior of beta ~ N(0, tau^2 I), y = X beta + N(0, sigma^2), for centred X and y.

    A draw has the strength of the signal itself, where a fit is shrunk, and its joint law with X is that of the true one.
    Matheron's rule: a draw of the prior is corrected by the ridge fit to what the labels say beyond it. ``products`` are XX',
    where they are at hand.
    """
    n, p = X.shape
    spread = float(np.einsum("ij,ij->", X, X)) / n
    prior = math.sqrt(max(null_risk, 0.0) / spread)
    beta = prior * rng.standard_normal((p, SIGNALS))
    if prior == 0:
        return beta
    apart = y[:, None] - X @ beta - math.sqrt(noise) * rng.standard_normal((n, SIGNALS))
    penalty = max(noise / prior**2, 1e-10 * spread * n)
    if p <= n:
        return np.asarray(beta + np.linalg.solve(X.T @ X + penalty * np.eye(p), X.T @ apart))
    if products is None:
        products = X @ X.T
    return np.asarray(beta + X.T @ np.linalg.solve(products + penalty * np.eye(n), apart))


def standard_error(apart: Floats, predicted: Floats, group: NDArray[np.intp]) -> Floats:
    """Error of the row means of (T + 1, n) differences, whose rows come in groups that move together.

    At most that of gaussian rows, of which a squared error has twice the variance of its squared mean: heavy tails cannot
    hide behind the spread that they bring.
    """
    count = int(group.max()) + 1
    centred = apart - apart.mean(axis=1, keepdims=True)
    sums = np.stack([np.bincount(group, row, count) for row in centred])
    own = np.sqrt((sums**2).sum(axis=1) * count / max(count - 1, 1)) / group.size
    size = np.bincount(group)
    gaussian = np.abs(predicted) * math.sqrt(2 * float(size @ size)) / group.size
    return np.asarray(np.minimum(own, gaussian))
