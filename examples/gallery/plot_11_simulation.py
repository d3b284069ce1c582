"""
Theory beside simulation
========================

Runs on 200 rows (markers, with Monte Carlo errors) and the limit of many rows (lines), for three real weights. The two
share no code.
"""

import numpy as np
import xarray as xr

import freshmix as fm
from freshmix import plots

population = fm.Population.two_level(4.0, share=0.25)
loop = fm.Loop(aspect=0.5, penalty=0.1)
weights = [0.1, 0.5, 1.0]
runs = fm.simulate(population, loop, 8, rows=200, replicates=20, real_weight=weights, seed=1)

curves = np.array([fm.risk(population, loop.replace(real_weight=w), 8) for w in weights])
theory = xr.DataArray(curves, coords={"real_weight": weights, "generation": range(9)})
figure = plots.compare(theory, runs)
