"""Why columns cannot be used, all of them in one line: the worst first."""

from collections.abc import Mapping, Sequence

from ..words.table import listed_gaps, some
from .gaps import ADVICE
from .kinds import MOST_CATEGORIES, Kind
from .marks import MISSING, TRUTH, shown, shown_some
from .parts import Part
from .summary import Cells, Summary

_MOST_CELLS = 3


def place(cells: Cells, parts: Sequence[Part]) -> str:
    """The first few cells and where they are."""
    said: list[str] = []
    for text, cell in list(cells.items())[:_MOST_CELLS]:
        below = " below the header" if parts[cell.part].text and not said else ""
        many = f" in {cell.count} cells, first" if cell.count > 1 else ""
        said.append(f"{shown(text)}{many} in row {cell.row + 1}{below}")
    rest = sum(cell.count for cell in list(cells.values())[_MOST_CELLS:])
    return ", ".join(said) + (f" and {rest} more" if rest else "")


def bad_cells(kinds: Sequence[Kind], parts: Sequence[Part]) -> str | None:
    """The sentence for cells that are no numbers in columns of numbers."""
    bad = [(kind.name, kind.bad) for kind in kinds if kind.bad and kind.what == "cells"]
    if not bad:
        return None
    bad.sort(key=lambda each: -sum(cell.count for cell in each[1].values()))
    file = parts[next(iter(bad[0][1].values())).part].name
    columns = [f"column {name!r}, got {place(cells, parts)}" for name, cells in bad]
    listed = "; in ".join(columns[:8]) + (f"; and in {len(columns) - 8} more columns" if len(columns) > 8 else "")
    texts = [text for _, cells in bad for text in cells]
    if any("\ufffd" in text for text in texts):
        return f"{file} must be UTF-8 and have numbers in {listed}: save it as UTF-8, or leave the column out (drop=['COLUMN'])"
    truth = "1 and 0 for truth words among numbers, " if any(text.lower() in TRUTH for text in texts) else ""
    return (
        f"{file} must have numbers in {listed}: write plain numbers such as 1234.5, {truth}NA or nothing where one is missing, "
        "or leave the column out (drop=['COLUMN'])"
    )


def not_encoded(kinds: Sequence[Kind]) -> str | None:
    """The sentence for columns that are dates, or text of many values."""
    many = sorted((kind for kind in kinds if kind.what == "many"), key=lambda kind: -len(kind.levels))
    refused = [f"{kind.name} ({kind.shown})" for kind in kinds if kind.what == "date"]
    refused += [f"{kind.name} ({kind.shown}, text such as {shown_some(kind.bad or ())})" for kind in many]
    if not refused:
        return None
    return (
        f"columns are neither numeric nor of {MOST_CATEGORIES} categories at most: {some(refused)}; convert them, or "
        "leave them out (drop=['COLUMN'])"
    )


def too_many_gaps(counts: Mapping[str, int], kept: int, rows: int) -> str:
    """The message where hardly a row has no gap."""
    return f"leaving out rows with missing features leaves {kept} of {rows}: {listed_gaps(counts, rows)}"


def missing_values(counts: Mapping[str, int], rows: int) -> str | None:
    """The sentence for features with gaps."""
    if not any(counts.values()):
        return None
    return f"features have missing values: {listed_gaps(counts, rows)}; {ADVICE}"


def broken(kinds: Sequence[Kind]) -> str | None:
    """The sentence for categories with bytes that are not UTF-8."""
    bad = [kind.name for kind in kinds if kind.what == "words" and any("\ufffd" in level for level in kind.levels)]
    return f"columns must be UTF-8, got other bytes in {some(bad)}: save the file as UTF-8" if bad else None


def target_problem(kind: Kind, cells: Summary) -> str | None:
    """The sentence for a target that is neither numbers nor two classes."""
    if kind.what in ("numbers", "truth", "empty", "cells"):
        return None
    if kind.what == "date":
        return f"the target {kind.name!r} must be numeric, got {kind.shown}"
    words = [level for level in kind.levels if level not in MISSING]
    if len(words) == 2:
        return None
    known = cells.rows - cells.empty - cells.marked
    classes = 2 < len(words) <= MOST_CATEGORIES and 2 * len(words) < known
    advice = f" ({len(words)} classes: classification by regression is for two, one class against the rest)" if classes else ""
    return f"the target {kind.name!r} must be numeric, got text such as {shown_some(kind.bad or ())}{advice}"


def predictions_problem(kind: Kind, target: Kind) -> str | None:
    """The sentence for predictions that are neither numbers nor the classes of the target."""
    if kind.what in ("numbers", "truth", "cells"):
        return None
    if kind.what == "empty":
        return f"the predictions {kind.name!r} must be numbers, got an empty column"
    if kind.what == "date":
        return f"the predictions {kind.name!r} must be numeric, got {kind.shown}"
    words = {level for level in kind.levels if level not in MISSING}
    if kind.what == "words" and target.what == "words" and words <= set(target.levels):
        return None
    return f"the predictions {kind.name!r} must be numeric, got text such as {shown_some(kind.bad or ())}"
