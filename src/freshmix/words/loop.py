"""The loop that is assumed, in one sentence, and the horizon it is judged at."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..loop import Loop

# Weights of a schedule that are printed; of a longer one the rest is left out.
_MOST_WEIGHTS = 6


def horizon(generations: int | None) -> str:
    """The generation a loop is judged at; None for the long run."""
    return "in the long run" if generations is None else f"at generation {generations}"


def synthetic_labels(
    noise_ratio: float,
    predictions: str = "synthetic labels that are plain predictions",
    sampled: str = "synthetic labels sampled from the fitted model",
) -> str:
    """What the synthetic labels are, from their noise variance over that of the real ones."""
    kinds = {0.0: predictions, 1.0: sampled}
    return kinds.get(noise_ratio, f"synthetic labels with {noise_ratio:g} times the real labels' noise variance")


def assumption(loop: "Loop", rows: int, generations: int | None) -> str:
    """A loop on a table of that many rows, or with that many new ones in each generation, and its horizon."""
    if loop.covariates == "frozen":
        real = "fresh real labels each generation" if loop.renewal == 1 else "the first generation's real labels kept"
        which = f"the same {rows} rows relabelled in each generation, {real}"
    else:
        share = loop.labelled
        first = f", after a first model of {rows} labelled rows"
        labels = "all with a real label" if share == 1 else f"{100 * share:.3g}% of them with a real label{first}"
        which = f"{rows} new rows in each generation, {labels}"
    return f"Assumed loop: {which}, {synthetic_labels(loop.synthetic_noise_ratio)}; judged {horizon(generations)}."


def in_words(loop: "Loop", weight_grid: bool = False, penalty_grid: bool = False) -> str:
    """A loop without a table; grids take the place of its real weight and its penalty."""
    rows = "new rows in each generation" if loop.covariates == "fresh" else "the same rows relabelled in each generation"
    if loop.renewal == 0:
        rows += ", real labels only the first time"
    learner = f"ridge, penalty {loop.penalty:.4g}" if loop.penalty else "no penalty (min-norm, or least squares below aspect 1)"
    if penalty_grid:
        learner = "a grid of penalties"
    aspect = "" if loop.aspect is None else f", aspect {loop.aspect:.4g}"
    weights = _weight_grid(loop) if weight_grid else _weights(loop)
    noise = loop.synthetic_noise_ratio
    return f"Assumed loop: {rows}{aspect}; {learner}; {weights}; synthetic noise {noise:.4g} times that of real labels."


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
