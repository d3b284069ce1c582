"""The Python lines that reproduce a result."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..loop import Loop


def call(options: Mapping[str, Any]) -> str:
    """The call of ``recommend`` behind a recommendation that was made in Python, of what was not left at its default."""
    rest = dict(options)
    known = rest.pop("loop", None)
    # The table's own columns are arrays of the same name.
    said = ["X, y", *([] if known is None else [f"loop={loop_code(known)}"])]
    said += [f"{name}={name}" for name in ("time", "sample_weight") if rest.pop(name, False)]
    said += [keywords(rest)] if rest else []
    return f"import freshmix as fm\n\nrecommendation = fm.recommend({', '.join(said)})\n"


def lines(files: Sequence[str], reading: Mapping[str, Any], loop: "Loop", options: Mapping[str, Any]) -> str:
    """The same of a recommendation for files: how they are read, the loop, and what else was not left at its default."""
    names = files[0] if len(files) == 1 else list(files)
    rest = keywords({name: value for name, value in options.items() if name != "loop"})
    return "\n".join(
        (
            "import freshmix as fm",
            "from freshmix.tables import open_table",
            "",
            f"table = open_table({names!r}, {keywords({name: value for name, value in reading.items() if value})})",
            f"loop = {loop_code(loop)}",
            f"recommendation = fm.recommend(table, loop=loop{', ' if rest else ''}{rest})",
            "",
        )
    )


def loop_code(loop: "Loop") -> str:
    """A loop as Python code."""
    said: dict[str, object] = {"covariates": loop.covariates, "synthetic_noise_ratio": loop.synthetic_noise_ratio}
    if loop.labels != "fresh":
        said["labels"] = loop.labels
    if loop.penalty:
        said["penalty"] = loop.penalty
    if loop.real_weight is not None:
        said["real_weight"] = loop.real_weight
    groups = ""
    if loop.groups is not None and loop.real_weight is None:
        groups = f", groups=[{', '.join(f'fm.{group!r}' for group in loop.groups)}]"
    return f"fm.Loop({keywords(said)}{groups})"


def keywords(values: Mapping[str, object]) -> str:
    """Keyword arguments as Python code."""
    return ", ".join(f"{name}={_code(value)}" for name, value in values.items())


def _code(value: Any) -> str:
    if callable(value):
        return str(getattr(value, "__name__", "kernel"))
    value = value.item() if hasattr(value, "item") else value
    return 'float("inf")' if value == math.inf else repr(value)
