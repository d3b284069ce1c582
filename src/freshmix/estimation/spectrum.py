"""What the eigenvalues alone say: bands of the feature covariance, outlying directions, profiles (mathematics.md section 7)."""

from dataclasses import dataclass

import numpy as np

from ..arguments import Floats
from ..equivalents import Numbers
from .factorise import Factorisation
from .nonnegative import nonnegative

BANDS = 6
# Profiles are interpolated between this many eigenvalues where there are more.
_POINTS, _WEIGHTED_POINTS = 500, 200


@dataclass(frozen=True)
class Companion:
    """Off the spectrum, what the eigenvalues say of Sigma: (m,) arrays at z, real or complex.

    ``delta`` = (1/n) tr Sigma (S+z)^-1 = (gamma/z) sum h tau/(1 + tau v); ``v``; ``slope`` = dv/dz; ``seen``, defined by
    mean c^2/(s+z)^2 / mean 1/(s+z)^2 = sigma^2 + seen sum_j tau_j g_j / (1 + tau_j v)^2 (mathematics.md sections 5 and 7).
    """

    delta: Numbers
    v: Numbers
    slope: Numbers
    seen: Numbers

    @classmethod
    def of(cls, f: Factorisation, z: Numbers, first: int = 0) -> "Companion":
        """From the eigenvalues but the ``first`` largest, and the rows' weights a; means are over directions or over rows.

        For weights of 1, delta = mean s/(s+z) / K with K = mean z/(s+z), v = K/z is the companion transform, v' =
        -mean 1/(s+z)^2 and seen = 1. For others D = 1/(1 + a delta), where delta solves mean D = K, and

            v = mean(a D) / z,   delta' = -mean s/(s+z)^2 / mean(a D^2),   v' = -(v + mean(a^2 D^2) delta') / z,
            seen = mean(a D^2) / mean z^2/(s+z)^2 / (1 + mean(a^2 D^2) (delta + z delta') / (z^2 v')).
        """
        s, directions = f.eigenvalues[first:], f.directions - first

        def means(z: Numbers) -> tuple[Numbers, Numbers]:
            # K and mean s/(s+z): nothing cancels in either.
            near = 1 / np.add.outer(z, s)
            return (z * near.sum(axis=1) + f.zeros) / directions, (near @ s) / directions

        squares = (1 / np.add.outer(z, s)) ** 2
        second = (squares.sum(axis=1) + f.zeros / z**2) / directions
        if f.row_weights is None:
            K, fitted = means(z)
            return cls(fitted / K, K / z, -second, np.ones_like(K))
        a, h = f.row_weights.value, f.row_weights.share
        delta = f.row_weights.delta(z, means, float(f.eigenvalues[0]))
        D = f.row_weights.free(delta)
        aD, aD2, a2D2 = D @ (h * a), D**2 @ (h * a), D**2 @ (h * a**2)
        rise = -(squares @ s) / directions / aD2
        v = aD / z
        slope = -(v + a2D2 * rise) / z
        return cls(delta, v, slope, aD2 / (z**2 * second) / (1 + a2D2 / z**2 * (delta + z * rise) / slope))


def spectrum(f: Factorisation, outlying: int = 0) -> tuple[Floats, Floats]:
    """Bands (tau_j, gamma H_j) of the feature covariance below its outlying eigenvalues, (b,) each with b <= ``BANDS``.

    Non-negative least squares of z delta(z) = gamma sum_j h_j tau_j / (1 + tau_j v(z)) over a grid of tau, relative errors;
    then the grid's mass is gathered into log-spaced bands.
    """
    s = f.eigenvalues[outlying:]
    z = s[0] * np.geomspace(1e-5, 1e2, 60)
    at = Companion.of(f, z, outlying)
    v, right = at.v, z * at.delta
    low = max(float(np.median(s)) / 100, float(s[-1]) / 4)
    grid = np.geomspace(min(low, s[0] / 2), s[0], 80)
    design = grid / (1 + np.multiply.outer(v, grid)) / right[:, None]
    mass = nonnegative(design, np.ones(z.size))
    support = np.flatnonzero(mass > 1e-6 * mass.sum())
    # Places, not values: a point of the grid at an edge of a band must not go by its rounding.
    band = np.clip((np.arange(grid.size) - support[0]) * BANDS // max(support[-1] - support[0], 1), 0, BANDS - 1)
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
    """(r, b) phi_j(s) = tau_j / |1 + tau_j v|^2 Im v / Im m at s + i eta with eta = 0.6 s n^-0.4, m = mean 1/(s_i - s - i eta).

    v = m for rows of one weight. Interpolated where directions are many.
    """
    phi = _smoothed(f, tau)
    # Smoothing by eta loses some of it; the mean over the directions is tau_j, since beta'S beta ~ beta'Sigma beta.
    return np.asarray(phi * (tau * (f.directions - outlying) / phi[outlying:].sum(axis=0)))


def leaks(f: Factorisation, outlying: int) -> Floats:
    """(r, k) what one unit of signal, c^2 - sigma^2, in each outlying direction adds to c^2 in the other ones.

    The sample's outlying directions are near those of the population, not the same: phi at the spike's tau, times its energy.
    """
    if not outlying:
        return np.zeros((f.eigenvalues.size, 0))
    tau, energy = spikes(f, outlying)
    found = _smoothed(f, tau) * energy
    found[:outlying] = 0.0
    return np.asarray(found)


def _smoothed(f: Factorisation, tau: Floats) -> Floats:
    s, most = f.eigenvalues, _POINTS if f.row_weights is None else _WEIGHTED_POINTS
    at = s if s.size <= most else s[np.linspace(0, s.size - 1, most).astype(int)]
    z = -at * (1 + 0.6j * f.rows**-0.4)
    v = Companion.of(f, z).v
    phi = tau / np.abs(1 + np.multiply.outer(v, tau)) ** 2
    if f.row_weights is not None:
        m = ((1 / np.add.outer(z, s)).sum(axis=1) + f.zeros / z) / f.directions
        phi *= (v.imag / m.imag)[:, None]
    if at.size < s.size:
        phi = np.column_stack([np.interp(s, at[::-1], column[::-1]) for column in phi.T])
    return np.asarray(phi)


def spikes(f: Factorisation, outlying: int) -> tuple[Floats, Floats]:
    """(k,) population eigenvalues behind the outlying ones, and the energy g that one unit of c^2 there stands for.

    An outlying s belongs to tau = -1/v(-s), with v from the other directions, and c^2 - sigma^2 to the energy
    (c^2 - sigma^2) tau (-v'(-s)) / directions.
    """
    at = Companion.of(f, -f.eigenvalues[:outlying], outlying)
    return -1 / at.v, at.slope / at.v / f.directions
