"""A fitted model as a file of numbers and JSON, which runs nothing when it is read."""

import io
import json
import os
import zipfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..files import checked_path, replace_file
from ..loop import Group, Loop
from ..population import Population
from ..prepared import Products
from ..version import __version__
from .expected import Expected
from .moments import Moments
from .settings import Settings

_FORMAT = 1
_KINDS: dict[str, type] = {kind.__name__: kind for kind in (Expected, Group, Loop, Moments, Population, Products, Settings)}


def save(state: dict[str, Any], kind: str, path: str | os.PathLike[str]) -> None:
    """Write the state of a model; raises TypeError for what is neither numbers nor text, before anything is written."""
    target = checked_path(path, "path", (".npz",))
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    content = {"format": _FORMAT, "freshmix": __version__, "kind": kind, "state": _encoded(state, arrays)}
    arrays["json"] = np.array(json.dumps(content))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    replace_file(target, buffer.getvalue(), durable=True)


def load(kind: str, path: str | os.PathLike[str]) -> dict[str, Any]:
    """The state that ``save`` wrote; raises ValueError for any other file."""
    path = Path(path)
    wrong = f"path must be a file that {kind}.save wrote, got {path.name!r}"
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            content = json.loads(str(file["json"]))
            if content["format"] != _FORMAT or content["kind"] != kind:
                raise ValueError(f"{wrong}, of a {content['kind']} (format {content['format']})")
            state = _decoded(content["state"], file)
    except (KeyError, TypeError, EOFError, zipfile.BadZipFile, json.JSONDecodeError, AttributeError) as problem:
        raise ValueError(wrong) from problem
    except ValueError as problem:
        raise problem if str(problem).startswith(wrong) else ValueError(wrong) from problem
    return dict(state)


def _encoded(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    """JSON, with arrays put aside under names."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (np.integer, np.floating, np.bool_)):
        return value.item()
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, np.ndarray):
        name = f"array{len(arrays)}"
        text = value.dtype.kind == "O"
        arrays[name] = value.astype(str) if text else value
        return {"array": name, "object": text}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [_encoded(each, arrays) for each in value]}
    if isinstance(value, dict):
        return {"dict": [[_encoded(key, arrays), _encoded(each, arrays)] for key, each in value.items()]}
    if isinstance(value, np.random.Generator):
        return {"generator": _encoded(value.bit_generator.state, arrays)}
    if isinstance(value, np.random.RandomState):
        return {"random_state": _encoded(value.get_state(legacy=False), arrays)}
    kind = next((name for name, kind in _KINDS.items() if isinstance(value, kind)), None)
    if kind is None or not is_dataclass(value):
        raise TypeError(f"a model with {type(value).__name__} among its settings cannot be saved: numbers and text can")
    parts = {field.name: _encoded(getattr(value, field.name), arrays) for field in fields(_KINDS[kind])}
    return {"object": kind, "fields": parts}


def _decoded(value: Any, arrays: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "fields" in value:
        return _KINDS[value["object"]](**{name: _decoded(part, arrays) for name, part in value["fields"].items()})
    if "array" in value:
        array = arrays[value["array"]]
        return array.astype(object) if value["object"] else array
    ((kind, content),) = value.items()
    if kind == "random_state":
        legacy = np.random.RandomState()
        legacy.set_state(_decoded(content, arrays))
        return legacy
    if kind == "generator":
        state = _decoded(content, arrays)
        if state["bit_generator"] not in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"):
            raise ValueError("unknown generator")
        bits = getattr(np.random, state["bit_generator"])()
        bits.state = state
        return np.random.Generator(bits)
    if kind == "bytes":
        return bytes.fromhex(content)
    if kind == "dict":
        return {_decoded(key, arrays): _decoded(each, arrays) for key, each in content}
    made = [_decoded(each, arrays) for each in content]
    return tuple(made) if kind == "tuple" else made
