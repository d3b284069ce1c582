"""A sweep file: TOML to a checked description, with all faults of the file at once."""

import json
import math
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..arguments import generations_in_a_row
from ..population_file import MODELS, read_population
from .faults import Fault, checked, misnamed, oversized
from .grid import INNER, MOST_VALUES, OPTIONS, Sweep, SweepError
from .lines import Location, line_of

Values = tuple[Any, ...]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class _Range(_Strict):
    start: float
    stop: float
    count: int = Field(ge=2, le=MOST_VALUES)
    spacing: str = Field("linear", pattern="^(linear|log)$")


def _values(value: Any) -> Values:
    """The values of one axis of the grid, from a list or a range."""
    if isinstance(value, Mapping):
        try:
            span = _Range.model_validate(dict(value))
        except ValidationError as error:
            said = (f"{'.'.join(map(str, each['loc']))} {_words(each)}" for each in error.errors())
            raise ValueError("as a range { start, stop, count, spacing }: " + "; ".join(said)) from None
        if span.spacing == "log" and not (span.start > 0 and span.stop > 0):
            raise ValueError(f"a log range needs start and stop above 0, got {span.start!r} and {span.stop!r}")
        if span.start == span.stop:
            raise ValueError(f"a range needs a stop that differs from its start, got {span.stop!r} twice")
        make = np.geomspace if span.spacing == "log" else np.linspace
        return tuple(make(span.start, span.stop, span.count).tolist())
    listed = tuple(value) if isinstance(value, (list, tuple, np.ndarray)) else ()
    listed = tuple(each.item() if isinstance(each, np.generic) else each for each in listed)
    if len(listed) > MOST_VALUES:
        raise ValueError(f"must hold at most {MOST_VALUES} values, got {len(listed)}")
    words = all(isinstance(each, str) for each in listed)
    numbers = all(isinstance(each, (int, float)) and not isinstance(each, bool) and math.isfinite(each) for each in listed)
    if not listed or not (words or numbers):
        raise ValueError(f"must be a list of finite numbers or of words, or a range {{ start, stop, count }}, got {value!r}")
    if len(set(listed)) < len(listed):
        raise ValueError("must not hold a value twice")
    return tuple(map(float, listed)) if any(isinstance(each, float) for each in listed) else listed


def _model(value: Any) -> Any:
    """A population's table: a model with its parameters, or a file."""
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a table with a model or a file, got {value!r}")
    if ("model" in value) == ("file" in value):
        raise ValueError("needs a model (" + ", ".join(MODELS) + ") or a file")
    if "file" in value and len(value) > 1:
        raise ValueError("takes nothing beside its file")
    return dict(value)


def _kept_generations(value: Any) -> Any:
    """A number of generations, or all."""
    if value != "all" and (not isinstance(value, int) or isinstance(value, bool)):
        raise ValueError("must be a whole number or all")
    return value


class _Group(_Strict):
    share: float
    row_weight: float = 1.0
    real_weight: float = 1.0


class _Loop(_Strict):
    aspect: float | None = None
    penalty: float | None = None
    real_weight: float | None = None
    schedule: list[float] | None = None
    groups: list[_Group] | None = None
    labelled: float | None = None
    row_weight: float | None = None
    covariates: str | None = None
    labels: str | None = None
    synthetic_noise_ratio: float | None = None
    label_renewal: float | None = None
    anchor: float | None = None
    kept_generations: Annotated[Any, AfterValidator(_kept_generations)] = None
    forgetting: float | None = None
    first_rows: float | None = None


_Model = Annotated[dict[str, Any], BeforeValidator(_model)]


class _File(_Strict):
    """What a sweep file may hold; ``docs/sweep.md`` describes it."""

    title: str = ""
    generations: Annotated[int, Field(ge=0), AfterValidator(generations_in_a_row)]
    replicates: int = Field(1, ge=1)
    seed: int = Field(0, ge=0)
    rows: int | None = None
    engine: str | None = None
    workflow: str | None = None
    entries: str | None = None
    label_noise: str | None = None
    noise: str | None = None
    device: str | None = None
    dtype: str | None = None
    judged: str | None = None
    population: _Model | None = None
    populations: dict[str, _Model] = Field(default_factory=dict)
    loop: _Loop | None = None
    loops: dict[str, _Loop] = Field(default_factory=dict)
    grid: dict[str, Annotated[Values, BeforeValidator(_values)]] = Field(default_factory=dict)


