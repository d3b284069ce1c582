"""Replicates one after another or on an executor, with progress and a clean stop."""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import nullcontext

import numpy as np

from ..arguments import Floats
from ..threads import one_blas_thread
from . import registry
from .experiment import Experiment
from .progress import bar

# Risks beyond this are those of a loop that diverges: what overflows after one of them is inf.
_DIVERGED = 1e100


def computed(engine: str, experiment: Experiment, replicates: Sequence[int]) -> dict[int, Floats]:
    """(W, P, T + 1) risks of each replicate, the same numbers whichever are computed together."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = registry.engine(engine).risks(experiment, replicates)
    missing = np.isnan(found)
    if missing.any():
        large = np.maximum.accumulate(np.where(missing, 0.0, found), axis=-1) > _DIVERGED
        found = np.where(missing & large, np.inf, found)
    return dict(zip(replicates, found, strict=True))


def finished(
    engine: str,
    experiment: Experiment,
    asked: range,
    workers: int,
    executor: Executor | None,
    progress: bool | None,
    partial: bool,
) -> dict[int, Floats]:
    """Results by replicate; interrupted, those that were finished if ``partial``, else KeyboardInterrupt."""
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(f"executor must be a concurrent.futures.Executor, got {type(executor).__name__}")
    done: dict[int, Floats] = {}
    # It shows itself on a terminal and in long runs only.
    shown = len(asked) > 1 and (sys.stderr.isatty() if progress is None else progress)
    with bar("replicates", len(asked), transient=True) if shown else nullcontext(lambda done, failed: None) as tell:
        try:
            if executor is None and workers == 1:
                for part in _parts(asked, registry.engine(engine).together(experiment)):
                    done |= computed(engine, experiment, part)
                    tell(len(done), 0)
            else:
                for results in _on(executor or _processes(workers), engine, experiment, asked):
                    done.update(results)
                    tell(len(done), 0)
        except KeyboardInterrupt:
            if not partial:
                raise
    return done


def _parts(asked: range, size: int) -> Iterator[range]:
    return (asked[start : start + size] for start in range(0, len(asked), size))


def _on(executor: Executor, engine: str, experiment: Experiment, asked: range) -> Iterator[dict[int, Floats]]:
    # Small blocks: little is lost at an interruption, and sending the experiment costs nothing beside the work. Replicates
    # that gain by being run together come in larger ones.
    together = registry.engine(engine).together(experiment)
    count = len(asked)
    size = max(1, min(16, count // 64) if together == 1 else min(together, count // 16))
    tasks: list[Future[dict[int, Floats]]] = []
    try:
        tasks.extend(executor.submit(_block, engine, experiment, part) for part in _parts(asked, size))
        for task in as_completed(tasks):
            yield task.result()
    except BaseException:
        for task in tasks:
            task.cancel()
        raise


def _block(engine: str, experiment: Experiment, asked: range) -> dict[int, Floats]:
    done: dict[int, Floats] = {}
    with one_blas_thread():
        for part in _parts(asked, registry.engine(engine).together(experiment)):
            done |= computed(engine, experiment, part)
    return done


def _processes(workers: int) -> Executor:
    from ..processes import shared

    return shared(workers, "freshmix.simulation.finite_samples")
