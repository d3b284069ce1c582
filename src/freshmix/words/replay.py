"""What replays say: of a check that was made or not, of a backtest that was not, and of coefficients that drift."""

from ..arguments import Floats
from .figures import short

TOO_SMALL = "not checked: fewer than 3 rows per generation"
AT_THRESHOLD = "not checked: the rows to fit on are about as many as the features, and there is no penalty"
IN_BLOCKS = "not checked: the table is read in blocks of columns, and its rows are not kept"
EXACT = "not checked: the features determine the label, and there is no noise to replay"
WEIGHTED = "not checked: new rows of several sample weights are not replayed"
SEVERAL_GROUPS = "no backtest: it is for one group of labelled rows"


def too_few(rows: int) -> str:
    """Why there is no check of a table with fewer different rows than these."""
    return f"not checked: fewer than {rows} different rows, or 3 labels, to replay with"


def compared(fits: bool, holds: bool, rows: int, observed: Floats, predicted: Floats, z: float, worst: int) -> str:
    """What a check found, in one sentence; ``z`` is the largest z-score, that of generation ``worst``."""
    found = "it fits" if fits else "the setting holds, its figures do not" if holds else "it does not"
    return (
        f"{found}: replayed with {rows} of the table's rows in each generation, the loop has excess risk {short(observed[-1])} "
        f"after {observed.size - 1} retrainings, and theory predicts {short(predicted[-1])} for that many; the largest gap is "
        f"{abs(z):.1f} standard errors, after {worst}"
    )


def on_real_labels(observed: float, predicted: float) -> str:
    """Beside what a check found: errors on the real labels."""
    return (
        f"; on the real labels, each held out, the fit that the loop comes to on average has a mean squared error of "
        f"{short(observed)}, and theory says {short(predicted)}"
    )


def corrected(factor: float, regret: float) -> str:
    """Beside the verdict, where the setting is right and its figures are not."""
    best = (
        "no setting does better there"
        if regret <= 0
        else f"the best one there has a prediction error {100 * regret:.2g}% below"
    )
    return (
        f"replayed on the table's own rows this setting holds ({best}), with {factor**2:.2f} times the excess risk that "
        f"theory predicts; the figures here are corrected by {factor:.2f}, the square root of that"
    )


def better_there(w: float, penalty: float, chosen: float, instead: float) -> str:
    """A note, where the replay finds a better setting than theory, which is recommended."""
    return (
        f"theory alone would choose real weight {w:.3g} and lambda {penalty:.3g}; replayed on the table's own rows that has "
        f"excess risk {short(chosen)}, and the recommended setting {short(instead)}"
    )


def in_place_of_theory(
    observed: Floats, predicted: float, real_only: float, best: tuple[float, float, float] | None, no_worse: bool, blocks: bool
) -> str:
    """What a replay says where theory does not fit.

    ``best`` is the best real weight, penalty and risk there, than which real labels only may do ``no_worse``; ``blocks``: it
    failed on rows held out by time.
    """
    said = (
        "here is what the replay says: on the table's own rows the recommended loop has excess risk "
        f"{short(observed[-1])} after {observed.size - 1} retrainings, real labels only {short(real_only)}"
    )
    if best is not None:
        w, penalty, risk = best
        said += f", and the best mix there {short(risk)} (real weight {w:.2g}, lambda {penalty:.2g})"
        said += ": real labels only do no worse" if no_worse else ""
    said += f"; theory predicted {short(predicted)}"
    if blocks:
        said += "; rows of a step are more alike than rows of different ones, and the theory assumes that they are not"
    return said


def neighbours(together: float, apart: float) -> str:
    """A warning where rows that stand together in the table are predicted worse if held out together than if held out apart."""
    return (
        f"rows near each other in the table are alike: the excess risk is {short(together)} where neighbours are held out "
        f"together, and {short(apart)} where rows are held out at random; if new rows come in that order, name the column that "
        "holds their time; if the table is sorted, nothing is wrong"
    )


def no_backtest(steps: int, few: int, needed: int) -> str:
    """Why steps cannot be backtested: ``few`` of them have too few labels, or there are fewer than ``needed``."""
    short = f"{few} of {steps} steps have fewer than 2 labels"
    return f"no backtest: {short if few else f'it needs {needed} steps with labels, got {steps}'}"


def fewer_labels(loop: float, table: float) -> str:
    """Why a loop is not backtested that labels a larger share of the rows than the table."""
    return f"no backtest: the loop labels {100 * loop:.3g}% of the rows, the table {100 * table:.3g}%"


def drifts(before: float, own: float, z: float) -> str:
    """Coefficients drift: errors on the later half of a model of the earlier one and of its own, and their z-score."""
    return (
        f"the coefficients drift: on the later half a model of the earlier half errs by {short(before)}, one of the later "
        f"half itself by {short(own)} (z = {z:.1f}); all figures but the check's count a steady drift, not a sudden change"
    )
