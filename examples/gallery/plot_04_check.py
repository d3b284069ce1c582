"""
Does the theory fit the table?
==============================

The recommended loop is replayed on the table's own rows with signals that are known, and what comes out stands beside
what theory predicts. Bars are two standard errors.
"""

from sklearn.datasets import load_diabetes

import freshmix as fm

X, y = load_diabetes(return_X_y=True)
answer = fm.recommend(X, y, generations=8)
axes = answer.plot("check")

# %%
# The differences, in standard errors:

print(answer.check.z.round(1))
