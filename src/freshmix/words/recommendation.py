"""What a recommendation says, in parts: the recipe, the settings, the rivals, what the table was estimated to be."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import remembering
from .figures import figures, percent, with_interval
from .layout import Answer, Block, Grid, Lines, Pairs, Verdict
from .loop import horizon

# Ways of training have the same name everywhere.
WAYS = {
    "real_only": "real labels only",
    "keep_all_labels": "keep all real labels",
    "today": "today's setting",
    "synthetic_only": "synthetic labels only",
    "constant_weight": "best constant weight",
}
RIVALS = ("training on", "excess risk", "prediction error", "change")
# Weights of a schedule that are printed; of a longer one the middle is left out.
_MOST_WEIGHTS = 12
# Verdicts of a smaller share of the posterior draws are not told.
_LEAST_SHARE = 0.01
_BACKTEST = "Backtest: mean squared error on the labelled rows of the next step"
_ERRORS = "prediction error is excess risk plus noise variance; change is that of the prediction error against the first line"


# A ``freshmix.Recommendation``: it stands above this room, and is read by its fields alone.
Recommended = Any


def answer(r: Recommended) -> Answer:
    """All of it."""
    return (
        Block((r.assumption,)),
        Verdict(r.verdict, r.reason),
        Block(tuple(filter(None, (recipe(r), other_end(r))))),
        Pairs("Recommended (90% intervals in brackets)", settings(r)),
        Grid(f"Against other ways of training, {horizon(r.generations)} (squared label units)", RIVALS, rival_rows(r), left=1),
        Lines(None, remarks(r)),
        *([Grid(_remembering(r), remembering.COLUMNS, remembering.rows(r.rivals, r.best), left=3)] if r.rivals else []),
        Lines(None, () if r.persistence is None else (remembering.drift(r.persistence),)),
        *([Pairs(_BACKTEST, backtested(r))] if backtested(r) else []),
        Lines("Does the theory fit this table?", (checked(r),)),
        Pairs("Estimated from the table (90% intervals in brackets)", estimates(r)),
        Lines("Warnings", r.warnings),
        Lines("Notes", r.notes),
    )


def _remembering(r: Recommended) -> str:
    """Which horizon ways to remember are compared at."""
    when = horizon(len(r.risk_by_generation["recommended"]) - 1)
    return f"What to remember between retrainings, {when}" + ("" if r.persistence is None else ", judged on the next step")


@dataclass(frozen=True)
class Rival:
    """Another way of training: excess risk and prediction error (squared label units), and how much worse it is.

    ``change`` is 100 (E / E_recommended - 1), the change in prediction error in percent; NaN where it has no meaning.
    """

    key: str
    name: str
    risk: float
    prediction_error: float
    change: float


def rivals(r: Recommended) -> list[Rival]:
    """The baselines that are known, with R + sigma^2 and the change in percent against the recommendation."""
    found = []
    for key, name in WAYS.items():
        risk = r.baselines.get(key)
        if risk is None:
            continue
        error, best = risk + r.noise_variance, r.prediction_error
        change = 100 * (error / best - 1) if math.isfinite(error) and 0 < best < math.inf else math.nan
        found.append(Rival(key, name, risk, error, change))
    return found


def rival_rows(r: Recommended) -> list[Sequence[str]]:
    """The recommendation and its rivals, under the names in ``RIVALS``."""
    rows: list[Sequence[str]] = [("recommended mix", figures(r.risk), figures(r.prediction_error), "")]
    return rows + [(each.name, figures(each.risk), figures(each.prediction_error), percent(each.change)) for each in rivals(r)]


def recipe(r: Recommended) -> str:
    """What to do, in a sentence or three."""
    mix = f"fit {'each generation' if r.schedule is None else 'generation t'} {_training(r)}, with {_learner(r)}."
    if r.check is not None and not r.check.trusted:
        return f"On theory alone, which is not to be relied on here: {mix}"
    if r.persistence is not None and r.best not in ("keep_all", "mixed"):
        way = f"{remembering.NAMES[r.best]} ({remembering.settings(r.rivals[r.best])})"
        return f"Of ways to remember {way} is the best one for this table's steps. Where only labels can be mixed, {mix}"
    if r.advice == "keep_all_labels" and r.rows_per_generation is not None:
        return f"Keep all real labels ever seen and fit on them: no mix is better. Where old rows cannot be kept, {mix}"
    if r.advice == "keep_all_labels":
        return (
            f"Keep all real labels ever drawn and fit on their averages: no mix is better. Where old ones cannot be kept, {mix}"
        )
    return mix[0].upper() + mix[1:]


def _training(r: Recommended) -> str:
    """Which labels a generation is fitted on."""
    if r.schedule is not None:
        labels = "w_t x real label + (1 - w_t) x synthetic label"
        return f"{_rows(r, labels)}, where w_1, w_2, ... = {schedule(r.schedule)}"
    if r.real_weight == 1.0:
        return _rows(r, "the real labels alone" if r.labelled == 1 else "the real label")
    return _rows(r, _mixed(r.real_weight))


def _mixed(w: float) -> str:
    """Labels of that real weight."""
    if w in (0.0, 1.0):
        return f"the {'real' if w else 'synthetic'} labels alone"
    return f"{figures(w)} x real label + {figures(1 - w)} x synthetic label"


def _rows(r: Recommended, labels: str) -> str:
    """Which rows get these labels, and what becomes of the others."""
    if r.labelled == 1:
        return f"on {labels}"
    if r.row_weight == 0:
        return f"on the labelled rows alone, on {labels}"
    return f"with labelled rows on {labels}, other rows on the synthetic label at row weight {figures(r.row_weight)}"


def _learner(r: Recommended, alpha: float | None = None) -> str:
    """What is fitted, at the recommended penalty or at another ``alpha``."""
    linear, alpha = r.population is not None, r.alpha if alpha is None else alpha
    if alpha == 0.0:
        return "minimum-norm least squares" if linear else "kernel regression without a penalty"
    name = "Ridge" if linear else "KernelRidge"
    return f"scikit-learn's {name}(alpha={figures(alpha)})" + ("" if linear else " on a centred kernel and centred labels")


def other_end(r: Recommended) -> str | None:
    """What to do instead were labels renewed the other way, where a default alone says that they are not."""
    end = r.other_end
    if end is None:
        return None
    error = end.prediction_error
    there = end.recommended_risk + r.noise_variance
    change = percent(100 * (there / error - 1)) if 0 < error < math.inf else "-"
    when = "is drawn anew each time it is asked for" if end.label_renewal else "stays as it is when it is asked for again"
    return (
        f"If a row's label {when}: fit each generation on {_mixed(end.real_weight)}, with {_learner(r, end.alpha)}; "
        f"prediction error {figures(error)}, where what is recommended above has {figures(there)} ({change})."
    )


def schedule(weights: Sequence[float]) -> str:
    """Weights of a schedule, with the middle of a long one left out."""
    shown = [f"{w:.3g}" for w in weights]
    if len(shown) > _MOST_WEIGHTS:
        shown = [*shown[: _MOST_WEIGHTS - 3], "...", *shown[-2:]]
    return ", ".join(shown)


def remarks(r: Recommended) -> tuple[str, ...]:
    """What the table of rivals cannot say by itself."""
    last = r.generations if r.generations is not None else len(r.risk_by_generation["recommended"]) - 1
    if r.rows_per_generation is not None:
        kept = f"keeping all real labels fits ridge on the labelled rows of generations 0 to {last}, where they may be stored"
    elif r.loop.labels == "frozen":
        kept = "no further real labels come, so that keeping all of them is training on real labels only"
    elif r.loop.renewal == 0:
        kept = "the same labels come each time, so that keeping all of them is training on real labels only"
    else:
        kept = f"keeping all real labels averages those of generations 0 to {last}, where old ones may be stored"
    today = () if r.baselines.get("today") is not None else ("today's setting is compared where its real weight is given",)
    return (kept, *today, _ERRORS)


def checked(r: Recommended) -> str:
    """What the replay on the table's own rows found, or why there is none, in one sentence."""
    return r.unchecked or "not checked" if r.check is None else str(r.check.line())


