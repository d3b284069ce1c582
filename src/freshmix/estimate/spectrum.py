"""What the eigenvalues alone say: bands of the feature covariance, outlying directions, profiles (MATH section 7)."""

import numpy as np
from scipy.optimize import nnls

from .._checks import Floats
from .factorise import Factorisation

BANDS = 6
# Profiles are interpolated between this many eigenvalues where there are more.
_POINTS = 500


def spectrum(f: Factorisation, outlying: int = 0) -> tuple[Floats, Floats]:
    """Bands (tau_j, gamma H_j) of the feature covariance below its outlying eigenvalues, (b,) each with b <= ``BANDS``.

    Non-negative least squares of 1/v(z) - z = gamma sum_j h_j tau_j / (1 + tau_j v(z)) over a grid of tau, relative errors;
    then the grid's mass is gathered into log-spaced bands.
    """
    s = f.eigenvalues[outlying:]
    directions = f.directions - outlying
    z = s[0] * np.geomspace(1e-5, 1e2, 60)
    shifted = 1 / np.add.outer(z, s)
    v = (shifted.sum(axis=1) + f.zeros / z) / directions
    # 1/v - z = (1 - z v)/v, and 1 - z v = mean s/(s+z): nothing cancels.
    right = (shifted @ s) / directions / v
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


def profiles(f: Factorisation, tau: Floats, outlying: int = 0) -> Floats:
    """(r, b) phi_j(s) = tau_j / |1 + tau_j m(s + i eta)|^2 with eta = 0.6 s n^-0.4, interpolated where directions are many."""
    phi = _smoothed(f, tau)
    # Smoothing by eta loses some of it; the mean over the directions is tau_j, since beta'S beta ~ beta'Sigma beta.
    return np.asarray(phi * (tau * (f.directions - outlying) / phi[outlying:].sum(axis=0)))


def leaks(f: Factorisation, excess: Floats) -> Floats:
    """(r,) what the outlying directions' signal adds to c^2 in the other ones, from (k,) c^2 - sigma^2 there.

    The sample's outlying directions are near those of the population, not the same: phi at the spike's tau, times its energy.
    """
    if not excess.size:
        return np.zeros(f.eigenvalues.size)
    tau, energy = spikes(f, excess.size)
    found = _smoothed(f, tau) @ (excess * energy)
    found[: excess.size] = 0.0
    return np.asarray(found)


def _smoothed(f: Factorisation, tau: Floats) -> Floats:
    s = f.eigenvalues
    at = s if s.size <= _POINTS else s[np.linspace(0, s.size - 1, _POINTS).astype(int)]
    z = at * (1 + 0.6j * f.rows**-0.4)
    m = ((1 / (s - z[:, None])).sum(axis=1) - f.zeros / z) / f.directions
    phi = tau / np.abs(1 + np.multiply.outer(m, tau)) ** 2
    if at.size < s.size:
        phi = np.column_stack([np.interp(s, at[::-1], column[::-1]) for column in phi.T])
    return np.asarray(phi)


def spikes(f: Factorisation, outlying: int) -> tuple[Floats, Floats]:
    """(k,) population eigenvalues behind the outlying ones, and the energy g that one unit of c^2 there stands for.

    An outlying s belongs to tau = -1/m(s), with m over the other directions, and c^2 - sigma^2 to the energy
    (c^2 - sigma^2) tau (-v'(-s)) / directions.
    """
    tops, rest = f.eigenvalues[:outlying], f.eigenvalues[outlying:]
    apart = 1 / (rest - tops[:, None])
    m = (apart.sum(axis=1) - f.zeros / tops) / f.directions
    slope = ((apart**2).sum(axis=1) + f.zeros / tops**2) / f.directions
    return -1 / m, -slope / m / f.directions
