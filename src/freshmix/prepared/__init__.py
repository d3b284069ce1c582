"""A table made ready: rows in memory, in blocks, or none; the stream of generations; what to warn of."""

from typing import Any

from ..tables import Blocks, Table, source_of
from ..tables.arrays import to_matrix
from ..tables.frames import is_frame
from .in_blocks import from_blocks
from .in_memory import from_memory
from .kept import Order, Prepared, Products, Rows
from .kernels import Kernel
from .stream import Stream

__all__ = ["Kernel", "Order", "Prepared", "Products", "Rows", "Stream", "prepare"]


def prepare(
    X: Any,
    y: Any = None,
    *,
    time: Any = None,
    sample_weight: Any = None,
    predictions: Any = None,
    kernel: Kernel = "linear",
    standardize: bool = True,
    rows_per_generation: int | None = None,
    **reading: Any,
) -> Prepared:
    """A table of any kind, ready to be estimated from and replayed; parameters are those of ``freshmix.recommend``.

    ``reading`` holds those of them that say how a table is read, for ``freshmix.tables.open_table``.

    Raises
    ------
    TypeError, ValueError
        If the table cannot be used, or not in this way.
    """
    how = kernel, standardize, rows_per_generation
    if kernel == "precomputed":
        # A matrix of all pairs of rows has no columns to be read.
        for name in (name for name, value in reading.items() if value):
            raise ValueError(f"{name} must be left out for a precomputed kernel, which has neither columns nor gaps")
        X = to_matrix(X) if is_frame(X) else X
    column = time if isinstance(time, str) else getattr(time, "name", None)
    given = {"time": time, "sample_weight": sample_weight, "predictions": predictions}
    source, aside = source_of(X, y, given, **reading)
    if source is None:
        times, weights, told = aside.values()
        return from_memory(X, y, times, weights, told, *how, impute=reading.get("impute"), time_name=column)
    if isinstance(source, Table):
        within: dict[str, Any] = {"time": source.time, "sample_weight": source.weight, "predictions": source.predictions}
        times, weights, told = (within[name] if value is None else value for name, value in aside.items())
        said = source.features, source.notes, source.stated
        return from_memory(source.X, source.y, times, weights, told, *how, *said, time_name=column or source.time_name)
    for name, value in aside.items():
        if value is not None:
            raise ValueError(f"{name} must be left out for a table that is read in blocks")
    if kernel != "linear":
        raise ValueError(f"kernel must be linear for a table that is read in blocks, got {kernel!r}")
    table = from_blocks(source, standardize) if isinstance(source, Blocks) else source
    return table if rows_per_generation is None else table.with_rows_per_generation(rows_per_generation)