def backtested(r: Recommended) -> list[tuple[str, str]]:
    """Name and error of each way of training on the table's own later rows, in time order; empty without a time column."""
    names = {"recommended": "recommended mix", **WAYS}
    tested = r.backtest or {}
    return [(names[key], f"{figures(tested[key][0])} +- {figures(tested[key][1])}") for key in names if key in tested]


def settings(r: Recommended) -> list[tuple[str, str]]:
    """Name and value of what to set, and what to expect of it, with 90% intervals in brackets where there are any."""
    known, when = r.intervals, horizon(r.generations)
    weights = [("real weight", with_interval(r.real_weight, known.get("real_weight")))]
    if r.schedule is not None:
        rival = r.baselines["constant_weight"]
        assert rival is not None
        gain = f"{100 * (1 - r.risk / rival):.3g}% of its excess risk" if 0 < rival < math.inf else "-"
        weights = [(f"real weights, generations 1 to {len(r.schedule)}", schedule(r.schedule))]
        weights.append(("gain over the best constant weight", gain))
    if r.row_weight != 1.0:
        weights.append(("row weight in the loss", figures(r.row_weight)))
    # Told already where the horizon is the long run.
    later = None if r.generations is None else r.long_run_risk
    return [
        *weights,
        ("penalty lambda", with_interval(r.penalty, known.get("penalty"))),
        ("scikit-learn's alpha", figures(r.alpha)),
        (f"excess risk {when}", with_interval(r.risk, known.get("risk")) + ("" if r.attained else ", approached only")),
        (f"prediction error {when}", with_interval(r.prediction_error, known.get("prediction_error"))),
        *([] if later is None else [("excess risk in the long run", figures(later))]),
        *_verdicts(r),
    ]


def _verdicts(r: Recommended) -> list[tuple[str, str]]:
    """What the verdict would be for other values that fit the table, where they do not agree."""
    shares = [(word, share) for word, share in r.verdict_probabilities.items() if share >= _LEAST_SHARE]
    # A loop that equals real labels only does so under any draw; there they differ by the penalty alone.
    if r.verdict == "holds" or not shares or shares[0][1] > 1 - _LEAST_SHARE:
        return []
    return [("verdict of posterior draws", ", ".join(f"{word} {100 * share:.0f}%" for word, share in shares))]


def estimates(r: Recommended) -> list[tuple[str, str]]:
    """Name and value of what was estimated from the table, with 90% intervals in brackets where there are any."""
    aspect = [] if r.aspect is None else [("aspect ratio (features / rows)", figures(r.aspect))]
    return [
        ("rows, features", f"{r.rows}, {r.features}"),
        *aspect,
        ("noise variance", with_interval(r.noise_variance, r.intervals.get("noise_variance"))),
        ("signal-to-noise ratio", with_interval(r.signal_to_noise_ratio, r.intervals.get("signal_to_noise_ratio"))),
    ]
