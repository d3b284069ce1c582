"""Models of the loop as scikit-learn's estimators: a call of ``partial_fit`` is a generation."""

from .kernel import MixedKernelRidge
from .ridge import MixedRidge

__all__ = ["MixedKernelRidge", "MixedRidge"]
