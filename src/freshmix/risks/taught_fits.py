"""One fit on real labels and an outside teacher's, at many penalties and row weights at once (mathematics.md section 5)."""

from dataclasses import dataclass, replace

import numpy as np

from ..arguments import Floats
from ..population import Population
from ..teacher import Teacher
from .fit import Fit, Sizes, fits, solved_at


@dataclass(frozen=True)
class Shares:
    """Parts of the rows: labelled by both, by people alone, by the teacher alone; they sum to 1."""

    both: float
    real: float
    teacher: float


@dataclass(frozen=True, eq=False)
class TaughtFits:
    """m fits to labels of beta + u_k (phi - beta), with u_k = 1 - w where a row has both labels, 0 where it has the real one, 1
    where it has the teacher's.

    With e = |phi - beta|^2 and c = <beta, phi - beta> per atom, q = sum_k p_k u_k, v_k = u_k - (1 - d) q

    R = sum tau (d^2 g - 2 d (1-d) q c + ((1-d) q)^2 e) + N sum tau noise
    N = sum_k (p_k^2/f_k) (s_k + sum tau (d^2 g + 2 d v_k c + v_k^2 e)) / rest

    All of it is quadratic in w.
    """

    fit: Fit
    sizes: Sizes
    shares: Shares
    noise_variance: float

    @classmethod
    def of(cls, population: Population, aspect: float, shares: Shares, penalty: Floats, row_weight: Floats) -> "TaughtFits":
        """At (m,) penalties and weights of the rows that the teacher alone labels, all above 0."""
        sizes, ones = Sizes.of(population), np.ones_like(penalty)
        parts = [(shares.both, ones), (shares.real, ones), (shares.teacher, row_weight)]
        f = np.stack([share * ones for share, _ in parts if share > 0], axis=1)
        a = np.stack([weight for share, weight in parts if share > 0], axis=1)
        fit = fits(solved_at(population, aspect), penalty, sizes.shares(f), sizes.weights(a))
        assert fit is not None
        return cls(fit, sizes, shares, population.noise_variance)

    def under(self, energy: Floats, noise_variance: float) -> "TaughtFits":
        """The same fits of other coefficients: g on the fits' atoms, and sigma^2."""
        return replace(self, fit=replace(self.fit, energy=energy), noise_variance=noise_variance)

    def best(self, teacher: Teacher, apart: Floats, along: Floats) -> tuple[Floats, Floats]:
        """(m,) best real weights and the risks there, for e = ``apart`` and c = ``along`` on the fits' atoms."""
        at_0, at_half, at_1 = (self.risks(w, teacher, apart, along) for w in (0.0, 0.5, 1.0))
        curve = 2 * (at_0 - 2 * at_half + at_1)
        slope = at_1 - at_0 - curve
        inside = np.clip(-slope / np.where(curve > 0, 2 * curve, np.inf), 0.0, 1.0)
        w = np.where(curve > 0, inside, (at_1 <= at_0).astype(float))
        return w, at_0 + slope * w + curve * w**2

    def risks(self, w: float, teacher: Teacher, apart: Floats, along: Floats) -> Floats:
        """(m,) excess risks at one real weight."""
        fit = self.fit
        u, s = self._labels(w, teacher)
        d, taken, q = fit.d, fit.taken, fit.p @ u
        tau_g, tau_c, tau_e = fit.tau * fit.energy, fit.tau * along, fit.tau * apart
        own = d**2 @ tau_g
        crossed, squared, dc, te = (d * taken) @ tau_c, taken**2 @ tau_e, d @ tau_c, taken @ tau_e
        bias = own - 2 * q * crossed + q**2 * squared
        # v_k = u_k - (1 - d) q, written out: sums over atoms do not depend on the group.
        r = own[:, None] + 2 * (np.outer(dc, u) - (q * crossed)[:, None])
        r = r + u**2 * tau_e.sum() - 2 * np.outer(q * te, u) + (q**2 * squared)[:, None]
        level = np.sum(fit.mixture * (s + r), axis=1) / fit.rest
        return np.asarray(bias + level * (fit.noise @ fit.tau))

    def _labels(self, w: float, teacher: Teacher) -> tuple[Floats, Floats]:
        """u_k and s_k of the groups, one for each size of rows."""
        real, made = self.noise_variance, teacher.noise_variance
        mixed = w**2 * real + (1 - w) ** 2 * made + 2 * w * (1 - w) * teacher.noise_covariance
        shares = self.shares.both, self.shares.real, self.shares.teacher
        u, s = np.array([(1 - w, mixed), (0.0, real), (1.0, made)])[np.array(shares) > 0].T
        return np.asarray(self.sizes.repeated(u)), self.sizes.label_noise(s)
