"""Moments of a table in one pass over its blocks, and the products they give (mathematics.md section 7).

Each block is centred on its own means, and blocks are merged by the pairwise update of Chan, Golub and LeVeque. Means are
kept in two parts, so that their rounding does not enter the products: columns far from 0 lose no digits. Memory is a few
(p + 1)^2 matrices, whatever the number of rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..tables.arrays import too_few_labels
from ..tables.blocks import Blocks, Column
from ..tables.gaps import ADVICE, Fill
from ..tables.refusals import too_many_gaps
from ..words.table import listed_gaps, named, none_varies
from .ends import Ends
from .kept import Products, Rows
from .presentation import Keys, Presentation
from .sampled import Sample, column_tags
from .spread import Spread

# About four matrices of p^2 numbers are held at a time, in the pass and in the decomposition.
MOST_BYTES = 2 * 1024**3


@dataclass(frozen=True, eq=False)
class Moments:
    """What one pass keeps of a table.

    Attributes
    ----------
    rows : int
        Rows with a real label, n.
    mean, rest, scatter : (p + 1,), (p + 1,) and (p + 1, p + 1) arrays
        Means of the features and, last, of the labels over these rows; what their rounding left out; and the products of
        deviations from them.
    unlabelled : Spread
        The rows without a real label.
    missing, infinite : (p,) arrays
        How often each column had no finite value.
    dropped, alone : int, (p,) array
        Rows left out for a missing feature, and those of them that a column alone costs.
    low, high : float
        Range of the labels.
    two_valued : bool
        Whether no label lies strictly inside that range.
    wild : int
        Infinite labels.
    sample : Sample
        Some of the rows, labelled or not.
    ends : Ends
        Both ends of the features, over all rows, and last of the labels.
    """

    rows: int
    mean: Floats
    rest: Floats
    scatter: Floats
    unlabelled: Spread
    missing: Floats
    infinite: Floats
    dropped: int
    alone: Floats
    low: float
    high: float
    two_valued: bool
    wild: int
    sample: Sample
    ends: Ends

    @property
    def features(self) -> int:
        """p."""
        return self.missing.size

    def merge(self, other: "Moments") -> "Moments":
        """The moments of both sets of rows."""
        rows = self.rows + other.rows
        low, high = min(self.low, other.low), max(self.high, other.high)
        within = all(not each.rows or {each.low, each.high} <= {low, high} for each in (self, other))
        mean, rest = (self if self.rows else other).mean, (self if self.rows else other).rest
        scatter = self.scatter + other.scatter
        if self.rows and other.rows:
            with np.errstate(over="ignore", invalid="ignore"):
                gap = (other.mean - self.mean) + (other.rest - self.rest)
                move = self.rest + gap * (other.rows / rows)
                mean = self.mean + move
                rest = move - (mean - self.mean)
                scatter += np.multiply.outer(gap * (self.rows * other.rows / rows), gap)
        return Moments(
            rows,
            mean,
            rest,
            scatter,
            self.unlabelled.merge(other.unlabelled),
            self.missing + other.missing,
            self.infinite + other.infinite,
            self.dropped + other.dropped,
            self.alone + other.alone,
            low,
            high,
            self.two_valued and other.two_valued and within,
            self.wild + other.wild,
            self.sample.merge(other.sample),
            self.ends.merge(other.ends),
        )

    @property
    def labelled(self) -> Spread:
        """Spread of the features over the rows with a real label."""
        return Spread(self.rows, self.mean[:-1], np.diag(self.scatter)[:-1])

    def everything(self) -> Spread:
        """Spread of the features over all rows, labelled or not."""
        return self.labelled.merge(self.unlabelled)


def moments(source: Blocks, drop_missing: bool = False, fill: Fill | None = None) -> Moments:
    """One pass over a table, with its gaps filled or such rows left out.

    Raises
    ------
    ValueError
        If features have gaps (unless such rows are to be left out) or infinities, or labels are too few or do not vary.
    """
    needed = bytes_needed(source.features)
    if needed > MOST_BYTES:
        raise ValueError(
            f"X must have fewer columns to be read in blocks of rows, got {source.features}: X'X and its decomposition take "
            f"{needed / 1e9:.2g} GB, limit {MOST_BYTES / 1e9:.2g} GB; leave columns out"
        )
    tags = column_tags(source.names, source.features)
    found = source.fold(_Keeping(drop_missing, fill, source.origins, tags), Moments.merge)
    seen = found.rows + found.unlabelled.rows
    for counts, word, advice in (
        (found.missing, "missing", f"; {ADVICE}"),
        (found.infinite, "infinite", ""),
    ):
        if counts.any() and not (word == "missing" and drop_missing):
            bad = {name: int(count) for name, count in zip(source.origins, counts, strict=True)}
            raise ValueError(f"features have {word} values: {listed_gaps(bad, seen + found.dropped)}{advice}")
    if found.dropped and seen < 3:
        missing = {name: int(count) for name, count in zip(source.origins, found.missing, strict=True)}
        raise ValueError(too_many_gaps(missing, seen, seen + found.dropped))
    if found.wild:
        raise ValueError(f"the target must be finite, got {found.wild} infinite values")
    if found.rows < 3:
        raise ValueError(too_few_labels("the target is empty", seen - found.rows, seen))
    if not np.isfinite(found.scatter).all():
        raise ValueError("columns must have squares within the range of numbers, got an overflow: rescale them")
    if found.high / 2 - found.low / 2 <= 5e-14 * max(abs(found.high), abs(found.low)):
        raise ValueError(f"the target must vary, got {found.low:g} in all {found.rows} labelled rows")
    return found


def bytes_needed(features: int) -> int:
    """Memory of the pass and of the decomposition."""
    return 4 * 8 * (features + 1) ** 2


@dataclass
class _Keeping:
    """The moments of one block; a class, so that it travels to a worker.

    ``seen`` are the smallest keys of the blocks that came this way: they only save work.
    """

    drop_missing: bool
    fill: Fill | None
    origins: Sequence[str]
    tags: Keys
    seen: Keys = field(default_factory=lambda: np.empty(0, dtype=np.uint64))

    def __call__(self, columns: Sequence[Column], y: Column) -> Moments:
        columns = columns if self.fill is None else self.fill.into(columns)
        found = self._checked(columns, y)
        self.seen = found.sample.keys_after(self.seen)
        return found

    def _checked(self, columns: Sequence[Column], y: Column) -> Moments:
        found = _block(columns, y, self.seen, self.tags)
        if np.isfinite(found.mean[:-1]).all() and np.isfinite(found.unlabelled.mean).all():
            return found
        # Sums tell of gaps at no price; only then are they counted.
        gaps = np.array([np.isnan(column) for column in columns])
        missing, alone = gaps.sum(axis=1, dtype=np.float64), np.zeros(len(columns))
        # A category is missing in all of its columns at once.
        firsts = np.unique(self.origins, return_index=True)[1]
        alone[firsts] = (gaps[firsts] & (gaps[firsts].sum(axis=0) == 1)).sum(axis=1)
        infinite = np.array([np.isinf(column).sum() for column in columns], dtype=np.float64)
        whole = np.isfinite(np.array(columns)).all(axis=0)
        if not whole.all():
            found = _block([column[whole] for column in columns], y[whole], self.seen, self.tags)
        return replace(found, missing=missing, infinite=infinite, dropped=int(whole.size - whole.sum()), alone=alone)


def _block(columns: Sequence[Column], y: Column, seen: Keys, tags: Keys) -> Moments:
    """The moments of one block without gaps."""
    p, labels = len(columns), np.asarray(y, dtype=np.float64)
    real, sample = ~np.isnan(labels), Sample.of(columns, labels, seen, tags)
    unlabelled = Spread.of([column[~real] for column in columns])
    ends = Ends.of(columns).beside(Ends.of([labels[real]]))
    if not real.all():
        columns, labels = [column[real] for column in columns], labels[real]
    wild = int(np.isinf(labels).sum())
    low, high = (float(labels.min()), float(labels.max())) if labels.size else (np.inf, -np.inf)
    mean, rest, scatter = _scatter([*columns, labels])
    within = bool(np.all((labels == low) | (labels == high)))
    gaps = np.zeros(p), np.zeros(p), 0, np.zeros(p)
    return Moments(labels.size, mean, rest, scatter, unlabelled, *gaps, low, high, within, wild, sample, ends)


def _scatter(columns: Sequence[Column]) -> tuple[Floats, Floats, Floats]:
    """Means, their rest, and products of deviations: one column at a time, while it is in the cache, then one product."""
    rows, width = columns[0].size, len(columns)
    mean, rest, block = np.zeros(width), np.zeros(width), np.empty((rows, width), order="F")
    if not rows:
        return mean, rest, np.zeros((width, width))
    with np.errstate(over="ignore", invalid="ignore"):
        for j, column in enumerate(columns):
            mean[j] = column.mean(dtype=np.float64)
            np.subtract(column, mean[j], out=block[:, j], dtype=np.float64)
            rest[j] = block[:, j].mean()
        return mean, rest, block.T @ block


def products_of(found: Moments, standardize: bool = True, names: Sequence[str] | None = None) -> Products:
    """The products of the labelled rows of a table from its moments: those of its rows in memory, to rounding.

    Columns that are constant on the labelled rows are left out. ``standardize`` scales each column to unit variance over all.

    Raises
    ------
    ValueError
        If no column varies.
    """
    spread = found.everything()
    if not spread.varies.any():
        raise ValueError("X must have a column that varies, got only constant ones")
    kept = spread.varies & found.labelled.varies
    if not kept.any():
        raise ValueError(none_varies([named(names, i) for i in np.flatnonzero(spread.varies).tolist()]))
    n, p = found.rows, int(kept.sum())
    scale = spread.deviation[kept] if standardize else np.ones(p)
    gram = found.scatter[:-1, :-1][np.ix_(kept, kept)] / np.multiply.outer(scale, scale) / n
    return Products(gram, found.scatter[:-1, -1][kept] / scale, float(found.scatter[-1, -1]), n, p)


def sampled(found: Moments, products: Products, standardize: bool = True) -> tuple[Products, Rows, NDArray[np.intp]]:
    """The rows that were kept, scaled as ``products_of`` does, in an order of their own.

    Before them the products with the same order and signs of columns and labels, after them the order of the columns.
    """
    spread = found.everything()
    kept = spread.varies & found.labelled.varies
    X, y = np.ascontiguousarray(found.sample.rows[:, :-1][:, kept]), found.sample.rows[:, -1]
    shown = Presentation.of(X, y)
    at, signs = shown.columns, shown.signs
    rows = Rows(shown.features(X) / (spread.deviation[kept][at] if standardize else 1.0), shown.labels(y))
    gram = products.gram[np.ix_(at, at)] * np.multiply.outer(signs, signs)
    return replace(products, gram=gram, labels=shown.sign * signs * products.labels[at]), rows, at
