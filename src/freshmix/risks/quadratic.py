"""A generation's own best real weight: its risk is a quadratic in it (mathematics.md section 3)."""

import numpy as np


def least_of_quadratic(values: list[float]) -> float:
    """Where in [0, 1] the quadratic with these values at 0, 1/2 and 1 is least; R_t is one in w_t."""
    curvature = 2 * (values[0] - 2 * values[1] + values[2])
    slope = values[2] - values[0] - curvature
    if not curvature > 0:
        return float(values[2] < values[0])
    return float(np.clip(-slope / (2 * curvature), 0.0, 1.0))
