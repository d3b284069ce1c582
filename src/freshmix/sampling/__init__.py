"""Population, Generator -> coefficients, rows and label noise of finite samples: one kind of data a file."""

from ..population import Population
from .diagonal import Diagonal, counts_of
from .entries import Entries, entries_of
from .protocols import Generator, Source, Task
from .structured import Autoregressive, Dense
from .table import Rows

__all__ = [
    "Autoregressive",
    "Dense",
    "Diagonal",
    "Entries",
    "Generator",
    "Rows",
    "Source",
    "Task",
    "counts_of",
    "entries_of",
    "source_of",
]


def source_of(population: Population | Source, features: int) -> Source:
    """The source itself, or a Population at p features."""
    return Diagonal(population, features) if isinstance(population, Population) else population
