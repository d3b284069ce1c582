"""The products of a table with more columns than rows, from blocks of columns: the dual of ``moments``."""

from functools import reduce

import numpy as np

from ..arguments import Floats
from ..tables.arrays import is_constant, too_few_labels
from ..tables.blocks import Blocks
from ..tables.gaps import Fill
from ..words.table import listed_gaps, named, none_varies
from .ends import Ends
from .kept import Products
from .moments import MOST_BYTES
from .spread import Spread


def products_by_columns(
    source: Blocks, standardize: bool = True, fill: Fill | None = None
) -> tuple[Products, Floats, tuple[Spread, Spread], Ends]:
    """XX'/n of the labelled rows by blocks of columns.

    Each block is standardised over all rows and centred over the labelled ones, and leaves the sum of its products. Gaps are
    filled by ``fill``.

    Returns
    -------
    products : Products
        Those of the labelled rows; constant columns are left out.
    y : (n,) array
        The labels, NaN where there are none.
    spreads : pair of Spread
        Of the columns over the labelled and over the other rows.
    ends : Ends
        Those of the columns, and last of the labels.

    Raises
    ------
    ValueError
        If features have gaps, labels are too few or do not vary, or there are too many rows.
    """
    blocks = source.column_blocks()
    y = next(blocks)[:, 0]
    real = ~np.isnan(y)
    labels = y[real]
    n = labels.size
    if n < 3:
        raise ValueError(too_few_labels("the target is empty", y.size - n, y.size))
    if not np.isfinite(labels).all() or is_constant(labels):
        raise ValueError("the target must be finite and vary")
    gram, features, at = np.zeros((n, n)), 0, 0
    labelled, others, ends = [], [], []
    bad: dict[str, int] = {}
    for block in blocks:
        if fill is not None:
            block = np.where(np.isnan(block), fill.mean[at : at + block.shape[1]], block)
        counts = (~np.isfinite(block)).sum(axis=0).tolist()
        bad |= {named(source.names, at + i): count for i, count in enumerate(counts) if count}
        at += block.shape[1]
        if bad:
            # The rest is read for its gaps alone.
            continue
        ends.append(Ends.of_rows(block))
        apart, spread = _centred(block)
        (mine, one), (_, two) = _centred(apart[real], spread.mean), _centred(apart[~real], spread.mean)
        labelled.append(one)
        others.append(two)
        kept = spread.varies & one.varies
        scaled = mine[:, kept] / (spread.deviation[kept] if standardize else 1.0)
        gram += scaled @ scaled.T
        features += int(kept.sum())
    if bad:
        listed = listed_gaps(bad, y.size)
        raise ValueError(f"features must be finite in a table that is read by columns, got gaps or infinities in {listed}")
    if not features:
        varies = np.flatnonzero(_beside(labelled).merge(_beside(others)).varies).tolist()
        if varies:
            raise ValueError(none_varies([named(source.names, i) for i in varies]))
        raise ValueError("X must have a column that varies, got only constant ones")
    ends.append(Ends.of([labels]))
    labels = labels - labels.mean()
    products = Products(gram / n, labels, float(labels @ labels), n, features, by_columns=True)
    return products, y, (_beside(labelled), _beside(others)), reduce(Ends.beside, ends)


def most_rows() -> int:
    """Rows at which XX' and its decomposition take the memory allowed."""
    return int((MOST_BYTES / 32) ** 0.5)


def _centred(block: Floats, offset: Floats | float = 0.0) -> tuple[Floats, Spread]:
    """Columns less their means, and their spread, of which the means are ``offset`` higher."""
    mean = block.mean(axis=0) if len(block) else np.zeros(block.shape[1])
    apart = block - mean
    return apart, Spread(len(block), mean + offset, np.einsum("ij,ij->j", apart, apart))


def _beside(parts: list[Spread]) -> Spread:
    """The spread of the columns of all parts."""
    return Spread(
        parts[0].rows, np.concatenate([part.mean for part in parts]), np.concatenate([part.squares for part in parts])
    )
