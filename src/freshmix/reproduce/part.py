"""A sweep that comes with the package: run, and put beside theory."""

import json
import tomllib
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ..arguments import Floats
from ..loop import Loop
from ..plots.panels import Marks
from ..population import Population
from ..risks import limit, risk
from ..risks.surface import limit_surface
from ..sweeps import sweep
from ..sweeps.grid import Sweep, loop_of, population_of
from ..sweeps.spec import read_spec
from .scores import mean_and_error, scores

# Risks of generations 0 ... T, or of the last few of them.
Theory = Callable[[Population, Loop, int], Floats]
Statistic = Callable[[xr.DataArray, xr.DataArray], xr.DataArray]


def long_run(population: Population, loop: Loop, generations: int) -> Floats:
    """(1,) long-run risk, for simulations whose last generation has reached it."""
    return np.array([limit(population, loop).risk])


def by_generation(population: Population, loop: Loop, generations: int) -> Floats:
    """(T + 1,) risks."""
    return risk(population, loop, generations)


def content_of(name: str, changed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A sweep file of this package as a mapping; ``changed`` replaces keys, those of tables one by one."""
    content = tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    for key, value in (changed or {}).items():
        content[key] = {**content.get(key, {}), **value} if isinstance(value, Mapping) else value
    return content


@dataclass(frozen=True)
class Part:
    """A sweep, its results, and the theory of its points."""

    sweep: Sweep
    results: xr.DataArray
    theory: Theory = long_run
    # What several statistics are compared with is computed once.
    _known: dict[frozenset[tuple[str, Any]], xr.DataArray] = field(default_factory=dict, init=False, compare=False)

    @classmethod
    def run(cls, name: str, changed: Mapping[str, Any], store: Path, workers: int, executor: Executor) -> "Part":
        """Run what the store lacks of a sweep of this package; raises ArithmeticError where some of it failed."""
        plan = read_spec(content_of(name, changed))
        with warnings.catch_warnings():
            # What failed is told below, as an error.
            warnings.simplefilter("ignore", UserWarning)
            found = sweep(plan, store, workers=workers, executor=executor)
        missing = int((~found.done).sum())
        if missing:
            raise ArithmeticError(f"{missing} of {found.done.size} results of the sweep {name} failed: see {store}")
        results = found.risk.load()
        found.close()
        if "rows" not in results.dims:
            results = results.expand_dims(rows=[plan.options["rows"]])
        return cls(plan, results)

    def against(self, theory: Theory) -> "Part":
        """The same results beside another theory."""
        return replace(self, theory=theory)

    @property
    def rows(self) -> int:
        """Rows of the largest runs, those that are shown."""
        return int(self.results.rows[-1])

    @property
    def replicates(self) -> int:
        """Number of independent runs of each point."""
        return int(self.results.sizes["replicate"])

    def values(self, axis: str) -> tuple[Any, ...]:
        """Values of an axis of the sweep."""
        return self.sweep.coordinates[axis]

    def setting(self, **at: Any) -> tuple[Population, Loop]:
        """Population and loop at some coordinates; by default the first values, and the most rows."""
        first = {name: values[0] for name, values in self.sweep.axes.items()}
        if "rows" in first:
            first["rows"] = self.rows
        content = json.loads(self.sweep.point({name: at.get(name, value) for name, value in first.items()}))
        loop = loop_of(content["loop"])
        if "penalty" in at:
            loop = loop.replace(penalty=at["penalty"])
        if "real_weight" in at:
            loop = loop.at_weight(at["real_weight"])
        return population_of(content["population"], loop.aspect, content["options"]["rows"]), loop

    def theories(self, **at: Any) -> xr.DataArray:
        """Theory of some points of the sweep, over the dimensions of the results that ``at`` leaves, but replicate."""
        if (key := frozenset(at.items())) in self._known:
            return self._known[key]
        axes = {name: (at[name],) if name in at else values for name, values in self.sweep.axes.items()}
        inner = {name: (at[name],) if name in at else values for name, values in self.sweep.inner.items()}
        layers = [self._layer(dict(zip(axes, point, strict=True)), inner) for point in product(*axes.values())]
        last = self.sweep.generations
        generation = list(range(last + 1))[-layers[0].shape[-1] :]
        coordinates = {**{name: list(values) for name, values in (axes | inner).items()}, "generation": generation}
        values = np.reshape(layers, [len(each) for each in coordinates.values()])
        found = xr.DataArray(values, coordinates, list(coordinates))
        self._known[key] = (found if "rows" in axes else found.expand_dims(rows=self.results.rows)).sel(at)
        return self._known[key]

    def _layer(self, at: Mapping[str, Any], inner: Mapping[str, tuple[float, ...]]) -> Floats:
        """(..., generations) theory over real weights and penalties."""
        population, loop = self.setting(**at)
        if self.theory is long_run and inner and loop.covariates == "frozen":
            surface = limit_surface(population, loop, **{name: np.array(values) for name, values in inner.items()})
            return np.asarray(surface.risk.transpose(*inner).values[..., None])
        points = [dict(zip(inner, point, strict=True)) for point in product(*inner.values())]
        layers = [self.theory(*self.setting(**at, **point), self.sweep.generations) for point in points]
        return np.reshape(layers, (*map(len, inner.values()), -1))

    def compare(self, statistic: Statistic, **at: Any) -> xr.Dataset:
        """``value``, ``error`` and ``theory`` at the most rows, and ``z`` from all of them, at some coordinates."""
        theory = self.theories(**at)
        found = self.results.sel(at).sel(generation=theory.generation)
        value, error = mean_and_error(found, lambda mean: statistic(mean, theory))
        expected = statistic(theory, theory)
        z = scores(value - expected, error, self.replicates)
        table = {"value": value, "error": error, "theory": expected}
        return xr.Dataset({name: each.isel(rows=-1, drop=True) for name, each in table.items()} | {"z": z})

    def marks(self, statistic: Statistic, along: str, **at: Any) -> Marks:
        """Points along one dimension; ``at`` fixes the others."""
        table = self.compare(statistic, **at).reset_coords(drop=True)
        if table.value.dims != (along,):
            raise ValueError(f"marks must be over {along!r} alone, got {table.value.dims}")
        return Marks(*(table[name].values.astype(float) for name in (along, "value", "error", "theory", "z")))
