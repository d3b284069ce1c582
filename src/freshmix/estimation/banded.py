"""The banded estimate of signal and noise from eigenvalues and rotated responses (mathematics.md section 7)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arguments import Floats
from ..equivalents import RowEquivalents, SampleEquivalents
from ..equivalents.weights import sample_equivalents
from ..population import Population
from ..threads import on_one_blas_thread
from ..words import table as words
from .factorise import Factorisation
from .intervals import credible, holding
from .noise import NoiseEstimate, noise_estimates, stretch
from .outlying import outlying_signal
from .posterior import Posterior, with_mean
from .spectrum import leaks, outliers, profiles, spectrum, spikes

# Directions without signal for each one with it, from which on the signal of this table's own coefficients can be told.
_WELL_SEEN = 3
# Where one row is all of the noise its variance is known within a factor of about e.
_MOST_TAIL = 1.0
# Heavier tails, and wider intervals, than this are told.
_TAILS, _STRETCH = 0.1, 1.5


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
        phi_j(s_i): E c_i^2 = sigma^2 + sum_k leaks_ik m_k^2 + sum_j g_j phi_j(s_i).
    leaks : (r, k) array
        What one unit of signal in each outlying direction adds to the others.
    noise_draws, signal_draws : (d,), (d, b) arrays
        Posterior draws of sigma^2 and g.
    outlying_draws : (d, k) array
        Draws of c^2 - sigma^2 in the outlying directions, free of their noise.
    noise_estimates : dict
        Name -> ``NoiseEstimate``: sigma^2 by other routes.
    stretch : float
        Factor of at least 1 by which disagreement between the noise estimates widens every interval.
    tails : float
        Relative standard error that heavy tails of the noise add to its variance.
    """

    factorisation: Factorisation
    outlying: int
    tau: Floats
    weight: Floats
    profile: Floats
    leaks: Floats
    noise_draws: Floats
    signal_draws: Floats
    outlying_draws: Floats
    noise_estimates: Mapping[str, NoiseEstimate]
    stretch: float
    tails: float

    @property
    def noise_variance(self) -> float:
        """Posterior mean of sigma^2."""
        return float(self.noise_draws.mean())

    @property
    def signal(self) -> Floats:
        """Posterior mean of g, the energy in each band."""
        return np.asarray(self.signal_draws.mean(axis=0))

    @property
    def outlying_signal(self) -> Floats:
        """(k,) posterior means of c^2 - sigma^2 in the outlying directions."""
        return np.asarray(self.outlying_draws.mean(axis=0))

    @property
    def null_draws(self) -> Floats:
        """(d,) posterior draws of the null risk beta'Sigma beta."""
        banded = self.signal_draws @ self.profile[self.outlying :].sum(axis=0)
        tops = self.outlying_draws @ (1 + self.leaks.sum(axis=0))
        return np.asarray((banded + tops) / self.factorisation.directions)

    def interval(self, draws: Floats, floor: Floats | float = 0.0) -> tuple[float, float]:
        """90% interval from (d,) draws of a quantity that is at least 0, widened where the noise estimates disagree.

        ``floor`` is what the quantity is without a signal.
        """
        return credible(draws, self.stretch, floor)

    def intervals(self) -> dict[str, tuple[float, float]]:
        """90% intervals of ``noise_variance``, ``signal_to_noise_ratio`` and ``null_risk``."""
        null, noise = self.population().null_risk, self.noise_variance
        ratios = (math.inf, math.inf)
        if noise > 0:
            ratios = holding(self.interval(self.null_draws / self.noise_draws), null / noise)
        return {
            "noise_variance": holding(self.interval(self.noise_draws), noise),
            "signal_to_noise_ratio": ratios,
            "null_risk": holding(self.interval(self.null_draws), null),
        }

    @property
    def exact(self) -> bool:
        """Whether the features determine the labels."""
        return self.factorisation.exact

    def doubts(self) -> tuple[str, ...]:
        """Why its intervals are wider than those of gaussian rows would be, one sentence each."""
        said = [words.heavy_tails(self.tails)] if self.tails > _TAILS else []
        if self.stretch > _STRETCH:
            name, other = max(self.noise_estimates.items(), key=lambda item: abs(item[1].z))
            said.append(words.noise_disagrees(name, other.value, self.noise_variance, other.z, self.stretch))
        return tuple(said)

    def equivalents(
        self, noise_variance: float | None = None, signal: Floats | None = None, tops: Floats | None = None
    ) -> SampleEquivalents:
        """The smoothed plug-in: c_i^2 replaced by its expectation under (sigma^2, g), by default their posterior means.

        ``tops`` is the signal of the outlying directions, likewise.

        The limit risk is linear in (sigma^2, g), so that the posterior mean gives the posterior mean risk.
        """
        f = self.factorisation
        sigma2 = self.noise_variance if noise_variance is None else noise_variance
        tops = self.outlying_signal if tops is None else tops
        squares = sigma2 + self.leaks @ tops + self.profile @ (self.signal if signal is None else signal)
        squares[: self.outlying] = sigma2 + tops
        s, count = f.eigenvalues, np.ones(f.eigenvalues.size)
        if f.zeros:
            s, squares, count = np.append(s, 0.0), np.append(squares, sigma2), np.append(count, f.zeros)
        if f.classes is not None:
            return RowEquivalents(s, squares, count, sigma2, f.classes)
        return sample_equivalents(s, squares, count, sigma2, f.row_weights)

    def population(
        self, noise_variance: float | None = None, signal: Floats | None = None, tops: Floats | None = None
    ) -> Population:
        """The bands as atoms, and each outlying direction as a spike of share 1/p; by default at the posterior means."""
        sigma2 = self.noise_variance if noise_variance is None else noise_variance
        tops = self.outlying_signal if tops is None else tops
        tau, share, g = self.atoms(self.signal if signal is None else signal, tops)
        return Population(tau, share, g, sigma2, self.row_sizes)

    @property
    def row_sizes(self) -> tuple[Floats, Floats] | None:
        """Sizes b of the rows and their shares, where they are estimated and differ."""
        sizes = self.factorisation.sizes
        return None if sizes is None else (sizes.value, sizes.share)

    def atoms(self, signal: Floats, outlying: Floats) -> tuple[Floats, Floats, Floats]:
        """Eigenvalues, shares and signal energies of the population; null directions of a table of lower rank included.

        From (b,) energies of the bands and (k,) c^2 - sigma^2 of the outlying directions.
        """
        f = self.factorisation
        rescaled = f.rows / f.directions  # eigenvalues of X'X/n, of which one row is spent on the mean
        tops, energy = spikes(f, self.outlying)
        tau = np.append(self.tau, tops) * rescaled
        g = np.append(signal, outlying * energy) / rescaled
        features = f.aspect * f.directions
        rank, spike = f.eigenvalues.size, 1 / features
        # A table of lower rank than its shape allows has null directions.
        null = 1 - rank / features if f.features is not None and rank < min(f.directions, f.features) else 0.0
        bands = self.weight * ((1 - null - spike * tops.size) / self.weight.sum())
        share = np.append(bands, np.full(tops.size, spike))
        if null:
            tau, g, share = np.append(tau, 0.0), np.append(g, 0.0), np.append(share, null)
        return tau, share, g


