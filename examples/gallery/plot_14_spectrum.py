"""
Where the signal lies
=====================

The share of a table's directions at each eigenvalue of its feature covariance, beside the share of the signal there, as
estimated from 1,797 images of digits. The tables of theory are datasets of xarray: any picture can be drawn of them.
"""

import matplotlib.pyplot as plt
import polars as pl
from sklearn.preprocessing import StandardScaler

import freshmix as fm
from freshmix import theory

digits = pl.read_parquet("../digits.parquet")
pixels = digits.drop("digit").to_numpy().astype(float)
X = StandardScaler().fit_transform(pixels[:, pixels.std(axis=0) > 0])
y = digits["digit"].to_numpy().astype(float)
table = theory.spectrum(fm.estimate(X, y - y.mean()))

axes = plt.figure(figsize=(6.5, 4), layout="constrained").subplots()
axes.vlines(table.eigenvalue * 0.98, 0, table.share, color="#0072b2", label="directions")
axes.vlines(table.eigenvalue * 1.02, 0, table.signal, color="#d55e00", label="signal")
axes.set(xscale="log", xlabel="eigenvalue of the feature covariance", ylabel="share", ylim=(0, None))
axes.legend(frameon=False)
