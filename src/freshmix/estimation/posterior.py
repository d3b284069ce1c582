"""The posterior of noise and signal given rotated responses (mathematics.md section 7)."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtri, stdtrit

from ..arguments import Floats
from .factorise import Factorisation
from .importance import importance_sample, resampled

# Directions are gathered into bins of neighbours when there are more; the likelihood then costs the same for any n.
BINS = 100
DRAWS = 2500
# Priors. The tilt is a slope of log energy density against log tau: 0 is random effects, and its heavy tails let data say
# that the signal sits in the strong directions or in the weak ones.
_TILT, _TILT_DEGREES = 1.0, 4
_DEVIATION, _DEVIATION_SPREAD = 0.5, 0.8
_SCALE_SPREAD = 0.5
_SCALE, _SHARE, _KAPPA, _SLOPE, _XI = range(5)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Binned likelihood and priors of the banded model, for many parameter vectors at once.

    c_i ~ N(0, sigma^2 + leak_i + sum_j g_j phi_j(s_i)) on the directions that are not outlying. A parameter vector holds log
    scale, logit share, log kappa, slope a and xi (one for each band): g_j is proportional to H_j exp(a log tau_j + kappa xi_j),
    the signal's share of the mean variance is uniform on (0, 1), a is Student's t with 4 degrees of freedom, xi_j ~ N(0, 1),
    log kappa ~ N(log 0.5, 0.8^2) and the scale is log-normal about the mean of c^2.
    """

    count: Floats
    energy: Floats
    profile: Floats
    leak: Floats
    weight: Floats
    log_tau: Floats
    scale: float

    @classmethod
    def of(cls, f: Factorisation, outlying: int, tau: Floats, weight: Floats, profile: Floats, leak: Floats) -> "Posterior":
        """From the directions below the ``outlying`` top ones, and the zeros as one bin of their own."""
        squares, profile = f.responses[outlying:] ** 2, profile[outlying:]
        bins = min(BINS, squares.size)
        index = np.arange(squares.size) * bins // max(squares.size, 1)
        count = np.bincount(index, minlength=bins).astype(np.float64)
        energy = np.bincount(index, squares, bins).astype(np.float64)
        phi = np.column_stack([np.bincount(index, column, bins) for column in profile.T]) / count[:, None]
        extra = np.bincount(index, leak[outlying:], bins) / count
        if f.zeros:
            count, energy = np.append(count, f.zeros), np.append(energy, f.zero_energy)
            phi, extra = np.vstack([phi, np.zeros(phi.shape[1])]), np.append(extra, 0.0)
        log_tau = np.log(tau)
        centred = log_tau - log_tau @ weight / weight.sum()
        return cls(count, energy, phi, extra, weight, centred, float(energy.sum() / count.sum()))

    @property
    def size(self) -> int:
        """Length of a parameter vector."""
        return _XI + self.weight.size

    def parameters(self, theta: Floats) -> tuple[Floats, Floats]:
        """sigma^2 (m,) and g (m, b) from (m, size) parameter vectors."""
        # Labels without noise would send the logit to infinity; this leaves 1e-12 of their variance.
        bounded = np.clip(theta[:, _SHARE], -28.0, 28.0)
        # Only the shape matters: its largest exponent is taken as 0, and a proposal far out in log kappa stays finite.
        exponent = np.exp(np.minimum(theta[:, _KAPPA, None], 5.0)) * theta[:, _XI:] + theta[:, _SLOPE, None] * self.log_tau
        shape = self.weight * np.exp(exponent - exponent.max(axis=1, keepdims=True))
        mean = shape @ (self.count @ self.profile) / self.count.sum()
        scale = np.exp(theta[:, _SCALE])
        return scale * expit(-bounded), shape * (scale * expit(bounded) / mean)[:, None]

    def log_likelihood(self, theta: Floats) -> Floats:
        """(m,) log densities of the responses, up to a constant."""
        noise, signal = self.parameters(theta)
        variance = noise[:, None] + self.leak + signal @ self.profile.T
        return np.asarray(-0.5 * (np.log(variance) @ self.count + (1 / variance) @ self.energy))

    def log_prior(self, theta: Floats) -> Floats:
        """(m,) log densities of the parameters, up to a constant."""
        share, slope = theta[:, _SHARE], theta[:, _SLOPE] / _TILT
        # Uniform share: its logit has the logistic density.
        prior = -np.logaddexp(0, share) - np.logaddexp(0, -share)
        prior -= 0.5 * ((theta[:, _SCALE] - np.log(self.scale)) / _SCALE_SPREAD) ** 2
        prior -= 0.5 * ((theta[:, _KAPPA] - np.log(_DEVIATION)) / _DEVIATION_SPREAD) ** 2
        prior -= 0.5 * (_TILT_DEGREES + 1) * np.log1p(slope**2 / _TILT_DEGREES)
        prior -= 0.5 * (theta[:, _XI:] ** 2).sum(axis=1)
        return np.asarray(prior)

    def log_posterior(self, theta: Floats) -> Floats:
        """(m,) log densities, up to a constant."""
        return self.log_likelihood(theta) + self.log_prior(theta)

    def prior(self, uniform: Floats) -> Floats:
        """(m, size) draws of the prior from as many uniform numbers."""
        theta = np.asarray(ndtri(uniform))
        theta[:, _SCALE] = np.log(self.scale) + _SCALE_SPREAD * theta[:, _SCALE]
        theta[:, _SHARE] = logit(uniform[:, _SHARE])
        theta[:, _KAPPA] = np.log(_DEVIATION) + _DEVIATION_SPREAD * theta[:, _KAPPA]
        theta[:, _SLOPE] = _TILT * stdtrit(_TILT_DEGREES, uniform[:, _SLOPE])
        return theta

    def sample(self) -> tuple[Floats, Floats]:
        """Posterior draws of sigma^2 (d,) and g (d, b), with the means of the weighted draws that they stand for."""
        theta, weight = importance_sample(self.size, self.prior, self.log_likelihood, self.log_posterior)
        noise, signal = self.parameters(theta)
        kept = resampled(weight, DRAWS)
        return with_mean(noise[kept], weight @ noise), with_mean(signal[kept], weight @ signal)

    def realised(self, noise: Floats, signal: Floats, coefficients: Floats, rng: np.random.Generator) -> Floats:
        """(d, b) draws of the energies of this table's own coefficients, given (d,) sigma^2 and (d, b) expected energies g.

        Bin i holds n_i responses of energy E_i; e_ij = g_j phi_ij of a response is expected to be band j's signal, S_i = sum_j
        e_ij, and o_i = sigma^2 + leak_i is not. Given c, its signal is N(kappa c, kappa o) with kappa = S/(S + o), so that the
        bin's signal has the energy G_i = (kappa sqrt(E) + sqrt(kappa o) N(0, 1))^2 + kappa o chi^2_(n-1), of which band j has
        the part r_ij = e_ij / S_i. Of its m_j ``coefficients`` the rows show seen_j = min(sum_i n_i r_ij, m_j), and with more
        features than rows the others vary as their prior says:

            g_j (seen_j sum_i r_ij G_i / sum_i n_i e_ij + chi^2_(m_j - seen_j)) / m_j.
        """
        n, m = self.count, coefficients
        e = signal[:, None, :] * self.profile
        S, o = e.sum(axis=2), noise[:, None] + self.leak
        kappa = S / (S + o)
        rest = 2 * rng.standard_gamma(np.broadcast_to((n - 1) / 2, kappa.shape))
        first = kappa * np.sqrt(self.energy) + np.sqrt(kappa * o) * rng.standard_normal(kappa.shape)
        G = first**2 + kappa * o * rest
        r = np.divide(e, S[..., None], out=np.zeros_like(e), where=S[..., None] > 0)
        seen, expected = np.minimum(np.einsum("dib,i->db", r, n), m), np.einsum("dib,i->db", e, n)
        unseen = 2 * rng.standard_gamma((m - seen) / 2)

        def of(energy: Floats, others: Floats) -> Floats:
            ratio = np.divide(np.einsum("dib,di->db", r, energy), expected, out=np.ones_like(expected), where=expected > 0)
            return np.asarray(signal * (seen * ratio + others) / m)

        return with_mean(of(G, unseen), of(kappa**2 * self.energy + n * kappa * o, m - seen).mean(axis=0))


def with_mean(draws: Floats, mean: Floats | float) -> Floats:
    """(d, ...) draws of at least 0 times what gives them the mean that is known for them."""
    sampled = draws.mean(axis=0)
    return np.asarray(draws * np.divide(mean, sampled, out=np.ones_like(sampled), where=sampled > 0))
