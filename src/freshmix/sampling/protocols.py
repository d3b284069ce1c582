"""What the engines of ``simulate`` ask of data."""

from typing import Protocol

import numpy as np

from ..arguments import Floats
from .entries import Entries

Generator = np.random.Generator


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

    @property
    def rank(self) -> int:
        """Features that vary: p less the eigenvalues of Sigma that are 0."""

    def task(self, rng: Generator, entries: Entries) -> Task:
        """Data of one replicate."""
