"""Population, Generator -> coefficients, rows and label noise of finite samples."""

import math
import re
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import Floats, number, vector, whole
from .population import Population

Generator = np.random.Generator
LEAST_DEGREES = 4.0


class Task(Protocol):
    """The data of one replicate: coefficients, and rows with covariance Sigma = root root'."""

    @property
    def beta(self) -> Floats:
        """(p,) coefficients."""

    @property
    def scale(self) -> float | None:
        """tau, where Sigma = tau I."""

    def rows(self, rng: Generator, count: int) -> Floats:
        """(count, p) rows."""

    def root(self, columns: Floats) -> Floats:
        """root' V of (p, k) columns V: the squared lengths of its columns are v'Sigma v."""


class Source(Protocol):
    """A description of data that replicates can be drawn from; ``Population`` becomes one by ``source_of``."""

    @property
    def noise_variance(self) -> float:
        """sigma^2."""

    @property
    def features(self) -> int:
        """p."""

    def task(self, rng: Generator, entries: "Entries") -> Task:
        """Data of one replicate."""


@dataclass(frozen=True)
class Entries:
    """The law of independent numbers of mean 0 and variance 1: the entries z of a row, or label noise over sigma.

    ``name`` is gaussian, rademacher, uniform, t (with ``degrees`` of freedom) or pool (standardised numbers to resample).
    """

    name: str
    degrees: float = math.inf
    pool: Floats | None = None

    def draw(self, rng: Generator, shape: tuple[int, ...]) -> Floats:
        """Independent standardised numbers."""
        if self.name == "gaussian":
            return rng.standard_normal(shape)
        if self.name == "rademacher":
            return np.asarray(2.0 * rng.integers(0, 2, shape, dtype=np.int8) - 1.0)
        if self.name == "uniform":
            return np.asarray(rng.uniform(-math.sqrt(3), math.sqrt(3), shape))
        if self.pool is not None:
            return np.asarray(rng.choice(self.pool, shape))
        return np.asarray(rng.standard_t(self.degrees, shape) * math.sqrt((self.degrees - 2) / self.degrees), dtype=np.float64)

    def __str__(self) -> str:
        return f"t{self.degrees:g}" if self.name == "t" else self.name


def entries_of(value: "str | ArrayLike | Entries", parameter: str = "entries") -> Entries:
    """Entries from their name (gaussian, rademacher, uniform, t5, t12.5 ...) or from numbers to resample.

    Raises
    ------
    TypeError, ValueError
        If the name is unknown, t has 4 degrees of freedom or fewer (fourth moments are needed), or the numbers to resample
        are all the same.

    Examples
    --------
    >>> str(entries_of("t6")), entries_of([1.0, 3.0]).pool.tolist()
    ('t6', [-1.0, 1.0])
    """
    if isinstance(value, Entries):
        return value
    if not isinstance(value, str):
        pool = vector(parameter, value)
        if pool.std() == 0:
            raise ValueError(f"{parameter} to resample must not all be the same, got {float(pool[0])!r} only")
        return Entries("pool", pool=(pool - pool.mean()) / pool.std())
    if value in ("gaussian", "rademacher", "uniform"):
        return Entries(value)
    match = re.fullmatch(r"t(\d+(?:\.\d+)?)", value)
    if match is None:
        raise ValueError(
            f"{parameter} must be gaussian, rademacher, uniform, t5 (any degrees above 4) or numbers, got {value!r}"
        )
    return Entries("t", number(f"the degrees of freedom of {parameter}", float(match[1]), above=LEAST_DEGREES))


