"""Arrays, lists and data frames (through narwhals) into X and y."""

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from ..arguments import Floats
from ..words.table import listed_gaps, named, some
from .frames import aligned, raw_frame
from .gaps import ADVICE

# Fourth powers of larger numbers, and sums of them, overflow: those are the variances of estimated variances.
LARGEST = 1e70


def to_arrays(
    X: Any, y: Any, names: Sequence[str] | None = None, unlabelled: bool = False, gaps: bool = False
) -> tuple[Floats, Floats, tuple[str, ...] | None]:
    """Check features and labels: arrays, lists or data frames into float64 arrays, with column names if there are any.

    Parameters
    ----------
    X : (n, p) array, nested sequence or data frame (pandas, polars, pyarrow ...)
        Numeric or boolean features.
    y : (n,) or (n, 1) array, sequence or series
        Labels.
    names : sequence of str, optional
        Column names for messages, where X has none.
    unlabelled : bool
        Whether NaN in y is allowed: a row without a real label. At least 3 rows must have one.
    gaps : bool
        Whether NaN in X is allowed: a missing value that is filled later.

    Raises
    ------
    TypeError
        If the data are not numbers.
    ValueError
        On wrong shapes, fewer than 3 rows, NaN or infinity, a target without variation, or rows without a real label.

    Examples
    --------
    >>> X, y, names = to_arrays([[1, 2], [3, 4.5], [0, 1]], [True, False, True])
    >>> X.shape, y.tolist(), names
    ((3, 2), [1.0, 0.0, 1.0], None)
    """
    y = aligned(X, y, "y")
    data, found = _plain(X, "X")
    names = found or (tuple(names) if names is not None else None)
    features = _floats("X", data)
    labels = _floats("y", _plain(y, "y")[0])
    if features.ndim != 2 or features.shape[1] == 0:
        raise ValueError(f"X must be two-dimensional with at least one column, got shape {features.shape}")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(f"y must be one-dimensional, got shape {labels.shape}")
    n = labels.size
    if features.shape[0] != n:
        raise ValueError(f"X and y must have as many rows, got {features.shape[0]} and {n}")
    if n < 3:
        raise ValueError(f"X and y must have at least 3 rows, got {n}")
    _no_gaps(features, names, gaps)
    known = labels[~np.isnan(labels)]
    if known.size < n and not unlabelled:
        raise ValueError(f"y must have a real label in every row, got NaN in {n - known.size} of {n}: leave such rows out")
    if known.size < 3:
        raise ValueError(too_few_labels("y is NaN", n - known.size, n))
    if not np.isfinite(known).all():
        raise ValueError(f"y must be finite, got {np.isinf(known).sum()} infinite values")
    if is_constant(known):
        raise ValueError(f"y must vary, got {known[0]:g} in all {known.size} rows")
    if np.abs(known).max() > LARGEST or known.max() - known.min() < 1 / LARGEST:
        raise ValueError(
            f"y must be between {1 / LARGEST:g} and {LARGEST:g} in size, where fourth powers are numbers, got "
            f"{known.min():.3g} to {known.max():.3g}: rescale it"
        )
    return features, labels, names


def unmasked(data: Any) -> Any:
    """A masked array with NaN where it is masked; anything else as it is."""
    if not isinstance(data, np.ma.MaskedArray):
        return data
    if not np.ma.getmaskarray(data).any():
        return data.data
    if data.dtype.kind not in "biuf":
        raise TypeError(f"masked arrays must hold real numbers, got {data.dtype}")
    return np.where(np.ma.getmaskarray(data), np.nan, np.ma.getdata(data).astype(np.float64))


def to_vector(data: Any) -> Any:
    """A series as an array; anything else as it is."""
    return _plain(data, "y")[0]


def to_matrix(data: Any) -> Any:
    """A data frame of numbers as an array; anything else as it is."""
    return _plain(data, "X")[0]


