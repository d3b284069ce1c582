"""Data frames, dictionaries of columns and lists of records as the columns of a table, with what is missing in them missing."""

from collections.abc import Iterable, Mapping
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl


def is_frame(data: Any) -> bool:
    """Whether columns have names here."""
    if isinstance(data, Mapping | pl.LazyFrame):
        return True
    if isinstance(data, list | tuple) and data and all(isinstance(row, Mapping) for row in data):
        return True
    return isinstance(nw.from_native(data, pass_through=True), nw.DataFrame | nw.LazyFrame)


def with_columns(data: Any, columns: Mapping[str, Any]) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The columns of a data frame and those beside it, and what the latter are called.

    A column beside it is an array or a series (in the order of the frame's index, where both have one), or named: one of its
    own, or its index; None where there is none.

    Raises
    ------
    TypeError, ValueError
        As ``raw_frame`` does, or if a column has other rows than the frame.
    """
    frame = raw_frame(data)
    names: dict[str, Any] = {}
    for role, values in columns.items():
        index = getattr(data, "index", None)
        if isinstance(values, str) and values not in frame.columns and getattr(index, "name", None) == values:
            frame, names[role] = frame.with_columns(_series(values, index)), values
        elif values is None or isinstance(values, str):
            names[role] = values
        else:
            column = _one_column(role, aligned(data, values, role))
            if len(column) != frame.height:
                raise ValueError(f"X and {role} must have as many rows, got {frame.height} and {len(column)}")
            names[role] = _free(role, frame.columns)
            frame = frame.with_columns(column.alias(names[role]))
    return frame, names


def _free(name: str, taken: Iterable[str]) -> str:
    """The name, or one like it that no column has."""
    return _free(f"{name}_", taken) if name in taken else name


def aligned(X: Any, values: Any, name: str) -> Any:
    """Values in the order of X, where both have an index (pandas); anything else as it is.

    Raises
    ------
    ValueError
        If the indexes do not hold the same labels, each once.
    """
    ours: Any = getattr(X, "index", None)
    theirs: Any = getattr(values, "index", None)
    if not (hasattr(ours, "equals") and hasattr(theirs, "equals")) or ours.equals(theirs):
        return values
    if len(ours) != len(theirs):
        return values
    if not (ours.is_unique and theirs.is_unique and theirs.isin(ours).all()):
        raise ValueError(
            f"X and {name} must have the same index, got other labels or repeated ones: align them, or hand over "
            f"{name}.to_numpy() where their rows are in the same order"
        )
    return values.reindex(ours)


def _one_column(name: str, values: Any) -> pl.Series:
    """One-dimensional data, or the only column of two-dimensional data."""
    if is_frame(values):
        inside = raw_frame(values)
        if inside.width != 1:
            raise ValueError(f"{name} must be one-dimensional, got {inside.width} columns")
        return inside.to_series().alias(name)
    if np.ndim(values) == 2 and np.shape(values)[1] == 1:
        values = np.ma.asanyarray(values)[:, 0] if isinstance(values, np.ma.MaskedArray) else np.asarray(values)[:, 0]
    if np.ndim(values) != 1:
        raise ValueError(
            f"{name} must be one-dimensional, got {f'shape {np.shape(values)}' if np.ndim(values) else repr(values)}"
        )
    return _series(name, values)


def raw_frame(data: Any) -> pl.DataFrame:
    """The columns of a data frame of any kind; of a two-dimensional array, by their places.

    Raises
    ------
    TypeError, ValueError
        If a column holds what is neither number, truth value, text nor date, or columns have different lengths.
    """
    if isinstance(data, pl.LazyFrame):
        return data.collect()
    if isinstance(data, pl.DataFrame):
        return pl.DataFrame([_of_objects(column) for column in data.get_columns()])
    if isinstance(data, list | tuple):
        names = dict.fromkeys(str(name) for row in data for name in row)
        return _joined({name: [row.get(name) for row in data] for name in names}.items())
    if isinstance(data, Mapping):
        return _joined(data.items())
    if isinstance(data, np.ndarray):
        if data.ndim != 2:
            raise ValueError(f"X must be two-dimensional, got shape {data.shape}")
        return _joined((f"column {place}", column) for place, column in enumerate(data.T))
    frame = nw.from_native(data)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if frame.implementation.is_pandas_like():
        native = frame.to_native()
        columns = [(str(name), native.iloc[:, place]) for place, name in enumerate(native.columns)]
        return _joined(columns)
    made: pl.DataFrame = frame.to_polars()
    return made


def _joined(columns: Iterable[tuple[Any, Any]]) -> pl.DataFrame:
    made = [_series(str(name), values) for name, values in columns]
    lengths = {len(column) for column in made}
    if len(lengths) > 1:
        listed = ", ".join(f"{column.name} ({len(column)})" for column in made[:8])
        raise ValueError(f"columns must have the same length, got {listed}")
    names = [column.name for column in made]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"the table has columns of the same name: {', '.join(doubled)}")
    return pl.DataFrame(made)


def _series(name: str, values: Any) -> pl.Series:
    if isinstance(values, pl.Series):
        return _of_objects(values.alias(name))
    if isinstance(values, np.ma.MaskedArray):
        gone = np.ma.getmaskarray(values)
        return _of_list(
            name, [None if each else value for value, each in zip(values.data.tolist(), gone.tolist(), strict=True)]
        )
    kind = getattr(values, "dtype", None)
    if isinstance(kind, np.dtype) and kind.kind in "biuf":
        return pl.Series(name, np.ascontiguousarray(values))
    if isinstance(kind, np.dtype) and kind.kind == "M":
        return pl.Series(name, np.asarray(values).astype("datetime64[us]"))
    return _of_list(name, values.tolist() if hasattr(values, "tolist") else list(values))


def _of_objects(column: pl.Series) -> pl.Series:
    return _of_list(column.name, column.to_list()) if column.dtype == pl.Object else column


def _of_list(name: str, values: list[Any]) -> pl.Series:
    """Python objects: truth values and numbers as such where they are alone, else as text."""
    known = [None if _is_missing(value) else value for value in values]
    rest = [value for value in known if value is not None]
    if all(isinstance(value, bool | np.bool_) for value in rest):
        return pl.Series(name, [None if value is None else bool(value) for value in known], dtype=pl.Boolean)
    if all(_is_number(value) for value in rest):
        return pl.Series(name, [None if value is None else float(value) for value in known], dtype=pl.Float64)
    return pl.Series(name, [None if value is None else _text(name, value) for value in known], dtype=pl.String)


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, bool | np.bool_ | str) and np.ndim(value) == 0


def _is_missing(value: Any) -> bool:
    if value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and bool(value != value)


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if _is_number(value):
        number = float(value)
        return str(int(value)) if number == np.floor(number) and abs(number) < 2**63 else repr(number)
    if isinstance(value, bool | np.bool_) or hasattr(value, "isoformat") or hasattr(value, "freqstr"):
        return str(value)
    raise TypeError(f"column {name!r} must hold numbers, truth values, text or dates, got a {type(value).__name__}")
