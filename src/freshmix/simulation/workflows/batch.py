"""Rows with labels, and what a generation brings."""

from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace

from ...arguments import Floats
from ..namespace import Array, Arrays


@dataclass(frozen=True)
class Batch:
    """Rows to be trained on: the loss is (1/size) sum over them of weight (label - x'b)^2."""

    X: Array  # (R, m, p)
    labels: Array  # (R, W or 1, P or 1, m)
    weights: Floats  # (R or 1, W or 1, m), those of rows
    size: int


@dataclass(frozen=True)
class Generation:
    """Real and synthetic labels of one generation, and the weights of each row."""

    X: Array  # (R, n, p)
    real: Array  # (R, n)
    # Rows that the synthetic labels are for: the same, or others.
    other: Array  # (R, n, p)
    synthetic: Array  # (R, W or 1, P, n)
    real_weights: Floats  # (W or 1, n)
    row_weights: Floats  # (n,)
    arrays: Arrays

    def mixed(self) -> Batch:
        """Each row with the label w real + (1 - w) synthetic."""
        w = self.arrays.load(self.real_weights)[None, :, None, :]
        labels = w * self.real[:, None, None, :] + (1 - w) * self.synthetic
        return Batch(self.X, labels, self.row_weights[None, None, :], self.row_weights.size)


def joined(batches: list[Batch]) -> Batch:
    """All rows of several batches."""
    if len(batches) == 1:
        return batches[0]
    xp = array_namespace(batches[0].X)
    shape = tuple(max(each.labels.shape[axis] for each in batches) for axis in (0, 1, 2))
    labels = xp.concat([xp.broadcast_to(each.labels, (*shape, each.X.shape[1])) for each in batches], axis=3)
    most = tuple(max(each.weights.shape[axis] for each in batches) for axis in (0, 1))
    weights = np.concatenate([np.broadcast_to(each.weights, (*most, each.X.shape[1])) for each in batches], axis=2)
    return Batch(xp.concat([each.X for each in batches], axis=1), labels, weights, sum(each.size for each in batches))
