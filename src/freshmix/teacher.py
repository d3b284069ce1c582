"""An outside model whose predictions serve as labels: what theory needs to know of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .arguments import Floats, number, vector
from .population import Population

_ROUNDING = 1e-9


@dataclass(frozen=True, init=False, eq=False)
class Teacher:
    """A model phi, not fitted on any row of the loop, that labels rows with ``x' phi`` and noise.

    Parameters
    ----------
    signal : (k,) array
        Energy ||phi||_j^2 in each eigenspace of the population, at least 0.
    alignment : (k,) array
        Inner products <phi, beta>_j with the coefficients there.
    noise_variance : float
        Of the labels about ``x' phi``: rounding, votes, or what in the teacher is no linear function of the features.
    noise_covariance : float
        Of that noise with the noise of the same row's real label: above 0 where the teacher knows some of what the features do
        not say linearly.

    Raises
    ------
    TypeError, ValueError
        If they are not finite numbers in their range, or of different lengths.

    Notes
    -----
    Source: mathematics.md section 5: the teacher is one more source of labels.

    Examples
    --------
    >>> population = Population.isotropic(signal=2.0)
    >>> teacher = Teacher.of(population, gain=0.8, error=0.1)
    >>> teacher.signal.round(3).tolist(), teacher.alignment.tolist()
    ([1.38], [1.6])
    """

    signal: Floats
    alignment: Floats
    noise_variance: float
    noise_covariance: float

    def __init__(
        self, signal: ArrayLike, alignment: ArrayLike, noise_variance: float = 0.0, noise_covariance: float = 0.0
    ) -> None:
        object.__setattr__(self, "signal", vector("signal", signal, low=0.0))
        object.__setattr__(self, "alignment", vector("alignment", alignment))
        object.__setattr__(self, "noise_variance", number("noise_variance", noise_variance, low=0.0))
        object.__setattr__(self, "noise_covariance", number("noise_covariance", noise_covariance))
        if self.signal.size != self.alignment.size:
            raise ValueError(
                f"alignment must hold a number for each of the {self.signal.size} of signal, got {self.alignment.size}"
            )

    @classmethod
    def of(
        cls,
        population: Population,
        *,
        gain: float = 1.0,
        error: float = 0.0,
        noise_variance: float = 0.0,
        noise_covariance: float = 0.0,
    ) -> "Teacher":
        """phi = gain beta + e: shrunk or exaggerated coefficients, with an error of excess risk ``error`` spread evenly.

        Raises as the constructor does.
        """
        gain, spread = number("gain", gain), number("error", error, low=0.0)
        tau, h, g = population.eigenvalues, population.shares, population.signal
        size = float(h @ tau)
        apart = h * (spread / size) if size > 0 else np.zeros_like(h)
        return cls(gain**2 * g + apart, gain * g, noise_variance, noise_covariance)

    def beside(self, population: Population) -> tuple[Floats, Floats]:
        """(k,) signal and alignment on the eigenspaces of a population; raises ValueError where they cannot be its."""
        g = population.signal
        if self.signal.size != g.size:
            raise ValueError(
                f"teacher must have a number for each of the population's {g.size} eigenvalues, got {self.signal.size}"
            )
        most = np.sqrt(self.signal * g) * (1 + _ROUNDING) + _ROUNDING * float(np.sqrt(g @ g))
        if (np.abs(self.alignment) > most).any():
            raise ValueError("teacher: alignment must be at most the root of both energies in each eigenspace")
        highest = np.sqrt(self.noise_variance * population.noise_variance) * (1 + _ROUNDING)
        if abs(self.noise_covariance) > highest:
            raise ValueError(
                f"teacher: noise_covariance must be at most {highest:.4g}, the root of both noise variances, "
                f"got {self.noise_covariance!r}"
            )
        return self.signal, self.alignment
