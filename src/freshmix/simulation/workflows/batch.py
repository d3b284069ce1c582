"""Rows with labels, and what a generation brings."""

from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace

from ...arguments import Floats
from ..namespace import Array, Arrays


@dataclass(frozen=True)
class Batch:
    """Rows to be trained on: the loss is (1/size) sum over them of weight (label - x'b)^2."""

    X: Array  # (m, p)
    labels: Array  # (W or 1, P or 1, m)
    weights: Floats  # (W or 1, m), those of rows
    size: int


@dataclass(frozen=True)
class Generation:
    """Real and synthetic labels of one generation, and the weights of each row."""

    X: Array  # (n, p)
    real: Array  # (..., n)
    # Rows that the synthetic labels are for: the same, or others.
    other: Array  # (n, p)
    synthetic: Array  # (W or 1, P, n)
    real_weights: Floats  # (W or 1, n)
    row_weights: Floats  # (n,)
    arrays: Arrays

    def mixed(self) -> Batch:
        """Each row with the label w real + (1 - w) synthetic."""
        w = self.arrays.load(self.real_weights)[:, None, :]
        return Batch(self.X, w * self.real + (1 - w) * self.synthetic, self.row_weights[None, :], self.row_weights.size)


def joined(batches: list[Batch]) -> Batch:
    """All rows of several batches."""
    if len(batches) == 1:
        return batches[0]
    xp = array_namespace(batches[0].X)
    W, P = (max(each.labels.shape[axis] for each in batches) for axis in (0, 1))
    labels = xp.concat([xp.broadcast_to(each.labels, (W, P, each.X.shape[0])) for each in batches], axis=2)
    most = max(each.weights.shape[0] for each in batches)
    weights = np.concatenate([np.broadcast_to(each.weights, (most, each.X.shape[0])) for each in batches], axis=1)
    return Batch(xp.concat([each.X for each in batches]), labels, weights, sum(each.size for each in batches))
