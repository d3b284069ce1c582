"""
Weight and penalty together
===========================

Long-run risk over the real weight and the ridge penalty. The dashed line is the best weight at each penalty, the star
the best pair.
"""

import freshmix as fm
from freshmix import theory

population = fm.Population.two_level(4.0, share=0.25)
axes = theory.theory(population, fm.Loop(aspect=1.5, penalty=0.1), generations=8).plot("surface")
