"""Best schedules of real weights (mathematics.md section 3)."""

import numpy as np
from scipy.optimize import minimize

from ..arguments import Floats, choice, whole
from ..equivalents import Equivalents, PopulationEquivalents
from ..loop import Loop
from ..population import Population
from ..risks import frozen
from ..risks.contour import Contour, settled
from ..risks.fresh import FreshSetting
from ..risks.frozen import RENEWAL
from ..risks.setting import check_loops


def optimal_schedule(population: Population, loop: Loop, generations: int, *, method: str = "horizon") -> Floats:
    """Real weights w_1 ... w_T of least risk.

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        The training loop with an aspect and a penalty; its own weights are ignored. All rows have a real label.
    generations : int
        T, at least 1.
    method : "horizon" or "greedy"
        Least risk of generation T, or of each generation in turn given the weights before it.

    Returns
    -------
    (generations,) array

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range, or rows differ in their real labels.

    Notes
    -----
    Source: mathematics.md section 3. Without a penalty greedy is optimal at every horizon, w_t = (rho + w_{t-1}) / (1 + rho +
    w_{t-1}) from w_0 = 1 (frozen covariates, fresh labels). With one R_t is a quadratic in w_t, which gives greedy; the
    horizon is optimised by L-BFGS-B with exact gradients (finite differences for fresh covariates), started from greedy. At
    T = 10 the horizon gained 0 to 1.8% over greedy with fresh labels (median 0.03%) and 0 to 6.9% with frozen ones (median
    0.7%): isotropic, spiked, power-law and two-level populations, aspects 0.5 to 2, penalties 1e-4 to 0.3.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> optimal_schedule(Population.isotropic(), Loop(aspect=2.0), 4).round(6).tolist()
    [0.666667, 0.625, 0.619048, 0.618182]
    """
    generations = whole("generations", generations, low=1)
    method = choice("method", method, ("horizon", "greedy"))
    if not isinstance(loop, Loop):
        raise TypeError(f"loop must be a Loop, got {type(loop).__name__}")
    check_loops(population, loop)
    if loop.groups is not None and loop.real_weight is None:
        raise ValueError("a schedule is for loops in which all rows have a real label: expected one real weight, got groups")
    for group in loop.groups or ():
        if loop.covariates == "fresh" and group.row_weight != 1:
            raise ValueError(
                f"a schedule is for rows alike: expected row_weight 1, got {group.row_weight:g}; divide the penalty by it"
            )
    if loop.covariates == "fresh":
        return _fresh(population, loop, generations, method)
    return frozen_schedule(PopulationEquivalents(population, loop.aspect or 0.0), loop, generations, method)


def frozen_schedule(equivalents: Equivalents, loop: Loop, generations: int, method: str = "horizon") -> Floats:
    """The schedule for frozen covariates, from a population's or a sample's equivalents.

    Method ``falling`` is the best for the horizon among those that never rise, as all do without a penalty.
    """
    if loop.penalty == 0:
        return minnorm_schedule(loop.synthetic_noise_ratio, generations, loop.labels)
    return _Ridge.of(equivalents, loop, generations).schedule(method)


def ratios_of(weights: Floats) -> Floats:
    """w_1 and w_{t+1}/w_t of the largest schedule below these weights that never rises."""
    kept = np.clip(np.minimum.accumulate(weights), 1e-6, 1.0)
    return np.asarray(kept / np.concatenate([[1.0], kept[:-1]]))


def falling(ratios: Floats, by_weight: Floats) -> Floats:
    """Gradient in r_1 = w_1 and r_{t+1} = w_{t+1}/w_t from that in the weights w_t = r_1 ... r_t."""
    later = 0.0
    gradient = np.empty(ratios.size)
    before = np.concatenate([[1.0], np.cumprod(ratios)[:-1]])
    for t in range(ratios.size - 1, -1, -1):
        later = by_weight[t] + (ratios[t + 1] * later if t + 1 < ratios.size else 0.0)
        gradient[t] = before[t] * later
    return gradient


def minnorm_schedule(noise_ratio: float, generations: int, labels: str = "fresh") -> Floats:
    """w_t = (rho + w_{t-1}) / (1 + rho + w_{t-1}), w_0 = 1; 1 for frozen labels (mathematics.md sections 3 and 4)."""
    weights = np.ones(generations)
    if labels == "frozen":
        return weights
    w = 1.0
    for t in range(generations):
        w = (noise_ratio + w) / (1 + noise_ratio + w)
        weights[t] = w
    return weights


def least_of_quadratic(values: list[float]) -> float:
    """Where in [0, 1] the quadratic with these values at 0, 1/2 and 1 is least; R_t is one in w_t."""
    curvature = 2 * (values[0] - 2 * values[1] + values[2])
    slope = values[2] - values[0] - curvature
    if not curvature > 0:
        return float(values[2] < values[0])
    return float(np.clip(-slope / (2 * curvature), 0.0, 1.0))


