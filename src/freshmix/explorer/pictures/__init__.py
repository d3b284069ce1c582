"""The page's pictures: a table of the front door in, a figure of plotly out. One picture a file; nothing is computed here."""

import base64
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

if TYPE_CHECKING:
    import xarray as xr

    from .style import Picture, Template

# Each has a file of that name with its ``figure``.
NAMES = ("risk_by_generation", "risk_by_weight", "weight_penalty", "ways", "phase", "spectrum")
# What plotly in a browser calls numbers of each kind.
_KINDS = {"float64": "f8", "float32": "f4", "int32": "i4"}


def drawn(name: str, table: "xr.Dataset", template: "Template", **beside: Any) -> go.Figure:
    """A picture of ``NAMES`` of its table, for a "light" or a "dark" page; ``beside`` is what else its file takes."""
    made = _made(name, table, template, **beside)
    layout = made["layout"] | {"template": go.layout.Template()}
    # Checked by tests: plotly's checks of every value cost more than all else.
    return go.Figure({"data": made["data"], "layout": layout}, _validate=False)


def sent(name: str, table: "xr.Dataset", template: "Template", **beside: Any) -> "Picture":
    """The same as it is sent to a browser, where ``drawn`` and its text cost as much as the table: no object is made of it."""
    made: Picture = _coded(_made(name, table, template, **beside))
    return made


def _made(name: str, table: "xr.Dataset", template: "Template", **beside: Any) -> "Picture":
    made: Picture = import_module(f".{name}", __package__).figure(table, template, **beside)
    return made


def _coded(value: Any) -> Any:
    """Arrays of numbers by their bytes, which browsers read and write much faster than text."""
    if isinstance(value, dict):
        return {key: _coded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_coded(each) for each in value]
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.kind == "i":
        value = value.astype(np.int32)
    if value.dtype.name not in _KINDS:
        return _coded(value.tolist())
    coded = {"dtype": _KINDS[value.dtype.name], "bdata": base64.b64encode(value.tobytes()).decode("ascii")}
    return coded if value.ndim == 1 else coded | {"shape": ", ".join(str(size) for size in value.shape)}
