"""Tolerances in one place."""

from scipy.stats import norm

REFERENCE = 1e-9  # the reference table
CLOSED = 1e-10  # against closed forms and high precision
SOLVED = 1e-12  # roots of the companion equation
LAW = 1e-9  # identities between two evaluations

# Two-sided level of a family of z-scores, before dividing by their number.
FAMILY_LEVEL = 1e-3

# A root moves by this over the slope of its equation when the inputs (shares, aspect) are rounded.
INPUT = 2e-15
# Deterministic equivalents at a few hundred rows, beyond the Monte Carlo error; one sample of 2000 rows.
FINITE_SIZE = 0.03
SAMPLE = 0.05


def largest_z(checks: int) -> float:
    """What ``checks`` standard normal scores stay under, all of them, but for FAMILY_LEVEL (Bonferroni)."""
    return float(norm.isf(FAMILY_LEVEL / (2 * checks)))
