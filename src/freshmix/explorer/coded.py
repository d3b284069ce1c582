"""A population as a short text for an address: what a table's estimate holds, in single precision."""

import base64
import binascii
import zlib

import numpy as np

from ..arguments import Floats
from ..population import Population

# Atoms that an address has room for.
MOST_ATOMS = 300
_MOST_TEXT = 6000


def encoded(population: Population) -> str:
    """The text; neighbouring atoms are put together where there are more than ``MOST_ATOMS``.

    >>> decoded(encoded(Population.isotropic(signal=2.0)))
    Population(eigenvalue 1, null_risk=2, noise_variance=1)
    """
    atoms = _few(population.eigenvalues, population.shares, population.signal)
    sizes = population.row_sizes or (np.zeros(0), np.zeros(0))
    counts = np.array([atoms[0].size, sizes[0].size], dtype="<u2").tobytes()
    numbers = np.concatenate([*atoms, [population.noise_variance], *sizes]).astype("<f4").tobytes()
    return base64.urlsafe_b64encode(zlib.compress(counts + numbers, 9)).rstrip(b"=").decode()


def decoded(text: str) -> Population:
    """The population behind the text. Raises ValueError if there is none."""
    if len(text) > _MOST_TEXT:
        raise ValueError(f"a coded population must have at most {_MOST_TEXT} signs, got {len(text)}")
    try:
        packed = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        opened = zlib.decompressobj()
        content = opened.decompress(packed, 2 * _MOST_TEXT)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise ValueError(f"a coded population must be one that freshmix wrote, got {error}") from None
    if len(content) < 4:
        raise ValueError("a coded population must hold atoms, got none")
    k, c = np.frombuffer(content[:4], dtype="<u2").tolist()
    if len(content) != 4 + 4 * (3 * k + 1 + 2 * c):
        raise ValueError(f"a coded population of {k} atoms must be whole, got {len(content)} bytes")
    numbers = np.frombuffer(content[4:], dtype="<f4").astype(np.float64)
    if not np.isfinite(numbers).all() or (numbers < 0).any():
        raise ValueError("a coded population must hold numbers of at least 0")
    (tau, h, g), (noise, *_), sizes = numbers[: 3 * k].reshape(3, k), numbers[3 * k :], numbers[3 * k + 1 :].reshape(2, c)
    # Sums and means of 1 are exact again.
    total = h.sum() or 1.0
    rows = None
    if c and sizes[1].sum() > 0:
        share = sizes[1] / sizes[1].sum()
        rows = sizes[0] / (sizes[0] @ share or 1.0), share
    return Population(tau, h / total, g, float(noise), rows)


def _few(tau: Floats, h: Floats, g: Floats) -> tuple[Floats, Floats, Floats]:
    """Atoms, neighbours put together where they are too many; shares, energies and the null risk stay what they are."""
    if tau.size <= MOST_ATOMS:
        return tau, h, g
    order = np.argsort(tau)
    parts = np.array_split(order, MOST_ATOMS)
    share = np.array([h[part].sum() for part in parts])
    places = [_mean(tau[part], h[part]) for part in parts]
    eigenvalues = np.array(places)
    risk = np.array([tau[part] @ g[part] for part in parts])
    energy = np.array([g[part].sum() for part in parts])
    signal = np.divide(risk, eigenvalues, out=energy, where=eigenvalues > 0)
    return eigenvalues, share, signal


def _mean(tau: Floats, h: Floats) -> float:
    return float(np.average(tau, weights=h) if h.sum() > 0 else tau.mean())
