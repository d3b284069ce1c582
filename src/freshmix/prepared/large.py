"""A recommendation for a table that is read in blocks: from its moments, without its rows."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from ..arguments import Floats
from ..estimation import Estimate, Factorisation, banded
from ..estimation.moments import Moments, Spread, bytes_needed, factorise_moments, moments, varying
from ..estimation.wide import factorise_columns, most_rows
from ..tables import Blocks
from .features import at_threshold
from .stream import LABEL_BIAS_LEVEL, Stream
from .suspects import DOMINATING, label_outlier, label_warning, same_columns, two_valued

_COPY = 1e-12


@dataclass(frozen=True, eq=False)
class LargeTable:
    """What is left of a table after its blocks have passed; ``sample`` holds features, as scaled, and labels of some rows."""

    factorisation: Factorisation
    labelled_spread: Spread
    other_spread: Spread
    names: tuple[str, ...] | None
    rows_per_generation: int | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    sample: tuple[Floats, Floats] | None = None

    @property
    def labelled(self) -> int:
        """Rows with a real label."""
        return self.labelled_spread.rows

    @property
    def rows(self) -> int:
        """All rows."""
        return self.labelled_spread.rows + self.other_spread.rows

    @property
    def partly(self) -> bool:
        """Whether some rows have no real label."""
        return self.other_spread.rows > 0

    @property
    def share(self) -> float:
        """Share of rows with a real label."""
        return self.labelled / self.rows

    @property
    def features(self) -> int:
        """Columns that vary."""
        return self.factorisation.features or 0

    def estimate(self, penalty: float | None, rng: np.random.Generator) -> Estimate:
        """The banded estimate."""
        at_threshold(penalty, self.labelled, self.features)
        return banded(self.factorisation, rng)


@dataclass(frozen=True, eq=False)
class LargeStream(Stream):
    """A stream of which counts and moments are known, not the rows."""

    table: LargeTable

    @property
    def share(self) -> float:
        """Share of rows with a real label."""
        return self.table.share

    def label_bias(self, X: Floats, names: tuple[str, ...] | None) -> str | None:
        """The comparison of ``Stream.label_bias``, from means and variances."""
        return label_bias(self.table.labelled_spread, self.table.other_spread, names)


def read_large(source: Blocks, standardize: bool = True) -> LargeTable:
    """One pass over the blocks of rows, or of columns where there are more of those.

    Raises
    ------
    ValueError
        If the table cannot be used, or is too large in both directions.
    """
    rows = source.rows
    wide = rows is not None and rows < source.features and rows <= most_rows()
    notes: list[str] = []
    if wide:
        factorisation, y, (labelled, other) = factorise_columns(source, standardize)
        said = label_warning(y)
        warnings = [] if said is None else [said]
        memory = 4 * 8 * labelled.rows**2
        how = "columns"
        sample = None
    else:
        found = moments(source, source.drop_missing)
        factorisation = factorise_moments(found, standardize)
        labelled = Spread(found.rows, found.mean[:-1], np.diag(found.scatter)[:-1])
        other, memory, how = found.unlabelled, bytes_needed(source.features), "rows"
        if found.dropped:
            notes.append(f"{found.dropped} rows with missing features left out")
        warnings, sample = _warnings(found, source), _sampled(found, standardize)
    kept = varying(labelled.merge(other))
    if not kept.all():
        constant = [source.names[i] if source.names else str(i) for i in np.flatnonzero(~kept).tolist()]
        more = f" and {len(constant) - 5} more" if len(constant) > 5 else ""
        notes.append(f"constant columns left out: {', '.join(constant[:5])}{more}")
    notes.append("features standardised to mean 0 and variance 1" if standardize else "features centred, not scaled")
    replayed = "no rows are kept for a check by replay" if sample is None else f"{sample[1].size} rows are kept to replay"
    notes.append(
        f"read once in blocks of {how}: about {max(memory / 1e6, 0.1):.2g} MB of sums, whatever the number "
        f"of {'columns' if wide else 'rows'}, beside what is read ahead; {replayed}, none for a look at copies"
    )
    told = tuple(notes), tuple(warnings)
    return LargeTable(factorisation, labelled, other, source.names, source.rows_per_generation, *told, sample)


def _sampled(found: Moments, standardize: bool) -> tuple[Floats, Floats]:
    """The rows that were kept, their features scaled as ``factorise_moments`` does."""
    rows, spread = found.sample.in_order(), found.everything()
    kept = varying(spread)
    scale = np.sqrt(spread.squares[kept] / spread.rows) if standardize else 1.0
    return rows[:, :-1][:, kept] / scale, rows[:, -1]


def _warnings(found: Moments, source: Blocks) -> list[str]:
    """Those of ``table_warnings`` that moments show."""
    said: list[str | None] = []
    energy, mean = float(found.scatter[-1, -1]), float(found.mean[-1])
    if found.two_valued:
        said.append(two_valued(found.low, found.high))
    else:
        worst = max((found.low, found.high), key=lambda label: abs(label - mean))
        share = (worst - mean) ** 2 / energy
        said.append(label_outlier(worst, share) if share > DOMINATING else None)
    gram = found.scatter[:-1, :-1]
    size = np.sqrt(np.diag(gram))
    kept = np.flatnonzero(size > 0)
    same = np.abs(gram[np.ix_(kept, kept)] / np.multiply.outer(size[kept], size[kept]) - 1) < _COPY
    pairs = [(int(kept[i]), int(kept[j])) for i, j in zip(*np.nonzero(np.triu(same, 1)), strict=True)]
    # Correlation 1 and the same variance and mean.
    copies = [(i, j) for i, j in pairs if abs(size[i] / size[j] - 1) < 1e-9 and found.mean[i] == found.mean[j]]
    names = source.names or tuple(f"column {i}" for i in range(source.features))
    said.append(same_columns([(names[i], names[j]) for i, j in copies]))
    return [each for each in said if each is not None]


def label_bias(one: Spread, two: Spread, names: tuple[str, ...] | None) -> str | None:
    """A sentence where labelled and other rows differ in the mean of some column more than chance explains."""
    if min(one.rows, two.rows) < 10:
        return None
    spread = np.sqrt(one.squares / (one.rows - 1) / one.rows + two.squares / (two.rows - 1) / two.rows)
    gap = one.mean - two.mean
    z = np.abs(np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0))
    worst = int(np.argmax(z))
    if z[worst] <= norm.isf(LABEL_BIAS_LEVEL / (2 * z.size)):
        return None
    both = one.merge(two)
    name = names[worst] if names else f"column {worst}"
    size = abs(gap[worst]) / np.sqrt(both.squares[worst] / both.rows)
    return (
        f"labels are not missing at random: {name} differs by {size:.2g} standard deviations between labelled and other "
        f"rows (z = {z[worst]:.1f}), and the theory assumes that they are alike"
    )
