"""Limit risks over grids of parameters, with the coordinates that belong to them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike
from scipy.interpolate import BSpline, make_interp_spline

from ..arguments import Floats, vector
from ..equivalents import Equivalents, PopulationEquivalents
from ..loop import Group, Loop, takes_labels
from ..population import Population
from . import aspect_of, check_loops, fresh, frozen

_AGREEMENT = 1e-11
_FEWEST_NODES, _MOST_NODES = 48, 400
# Smaller surfaces are evaluated point by point; tables are cut into pieces of so many numbers.
_MOST_DIRECT = 150
_MOST_NUMBERS = 2**21


def limit_surface(
    population: Population,
    loop: Loop,
    *,
    real_weight: ArrayLike | None = None,
    penalty: ArrayLike | None = None,
    aspect: ArrayLike | None = None,
    labelled: ArrayLike | None = None,
) -> xr.Dataset:
    """Long-run excess risk on a grid of real weights, penalties, aspects and labelled shares.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        What is not varied. ``real_weight`` varies the weight of all rows with a real label; ``labelled`` needs fresh
        covariates and makes the loop partially labelled, with the row weights that it has.
    real_weight, penalty, aspect, labelled : (m,) arrays, optional
        The grid; at least one.

    Returns
    -------
    xarray.Dataset
        ``risk`` (inf where the loop diverges) and, for fresh covariates, ``collapse_number``; dimensions in the order of
        the keywords above.

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range.

    Notes
    -----
    Source: mathematics.md sections 3 to 5. Over (real weight, penalty) with frozen covariates the companion equation is solved
    on a few Chebyshev nodes of log z only, and x12/(1-x12) interpolated to 1e-11. With fresh covariates all points of one
    aspect are solved at once.

    Examples
    --------
    >>> found = limit_surface(Population.isotropic(), Loop(aspect=2.0), real_weight=[0.5, 1.0], penalty=[0.1, 1.0, 10.0])
    >>> dict(found.risk.sizes)
    {'real_weight': 2, 'penalty': 3}
    """
    given = {"real_weight": real_weight, "penalty": penalty, "aspect": aspect, "labelled": labelled}
    grid = {name: vector(name, values, low=0.0) for name, values in given.items() if values is not None}
    if not grid:
        raise ValueError(f"limit_surface needs a grid of at least one of {', '.join(given)}, got none")
    for name in ("real_weight", "labelled"):
        if name in grid and grid[name].max() > 1:
            raise ValueError(f"{name} must hold numbers between 0 and 1, got {float(grid[name].max())!r}")
    if "labelled" in grid and loop.covariates == "frozen":
        raise ValueError("labelled needs a loop with covariates='fresh', got covariates='frozen'")
    first = _varied(loop, {name: float(values[0]) for name, values in grid.items()})
    check_loops(population, first)
    if loop.covariates == "frozen":
        variables = {"risk": _frozen_surface(population, loop, grid)}
    else:
        variables = _fresh_surface(population, loop, grid)
    found = xr.Dataset({name: (list(grid), values) for name, values in variables.items()}, coords=dict(grid))
    found["risk"].attrs = {"long_name": "long-run excess risk", "units": "squared label units"}
    found.attrs = {"population": repr(population), "loop": repr(loop)}
    return found


def _varied(loop: Loop, point: dict[str, float]) -> Loop:
    """The loop at one point of the grid."""
    plain = {name: point[name] for name in ("penalty", "aspect") if name in point}
    varied = loop.replace(**plain)
    w = point.get("real_weight")
    if "labelled" in point:
        weights = [group.row_weight for group in loop.groups or ()] or [1.0]
        kept = [group.real_weight for group in loop.groups or () if group.labelled] or [1.0]
        share = point["labelled"]
        real = Group(share, weights[0], kept[0] if w is None else w, labelled=True)
        groups = [group for group in (real, Group(1 - share, weights[-1], 0.0)) if group.share > 0]
        return varied.replace(groups=groups)
    return varied if w is None else varied.at_weight(w)


def _fresh_surface(population: Population, loop: Loop, grid: dict[str, Floats]) -> dict[str, Floats]:
    """Long-run risk and collapse number at every point: all points of one aspect at once."""
    shape = tuple(values.size for values in grid.values())
    points = {name: values.ravel() for name, values in zip(grid, np.meshgrid(*grid.values(), indexing="ij"), strict=True)}
    size = math.prod(shape)
    first = _varied(loop, {name: float(values[0]) for name, values in grid.items()})
    aspects = points.get("aspect", np.full(size, aspect_of(first)))
    penalties = points.get("penalty", np.full(size, loop.penalty))
    f, a, w = _groups_at(loop, points, size)
    # Rows of weight 0 are no rows: n counts the others.
    part = f @ (a > 0)
    if not part.all():
        raise ValueError("labelled must be above 0 where the other rows have row_weight 0, got 0: no rows are left")
    f, a, w = f[:, a > 0] / part[:, None], a[a > 0], w[:, a > 0]
    aspects, penalties = aspects / part, penalties / part
    risk, psi = np.full(size, math.inf), np.full(size, math.inf)
    for aspect, bare in product(np.unique(aspects), (True, False)):
        at = np.flatnonzero((aspects == aspect) & ((penalties == 0) == bare))
        # Tables of (points, groups, atoms) of a few million numbers.
        for some in (
            np.array_split(at, math.ceil(at.size * f.shape[1] * population.eigenvalues.size / _MOST_NUMBERS)) if at.size else ()
        ):
            solved = PopulationEquivalents(population, float(aspect))
            turns = fresh.generations(solved, penalties[some], f[some], a, w[some], loop.synthetic_noise_ratio)
            if turns is not None:
                risk[some], psi[some] = turns.long_run(), turns.collapse_numbers()
    # A loop that forgets nothing and adds no noise stays where it is: one by one.
    idle = np.isinf(psi) & (loop.synthetic_noise_ratio * population.noise_variance == 0)
    for index in np.flatnonzero(idle):
        point = {name: float(values[index]) for name, values in points.items()}
        risk[index], psi[index] = fresh.long_run(population, _varied(loop, point))
    return {"risk": risk.reshape(shape), "collapse_number": psi.reshape(shape)}


def _groups_at(loop: Loop, points: dict[str, Floats], size: int) -> tuple[Floats, Floats, Floats]:
    """Shares (size, k), row weights (k,) and real weights (size, k) of the loops that ``_varied`` makes."""
    if "labelled" in points:
        groups: Sequence[Group] = _varied(loop, {"labelled": 0.5}).groups or ()
        f = np.column_stack([points["labelled"], 1 - points["labelled"]])
    else:
        one = _varied(loop, {"real_weight": 0.5} if "real_weight" in points else {})
        groups = one.groups_at(max(1, len(loop.schedule or ())))
        f = np.tile([group.share for group in groups], (size, 1))
    w = np.tile([group.real_weight for group in groups], (size, 1))
    if "real_weight" in points:
        w = np.where(takes_labels(groups), points["real_weight"][:, None], 0.0)
    return f, np.array([group.row_weight for group in groups]), w


def _frozen_surface(population: Population, loop: Loop, grid: dict[str, Floats]) -> Floats:
    """One surface over (real weight, penalty) for each aspect."""
    weights = grid["real_weight"] if "real_weight" in grid else loop.weights(max(1, len(loop.schedule or ())))[-1:]
    penalties = grid.get("penalty", np.array([loop.penalty]))
    aspects = grid["aspect"] if "aspect" in grid else np.array([aspect_of(loop)])
    layers = [
        weight_penalty_risk(
            PopulationEquivalents(population, float(each)), weights, penalties, loop.synthetic_noise_ratio, loop.labels
        )
        for each in aspects
    ]
    risk = np.stack(layers, axis=-1)
    absent = tuple(axis for axis, name in enumerate(("real_weight", "penalty", "aspect")) if name not in grid)
    return np.squeeze(risk, axis=absent)


def weight_penalty_risk(
    equivalents: Equivalents, weights: Floats, penalties: Floats, noise_ratio: float, labels: str
) -> Floats:
    """(weights, penalties) limit risks: ``frozen.limit_risk`` at every pair, at the cost of a few solved points.

    Bias and x12/(1-x12) are analytic in log z: Chebyshev series on a grid of nodes give them anywhere, and the second,
    a smooth function of two variables, is a short sum of products.
    """
    if weights.size * penalties.size <= _MOST_DIRECT:
        return frozen.limit_risk(equivalents, weights[:, None], penalties, noise_ratio, labels)
    inner, positive = weights > 0, penalties > 0
    risk = np.empty((weights.size, penalties.size))
    i, j = np.nonzero(~inner[:, None] | ~positive)
    if i.size:
        risk[i, j] = frozen.limit_risk(equivalents, weights[i], penalties[j], noise_ratio, labels)
    if not (inner.any() and positive.any()):
        return risk
    w = weights[inner][:, None]
    one = np.log(penalties[positive]) - np.log(w)
    two = np.log(penalties[positive]) - np.log(2 - w)
    pairs = _Pairs.between(equivalents, float(min(one.min(), two.min())), float(max(one.max(), two.max())))
    bias, own, shared = pairs.at(one, two)
    sigma2 = equivalents.noise_variance
    inside = bias + sigma2 * frozen.memory_factor(w, noise_ratio, labels) * shared
    if labels == "frozen":
        inside += sigma2 * own
    risk[np.ix_(inner, positive)] = inside
    return risk


@dataclass(frozen=True)
class _Pairs:
    """B(z1), Vr(z1) and x12/(1-x12) for many z1, z2 from a few solved points.

    log B, log Vr and the factors of the table x12/(1-x12) over sqrt(Vr(z1) Vr(z2)), which is a short sum of products, are
    Chebyshev series in log z on an interval; they are read through splines of degree 7 on a fine grid of it.
    """

    first: BSpline  # log B, log Vr, left factors
    second: BSpline  # log Vr, right factors

    @classmethod
    def between(cls, equivalents: Equivalents, low: float, high: float) -> "_Pairs":
        """Refined until values between the nodes agree with solved ones to 1e-11, or ArithmeticError."""
        margin = 0.05 * (high - low) + 0.5
        nodes = _FEWEST_NODES
        while nodes <= _MOST_NODES:
            found = cls._with_nodes(equivalents, low - margin, high + margin, nodes)
            if found._agrees(equivalents, low, high):
                return found
            nodes = nodes * 3 // 2
        raise ArithmeticError(
            f"the surface did not settle with {_MOST_NODES} Chebyshev nodes: use a smaller range of penalties"
        )

    @classmethod
    def _with_nodes(cls, equivalents: Equivalents, low: float, high: float, nodes: int) -> "_Pairs":
        x = np.cos(np.pi * (np.arange(nodes) + 0.5) / nodes)
        solved = equivalents.solve(np.exp(low + (high - low) * (x + 1) / 2))
        table = equivalents.variance(solved, solved, table=True)
        own = np.diag(table)
        bias = np.maximum(equivalents.bias(solved, solved), np.finfo(np.float64).tiny)
        left, sizes, right = np.linalg.svd(table / np.sqrt(np.outer(own, own)))
        rank = int(np.count_nonzero(sizes > 1e-15 * sizes[0]))
        values = np.column_stack([np.log(bias), np.log(own), left[:, :rank] * sizes[:rank], right[:rank].T])
        # Discrete orthogonality of Chebyshev polynomials on their nodes.
        series = 2 / nodes * chebyshev.chebvander(x, nodes - 1).T @ values
        series[0] /= 2
        fine = np.linspace(-1, 1, math.ceil((high - low) / 0.07) + 9)
        on_grid = chebyshev.chebvander(fine, nodes - 1) @ series
        log_z = low + (high - low) * (fine + 1) / 2
        second = on_grid[:, [1, *range(2 + rank, 2 + 2 * rank)]]
        return cls(make_interp_spline(log_z, on_grid[:, : 2 + rank], k=7), make_interp_spline(log_z, second, k=7))

    def at(self, one: Floats, two: Floats) -> tuple[Floats, Floats, Floats]:
        """B(z1), Vr(z1), x12/(1-x12), from log z."""
        a, b = self.first(one), self.second(two)
        shared = np.einsum("...r,...r->...", a[..., 2:], b[..., 1:]) * np.exp((a[..., 1] + b[..., 0]) / 2)
        return np.exp(a[..., 0]), np.exp(a[..., 1]), shared

    def _agrees(self, equivalents: Equivalents, low: float, high: float) -> bool:
        one, two = low + (high - low) * np.linspace(0, 1, 23), high - (high - low) * np.linspace(0, 0.99, 23)
        solved, other = equivalents.solve(np.exp(one)), equivalents.solve(np.exp(two))
        bias, _, shared = self.at(one, two)
        true = np.maximum(equivalents.bias(solved, solved), np.finfo(np.float64).tiny)
        error = np.maximum(np.abs(bias / true - 1), np.abs(shared / equivalents.variance(solved, other) - 1))
        return bool(np.max(error) < _AGREEMENT)
