"""Names of columns: those of a header, with names for columns that have none, and what is meant by a name that is not there."""

import difflib
from collections.abc import Sequence

from ..words.table import some

# What pandas and R call a column of row numbers that has no name.
INDEX = ("", "Unnamed: 0", "__index_level_0__", "unnamed first column")
_AGAIN = "\u200b"


def header_names(header: Sequence[str]) -> tuple[str, ...]:
    """Different names for the columns of a header: a second column of a name is marked, for ``doubled`` to find."""
    made: dict[str, None] = {}
    for place, name in enumerate(header):
        plain = name or ("unnamed first column" if place == 0 else f"unnamed column {place + 1}")
        while plain in made:
            plain += _AGAIN
        made[plain] = None
    return tuple(made)


def listed(names: str | Sequence[str]) -> tuple[str, ...]:
    """One name, or several."""
    return (names,) if isinstance(names, str) else tuple(names)


def kept_names(where: str, columns: Sequence[str], drop: Sequence[str]) -> list[str]:
    """The columns that are not left out; ValueError if a name is there twice among them, or is not UTF-8."""
    kept = [name for name in columns if name.rstrip(_AGAIN) not in drop]
    doubled = [name.rstrip(_AGAIN) for name in kept if name.endswith(_AGAIN)]
    if doubled:
        raise ValueError(f"{where} has columns of the same name: {some(dict.fromkeys(doubled))}")
    broken = [name for name in kept if "\ufffd" in name]
    if broken:
        raise ValueError(f"{where} must be UTF-8, got other bytes in its header: {some(map(repr, broken))}; save it as UTF-8")
    return kept


def check_columns(columns: Sequence[Sequence[str]], files: Sequence[str], wanted: Sequence[str]) -> None:
    """Refuse files without a wanted column, and files whose columns differ from the first one's."""
    for name in wanted:
        known(name, columns[0], files[0])
    for file, names in zip(files[1:], columns[1:], strict=False):
        apart = sorted(set(columns[0]) ^ set(names))
        if apart:
            raise ValueError(f"{file} must have the columns of {files[0]}, got a difference in {some(apart)}")


def known(name: str, columns: Sequence[str], file: str) -> None:
    """ValueError with the nearest names if a column is not there."""
    if name in columns:
        return
    near = difflib.get_close_matches(name, columns, n=3, cutoff=0.6)
    lowered = [column for column in columns if column.lower().strip() == name.lower().strip()]
    near = list(dict.fromkeys([*lowered, *near]))
    hint = f"; nearest: {', '.join(map(repr, near))}" if near else f"; it has {some(list(columns))}"
    raise ValueError(f"{file} has no column {name!r} among its {len(columns)}{hint}")
