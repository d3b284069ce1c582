"""Numbers as a person reads them."""

import math

UNBOUNDED = "unbounded"


def figures(value: float, infinite: str = UNBOUNDED) -> str:
    """A number with 4 significant digits; a word for infinity, ``-`` where it has no meaning."""
    if math.isnan(value):
        return "-"
    return infinite if math.isinf(value) else f"{value:.4g}"


def short(value: float, infinite: str = UNBOUNDED, zeros: bool = False, digits: int = 3) -> str:
    """A number with so many significant digits, written out where that is not long; ``zeros`` at the end are kept for columns.

    Examples
    --------
    >>> short(2947.3), short(0.6219), short(10.0), short(3.3530e9)
    ('2950', '0.622', '10', '3.35e+09')
    """
    if not math.isfinite(value):
        return figures(value, infinite)
    text = _written(value, digits - 1 - _place(value))
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text and not zeros else text


def supported(value: float, low: float, high: float, infinite: str = UNBOUNDED) -> tuple[str, str, str]:
    """A number and its interval with the digits that the interval supports: two of its half-width, three of the number.

    Examples
    --------
    >>> supported(2987.3, 2692.1, 3344.0), supported(0.0435, -0.0255, 0.1952), supported(0.003417, 0.00041, 0.028)
    (('2990', '2690', '3340'), ('0.04', '-0.03', '0.20'), ('0.0034', '0.00041', '0.028'))
    """
    ends = (value, low, high)
    if not all(map(math.isfinite, ends)) or high <= low:
        value, low, high = (short(end, infinite) for end in ends)  # type: ignore[assignment]
        return str(value), str(low), str(high)
    if low > 0 and high > 5 * low:
        return tuple(_written(end, 1 - _place(end)) for end in ends)  # type: ignore[return-value]
    decimals = min(1 - _place((high - low) / 2), 2 - _place(max(map(abs, ends))))
    return tuple(_written(end, decimals) for end in ends)  # type: ignore[return-value]


def sure(value: float, interval: tuple[float, float] | None, infinite: str = UNBOUNDED) -> str:
    """A number, and its interval in brackets where there is one that says more, with the digits that it supports."""
    if interval is None:
        return short(value, infinite)
    text, low, high = supported(value, *interval, infinite)
    if low == high:
        return text if low == text else f"{text} ({low})"
    return f"{text} ({low} to {high})"


def _place(value: float) -> int:
    """Of the first digit: 0 for 1 to 10."""
    return math.floor(math.log10(abs(value))) if value else 0


def _written(value: float, decimals: int) -> str:
    """Rounded to so many decimals, fewer than 0 too."""
    if value and not 1e-5 <= abs(value) < 1e7:
        return f"{value:.{max(_place(value) + decimals, 0)}e}".replace(".00e", "e")
    # No minus before a zero.
    return f"{round(value, decimals) + 0.0:.{max(decimals, 0)}f}"


def percent(value: float, digits: int = 4) -> str:
    """A signed change in percent with so many significant digits; ``-`` where it has no meaning."""
    if not math.isfinite(value):
        return "-"
    return "0%" if abs(value) < 1e-6 else f"{value:+.{digits}g}%"


def span(low: float, high: float, infinite: str = UNBOUNDED) -> str:
    """An interval; one word where both of its ends are infinite."""
    return infinite if math.isinf(low) else f"{figures(low)} to {figures(high, infinite)}"


def with_interval(value: float, interval: tuple[float, float] | None, infinite: str = UNBOUNDED) -> str:
    """A number, and its interval in brackets where there is one that says more."""
    text = figures(value, infinite)
    between = text if interval is None else span(*interval, infinite)
    return text if between == text else f"{text} ({between})"
