"""What part of an axis curves and shades need, whatever draws them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import Floats

# A logarithmic axis from this range on; curves further than the second one from the recommended risk leave the picture.
_LOG_RANGE, _MOST_RANGE = 20.0, 1e3
# Shades end at this multiple of the null risk, and at this part of it.
_MOST, _LEAST = 30.0, 1e-4


@dataclass(frozen=True)
class Range:
    """Ends of an axis, whether it is logarithmic, and whether it then spans so little that 2 and 5 are ticks beside 10."""

    low: float
    high: float
    log: bool = False
    close: bool = False


def finite(values: ArrayLike) -> Floats:
    """A copy with NaN, which is not drawn, in place of infinities."""
    result = np.array(values, dtype=np.float64)
    result[~np.isfinite(result)] = np.nan
    return result


def of_risks(anchor: float, curves: Sequence[Floats]) -> Range | None:
    """An axis for these curves, logarithmic where they span a wide range; None where no value is finite.

    ``anchor`` is the recommended risk: the axis reaches _MOST_RANGE times above and below it at most.
    """
    values = np.concatenate([np.ravel(curve) for curve in curves])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return None
    if anchor > 0:
        near = (values >= anchor / _MOST_RANGE) & (values <= anchor * _MOST_RANGE)
        values = values[near] if near.any() else values
    low, high = float(values.min()), float(values.max())
    if low > 0 and high > _LOG_RANGE * low:
        return Range(low * (low / high) ** 0.06, high * (high / low) ** 0.06, log=True, close=300 * low > high)
    margin = 0.06 * (high - low) or 0.1 * abs(high) or 0.05
    return Range(low - margin, high + margin)


def of_shades(risk: Floats, null: float) -> Range | None:
    """Between which risks, in powers of ten, shades differ; None where no risk is finite and above 0."""
    bounded = risk[np.isfinite(risk) & (risk > 0)]
    if not bounded.size:
        return None
    top = min(float(bounded.max()), _MOST * null) if null > 0 else float(bounded.max())
    low = max(float(bounded.min()), _LEAST * top)
    return Range(low, max(top, low * 1.0001), log=True)
