"""A replay in a store: its repeats at each weight are tasks as a sweep's are, and only what is missing is run."""

import hashlib
import inspect
import json
import warnings
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..arguments import Floats
from ..sweeps.grid import Sweep
from ..sweeps.progress import progress as shown
from ..sweeps.reading import description, is_begun
from ..sweeps.run import Run
from ..sweeps.store import Store
from ..sweeps.task import Job, run
from ..words import any_model as words
from .repeats import Repeats

# What nobody can tell from another by its name.
_NAMELESS = ("<lambda>", "<locals>")


@dataclass(frozen=True)
class _Replay(Sweep):
    """Repeats are its replicates; its options are those of the replay, and it has neither populations nor loops."""

    kind: ClassVar[str] = "replay"
    results: ClassVar[str] = "error"
    meaning: ClassVar[Mapping[str, str]] = {"long_name": "error on rows held out"}
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "scipy", "scikit-learn", "zarr")

    def described(self) -> dict[str, Any]:
        """All that changes its numbers, as JSON reads it back."""
        content = {
            "generations": self.generations,
            "seed": self.seed,
            "replay": self.options,
            "estimator": self.loops[""],
            "table": self.populations[""],
            "grid": self.inner,
            "replicates": self.replicates,
        }
        loaded: dict[str, Any] = json.loads(json.dumps(content))
        return loaded

    def point(self, coordinates: Mapping[str, Any]) -> str:
        """Nothing: there is one point."""
        return ""


def stored(
    runs: Repeats, numbers: range, root: Path, executor: Executor, progress: bool, described: Mapping[str, Any]
) -> Floats:
    """(repeats, weights, T + 1, measures) from a store, after what it lacks of them has been run.

    A store may hold more weights and repeats, and holds these from then on. ``described`` is ``settings_of`` the estimator.

    Raises
    ------
    OSError
        If the store cannot be written to, or another process holds it.
    ValueError
        If it is the store of another replay, or repeats fail; what was finished stays.
    """
    plan = _plan(runs, numbers, root, described)
    blocks = [{"real_weight": (w,), "measure": runs.measures} for w in plan.inner["real_weight"]]
    with ExitStack() as stack:
        opened = stack.enter_context(Store(root, plan, blocks))
        # With weights as they stand there.
        held = opened.sweep.inner["real_weight"]
        places = [int(np.argmin(np.abs(np.array(held) - w))) for w in runs.weights]
        asked = {held[place] for place in places}
        mine = [
            number * plan.tasks + task
            for task in numbers
            for number, block in enumerate(opened.blocks)
            if asked & set(block["real_weight"])
        ]
        missing = set(opened.missing().tolist())
        # Weights of one repeat after another: they share its draws.
        items = [item for item in mine if item in missing]
        show = stack.enter_context(shown(len(mine), len(mine) - len(items), progress))
        work = partial(run, values=partial(_values, runs))
        done = Run(opened, executor, getattr(executor, "at_once", 2), show, work)
        done.complete(items)
        if done.committed and (other := opened.other_versions()):
            warnings.warn(words.other_libraries(other), stacklevel=4)
        if done.failed:
            item, reason = next(iter(sorted(done.failed.items())))
            raise ValueError(words.failed(len(done.failed), len(mine), plan.name_of(item % plan.tasks), reason, root))
        # (replicates, weights, measures, generations) as they lie there.
        return np.ascontiguousarray(np.moveaxis(opened.values()[numbers.start : numbers.stop][:, places], 2, 3))


def _values(runs: Repeats, job: Job) -> Floats:
    """(weights, measures, T + 1) of a job."""
    return np.moveaxis(runs.errors(job.replicate, dict(job.block)["real_weight"]), 1, 2)


def _plan(runs: Repeats, numbers: range, root: Path, described: Mapping[str, Any]) -> _Replay:
    """What the store is to hold: what it has, and what is asked for."""
    weights, replicates = set(runs.weights), numbers.stop
    if is_begun(root):
        old = json.loads(description(root)[0]["attributes"]["sweep"])
        replicates = max(replicates, int(old.get("replicates", 0)))
        weights |= {w for w in old.get("grid", {}).get("real_weight", ()) if not np.isclose(w, runs.weights, rtol=1e-15).any()}
    options = {name: value for name, value in asdict(runs.plan).items() if name not in ("generations", "seed")}
    return _Replay(
        title=f"replay of {described['class']}",
        text="",
        generations=runs.plan.generations,
        replicates=replicates,
        seed=runs.plan.seed,
        options=options,
        populations={"": _table_of(runs)},
        loops={"": dict(described)},
        outer={},
        inner={"real_weight": tuple(sorted(weights)), "measure": runs.measures},
    )


def settings_of(estimator: Any) -> dict[str, Any]:
    """An estimator's class and settings, as JSON has them, from which it can be told from any other.

    Raises TypeError where a setting has no name and no content that could be written down.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> settings_of(Ridge(alpha=2.0))["alpha"]
    2.0
    """
    said = {"class": _name_of(type(estimator))}
    return said | {name: _written(name, value) for name, value in sorted(estimator.get_params(deep=True).items())}


def _written(name: str, value: Any) -> Any:
    # scikit-learn brings it, and it comes to the same for the same content in any process.
    import joblib  # type: ignore[import-untyped]

    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else repr(value)
    if hasattr(value, "get_params"):
        # Its own settings stand beside it.
        return _name_of(type(value))
    if isinstance(value, (list, tuple)):
        return [_written(name, each) for each in value]
    if inspect.isclass(value) or inspect.isroutine(value):
        if any(part in value.__qualname__ for part in _NAMELESS):
            raise TypeError(f"estimator must have settings that can be told apart, to be kept in a store: {name} is a function")
        return _name_of(value)
    try:
        return joblib.hash(value)
    except Exception as error:
        raise TypeError(
            f"estimator must have settings that can be told apart, to be kept in a store: {name} is {value!r}"
        ) from error


def _name_of(kind: Any) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _table_of(runs: Repeats) -> dict[str, Any]:
    """Rows and labels by what they hold, whatever kind of frame or array it is in."""
    X = runs.X
    names = [str(name) for name in getattr(X, "columns", range(X.shape[1]))]
    columns = [X[name] for name in X.columns] if hasattr(X, "columns") else X.T
    content = hashlib.sha256()
    for column in map(np.asarray, columns):
        content.update(repr(column.tolist()).encode() if column.dtype.kind == "O" else np.ascontiguousarray(column).tobytes())
    return {
        "rows": runs.labels.size,
        "columns": names,
        "X": content.hexdigest()[:16],
        "y": hashlib.sha256(runs.labels.tobytes()).hexdigest()[:16],
    }