def _plain(data: Any, name: str) -> tuple[Any, tuple[str, ...] | None]:
    """A data frame or series as an array, with its column names."""
    if type(data).__module__.startswith("scipy.sparse"):
        raise TypeError(f"{name} must be dense, got a sparse {type(data).__name__}: hand over {name}.toarray() if that fits")
    if isinstance(data, Mapping):
        data = raw_frame(data)
    native = nw.from_native(data, allow_series=True, pass_through=True)
    if isinstance(native, nw.LazyFrame):
        native = native.collect()
    if isinstance(native, nw.DataFrame):
        bad = [str(each) for each, kind in native.schema.items() if not (kind.is_numeric() or kind == nw.Boolean)]
        if bad:
            raise TypeError(f"X must have numeric columns, got others: {some(bad)}; encode or drop them")
        columns = [_column(column) for column in native.iter_columns()]
        return np.column_stack(columns) if columns else np.empty((len(native), 0)), tuple(map(str, native.columns))
    if isinstance(native, nw.Series):
        if not (native.dtype.is_numeric() or native.dtype == nw.Boolean):
            raise TypeError(f"y must be numeric, got a series of {native.dtype}")
        return _column(native), None
    return unmasked(data), None


def _column(series: Any) -> Floats:
    return np.asarray(series.cast(nw.Float64).to_numpy(), dtype=np.float64)


def _floats(name: str, data: Any) -> Floats:
    try:
        array = np.asarray(data)
    except ValueError:
        raise ValueError(f"{name} must be a regular array, got rows of different lengths") from None
    if isinstance(data, list | tuple) or array.dtype == object:
        _no_truth_among_numbers(name, data if isinstance(data, list | tuple) else array)
    if array.dtype == object:
        # Lists with None, or decimals: numbers if they convert, with None as NaN.
        try:
            return np.array(array, dtype=np.float64, order="C")
        except (TypeError, ValueError):
            odd = next((cell for cell in array.flat if isinstance(cell, str)), None)
            got = "an array of objects" if odd is None else _text(odd)
            raise TypeError(f"{name} must hold real numbers, got {got}") from None
    if array.dtype.kind not in "biuf":
        got = _text(str(array.flat[0])) if array.dtype.kind == "U" and array.size else f"an array of {array.dtype}"
        raise TypeError(f"{name} must hold real numbers, got {got}")
    return np.ascontiguousarray(array, dtype=np.float64)


def _text(cell: str) -> str:
    return f"text such as {cell!r}: write numbers, for two classes 0 and 1"


def _no_truth_among_numbers(name: str, data: Any) -> None:
    """Columns hold truth values or numbers, not both: True among prices is no 1."""
    cells = np.array(data, dtype=object)
    if cells.ndim not in (1, 2) or not cells.size:
        return
    kinds = np.vectorize(lambda cell: type(cell) in (bool, np.bool_), otypes=[bool])(cells)
    known = np.vectorize(lambda cell: cell is not None and cell == cell, otypes=[bool])(cells)
    mixed = np.atleast_1d(np.asarray(kinds.any(axis=0) & ~np.asarray(kinds | ~known, dtype=bool).all(axis=0)))
    if mixed.any():
        where = "" if cells.ndim == 1 else f" in {some(f'column {i}' for i in np.flatnonzero(mixed))}"
        raise TypeError(f"{name} must hold numbers or truth values, got both{where}")


def _no_gaps(features: Floats, names: Sequence[str] | None, missing: bool) -> None:
    if np.isfinite(features).all():
        return
    for test, word, advice in ((np.isnan, "missing", f"; {ADVICE}"), (np.isinf, "infinite", "")):
        counts = test(features).sum(axis=0)
        if counts.any() and not (missing and word == "missing"):
            listed = listed_gaps({named(names, i): int(count) for i, count in enumerate(counts)}, len(features))
            raise ValueError(f"X must be finite, got {word} values in {listed}{advice}")


def is_constant(y: Floats) -> bool:
    """Whether values do not vary beyond rounding."""
    # Halves, so that the range of the largest numbers does not overflow.
    return bool(y.max() / 2 - y.min() / 2 <= 5e-14 * np.abs(y).max())


def too_few_labels(where: str, count: int, rows: int) -> str:
    """The message for a table with less than three real labels."""
    return f"{where} in {count} of {rows} rows, which means that they have no real label: at least 3 rows must have one"
