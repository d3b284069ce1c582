"""
What labels bring
=================

The typical error against the labels bought in each generation, for each way to train. Few labels go a long way where
the last model is remembered.
"""

import freshmix as fm

plan = fm.plan("../flights.csv", "speed", time="month", cost_per_label=2.0)
axes = plan.plot()

# %%
# The advice:

print(plan.best, plan.ways[plan.best]["labels"])
