"""Where searches look: coordinates of a loop by name, with their bounds (mathematics.md sections 3 to 5)."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from ..arguments import Floats
from ..risks.plain import LEAST_PENALTY, MOST_PENALTY

# Loss weights of rows without a real label, in units of those of the others.
LEAST_ROW_WEIGHT, MOST_ROW_WEIGHT = 1e-3, 1e3
_LOGARITHMIC = ("penalty", "row_weight")
# Steps of a first simplex: in a weight, and in logarithms.
_STEP, _LOG_STEP = 0.05, 0.5


@dataclass(frozen=True)
class Box:
    """Bounds of named coordinates; penalties and row weights are searched by their logarithms."""

    bounds: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, names: tuple[str, ...], scale: float) -> "Box":
        """The whole box of these coordinates; ``scale`` is the unit of penalties."""
        every = {
            "real_weight": (0.0, 1.0),
            "penalty": (LEAST_PENALTY * scale, MOST_PENALTY * scale),
            "row_weight": (LEAST_ROW_WEIGHT, MOST_ROW_WEIGHT),
        }
        return cls({name: every[name] for name in names})

    def within(self, **bounds: tuple[float, float]) -> "Box":
        """With other bounds of some coordinates."""
        return replace(self, bounds={**self.bounds, **bounds})

    def point(self, values: Mapping[str, float]) -> Floats:
        """The coordinates as a search moves them, within the bounds."""
        inside = {name: min(max(values[name], low), high) for name, (low, high) in self.bounds.items()}
        return np.array([math.log(value) if name in _LOGARITHMIC else value for name, value in inside.items()])

    def values(self, point: Floats) -> dict[str, float]:
        """The coordinates of a point."""
        pairs = zip(self.bounds.items(), point.tolist(), strict=True)
        # Within the bounds whatever the rounding of an exponential.
        return {name: min(max(math.exp(x) if name in _LOGARITHMIC else x, low), high) for (name, (low, high)), x in pairs}

    @property
    def ends(self) -> list[tuple[float, float]]:
        """Bounds of a point."""
        low, high = (self.point({name: each[k] for name, each in self.bounds.items()}) for k in (0, 1))
        return list(zip(low.tolist(), high.tolist(), strict=True))

    def inside(self, values: Mapping[str, float], name: str) -> bool:
        """Whether a coordinate is below its upper bound, at which a risk may still fall."""
        return values[name] < self.bounds[name][1] * (1 - 1e-6)

    def simplex(
        self,
        function: Callable[[dict[str, float]], float],
        start: Mapping[str, float],
        *,
        steps: tuple[float, float] = (_STEP, _LOG_STEP),
        inwards: bool = True,
        tolerance: float = 1e-8,
        value_tolerance: float = 1e-15,
        most: int = 600,
        evaluations: int | None = None,
    ) -> tuple[dict[str, float], float]:
        """The least point near a start and the value there, by the simplex search of Nelder and Mead; never worse than it.

        ``steps`` of the first simplex are those in a weight and in logarithms: away from the upper bound, and ``inwards`` in a
        weight of more than a half.
        """
        first = self.point(start)
        moves = np.array([steps[name in _LOGARITHMIC] for name in self.bounds])
        backwards = [inwards and name not in _LOGARITHMIC and x > 0.5 for name, x in zip(self.bounds, first, strict=True)]
        moves = np.diag(np.where(backwards | (first + moves > np.array(self.ends)[:, 1]), -moves, moves))
        options = {"initial_simplex": np.vstack([first, first + moves]), "xatol": tolerance, "fatol": value_tolerance}
        limit = {"maxiter": most} if evaluations is None else {"maxfev": evaluations}
        with np.errstate(invalid="ignore"):
            found = minimize(
                lambda point: function(self.values(point)),
                first,
                method="Nelder-Mead",
                bounds=self.ends,
                options=options | limit,
            )
        return self.values(found.x), float(found.fun)
