"""Many pairs of penalties at the cost of a few solved points (mathematics.md sections 2 and 3)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from scipy.interpolate import BSpline, make_interp_spline

from ..arguments import Floats
from ..equivalents import Equivalents

_AGREEMENT = 1e-11
_FEWEST_NODES, _MOST_NODES = 48, 400
_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Pairs:
    """B(z1), Vr(z1) and x12/(1-x12) for many z1, z2 from a few solved points.

    log B, log Vr and the factors of the table x12/(1-x12) over sqrt(Vr(z1) Vr(z2)), which is a short sum of products, are
    Chebyshev series in log z on an interval; they are read through splines of degree 7 on a fine grid of it.
    """

    first: BSpline  # log B, log Vr, left factors
    second: BSpline  # log Vr, right factors
    signal: bool  # whether B is above 0 somewhere; else 0 stands for log B

    @classmethod
    def between(cls, equivalents: Equivalents, low: float, high: float) -> "Pairs":
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
    def _with_nodes(cls, equivalents: Equivalents, low: float, high: float, nodes: int) -> "Pairs":
        x = np.cos(np.pi * (np.arange(nodes) + 0.5) / nodes)
        solved = equivalents.solve(np.exp(low + (high - low) * (x + 1) / 2))
        table = equivalents.variance(solved, solved, table=True)
        own = np.diag(table)
        bias = equivalents.bias(solved, solved)
        signal = bool(np.any(bias > 0))
        bias = np.maximum(bias, _TINY) if signal else np.ones(nodes)
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
        first, second = (make_interp_spline(log_z, each, k=7) for each in (on_grid[:, : 2 + rank], second))
        return cls(first, second, signal)

    def at(self, one: Floats, two: Floats) -> tuple[Floats, Floats, Floats]:
        """B(z1), Vr(z1), x12/(1-x12), from log z."""
        a, b = self.first(one), self.second(two)
        shared = np.einsum("...r,...r->...", a[..., 2:], b[..., 1:]) * np.exp((a[..., 1] + b[..., 0]) / 2)
        return self.signal * np.exp(a[..., 0]), np.exp(a[..., 1]), shared

    def _agrees(self, equivalents: Equivalents, low: float, high: float) -> bool:
        one, two = low + (high - low) * np.linspace(0, 1, 23), high - (high - low) * np.linspace(0, 0.99, 23)
        solved, other = equivalents.solve(np.exp(one)), equivalents.solve(np.exp(two))
        bias, _, shared = self.at(one, two)
        true = np.maximum(equivalents.bias(solved, solved), _TINY)
        error = np.maximum(self.signal * np.abs(bias / true - 1), np.abs(shared / equivalents.variance(solved, other) - 1))
        return bool(np.max(error) < _AGREEMENT)
