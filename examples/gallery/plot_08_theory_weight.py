"""
The golden ratio
================

Without a penalty, with synthetic labels sampled from the model, the best real weight in the long run is 1/golden ratio
= 0.618, whatever the data.
"""

import freshmix as fm
from freshmix import theory

axes = theory.theory(fm.Population.isotropic(), fm.Loop(aspect=2.0), generations=12).plot("weight")
