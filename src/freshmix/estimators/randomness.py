"""The noise of synthetic labels: a numpy Generator from what scikit-learn takes as ``random_state``."""

from typing import Any

import numpy as np


def generator(random_state: Any) -> np.random.Generator:
    """A generator: a new one of a seed or of nothing, the one given, or one that a RandomState seeds.

    >>> int(generator(0).integers(100)) == int(np.random.default_rng(0).integers(100))
    True
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**31, size=4))
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise TypeError(f"random_state must be None, a whole number or a generator, got {random_state!r}") from None
