"""The spectrum of the sample covariance of isotropic rows: freshmix, scikit-rmt's Marchenko-Pastur law, and eigenvalues."""

import sys
import types

import numpy as np
from scipy.integrate import quad

import freshmix as fm
from freshmix.equivalents import PopulationEquivalents

TITLE = "The Marchenko-Pastur law"
HEAD = ("features / rows", "density, largest difference", "companion transform, largest relative difference")
HEAD += ("eigenvalues of drawn rows against freshmix, largest difference of shares",)
ASPECTS = (0.1, 0.5, 0.9, 2.0)
POINTS = np.array([0.01, 0.1, 1.0, 10.0])


def law(aspect):
    """scikit-rmt imports ``scipy.misc.derivative``, which scipy no longer has, for its table of the Tracy-Widom law alone."""
    if "scipy.misc" not in sys.modules:
        stand_in = types.ModuleType("scipy.misc")
        stand_in.derivative = None
        sys.modules["scipy.misc"] = stand_in
    from skrmt.ensemble.spectral_law import MarchenkoPasturDistribution

    return MarchenkoPasturDistribution(ratio=aspect)


def density(aspect, s):
    """Of eigenvalues of S = X'X/n but for zeros: v(-s + i0) is the Stieltjes transform of XX'/n, so |Im v|/(pi gamma)."""
    equivalents = PopulationEquivalents(fm.Population.isotropic(), aspect)
    solved = equivalents.solve(-s + 1e-11j)
    return np.abs((solved.zv / solved.z).imag) / (np.pi * aspect)


def companion(theirs, aspect, z):
    """v(z) = mean of 1/(s + z) over eigenvalues of XX'/n, by quadrature of their density, zeros counted apart."""
    bulk = quad(lambda s: theirs._pdf(s) / (s + z), theirs.lambda_minus, theirs.lambda_plus, epsabs=1e-13, limit=400)[0]
    return max(1 - aspect, 0.0) / z + aspect * bulk


def data(small=False):
    return ASPECTS[:1] if small else ASPECTS


def compared(aspects):
    answers = []
    for aspect in aspects:
        theirs = law(aspect)
        low, high = theirs.lambda_minus, theirs.lambda_plus
        s = low + (high - low) * (1 - np.cos(np.pi * np.arange(1, 200) / 200)) / 2
        ours = density(aspect, s)
        v = PopulationEquivalents(fm.Population.isotropic(), aspect).companion(POINTS)
        expected = np.array([companion(theirs, aspect, z) for z in POINTS])
        n = round(4000 / max(aspect, 1))
        X = np.random.default_rng(0).standard_normal((n, round(aspect * n)))
        found = np.linalg.eigvalsh(X.T @ X / n if aspect < 1 else X @ X.T / n)
        # Its distribution function by the same points (Chebyshev), zeros left out.
        F = np.cumsum(ours * np.sin(np.pi * np.arange(1, 200) / 200))
        distance = np.max(np.abs(np.interp(found, s, F / F[-1]) - (np.arange(found.size) + 0.5) / found.size))
        answers.append((aspect, np.max(np.abs(ours - theirs._pdf(s))), np.max(np.abs(v / expected - 1)), distance))
    return answers


WAYS = {"both": compared}


def rows(results, _):
    yield from results["both"].value
