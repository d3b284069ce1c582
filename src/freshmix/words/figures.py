"""Numbers as a person reads them."""

import math

UNBOUNDED = "unbounded"


def figures(value: float, infinite: str = UNBOUNDED) -> str:
    """A number with 4 significant digits; a word for infinity, ``-`` where it has no meaning."""
    if math.isnan(value):
        return "-"
    return infinite if math.isinf(value) else f"{value:.4g}"


def percent(value: float) -> str:
    """A signed change in percent with 4 significant digits; ``-`` where it has no meaning."""
    if not math.isfinite(value):
        return "-"
    return "0%" if abs(value) < 1e-6 else f"{value:+.4g}%"


def span(low: float, high: float, infinite: str = UNBOUNDED) -> str:
    """An interval; one word where both of its ends are infinite."""
    return infinite if math.isinf(low) else f"{figures(low)} to {figures(high, infinite)}"


def with_interval(value: float, interval: tuple[float, float] | None, infinite: str = UNBOUNDED) -> str:
    """A number, and its interval in brackets where there is one that says more."""
    text = figures(value, infinite)
    between = text if interval is None else span(*interval, infinite)
    return text if between == text else f"{text} ({between})"
