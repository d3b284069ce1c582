"""What was done to a table, and what it looks like that the theory does not assume: one sentence each."""

from collections.abc import Iterable, Mapping, Sequence

STANDARDISED = "features standardised to mean 0 and variance 1"
CENTRED = "features centred, not scaled"
PRECISIONS = (
    "sample weights are precisions of the labels, used at mean 1: the noise variance is that of a row of mean weight, and "
    "a fit with weights of another mean m needs m x alpha"
)

# Where more than this share of the columns rests on single rows, an answer says so first.
_MANY = 0.05
_ANY_SIZE = "errors on new rows that differ there may be of any size"

MONTHS_AS_NUMBERS = (
    "time steps look like year and month written as one number (2024.11): 2024.1 is then both January and October; write text "
    "or ISO months"
)


def some(names: Iterable[str], most: int = 8) -> str:
    """The first few names, and how many more there are."""
    kept = list(names)
    return ", ".join(kept[:most]) + (f" and {len(kept) - most} more" if len(kept) > most else "")


def named(names: Sequence[str] | None, index: int) -> str:
    """A column by its name, or else by its place."""
    return names[index] if names else f"column {index}"


def listed_gaps(counts: Mapping[str, int], rows: int) -> str:
    """Columns with gaps and their counts, the worst first."""
    worst = sorted(((name, count) for name, count in counts.items() if count), key=lambda each: -each[1])
    return some(f"{name} ({f'all {rows}' if count == rows else count})" for name, count in worst)


def none_varies(elsewhere: Sequence[str]) -> str:
    """Columns that vary, but none where there are labels."""
    which = f"{some(elsewhere)} {'varies' if len(elsewhere) == 1 else 'vary'} on the other rows only"
    return f"X must have a column that varies on the labelled rows, got none: {which}"


def left_out_elsewhere(names: Sequence[str]) -> str:
    """What became of such columns."""
    return f"columns left out that vary only on rows without a label: {some(names, 5)}"


def constant_columns(names: Iterable[str], most: int = 8) -> str:
    """Columns that say nothing."""
    return f"constant columns left out: {some(names, most)}"


def left_out(rows: int, of: int | None = None, why: str = "with missing features") -> str:
    """Rows that are not used."""
    return f"{rows}{'' if of is None else f' of {of}'} rows {why} left out"


def left_out_mostly(name: str, alone: int, lost: int, rows: int) -> str:
    """Rows that are left out are most of the table."""
    return (
        f"Most of the table is left out: {lost} of {rows} rows have missing features, {alone} of them in {name} alone; leave "
        "out such a column, or fill its gaps, to keep them."
    )


def filled_in(counts: Mapping[str, int], rows: int, how: str) -> str:
    """Gaps that were filled."""
    cells = sum(counts.values())
    return (
        f"Filled in by the {how} of the labelled rows: {cells} missing {'cell' if cells == 1 else 'cells'} of {rows} rows, in "
        f"{listed_gaps(counts, rows)}; they count as if they had been measured."
    )


def without_label(count: int, rows: int) -> str:
    """Rows with an empty target make another loop of a table."""
    return (
        f"The target is empty in {count} of the table's {rows} rows, which makes it a loop on new rows, some without a real "
        "label; leave such rows out (option drop-unlabelled, in Python drop_unlabelled=True) for the loop of a table that is "
        "all labelled."
    )


def same_times(words: Sequence[str], steps: Sequence[int]) -> str:
    """Texts that differ and are one time step, as they are the same number."""
    first: dict[int, str] = {}
    pairs = [
        f"{first[step]} and {word}" for word, step in zip(words, steps, strict=True) if first.setdefault(step, word) != word
    ]
    return (
        f"time steps that are the same number are one step: {some(pairs, 3)}; write text that is no number to keep them apart"
    )


def without_year(before: str, after: str, first: str) -> str:
    """Months or quarters without a year that go back in the order of the rows, as from December to January."""
    return (
        f"time steps name no year, and {after!r} follows {before!r} in the order of the rows: rows of the same name are one "
        f"step, and {first!r} is the first; write the year as well (2024-01) if that is wrong"
    )


def read_in_blocks(of: str, bytes_held: int, kept: int | None) -> str:
    """A table that was read once, in blocks of rows or of columns; ``kept`` rows are held for a replay, None: none can be."""
    replayed = "no rows are kept for a check by replay" if kept is None else f"{kept} rows are kept to replay"
    return (
        f"read once in blocks of {of}: about {max(bytes_held / 1e6, 0.1):.2g} MB of sums, whatever the number "
        f"of {of}, beside what is read ahead; {replayed}, none for a look at copies"
    )


def without_rows(partly: bool) -> tuple[str, ...]:
    """What is not looked at where the rows have passed; ``partly``: some have no label."""
    compared = "labelled and other rows were compared by the means of their columns, not by their spreads"
    return ("no backtest: the rows of a table that is read in blocks are not kept", *([compared] if partly else ()))


