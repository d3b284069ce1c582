"""Each generation is trained on its own rows, labels mixed."""

from collections.abc import Iterator
from functools import cache

from ...sampling import Generator
from ..experiment import Experiment
from .batch import Batch, Generation


class Workflow:
    """The rows that the generations of one run are trained on; other workflows say what they do otherwise."""

    # Whether synthetic labels are for rows of their own, where covariates are fresh.
    APART = False
    # Whether older rows are trained on again by themselves, whatever the loop keeps.
    KEEPS = False

    def first(self, batch: Batch) -> Batch:
        """What generation 0 is trained on: its rows, with real labels."""
        return batch

    def next(self, generation: Generation, rngs: Iterator[Generator]) -> Batch:
        """What a later one is trained on."""
        return generation.mixed()

    @staticmethod
    def trained_on(experiment: Experiment) -> list[int]:
        """Different rows that generations 0 ... T are trained on, where covariates are fresh."""
        labelled = cache(lambda t: int(experiment.labelled(t).sum()))
        return [rows + sum(labelled(s) for s in (experiment.kept(t) if t else ())) for t, rows in enumerate(experiment.rows)]