class _Ridge:
    """Frozen covariates with a penalty: risks and gradients on one solved contour that serves all schedules."""

    def __init__(self, contour: Contour, equivalents: Equivalents, loop: Loop, generations: int) -> None:
        self.contour, self.equivalents, self.loop, self.generations = contour, equivalents, loop, generations
        s, lam = contour.nodes, loop.penalty
        self.q = s / (s + lam)
        self.fit = self.q / (s + lam)

    @classmethod
    def of(cls, equivalents: Equivalents, loop: Loop, generations: int) -> "_Ridge":
        # Weights near 0 keep the filters' highest powers of q: a contour that settles there serves all schedules.
        filters = frozen.ridge_filters(
            np.full(generations, 0.05), loop.penalty, loop.synthetic_noise_ratio, RENEWAL[loop.labels]
        )
        contour = settled(equivalents, loop.penalty, generations, filters)[0]
        return cls(contour, equivalents, loop, generations)

    def _risk(self, e: Floats, u: Floats) -> float:
        bias, variance = self.contour.bilinear(e[None], e[None]), self._variance(u[None])
        return float(bias[0] + variance[0])

    def _variance(self, u: Floats) -> Floats:
        return self.equivalents.noise_variance * self.contour.linear(u)

    def _turns(self, weights: Floats) -> tuple[list[Floats], list[Floats], list[Floats], list[Floats]]:
        """e_t, u_t, real_t and syn_t for t = 0 ... len(weights) (mathematics.md sections 3 and 4)."""
        q, fit, rho = self.q, self.fit, self.loop.synthetic_noise_ratio
        fresh_labels = self.loop.labels == "fresh"
        e, real, synthetic = [1 - q], [np.ones_like(q)], [np.zeros_like(q)]
        u = [fit]
        for w in weights:
            e.append((1 - q) + (1 - w) * q * e[-1])
            if fresh_labels:
                u.append((w**2 + rho * (1 - w) ** 2) * fit + ((1 - w) * q) ** 2 * u[-1])
                continue
            real.append(w + (1 - w) * q * real[-1])
            synthetic.append((1 - w) ** 2 * (rho * fit + q**2 * synthetic[-1]))
            u.append(fit * real[-1] ** 2 + synthetic[-1])
        return e, u, real, synthetic

    def value_and_gradient(self, weights: Floats) -> tuple[float, Floats]:
        """R_T and dR_T/dw_t."""
        q, fit, rho = self.q, self.fit, self.loop.synthetic_noise_ratio
        e, u, real, synthetic = self._turns(weights)
        de, du = np.empty((weights.size, q.size), complex), np.empty((weights.size, q.size), complex)
        carried = np.ones_like(q)  # product of (1 - w_s) q over later generations
        for t in range(weights.size - 1, -1, -1):
            w = weights[t]
            de[t] = -q * e[t] * carried
            if self.loop.labels == "fresh":
                du[t] = (2 * (w - rho * (1 - w)) * fit - 2 * (1 - w) * q**2 * u[t]) * carried**2
            else:
                du[t] = 2 * fit * real[-1] * (1 - q * real[t]) * carried
                du[t] -= 2 * (1 - w) * (rho * fit + q**2 * synthetic[t]) * carried**2
            carried = carried * (1 - w) * q
        last = np.broadcast_to(e[-1], de.shape)
        gradient = 2 * self.contour.bilinear(last, de) + self._variance(du)
        return self._risk(e[-1], u[-1]), gradient

    def greedy(self) -> Floats:
        """Each w_t minimises the quadratic R_t = R(E0 - w E1, ...) given the weights before it."""
        weights: list[float] = []
        for _ in range(self.generations):
            risks = []
            for w in (0.0, 0.5, 1.0):
                e, u, _, _ = self._turns(np.array([*weights, w]))
                risks.append(self._risk(e[-1], u[-1]))
            weights.append(least_of_quadratic(risks))
        return np.array(weights)

    def schedule(self, method: str) -> Floats:
        """The greedy schedule, or the best for generation T: of all, or of those that never rise."""
        greedy = self.greedy()
        if method == "greedy":
            return greedy
        if method == "falling":
            return self._falling(greedy)
        starts = [greedy, np.full(self.generations, 0.8), minnorm_schedule(self.loop.synthetic_noise_ratio, self.generations)]
        found = [
            minimize(
                self.value_and_gradient,
                np.clip(start, 0.02, 0.98),
                jac=True,
                method="L-BFGS-B",
                bounds=[(0.0, 1.0)] * self.generations,
                options={"ftol": 1e-15, "gtol": 1e-11, "maxiter": 500},
            )
            for start in starts
        ]
        best = min(found, key=lambda each: float(each.fun))
        return np.asarray(best.x) if best.fun <= self.value_and_gradient(greedy)[0] else greedy

    def _falling(self, greedy: Floats) -> Floats:
        """The best that never rises, in the ratios of its weights."""

        def at(ratios: Floats) -> tuple[float, Floats]:
            value, by_weight = self.value_and_gradient(np.asarray(np.cumprod(ratios)))
            return value / unit, falling(ratios, by_weight) / unit

        starts = [ratios_of(each) for each in (greedy, np.full(self.generations, 0.8))]
        unit = self.value_and_gradient(np.asarray(np.cumprod(starts[0])))[0]
        found = [
            minimize(
                at,
                start,
                jac=True,
                method="L-BFGS-B",
                bounds=[(0.0, 1.0)] * self.generations,
                options={"ftol": 1e-13, "gtol": 1e-9, "maxiter": 500},
            )
            for start in starts
        ]
        return np.cumprod(min(found, key=lambda each: float(each.fun)).x)


def _fresh(population: Population, loop: Loop, generations: int, method: str) -> Floats:
    """Fresh covariates with all rows labelled: greedy by search, the horizon by L-BFGS-B."""

    def last(weights: Floats) -> float:
        scheduled = loop.replace(schedule=np.clip(weights, 0.0, 1.0))
        return FreshSetting(population, (scheduled,)).risk(weights.size)

    greedy: list[float] = []
    for _ in range(generations):
        greedy.append(least_of_quadratic([last(np.array([*greedy, w])) for w in (0.0, 0.5, 1.0)]))
    start = np.array(greedy)
    if method == "greedy" or not np.isfinite(last(start)):
        return start
    found = minimize(
        last,
        np.clip(start, 0.02, 0.98),
        method="L-BFGS-B",
        bounds=[(0.0, 1.0)] * generations,
        options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 300},
    )
    return np.asarray(found.x) if found.fun <= last(start) else start
