"""What single cells of text stand for: a number, nothing, a truth value, a date, or a number as this house does not read it."""

import re
from collections.abc import Iterable

import polars as pl

# pandas' markers, and the point of SAS and Stata. In a column of words they are words, all but the empty one.
MISSING = (
    *("", ".", "NA", "N/A", "na", "n/a", "<NA>", "#N/A", "NaN", "nan", "NAN", "-nan", "-NaN"),
    *("null", "NULL", "Null", "None", "none", "NONE"),
)
TRUTH = {"true": 1.0, "false": 0.0}
# Among numbers they can only mean that one is missing, or that it failed.
PLACEHOLDERS = (
    *("-", "--", "---", "–", "—", "?", "??", "*", "**", "x", "X", "n.d.", "nd", "N.A.", "n.a."),
    *("unknown", "Unknown", "missing", "Missing", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"),
)

_UNITS = (
    "%|‰|kg|mg|µg|g|t|lbs?|oz|km|cm|mm|µm|nm|m|mi|ft|in|yd|km/h|mph|m/s|ms|s|min|hrs?|h|d|days?|weeks?|months?|yrs?|years?"
    "|ml|cl|dl|l|L|gal|°C|°F|°|K|kV|V|kW|kWh|MWh|W|Wh|kHz|MHz|GHz|Hz|kB|KB|MB|GB|TB|hp|bhp|cc|kmpl|mpg|bar|hPa|Pa|k|M|mio|bn|Mrd"
)
_CURRENCY = "[$€£¥₹]|USD|EUR|GBP|CHF|JPY"
_SIGN = "[-+\u2212\u2013\uff0d]?"
_GROUPED = "\\d{1,3}(?:[ ,.'\u2019\u00a0\u202f_]\\d{3})+(?:[.,]\\d+)?"
_DIGITS = rf"(?:{_GROUPED}|\d+(?:_\d+)*(?:[.,]\d*)?|[.,]\d+)(?:[eEdD][-+\u2212]?\d+)?"
_FOREIGN = re.compile(
    rf"\(?\s*(?:<=|>=|[<>≤≥~≈]|ca\.?)?\s*{_SIGN}\s*(?:{_CURRENCY})?\s*{_SIGN}\s*{_DIGITS}\s*"
    rf"(?:{_UNITS}|{_CURRENCY}|-|(?<=\s)[^\W\d_]{{1,12}}\.?)?\s*\)?"
)
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s*[AaPp][Mm])?"
_DAY = r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})"
_DATE = re.compile(rf"{_DAY}(?:[T ]\s*{_CLOCK})?\s*(?:Z|UTC|[-+]\d{{2}}:?\d{{2}})?")
_TIME = re.compile(_CLOCK)
# A number with a decimal comma, and one whose comma may as well separate thousands.
COMMA = r"^[-+]?(?:\d+,\d*|,\d+)(?:[eE][-+]?\d+)?$"
THOUSANDS = r"^[-+]?[1-9]\d{0,2}(?:,\d{3})+$"
_SHOWN = 40


def is_foreign(text: str) -> bool:
    """Whether a text that is no plain number shows one: 5%, $5, 1,200, (5), 1D+05, <0.1, 1_000, 1 kg, a Unicode minus."""
    return _FOREIGN.fullmatch(text) is not None


def is_date(text: str) -> str | None:
    """Date or Time where a text is one."""
    if _DATE.fullmatch(text):
        return "Date"
    return "Time" if _TIME.fullmatch(text) else None


def plain(text: pl.Series, decimal: str) -> pl.Series:
    """Stripped text as floats, null where it is no plain number with this decimal sign."""
    if decimal == ".":
        return text.cast(pl.Float64, strict=False)
    dotted = text.str.contains(".", literal=True)
    value = text.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    return value.set(dotted.fill_null(value=False), None)


def shown(text: str) -> str:
    """A cell in quotes, cut where it is long."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")


def shown_some(texts: Iterable[str], most: int = 3) -> str:
    """The first few cells in quotes."""
    return ", ".join(shown(text) for text in list(texts)[:most])
