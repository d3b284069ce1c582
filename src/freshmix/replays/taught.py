"""A teacher's labels put to the test on the table's own rows: fits with and without them, judged on real labels held out."""

import math
from dataclasses import dataclass

import numpy as np

from ..arguments import Floats
from .learners import FastRidge

FOLDS = 5
# How often the rows are split anew, where that is quick: rows times features squared of all fits.
_REPEATS, _WORK = 8, 2e10


@dataclass(frozen=True)
class Taught:
    """A fit's settings: real weight, row weight of rows without a real label, penalty per row of the fit."""

    real_weight: float
    row_weight: float
    penalty: float


@dataclass(frozen=True)
class TaughtCheck:
    """Mean squared errors on real labels that were held out.

    Attributes
    ----------
    rows : int
        Rows with both labels, each held out in turn.
    labels : int
        Real labels that a fit has.
    with_teacher, real_only, teacher_alone : float
        Mean squared errors, squared label units: with the teacher's labels as advised, without, and of its own predictions.
    difference, standard_error : float
        With less without, and the standard error of that, row by row.
    """

    rows: int
    labels: int
    with_teacher: float
    real_only: float
    teacher_alone: float
    difference: float
    standard_error: float

    @property
    def contradicts(self) -> bool:
        """Whether the teacher's labels did harm beyond chance."""
        return self.difference > 2 * self.standard_error

    @classmethod
    def of(cls, X: Floats, y: Floats, said: Floats, taught: Taught, real: Taught, rng: np.random.Generator) -> "TaughtCheck":
        """From (n, p) rows, real labels and the teacher's, NaN where there are none."""
        both = np.flatnonzero(~np.isnan(y) & ~np.isnan(said))
        fits = 2 * FOLDS * X.shape[0] * min(X.shape) ** 2
        repeats = int(np.clip(_WORK / fits, 1, _REPEATS))
        errors = np.zeros((3, both.size))
        for _ in range(repeats):
            fold = rng.permutation(both.size) % FOLDS
            for k in range(FOLDS):
                held, shown = both[fold == k], both[fold != k]
                kept = np.ones(y.size, dtype=np.bool_)
                kept[held] = False
                offset = float(np.mean(said[shown] - y[shown]))
                for place, settings in enumerate((taught, real)):
                    predicted = _predicted(X[kept], y[kept], said[kept] - offset, settings, X[held])
                    errors[place, fold == k] += (predicted - y[held]) ** 2 / repeats
                errors[2, fold == k] += (said[held] - offset - y[held]) ** 2 / repeats
        apart = errors[0] - errors[1]
        labels = round(float((~np.isnan(y)).sum()) - both.size / FOLDS)
        standard_error = float(apart.std(ddof=1)) / math.sqrt(both.size)
        with_teacher, real_only, alone = errors.mean(axis=1).tolist()
        return cls(both.size, labels, with_teacher, real_only, alone, float(apart.mean()), standard_error)


def _predicted(X: Floats, y: Floats, said: Floats, settings: Taught, held: Floats) -> Floats:
    """Of the rows held out, by ridge with an intercept on labels mixed as the settings say."""
    real, told = ~np.isnan(y), ~np.isnan(said)
    w = settings.real_weight
    label = np.where(real & told, w * y + (1 - w) * said, np.where(real, y, said))
    weight = np.where(real, 1.0, settings.row_weight)
    used = (real | told) & (weight > 0)
    X, label, weight = X[used], label[used], weight[used]
    mean, level = weight @ X / weight.sum(), float(weight @ label) / float(weight.sum())
    ridge = FastRidge(settings.penalty * label.size).fit(X - mean, label - level, weight)
    return np.asarray(level + ridge.predict(held - mean))
