"""Tables into X and y: files through polars, arrays and data frames through narwhals, large tables block by block."""

from .arrays import split_time, to_arrays
from .files import MOST_BYTES, Table, read_table

__all__ = ["MOST_BYTES", "Table", "read_table", "split_time", "to_arrays"]
