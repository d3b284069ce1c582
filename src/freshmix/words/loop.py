"""The loop that is assumed, in one sentence, and the horizon it is judged at."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..loop import Loop

# Weights of a schedule that are printed; of a longer one the rest is left out.
_MOST_WEIGHTS = 6


# Steps without a name of their own.
RETRAININGS = "retraining"


def horizon(generations: int | None, step: str = "generation") -> str:
    """The generation a loop is judged at, in steps of that name; None for the long run.

    Examples
    --------
    >>> horizon(None), horizon(12), horizon(12, "month"), horizon(12, RETRAININGS)
    ('in the long run', 'at generation 12', 'at month 12', 'after 12 retrainings')
    """
    if generations is None:
        return "in the long run"
    if step == RETRAININGS:
        return f"after {generations} {step}{'' if generations == 1 else 's'}"
    return f"at {step} {generations}"


def synthetic_labels(
    noise_ratio: float,
    predictions: str = "synthetic labels that are plain predictions",
    sampled: str = "synthetic labels sampled from the fitted model",
) -> str:
    """What the synthetic labels are, from their noise variance over that of the real ones."""
    kinds = {0.0: predictions, 1.0: sampled}
    return kinds.get(noise_ratio, f"synthetic labels with {noise_ratio:g} times the real labels' noise variance")


def assumption(loop: "Loop", rows: int, when: str, step: str) -> str:
    """A loop on a table of that many rows, or with that many new ones in each ``step``, and ``when`` it is judged."""
    if loop.covariates == "frozen":
        kept = "the first generation's real labels kept" if loop.labels == "frozen" else "the same real labels each generation"
        real = {1.0: "fresh real labels each generation", 0.0: kept}
        which = f"the same {rows} rows relabelled in each generation, {real.get(loop.renewal, _renewed(loop))}"
    else:
        share = loop.labelled
        count = max(round(loop.first_rows * rows), 1)
        first = "" if loop.first_rows == share else f", after a first model of {count} labelled row{'s' if count > 1 else ''}"
        labels = "all with a real label" if share == 1 else f"{100 * share:.3g}% of them with a real label"
        which = f"{rows} new rows in each {step}, {labels}{first}"
    return f"Assumed loop: {which}, {synthetic_labels(loop.synthetic_noise_ratio)}; the mix is judged {when}."


def in_words(loop: "Loop", weight_grid: bool = False, penalty_grid: bool = False) -> str:
    """A loop without a table; grids take the place of its real weight and its penalty."""
    rows = "new rows in each generation" if loop.covariates == "fresh" else "the same rows relabelled in each generation"
    if loop.renewal < 1:
        rows += f", {_renewed(loop) if loop.renewal else 'real labels only the first time'}"
    learner = f"ridge, penalty {loop.penalty:.4g}" if loop.penalty else "no penalty (min-norm, or least squares below aspect 1)"
    if penalty_grid:
        learner = "a grid of penalties"
    aspect = "" if loop.aspect is None else f", aspect {loop.aspect:.4g}"
    weights = _weight_grid(loop) if weight_grid else _weights(loop)
    said = [rows + aspect, learner + anchored(loop), weights, *kept(loop)]
    said.append(f"synthetic noise {loop.synthetic_noise_ratio:.4g} times that of real labels")
    return f"Assumed loop: {'; '.join(said)}."


def anchored(loop: "Loop") -> str:
    """What the penalty pulls towards, where that is not 0."""
    part = "" if loop.anchor == 1 else f"{loop.anchor:.4g} times "
    return f", pulled towards {part}the previous model" if loop.anchor else ""


def kept(loop: "Loop") -> list[str]:
    """Which earlier rows stay in the fit, and the rows of generation 0 where they are others than later."""
    said = []
    if loop.kept_generations != 0:
        which = "all earlier generations" if loop.kept_generations is None else f"the last {loop.kept_generations} generations"
        if loop.kept_generations == 1:
            which = "the last generation"
        counts = f", each counting {loop.forgetting:.4g} of the next" if loop.forgetting < 1 else ""
        said.append(f"labelled rows of {which} kept in the fit{counts}")
    if loop.first_rows != 1:
        said.append(f"generation 0 on {loop.first_rows:.4g} times as many rows")
    return said


def _renewed(loop: "Loop") -> str:
    return f"real labels with {100 * loop.renewal:.4g}% of their noise new each time"


def _weight_grid(loop: "Loop") -> str:
    partly = loop.groups is not None and 0 < loop.labelled < 1
    rows = f"{100 * loop.labelled:.4g}% of rows, 0 on the others" if partly else "all rows"
    return f"a grid of real weights on {rows}"


def _weights(loop: "Loop") -> str:
    if loop.schedule is not None:
        more = " ..." if len(loop.schedule) > _MOST_WEIGHTS else ""
        return "real weights " + ", ".join(f"{w:.4g}" for w in loop.schedule[:_MOST_WEIGHTS]) + more
    if loop.groups is None:
        return "best real weight"
    if len(loop.groups) == 1:
        return f"real weight {loop.groups[0].real_weight:.4g} on all rows"
    return "; ".join(
        f"{100 * g.share:.4g}% of rows at real weight {g.real_weight:.4g}"
        + (f", row weight {g.row_weight:.4g}" if g.row_weight != 1 else "")
        for g in loop.groups
    )
