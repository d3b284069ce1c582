"""
Ways to train, beside each other
================================

How far each way to train is behind the best one, with 90% intervals of the difference, for a table of monthly rows.
"""

import freshmix as fm

answer = fm.recommend("../flights.csv", "speed", time="month")
axes = answer.plot("ways")

# %%
# An interval that reaches 0 means that the table cannot tell the two ways apart. What the best one is:

print(answer.best, answer.rivals[answer.best]["prediction_error"])
