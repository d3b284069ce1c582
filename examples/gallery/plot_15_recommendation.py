"""
A recommendation at a glance
============================

All pictures of a recommendation in one figure, as ``--report answer.png`` writes them, for real flights by month.
"""

import freshmix as fm
from freshmix import plots

figure = plots.all_pictures(fm.recommend("../flights.csv", "speed", time="month"))
