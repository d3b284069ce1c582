"""Where searches look: coordinates of a loop by name, with their bounds (mathematics.md sections 3 to 5)."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..arguments import Floats
from ..loop import Group, Loop
from ..risks.plain import LEAST_PENALTY, penalty_range

# Loss weights of rows without a real label, in units of those of the others.
LEAST_ROW_WEIGHT, MOST_ROW_WEIGHT = 1e-3, 1e3
# Forgetting more at once leaves the newest rows alone.
LEAST_FORGETTING = 1e-3
_LOGARITHMIC = ("penalty", "row_weight")
# First grids of coordinates but the penalty.
AXES = {
    "real_weight": np.array([0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0]),
    "row_weight": np.array([0.1, 0.5, 2.0]),
    "anchor": np.array([0.0, 0.3, 0.6, 0.8, 0.9, 1.0]),
    "forgetting": np.array([0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0]),
}
# Steps of a first simplex: in a weight, and in logarithms.
_STEP, _LOG_STEP = 0.05, 0.5
# Half the distance of the points from which slopes come.
_DIFFERENCE = 1e-4
# Half the distances of the points from which Newton's slopes come: as wide as their error allows, and next to a bound.
_WIDE, _NARROW = 2e-3, 1e-5
# A step that promises less than this part of the value is the last; below the second one values differ by rounding alone.
_SETTLED, _ROUNDING, _LEAST_STEP = 1e-16, 1e-13, 1e-6
# Turns in which coordinates are moved one after the other.
_SWEEPS = 60
# So many hollows of a grid are searched.
_STARTS = 2
# A search that comes within this part of a first step of where another one ended goes there as well.
_NEXT_TO = 0.2


# Values at many points, from arrays of their coordinates.
Many = Callable[[dict[str, Floats]], Floats]
# A loop, its risk, and what it has to store.
Found = tuple[Loop, float, str]


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
        until a step gains less than the ``tolerance``, of the value, or ends next to where an earlier one went.
        """
        firsts = [] if axes is None else self._best_of_grid(function, axes)
        found: list[tuple[Floats, float]] = []
        for first in [*firsts, *starts]:
            # One that starts where there is no risk ends there, and nobody goes that way.
            known = [end for end, value in found if math.isfinite(value)]
            found.append(self._down(function, self.point(first), tolerance, known))
        point, value = min(found, key=lambda each: each[1])
        return self.values(point), value

    def _best_of_grid(self, function: Many, axes: Mapping[str, Floats]) -> list[dict[str, float]]:
        mesh = np.meshgrid(*(axes[name] for name in self.bounds), indexing="ij")
        values = function(dict(zip(self.bounds, (each.ravel() for each in mesh), strict=True))).reshape(mesh[0].shape)
        return [{name: float(each[at]) for name, each in zip(self.bounds, mesh, strict=True)} for at in _lowest(values)]

    def _down(self, function: Many, start: Floats, tolerance: float, known: Sequence[Floats] = ()) -> tuple[Floats, float]:
        """By L-BFGS-B with slopes from differences, all of whose points are evaluated at once; to next to a ``known`` end."""
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

        near = np.array([_STEP if name not in _LOGARITHMIC else _LOG_STEP for name in self.bounds]) * _NEXT_TO

        def stop(intermediate_result: OptimizeResult) -> None:
            if any(np.all(np.abs(intermediate_result.x - end) <= near) for end in known):
                raise StopIteration

        options = {"ftol": tolerance, "gtol": 1e-8, "maxiter": 200}
        minimize(value_and_slopes, start, jac=True, method="L-BFGS-B", bounds=self.ends, options=options, callback=stop)
        return best, lowest * unit

    def near(
        self, function: Many, start: Mapping[str, float], slopes: bool = True, **comparing: Any
    ) -> tuple[dict[str, float], float]:
        """The least point near a start and the value there: by ``newton``, or by ``simplex`` where that does not settle.

        Without ``slopes``, of a function that is not known to nearly all digits, by the latter alone; it is told ``comparing``.
        """
        found = self.newton(function, start) if slopes else None
        if found is not None:
            return found

        def single(at: dict[str, float]) -> float:
            return float(function({name: np.array([value]) for name, value in at.items()})[0])

        return self.simplex(single, start, **comparing)

    def newton(self, function: Many, start: Mapping[str, float], most: int = 40) -> tuple[dict[str, float], float] | None:
        """The least point near a start of a function of many points at once, and the value there, to nearly all digits.

        Newton's method within the bounds and a shrinking trust region; slopes and curvatures are differences of a few dozen
        points, evaluated together. None where the function is not finite there, or where it does not settle.
        """
        low, high = np.array(self.ends).T
        x, radius = self.point(start), 0.5
        for _ in range(most):
            local = _Local.at(lambda points: function(self.arrays(points)), x, low, high)
            if local is None:
                return None
            while True:
                step = local.step(low - x, high - x, radius)
                fall = -local.change(step)
                if fall <= _SETTLED * abs(local.value):
                    return self.values(x + step), local.value
                value = float(function(self.arrays((x + step)[None]))[0])
                if value <= local.value - 0.05 * fall:
                    break
                if fall <= _ROUNDING * abs(local.value):
                    return self.values(x), local.value
                radius = np.max(np.abs(step)) / 4
                if radius < _LEAST_STEP:
                    return None
            if value <= local.value - 0.7 * fall:
                radius = max(radius, 2 * float(np.max(np.abs(step))))
            x = x + step
        return None

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


