"""A table that is read in blocks made ready: from its moments, without its rows."""

import numpy as np
from numpy.typing import NDArray

from ..tables import Blocks
from ..tables.gaps import Fill
from ..tables.loading import mostly_lost
from ..words import table as words
from .by_columns import most_rows, products_by_columns
from .features import varying_names
from .kept import Prepared, Rows
from .moments import bytes_needed, moments, products_of, sampled
from .stream import Stream
from .suspects import label_warning, moments_warnings, spread_bias, told


def from_blocks(source: Blocks, standardize: bool = True) -> Prepared:
    """One pass over the blocks of rows, or of columns where there are more of those.

    Raises
    ------
    ValueError
        If the table cannot be used, or is too large in both directions.
    """
    known = source.rows
    sample: Rows | None = None
    order: NDArray[np.intp] | None = None
    notes: list[str] = []
    stated: tuple[str, ...] = ()
    fill = None if source.impute is None else Fill.of(source)
    if fill is not None and fill.missing.any():
        counts = {name: int(count) for name, count in zip(source.origins, fill.missing, strict=True)}
        stated = (words.filled_in(counts, fill.rows, "mean"),)
    if known is not None and known < source.features and known <= most_rows():
        products, y, spreads, ends = products_by_columns(source, standardize, fill)
        names = [words.named(source.names, index) for index in range(source.features)]
        warnings = told([label_warning(y), *ends.sentinels(names)])
        how = words.read_in_blocks("columns", 4 * products.gram.nbytes, None)
    else:
        found = moments(source, source.drop_missing, fill)
        products, sample, order = sampled(found, products_of(found, standardize, source.names), standardize)
        spreads = found.labelled, found.unlabelled
        warnings = moments_warnings(found, source.names)
        how = words.read_in_blocks("rows", bytes_needed(source.features), sample.y.size)
        if found.dropped:
            rows = found.rows + found.unlabelled.rows + found.dropped
            notes.append(words.left_out(found.dropped, rows))
            costs = dict.fromkeys(source.origins, 0)
            for name, count in zip(source.origins, found.alone, strict=True):
                costs[name] += int(count)
            stated = mostly_lost(costs, found.dropped, rows)
    labelled, others = spreads
    varies = labelled.merge(others).varies
    kept = varies & labelled.varies
    left, constant = varying_names(source.names, kept, ~varies)
    left = left if left is None or order is None else tuple(left[index] for index in order.tolist())
    elsewhere = [words.named(source.names, index) for index in np.flatnonzero(varies & ~kept).tolist()]
    constant += [words.left_out_elsewhere(elsewhere)] if elsewhere else []
    rows = labelled.rows + others.rows
    stream = Stream(rows, labelled.rows, rows, bias=spread_bias(labelled, others, source.names))
    scaled = words.STANDARDISED if standardize else words.CENTRED
    said = (*source.notes, *notes, *constant, scaled, how)
    table = Prepared(stream, products.features, left, sample, products, said, warnings, gaps=stated)
    given = source.rows_per_generation
    return table if given is None else table.with_rows_per_generation(given)
