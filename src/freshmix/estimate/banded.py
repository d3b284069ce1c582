"""The banded estimate of signal and noise from eigenvalues and rotated responses (MATH section 7)."""

from dataclasses import dataclass

import emcee
import numpy as np
from scipy.optimize import nnls
from scipy.special import expit

from .._checks import Floats
from ..equivalents import SampleEquivalents
from ..population import Population
from .factorise import Factorisation

BANDS = 6
WALKERS, STEPS, BURN_IN, THIN = 50, 400, 150, 5
# Directions are gathered into bins of neighbours when there are more; the likelihood then costs the same for any n.
MOST_BINS = 250


@dataclass(frozen=True, eq=False)
class Estimate:
    """Banded estimate of signal and noise: posterior draws, and the sample they belong to.

    Attributes
    ----------
    factorisation : Factorisation
        The data.
    outlying : int
        Number of top directions set aside, whose squared responses enter as they are.
    tau, weight : (b,) arrays
        Bands: eigenvalue of the feature covariance, and gamma times the share of eigenvalues in the band.
    profile : (r, b) array
        phi_j(s_i): E c_i^2 = sigma^2 + sum_j g_j phi_j(s_i).
    noise_draws, signal_draws : (d,), (d, b) arrays
        Posterior draws of sigma^2 and g.
    """

    factorisation: Factorisation
    outlying: int
    tau: Floats
    weight: Floats
    profile: Floats
    noise_draws: Floats
    signal_draws: Floats

    @property
    def noise_variance(self) -> float:
        """Posterior mean of sigma^2."""
        return float(self.noise_draws.mean())

    @property
    def signal(self) -> Floats:
        """Posterior mean of g, the energy in each band."""
        return np.asarray(self.signal_draws.mean(axis=0))

    def equivalents(self, noise_variance: float | None = None, signal: Floats | None = None) -> SampleEquivalents:
        """The smoothed plug-in: c_i^2 replaced by its expectation under (sigma^2, g), by default their posterior means.

        The limit risk is linear in (sigma^2, g), so that the posterior mean gives the posterior mean risk.
        """
        f = self.factorisation
        sigma2 = self.noise_variance if noise_variance is None else noise_variance
        squares = sigma2 + self.profile @ (self.signal if signal is None else signal)
        # An outlying direction below the noise level carries noise only: its risk must not come out negative.
        outlying = f.responses[: self.outlying] ** 2
        squares[: self.outlying] = np.where(outlying > self.noise_variance, outlying, sigma2)
        s, count = f.eigenvalues, np.ones(f.eigenvalues.size)
        if f.zeros:
            s, squares, count = np.append(s, 0.0), np.append(squares, sigma2), np.append(count, f.zeros)
        return SampleEquivalents(s, squares, count, sigma2)

    def population(self, noise_variance: float | None = None, signal: Floats | None = None) -> Population:
        """The bands as atoms, and each outlying direction as a spike of share 1/p; by default at the posterior means.

        An outlying s belongs to tau = -1/m(s), with m over the other directions, and carries the energy
        (c^2 - sigma^2) tau (-v'(-s)) / directions.
        """
        f = self.factorisation
        sigma2 = self.noise_variance if noise_variance is None else noise_variance
        g = self.signal if signal is None else signal
        rescaled = f.rows / f.directions  # eigenvalues of X'X/n, of which one row is spent on the mean
        tau, share, energies = self.tau * rescaled, self.weight / f.aspect, g / rescaled
        tops = f.eigenvalues[: self.outlying]
        rest = f.eigenvalues[self.outlying :]
        apart = rest - tops[:, None]
        m = ((1 / apart).sum(axis=1) - f.zeros / tops) / f.directions
        slope = ((1 / apart**2).sum(axis=1) + f.zeros / tops**2) / f.directions
        spikes = -1 / m
        excess = np.maximum(f.responses[: self.outlying] ** 2 - sigma2, 0.0)
        energy = excess * spikes * slope / f.directions
        tau, energies = np.append(tau, spikes * rescaled), np.append(energies, energy / rescaled)
        share = np.append(share, np.full(spikes.size, 1 / (f.aspect * f.directions)))
        return Population(tau, share / share.sum(), energies, sigma2)


def banded(f: Factorisation, rng: np.random.Generator) -> Estimate:
    """The banded estimate of MATH section 7 with its posterior, sampled by emcee's affine-invariant ensemble.

    On the directions that are not outlying, c_i ~ N(0, sigma^2 + sum_j g_j phi_j(s_i)) with g_j proportional to
    H_j exp(kappa xi_j), xi_j ~ N(0, 1), log kappa ~ N(log 0.7, 0.8^2), a signal share that is uniform on (0, 1) and a scale
    that is log-normal about the mean of c^2.
    """
    tau, weight = spectrum(f)
    outlying = outliers(f.eigenvalues)
    profile = _profile(f, tau)
    model = _Likelihood.of(f, outlying, profile, weight)
    noise, signal = model.sample(rng)
    return Estimate(f, outlying, tau, weight, profile, noise, signal)


