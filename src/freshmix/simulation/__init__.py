"""Finite samples: the loop run or its expectation computed, never by a refit for each weight (mathematics.md 3 to 9)."""

import lazy_loader

# As at the front door: who asks for the names of engines and workflows loads no library.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
