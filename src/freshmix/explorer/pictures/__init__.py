"""The page's pictures: a table of the front door in, a figure of plotly out. One picture a file; nothing is computed here."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr
    from plotly.graph_objects import Figure

    from .style import Template

# Each has a file of that name with its ``figure``.
NAMES = ("risk_by_generation", "risk_by_weight", "weight_penalty", "ways", "phase", "spectrum")


def drawn(name: str, table: "xr.Dataset", template: "Template", **beside: Any) -> "Figure":
    """A picture of ``NAMES`` of its table, for a "light" or a "dark" page; ``beside`` is what else its file takes."""
    made: Figure = import_module(f".{name}", __package__).figure(table, template, **beside)
    return made
