"""freshmix: retraining on a mix of real labels and labels made by the model itself.

Does the loop collapse, which real weight and ridge penalty keep it best, and how many fresh labels does it need?

>>> import freshmix as fm
>>> population = fm.Population.isotropic(signal=2.0, noise_variance=1.0)
>>> best = fm.optimal_weight(population, fm.Loop(aspect=2.0))
>>> round(best.real_weight, 10)
0.6180339887
"""

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .loop import Group, Loop
    from .optimum import (
        Optimum,
        collapse_boundary,
        labels_needed,
        optimal_loop,
        optimal_schedule,
        optimal_weight,
    )
    from .population import Population
    from .recommend import Recommendation, recommend
    from .risk import Limit, limit, risk
    from .risk.surface import limit_surface
    from .simulate import mean_and_error, simulate
    from .sweep import sweep

# Where each public name lives; a module is imported when a name of it is first used.
_HOMES = {
    "Group": "loop",
    "Limit": "risk",
    "Loop": "loop",
    "Optimum": "optimum",
    "Population": "population",
    "Recommendation": "recommend",
    "collapse_boundary": "optimum",
    "labels_needed": "optimum",
    "limit": "risk",
    "limit_surface": "risk.surface",
    "mean_and_error": "simulate",
    "optimal_loop": "optimum",
    "optimal_schedule": "optimum",
    "optimal_weight": "optimum",
    "recommend": "recommend",
    "risk": "risk",
    "simulate": "simulate",
    "sweep": "sweep",
}

__all__ = [
    "Group",
    "Limit",
    "Loop",
    "Optimum",
    "Population",
    "Recommendation",
    "collapse_boundary",
    "labels_needed",
    "limit",
    "limit_surface",
    "mean_and_error",
    "optimal_loop",
    "optimal_schedule",
    "optimal_weight",
    "recommend",
    "risk",
    "simulate",
    "sweep",
]


class _FrontDoor(types.ModuleType):
    """This package with its public names bound to functions, also where a room has the same name (``fm.risk``)."""

    def __getattr__(self, name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        # The import system binds a submodule on its parent; the function of that name keeps its place.
        if not (name in _HOMES and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *__all__})


sys.modules[__name__].__class__ = _FrontDoor
