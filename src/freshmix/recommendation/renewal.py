"""Label renewal: the share of the noise that is drawn anew when a row is labelled again (mathematics.md section 4)."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import f as ratio_of_variances

from ..arguments import Floats
from ..estimation import Misfit, estimate_of
from ..loop import Loop
from ..prepared import Kernel, Prepared, Rows
from ..prepared.copies import copies
from ..words import renewal as words

# Labels of at most so many whole numbers, with so many rows of each on average, are classes.
MOST_VALUES, ROWS_PER_VALUE = 20, 10
# Copies of rows beyond the first of each kind, and kinds, below which labels say nothing of it.
FEWEST_COPIES, FEWEST_ROWS = 5, 20
_TAIL = 0.05
_WHOLE = 1e-9


@dataclass(frozen=True)
class Renewal:
    """kappa, how it is known, and what is said of it first.

    ``known_by`` is ``given``, ``classes``, ``estimated`` (with a 90% ``interval``), ``misfit`` or ``assumed``.
    """

    value: float
    known_by: str = "given"
    interval: tuple[float, float] | None = None
    stated: tuple[str, ...] = ()

    @classmethod
    def of(cls, loop: Loop, table: Prepared, misfit: Misfit | None = None) -> "Renewal":
        """What the loop says, or else the table: its target, then its copies of rows, then what a linear model cannot fit."""
        if loop.label_renewal is not None or loop.labels == "frozen":
            values = classes(_labels(table)) if loop.renewal > 0 else 0
            return cls(loop.renewal, stated=(words.no_classes(values, loop.renewal),) if values else ())
        values = classes(_labels(table))
        if values:
            return cls(0.0, "classes", stated=(words.of_classes(values),))
        repeated = None if table.rows is None else Repeated.of(table.rows.labelled(), table.kernel)
        if repeated is None or repeated.copies < FEWEST_COPIES or repeated.means.y.size < FEWEST_ROWS:
            if misfit is not None:
                return cls(1 - misfit.share, "misfit", stated=(words.misfit(misfit.share),))
            return cls(1.0, "assumed", stated=(words.assumed(),))
        if repeated.energy == 0:
            return cls(1.0, "assumed", stated=(words.one_record(repeated.copies),))
        share, interval = repeated.share(table)
        # Cut off at 1, an estimate would be too low on average where all noise is drawn anew.
        used = 1.0 if interval[1] >= 1 else share
        return cls(used, "estimated", interval, (words.estimated(share, used, interval, repeated.copies),))

    @property
    def other_end(self) -> float | None:
        """What it may be as well, where nothing but a default decides."""
        return {"classes": 1.0, "assumed": 0.0, "misfit": 0.0}.get(self.known_by)


def _labels(table: Prepared) -> Floats:
    """The labels at hand, up to a sign and a constant; none where they have passed."""
    if table.rows is not None:
        return table.rows.labelled().y
    return table.products.labels if table.products is not None and table.products.by_columns else np.empty(0)


def classes(y: Floats) -> int:
    """How many values (n,) labels have, where they name classes: two, or few whole numbers of many rows each; 0 otherwise."""
    values = np.unique(y)
    if values.size == 2:
        return 2
    if not 0 < values.size <= min(MOST_VALUES, y.size / ROWS_PER_VALUE):
        return 0
    steps = np.diff(values)
    return values.size if bool(np.all(np.abs(steps - np.rint(steps)) < _WHOLE * np.maximum(steps, 1))) else 0


@dataclass(frozen=True, eq=False)
class Repeated:
    """n rows in K groups of identical ones, k_g in each: what their labels differ by, and their mean labels.

    ``energy`` is the pure error sum a_i (y_i - ybar_g)^2 of ``copies`` = n - K degrees of freedom, ``means`` the rows taken
    once with their mean labels, and ``once`` the mean of 1/k_g.
    """

    energy: float
    copies: int
    means: Rows
    once: float

    @classmethod
    def of(cls, rows: Rows, kernel: Kernel) -> "Repeated":
        """From rows that all have a label."""
        X, y, precision = rows
        group = copies(X)
        first, size = np.unique(group, return_index=True)[1], np.bincount(group)
        a = np.ones(y.size) if precision is None else precision
        total = np.bincount(group, a)
        # From the first label of each group: 0 to the bit where all are the same.
        apart = y - y[first][group]
        shift = np.bincount(group, a * apart) / total
        if first.size < y.size:
            X = X[np.ix_(first, first)] if kernel == "precomputed" else X[first]
        level = float(np.mean(total / size))
        means = Rows(X, y[first] + shift, None if precision is None else total / size / level)
        energy = max(float(a @ apart**2 - total @ shift**2), 0.0) / level
        return cls(energy, y.size - first.size, means, float(np.mean(1 / size)))

    def share(self, table: Prepared) -> tuple[float, tuple[float, float]]:
        """kappa = P / (P + M) within [0, 1], and its 90% interval.

        P is the pure error, M what comes back; the noise A = M + P mean(1/k) of the mean labels is estimated from the rows
        taken once. Its posterior draws are taken for inverse chi-squared ones: nu = 4 + 2 mean^2 / variance degrees of freedom,
        about an estimate of (nu - 2) / nu times their mean. A/P has the law of a ratio of variances.
        """
        found = estimate_of(replace(table, rows=self.means, products=None), None, np.random.default_rng(0))
        noise = found.noise_variance
        freedom = 4 + 2 * (noise / (found.stretch * max(float(found.noise_draws.std()), 1e-9 * noise))) ** 2
        noise *= (freedom - 2) / freedom
        most, least = ratio_of_variances.isf([_TAIL, 1 - _TAIL], freedom, self.copies)
        ratio = noise * self.copies / self.energy / np.array([least, 1.0, most])
        low, value, high = np.minimum(1 / (ratio + 1 - self.once), 1.0).tolist()
        return value, (low, high)