@on_one_blas_thread
def banded(f: Factorisation, rng: np.random.Generator) -> Estimate:
    """The banded estimate of mathematics.md section 7 with its posterior (see ``Posterior``).

    What is drawn here widens the draws and leaves their means: ``rng`` moves ends of intervals, and no estimate.
    """
    outlying = outliers(f.eigenvalues)
    tau, weight = spectrum(f, outlying)
    profile = profiles(f, tau, outlying)
    squares = f.responses**2
    # Above the mean of all others: an outlying direction at their level has no signal to speak of.
    level = (squares[outlying:].sum() + f.zero_energy) / max(f.directions - outlying, 1)
    leaked = leaks(f, outlying)
    leak = leaked @ np.maximum(squares[:outlying] - level, 0.0)
    posterior = Posterior.of(f, outlying, tau, weight, profile, leak)
    noise, signal = posterior.sample()
    # The likelihood speaks of expected energies; what a band's coefficients really hold varies about that.
    coefficients = np.maximum(weight * f.directions, 1.0)
    if f.zeros > _WELL_SEEN * f.eigenvalues.size:
        # It shows in the rows; these give beta'S beta, which varies about beta'Sigma beta, and bands and profiles as well:
        # by a factor of mean 1, whose inverse would have no mean for a handful of rows.
        signal = posterior.realised(noise, signal, coefficients, rng)
        signal = _spread(signal, rng.chisquare(f.directions / 2, signal.shape))
    else:
        signal = _spread(signal, rng.chisquare(coefficients, signal.shape))
    if f.exact:
        # What is left is rounding, of which nothing is said.
        tops = np.tile(squares[:outlying], (noise.size, 1))
        return Estimate(f, outlying, tau, weight, profile, leaked, np.zeros(noise.size), signal, tops, {}, 1.0, 0.0)
    fitted = float(noise.mean())
    others = noise_estimates(f, outlying, tau, fitted + profile @ signal.mean(axis=0), leak, fitted, rng)
    # The rows show their own noise; where a few of them carry much of it, its variance is another matter.
    tails = min(f.tail_error / fitted, _MOST_TAIL)
    # Of mean 1: the estimate stays.
    noise = _spread(noise, np.exp(tails * rng.standard_normal(noise.size)))
    tops = _outlying_draws(f, noise, signal @ profile[outlying:].mean(axis=0), outlying, rng)
    return Estimate(f, outlying, tau, weight, profile, leaked, noise, signal, tops, others, stretch(others), tails)


def _outlying_draws(f: Factorisation, noise: Floats, banded_signal: Floats, outlying: int, rng: np.random.Generator) -> Floats:
    """(d, k) draws of the signal in c^2, of which s varies by sqrt(2/n); (d,) ``banded_signal`` is what others have of it."""
    draws = outlying_signal(f.responses[:outlying], noise, banded_signal, rng)
    return _spread(draws, np.maximum(1 + math.sqrt(2 / f.directions) * rng.standard_normal(draws.shape), 0.0))


def _spread(draws: Floats, factors: Floats) -> Floats:
    """Draws times random factors of one mean, which keep theirs."""
    return with_mean(draws * factors, draws.mean(axis=0))
