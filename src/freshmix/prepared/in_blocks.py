"""A table that is read in blocks made ready: from its moments, without its rows."""

import numpy as np

from ..tables import Blocks
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
    notes: list[str] = []
    if known is not None and known < source.features and known <= most_rows():
        products, y, spreads, ends = products_by_columns(source, standardize)
        names = [words.named(source.names, index) for index in range(source.features)]
        warnings = told([label_warning(y), *ends.sentinels(names)])
        how = words.read_in_blocks("columns", 4 * products.gram.nbytes, None)
    else:
        found = moments(source, source.drop_missing)
        products, sample = products_of(found, standardize, source.names), sampled(found, standardize)
        spreads = found.labelled, found.unlabelled
        warnings = moments_warnings(found, source.names)
        how = words.read_in_blocks("rows", bytes_needed(source.features), sample.y.size)
        if found.dropped:
            notes.append(words.left_out(found.dropped))
    labelled, others = spreads
    alone = labelled.merge(others).varies
    kept = alone & labelled.varies
    left, constant = varying_names(source.names, kept, ~alone)
    elsewhere = [words.named(source.names, index) for index in np.flatnonzero(alone & ~kept).tolist()]
    constant += [words.left_out_elsewhere(elsewhere)] if elsewhere else []
    rows = labelled.rows + others.rows
    stream = Stream(rows, labelled.rows, rows, bias=spread_bias(labelled, others, source.names))
    scaled = words.STANDARDISED if standardize else words.CENTRED
    table = Prepared(stream, products.features, left, sample, products, (*notes, *constant, scaled, how), warnings)
    given = source.rows_per_generation
    return table if given is None else table.with_rows_per_generation(given)
