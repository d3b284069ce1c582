"""Pictures of what theory says, by name: each has a file of that name here, with the ``table`` it needs and its ``draw``."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..theory import Theory

# What each shows.
NAMES = {
    "generation": "risk by generation",
    "weight": "risk by weight",
    "surface": "risk over (weight, penalty)",
    "phase": "phase diagram",
}


def table(name: str, found: "Theory") -> "xr.Dataset":
    """The data of a picture."""
    made: xr.Dataset = _file(name).table(found)
    return made


def draw(name: str, table: "xr.Dataset") -> "Figure":
    """The picture of its data."""
    drawn: Figure = _file(name).draw(table)
    return drawn


def paint(name: str, found: "Theory", axes: "Axes") -> None:
    """The picture on given axes."""
    _file(name).paint(axes, table(name, found))


def _file(name: str) -> Any:
    return import_module(f".{name}", __package__)
