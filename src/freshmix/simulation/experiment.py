"""One simulation: what all replicates share, checked once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arguments import Floats
from ..loop import Group, Loop, takes_labels
from ..sampling import Entries, Generator, Source
from .namespace import Arrays

# What a generator of a replicate is for: the seed of each is made of its coordinates.
COEFFICIENTS, DESIGN, REAL, SYNTHETIC, CHOICE, RENEWAL = range(6)


@dataclass(frozen=True)
class Experiment:
    """A loop on finite samples."""

    source: Source
    loops: tuple[Loop, ...]  # those of t = 1, 2, ...; the last one is kept on
    generations: int  # T
    rows: tuple[int, ...]  # of generations 0 ... T
    weights: Floats | None  # (W,) a grid of real weights; None for those of the loops
    penalties: Floats | None  # (P,) a grid of penalties; None for those of the loops
    entries: Entries
    label_noise: Entries
    expected: bool  # over label noise given the design, where an engine knows it; otherwise runs with drawn noise
    seed: int
    workflow: str
    arrays: Arrays  # where dense linear algebra runs

    @property
    def shape(self) -> tuple[int, int, int]:
        """(weights, penalties, generations + 1) of a replicate's result."""
        weights = 1 if self.weights is None else self.weights.size
        penalties = 1 if self.penalties is None else self.penalties.size
        return weights, penalties, self.generations + 1

    @property
    def fresh(self) -> bool:
        """Whether new rows arrive in each generation; only then may loops differ."""
        return self.loops[0].covariates == "fresh"

    @property
    def renewal(self) -> float:
        """kappa, the share of the noise variance of real labels that is drawn anew in each generation."""
        return self.loops[0].renewal

    def real_noise(self, t: int) -> list[tuple[float, int, int]]:
        """The real labels' noise of generation t: factors of independent draws, by their generation and purpose.

        N_0, and (1-kappa) N_0 + sqrt(kappa (1-kappa)) M + sqrt(kappa) N_t for t >= 1: any two generations share 1 - kappa of
        the variance (mathematics.md section 4).
        """
        kappa = self.renewal if t else 0.0
        parts = [(1 - kappa, 0, REAL), (math.sqrt(kappa * (1 - kappa)), 0, RENEWAL), (math.sqrt(kappa), t, REAL)]
        return [part for part in parts if part[0] > 0]

    @property
    def alike(self) -> bool:
        """Whether all rows of a generation have one real weight and row weight 1."""
        groups = [each.groups or () for each in self.loops]
        return all(group.row_weight == 1 and group.real_weight == each[0].real_weight for each in groups for group in each)

    def rng(self, replicate: int, generation: int, purpose: int) -> Generator:
        """A generator of its own for each replicate, generation and purpose: no order of work can change a number."""
        return np.random.default_rng([self.seed, replicate, generation, purpose])

    def loop(self, t: int) -> Loop:
        """The loop of generation t >= 1."""
        return self.loops[min(t, len(self.loops)) - 1]

    def penalty(self, t: int) -> Floats:
        """(P,) penalties of generation t; generation 0 has those of generation 1."""
        return np.array([self.loop(max(t, 1)).penalty]) if self.penalties is None else self.penalties

    def groups(self, t: int) -> Sequence[Group]:
        """Groups of generation t >= 1; a scheduled weight is that of all rows."""
        return self.loop(t).groups_at(t)

    def real_weights(self, t: int) -> Floats:
        """(W, groups) real weights of generation t >= 1."""
        groups = self.groups(t)
        if self.weights is None:
            return np.array([[group.real_weight for group in groups]])
        return np.where(takes_labels(groups), self.weights[:, None], 0.0)
