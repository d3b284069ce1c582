"""Tables into X and y: files through polars, arrays and data frames through narwhals, large tables block by block."""

from .arrays import to_arrays
from .blocks import Blocks
from .chunks import DaskBlocks
from .fileblocks import FileBlocks
from .held import Held
from .loading import Table, read_table
from .opening import are_files, open_table, source_of
from .parts import MOST_BYTES

__all__ = [
    "MOST_BYTES",
    "Blocks",
    "DaskBlocks",
    "FileBlocks",
    "Held",
    "Table",
    "are_files",
    "open_table",
    "read_table",
    "source_of",
    "to_arrays",
]
