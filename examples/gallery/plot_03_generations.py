"""
Error by generation
===================

What becomes of a loop under the recommendation, with real labels only, and with synthetic labels only.
"""

from sklearn.datasets import load_diabetes

import freshmix as fm

X, y = load_diabetes(return_X_y=True)
axes = fm.recommend(X, y, generations=12).plot("generations")
