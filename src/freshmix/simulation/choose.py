"""Which engine covers an experiment, and what users are told about it."""

import warnings

import numpy as np

from . import registry
from .experiment import Experiment

# Numbers in a design beyond which engines that draw none go first (2 GB).
_LARGE = 2.5e8


def engine_of(experiment: Experiment, asked: str, noise: str) -> str:
    """The engine asked for, if it covers the experiment; otherwise the cheapest one that does."""
    reasons = {name: registry.engine(name).refusal(experiment, noise) for name in registry.ENGINES}
    if asked != "auto":
        if reasons[asked]:
            raise ValueError(f"engine={asked!r} does not cover this: {reasons[asked]}")
        return asked
    large = experiment.source.features * max(experiment.rows) > _LARGE
    dense = [name for name in reasons if registry.engine(name).DENSE]
    others = [name for name in reasons if name not in dense]
    for name in (*others, *dense) if large else (*dense, *others):
        if not reasons[name]:
            return name
    raise ValueError(f"no engine covers this: {reasons[dense[-1]]}")


def warn(experiment: Experiment, stacklevel: int) -> None:
    """Tell of weights that change nothing, and of risks without a mean, where a model without a penalty interpolates."""
    if not any(np.any(experiment.penalty(t) == 0) for t in range(experiment.generations + 1)):
        return
    rank, workflow = experiment.source.rank, registry.workflow(experiment.workflow)
    # Of frozen rows there are no others; copies of the same rows are label mixing.
    trained = workflow.trained_on(experiment) if experiment.fresh else list(experiment.rows)
    apart = workflow.APART and experiment.fresh
    for t in range(1, experiment.generations + 1):
        groups = experiment.groups(t)
        weighted = len({group.row_weight for group in groups}) > 1 or bool(
            experiment.kept(t) and experiment.loop(t).forgetting < 1
        )
        weighted |= apart and trained[t] > experiment.rows[t]
        if weighted and rank >= trained[t]:
            warnings.warn(
                "row weights are inert without a penalty where features are at least as many as rows: the model fits every "
                "row exactly, whatever its weight; mix labels, or use a penalty",
                stacklevel=stacklevel,
            )
            break
    if any(abs(rank - rows) <= 1 for rows in trained):
        warnings.warn(
            "at the interpolation threshold (features = rows or one apart, no penalty) risks have no finite mean: use a "
            "penalty, or more or fewer features",
            stacklevel=stacklevel,
        )
