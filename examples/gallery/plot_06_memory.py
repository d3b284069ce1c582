"""
What memory is worth
====================

Ways to remember the past between retrainings, each at its best, from theory: a population whose coefficients drift by a
tenth from one generation to the next, 30% of the rows labelled.
"""

import freshmix as fm

population = fm.Population([0.3, 1.0, 4.0], [0.4, 0.4, 0.2], [0.5, 0.6, 0.2], noise_variance=1.5, persistence=0.9)
loop = fm.Loop.partially_labelled(aspect=0.5, labelled=0.3, synthetic_noise_ratio=0.0)
axes = fm.optimal_memory(population, loop).plot()
