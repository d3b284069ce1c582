"""
Error against the real weight
=============================

How much weight should real labels have, and how much does it matter? The curve of a table whose rows get new real
labels each time, at the recommended penalty and with the penalty re-tuned at each weight.
"""

from sklearn.datasets import load_diabetes

import freshmix as fm

X, y = load_diabetes(return_X_y=True)
answer = fm.recommend(X, y)
axes = answer.plot("weights")

# %%
# The curve is flat around its best: any weight near it will do.

print(f"{answer.real_weight:.3f}")