def uneven_weights(rows: int, alike: float) -> str:
    """Sample weights that theory does not tell apart."""
    return (
        f"sample weights are uneven: {rows} rows count like {alike:.0f} of one weight; theory takes rows for "
        "alike here and puts the risk too low (where they count like half, by a third to a half): trust a replay or a backtest"
    )


def two_valued(low: float, high: float) -> str:
    """What regression on two values means."""
    score = "the Brier score" if (low, high) == (0, 1) else "a squared error"
    return (
        f"the target has two values, {low:g} and {high:g}: this is classification by regression on them; the prediction error "
        f"is {score} of the predicted mean (for 0 and 1 the probability), not an error rate of classes, and the noise "
        "variance differs between rows, which the theory takes as one number"
    )


def few_values(count: int, low: float, high: float) -> str:
    """What regression on a handful of whole numbers may mean."""
    return (
        f"the target has {count} values, whole numbers from {low:g} to {high:g}: fine for counts; "
        "if they name classes, make it 0 and 1, one class against the rest"
    )


def label_outlier(value: float, share: float) -> str:
    """One label that is most of the variance."""
    return f"one label, {value:.6g}, makes up {100 * share:.0f}% of the target's variance: check it, the estimates rest on it"


def sentinel(name: str, value: float, share: float, low: float, high: float) -> str:
    """A value that may stand for a missing one."""
    return (
        f"{100 * share:.2g}% of {name} is {value:g}, far from the others ({low:.4g} to {high:.4g}): if it stands for a missing "
        "value, write NA or nothing"
    )


def same_columns(groups: Sequence[Sequence[str]]) -> str:
    """Columns that are copies, group by group."""
    count = sum(len(group) - 1 for group in groups)
    listed = some([" = ".join(group[:4]) for group in groups], 4)
    return f"{count} {'column is a copy' if count == 1 else 'columns are copies'} of others: {listed}"


def repeated_rows(count: int, rows: int) -> str:
    """Rows that are copies."""
    return (
        f"{count} of {rows} rows {'repeats' if count == 1 else 'repeat'} another row, label included: the theory takes rows "
        "as independent, and copies make the noise look smaller than it is"
    )


def row_numbers(names: Sequence[str]) -> str:
    """Columns of whole numbers that number the rows, in order or not."""
    word = "looks like a row number or an id" if len(names) == 1 else "look like row numbers or ids"
    return f"{some(names)} {word} (whole numbers, nearly all different): leave out what will not carry over to new rows"


def copied_target(names: Sequence[str]) -> str:
    """Columns from which the label can be read off."""
    return f"{some(names)} {'is' if len(names) == 1 else 'are'} the target itself, but for its scale and offset: a leak?"


def dominated_columns(names: Sequence[str], columns: int) -> str:
    """Columns, of so many, of which one row is most of the variance."""
    many = f"; {len(names)} of {columns} columns are like that: {_ANY_SIZE}" if len(names) > max(1, _MANY * columns) else ""
    return (
        f"in {some(names)} one row makes up most of the variance (an outlier, or a category of one row): its coefficient "
        f"rests on that row alone{many}"
    )


def any_size(warnings: Sequence[str]) -> bool:
    """Whether so many columns rest on single rows that no figure holds for rows that differ there."""
    return any(_ANY_SIZE in each for each in warnings)


def label_bias(name: str, size: float, z: float) -> str:
    """Labelled and other rows that differ by more than chance explains; ``size`` in standard deviations."""
    return (
        f"labels are not missing at random: {name} differs by {size:.2g} standard deviations between labelled and other "
        f"rows (z = {z:.1f}), and the theory assumes that they are alike"
    )


def heavy_tails(error: float) -> str:
    """Noise of which a few rows hold much; ``error`` is what that adds to the relative error of its variance."""
    return (
        "a few rows carry much of the noise (heavy tails): its variance is uncertain by "
        f"{100 * error:.0f}% for that alone, and rarer rows than the table shows can bring more"
    )


def noise_disagrees(name: str, value: float, likelihood: float, z: float, stretch: float) -> str:
    """Noise variances by two routes that are ``z`` standard errors apart."""
    return (
        f"the estimates of the noise variance disagree: {value:.3g} by {name.replace('_', ' ')} and "
        f"{likelihood:.3g} by likelihood, {abs(z):.1f} standard errors from what it expects; every "
        f"interval is {stretch:.1f} times as wide for it"
    )


def assumed_order(how: str, first: str, last: str) -> str:
    """Time steps whose order had to be guessed."""
    return (
        f"time steps are ordered {how}: the first is {first!r}, the last {last!r}; write numbers or ISO dates if that is wrong"
    )
