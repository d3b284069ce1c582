"""Deterministic equivalents of a population or of a sample (mathematics.md sections 2 and 7)."""

from .population import PopulationEquivalents
from .protocol import Equivalents, Numbers, Solved, pairing
from .rows import RowClasses, RowEquivalents
from .sample import SampleEquivalents

__all__ = [
    "Equivalents",
    "Numbers",
    "PopulationEquivalents",
    "RowClasses",
    "RowEquivalents",
    "SampleEquivalents",
    "Solved",
    "pairing",
]
