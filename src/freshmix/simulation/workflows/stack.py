"""Real and synthetic rows are separate rows of weight w and 1 - w."""

from collections.abc import Iterator

import numpy as np
from array_api_compat import array_namespace

from ...sampling import Generator
from ..experiment import Experiment
from . import replace
from .batch import Batch, Generation


class Workflow(replace.Workflow):
    """Twice the rows: with the same rows twice it is label mixing, as n counts each pair once."""

    APART = True

    def next(self, generation: Generation, rngs: Iterator[Generator]) -> Batch:
        """Real rows, then synthetic ones."""
        xp = array_namespace(generation.X)
        synthetic, w = generation.synthetic, generation.real_weights
        W = max(synthetic.shape[1], w.shape[0])
        shape = (synthetic.shape[0], W, *synthetic.shape[2:])
        real = generation.real[:, None, None, :]
        labels = xp.concat([xp.broadcast_to(each, shape) for each in (real, synthetic)], axis=3)
        weights = np.broadcast_to(np.concatenate([w, 1 - w], axis=1), (W, 2 * w.shape[1]))
        rows = xp.concat([generation.X, generation.other], axis=1)
        return Batch(rows, labels, (np.tile(generation.row_weights, 2) * weights)[None], w.shape[1])

    @staticmethod
    def trained_on(experiment: Experiment) -> list[int]:
        """Twice as many where both kinds of rows have a weight."""
        rows = replace.Workflow.trained_on(experiment)
        for t in range(1, len(rows)):
            w = experiment.real_weights(t)
            rows[t] += experiment.rows[t] if np.any((w > 0) & (w < 1)) else 0
        return rows
