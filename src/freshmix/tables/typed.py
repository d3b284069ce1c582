"""One typing for a whole table, however it is split: summaries of all its columns, then what each of them is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from ..words.table import some
from .kinds import Kind, gaps, kind_of
from .kinds import as_text as texts_of
from .marks import MISSING, shown_some
from .names import INDEX, check_columns, kept_names
from .parts import Part
from .refusals import bad_cells, broken, missing_values, not_encoded, predictions_problem, target_problem
from .summary import MOST_TEXTS, Summary

Frames = Callable[[Sequence[str]], Iterator[tuple[int, int, pl.DataFrame]]]


@dataclass(frozen=True)
class Roles:
    """Which columns a table is asked for."""

    target: str
    time: str | None = None
    weight: str | None = None
    predictions: str | None = None
    drop: tuple[str, ...] = ()

    @property
    def aside(self) -> tuple[str, ...]:
        """Columns that are no features."""
        return tuple(name for name in (self.target, self.time, self.weight, self.predictions) if name is not None)


@dataclass(frozen=True)
class Typed:
    """The kinds of a table's features, target, weight and predictions; ``counts`` of gaps, ``rows`` without empty ones."""

    features: tuple[Kind, ...]
    target: Kind
    weight: Kind | None
    predictions: Kind | None
    counts: dict[str, int]
    rows: int
    blank: int
    notes: tuple[str, ...]


def columns_of(parts: Sequence[Part], roles: Roles) -> list[str]:
    """The columns that are kept, features first and in the order of the first part.

    Raises
    ------
    ValueError
        Where a column is missing, there twice or asked for twice, or parts differ.
    """
    kept = [kept_names(part.name, part.names, roles.drop) for part in parts]
    names = [part.name for part in parts]
    absent = [name for name in roles.drop if not any(each.rstrip("\u200b") == name for each in parts[0].names)]
    check_columns(kept, names, absent or [name for name in roles.aside if name not in roles.drop])
    given = {"drop": roles.target if roles.target in roles.drop else None, "time": roles.time}
    given |= {"sample_weight": roles.weight, "predictions": roles.predictions}
    for option, name in given.items():
        if name == roles.target:
            raise ValueError(f"{option} must not name the target {roles.target!r}")
    if roles.predictions is not None and roles.predictions in (roles.time, roles.weight):
        other = "time" if roles.predictions == roles.time else "sample_weight"
        raise ValueError(f"predictions must not name the column of {other}, {roles.predictions!r}")
    check_columns(kept, names, roles.aside)
    features = [name for name in kept[0] if name not in roles.aside]
    if not features:
        raise ValueError(f"{names[0]} must have a column beside the target {roles.target!r}, got none")
    return [*features, *dict.fromkeys(roles.aside)]


def typed(parts: Sequence[Part], frames: Frames, roles: Roles, columns: Sequence[str], decimal: str | None) -> Typed:
    """The typing of a table, from one pass over its columns (and one more over those that hold numbers and words).

    Raises
    ------
    ValueError
        Where columns cannot be used: one line that names all of them. Gaps are no reason.
    """
    if decimal not in (None, ".", ","):
        raise ValueError(f"decimal must be . or , got {decimal!r}")
    dots = decimal == "," or any(part.separator != "," for part in parts)
    cells = {name: Summary(dots=dots) for name in columns}
    blank = 0
    for part, start, frame in frames(columns):
        blank += int(blank_rows(frame).sum())
        for column in frame.get_columns():
            cells[column.name].add(column, part, start)

    def texts(name: str) -> list[str]:
        listed: dict[str, None] = {}
        for _, _, frame in frames([name]):
            listed |= dict.fromkeys(texts_of(frame[name]).drop_nulls().unique(maintain_order=True).head(MOST_TEXTS + 1))
        return list(listed)

    sign = decimal or _decimal(parts, cells, roles)
    kinds = {name: kind_of(name, cells[name], sign, texts) for name in columns if name != roles.time}
    features, notes = _without_row_numbers(parts, frames, [name for name in columns if name not in roles.aside], kinds, cells)
    rows = cells[columns[0]].rows - blank
    target, weight = kinds[roles.target], kinds[roles.weight] if roles.weight else None
    problems = [target_problem(target, cells[roles.target])]
    if weight is not None and weight.what != "numbers":
        got = {"truth": "truth words", "empty": "nothing"}.get(weight.what, f"text such as {shown_some(weight.bad or ())}")
        problems.append(f"the weight column {weight.name!r} must be numeric, got {got}")
    told = None
    if roles.predictions:
        told = kinds[roles.predictions]
        problems.append(predictions_problem(told, target))
    used = [kinds[name] for name in features]
    counts = {kind.name: gaps(cells[kind.name], kind) - blank for kind in used}
    problems += [bad_cells([*used, target, *([told] if told else [])], parts), not_encoded(used), broken([*used, target])]
    missing = missing_values(counts, rows)
    said = [each for each in problems if each is not None]
    if said:
        # A column that is empty throughout is worse than any other.
        worst = any(count == rows for count in counts.values())
        said = [*([missing] if missing and worst else []), *said, *([missing] if missing and not worst else [])]
        raise ValueError("; ".join(said))
    if weight is not None and (count := gaps(cells[weight.name], weight) - blank):
        raise ValueError(f"the weight column {weight.name!r} must not have gaps, got {count}")
    return Typed(tuple(used), _two_classes(target), weight, told, counts, rows, blank, (*notes, *_markers(used, cells)))


