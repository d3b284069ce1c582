"""freshmix: retraining on a mix of real labels and labels made by the model itself.

Does the loop collapse, which real weight and ridge penalty keep it best, and how many fresh labels does it need?

>>> import freshmix as fm
>>> population = fm.Population.isotropic(signal=2.0, noise_variance=1.0)
>>> best = fm.optimal_weight(population, fm.Loop(aspect=2.0))
>>> round(best.real_weight, 10)
0.6180339887
"""

import lazy_loader

from .version import __version__ as __version__

# The public names, and where each lives, are in the stub beside this file; a room is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
