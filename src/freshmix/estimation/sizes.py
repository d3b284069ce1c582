"""Sizes of rows from their leverages (mathematics.md sections 2 and 7).

A row sqrt(b) Sigma^(1/2) z has the leverage b delta/(1 + b delta), so that leverage over one less leverage is b delta: up to
the chance of z, whose part of the variance is 2/df for df effective directions.
"""

import math
from dataclasses import replace

import numpy as np
from scipy.optimize import brentq

from ..arguments import Floats
from ..equivalents import RowClasses
from ..equivalents.weights import RowWeights
from .factorise import Factorisation, countable

# Rows whose sizes vary by less than this part of their mean, or of what chance brings, are taken as alike.
_LEAST_SPREAD, _CHANCE = 0.3, 0.5
_VALUES, _LEAST = 6, 0.02
# A row that is fitted whatever it holds is as large as any.
_LEAST_FREE = 1e-9


def sized(f: Factorisation) -> Factorisation:
    """With the sizes of its rows, where they differ and theory can count them."""
    found = row_sizes(f)
    return f if found is None or not countable(f, found) else replace(f, row_weights=found, sizes=found)


def row_sizes(f: Factorisation) -> RowWeights | None:
    """Sizes b of mean 1 with their shares; None where rows are alike, as far as their leverages tell."""
    if f.classes is None or f.row_weights is not None:
        return None
    size, share, spread, chance = _apparent(f, f.classes)
    excess = spread - chance
    if excess < max(_LEAST_SPREAD**2, _CHANCE * chance):
        return None
    shrunk = np.maximum(1 + math.sqrt(excess / spread) * (size - 1), _LEAST)
    return _gathered(shrunk, share)


def unevenness(f: Factorisation) -> float:
    """Of the variance of the rows' apparent sizes, the part that chance does not bring; 0 where no rows are at hand."""
    if f.classes is None:
        return 0.0
    _, _, spread, chance = _apparent(f, f.classes)
    return max(1 - chance / spread, 0.0) if spread > 0 else 0.0


def _apparent(f: Factorisation, classes: RowClasses) -> tuple[Floats, Floats, float, float]:
    """Sizes of mean 1 as leverages show them, with their shares; their variance, and what chance would bring of it."""
    s, share = f.eigenvalues, classes.share
    goal = s.size / f.rows / 2

    def fitted(log_z: float) -> float:
        return float(np.sum(s / (s + math.exp(log_z)))) / f.rows - goal

    z = math.exp(brentq(fitted, math.log(s[-1]) - 20, math.log(s[0]) + 20))
    spent = classes.spent
    leverage = classes.leverage(np.array([z]), s)[0]
    # Records that are there several times count like one row so many times as large.
    size = (leverage - spent) / np.maximum(1 - leverage, _LEAST_FREE) * classes.inverse
    size = size / float(share @ size)
    filters = s / (s + z)
    chance = 2 * float(np.sum(filters**2)) / float(np.sum(filters)) ** 2
    return size, share, float(share @ (size - 1) ** 2), chance


def _gathered(value: Floats, share: Floats) -> RowWeights:
    """At most ``_VALUES`` sizes of mean 1: neighbours with equal parts of the spread in log b."""
    order = np.argsort(value)
    value, share = value[order], share[order]
    edges = np.geomspace(value[0], value[-1], _VALUES + 1)[1:-1]
    group = np.searchsorted(edges, value)
    mass, total = np.bincount(group, share), np.bincount(group, share * value)
    kept = mass > 0
    return RowWeights(total[kept] / mass[kept] / total.sum(), mass[kept] / mass.sum())
