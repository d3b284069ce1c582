"""A user's own rows."""

import math
from dataclasses import dataclass, field

import numpy as np

from ..arguments import Floats, number, vector
from .entries import Entries
from .protocols import Generator, Task
from .structured import covariance_matrix, matrix


@dataclass(frozen=True, eq=False, repr=False)
class Rows:
    """A user's own rows: the design itself, or a pool that rows are drawn from with replacement.

    Parameters
    ----------
    X : (m, p) array
        Rows.
    coefficients : (p,) array
        beta.
    noise_variance : float
        sigma^2.
    covariance : (p, p) array, optional
        Sigma of the excess risk, positive semi-definite; by default X'X/m, the risk on these rows.
    resample : bool
        Draw rows even where as many as X has are asked for. ``simulate`` does so for fresh covariates; with frozen ones the
        design is X itself if the loop has m rows.

    Raises
    ------
    TypeError, ValueError
        If shapes differ, X holds nothing but zeros, the noise variance is negative, or the covariance is not symmetric and
        positive semi-definite.

    Examples
    --------
    >>> Rows([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], [1.0, 0.0])
    Rows(3 rows, 2 features, noise_variance=1)
    """

    X: Floats
    coefficients: Floats
    noise_variance: float = 1.0
    covariance: Floats | None = None
    resample: bool = False
    _factor: Floats = field(init=False)

    def __post_init__(self) -> None:
        X, beta = matrix("X", self.X), vector("coefficients", self.coefficients)
        if X.shape[1] != beta.size:
            raise ValueError(f"coefficients must hold one number for each of the {X.shape[1]} columns of X, got {beta.size}")
        if not X.any():
            raise ValueError("X must hold a number other than 0, got none")
        number("noise_variance", self.noise_variance, low=0.0)
        factor = X / math.sqrt(X.shape[0])
        if self.covariance is not None:
            sigma = covariance_matrix(self.covariance, beta.size)
            tau, directions = np.linalg.eigh(sigma)
            if tau[0] < -1e-10 * np.abs(tau).max():
                raise ValueError(f"covariance must be positive semi-definite, got an eigenvalue of {tau[0]:.3g}")
            factor = np.sqrt(np.maximum(tau, 0.0))[:, None] * directions.T
            object.__setattr__(self, "covariance", sigma)
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "coefficients", beta)
        object.__setattr__(self, "_factor", factor)

    def __repr__(self) -> str:
        return f"Rows({self.X.shape[0]} rows, {self.features} features, noise_variance={self.noise_variance:.4g})"

    @property
    def features(self) -> int:
        """Number of features p."""
        return int(self.X.shape[1])

    @property
    def rank(self) -> int:
        """Number of features p: columns are not tested for dependence."""
        return self.features

    def task(self, rng: Generator, entries: Entries) -> Task:
        """The given coefficients and rows in every replicate."""
        return _Rows(self.coefficients, self.X, self._factor, self.resample)


@dataclass(frozen=True)
class _Rows:
    beta: Floats
    X: Floats
    factor: Floats
    resample: bool
    scale: float | None = None

    def rows(self, rng: Generator, count: int) -> Floats:
        if count == self.X.shape[0] and not self.resample:
            return self.X
        return self.X[rng.integers(0, self.X.shape[0], count)]

    def root(self, columns: Floats) -> Floats:
        return self.factor @ columns
