"""Rows of a structured or dense covariance."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import Floats, number, vector, whole
from ..population import Population
from .diagonal import on_sphere
from .entries import Entries
from .protocols import Generator, Task


def matrix(name: str, value: ArrayLike) -> Floats:
    """A read-only, finite two-dimensional copy of numbers."""
    try:
        found = np.asarray(value)
        if found.dtype.kind not in "iufO":
            raise TypeError
        found = np.array(found, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a matrix of numbers, got {type(value).__name__}") from None
    if found.ndim != 2 or found.size == 0:
        raise ValueError(f"{name} must be a matrix with rows and columns, got shape {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"{name} must hold finite numbers, got NaN or infinity")
    found.setflags(write=False)
    return found


def covariance_matrix(value: ArrayLike, features: int) -> Floats:
    """A symmetric (p, p) matrix."""
    sigma = matrix("covariance", value)
    if sigma.shape != (features, features):
        raise ValueError(f"covariance must have the shape ({features}, {features}), got {sigma.shape}")
    if not np.allclose(sigma, sigma.T, rtol=0.0, atol=1e-10 * np.abs(sigma).max()):
        raise ValueError(f"covariance must be symmetric, got entries apart by {np.abs(sigma - sigma.T).max():.3g}")
    return sigma


@dataclass(frozen=True)
class Autoregressive:
    """Rows of an AR(1) process, Sigma_ij = r^|i-j|, drawn by its recursion in O(p) a row.

    Parameters
    ----------
    correlation : float
        r, strictly between -1 and 1.
    features : int
        p.
    signal : float
        b = ||beta||^2; the coefficients are uniform on the sphere (random effects).
    noise_variance : float
        sigma^2.

    Notes
    -----
    In the limit of many features this is ``Population.autoregressive`` (mathematics.md section 1).
    """

    correlation: float
    features: int
    signal: float = 1.0
    noise_variance: float = 1.0

    def __post_init__(self) -> None:
        r = number("correlation", self.correlation)
        if not abs(r) < 1:
            raise ValueError(f"correlation must lie strictly between -1 and 1, got {r!r}")
        object.__setattr__(self, "features", whole("features", self.features, low=1))
        number("signal", self.signal, low=0.0)
        number("noise_variance", self.noise_variance, low=0.0)

    @property
    def rank(self) -> int:
        """Number of features p: all of them vary."""
        return self.features

    def task(self, rng: Generator, entries: Entries) -> Task:
        """Coefficients of one replicate."""
        return _Autoregressive(on_sphere(rng, self.features, self.signal), self.correlation, entries)

    def population(self) -> Population:
        """Its eigenvalues, for theory."""
        return Population.autoregressive(self.correlation, self.features, self.signal, self.noise_variance)


@dataclass(frozen=True)
class _Autoregressive:
    """x_1 = z_1, x_j = r x_(j-1) + sqrt(1 - r^2) z_j."""

    beta: Floats
    correlation: float
    entries: Entries
    scale: float | None = None

    def rows(self, rng: Generator, count: int) -> Floats:
        from scipy.signal import lfilter

        z = self.entries.draw(rng, (count, self.beta.size))
        z[:, 1:] *= math.sqrt(1 - self.correlation**2)
        return np.asarray(lfilter([1.0], [1.0, -self.correlation], z, axis=1))

    def root(self, columns: Floats) -> Floats:
        from scipy.signal import lfilter

        # The adjoint of the recursion runs backwards.
        found = lfilter([1.0], [1.0, -self.correlation], columns[::-1], axis=0)[::-1].copy()
        found[1:] *= math.sqrt(1 - self.correlation**2)
        return np.asarray(found)


@dataclass(frozen=True, eq=False, repr=False)
class Dense:
    """Rows ``x = L z`` with ``L L' = covariance``, and given coefficients.

    Parameters
    ----------
    covariance : (p, p) array
        Sigma, symmetric and positive definite.
    coefficients : (p,) array
        beta.
    noise_variance : float
        sigma^2.

    Raises
    ------
    TypeError, ValueError
        If shapes differ, the noise variance is negative, or the covariance is not symmetric and positive definite.

    Notes
    -----
    With gaussian entries ``Population.from_covariance`` has the same law, and costs less to simulate.

    Examples
    --------
    >>> Dense([[1.0, 0.5], [0.5, 1.0]], [1.0, 0.0])
    Dense(2 features, noise_variance=1)
    """

    covariance: Floats
    coefficients: Floats
    noise_variance: float = 1.0
    _lower: Floats = field(init=False)

    def __post_init__(self) -> None:
        beta = vector("coefficients", self.coefficients)
        sigma = covariance_matrix(self.covariance, beta.size)
        number("noise_variance", self.noise_variance, low=0.0)
        try:
            lower = np.linalg.cholesky(sigma)
        except np.linalg.LinAlgError:
            raise ValueError("covariance must be positive definite: use Population.from_covariance otherwise") from None
        object.__setattr__(self, "covariance", sigma)
        object.__setattr__(self, "coefficients", beta)
        object.__setattr__(self, "_lower", lower)

    def __repr__(self) -> str:
        return f"Dense({self.features} features, noise_variance={self.noise_variance:.4g})"

    @property
    def features(self) -> int:
        """Number of features p."""
        return int(self.coefficients.size)

    @property
    def rank(self) -> int:
        """Number of features p: all of them vary."""
        return self.features

    def task(self, rng: Generator, entries: Entries) -> Task:
        """The given coefficients in every replicate."""
        return _Dense(self.coefficients, self._lower, entries)

    def population(self) -> Population:
        """Its atoms, for theory."""
        return Population.from_covariance(self.covariance, self.coefficients, self.noise_variance)


@dataclass(frozen=True)
class _Dense:
    beta: Floats
    lower: Floats
    entries: Entries
    scale: float | None = None

    def rows(self, rng: Generator, count: int) -> Floats:
        return np.asarray(self.entries.draw(rng, (count, self.beta.size)) @ self.lower.T)

    def root(self, columns: Floats) -> Floats:
        return np.asarray(self.lower.T @ columns)
