"""Where the theory is on thin ice for a table, and what else should be known of what was done: one sentence each, or None."""

import math
from collections.abc import Mapping, Sequence

FEW_ROWS = 50
FEW_LABELS = 20
ILL_CONDITIONED = 1e8
# Weights so near 1 are 1; smaller rises of a schedule are not told.
ROUNDING, _RISE = 1e-6, 1e-3

DETERMINED = "the features determine the label: a leak? There is no noise in the labels to judge a mix by"
NO_DRIFT = "no drift of the coefficients found, and none is counted"
DIVERGES_LATER = "the recommended loop is good at its horizon but diverges in the long run: do not run it beyond"


def determined(rows: int, features: int | None) -> str:
    """Labels without noise."""
    of = "the kernel's features" if features is None else f"the {features} {'feature' if features == 1 else 'features'}"
    return (
        f"all {rows} labels are, to rounding, a linear function of {of}: look for a column that was made from the label; "
        "the figures here are those of labels without noise"
    )


def few_rows(rows: int) -> str | None:
    """Of a table whose rows all have a label."""
    return (
        f"only {rows} rows: the theory is asymptotic and the estimates are rough below {FEW_ROWS}" if rows < FEW_ROWS else None
    )


def alone(places: Sequence[int], most: int = 5) -> str | None:
    """Rows, counted from 0, that nearly decide their own fit."""
    if not len(places):
        return None
    shown = ", ".join(str(place + 1) for place in places[:most])
    more = f" and {len(places) - most} more" if len(places) > most else ""
    which = f"row {shown} (counted" if len(places) == 1 else f"rows {shown}{more} (counted"
    verbs = (
        ("nearly decides its own fit", "its", "it") if len(places) == 1 else ("nearly decide their own fits", "their", "them")
    )
    return (
        f"{which} from 1 among those read) {verbs[0]}, as the only row of a category does: {verbs[1]} leverage is above 0.9, "
        f"and no other row tells how well {verbs[2]} would be predicted"
    )


def few_labelled_rows(labelled: int) -> str | None:
    """Of a table whose rows have a label in part."""
    return f"only {labelled} labelled rows: the estimates are rough below {FEW_ROWS}" if labelled < FEW_ROWS else None


def few_labels(labels: float) -> str | None:
    """A generation with few real labels."""
    if labels >= FEW_LABELS:
        return None
    return f"fewer than {FEW_LABELS} labels per generation: the theory is rough there; collect more, or retrain less often"


def identifiable(noise: tuple[float, float]) -> str | None:
    """A wide interval of the noise variance."""
    low, high = noise
    if high <= 4 * low:
        return None
    return (
        f"the noise variance is hardly identifiable here: from {low:.3g} to {high:.3g} anything fits (90%), and the best "
        "weight depends on it; some 20 rows labelled twice would show it"
    )


def misfit(names: Sequence[str], share: float, more: int) -> str:
    """Features that act in curves, and what of the noise that is."""
    which = ", ".join(names) + (f" and {more} more" if more else "")
    verb = "acts" if len(names) + more == 1 else "act"
    return (
        f"{which} {verb} in a curve: {100 * share:.2g}% of what is counted as noise is what a linear model cannot fit; "
        "add squares of such columns to the table"
    )


def near_threshold(penalty: float, aspect: float) -> str | None:
    """A fit without a penalty close to the interpolation threshold."""
    if penalty > 0 or abs(aspect - 1) >= 0.1:
        return None
    return f"features / rows is {aspect:.3g}, close to 1 without a penalty: the variance is near its peak; use a penalty"


def no_signal(intervals: Mapping[str, tuple[float, float]], bounded: bool = True) -> str | None:
    """An interval of the signal's variance (``null_risk``) that reaches 0, or a best penalty without an upper bound.

    That of the ratio may reach 0 where there is next to no noise, too: its draws are then spread over orders of magnitude.
    """
    if not bounded:
        return "the table shows no signal that a linear fit can use: the best penalty has no upper bound"
    if intervals["null_risk"][0] > 0:
        return None
    most = intervals["signal_to_noise_ratio"][1]
    return f"the table shows no signal beyond chance: its signal-to-noise ratio may be anything from 0 to {most:.3g} (90%)"


def collinear(condition: float) -> str | None:
    """Columns that are close to combinations of others, by the condition number."""
    if not condition > ILL_CONDITIONED:
        return None
    how = "some are combinations of others" if math.isinf(condition) else f"condition number {condition:.1e}"
    return f"columns are collinear: {how}; coefficients along them are not determined, predictions are"


def no_best_weight(generations: int) -> str:
    """A long run that is best at no weight, and the horizon in its place."""
    return (
        "synthetic labels without noise: in the long run the risk keeps falling as the real weight tends to 0, so that no best "
        f"weight exists; the weight is best for generation {generations} instead"
    )


def of_schedule(weights: Sequence[float], constant: float, labelled: float, worth: float) -> tuple[str, ...]:
    """A schedule that is constant, forgets, or rises; ``worth`` is the relative gain that a harder one must bring."""
    T, share = len(weights), f"{100 * worth:.3g}% of the prediction error at generation {len(weights)}"
    if all(w == constant for w in weights):
        return (f"no schedule gains more than {share} over the best constant weight, which is kept",)
    said = []
    alone = max((t for t, w in enumerate(weights, start=1) if w >= 1 - ROUNDING), default=0)
    if labelled == 1 and alone > 1:
        said.append(
            f"generation {alone} of the schedule has real labels alone and forgets all before it: the weights before it do "
            f"not matter at generation {T}"
        )
    elif alone:
        until = f"generations 1 to {alone}" if alone > 1 else "generation 1"
        said.append(f"at weight 1 ({until}) real labels are not mixed with synthetic ones")
    rises = ", ".join(str(t) for t in range(2, T + 1) if weights[t - 1] - weights[t - 2] > _RISE)
    if rises:
        said.append(f"the weight rises at generation {rises}: schedules that never do lose more than {share}")
    return tuple(said)
