"""Signs that a terminal or a browser obeys, made visible: names of columns and cells are a stranger's."""

import re

# Control characters but for the end of a line; what turns the direction of writing; other ends of lines; halves of pairs.
_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with such signs as Python writes them.

    Examples
    --------
    >>> print(visible("size\\x1b]0;title\\x07"))
    size\\x1b]0;title\\x07
    """
    return _OBEYED.sub(lambda match: ascii(match[0])[1:-1], text)
