"""How far to trust an outside teacher: the best weights of its labels, and how wrong it may be (mathematics.md section 5)."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from ..arguments import Floats, number
from ..loop import Group, Loop
from ..population import Population
from ..risks.fresh import FreshSetting
from ..risks.taught_fits import Shares, TaughtFits
from ..teacher import Teacher
from ..views import View

# The grid that is searched first: log10 of the penalty over that of real labels only, and of the row weight; then grids around
# the best point, each so many times finer.
_PENALTIES, _ROWS = np.linspace(-5.0, 3.0, 33), np.linspace(-4.0, 1.5, 23)
_FINER, _ROUNDS, _POINTS = 3.0, 6, 7
# Steps to larger penalties (log10), and a part of the risk that nobody would notice.
_LARGER, _SAME = np.linspace(0.0, 5.0, 201), 1e-5
# A gain of this part of the risk is worth a teacher.
WORTH = 0.01
# Errors of a teacher beyond this many times its own are not looked at.
_MOST = 1e4


@dataclass(frozen=True, eq=False, repr=False)
class Teaching(View):
    """One fit on real labels and a teacher's, at its best.

    Attributes
    ----------
    loop : Loop
        With its penalty and groups: rows with a real label, whose labels are ``w * real + (1 - w) * teacher`` where the teacher
        labels them too, and rows with the teacher's alone. Real labels only (``real_weight`` 1, ``row_weight`` 0) where the
        teacher is not worth using.
    real_weight, row_weight, penalty : float
        w; the loss weight of rows without a real label, others counting 1; lambda.
    risk : float
        Excess risk.
    real_only : float
        That of the best ridge on the rows with a real label.
    real_only_penalty : float
        Its penalty, per row with a real label.
    teacher_alone : float
        That of the teacher's own predictions; below 0 where it knows more than any linear function of the features does.
    tolerable : float
        How many times the energy of its error ``phi - beta`` the teacher might have before its labels lower the risk of
        ``real_only`` by less than ``worth``, used at their best; 0 where they never do, inf where it may have ten thousand
        times.
    """

    _words = "teaching"

    loop: Loop
    real_weight: float
    row_weight: float
    penalty: float
    risk: float
    real_only: float
    real_only_penalty: float
    teacher_alone: float
    tolerable: float

    @property
    def used(self) -> bool:
        """Whether the teacher is worth using."""
        return self.real_weight < 1 or self.row_weight > 0


def optimal_teaching(
    population: Population, loop: Loop, teacher: Teacher, *, predicted: float = 1.0, worth: float = WORTH
) -> Teaching:
    """Best penalty, real weight and row weight of one fit on real labels and a teacher's.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        Its aspect, and the share of its rows that have a real label (``Loop.partially_labelled``); the rest is searched.
    teacher : Teacher
        Who labels all rows without a real label.
    predicted : float
        Share of the rows with a real label that the teacher labels too.
    worth : float
        Gain over real labels only, as a part of their risk, for which a teacher is worth using.

    Returns
    -------
    Teaching

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range, or no row has a real label.

    Notes
    -----
    Source: mathematics.md section 5. The risk is quadratic in the real weight, whose best value is known for each penalty and
    row weight; these are searched on a grid, then on finer ones around its best point.

    Examples
    --------
    >>> from freshmix import Loop, Population, Teacher
    >>> population = Population.isotropic()
    >>> loop = Loop.partially_labelled(aspect=0.5, labelled=0.2)
    >>> taught = optimal_teaching(population, loop, Teacher.of(population, error=0.1))
    >>> taught.risk < min(taught.real_only, taught.teacher_alone)
    True
    """
    worth = number("worth", worth, above=0.0, high=1.0)
    predicted = number("predicted", predicted, low=0.0, high=1.0)
    if loop.aspect is None:
        raise ValueError("the loop needs an aspect (features / rows), got none")
    share = loop.labelled
    if share == 0:
        raise ValueError("loop must have rows with a real label, got none")
    groups = [Group(share)] if share == 1 else [Group(share), Group(1 - share, 1.0, 0.0)]
    plain = FreshSetting(population, (loop.replace(covariates="fresh", groups=groups, anchor=0.0),))
    penalty, real_only = plain.real_only().best()
    shares = Shares(share * predicted, share * (1 - predicted), 1 - share)
    search = _Search(population, teacher, loop.aspect, shares, penalty * share if penalty > 0 else 1e-6 * plain.scale)
    w, row_weight, best, risk = search.best()
    if not risk <= (1 - worth) * real_only:
        w, row_weight, best, risk = 1.0, 0.0, penalty * share, real_only
    return Teaching(
        loop=loop.replace(covariates="fresh", penalty=best, groups=_groups(shares, w, row_weight), anchor=0.0),
        real_weight=w,
        row_weight=row_weight,
        penalty=best,
        risk=risk,
        real_only=real_only,
        real_only_penalty=penalty,
        teacher_alone=float(search.tau @ search.apart) + teacher.noise_variance - 2 * teacher.noise_covariance,
        tolerable=search.tolerable((1 - worth) * real_only),
    )


def _groups(shares: Shares, w: float, row_weight: float) -> list[Group]:
    groups = [
        Group(shares.both, 1.0, w, labelled=True, labels_from="teacher"),
        Group(shares.real, 1.0, 1.0, labels_from="teacher"),
        Group(shares.teacher, row_weight, 0.0, labels_from="teacher"),
    ]
    return [group for group in groups if group.share > 0]


@dataclass(frozen=True, eq=False)
class _Search:
    """The best use of a teacher, and of others that err as it does, more or less."""

    population: Population
    teacher: Teacher
    aspect: float
    shares: Shares
    start: float

    def best(self, factor: float = 1.0) -> tuple[float, float, float, float]:
        """Real weight, row weight, penalty and risk, for a teacher of so many times the energy of its error."""
        fits, (x, y) = self._first
        steps = _PENALTIES[1] - _PENALTIES[0], _ROWS[1] - _ROWS[0]
        for _ in range(_ROUNDS):
            w, risks = self._of(fits, factor)
            at = int(np.nanargmin(risks))
            steps = steps[0] / _FINER, steps[1] / _FINER
            ends = [np.linspace(-1, 1, _POINTS) * step * _FINER for step in steps]
            x, y = self._grid(x[at] + ends[0], y[at] + ends[1])
            fits = self._fits(x, y)
        best = float(np.nanmin(self._of(fits, factor)[1]))
        at = int(np.nanargmin(self._of(fits, factor)[1]))
        # Where the penalty hardly matters, the largest one: a search would go on to ever smaller ones.
        x, y = self._grid(x[at] + _LARGER, y[at : at + 1])
        w, risks = self._of(self._fits(x, y), factor)
        at = int(np.flatnonzero(risks <= best * (1 + _SAME))[-1])
        row_weight = 10 ** float(y[at]) if self.shares.teacher > 0 else 1.0
        return float(w[at]), row_weight, self.start * 10 ** float(x[at]), float(risks[at])

    def tolerable(self, enough: float) -> float:
        """The factor of the teacher's error at which its best use comes to this risk."""

        def over(log_factor: float) -> float:
            return self.best(math.exp(log_factor))[-1] - enough

        low, high = -math.log(_MOST), math.log(_MOST)
        if over(low) > 0:
            return 0.0
        if over(high) < 0:
            return math.inf
        return math.exp(brentq(over, low, high, xtol=1e-2))

    @property
    def tau(self) -> Floats:
        """(atoms,) eigenvalues above 0."""
        return self.population.eigenvalues[self._kept]

    @cached_property
    def apart(self) -> Floats:
        """(atoms,) |phi - beta|^2."""
        signal, alignment = self.teacher.beside(self.population)
        return np.maximum(signal - 2 * alignment + self.population.signal, 0.0)[self._kept]

    @cached_property
    def along(self) -> Floats:
        """(atoms,) <beta, phi - beta>."""
        return (self.teacher.alignment - self.population.signal)[self._kept]

    @property
    def _kept(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return self.population.eigenvalues > 0

    def _of(self, fits: TaughtFits, factor: float) -> tuple[Floats, Floats]:
        # phi = beta + root(factor) (phi - beta)
        return fits.best(self.teacher, factor * self.apart, math.sqrt(factor) * self.along)

    @cached_property
    def _first(self) -> tuple[TaughtFits, tuple[Floats, Floats]]:
        x, y = self._grid(_PENALTIES, _ROWS)
        return self._fits(x, y), (x, y)

    def _grid(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Pairs of both; without rows that the teacher alone labels the row weight is that of nothing."""
        across = np.meshgrid(x, y if self.shares.teacher > 0 else y[:1], indexing="ij")
        return across[0].ravel(), across[1].ravel()

    def _fits(self, x: Floats, y: Floats) -> TaughtFits:
        return TaughtFits.of(self.population, self.aspect, self.shares, self.start * 10**x, 10**y)