def matrix(name: str, value: ArrayLike) -> Floats:
    """A finite two-dimensional array of numbers."""
    try:
        found = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a matrix of numbers, got {type(value).__name__}") from None
    if found.ndim != 2 or found.size == 0:
        raise ValueError(f"{name} must be a matrix with rows and columns, got shape {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"{name} must hold finite numbers only")
    return found


def counts_of(population: Population, features: int) -> tuple[Population, np.ndarray]:
    """The population with p features: shares to counts by largest remainder, spikes of share 0 to one eigenvalue each.

    Raises ValueError where p is too small for the atoms.

    Examples
    --------
    >>> counts_of(Population([1.0, 2.0, 9.0], [0.5, 0.5, 0.0], [1.0, 1.0, 1.0]), 8)[1].tolist()
    [4, 3, 1]
    """
    spikes = (population.shares == 0) & (population.signal > 0)
    left = features - int(spikes.sum())
    wanted = population.shares * left
    counts = np.floor(wanted + 1e-9).astype(np.int64)
    rest = left - int(counts.sum())
    if rest > 0:
        # Ties go to the first atoms: the same counts on every machine.
        counts[np.argsort(-np.round(wanted - counts, 9), kind="stable")[:rest]] += 1
    counts[spikes] = 1
    lost = (counts == 0) & (population.signal > 0) & (population.eigenvalues > 0)
    if left < 1 or lost.any():
        size = int(np.count_nonzero(population.shares)) + int(spikes.sum())
        raise ValueError(f"{features} features are too few for the {size} atoms of the population: use more rows")
    return population, counts


@dataclass(frozen=True)
class _Diagonal:
    """Rows in the eigenbasis of Sigma."""

    beta: Floats
    tau: Floats
    scale: float | None
    entries: Entries

    def rows(self, rng: Generator, count: int) -> Floats:
        z = self.entries.draw(rng, (count, self.tau.size))
        if self.scale is None:
            z *= np.sqrt(self.tau)
        elif self.scale != 1.0:
            z *= math.sqrt(self.scale)
        return z

    def root(self, columns: Floats) -> Floats:
        return np.sqrt(self.tau)[:, None] * columns


@dataclass(frozen=True)
class Diagonal:
    """A Population at p features; coefficients are drawn uniformly on each eigenspace's sphere."""

    population: Population
    features: int

    @property
    def noise_variance(self) -> float:
        """sigma^2."""
        return self.population.noise_variance

    def task(self, rng: Generator, entries: Entries) -> Task:
        """Coefficients of energy g in each eigenspace; directions of eigenvalue 0 are left out."""
        population, counts = counts_of(self.population, self.features)
        kept = population.eigenvalues > 0
        beta = [
            _on_sphere(rng, int(count), float(energy))
            for count, energy in zip(counts[kept], population.signal[kept], strict=True)
        ]
        tau = np.repeat(population.eigenvalues[kept], counts[kept])
        same = bool(np.all(tau == tau[0]))
        return _Diagonal(np.concatenate(beta), tau, float(tau[0]) if same else None, entries)


def _on_sphere(rng: Generator, size: int, energy: float) -> Floats:
    direction = rng.standard_normal(size)
    length = float(np.linalg.norm(direction))
    return direction * (math.sqrt(energy) / length) if length > 0 else direction


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
    In the limit of many features this is ``Population.autoregressive`` (MATH section 1).
    """

    correlation: float
    features: int
    signal: float = 1.0
    noise_variance: float = 1.0

    def __post_init__(self) -> None:
        r = number("correlation", self.correlation)
        if not abs(r) < 1:
            raise ValueError(f"correlation must lie strictly between -1 and 1, got {r!r}")
        whole("features", self.features, low=1)
        number("signal", self.signal, low=0.0)
        number("noise_variance", self.noise_variance, low=0.0)

    def task(self, rng: Generator, entries: Entries) -> Task:
        """Coefficients of one replicate."""
        return _Autoregressive(_on_sphere(rng, self.features, self.signal), self.correlation, entries)

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


@dataclass(frozen=True)
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

    Notes
    -----
    With gaussian entries ``Population.from_covariance`` has the same law, and costs less to simulate.
    """

    covariance: Floats
    coefficients: Floats
    noise_variance: float = 1.0

    def __post_init__(self) -> None:
        sigma, beta = matrix("covariance", self.covariance), vector("coefficients", self.coefficients)
        if sigma.shape != (beta.size, beta.size) or not np.allclose(sigma, sigma.T, rtol=1e-10, atol=0.0):
            raise ValueError(f"covariance must be symmetric of shape ({beta.size}, {beta.size}), got shape {sigma.shape}")
        object.__setattr__(self, "covariance", sigma)
        object.__setattr__(self, "coefficients", beta)
        number("noise_variance", self.noise_variance, low=0.0)

    @property
    def features(self) -> int:
        """Number of features p."""
        return int(self.coefficients.size)

    def task(self, rng: Generator, entries: Entries) -> Task:
        """The given coefficients in every replicate; raises ValueError if the covariance is not positive definite."""
        try:
            lower = np.linalg.cholesky(self.covariance)
        except np.linalg.LinAlgError:
            raise ValueError("covariance must be positive definite: use Population.from_covariance otherwise") from None
        return _Dense(self.coefficients, np.asarray(lower), entries)

    def population(self) -> Population:
        """Its atoms, for theory."""
        return Population.from_covariance(self.covariance, self.coefficients, self.noise_variance)


@dataclass(frozen=True)
class _Dense:
    beta: Floats
    lower: NDArray[Any]
    entries: Entries
    scale: float | None = None

    def rows(self, rng: Generator, count: int) -> Floats:
        return np.asarray(self.entries.draw(rng, (count, self.beta.size)) @ self.lower.T)

    def root(self, columns: Floats) -> Floats:
        return np.asarray(self.lower.T @ columns)


@dataclass(frozen=True)
class Rows:
    """A user's own rows: the design itself (frozen covariates), or a pool that rows are resampled from (fresh ones).

    Parameters
    ----------
    X : (m, p) array
        Rows.
    coefficients : (p,) array
        beta.
    noise_variance : float
        sigma^2.
    covariance : (p, p) array, optional
        Sigma of the excess risk; by default X'X/m, the risk on these rows.

    Examples
    --------
    >>> Rows(np.eye(3), [1.0, 0.0, 2.0]).features
    3
    """

    X: Floats
    coefficients: Floats
    noise_variance: float = 1.0
    covariance: Floats | None = None

    def __post_init__(self) -> None:
        X, beta = matrix("X", self.X), vector("coefficients", self.coefficients)
        if X.shape[1] != beta.size:
            raise ValueError(f"coefficients must hold one number for each of the {X.shape[1]} columns of X, got {beta.size}")
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "coefficients", beta)
        number("noise_variance", self.noise_variance, low=0.0)
        if self.covariance is not None:
            sigma = matrix("covariance", self.covariance)
            if sigma.shape != (beta.size, beta.size):
                raise ValueError(f"covariance must have the shape ({beta.size}, {beta.size}), got {sigma.shape}")
            object.__setattr__(self, "covariance", sigma)

    @property
    def features(self) -> int:
        """Number of features p."""
        return int(self.X.shape[1])

    def task(self, rng: Generator, entries: Entries) -> Task:
        """The given coefficients and rows in every replicate."""
        if self.covariance is None:
            return _Rows(self.coefficients, self.X, self.X / math.sqrt(self.X.shape[0]))
        tau, directions = np.linalg.eigh(self.covariance)
        return _Rows(self.coefficients, self.X, np.sqrt(np.maximum(tau, 0.0))[:, None] * directions.T)


@dataclass(frozen=True)
class _Rows:
    beta: Floats
    X: Floats
    factor: Floats
    scale: float | None = None

    def rows(self, rng: Generator, count: int) -> Floats:
        """All rows as they are where that many are asked for; otherwise that many, drawn with replacement."""
        if count == self.X.shape[0]:
            return self.X
        return self.X[rng.integers(0, self.X.shape[0], count)]

    def root(self, columns: Floats) -> Floats:
        return self.factor @ columns


def source_of(population: "Population | Source", features: int) -> "Source":
    """The source itself, or a Population at p features."""
    return Diagonal(population, features) if isinstance(population, Population) else population
