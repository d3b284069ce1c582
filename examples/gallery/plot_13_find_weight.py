"""
The best weight of any model
============================

How much worse each real weight is than the best one, for a decision tree on the diabetes table: new patients in each
generation, half of them with a real label. Weights in the shaded interval cannot be told apart.
"""

from sklearn.datasets import load_diabetes
from sklearn.tree import DecisionTreeRegressor

import freshmix as fm

X, y = load_diabetes(return_X_y=True)
model = DecisionTreeRegressor(max_depth=4, random_state=0)
best = fm.find_weight(model, X, y, labelled=0.5, covariates="fresh", generations=3, repeats=6)
axes = best.plot()

# %%
# Trees are noisy, so that the last model's labels, which average noise, are worth much:

print(best.real_weight, best.interval)
