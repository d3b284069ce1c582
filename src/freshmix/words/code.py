"""The Python lines that reproduce a result."""

import math
from collections.abc import Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..loop import Loop

# Parameters that may be arrays.
_ARRAYS = ("time", "sample_weight", "predictions")
_RESULTS = {"recommend": "recommendation", "plan": "found"}


def call(options: Mapping[str, Any], name: str = "recommend") -> str:
    """The call behind a recommendation or, by ``name``, a plan, of what was not left at its default.

    Arrays and data frames (True) go by the names of their parameters.
    """
    X, y = (repr(options[each]) if isinstance(options.get(each), str | list) else each for each in ("X", "y"))
    said = [X] if "X" in options and "y" not in options else [X, y]
    for option, value in options.items():
        if option == "loop":
            said.append(f"loop={loop_code(value)}")
        elif option not in ("X", "y"):
            said.append(f"{option}={option if option in _ARRAYS and value is True else _code(value)}")
    return f"import freshmix as fm\n\n{_RESULTS[name]} = fm.{name}({', '.join(said)})\n"


def loop_code(loop: "Loop") -> str:
    """A loop as Python code, of what is not at its default."""
    said = [
        f"{name}={_code(value)}"
        for name, each in signature(type(loop)).parameters.items()
        if (value := getattr(loop, name)) != each.default and (name != "groups" or loop.real_weight is None)
    ]
    return f"fm.Loop({', '.join(said)})"


def _code(value: Any) -> str:
    if isinstance(value, tuple) and value and hasattr(value[0], "share"):
        return f"[{', '.join(f'fm.{group!r}' for group in value)}]"
    if callable(value):
        return str(getattr(value, "__name__", "kernel"))
    value = value.item() if hasattr(value, "item") else value
    return 'float("inf")' if value == math.inf else repr(value)


def call_code(name: str, options: Mapping[str, Any]) -> str:
    """A call with these arguments, by name.

    >>> call_code("fm.Population.spiked", {"strength": 10.0, "alignment": 0.7})
    'fm.Population.spiked(strength=10.0, alignment=0.7)'
    """
    return f"{name}({', '.join(f'{option}={_code(value)}' for option, value in options.items())})"
