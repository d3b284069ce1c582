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


def raw_frame(data: Any) -> pl.DataFrame:
    """The columns of a data frame of any kind.

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