def spectrum(f: Factorisation) -> tuple[Floats, Floats]:
    """Bands (tau_j, gamma H_j) of the feature covariance, (b,) each with b <= ``BANDS``.

    Non-negative least squares of 1/v(z) - z = gamma sum_j h_j tau_j / (1 + tau_j v(z)) over a grid of tau, relative errors;
    then the grid's mass is gathered into log-spaced bands.
    """
    s = f.eigenvalues
    z = s[0] * np.geomspace(1e-5, 1e2, 60)
    shifted = 1 / np.add.outer(z, s)
    v = (shifted.sum(axis=1) + f.zeros / z) / f.directions
    # 1/v - z = (1 - z v)/v, and 1 - z v = mean s/(s+z): nothing cancels.
    right = (shifted @ s) / f.directions / v
    low = max(float(np.median(s)) / 100, float(s[-1]) / 4)
    grid = np.geomspace(min(low, s[0] / 2), s[0], 80)
    design = grid / (1 + np.multiply.outer(v, grid)) / right[:, None]
    mass, _ = nnls(design, np.ones(z.size))
    support = np.flatnonzero(mass > 1e-6 * mass.sum())
    edges = np.geomspace(grid[support[0]], grid[support[-1]], BANDS + 1)
    band = np.clip(np.searchsorted(edges, grid, side="right") - 1, 0, BANDS - 1)
    gathered = np.bincount(band, mass, BANDS)
    kept = gathered > 1e-6 * mass.sum()
    centres = np.bincount(band, mass * grid, BANDS)[kept] / gathered[kept]
    return centres, gathered[kept]


def outliers(s: Floats) -> int:
    """How many of the descending eigenvalues stand apart: down to the last relative gap above 8% near the top."""
    near = min(max(5, s.size // 8), s.size // 2)
    gaps = np.flatnonzero(s[:near] > 1.08 * s[1 : near + 1])
    return int(gaps[-1]) + 1 if gaps.size else 0


def _profile(f: Factorisation, tau: Floats) -> Floats:
    """phi_j(s) = tau_j / |1 + tau_j m(s + i eta)|^2 with eta = 0.6 s n^-0.4, interpolated where directions are many."""
    s = f.eigenvalues
    at = s if s.size <= 2 * MOST_BINS else s[np.linspace(0, s.size - 1, 2 * MOST_BINS).astype(int)]
    z = at * (1 + 0.6j * f.rows**-0.4)
    m = ((1 / (s - z[:, None])).sum(axis=1) - f.zeros / z) / f.directions
    phi = tau / np.abs(1 + np.multiply.outer(m, tau)) ** 2
    if at.size < s.size:
        phi = np.column_stack([np.interp(s, at[::-1], column[::-1]) for column in phi.T])
    # Smoothing by eta loses some of it; the mean over all directions is tau_j, since beta'S beta ~ beta'Sigma beta.
    return np.asarray(phi * (tau * f.directions / phi.sum(axis=0)))


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """Binned likelihood and priors of the banded model, for many parameter vectors at once."""

    count: Floats
    energy: Floats
    profile: Floats
    weight: Floats
    scale: float

    @classmethod
    def of(cls, f: Factorisation, outlying: int, profile: Floats, weight: Floats) -> "_Likelihood":
        squares, profile = f.responses[outlying:] ** 2, profile[outlying:]
        bins = min(MOST_BINS, squares.size)
        index = np.arange(squares.size) * bins // max(squares.size, 1)
        count = np.bincount(index, minlength=bins).astype(np.float64)
        energy = np.bincount(index, squares, bins).astype(np.float64)
        phi = np.column_stack([np.bincount(index, column, bins) for column in profile.T]) / count[:, None]
        if f.zeros:
            count, energy = np.append(count, f.zeros), np.append(energy, f.zero_energy)
            phi = np.vstack([phi, np.zeros(phi.shape[1])])
        return cls(count, energy, phi, weight, float(energy.sum() / count.sum()))

    def parameters(self, theta: Floats) -> tuple[Floats, Floats]:
        """(log scale, logit share, log kappa, xi) -> sigma^2 and g; rows of theta are parameter vectors."""
        # Labels without noise would send the logit to infinity; this leaves 1e-12 of their variance.
        logit = np.clip(theta[:, 1], -28.0, 28.0)
        share = expit(logit)
        # Only the shape matters: its largest exponent is taken as 0, and a proposal far out in log kappa stays finite.
        exponent = np.exp(np.minimum(theta[:, 2:3], 5.0)) * theta[:, 3:]
        shape = self.weight * np.exp(exponent - exponent.max(axis=1, keepdims=True))
        mean = shape @ (self.count @ self.profile) / self.count.sum()
        scale = np.exp(theta[:, 0])
        return scale * expit(-logit), shape * (scale * share / mean)[:, None]

    def log_posterior(self, theta: Floats) -> Floats:
        """Log density for each row of theta, up to a constant."""
        noise, signal = self.parameters(theta)
        variance = noise[:, None] + signal @ self.profile.T
        likelihood = -0.5 * (np.log(variance) @ self.count + (1 / variance) @ self.energy)
        # Uniform share: its logit has the logistic density.
        logit = theta[:, 1]
        prior = -np.logaddexp(0, logit) - np.logaddexp(0, -logit)
        prior -= 0.5 * ((theta[:, 0] - np.log(self.scale)) / 0.5) ** 2
        prior -= 0.5 * ((theta[:, 2] - np.log(0.7)) / 0.8) ** 2
        prior -= 0.5 * (theta[:, 3:] ** 2).sum(axis=1)
        return np.asarray(likelihood + prior)

    def sample(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Posterior draws of (sigma^2, g)."""
        size = 3 + self.weight.size
        start = rng.standard_normal((WALKERS, size)) * np.array([0.1, 1.0, 0.5] + [0.5] * (size - 3))
        start[:, 0] += np.log(self.scale)
        start[:, 2] += np.log(0.7)
        sampler = emcee.EnsembleSampler(WALKERS, size, self.log_posterior, vectorize=True)
        # emcee draws from the older generator; its seed comes from ours.
        state = np.random.RandomState(np.random.MT19937(rng.integers(2**32))).get_state()
        sampler.run_mcmc(emcee.State(start, random_state=state), STEPS)
        return self.parameters(sampler.get_chain(discard=BURN_IN, thin=THIN, flat=True))
