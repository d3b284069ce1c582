"""The engines and the workflows by name: the file of each has its name, and is imported when it is used."""

from importlib import import_module
from typing import Any

# The cheapest first; each says what it covers.
ENGINES = ("spectral", "redraw", "exact-law")
# What a generation is trained on.
WORKFLOWS = ("replace", "accumulate", "accumulate-subsample", "stack")


def engine(name: str) -> Any:
    """The module of an engine.

    ``risks(experiment, replicates)`` are (R, W, P, T + 1) risks, ``together(experiment)`` at a time; ``refusal(experiment,
    noise)`` is why it does not cover an experiment, or nothing; EXPECTS: it knows the expectation over label noise; DENSE: it
    draws whole designs.
    """
    return import_module(f".{name.replace('-', '_')}", __package__)


def workflow(name: str) -> Any:
    """The class of a workflow."""
    return import_module(f".workflows.{name.replace('-', '_')}", __package__).Workflow
