"""The description of the data: a spectrum, the signal energy in each eigenspace, the noise (mathematics.md section 1)."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import eigh, eigvalsh_tridiagonal

from .arguments import Floats, number, vector, whole

_SHARES_SUM = 1e-9
# Far beyond any unit; products of a few such numbers still fit a float.
_MOST = 1e100
_PARAMETERS = ("eigenvalues", "shares", "signal", "noise_variance", "row_sizes", "persistence")


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Population:
    """Rows ``x = Sigma^(1/2) z`` and labels ``y = x'beta + noise``, described by the atoms of Sigma.

    Parameters
    ----------
    eigenvalues : (k,) array
        tau, the distinct eigenvalues of the feature covariance Sigma; at least one is positive.
    shares : (k,) array
        h, the share of the p eigenvalues at each atom; sums to 1. A spike has share 0 in the limit of many features.
    signal : (k,) array
        g, the energy ``||beta||^2`` in each eigenspace.
    noise_variance : float
        sigma^2, the variance of the real labels around ``x'beta``.
    row_sizes : pair of (c,) arrays, optional
        b and pi: a row is ``x = sqrt(b) Sigma^(1/2) z`` with b of mean 1, values with their shares; rows are alike without.
    persistence : float
        c in [0, 1]: the coefficients of the next generation are ``c beta + sqrt(1 - c^2) xi``, with energies kept.

    Raises
    ------
    TypeError, ValueError
        If a value is not a finite number of at least 0, an eigenvalue is above 1e100, lengths differ, the shares do not sum
        to 1, the row sizes do not average to 1, or the null risk overflows.

    Notes
    -----
    Source: mathematics.md section 1. Two populations are equal when all their numbers are.

    Examples
    --------
    >>> population = Population([1.0, 5.0], [0.75, 0.25], [0.2, 1.8], noise_variance=2.0)
    >>> round(population.null_risk, 10)
    9.2
    >>> round(population.signal_to_noise_ratio, 3)
    4.6
    """

    eigenvalues: Floats
    shares: Floats
    signal: Floats
    noise_variance: float
    row_sizes: tuple[Floats, Floats] | None
    persistence: float

    def __init__(
        self,
        eigenvalues: ArrayLike,
        shares: ArrayLike,
        signal: ArrayLike,
        noise_variance: float = 1.0,
        row_sizes: tuple[ArrayLike, ArrayLike] | None = None,
        persistence: float = 1.0,
    ) -> None:
        tau = vector("eigenvalues", eigenvalues, low=0.0)
        h = vector("shares", shares, low=0.0)
        g = vector("signal", signal, low=0.0)
        if not tau.size == h.size == g.size:
            raise ValueError(f"eigenvalues, shares and signal must have the same length, got {tau.size}, {h.size} and {g.size}")
        if abs(math.fsum(h) - 1.0) > _SHARES_SUM:
            raise ValueError(f"shares must sum to 1, got a sum of {math.fsum(h)!r}")
        if not np.any((tau > 0) & (h > 0)):
            raise ValueError("eigenvalues must hold a positive one with a positive share, got none")
        if tau.max() > _MOST:
            raise ValueError(
                f"eigenvalues must hold numbers of at most {_MOST:g}, got {float(tau.max())!r}: rescale the features"
            )
        with np.errstate(over="ignore"):
            if not np.isfinite(tau @ g):
                raise ValueError("eigenvalues and signal must have a finite null risk, sum of their products, got inf")
        object.__setattr__(self, "eigenvalues", tau)
        object.__setattr__(self, "shares", h)
        object.__setattr__(self, "signal", g)
        object.__setattr__(self, "noise_variance", number("noise_variance", noise_variance, low=0.0))
        object.__setattr__(self, "row_sizes", None if row_sizes is None else _row_sizes(row_sizes))
        object.__setattr__(self, "persistence", number("persistence", persistence, low=0.0, high=1.0))

    def replace(self, **changes: Any) -> "Population":
        """This population with some parameters changed. Raises as ``Population`` does.

        >>> Population.isotropic().replace(persistence=0.9).persistence
        0.9
        """
        return Population(**{name: getattr(self, name) for name in _PARAMETERS} | changes)

    def as_dict(self) -> dict[str, Any]:
        """Its parameters as numbers and lists, as files hold them: ``Population(**found)`` is this population again.

        >>> Population.isotropic().as_dict()
        {'eigenvalues': [1.0], 'shares': [1.0], 'signal': [1.0], 'noise_variance': 1.0}
        """
        found: dict[str, Any] = {name: getattr(self, name).tolist() for name in ("eigenvalues", "shares", "signal")}
        found["noise_variance"] = self.noise_variance
        if self.row_sizes is not None:
            found["row_sizes"] = [each.tolist() for each in self.row_sizes]
        return found if self.persistence == 1 else found | {"persistence": self.persistence}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Population):
            return NotImplemented
        return self._numbers() == other._numbers()

    def __hash__(self) -> int:
        return hash(self._numbers())

    def _numbers(self) -> tuple[Any, ...]:
        sizes = None if self.row_sizes is None else tuple(tuple(each.tolist()) for each in self.row_sizes)
        arrays = (tuple(each.tolist()) for each in (self.eigenvalues, self.shares, self.signal))
        return (*arrays, self.noise_variance, sizes, self.persistence)

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles go through the constructor, which makes their arrays read-only again.
        return Population, tuple(getattr(self, name) for name in _PARAMETERS)

    def __repr__(self) -> str:
        tau = self.eigenvalues
        spectrum = f"eigenvalue {tau[0]:.4g}" if tau.size == 1 else f"{tau.size} atoms in {tau.min():.4g}..{tau.max():.4g}"
        sizes = "" if self.row_sizes is None else f", row sizes in {self.row_sizes[0].min():.4g}..{self.row_sizes[0].max():.4g}"
        drift = "" if self.persistence == 1 else f", persistence={self.persistence:.4g}"
        return f"Population({spectrum}, null_risk={self.null_risk:.4g}, noise_variance={self.noise_variance:.4g}{sizes}{drift})"

    @property
    def null_risk(self) -> float:
        """beta'Sigma beta, the excess risk of predicting 0."""
        return float(self.eigenvalues @ self.signal)

    @property
    def signal_to_noise_ratio(self) -> float:
        """beta'Sigma beta / sigma^2 (inf without noise)."""
        return self.null_risk / self.noise_variance if self.noise_variance else math.inf

    @classmethod
    def isotropic(cls, signal: float = 1.0, noise_variance: float = 1.0) -> "Population":
        """Sigma = I: uncorrelated features of unit variance. ``signal`` is b = ||beta||^2.

        Used where: the closed forms of the literature, whitened features, random designs.

        >>> Population.isotropic(signal=2.0)
        Population(eigenvalue 1, null_risk=2, noise_variance=1)
        """
        return cls([1.0], [1.0], [number("signal", signal, low=0.0)], noise_variance)

    @classmethod
    def random_effects(
        cls, eigenvalues: ArrayLike, shares: ArrayLike, signal: float = 1.0, noise_variance: float = 1.0
    ) -> "Population":
        """Any spectrum, with coefficients drawn without regard to it: g = b h.

        Used where: many small effects in no preferred direction (genetics, random-coefficient models).
        ``eigenvalues`` and ``shares`` are (k,) arrays, ``signal`` is b = ||beta||^2.

        >>> Population.random_effects([0.5, 2.0], [0.6, 0.4], signal=3.0).signal.round(10).tolist()
        [1.8, 1.2]
        """
        h = vector("shares", shares, low=0.0)
        return cls(eigenvalues, h, number("signal", signal, low=0.0) * h, noise_variance)

    @classmethod
    def from_covariance(cls, covariance: ArrayLike, coefficients: ArrayLike, noise_variance: float = 1.0) -> "Population":
        """A (p, p) covariance Sigma and (p,) coefficients beta: one atom for each of the p eigenvalues.

        Used where: Sigma and beta are known, as in a designed simulation.
        Raises ValueError if the covariance is not square, symmetric and positive semi-definite.

        >>> Population.from_covariance([[2.0, 0.0], [0.0, 1.0]], [0.5, 1.0]).null_risk
        1.5
        """
        try:
            sigma = np.array(covariance)
        except ValueError:
            sigma = np.array(None)
        if sigma.dtype.kind not in "iuf":
            raise TypeError(f"covariance must be a square matrix of numbers, got an array of {sigma.dtype}")
        sigma = sigma.astype(np.float64)
        if sigma.ndim != 2 or sigma.shape[0] != sigma.shape[1] or sigma.size == 0:
            raise ValueError(f"covariance must be a square matrix, got shape {sigma.shape}")
        if not np.isfinite(sigma).all():
            raise ValueError("covariance must hold finite numbers, got NaN or infinity")
        scale = float(np.abs(sigma).max())
        if not np.allclose(sigma, sigma.T, rtol=0.0, atol=1e-10 * scale):
            raise ValueError(f"covariance must be symmetric, got entries apart by {np.abs(sigma - sigma.T).max():.3g}")
        beta = vector("coefficients", coefficients)
        if beta.size != sigma.shape[0]:
            raise ValueError(f"coefficients must have length {sigma.shape[0]}, as covariance has, got {beta.size}")
        tau, directions = eigh((sigma + sigma.T) / 2)
        if tau[0] < -1e-10 * scale:
            raise ValueError(f"covariance must be positive semi-definite, got an eigenvalue of {tau[0]:.3g}")
        # Rounding leaves null directions at +-1e-17, where 0 is meant: an atom there would count towards the rank.
        tau[tau < tau.size * np.finfo(np.float64).eps * scale] = 0.0
        return cls(tau, np.full(tau.size, 1 / tau.size), (directions.T @ beta) ** 2, noise_variance)

    @classmethod
    def spiked(
        cls,
        strength: float,
        alignment: float,
        signal: float = 1.0,
        noise_variance: float = 1.0,
        features: int | None = None,
    ) -> "Population":
        """Sigma = I + s v v', beta = sqrt(b) (theta v + sqrt(1 - theta^2) v_perp).

        Used where: one strong latent factor (market, batch, population structure) carries much of the signal or none.
        ``strength`` is s > -1, ``alignment`` is theta in [-1, 1]; ``features`` gives the spike the share 1/p instead of 0.

        >>> Population.spiked(10.0, 0.7).signal.round(10).tolist()
        [0.51, 0.49]
        """
        s = number("strength", strength, above=-1.0)
        theta = number("alignment", alignment, low=-1.0, high=1.0)
        b = number("signal", signal, low=0.0)
        spike = 0.0 if features is None else 1.0 / whole("features", features, low=2)
        return cls([1.0, 1.0 + s], [1.0 - spike, spike], [b * (1 - theta**2), b * theta**2], noise_variance)

    @classmethod
    def two_level(
        cls,
        ratio: float,
        share: float = 0.5,
        alignment: float | None = None,
        signal: float = 1.0,
        noise_variance: float = 1.0,
    ) -> "Population":
        """Eigenvalue 1 for most features and ``ratio`` for a ``share`` of them.

        Used where: a block of strong features beside a block of weak ones. ``alignment`` is the part of
        ||beta||^2 in the ``ratio`` block; by default its share (random effects).

        >>> Population.two_level(10.0, share=0.25, alignment=0.9, signal=2.0).signal.round(10).tolist()
        [0.2, 1.8]
        """
        h = number("share", share, low=0.0, high=1.0)
        part = h if alignment is None else number("alignment", alignment, low=0.0, high=1.0)
        b = number("signal", signal, low=0.0)
        return cls([1.0, number("ratio", ratio, above=0.0)], [1 - h, h], [b * (1 - part), b * part], noise_variance)

    @classmethod
    def autoregressive(
        cls, correlation: float, features: int, signal: float = 1.0, noise_variance: float = 1.0
    ) -> "Population":
        """AR(1): ``Sigma_ij = r^|i-j|`` over ``features`` columns, random-effects coefficients.

        Used where: neighbouring features resemble each other (time lags, spectra, genomic positions).
        ``correlation`` is r, strictly between -1 and 1.

        >>> Population.autoregressive(0.5, 200)
        Population(200 atoms in 0.3334..2.999, null_risk=1, noise_variance=1)
        """
        r = number("correlation", correlation)
        if not abs(r) < 1:
            raise ValueError(f"correlation must lie strictly between -1 and 1, got {r!r}")
        p = whole("features", features, low=1)
        if r == 0 or p == 1:
            return cls.isotropic(signal, noise_variance)
        # The inverse of Sigma is tridiagonal: eigenvalues without a dense matrix.
        diagonal = np.full(p, 1 + r * r)
        diagonal[[0, -1]] = 1.0
        tau = (1 - r * r) / eigvalsh_tridiagonal(diagonal, np.full(p - 1, -r))[::-1]
        return cls.random_effects(tau, np.full(p, 1 / p), signal, noise_variance)

    @classmethod
    def equicorrelated(
        cls, correlation: float, features: int, signal: float = 1.0, noise_variance: float = 1.0
    ) -> "Population":
        """Sigma_ij = r off the diagonal and 1 on it, random-effects coefficients.

        Used where: all features share one common factor. ``correlation`` is r in [0, 1).

        >>> Population.equicorrelated(0.5, 100).eigenvalues.tolist()
        [0.5, 50.5]
        """
        r = number("correlation", correlation, low=0.0)
        if not r < 1:
            raise ValueError(f"correlation must be below 1, got {r!r}")
        p = whole("features", features, low=2)
        return cls.random_effects([1 - r, 1 + (p - 1) * r], [1 - 1 / p, 1 / p], signal, noise_variance)

    @classmethod
    def power_law(
        cls,
        decay: float,
        features: int,
        source: float | None = None,
        signal: float = 1.0,
        noise_variance: float = 1.0,
    ) -> "Population":
        """tau_j = j^-decay for j = 1 ... features; kernels and deep features have such spectra.

        ``source`` is the exponent r of the source condition, tau_j beta_j^2 proportional to j^-(1 + 2 r decay): the
        larger, the smoother the target. Without it beta is spread evenly over the directions (random effects).
        ``signal`` is b = ||beta||^2 in either case.

        >>> Population.power_law(1.0, 40).eigenvalues[:3].round(4).tolist()
        [1.0, 0.5, 0.3333]
        """
        p = whole("features", features, low=1)
        alpha = number("decay", decay, low=0.0)
        j = np.arange(1.0, p + 1)
        exponent = 0.0 if source is None else -(1 + 2 * number("source", source, low=0.0) * alpha) + alpha
        energy = j**exponent
        return cls(j**-alpha, np.full(p, 1 / p), number("signal", signal, low=0.0) * energy / energy.sum(), noise_variance)


def _row_sizes(row_sizes: Any) -> tuple[Floats, Floats]:
    """Values b > 0 of mean 1, and their shares."""
    if not isinstance(row_sizes, (tuple, list)) or len(row_sizes) != 2:
        raise TypeError(f"row_sizes must be a pair of arrays, values and shares, got {type(row_sizes).__name__}")
    value, share = vector("row_sizes values", row_sizes[0], low=0.0), vector("row_sizes shares", row_sizes[1], low=0.0)
    if value.size != share.size:
        raise ValueError(f"row_sizes must hold as many values as shares, got {value.size} and {share.size}")
    if not value.min() > 0:
        raise ValueError("row_sizes must hold values above 0, got 0.0")
    for name, total in (("shares that sum to 1", math.fsum(share)), ("values of mean 1", math.fsum(value * share))):
        if abs(total - 1.0) > _SHARES_SUM:
            raise ValueError(f"row_sizes must have {name}, got {total!r}")
    return value, share
