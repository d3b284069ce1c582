"""What a table looks like that the theory does not assume (see ``words.table`` for the sentences)."""

import math
import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import kstest, poisson
from scipy.stats import t as student

from ..arguments import Floats
from ..words import table as words
from .ends import Ends
from .kernels import Kernel
from .moments import Moments
from .spread import Spread

# An id is looked for where a monotone column cannot come by chance; fewer rows are warned of anyway.
FEWEST_IDS = 12
# Whole numbers of so few values may name classes.
MOST_CLASSES = 10
# One value with more than this share of the variance decides the fit.
DOMINATING = 0.5
LABEL_BIAS_LEVEL = 1e-3
# Columns further than this from correlation 1 are no copies.
_COPY = 1e-12
# So many rows are enough to see that most columns are far from it.
_PROBE, _NEARLY = 64, 1e-3
# Rounding of sums of squares, with much to spare.
_ROUGH = 1e-10
# Whole numbers are ids where so many rows differ, and fewer are alike than chance brings at this level, or where numbers that
# many rows drew from a wide range fill it evenly (the p-value of that); their name may say so as well.
_DIFFERENT, _UNLIKELY, _EVEN_ROWS, _EVEN = 0.9, 0.01, 100, 0.01
_NAMED = re.compile(r"(?i:(?:^|[_\W])(?:id|ids|index|idx|key|uid|no|nr|number)$|^id(?![a-z]))|[a-z]I[dD]$")


def table_warnings(X: Floats, y: Floats, names: Sequence[str] | None, kernel: Kernel) -> tuple[str, ...]:
    """Warnings of a table with (n, p) finite features and (n,) labels, NaN where there are none."""
    columns = np.empty((len(X), 0)) if kernel == "precomputed" else X
    inner = Ends.of_rows(columns)
    ends = inner.beside(Ends.of([y[~np.isnan(y)]]))
    found = [label_warning(y), *ends.sentinels([words.named(names, index) for index in range(columns.shape[1])])]
    if kernel != "precomputed":
        found += [
            _repeated_rows(X, y),
            _same_columns(X, names),
            _row_numbers(X, names),
            _copied_target(X, y, names),
            _dominated_columns(X, inner.end[0], -inner.end[1], names),
        ]
    return told(found)


def moments_warnings(found: Moments, names: Sequence[str] | None) -> tuple[str, ...]:
    """Those of ``table_warnings`` that moments show."""
    if found.two_valued:
        label: str | None = words.two_valued(found.low, found.high)
    else:
        worst = max((found.low, found.high), key=lambda value: abs(value - float(found.mean[-1])))
        share = float((worst - found.mean[-1]) ** 2 / found.scatter[-1, -1])
        label = words.label_outlier(worst, share) if share > DOMINATING else None
    gram = found.scatter[:-1, :-1]
    size = np.sqrt(np.diag(gram))
    kept = np.flatnonzero(size > 0)
    same = np.abs(gram[np.ix_(kept, kept)] / np.multiply.outer(size[kept], size[kept]) - 1) < _COPY
    pairs = [(int(kept[i]), int(kept[j])) for i, j in zip(*np.nonzero(np.triu(same, 1)), strict=True)]
    # Correlation 1 and the same variance and mean.
    copies = [(i, j) for i, j in pairs if abs(size[i] / size[j] - 1) < 1e-9 and found.mean[i] == found.mean[j]]
    columns = [[words.named(names, index) for index in pair] for pair in copies]
    far = found.ends.sentinels([words.named(names, index) for index in range(found.features)])
    target = found.scatter[:-1, -1][kept] / size[kept] / math.sqrt(found.scatter[-1, -1])
    ids = _row_numbers(found.sample.rows[:, :-1], names)
    return told([label, *far, words.same_columns(columns) if columns else None, ids, _determining(kept, target, names)])


