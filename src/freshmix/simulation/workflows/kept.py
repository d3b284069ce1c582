"""Labelled rows of earlier generations that stay in the fit (mathematics.md section 5)."""

import dataclasses

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from ...arguments import Floats
from ..experiment import Experiment
from ..namespace import Array
from .batch import Batch


class Kept:
    """Rows with their real labels, as far back as any later generation of the run needs them."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._batches: dict[int, Batch] = {}
        # The generation that is the last to need the rows of another; 0: none does.
        self._last_use = np.zeros(experiment.generations + 1, dtype=np.int64)
        for t in range(1, experiment.generations + 1):
            self._last_use[experiment.kept(t).start : t] = t

    def added(self, t: int, X: Array, real: Array, row_weights: Floats) -> Batch:
        """Rows of generation t with (R, n) real labels, kept where they are needed."""
        batch = Batch(X, real[:, None, None, :], row_weights[None, None, :], row_weights.size)
        if self._last_use[t]:
            self._batches[t] = _labelled(batch, self._experiment.labelled(t))
        return batch

    def at(self, t: int) -> list[Batch]:
        """Those in the fit of generation t: a row of age a counts forgetting^a."""
        forgetting = self._experiment.loop(t).forgetting
        found = [
            dataclasses.replace(self._batches[s], weights=forgetting ** (t - s) * self._batches[s].weights)
            for s in self._experiment.kept(t)
        ]
        self._batches = {s: batch for s, batch in self._batches.items() if self._last_use[s] > t}
        return [batch for batch in found if batch.size]


def _labelled(batch: Batch, labelled: NDArray[np.bool_]) -> Batch:
    """The rows of a batch that have a real label."""
    if labelled.all():
        return batch
    index = np.flatnonzero(labelled)
    xp = array_namespace(batch.X)
    chosen = xp.asarray(index, device=batch.X.device)
    X, labels = xp.take(batch.X, chosen, axis=1), xp.take(batch.labels, chosen, axis=3)
    return Batch(X, labels, batch.weights[:, :, index], index.size)
