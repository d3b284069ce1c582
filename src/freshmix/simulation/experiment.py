"""One simulation: what all replicates share, checked once."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, repeat

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..loop import Group, Loop, takes_labels
from ..sampling import Diagonal, Entries, Generator, Source
from .namespace import Arrays
from .seeds import Streams

# What a generator of a replicate is for: the seed of each is made of its coordinates.
COEFFICIENTS, DESIGN, REAL, SYNTHETIC, CHOICE, RENEWAL = range(6)
PURPOSES = 6


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
    judged: str  # on the coefficients of the same generation (now) or of the next one
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

    @property
    def persistence(self) -> float:
        """c of beta_t = c beta_(t-1) + sqrt(1 - c^2) xi_t; only a Population says one below 1."""
        return self.source.population.persistence if isinstance(self.source, Diagonal) else 1.0

    def coefficients(self, beta: Floats, streams: Streams) -> Iterator[tuple[Floats, Floats]]:
        """Of generations 0, 1, ...: (R, p) coefficients of its real labels, and those that its model is judged on."""
        c = self.persistence
        if c == 1:
            yield from repeat((beta, beta))
        assert isinstance(self.source, Diagonal)
        for t in count(1):
            change = np.stack([self.source.coefficients(rng) for rng in streams(t, COEFFICIENTS)])
            following = c * beta + math.sqrt(1 - c**2) * change
            yield beta, beta if self.judged == "now" else following
            beta = following

    def kept(self, t: int) -> range:
        """Earlier generations whose labelled rows stay in the fit of generation t >= 1."""
        most = self.loop(t).kept_generations
        return range(0 if most is None else max(t - most, 0), t)

    def loop(self, t: int) -> Loop:
        """The loop of generation t >= 1."""
        return self.loops[min(t, len(self.loops)) - 1]

    def penalty(self, t: int) -> Floats:
        """(P,) penalties of generation t; generation 0 has those of generation 1."""
        return np.array([self.loop(max(t, 1)).penalty]) if self.penalties is None else self.penalties

    def groups(self, t: int) -> Sequence[Group]:
        """Groups of generation t >= 1; a scheduled weight is that of all rows."""
        return self.loop(t).groups_at(t)

    def row_groups(self, t: int) -> NDArray[np.int64]:
        """(rows,) the group of each row of generation t >= 1: shares to numbers of rows by largest remainder."""
        shares = np.array([group.share for group in self.groups(t)])
        wanted = shares * self.rows[t]
        sizes = np.floor(wanted + 1e-9).astype(np.int64)
        sizes[np.argsort(-np.round(wanted - sizes, 9), kind="stable")[: self.rows[t] - sizes.sum()]] += 1
        return np.repeat(np.arange(sizes.size), sizes)

    def labelled(self, t: int) -> NDArray[np.bool_]:
        """(rows,) which rows of generation t have a real label: all of generation 0."""
        if t == 0:
            return np.ones(self.rows[0], dtype=np.bool_)
        return np.array([bool(group.labelled) for group in self.groups(t)])[self.row_groups(t)]

    def real_weights(self, t: int) -> Floats:
        """(W, groups) real weights of generation t >= 1."""
        groups = self.groups(t)
        if self.weights is None:
            return np.array([[group.real_weight for group in groups]])
        return np.where(takes_labels(groups), self.weights[:, None], 0.0)
