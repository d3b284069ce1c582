"""Where in a TOML text a value stands: the TOML reader of the standard library keeps no line numbers."""

import re
from collections.abc import Sequence

Location = tuple[str | int, ...]

_TABLE = re.compile(r"^\s*\[(\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def line_of(text: str, location: Sequence[str | int]) -> int | None:
    """The line, from 1, of the longest known beginning of a location; None where not even that is written.

    Examples
    --------
    >>> line_of("[loop]\\npenalty = 1\\n[grid]\\naspect = [1, 2]", ("grid", "aspect", 1))
    4
    """
    known = _lines(text)
    wanted = tuple(location)
    for length in range(len(wanted), 0, -1):
        if wanted[:length] in known:
            return known[wanted[:length]]
    return None


def _lines(text: str) -> dict[Location, int]:
    found: dict[Location, int] = {}
    counts: dict[Location, int] = {}
    table: Location = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE.match(line):
            table = _parts(header[2])
            if header[1]:
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            # The tables around it need no line of their own.
            for length in range(1, len(table) + 1):
                found.setdefault(table[:length], number)
        elif key := _KEY.match(line):
            found.setdefault((*table, *_parts(key[1])), number)
    return found


def _parts(dotted: str) -> Location:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
