"""Each generation is trained on as many rows as it brings, drawn from all rows so far."""

from collections.abc import Iterator

import numpy as np
from array_api_compat import array_namespace

from ...sampling import Generator
from ..experiment import Experiment
from ..namespace import Array
from . import accumulate
from .batch import Batch, Generation


class Workflow(accumulate.Workflow):
    """Some of all rows so far."""

    def next(self, generation: Generation, rngs: Iterator[Generator]) -> Batch:
        """Drawn without replacement, by each replicate for itself."""
        every = super().next(generation, rngs)
        count = generation.row_weights.size
        chosen = np.sort([rng.choice(every.size, count, replace=False) for rng in rngs], axis=1)
        xp = array_namespace(every.X)
        R, W, P = every.labels.shape[:3]

        def taken(flat: Array, before: int) -> Array:
            """Those of each replicate, from what all of them have in one row, ``before`` times for each."""
            starts = every.size * np.arange(R * before).reshape(R, before, 1)
            index = xp.asarray((starts + chosen[:, None, :]).ravel(), device=flat.device)
            return xp.take(flat, index, axis=0)

        X = xp.reshape(taken(xp.reshape(every.X, (-1, every.X.shape[2])), 1), (R, count, -1))
        labels = xp.reshape(taken(xp.reshape(every.labels, (-1,)), W * P), (R, W, P, count))
        return Batch(X, labels, np.moveaxis(every.weights[0][:, chosen], 1, 0), count)

    @staticmethod
    def trained_on(experiment: Experiment) -> list[int]:
        """As many as each brings."""
        return list(experiment.rows)
