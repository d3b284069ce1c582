"""The factorisation of a table with more columns than rows, from blocks of columns: the dual of ``moments``."""

import numpy as np

from ..arguments import Floats
from ..tables.arrays import is_constant, some, too_few_labels
from ..tables.blocks import Blocks
from .factorise import Factorisation, factorise_centred
from .moments import MOST_BYTES, Spread, varying


def factorise_columns(source: Blocks, standardize: bool = True) -> tuple[Factorisation, Floats, list[Spread]]:
    """XX'/n of the labelled rows by blocks of columns, decomposed.

    Each block is standardised over all rows and centred over the labelled ones, and leaves the sum of its products.

    Returns
    -------
    factorisation : Factorisation
        That of ``factorise`` on the labelled rows, to rounding; constant columns are left out.
    y : (n,) array
        The labels, NaN where there are none.
    spreads : list of two Spread
        Of the columns over the labelled and over the other rows.

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
    means: list[tuple[Floats, Floats]] = []
    squares: list[tuple[Floats, Floats]] = []
    for block in blocks:
        bad = np.flatnonzero(~np.isfinite(block).all(axis=0))
        if bad.size:
            listed = some([source.names[at + i] if source.names else f"column {at + i}" for i in bad.tolist()])
            raise ValueError(f"features must be finite in a table that is read by columns, got gaps or infinities in {listed}")
        at += block.shape[1]
        centre = block.mean(axis=0)
        block = block - centre
        spread = Spread(y.size, centre, np.einsum("ij,ij->j", block, block))
        parts = [block[real], block[~real]]
        mean = [part.mean(axis=0) if len(part) else np.zeros(part.shape[1]) for part in parts]
        parts = [part - m for part, m in zip(parts, mean, strict=True)]
        means.append((mean[0] + centre, mean[1] + centre))
        squares.append(tuple(np.einsum("ij,ij->j", part, part) for part in parts))
        kept = varying(spread)
        scale = np.sqrt(spread.squares[kept] / y.size) if standardize else 1.0
        scaled = parts[0][:, kept] / scale
        gram += scaled @ scaled.T
        features += int(kept.sum())
    if not features:
        raise ValueError("X must have a column that varies, got only constant ones")
    counts = (n, y.size - n)
    spreads = [
        Spread(counts[k], np.concatenate([m[k] for m in means]), np.concatenate([q[k] for q in squares])) for k in (0, 1)
    ]
    return factorise_centred(gram / n, labels - labels.mean(), features), y, spreads


def most_rows() -> int:
    """Rows at which XX' and its decomposition take the memory allowed."""
    return int((MOST_BYTES / 32) ** 0.5)
