"""
Where the loop diverges
=======================

Least squares on new rows of which only some have a real label: near as many features as rows the loop diverges, and the
fewer labels there are, the wider that region is.
"""

import freshmix as fm
from freshmix import theory

loop = fm.Loop.partially_labelled(aspect=1.2, labelled=0.5)
axes = theory.theory(fm.Population.isotropic(), loop, generations=8).plot("phase")