def label_warning(y: Floats) -> str | None:
    """What (n,) labels, NaN where there are none, look like."""
    labels = y[~np.isnan(y)]
    values = np.unique(labels)
    if values.size == 2:
        return words.two_valued(*values.tolist())
    # Halves and a scale, so that nothing overflows.
    apart = np.abs(labels / 2 - np.median(labels / 2))
    if apart.max() > 0 and labels.size >= 4:
        share = 1 / float(np.sum((apart / apart.max()) ** 2))
        if share > DOMINATING:
            return words.label_outlier(float(labels[np.argmax(apart)]), share)
    if values.size > MOST_CLASSES or labels.size < 5 * values.size or (np.floor(values) != values).any():
        return None
    return words.few_values(values.size, values[0], values[-1])


def label_bias(X: Floats, y: Floats, names: Sequence[str] | None) -> str | None:
    """A sentence where labelled and other rows differ in the mean or spread of some column more than chance explains."""
    real = ~np.isnan(y)
    few = int(min(real.sum(), (~real).sum()))
    if few < 10:
        return None
    columns = [words.named(names, index) for index in range(X.shape[1])]
    X = np.hstack([X, np.abs(X - X.mean(axis=0))])
    labelled, others = Spread.of(list(X[real].T)), Spread.of(list(X[~real].T))
    return spread_bias(labelled, others, [*columns, *(f"the spread of {name}" for name in columns)], few - 1)


def spread_bias(labelled: Spread, others: Spread, names: Sequence[str] | None, freedom: float = math.inf) -> str | None:
    """The same from the means and variances of two sets of rows; ``freedom`` is that of their difference."""
    if min(labelled.rows, others.rows) < 10:
        return None
    gap = labelled.mean - others.mean
    error = np.sqrt(sum(each.squares / (each.rows - 1) / each.rows for each in (labelled, others)))
    z = np.abs(np.divide(gap, error, out=np.zeros_like(gap), where=error > 0))
    worst = int(np.argmax(z))
    if z[worst] <= student.isf(LABEL_BIAS_LEVEL / (2 * z.size), freedom):
        return None
    size = abs(gap[worst]) / labelled.merge(others).deviation[worst]
    return words.label_bias(words.named(names, worst), size, z[worst])


def told(found: Sequence[str | None]) -> tuple[str, ...]:
    """What there is to say."""
    return tuple(each for each in found if each is not None)


def _repeated_rows(X: Floats, y: Floats) -> str | None:
    # A few columns tell nearly all rows apart; only those that they do not are compared as a whole.
    some_columns = np.linspace(0, X.shape[1] - 1, min(8, X.shape[1])).astype(int)
    alike = _hashes(np.column_stack([X[:, some_columns], y])).is_duplicated().to_numpy()
    if not alike.any():
        return None
    rows = _hashes(np.column_stack([X[alike], y[alike]]))
    count = int(rows.len() - rows.n_unique())
    return words.repeated_rows(count, y.size) if count else None


def _hashes(rows: Floats) -> pl.Series:
    return pl.from_numpy(rows, orient="row").hash_rows()


def _same_columns(X: Floats, names: Sequence[str] | None) -> str | None:
    probe = X[np.linspace(0, len(X) - 1, min(16, len(X))).astype(int)]
    # The first of these rows rules out most columns.
    _, place, count = np.unique(probe[0], return_inverse=True, return_counts=True)
    near: dict[bytes, list[int]] = defaultdict(list)
    for index in np.flatnonzero(count[place] > 1).tolist():
        near[probe[:, index].tobytes()].append(index)
    groups: dict[bytes, list[str]] = defaultdict(list)
    for index in (each for group in near.values() if len(group) > 1 for each in group):
        column = X[:, index]
        # Constant columns are left out anyway.
        if (column != column[0]).any():
            groups[column.tobytes()].append(words.named(names, index))
    copies = [group for group in groups.values() if len(group) > 1]
    return words.same_columns(copies) if copies else None


