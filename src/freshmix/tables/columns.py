"""Columns of a data frame into features, target, times and weights."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..arguments import Floats
from ..words.table import constant_columns, left_out, some
from .arrays import is_constant, too_few_labels

MOST_CATEGORIES = 20


def target_of(column: pl.Series) -> Floats:
    """Labels, NaN where there are none; ValueError where they cannot be used."""
    if column.dtype == pl.String:
        column = column.replace("", None)
    empty = column.null_count() + (int(column.is_nan().sum()) if column.dtype.is_float() else 0)
    if len(column) - empty < 3:
        raise ValueError(too_few_labels("the target is empty", empty, len(column)))
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        count = column.drop_nulls().n_unique()
        classes = column.dtype == pl.String and 2 < count <= MOST_CATEGORIES and 2 * count < len(column)
        advice = f" ({count} classes: classification by regression is for two, one class against the rest)" if classes else ""
        raise ValueError(f"the target {column.name!r} must be numeric, got {_kind(column)}{advice}")
    y = column.cast(pl.Float64).to_numpy().astype(np.float64)
    known = y[~np.isnan(y)]
    if not np.isfinite(known).all():
        raise ValueError(f"the target {column.name!r} must be finite, got {np.isinf(known).sum()} infinite values")
    if is_constant(known):
        raise ValueError(f"the target {column.name!r} must vary, got {known[0]:g} in all {known.size} labelled rows")
    return y


def words_of(column: pl.Series) -> tuple[pl.Series, list[str]]:
    """A target of two words as 0 and 1, in their order; any other as it is."""
    if column.dtype != pl.String:
        return column, []
    column = column.replace("", None)
    words = sorted(column.drop_nulls().unique().to_list())
    if len(words) != 2 or any(_is_number(word) for word in words):
        return column, []
    numbers = pl.select(pl.when(column.is_null()).then(None).otherwise((column == words[1]).cast(pl.Float64))).to_series()
    return numbers.alias(column.name), [f"target {column.name}: {words[0]!r} is 0, {words[1]!r} is 1"]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def times_of(column: pl.Series) -> NDArray[Any]:
    """Times without gaps, as numbers, dates or text."""
    if column.dtype == pl.String:
        column = column.replace("", None)
    gaps = column.null_count() + (int(column.is_nan().sum()) if column.dtype.is_float() else 0)
    if gaps:
        raise ValueError(f"the time column {column.name!r} must not have gaps, got {gaps}")
    return column.to_numpy()


def weights_of(column: pl.Series) -> Floats:
    """Sample weights without gaps."""
    if not column.dtype.is_numeric():
        raise ValueError(f"the weight column {column.name!r} must be numeric, got {_kind(column)}")
    if column.null_count():
        raise ValueError(f"the weight column {column.name!r} must not have gaps, got {column.null_count()}")
    return column.cast(pl.Float64).to_numpy()


def _kind(column: pl.Series) -> str:
    if column.dtype != pl.String:
        return str(column.dtype)
    text = column.drop_nulls()
    words = text.filter(text.str.strip_chars().cast(pl.Float64, strict=False).is_null()).unique(maintain_order=True)
    return f"text such as {', '.join(repr(word) for word in words.head(3).to_list()) or 'numbers with spaces'}"


def complete(columns: pl.DataFrame, drop_missing: bool) -> tuple[pl.DataFrame, NDArray[np.bool_], list[str]]:
    """Columns without missing values, which rows were kept, and a note; ValueError where rows must not be dropped."""
    gaps = columns.select(
        pl.when(pl.col(name).is_null() | (pl.col(name).is_nan() if kind.is_float() else False))
        .then(True)
        .otherwise(False)
        .alias(name)
        for name, kind in columns.schema.items()
    )
    counts = {name: int(gaps[name].sum()) for name in gaps.columns}
    missing = [f"{name} ({count})" for name, count in counts.items() if count]
    rows = columns.height
    if not missing:
        return columns, np.ones(rows, dtype=np.bool_), []
    if not drop_missing:
        raise ValueError(f"features have missing values: {some(missing)}; fill them, or leave such rows out (--drop-missing)")
    kept = ~gaps.select(pl.any_horizontal(pl.all())).to_series().to_numpy()
    if kept.sum() < 3:
        raise ValueError(f"leaving out rows with missing features leaves {kept.sum()} of {rows}: {some(missing)}")
    return columns.filter(pl.Series(kept)), kept, [left_out(rows - int(kept.sum()), rows)]


def features_of(columns: pl.DataFrame) -> tuple[Floats, tuple[str, ...], list[str]]:
    """The (n, p) matrix and its names: numbers as they are, few categories one-hot, the rest refused by name."""
    parts: list[tuple[str, Floats]] = []
    notes, refused = [], []
    for column in columns.get_columns():
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            parts.append((column.name, column.cast(pl.Float64).to_numpy()))
        elif column.dtype == pl.String or column.dtype in (pl.Categorical, pl.Enum):
            levels = sorted(column.cast(pl.String).unique().to_list())
            if len(levels) > MOST_CATEGORIES or len(levels) * 2 > columns.height:
                refused.append(f"{column.name} ({len(levels)} values, {_kind(column.cast(pl.String))})")
                continue
            text = column.cast(pl.String)
            # Two levels are one column: the other is its complement.
            shown = levels[1:] if len(levels) == 2 else levels
            parts += [(f"{column.name}={level}", (text == level).cast(pl.Float64).to_numpy()) for level in shown]
            notes.append(f"column {column.name} one-hot encoded ({len(levels)} values)")
        else:
            refused.append(f"{column.name} ({column.dtype})")
    if refused:
        raise ValueError(
            f"columns are neither numeric nor of {MOST_CATEGORIES} categories at most: {some(refused)}; convert them, or "
            "leave them out (--drop COLUMN)"
        )
    constant = [name for name, values in parts if values.min() == values.max()]
    if constant:
        notes.append(constant_columns(constant))
    parts = [part for part in parts if part[0] not in constant]
    if not parts:
        raise ValueError("features must vary, got only constant columns")
    return np.column_stack([values for _, values in parts]), tuple(name for name, _ in parts), notes