def blank_rows(frame: pl.DataFrame) -> pl.Series:
    """Which rows hold nothing at all: they are no rows."""
    if not frame.width or any(not column.null_count() for column in frame.get_columns()):
        return pl.repeat(False, frame.height, eager=True)
    return frame.select(pl.all_horizontal(pl.all().is_null()).alias("blank"))["blank"]


def _decimal(parts: Sequence[Part], cells: dict[str, Summary], roles: Roles) -> str:
    """The decimal sign of a table: a comma only where another sign separates the fields and no number has a point."""
    if any(part.separator == "," for part in parts):
        return "."
    used = {name: each for name, each in cells.items() if name != roles.time}
    commas = [name for name, each in used.items() if each.commas]
    if not commas:
        return "."
    points = [name for name, each in used.items() if each.dotted]
    if points:
        first, other = (f"{name} ({shown_some(cell)})" for name, cell in _examples(used, commas[0], points[0]))
        raise ValueError(
            f"numbers must have one decimal sign, got commas in {first} and points in {other}: say decimal=',' or decimal='.'"
        )
    if all(each.commas == each.thousands for each in used.values()):
        listed = some(f"{name} ({shown_some(used[name].comma_cells)})" for name in commas)
        raise ValueError(f"commas may be decimal signs or separate thousands in {listed}: say decimal=',' or decimal='.'")
    return ","


def _examples(cells: dict[str, Summary], comma: str, point: str) -> list[tuple[str, list[str]]]:
    return [(comma, list(cells[comma].comma_cells)[:1]), (point, list(cells[point].dotted)[:1])]


def _two_classes(kind: Kind) -> Kind:
    """A target of words as its two classes: a marker among them is no label."""
    if kind.what not in ("words", "many"):
        return kind
    return replace(kind, what="words", levels=tuple(level for level in kind.levels if level not in MISSING))


def _markers(kinds: Sequence[Kind], cells: dict[str, Summary]) -> list[str]:
    """Notes where what may stand for nothing is a category, or numbers are some of the categories."""
    notes = []
    for kind in kinds:
        if kind.what != "words":
            continue
        words = [level for level in kind.levels if level in MISSING]
        if words:
            notes.append(f"column {kind.name}: {shown_some(words)} is a category there, not a missing value")
        if cells[kind.name].numbers:
            notes.append(f"column {kind.name} holds numbers and words, which are taken for categories")
    return notes


def _without_row_numbers(
    parts: Sequence[Part], frames: Frames, names: list[str], kinds: dict[str, Kind], cells: dict[str, Summary]
) -> tuple[list[str], list[str]]:
    """Without an unnamed column that counts the rows, and unnamed columns that are empty; and notes."""
    notes = []
    for name in [each for each in names if each in INDEX]:
        if len(names) > 1 and kinds[name].what == "numbers" and not gaps(cells[name], kinds[name]) and _counts(frames, name):
            names = [each for each in names if each != name]
            notes.append(f"{name if name.startswith('unnamed') else f'column {name}'} left out: it numbers the rows")
    for name in [each for each in names if each.startswith("unnamed column") and kinds[each].what == "empty"]:
        names = [each for each in names if each != name]
        notes.append(f"{name} left out: it is empty")
    return names, notes


def _counts(frames: Frames, name: str) -> bool:
    """Whether whole numbers only rise, but for starts from 0 or 1 again."""
    last = -np.inf
    for _, _, frame in frames([name]):
        values = frame[name].cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False).to_numpy()
        steps = np.diff(values, prepend=last)
        if not ((np.floor(values) == values) & ((steps > 0) | (values <= 1))).all():
            return False
        last = values[-1] if len(values) else last
    return True
