"""Where searches look: coordinates of a loop by name, with their bounds (mathematics.md sections 3 to 5)."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from ..arguments import Floats
from ..risks.plain import LEAST_PENALTY, penalty_range

# Loss weights of rows without a real label, in units of those of the others.
LEAST_ROW_WEIGHT, MOST_ROW_WEIGHT = 1e-3, 1e3
# Forgetting more at once leaves the newest rows alone.
LEAST_FORGETTING = 1e-3
_LOGARITHMIC = ("penalty", "row_weight")
# Steps of a first simplex: in a weight, and in logarithms.
_STEP, _LOG_STEP = 0.05, 0.5
# Half the distance of the points from which slopes come.
_DIFFERENCE = 1e-4
# So many hollows of a grid are searched.
_STARTS = 2


# Values at many points, from arrays of their coordinates.
Many = Callable[[dict[str, Floats]], Floats]


@dataclass(frozen=True)
class Box:
    """Bounds of named coordinates; penalties and row weights are searched by their logarithms."""

    bounds: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, names: tuple[str, ...], bulk: tuple[float, float]) -> "Box":
        """The whole box of these coordinates; ``bulk`` are the ends of the positive eigenvalues, which penalties follow."""
        every = {
            "real_weight": (0.0, 1.0),
            "penalty": penalty_range(bulk),
            "row_weight": (LEAST_ROW_WEIGHT, MOST_ROW_WEIGHT),
            "anchor": (0.0, 1.0),
            "forgetting": (LEAST_FORGETTING, 1.0),
        }
        return cls({name: every[name] for name in names})

    @staticmethod
    def penalties(bulk: tuple[float, float], low: float, high: float, points: int) -> Floats:
        """A grid of penalties between these parts of the largest eigenvalue, and on down where the box begins lower."""
        least, scale = penalty_range(bulk)[0], bulk[1]
        more = math.ceil(math.log10(LEAST_PENALTY * scale / least) * (points - 1) / math.log10(high / low) - 1e-9)
        below = np.geomspace(low * least / (LEAST_PENALTY * scale), low, more + 1)[:-1]
        return np.asarray(scale * np.concatenate([below, np.geomspace(low, high, points)]))

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

    def arrays(self, points: Floats) -> dict[str, Floats]:
        """The coordinates of many points (m, names)."""
        low, high = np.array(self.ends).T
        inside = np.clip(points, low, high).T
        return {name: np.exp(x) if name in _LOGARITHMIC else x for name, x in zip(self.bounds, inside, strict=True)}

    def least(
        self,
        function: Many,
        axes: Mapping[str, Floats] | None,
        starts: Sequence[Mapping[str, float]] = (),
        tolerance: float = 1e-11,
    ) -> tuple[dict[str, float], float]:
        """The least point of a function of many points at once, and the value there: the best of a grid, and from there down.

        ``axes`` span the grid, in the coordinates' own units (None: no grid); ``starts`` are further points to go down from,
        until a step gains less than the ``tolerance``, of the value.
        """
        firsts = [] if axes is None else self._best_of_grid(function, axes)
        found = [self._down(function, self.point(first), tolerance) for first in [*firsts, *starts]]
        point, value = min(found, key=lambda each: each[1])
        return self.values(point), value

    def _best_of_grid(self, function: Many, axes: Mapping[str, Floats]) -> list[dict[str, float]]:
        mesh = np.meshgrid(*(axes[name] for name in self.bounds), indexing="ij")
        values = function(dict(zip(self.bounds, (each.ravel() for each in mesh), strict=True))).reshape(mesh[0].shape)
        return [{name: float(each[at]) for name, each in zip(self.bounds, mesh, strict=True)} for at in _lowest(values)]

    def _down(self, function: Many, start: Floats, tolerance: float) -> tuple[Floats, float]:
        """By L-BFGS-B with slopes from differences, all of whose points are evaluated at once."""
        low, high = np.array(self.ends).T
        steps = _DIFFERENCE * np.vstack([np.zeros(start.size), np.eye(start.size), -np.eye(start.size)])
        best, lowest = start, math.inf
        unit = float(function(self.arrays(start[None]))[0])
        if not 0 < unit < math.inf:
            return start, unit

        def value_and_slopes(point: Floats) -> tuple[float, Floats]:
            nonlocal best, lowest
            points = np.clip(point + steps, low, high)
            values = function(self.arrays(points)) / unit
            if not np.isfinite(values).all():
                return 1e100, np.zeros(point.size)
            if values[0] < lowest:
                best, lowest = points[0], float(values[0])
            ahead, behind = np.split(np.arange(1, 2 * point.size + 1), 2)
            gaps = np.diagonal(points[ahead] - points[behind])
            return float(values[0]), np.where(gaps > 0, (values[ahead] - values[behind]) / np.maximum(gaps, 1e-300), 0.0)

        options = {"ftol": tolerance, "gtol": 1e-8, "maxiter": 200}
        minimize(value_and_slopes, start, jac=True, method="L-BFGS-B", bounds=self.ends, options=options)
        return best, lowest * unit

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


def _lowest(values: Floats) -> list[tuple[int, ...]]:
    """The lowest points of a grid that are no neighbours of a lower one."""
    kept: list[tuple[int, ...]] = []
    for flat in np.argsort(values, axis=None)[: 50 * _STARTS]:
        at = tuple(int(i) for i in np.unravel_index(flat, values.shape))
        if math.isfinite(values[at]) and all(max(abs(i - k) for i, k in zip(at, other, strict=True)) > 1 for other in kept):
            kept.append(at)
        if len(kept) == _STARTS:
            break
    return kept or [tuple(0 for _ in values.shape)]