def _row_numbers(X: Floats, names: Sequence[str] | None) -> str | None:
    if len(X) < FEWEST_IDS:
        return None
    # A few rows rule out nearly every column.
    candidates = np.flatnonzero((np.floor(X[:FEWEST_IDS]) == X[:FEWEST_IDS]).all(axis=0))
    ids = [name for name, index in ((words.named(names, i), i) for i in candidates.tolist()) if _is_id(name, X[:, index])]
    return words.row_numbers(ids) if ids else None


def _is_id(name: str, x: Floats) -> bool:
    """Whether (n,) numbers look like those of rows: whole, and nearly all different, in order or not."""
    n, moves = x.size, np.diff(x)
    if (np.floor(x) != x).any():
        return False
    if (moves > 0).all() or (moves < 0).all():
        return True
    different = np.unique(x).size
    width = float(x.max() - x.min() + 1)
    if different < _DIFFERENT * n:
        return False
    # Independent draws from so wide a range are alike at least this often.
    if poisson.cdf(n - different, n * (n - 1) / (2 * width)) < _UNLIKELY or _NAMED.search(name):
        return True
    return n >= _EVEN_ROWS and float(kstest((x - x.min() + 0.5) / width, "uniform").pvalue) > _EVEN


def _copied_target(X: Floats, y: Floats, names: Sequence[str] | None) -> str | None:
    """A sentence for columns that are the labels themselves, up to scale and offset."""
    order = np.argsort(y)
    order = order[: np.count_nonzero(~np.isnan(y))]
    if order.size < FEWEST_IDS:
        return None
    # Both ends of the labels among a few rows, which rule out nearly every column.
    few = order[np.linspace(0, order.size - 1, min(_PROBE, order.size)).astype(int)]
    near = np.flatnonzero(1 - np.abs(_correlations(X[few], y[few])) < _NEARLY)
    if not near.size:
        return None
    return _determining(near, _correlations(X[np.ix_(order, near)], y[order]), names)


def _correlations(X: Floats, y: Floats) -> Floats:
    """(p,) correlations of the columns of X with y; 0 for those that are constant."""
    label, apart = y - y.mean(), X - X.mean(axis=0)
    label = label / np.abs(label).max()
    apart /= np.maximum(np.abs(apart).max(axis=0), np.finfo(np.float64).tiny)
    size = np.sqrt(np.einsum("ij,ij->j", apart, apart) * (label @ label))
    return np.asarray(np.divide(apart.T @ label, size, out=np.zeros_like(size), where=size > 0))


def _determining(columns: NDArray[np.intp], correlations: Floats, names: Sequence[str] | None) -> str | None:
    """The sentence, from correlations with the labels."""
    same = [words.named(names, index) for index in columns[1 - np.abs(correlations) < _COPY].tolist()]
    return words.copied_target(same) if same else None


def _dominated_columns(X: Floats, low: Floats, high: Floats, names: Sequence[str] | None) -> str | None:
    """A sentence for columns of which one value decides; ``low`` and ``high`` (p,) are their least and largest."""
    if len(X) < FEWEST_IDS:
        return None
    mean = X.mean(axis=0)
    most = np.maximum(high - mean, mean - low)
    # Roughly, from uncentred squares: columns for which that settles nothing are looked at again.
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("ij,ij->j", X, X)
        clear = (squares - len(X) * mean**2 > 2 / DOMINATING * most**2) & (squares * _ROUGH < most**2)
    near = np.flatnonzero((most > 0) & ~clear)
    apart = (X[:, near] - mean[near]) / np.maximum(most[near], np.finfo(np.float64).tiny)
    total = np.einsum("ij,ij->j", apart, apart)
    worst = [words.named(names, int(index)) for index in near[(total > 0) & (total < 1 / DOMINATING)]]
    return words.dominated_columns(worst, X.shape[1]) if worst else None
