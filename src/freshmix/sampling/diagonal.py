"""Rows in the eigenbasis of a Population's covariance."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..population import Population
from .entries import Entries
from .protocols import Generator, Task


def counts_of(population: Population, features: int) -> NDArray[np.int64]:
    """(k,) eigenvalues of each atom at p features: shares by largest remainder, spikes of share 0 one each.

    Raises ValueError where p is too small for the atoms.

    Examples
    --------
    >>> counts_of(Population([1.0, 2.0, 9.0], [0.5, 0.5, 0.0], [1.0, 1.0, 1.0]), 8).tolist()
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
    varying = population.eigenvalues > 0
    lost = (counts == 0) & (population.signal > 0) & varying
    if left < 1 or lost.any() or not counts[varying].any():
        size = int(np.count_nonzero(population.shares)) + int(spikes.sum())
        raise ValueError(f"{features} features are too few for the {size} atoms of the population: use more rows")
    return counts


@dataclass(frozen=True)
class _Diagonal:
    """Rows sqrt(b) Sigma^(1/2) z in the eigenbasis of Sigma."""

    beta: Floats
    tau: Floats
    scale: float | None
    entries: Entries
    row_sizes: tuple[Floats, Floats] | None

    def rows(self, rng: Generator, count: int) -> Floats:
        z = self.entries.draw(rng, (count, self.tau.size))
        if self.scale is None:
            z *= np.sqrt(self.tau)
        elif self.scale != 1.0:
            z *= math.sqrt(self.scale)
        if self.row_sizes is not None:
            sizes, shares = self.row_sizes
            z *= np.sqrt(rng.choice(sizes, (count, 1), p=shares))
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

    @property
    def rank(self) -> int:
        """Features of positive eigenvalue."""
        return int(counts_of(self.population, self.features)[self.population.eigenvalues > 0].sum())

    @cached_property
    def _varying(self) -> tuple[list[tuple[int, float]], Floats]:
        """(features, energy) of each eigenspace, and the eigenvalue of each feature; those of eigenvalue 0 are left out."""
        kept = self.population.eigenvalues > 0
        counts = counts_of(self.population, self.features)[kept]
        spaces = list(zip(counts.tolist(), self.population.signal[kept].tolist(), strict=True))
        return spaces, np.repeat(self.population.eigenvalues[kept], counts)

    def coefficients(self, rng: Generator) -> Floats:
        """Of energy g in each eigenspace; directions of eigenvalue 0 are left out."""
        return np.concatenate([on_sphere(rng, count, energy) for count, energy in self._varying[0]])

    def task(self, rng: Generator, entries: Entries) -> Task:
        """Coefficients of generation 0, and rows of the directions that they have."""
        tau = self._varying[1]
        same = bool(tau.min() == tau.max())
        return _Diagonal(self.coefficients(rng), tau, float(tau[0]) if same else None, entries, self.population.row_sizes)


def on_sphere(rng: Generator, size: int, energy: float) -> Floats:
    """(size,) coefficients of this energy, in a direction drawn uniformly."""
    direction = rng.standard_normal(size)
    length = float(np.linalg.norm(direction))
    return direction * (math.sqrt(energy) / length) if length > 0 else direction
