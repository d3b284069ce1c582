"""Functions of the sample covariance S by quadrature on a contour around its spectrum (mathematics.md section 3).

For a filter e that is analytic around the spectrum, beta' e(S) Sigma e(S) beta and (1/n) tr Sigma u(S) are integrals over
resolvents whose equivalents are known. Two contours share the work:

- ``circle`` (mathematics.md section 3, contour a): between the bulk and the slit (-inf, 0], in Jacobi's elliptic functions
  (Hale, Higham and Trefethen 2008); for any penalty, the smaller the better, where the bulk keeps away from 0.
- ``ellipse``: the filters of generation t are polynomials of degree t in q = s/(s + lambda), times 1/lambda, and
  Q = S (S + lambda)^-1 has its spectrum in [0, q_max]. On an ellipse around that interval the trapezoidal rule needs
  about t nodes whatever the aspect, where a circle around the spectrum needs thousands for aspects near 1.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ellipj, ellipkm1

from ..arguments import Floats
from ..equivalents import Equivalents, Numbers, Solved

# A pair of filters at points of the complex plane: (m,) -> two arrays (generations + 1, m).
Filters = Callable[[Numbers], tuple[Numbers, Numbers]]

REFINEMENTS = 6
# Of the upper end of the bulk: what lies below is near 0.
_FAR = 1e-2
# Below this ratio of the bulk's ends, elliptic functions of a modulus so close to 1 lose ten digits.
_LEAST_RATIO = 1e-10
# Above this one the interval is a point, about which the map is constant.
_MOST_RATIO = 0.99
# Of the spectrum and the penalty: where a filter is that of an unbounded eigenvalue.
_BEYOND = 1e16


def circle(low: float, high: float, nodes: int) -> tuple[Numbers, Numbers]:
    """Upper half of a contour around [low, high] that leaves (-inf, 0] outside.

    Returns points zeta_a and weights c_a = d zeta_a / (2 pi i), (nodes,) each: a closed integral is 2 Re sum c_a f(zeta_a)
    for a function that is real on the real axis. The map is sqrt(low high) (1/k + sn t) / (1/k - sn t).
    """
    low = min(low, _MOST_RATIO * high)
    ratio = np.sqrt(low / high)
    k = (1 - ratio) / (1 + ratio)
    # 1 - k^2 without cancellation: the modulus is close to 1 when low is far below high.
    rest = 4 * ratio / (1 + ratio) ** 2
    half, other = ellipkm1(rest), ellipkm1(k * k)
    x = half * (2 * np.arange(nodes) + 1 - nodes) / nodes
    s, c, d, _ = ellipj(x, k * k)
    s1, c1, d1, _ = ellipj(other / 2, rest)
    # Jacobi's functions at x + i K'/2.
    below = 1 - (d * s1) ** 2
    sn = (s * d1 + 1j * c * d * s1 * c1) / below
    cn = (c * c1 - 1j * s * d * s1 * d1) / below
    dn = (d * c1 * d1 - 1j * k * k * s * c * s1) / below
    centre = np.sqrt(low * high)
    points = centre * (1 / k + sn) / (1 / k - sn)
    slope = centre * (2 / k) * cn * dn / (1 / k - sn) ** 2
    # x runs from the left end of the interval to the right one: clockwise.
    return points, -slope * (2 * half / nodes) / (2j * np.pi)


def ellipse(penalty: float, high: float, degree: int, refinement: float) -> tuple[Numbers, Numbers]:
    """Upper half of a contour around [0, high] in the plane of q = zeta / (zeta + lambda), as points and weights in zeta.

    q = q_max/2 (1 + (u + 1/u)/2) with |u| = 1 + delta. A polynomial of degree t grows on it by exp(t delta^2/4) at most,
    which sets delta, and the rule's error falls like |u|^-nodes, which sets the nodes. (Of ((1 + cos x)/2)^t the coefficients
    beyond some sqrt(t) are nothing: high degrees ask for no more.)
    """
    delta = min(1.0, math.sqrt(6.0 / (degree + 1)))
    nodes = math.ceil(refinement * (14.0 / math.log1p(delta) + min(degree / 4, 4 * math.sqrt(degree))))
    u = (1 + delta) * np.exp(1j * np.pi * (np.arange(nodes) + 0.5) / nodes)
    span = high / (high + penalty)
    q = span / 2 * (1 + (u + 1 / u) / 2)
    # 1 - q, which is penalty / (zeta + penalty), at both ends of the range of penalties.
    rest = penalty / (high + penalty) - span / 4 * (u - 1) ** 2 / u
    points = penalty * q / rest
    weights = span / 4 * (u - 1 / u) / (2 * nodes)
    return points, weights * penalty / rest**2


def _along(one: Numbers, two: Numbers) -> Numbers:
    """Sums of products along the last axis."""
    return np.asarray(np.einsum("...a,...a->...", one, two))


def padded(tables: Sequence[Numbers]) -> Numbers:
    """One array of tables or rows of different sizes, with zeros in front of what is smaller."""
    size = max(each.shape[-1] for each in tables)
    return np.array([np.pad(each, [(size - each.shape[-1], 0)] * each.ndim) for each in tables])


@dataclass(frozen=True)
class Contour:
    """A solved contour: weights and paired resolvents that any number of filters reuse.

    e(S) = sum_a (c_a e(zeta_a) / zeta_a) z_a (S + z_a)^-1 over z_a = -zeta_a and their conjugates, and one real point
    more: z = 0, where a singular S has its eigenvalue 0 outside a circle, with the weight e(0); or z = infinity, with
    -sum_a c_a e(zeta_a) / (zeta_a + lambda), since an ellipse may enclose it.

    Attributes
    ----------
    nodes : (m + 2,) array
        Where filters are to be evaluated: zeta_a of the upper half, 0, and far beyond the spectrum: an intercept is fitted as a
        direction of unbounded eigenvalue is, and adds T(inf) lim s u(s) to (1/n) tr Sigma u(S).
    weights, inverse : (m,) arrays
        c_a and c_a / zeta_a.
    far : (m,) array
        c_a / (zeta_a + lambda) on an ellipse, 0 on a circle.
    """

    nodes: Numbers
    weights: Numbers
    inverse: Numbers
    far: Numbers
    traces: Numbers
    same: Numbers
    conjugate: Numbers
    crossing: Numbers
    corner: float | Floats
    intercept: float | Floats

    @classmethod
    def around(
        cls, equivalents: Equivalents, points: Numbers, weights: Numbers, ellipse_penalty: float | None = None
    ) -> "Contour":
        """Solve the companion equation at z = -zeta and pair all points."""
        solved = equivalents.solve(-points)
        mirrored = Solved(*(part.conj() for part in (solved.z, solved.zv, solved.rows, solved.rest)))
        on_circle = ellipse_penalty is None
        if on_circle and not equivalents.singular:
            crossing, corner = np.zeros(points.size), 0.0
        else:
            extra = equivalents.solve(0.0 if on_circle else np.inf)
            crossing = equivalents.bias(solved, extra, table=True)[:, 0]
            corner = float(equivalents.bias(extra, extra)[0])
        return cls(
            nodes=np.append(points, [0.0, _BEYOND * (equivalents.bulk[1] + (ellipse_penalty or 0.0))]),
            weights=weights,
            inverse=weights / points,
            far=np.zeros(points.size) if ellipse_penalty is None else weights / (points + ellipse_penalty),
            traces=_traces(equivalents, solved),
            same=equivalents.bias(solved, solved, table=True),
            conjugate=equivalents.bias(solved, mirrored, table=True),
            crossing=crossing,
            corner=corner,
            intercept=equivalents.intercept,
        )

    @classmethod
    def stacked(cls, contours: Sequence["Contour"]) -> "Contour":
        """Many as one, for filter values (k, t, m + 2): the k-th table of them is for contour k.

        Those with fewer nodes than others have some more in front, at 0 and of no weight.
        """

        parts = {name: [getattr(each, name) for each in contours] for name in cls.__annotations__}
        rows = {name: padded(parts[name])[:, None] for name in ("nodes", "weights", "inverse", "far", "traces", "crossing")}
        points = {name: np.array(parts[name])[:, None] for name in ("corner", "intercept")}
        return cls(**rows, **points, same=padded(parts["same"]), conjugate=padded(parts["conjugate"]))

    def bilinear(self, e: Numbers, f: Numbers) -> Floats:
        """beta' e(S) Sigma f(S) beta, row by row, for filter values at the nodes, (t, m + 2) each."""
        one, two = e[..., :-2] * self.inverse, f[..., :-2] * self.inverse
        found = _along(one @ self.same, two) + _along(one @ self.conjugate, two.conj())
        at_one, at_two = self._real_point(e), self._real_point(f)
        crossed = at_one * _along(two, self.crossing).real + at_two * _along(one, self.crossing).real
        return np.asarray(2 * found.real + at_one * at_two * self.corner + 2 * crossed)

    def signal(self, e: Numbers) -> Numbers:
        """The covector, (m + 2,), of f -> beta' e(S) Sigma f(S) beta: that is the real part of its product with f."""
        one = e[:-2] * self.inverse
        at_one = self._real_point(e[None])[0]
        # Of a sum over a, b and their conjugates only the real part counts.
        other = one @ self.same + (one @ self.conjugate).conj() + at_one * self.crossing
        at_point = at_one * self.corner + 2 * (one @ self.crossing).real
        on_nodes = 2 * other * self.inverse
        ends = [on_nodes - 2 * at_point * self.far, 0.0] if self.far.any() else [on_nodes, at_point]
        return np.hstack([*ends, 0.0])

    def _real_point(self, e: Numbers) -> Floats:
        on_ellipse = self.far.any(axis=-1)
        return np.asarray(np.where(on_ellipse, -2 * _along(e[..., :-2], self.far).real, e[..., -2].real))

    @property
    def noise(self) -> Numbers:
        """The covector, (m + 2,), of u -> (1/n) tr Sigma u(S)."""
        # (zeta - S)^-1 = -(S + z)^-1 at z = -zeta. Infinity adds nothing: u and the resolvent both vanish there.
        ends = np.stack([np.zeros_like(self.nodes[..., -1]), self.intercept * self.nodes[..., -1]], axis=-1)
        return np.concatenate([-2 * self.weights * self.traces, ends], axis=-1)

    def linear(self, u: Numbers) -> Floats:
        """(1/n) tr Sigma u(S), row by row, for values at the nodes of filters with u(0) = 0."""
        return np.asarray((u @ self.noise).real)


