"""Fewer directions, for what needs many evaluations of a sample and few digits."""

from typing import TypeVar

import numpy as np

from .protocol import Equivalents
from .rows import RowEquivalents
from .sample import SampleEquivalents
from .weights import WeightedSampleEquivalents, sample_equivalents

Kind = TypeVar("Kind", bound=Equivalents)


def gathered(known: Kind, outlying: int, atoms: int) -> Kind | SampleEquivalents:
    """A sample with neighbours below the ``outlying`` top eigenvalues gathered into at most ``atoms``; others as they are."""
    if not isinstance(known, SampleEquivalents) or known.s.size - outlying <= atoms:
        return known
    place, inner = np.arange(known.s.size), known.s.size - outlying
    index = np.where(place < outlying, place, outlying + (place - outlying) * atoms // inner)
    index[known.s == 0] = outlying + atoms
    share = np.bincount(index, known.share)
    kept = share > 0
    s = np.bincount(index, known.share * known.s)[kept] / share[kept]
    squares = np.maximum(np.bincount(index, known.signal)[kept] / share[kept] + known.noise_variance, 0.0)
    if isinstance(known, RowEquivalents):
        positive = index[known.s > 0]
        rows = known.rows.gathered(positive, int(positive.max()) + 1)
        return RowEquivalents(s, squares, share[kept], known.noise_variance, rows)
    weights = known.weights if isinstance(known, WeightedSampleEquivalents) else None
    return sample_equivalents(s, squares, share[kept], known.noise_variance, weights)
