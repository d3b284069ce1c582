"""The loop on real rows: with any model, the check of the theory, and the backtest in time order."""

from .any_model import replay

__all__ = ["replay"]
