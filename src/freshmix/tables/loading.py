"""Files and data frames into X and y: every column typed as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..arguments import Floats
from ..words.table import constant_columns, filled_in, left_out, left_out_mostly
from .arrays import is_constant, to_arrays, too_few_labels
from .frames import is_frame, raw_frame
from .gaps import Gaps, filled
from .kinds import Kind, as_text
from .marks import MISSING
from .names import listed
from .parts import MOST_BYTES, FramePart, Part, Paths, list_paths, parts_of, size_problem
from .refusals import missing_values, too_many_gaps
from .textfile import NotRead, TextPart
from .typed import Roles, Typed, blank_rows, columns_of, typed


@dataclass(frozen=True, eq=False)
class Table:
    """Features and labels of a file.

    Attributes
    ----------
    X, y : (n, p) and (n,) arrays
        Features (one-hot encoded where they were text) and target.
    features : tuple of str
        Names of the p columns of X.
    notes : tuple of str
        What was done to the file, one sentence each.
    time, weight : (n,) array or None
        Time and sample weight of each row, where a column was named.
    predictions : (n,) array or None
        A teacher's label of each row, NaN where it has none, where a column was named.
    gaps : dict
        Missing values of each feature, where there are any, before rows with such were left out or filled.
    stated : tuple of str
        What an answer says first: gaps that were filled, rows left out that are most of the table.
    time_name : str or None
        Name of the column of times, which may say what a step is.
    """

    X: Floats
    y: Floats
    features: tuple[str, ...]
    notes: tuple[str, ...]
    time: NDArray[Any] | None = None
    weight: Floats | None = None
    gaps: Mapping[str, int] = field(default_factory=dict)
    stated: tuple[str, ...] = ()
    time_name: str | None = None
    predictions: Floats | None = None

    @property
    def partly(self) -> bool:
        """Whether some rows have no real label."""
        return bool(np.isnan(self._counting).any())

    @property
    def share(self) -> float:
        """Share of rows with a real label."""
        return 1 - float(np.isnan(self._counting).mean())

    @property
    def _counting(self) -> Floats:
        """Labels of the rows that are not left out by a weight of 0."""
        return self.y if self.weight is None else self.y[self.weight > 0]


def read_table(
    path: Paths | Any,
    target: str,
    *,
    time: str | None = None,
    sample_weight: str | None = None,
    predictions: str | None = None,
    drop_missing: bool = False,
    impute: str | None = None,
    drop_unlabelled: bool = False,
    drop: str | Sequence[str] = (),
    max_bytes: int = MOST_BYTES,
    separator: str | None = None,
    decimal: str | None = None,
) -> Table:
    """Read a table: a data frame, or a file of text, Parquet, Arrow or Excel, or several with the same columns.

    Columns of numbers and of truth words are used as they are; text columns of at most 20 values are one-hot encoded; others
    are refused by name, as are numbers in another notation. An empty cell is missing, and beside numbers NA, N/A, NaN, null,
    None and a point are. An empty target means "no real label" and becomes NaN. Empty lines are no rows. What a column is
    depends on all its cells, however the table is split. docs/tables.md has the rules.

    Parameters
    ----------
    path : str or Path, or a sequence of them, or a data frame
        The file or files; a name with ``*``, ``?`` or ``[`` stands for all files it matches, ``-`` for the standard input.
        Also a data frame (pandas, polars, also lazy ...), a dict of columns or a list of dicts.
    target : str
        Column of real labels.
    time : str, optional
        Column of time steps: numbers, dates or text that sorts; not a feature.
    sample_weight : str, optional
        Column of sample weights, at least 0: precisions of the labels; not a feature.
    predictions : str, optional
        Column of labels that an outside teacher predicts, empty where it has none; not a feature.
    drop_missing : bool
        Leave out rows with missing features instead of refusing them; those with an empty target stay.
    impute : str, optional
        Fill missing features instead, by the ``mean`` or ``median`` of their column over the labelled rows (a category: each of
        its columns of 0 and 1 by itself).
    drop_unlabelled : bool
        Leave out rows with an empty target.
    drop : str or sequence of str
        Columns to leave out.
    max_bytes : int
        Largest table read, in bytes: on disk for CSV, as 8-byte numbers for Parquet.
    separator, decimal : str, optional
        What separates fields of text, and the decimal sign, "." or ","; by default both are read off the file.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it cannot be used; one line that names the columns.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "t.csv")
    ...     _ = file.write_text("size,kind,price\\n1,a,2.5\\n2,b,3\\n4,a,5\\n3,b,4\\n5,a,7\\n")
    ...     table = read_table(file, "price")
    >>> table.features, table.y.tolist()
    (('size', 'kind=b'), [2.5, 3.0, 5.0, 4.0, 7.0])
    """
    if is_frame(path):
        parts: list[Part] = [FramePart("the table", raw_frame(path))]
    else:
        paths = list_paths(path)
        too_large = size_problem(paths, max_bytes)
        if too_large is not None:
            raise ValueError(f"{too_large}: take a sample of its rows")
        parts = parts_of(paths, separator)
    roles = Roles(target, time, sample_weight, predictions, listed(drop))
    return table_of(parts, roles, Gaps(drop_missing, impute, drop_unlabelled), decimal)


def table_of(parts: Sequence[Part], roles: Roles, gaps: Gaps, decimal: str | None) -> Table:
    """The table of parts that fit into memory."""
    columns = columns_of(parts, roles)
    held = _held(parts, columns, roles, decimal)
    rows = sum(part.frame.height for part in held)
    if rows < 3:
        raise ValueError(f"{parts[0].name} must have at least 3 rows, got {rows}")

    def frames(names: Sequence[str]) -> Iterator[tuple[int, int, pl.DataFrame]]:
        for place, part in enumerate(held):
            yield place, 0, part.frame.select(names)

    found = typed(held, frames, roles, columns, decimal)
    notes = [f"columns left out: {', '.join(roles.drop)}"] if roles.drop else []
    if found.blank:
        notes.append(f"{found.blank} empty {'row' if found.blank == 1 else 'rows'} left out")
    full = [part.frame.filter(~blank_rows(part.frame)) for part in held]
    y, said = labels_of(found, full)
    notes += [*said, *found.notes]
    if gaps.drop_unlabelled and (unlabelled := int(np.isnan(y).sum())):
        notes.append(left_out(unlabelled, y.size, "without a real label"))
        full = [frame.filter(pl.Series(~np.isnan(labels_in(found.target, frame[roles.target])))) for frame in full]
        y = y[~np.isnan(y)]
    weights = None
    if found.weight is not None:
        weights = np.concatenate([found.weight.arrays(frame[found.weight.name])[0] for frame in full]).astype(np.float64)
    told = None
    if found.predictions is not None:
        kind = replace(found.target, name=found.predictions.name) if found.predictions.what == "words" else found.predictions
        told = np.concatenate([labels_in(kind, frame[kind.name]) for frame in full]).astype(np.float64)
    times = None if roles.time is None else times_of([frame[roles.time] for frame in full])
    missing = _missing(found, full)
    counts = {name: int(mask.sum()) for name, mask in missing.items()}
    kept, lost, stated = _complete(missing, y.size, gaps)
    made, values, encoded = _features(found.features, full)
    X = np.column_stack([each[kept] for each in values])
    y, times, weights, told = y[kept], *(None if each is None else each[kept] for each in (times, weights, told))
    if gaps.impute is not None and counts:
        X = filled(X, ~np.isnan(y) if weights is None else ~np.isnan(y) & (weights > 0), made, gaps.impute)
        stated = (filled_in(counts, y.size, gaps.impute),)
    varies = X.min(axis=0) < X.max(axis=0)
    names = tuple(name for name, varying in zip(made, varies, strict=True) if varying)
    constant = [name for name, varying in zip(made, varies, strict=True) if not varying]
    if not names:
        raise ValueError("features must vary, got only constant columns")
    X = X if not constant else np.ascontiguousarray(X[:, varies])
    to_arrays(X, y, names, unlabelled=True)
    notes += [*lost, *encoded, *([constant_columns(constant)] if constant else [])]
    return Table(X, y, names, tuple(notes), times, weights, counts, stated, roles.time, told)


def _held(parts: Sequence[Part], columns: Sequence[str], roles: Roles, decimal: str | None) -> list[FramePart]:
    """All parts in memory: of text, columns that are numbers throughout at once, which is faster, else all as text."""
    numbers = [name for name in columns if name != roles.time]
    texts = [part for part in parts if isinstance(part, TextPart)]
    if texts and decimal != "," and all(part.numeric(numbers) for part in texts):
        try:
            return [_read(part, columns, numbers) for part in parts]
        except NotRead:
            pass
    return [_read(part, columns, ()) for part in parts]


def _read(part: Part, columns: Sequence[str], numbers: Sequence[str]) -> FramePart:
    return FramePart(part.name, pl.concat(list(part.frames(columns, None, numbers))), part.text, part.separator)


def labels_of(found: Typed, frames: Sequence[pl.DataFrame]) -> tuple[Floats, list[str]]:
    """Labels, NaN where there are none, and a note where they are classes; ValueError where they cannot be used."""
    kind = found.target
    words = kind.levels if kind.what == "words" else ()
    y = np.concatenate([labels_in(kind, frame[kind.name]) for frame in frames]).astype(np.float64)
    real = y[~np.isnan(y)]
    if real.size < 3:
        raise ValueError(too_few_labels("the target is empty", y.size - real.size, y.size))
    if not np.isfinite(real).all():
        raise ValueError(f"the target {kind.name!r} must be finite, got {np.isinf(real).sum()} infinite values")
    if is_constant(real):
        raise ValueError(f"the target {kind.name!r} must vary, got {real[0]:g} in all {real.size} labelled rows")
    return y, [f"target {kind.name}: {words[0]!r} is 0, {words[1]!r} is 1"] if words else []


def labels_in(kind: Kind, column: pl.Series) -> NDArray[np.floating[Any]]:
    """The labels of some rows: a marker of a missing value is none, among words too."""
    if kind.what != "words":
        return kind.arrays(column)[0]
    text = as_text(column)
    found = (text == kind.levels[1]).fill_null(value=False).cast(pl.Float64).to_numpy(writable=True)
    found[~text.is_in(kind.levels).fill_null(value=False).to_numpy()] = np.nan
    return found


def times_of(columns: Sequence[pl.Series]) -> NDArray[Any]:
    """Times without gaps, as numbers, dates or text."""
    kinds = {column.dtype for column in columns}
    if len(kinds) > 1 or kinds <= {pl.String, pl.Categorical, pl.Enum}:
        texts = pl.concat([as_text(column) for column in columns])
        gaps = int((texts.is_null() | texts.is_in(MISSING)).sum())
        found = texts
    else:
        found = pl.concat(columns)
        gaps = found.null_count() + (int(found.is_nan().sum()) if found.dtype.is_float() else 0)
    if gaps:
        raise ValueError(f"the time column {columns[0].name!r} must not have gaps, got {gaps}")
    return found.to_numpy()


def _missing(found: Typed, frames: Sequence[pl.DataFrame]) -> dict[str, NDArray[np.bool_]]:
    """Where features are missing, of those that are."""
    kinds = [kind for kind in found.features if found.counts[kind.name]]
    masks = {kind.name: np.concatenate([np.isnan(kind.arrays(frame[kind.name])[0]) for frame in frames]) for kind in kinds}
    return {name: mask for name, mask in masks.items() if mask.any()}


def _complete(
    missing: Mapping[str, NDArray[np.bool_]], rows: int, gaps: Gaps
) -> tuple[NDArray[np.bool_], list[str], tuple[str, ...]]:
    """Which rows are kept, notes, and what is said first; ValueError where rows must not be left out."""
    if not missing or gaps.impute is not None:
        return np.ones(rows, dtype=np.bool_), [], ()
    counts = {name: int(mask.sum()) for name, mask in missing.items()}
    if not gaps.drop_missing:
        raise ValueError(missing_values(counts, rows))
    each = np.sum(list(missing.values()), axis=0)
    lost = int((each > 0).sum())
    if rows - lost < 3:
        raise ValueError(too_many_gaps(counts, rows - lost, rows))
    alone = {name: int((mask & (each == 1)).sum()) for name, mask in missing.items()}
    return each == 0, [left_out(lost, rows)], mostly_lost(alone, lost, rows)


def mostly_lost(alone: Mapping[str, int], lost: int, rows: int) -> tuple[str, ...]:
    """What is said first where most of the rows are left out; ``alone`` counts those that one column alone costs."""
    if 2 * lost <= rows:
        return ()
    worst = max(alone, key=lambda name: alone[name])
    return (left_out_mostly(worst, alone[worst], lost, rows),)


def _features(kinds: Sequence[Kind], frames: Sequence[pl.DataFrame]) -> tuple[list[str], list[Floats], list[str]]:
    """Names and values of the columns of numbers, categories one-hot, and notes."""
    names: list[str] = []
    columns: list[Floats] = []
    notes = []
    for kind in kinds:
        parts = zip(*(kind.arrays(frame[kind.name]) for frame in frames), strict=True)
        columns += [np.concatenate(part).astype(np.float64) for part in parts]
        names += kind.columns
        if kind.what == "words":
            notes.append(f"column {kind.name} one-hot encoded ({len(kind.levels)} values)")
    return names, columns, notes
