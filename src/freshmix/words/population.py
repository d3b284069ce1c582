"""What was estimated of a population."""

from typing import Any

from .figures import figures, with_interval
from .layout import Answer, Pairs

# A ``freshmix.EstimatedPopulation``: it stands above this room, and is read by its fields alone.
Estimated = Any


def answer(found: Estimated) -> Answer:
    """All of it."""
    tau, known = found.eigenvalues, found.intervals
    spectrum = f"{tau[0]:.4g}" if tau.size == 1 else f"{tau.size} values from {tau.min():.4g} to {tau.max():.4g}"
    rows = [
        ("eigenvalues of the features", spectrum),
        ("noise variance", with_interval(found.noise_variance, known.get("noise_variance"))),
        ("variance of the signal", with_interval(found.null_risk, known.get("null_risk"))),
        ("signal-to-noise ratio", with_interval(found.signal_to_noise_ratio, known.get("signal_to_noise_ratio"))),
    ]
    others = [
        (name.replace("_", " "), f"{figures(each.value)} +- {figures(each.standard_error)}")
        for name, each in found.noise_estimates.items()
    ]
    return Pairs("Estimated from the table (90% intervals in brackets)", rows), Pairs("Noise variance by other routes", others)