def _traces(equivalents: Equivalents, solved: Solved) -> Numbers:
    """T(z) for filters with u(0) = 0; of a singular S without the pole of its eigenvalue 0, to which they are blind.

    The pole is 1/(z v_0), and from the companion equation 1/(z v) - 1/(z v_0) - 1 = x_0 / (1 - x_0), x_0 that of v and v_0:
    taken off after the fact it would cost as many digits as the spectrum spans powers of ten.
    """
    if not equivalents.singular:
        return equivalents.trace(solved)
    return equivalents.variance(solved, equivalents.solve(0.0), table=True)[:, 0] - equivalents.intercept


def contours(equivalents: Equivalents, penalty: float, degree: int) -> Iterator[Iterator[Contour]]:
    """Contours of growing fineness, one sequence for each kind: the kind that should settle first comes first."""
    low, high = equivalents.bulk

    def circles() -> Iterator[Contour]:
        for refinement in range(REFINEMENTS):
            yield Contour.around(equivalents, *circle(low, high, 24 * 2**refinement))

    def ellipses() -> Iterator[Contour]:
        for refinement in range(REFINEMENTS):
            yield Contour.around(equivalents, *ellipse(penalty, high, degree, 1.5**refinement), penalty)

    # A circle takes the fewest nodes around a bulk far from 0, the more the wider it is; an ellipse as many whatever the bulk.
    kinds = [circles(), ellipses()] if penalty < _FAR * high < low else [ellipses(), circles()]
    if low < _LEAST_RATIO * high:
        kinds = kinds[:1]
    yield from kinds