def read_spec(source: "str | Path | Mapping[str, Any] | Sweep") -> Sweep:
    """A sweep from a TOML file, or from a mapping that holds what such a file would.

    Raises
    ------
    OSError
        If the file, or a population file that it names, cannot be read.
    SweepError
        With all faults, one a line, each with the file's name and line.

    Examples
    --------
    >>> plan = read_spec({"generations": 3, "rows": 50, "loop": {"real_weight": 0.5}, "grid": {"aspect": [0.5, 2.0]}})
    >>> plan.dims, plan.tasks
    (('aspect', 'replicate', 'generation'), 2)
    """
    if isinstance(source, Sweep):
        return source
    if isinstance(source, Mapping):
        return _sweep(source, json.dumps(source, default=_plain), None, Path())
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SweepError(f"{path}: not TOML: {error}") from None
    return _sweep(content, text, path, path.parent)


def _sweep(content: Mapping[str, Any], text: str, path: Path | None, folder: Path) -> Sweep:
    file, faults = _file(content)
    dropped = [fault.place for fault in faults]
    if file.population is not None and file.populations:
        faults.append(Fault(("populations",), "goes in place of population, got both"))
    if file.loop is not None and file.loops:
        faults.append(Fault(("loops",), "goes in place of loop, got both"))
    options = {name: getattr(file, name) for name in OPTIONS if getattr(file, name) is not None}
    single = {"model": "isotropic"} if file.population is None else file.population
    sweep = Sweep(
        title=file.title,
        text=text,
        generations=file.generations,
        replicates=file.replicates,
        seed=file.seed,
        options=options,
        populations={name: _resolved(table, folder) for name, table in (file.populations or {"": single}).items()},
        loops={name: table.model_dump(exclude_none=True) for name, table in (file.loops or {"": file.loop or _Loop()}).items()},
        outer={name: values for name, values in file.grid.items() if name not in INNER},
        inner={name: file.grid[name] for name in INNER if name in file.grid},
    )
    faults += misnamed(sweep)
    faults += oversized(sweep) or checked(sweep, dropped)
    if faults:
        raise _error(faults, text, path)
    return sweep


def _file(content: Mapping[str, Any]) -> tuple[_File, list[Fault]]:
    """The file, without what is wrong in it, and what that is."""
    faults: list[Fault] = []
    kept = deepcopy(dict(content))
    while True:
        try:
            return _File.model_validate(kept), faults
        except ValidationError as error:
            found: list[Fault] = []
            for each in error.errors():
                location = tuple(part for part in each["loc"] if part != "[key]")
                found.append(Fault(location, _words(each)))
                if each["type"] == "missing" and len(location) == 1:
                    kept[str(location[0])] = 1
                else:
                    _leave_out(kept, location)
            # Later rounds only repeat what is left of the first.
            faults = faults or found


def _leave_out(content: dict[str, Any], location: Location) -> None:
    """Without the innermost key that a location names."""
    tables = [content]
    for part in location[:-1]:
        below = tables[-1].get(part) if isinstance(part, str) else None
        if not isinstance(below, dict):
            break
        tables.append(below)
    tables[-1].pop(str(location[len(tables) - 1]), None)


def _resolved(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A population file's content in place of its name: a store must not change with a file elsewhere."""
    if "file" not in table:
        return table
    return {"model": "atoms", **read_population(folder / str(table["file"])).as_dict()}


def _words(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "is not a known key"
    if error["type"] == "missing":
        return "is needed"
    message = str(error["msg"]).removeprefix("Value error, ")
    given = error["input"]
    short = repr(given) if isinstance(given, (int, float, str)) else ""
    return " ".join(message.split()) + (f", got {short}" if short and "got" not in message else "")


def _error(faults: list[Fault], text: str, path: Path | None) -> SweepError:
    said = []
    for location, message in faults:
        line = line_of(text, location) if path is not None else None
        where = "" if path is None else f"{path}:{line}: " if line else f"{path}: "
        said.append((line or 0, where + ": ".join(filter(None, (".".join(map(str, location)), message)))))
    return SweepError("\n".join(dict.fromkeys(message for _, message in sorted(said, key=lambda each: each[0]))))


def _plain(value: Any) -> Any:
    """Arrays and numbers of numpy as JSON has them."""
    return value.tolist()
