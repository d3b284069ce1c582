"""Sweeps: simulations over grids of parameters, on disk, resumed where they stopped."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from .grid import Sweep


def sweep(spec: "str | Path | Mapping[str, Any] | Sweep", store: str | Path, *, workers: int | None = None) -> "xr.Dataset":
    """Run what a store lacks of a sweep, and return the store's dataset."""
    import xarray as xr

    from .run import here
    from .spec import read_spec
    from .store import Store

    plan = read_spec(spec)
    with Store(Path(store), plan) as opened:
        here(opened, map(int, opened.missing()))
    found: xr.Dataset = xr.open_zarr(store, chunks=None)
    return found
