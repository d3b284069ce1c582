"""Each generation is trained on all rows so far (mathematics.md section 9)."""

from collections.abc import Iterator

import numpy as np

from ...sampling import Generator
from ..experiment import Experiment
from . import replace
from .batch import Batch, Generation, joined


class Workflow(replace.Workflow):
    """All rows so far, each with the label that it had when it was new."""

    KEEPS = True

    def first(self, batch: Batch) -> Batch:
        """Kept for all later generations."""
        self._batches = [batch]
        return batch

    def next(self, generation: Generation, rngs: Iterator[Generator]) -> Batch:
        """The new rows beside the old ones."""
        self._batches.append(generation.mixed())
        return joined(self._batches)

    @staticmethod
    def trained_on(experiment: Experiment) -> list[int]:
        """All rows so far."""
        return [int(total) for total in np.cumsum(experiment.rows)]