@dataclass(frozen=True)
class _Local:
    """A function near a point: value, slopes and curvatures, from differences of the fourth and of the second order."""

    value: float
    slope: Floats
    curvature: Floats

    @classmethod
    def at(cls, function: Callable[[Floats], Floats], x: Floats, low: Floats, high: Floats) -> "_Local | None":
        """At x between two bounds, next to which differences are as narrow as they leave room for."""
        size = x.size
        room = np.minimum(x - low, high - x) / 2
        h = np.clip(room, _NARROW, _WIDE)
        # At a bound the differences are those of a point a little inwards, of which the slope is carried back.
        centre = np.clip(x, low + 2 * h, high - 2 * h)
        unit = np.eye(size) * h
        pairs = [(i, k) for i in range(size) for k in range(i)]
        crossed = [sign * unit[i] + other * unit[k] for i, k in pairs for sign, other in ((1, 1), (-1, -1), (1, -1), (-1, 1))]
        points = centre + np.vstack([np.zeros((1, size)), unit, -unit, 2 * unit, -2 * unit, *crossed])
        values = function(np.vstack([points, x]))
        if not np.isfinite(values).all():
            return None
        middle, at_x = float(values[0]), float(values[-1])
        ahead, behind, far, back = values[1 : 1 + 4 * size].reshape(4, size)
        slope = (8 * (ahead - behind) - (far - back)) / (12 * h)
        curvature = np.diag((16 * (ahead + behind) - (far + back) - 30 * middle) / (12 * h**2))
        for (i, k), (both, neither, one, other) in zip(pairs, values[1 + 4 * size : -1].reshape(-1, 4), strict=True):
            curvature[i, k] = curvature[k, i] = (both + neither - one - other) / (4 * h[i] * h[k])
        return cls(at_x, slope + curvature @ (x - centre), curvature)

    def change(self, step: Floats) -> float:
        """What the function changes by."""
        return float(self.slope @ step + step @ self.curvature @ step / 2)

    def step(self, low: Floats, high: Floats, radius: float) -> Floats:
        """To the least point between bounds and within a radius; where the function curves the other way it is descended."""
        low, high = np.maximum(low, -radius), np.minimum(high, radius)
        eigenvalues, vectors = np.linalg.eigh(self.curvature)
        stiff = np.maximum(np.abs(eigenvalues), 1e-9 * max(float(np.max(np.abs(eigenvalues))), 1e-200))
        whole = -(vectors / stiff) @ (vectors.T @ self.slope)
        step: Floats = np.clip(whole, low, high)
        if np.array_equal(step, whole):
            return step
        # Beyond a bound the other coordinates go elsewhere: one after the other, until they stay.
        curved = (vectors * stiff) @ vectors.T
        for _ in range(_SWEEPS):
            before = step.copy()
            for i in range(step.size):
                rest = self.slope[i] + curved[i] @ step - curved[i, i] * step[i]
                step[i] = min(max(-rest / curved[i, i], low[i]), high[i])
            if np.max(np.abs(step - before)) <= 1e-12:
                break
        return step


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


def coordinates(loop: Loop) -> dict[str, float]:
    """Where a loop is, as a point to start from."""
    groups = loop.groups or (Group(1.0),)
    # Rows that were left out may come in again.
    others = [group.row_weight or AXES["row_weight"][0] for group in groups[1:]]
    return {
        "penalty": loop.penalty,
        "anchor": loop.anchor,
        "forgetting": loop.forgetting,
        "real_weight": groups[0].real_weight,
        "row_weight": float(others[0]) if others else 1.0,
    }
