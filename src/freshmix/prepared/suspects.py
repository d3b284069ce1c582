"""What a table looks like that the theory does not assume, one sentence each."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..arguments import Floats
from ..tables.arrays import some
from .features import Kernel

# An id is looked for where a monotone column cannot come by chance; fewer rows are warned of anyway.
FEWEST_IDS = 12
# Whole numbers of so few values may name classes.
MOST_CLASSES = 10
# One value with more than this share of the variance decides the fit.
DOMINATING = 0.5


def table_warnings(X: Floats, y: Floats, names: Sequence[str] | None, kernel: Kernel) -> tuple[str, ...]:
    """Warnings of a table with (n, p) finite features and (n,) labels, NaN where there are none."""
    found = [label_warning(y)]
    if kernel != "precomputed":
        found += [_duplicated_rows(X, y), _same_columns(X, names), _row_ids(X, names), _dominated_columns(X, names)]
    return tuple(each for each in found if each is not None)


def label_warning(y: Floats) -> str | None:
    """What (n,) labels, NaN where there are none, look like."""
    values = np.unique(y[~np.isnan(y)])
    if values.size == 2:
        return two_valued(*values.tolist())
    return dominating_label(y) or few_values(values, int((~np.isnan(y)).sum()))


def two_valued(low: float, high: float) -> str:
    """What regression on two values means."""
    score = "the Brier score" if (low, high) == (0, 1) else "a squared error"
    return (
        f"the target has two values, {low:g} and {high:g}: this is classification by regression on them; the prediction error "
        f"is {score} of the predicted mean (for 0 and 1 the probability), not an error rate of classes, and the noise "
        "variance differs between rows, which the theory takes as one number"
    )


def few_values(values: Floats, labels: int) -> str | None:
    """What regression on a handful of whole numbers may mean."""
    if values.size > MOST_CLASSES or labels < 5 * values.size or (np.floor(values) != values).any():
        return None
    return (
        f"the target has {values.size} values, whole numbers from {values[0]:g} to {values[-1]:g}: fine for counts; "
        "if they name classes, make it 0 and 1, one class against the rest"
    )


def dominating_label(y: Floats) -> str | None:
    """One label that is most of the variance."""
    labels = y[~np.isnan(y)]
    # Halves and a scale, so that nothing overflows.
    apart = np.abs(labels / 2 - np.median(labels / 2))
    if not apart.max() > 0:
        return None
    share = 1 / float(np.sum((apart / apart.max()) ** 2))
    if share <= DOMINATING or labels.size < 4:
        return None
    return label_outlier(float(labels[np.argmax(apart)]), share)


def label_outlier(value: float, share: float) -> str:
    """The sentence for it."""
    return f"one label, {value:.6g}, makes up {100 * share:.0f}% of the target's variance: check it, the estimates rest on it"


def same_columns(groups: Sequence[Sequence[str]]) -> str | None:
    """The sentence for columns that are copies."""
    if not groups:
        return None
    count = sum(len(group) - 1 for group in groups)
    listed = some([" = ".join(group[:4]) for group in groups], 4)
    return f"{count} {'column is a copy' if count == 1 else 'columns are copies'} of others: {listed}"


def _name(names: Sequence[str] | None, index: int) -> str:
    return names[index] if names else f"column {index}"


def _duplicated_rows(X: Floats, y: Floats) -> str | None:
    # A few columns tell nearly all rows apart; only those that they do not are compared as a whole.
    some_columns = np.linspace(0, X.shape[1] - 1, min(8, X.shape[1])).astype(int)
    alike = _hashes(np.column_stack([X[:, some_columns], y])).is_duplicated().to_numpy()
    if not alike.any():
        return None
    rows = _hashes(np.column_stack([X[alike], y[alike]]))
    count = int(rows.len() - rows.n_unique())
    if not count:
        return None
    return (
        f"{count} of {y.size} rows {'repeats' if count == 1 else 'repeat'} another row, label included: the theory takes rows "
        "as independent, and copies make the noise look smaller than it is"
    )


def _hashes(rows: Floats) -> pl.Series:
    return pl.from_numpy(rows, orient="row").hash_rows()


def _same_columns(X: Floats, names: Sequence[str] | None) -> str | None:
    probe = X[np.linspace(0, len(X) - 1, min(16, len(X))).astype(int)]
    near: dict[bytes, list[int]] = defaultdict(list)
    for index, column in enumerate(np.ascontiguousarray(probe.T)):
        near[column.tobytes()].append(index)
    groups: dict[bytes, list[str]] = defaultdict(list)
    for index in (each for group in near.values() if len(group) > 1 for each in group):
        column = X[:, index]
        # Constant columns are left out anyway.
        if (column != column[0]).any():
            groups[column.tobytes()].append(_name(names, index))
    return same_columns([group for group in groups.values() if len(group) > 1])


def _row_ids(X: Floats, names: Sequence[str] | None) -> str | None:
    if len(X) < FEWEST_IDS:
        return None
    # A few rows rule out nearly every column.
    candidates = np.flatnonzero(_steps(X[:FEWEST_IDS]))
    ids = [_name(names, int(index)) for index in candidates if _steps(X[:, [index]])[0]]
    if not ids:
        return None
    word = "looks like a row number" if len(ids) == 1 else "look like row numbers"
    return f"{some(ids)} {word} (whole numbers, all different, in order): leave out what will not carry over to new rows"


def _steps(X: Floats) -> NDArray[np.bool_]:
    """(p,) which columns are whole numbers that only rise or only fall."""
    moves = np.diff(X, axis=0)
    return np.asarray(((moves > 0).all(axis=0) | (moves < 0).all(axis=0)) & (np.floor(X) == X).all(axis=0))


def _dominated_columns(X: Floats, names: Sequence[str] | None) -> str | None:
    if len(X) < FEWEST_IDS:
        return None
    apart = X - X.mean(axis=0)
    apart /= np.maximum(np.abs(apart).max(axis=0), np.finfo(np.float64).tiny)
    total = np.einsum("ij,ij->j", apart, apart)
    worst = [_name(names, int(index)) for index in np.flatnonzero((total > 0) & (total < 1 / DOMINATING))]
    if not worst:
        return None
    return (
        f"in {some(worst)} one row makes up most of the variance (an outlier, or a category of one row): its coefficient "
        "rests on that row alone"
    )
