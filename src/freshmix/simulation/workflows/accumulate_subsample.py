"""Each generation is trained on as many rows as it brings, drawn from all rows so far."""

import numpy as np
from array_api_compat import array_namespace

from ...sampling import Generator
from ..experiment import Experiment
from . import accumulate
from .batch import Batch, Generation


class Workflow(accumulate.Workflow):
    """Some of all rows so far."""

    def next(self, generation: Generation, rng: Generator) -> Batch:
        """Drawn without replacement."""
        every = super().next(generation, rng)
        count = generation.row_weights.size
        chosen = np.sort(rng.choice(every.size, count, replace=False))
        xp = array_namespace(every.X)
        index = xp.asarray(chosen, device=every.X.device)
        return Batch(xp.take(every.X, index, axis=0), xp.take(every.labels, index, axis=2), every.weights[:, chosen], count)

    @staticmethod
    def trained_on(experiment: Experiment) -> list[int]:
        """As many as each brings."""
        return list(experiment.rows)
