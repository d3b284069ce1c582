"""What a worker runs: a few tasks on one BLAS thread, their values handed back."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from ..arguments import Floats
from ..simulation import one_replicate
from ..simulation.experiment import Experiment
from ..threads import one_blas_thread
from .grid import settings


@dataclass(frozen=True)
class Job:
    """One simulation: a point of the sweep, a replicate, and the weights and penalties that are computed together."""

    point: str
    replicate: int
    block: tuple[tuple[str, tuple[Any, ...]], ...]


@dataclass(frozen=True)
class Outcome:
    """(W, P, T + 1) risks, or in words why there are none; and the seconds it took."""

    values: Floats | None
    reason: str
    seconds: float


def run(jobs: Sequence[Job], budget: float, values: "Callable[[Job], Floats] | None" = None) -> list[Outcome]:
    """Outcomes of the first jobs, at least one, until ``budget`` seconds are over; a job that raises stops no other.

    ``values`` are those of a job, by default of its simulation.
    """
    _pinned()
    found: list[Outcome] = []
    spent = 0.0
    for job in jobs:
        found.append(_one(job, values or _simulated))
        spent += found[-1].seconds
        if spent >= budget:
            break
    return found


def _one(job: Job, of: Callable[[Job], Floats]) -> Outcome:
    start = time.perf_counter()
    values, reason = None, ""
    try:
        values = of(job)
        if np.isnan(values).any():
            values, reason = None, "it gave NaN"
    except (ArithmeticError, MemoryError, OSError, RuntimeError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return Outcome(values, reason, time.perf_counter() - start)


def _simulated(job: Job) -> Floats:
    return one_replicate(*_settings(job.point, job.block), job.replicate)


@lru_cache(maxsize=8)
def _settings(point: str, block: tuple[tuple[str, tuple[Any, ...]], ...]) -> tuple[str, Experiment]:
    return settings(point, dict(block))


@cache
def _pinned() -> None:
    # For good: several threads of one worker may run tasks, and the first one done must not lift the limit.
    one_blas_thread()
