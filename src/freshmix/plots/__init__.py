"""Results -> figures: values in, figures out. No risk is computed here, and no global state is kept."""

import lazy_loader

# The names, and where each lives, are in the stub beside this file; a picture is imported when it is drawn.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
