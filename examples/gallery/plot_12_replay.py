"""
Any model in the loop, on real rows
===================================

The loop run with k nearest neighbours on the diabetes table, half of its rows with a real label: errors on patients that no
model was fitted on, by generation and real weight. Bars are two standard errors over the repeats.
"""

from sklearn.datasets import load_diabetes
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import freshmix as fm
from freshmix import plots

X, y = load_diabetes(return_X_y=True)
model = make_pipeline(StandardScaler(), KNeighborsRegressor(15))
runs = fm.replay(model, X, y, real_weight=[0.0, 0.5, 1.0], generations=6, labelled=0.5, covariates="frozen", repeats=8)
figure = plots.replay_picture(runs)
