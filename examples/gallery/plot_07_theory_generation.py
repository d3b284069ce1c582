"""
A loop from theory, generation by generation
============================================

Exact asymptotic risk of a loop that trusts its own labels too much, beside its rivals.
"""

import freshmix as fm
from freshmix import theory

population = fm.Population.spiked(10.0, 0.7)
loop = fm.Loop(aspect=2.0, penalty=0.1, real_weight=0.2)
axes = theory.theory(population, loop, generations=12).plot("generation")
