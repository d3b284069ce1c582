"""Models of the loop as scikit-learn's estimators: a call of ``partial_fit`` is a generation."""

from .best_weight import FoundWeight, find_weight
from .kernel import MixedKernelRidge
from .ridge import MixedRidge

__all__ = ["FoundWeight", "MixedKernelRidge", "MixedRidge", "find_weight"]
