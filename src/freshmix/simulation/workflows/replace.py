"""Each generation is trained on its own rows, labels mixed."""

from collections.abc import Iterator
from itertools import accumulate

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
        if all(loop.kept_generations == 0 for loop in experiment.loops):
            return list(experiment.rows)
        labelled = [int(experiment.labelled(t).sum()) for t in range(experiment.generations + 1)]
        before = [0, *accumulate(labelled)]
        kept = [0, *(before[t] - before[experiment.kept(t).start] for t in range(1, experiment.generations + 1))]
        return [own + older for own, older in zip(experiment.rows, kept, strict=True)]
