"""Replicates one after another or on an executor, with progress and a clean stop."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, as_completed
from contextlib import nullcontext

from ..arguments import Floats
from ..threads import ONE_THREAD, one_blas_thread
from .experiment import Experiment
from .progress import bar

Engine = Callable[[Experiment, int], Floats]


def finished(
    engine: Engine,
    experiment: Experiment,
    count: int,
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
    shown = count > 1 and (sys.stderr.isatty() if progress is None else progress)
    with bar("replicates", count, transient=True) if shown else nullcontext(lambda done, failed: None) as tell:
        try:
            if executor is None and workers == 1:
                for replicate in range(count):
                    done[replicate] = engine(experiment, replicate)
                    tell(len(done), 0)
            else:
                for results in _on(executor or _processes(workers), engine, experiment, count):
                    done.update(results)
                    tell(len(done), 0)
        except KeyboardInterrupt:
            if not partial:
                raise
    return done


def _on(executor: Executor, engine: Engine, experiment: Experiment, count: int) -> Iterator[dict[int, Floats]]:
    # Small blocks: little is lost at an interruption, and sending the experiment costs nothing beside the work.
    size = max(1, min(16, count // 64))
    starts = range(0, count, size)
    tasks: list[Future[dict[int, Floats]]] = []
    try:
        tasks.extend(executor.submit(_block, engine, experiment, start, min(start + size, count)) for start in starts)
        for task in as_completed(tasks):
            yield task.result()
    except BaseException:
        for task in tasks:
            task.cancel()
        raise


def _block(engine: Engine, experiment: Experiment, start: int, stop: int) -> dict[int, Floats]:
    with one_blas_thread():
        return {replicate: engine(experiment, replicate) for replicate in range(start, stop)}


def _processes(workers: int) -> Executor:
    from loky import get_reusable_executor

    executor: Executor = get_reusable_executor(max_workers=workers, env=ONE_THREAD)
    return executor