def functionals(equivalents: Equivalents, penalty: float, degree: int, filters: Filters) -> tuple[Floats, Floats]:
    """beta' e(S) Sigma e(S) beta and sigma^2 (1/n) tr Sigma u(S) for the filters of generations 0 ... degree."""
    return settled(equivalents, penalty, degree, filters)[1:]


# What does not settle may overflow on the way.
@np.errstate(over="ignore", invalid="ignore")
def settled(equivalents: Equivalents, penalty: float, degree: int, filters: Filters) -> tuple[Contour, Floats, Floats]:
    """A contour on which these filters have settled, and their bias and variance there.

    Nodes are added until the sum of the two, a risk, agrees with the last one to the relative tolerance of the
    equivalents. Raises ArithmeticError if no number of nodes brings that.
    """
    error = np.inf
    # A risk far below this scale is a difference of terms of its size, and is right to 1e-16 of it.
    scale = max(1e-6 * (equivalents.null_risk + equivalents.noise_variance), np.finfo(float).tiny)
    for kind in contours(equivalents, penalty, degree):
        last: Floats | None = None
        for contour in kind:
            e, u = filters(contour.nodes)
            # Both are squares; rounding may leave -1e-16 of their parts.
            bias = np.maximum(contour.bilinear(e, e), 0.0)
            variance = equivalents.noise_variance * np.maximum(contour.linear(u), 0.0)
            total = bias + variance
            if last is not None:
                error = float(np.max(np.abs(total - last) / np.maximum(np.abs(total), scale)))
                if error <= equivalents.tolerance:
                    return contour, bias, variance
            last = total
    raise ArithmeticError(
        f"the risk by generation did not settle on any contour (relative change {error:.1e}); "
        "a larger penalty or an aspect further from 1 would"
    )
