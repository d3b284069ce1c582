"""What a recommendation says, in parts: what to do, the verdict, the ways beside each other, and how sure that is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import remembering, teacher_labels
from .figures import percent, short, sure
from .layout import Answer, Block, Code, Grid, Leads, Lines, Verdict
from .loop import RETRAININGS, horizon
from .table import STANDARDISED, any_size

# Ways of training have the same name everywhere.
WAYS = {
    "real_only": "real labels only",
    "keep_all_labels": "keep all real labels",
    "today": "today's setting",
    "synthetic_only": "synthetic labels only",
    "constant_weight": "best constant weight",
}
# Weights of a schedule that are printed; of a longer one the middle is left out.
_MOST_WEIGHTS = 12
# Verdicts of a smaller share of the posterior draws are not told.
_LEAST_SHARE = 0.01
SCALED = "Features are scaled to variance 1."
# Verdicts that say that nothing can be recommended as it stands.
_NO_ADVICE = ("exact", "theory does not fit")


# A ``freshmix.Recommendation``: it stands above this room, and is read by its fields alone.
Recommended = Any


def answer(r: Recommended) -> Answer:
    """All of it: what to do, what becomes of the loop, the ways beside each other, and how sure that is."""
    verdict, lead = Verdict(r.verdict, f"{scope(r)}{r.reason}"), Leads(headline(r))
    taught = r.teaching
    return (
        *([] if taught is None else [Leads([*teacher_labels.leads(taught), teacher_labels.verdict(taught)])]),
        *((verdict, lead) if r.verdict in _NO_ADVICE else (lead, verdict)),
        Block((r.assumption, *filter(None, (other_end(r),)))),
        *([] if taught is None else teacher_labels.details(taught)),
        *ways(r),
        *snippet(r),
        Leads(evidence(r), "How sure (90% intervals in brackets)"),
        Lines("Warnings", r.warnings if taught is None else (*taught.warnings, *r.warnings)),
        Lines("Notes", r.notes),
    )


def step(r: Recommended) -> str:
    """What a generation is called."""
    return r.step or RETRAININGS


def compared_at(r: Recommended) -> str:
    """The horizon of the ways to remember."""
    return horizon(len(r.risk_by_generation["recommended"]) - 1, step(r))


def scope(r: Recommended) -> str:
    """Which loop the verdict is about, where that is not the best way."""
    if not r.rivals or r.verdict in _NO_ADVICE or r.best == "mixed":
        return ""
    mixed = r.rivals.get("mixed")
    allowed = "" if mixed is None or mixed["allowed"] else ", which is not allowed here"
    return f"of mixing labels alone{allowed} (not the best way above): "


def headline(r: Recommended) -> list[tuple[str, str]]:
    """The best way with its numbers, what to do where it cannot be done, and the mix of labels alone."""
    said = _best(r) if r.rivals else []
    mix = _mix(r)
    return [*no_signal(r), *not_told(r), *said, *([mix] if mix else [])]


def no_signal(r: Recommended) -> list[tuple[str, str]]:
    """First of all, where the table shows nothing that a model could learn."""
    if r.verdict in _NO_ADVICE or r.intervals.get("signal_to_noise_ratio", (1.0,))[0] > 0:
        return []
    mean = short(r.noise_variance * (1 + r.signal_to_noise_ratio))
    said = (
        f"predicting the mean may do as well, with a mean squared prediction error of {mean}. If there is a signal after all:"
    )
    return [("No signal beyond chance", said)]


def not_told(r: Recommended) -> list[tuple[str, str]]:
    """Before all figures, where theory says nothing of them or the table nothing of new rows."""
    said = []
    ratio = None if r.check is None or r.verdict in _NO_ADVICE else r.check.far_off
    if ratio is not None:
        said.append(
            (
                "Figures that rest on a replay alone",
                f"on the table's own rows the loop has {ratio:.2g} times the error above the unavoidable noise that theory "
                "predicts. The setting holds there; take errors below as rough.",
            )
        )
    if any_size(r.warnings):
        said.append(
            (
                "Not told by this table",
                "many columns vary mostly in a single row (see the warnings). A new row that differs there may be predicted "
                "with an error of any size, which no figure below counts.",
            )
        )
    return said


def _best(r: Recommended) -> list[tuple[str, str]]:
    """The best way to remember, one that is simpler, and the best ones where less may be kept."""
    best, rivals = r.rivals[r.best], r.rivals
    low, high = (short(end) for end in best["prediction_error_interval"])
    error = f"{remembering.error(rivals, r.best)} (90% interval {low} to {high})"
    on = f", on the rows of the {r.step} after" if r.persistence is not None else ""
    trusted = "Best" if r.check is None or r.check.trusted else "Best on theory alone, which does not fit"
    root = f", its root {short(math.sqrt(best['prediction_error']))}," if 0 < best["prediction_error"] < math.inf else ""
    do = f"{_instruction(r, r.best)}. Mean squared prediction error {error}{root} {compared_at(r)}{on}."
    said = [(trusted, " ".join([do, *_provisos(r)]))]
    told = {r.best}
    other = remembering.simpler(rivals, r.best)
    if other is not None:
        said.append(("Simpler, about as good", _second(r, other)))
        told.add(other)
    if best["stored"] in ("moments", "rows"):
        name = r.best_under["model"]
        if name not in told and rivals[name]["stored"] == "model":
            said.append((f"If old {_kept(r)} cannot be kept", _second(r, name)))
            told.add(name)
    if "real_only" not in told:
        this = remembering.this(step(r))
        said.append((f"{this[0].upper()}{this[1:]} labels alone", _second(r, "real_only", alone=True)))
    name = r.best_under["rows"]
    if not rivals[name]["allowed"]:
        said.append(("If more may be kept", _second(r, name)))
    return said


def _provisos(r: Recommended) -> list[str]:
    """What the best way rests on that a person should know before trying it."""
    said = [SCALED] if STANDARDISED in r.notes else []
    first = remembering.by_theory(r.rivals)
    if first is not None:
        said.append(remembering.against_theory(r.rivals, first, r.best, step(r)))
    if r.other_end is not None:
        known = "a row's label is new each time it is asked for" if r.label_renewal else "the same label comes back"
        said.append(f"Assumes that {known}, which the table cannot show.")
    if r.check is not None and not r.check.fits and r.check.trusted:
        said.append("The check bears the setting out, not its figures, which are corrected.")
    return said


def _kept(r: Recommended) -> str:
    return "labels" if r.rows_per_generation is None else "rows"


def _second(r: Recommended, name: str, alone: bool = False) -> str:
    """Another way than the best, and what it costs."""
    way = r.rivals[name]
    what = _learner(r, way["alpha"]) if alone else _instruction(r, name)
    return f"{what}. Error {remembering.error(r.rivals, name)}, {remembering.beside(way, r.rivals[r.best], step(r))}."


def _instruction(r: Recommended, name: str) -> str:
    averaged = r.rows_per_generation is None
    text = remembering.instruction(name, r.rivals[name], step(r), averaged, lambda alpha: _learner(r, alpha))
    return text[0].upper() + text[1:] if text[0] != "R" else text


def _mix(r: Recommended) -> tuple[str, str] | None:
    """The best mix of labels where nothing else is remembered, at its own horizon."""
    asked = r.schedule is not None or "penalty" in r.options
    if r.rivals and not asked and (r.real_weight == 1.0 or r.generations is not None):
        return None
    lead = "Best" if not r.rivals else "Mixing labels alone" if r.schedule is None else "The schedule"
    if r.rivals and "penalty" in r.options:
        lead += ", at the penalty asked for"
    known = r.intervals
    error = sure(r.prediction_error, known.get("prediction_error"))
    said = f"{recipe(r)} Prediction error {error} {horizon(r.generations, step(r))}"
    if not r.attained:
        said += " (approached only)"
    if r.schedule is not None and r.baselines.get("constant_weight") is not None:
        said += f"; {_gain(r)}"
    return lead, f"{said}."


def ways(r: Recommended) -> list[Grid | Lines]:
    """Ways to remember beside each other, and what their settings mean."""
    if not r.rivals or r.verdict == "exact":
        return []
    tried = any(way["backtest"] is not None for way in r.rivals.values())
    names = (*remembering.COLUMNS, *(["tried"] if tried else []))
    on = f", on the rows of the {r.step} after" if r.persistence is not None else ""
    heading = f"Ways to train, each at its best: mean squared prediction error {compared_at(r)}{on}"
    grid = Grid(heading, names, remembering.rows(r.rivals, r.best), left=2, wraps=1)
    legend = remembering.legend(r.rivals, step(r), tried)
    return [grid, Lines(None, (legend,) if legend else ())]


def snippet(r: Recommended) -> list[Code]:
    """The lines of the best way, where they are those of scikit-learn's ridge."""
    if not r.rivals or r.population is None or r.verdict in _NO_ADVICE or r.best == "taught":
        return []
    return [Code(f"The best way in scikit-learn, for each new {r.step or 'generation'}", lines(r, r.best))]


def lines(r: Recommended, way: str) -> str:
    """scikit-learn's lines of a way."""
    if way == "taught":
        return str(teacher_labels.code(r.teaching))
    noise = math.sqrt(r.loop.synthetic_noise_ratio * max(r.noise_variance, 0.0))
    return remembering.code(r.rivals[way], r.persistence is not None, r.rows_per_generation is None, noise, _scaled(r))


def _scaled(r: Recommended) -> bool:
    """Whether features were scaled to unit variance."""
    return bool(r.options.get("standardize", True))


def evidence(r: Recommended) -> list[tuple[str, str]]:
    """What the recommendation rests on: the check, the drift, the mix's own numbers, the estimates."""
    return [
        ("Check", checked(r)),
        *([("Drift", remembering.drift(r.persistence, step(r)))] if r.persistence is not None else []),
        *([("Backtest", backtested(r))] if r.backtest and not _tried(r) else []),
        ("Mixing labels alone", the_mix(r)),
        *([("For comparison", others(r))] if rivals(r) else []),
        ("The table", estimates(r)),
    ]


def _tried(r: Recommended) -> bool:
    return any(way["backtest"] is not None for way in r.rivals.values())


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


def others(r: Recommended) -> str:
    """Prediction errors of other ways of training at the mix's own horizon, and their change against it."""
    said = []
    # Of ways that are compared the table above tells.
    known = [each for each in rivals(r) if not r.rivals or each.key in ("synthetic_only", "constant_weight")]
    for each in known:
        error = short(each.prediction_error) if math.isfinite(each.prediction_error) else "grows without bound"
        change = percent(each.change, 2)
        kept = r.generations is None and each.key == "keep_all_labels"
        when = f" {compared_at(r)}" if kept else ""
        said.append(f"{each.name}{when} {error}" + ("" if change == "-" else f" ({change})"))
    return f"prediction error of {'; '.join(said)}"


def recipe(r: Recommended) -> str:
    """The mix of labels, in a sentence."""
    generation = r.step or "generation"
    mix = f"fit {f'each {generation}' if r.schedule is None else f'{generation} t'} {_training(r)}, with {_learner(r)}."
    if r.check is not None and not r.check.trusted:
        return f"On theory alone, which is not to be relied on here: {mix}"
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
    return f"{short(w)} x real label + {short(1 - w)} x synthetic label"


def _rows(r: Recommended, labels: str) -> str:
    """Which rows get these labels, and what becomes of the others."""
    if r.labelled == 1:
        return f"on {labels}"
    if r.row_weight == 0:
        return f"on the labelled rows alone, on {labels}"
    return (
        f"with labelled rows on {labels}, other rows on the synthetic label at sample_weight (row weight) {short(r.row_weight)}"
    )


def _learner(r: Recommended, alpha: float | None = None) -> str:
    """What is fitted, at the recommended penalty or at another ``alpha``."""
    linear, alpha = r.population is not None, r.alpha if alpha is None else alpha
    if alpha == 0.0:
        return "minimum-norm least squares" if linear else "kernel regression without a penalty"
    name = "Ridge" if linear else "KernelRidge"
    return f"{name}(alpha={short(alpha)})" + ("" if linear else " on a centred kernel and centred labels")


def other_end(r: Recommended) -> str | None:
    """What to do instead were labels renewed the other way, where a default alone says that they are not."""
    end = r.other_end
    if end is None:
        return None
    error = end.prediction_error
    there = end.recommended_risk + r.noise_variance
    change = percent(100 * (there / error - 1), 2) if 0 < error < math.inf else "-"
    when = "is drawn anew each time it is asked for" if end.label_renewal else "stays as it is when it is asked for again"
    return (
        f"If a row's label {when}: fit each generation on {_mixed(end.real_weight)}, with {_learner(r, end.alpha)}; "
        f"prediction error {short(error)}, where the mix that is best otherwise would have {short(there)} ({change})."
    )


def schedule(weights: Sequence[float]) -> str:
    """Weights of a schedule, with the middle of a long one left out."""
    shown = [f"{w:.3g}" for w in weights]
    if len(shown) > _MOST_WEIGHTS:
        shown = [*shown[: _MOST_WEIGHTS - 3], "...", *shown[-2:]]
    return ", ".join(shown)


def _gain(r: Recommended) -> str:
    """What a schedule brings."""
    rival = r.baselines["constant_weight"]
    gain = f"{100 * (1 - r.risk / rival):.3g}% of its excess risk" if 0 < rival < math.inf else "-"
    return f"gain over the best constant weight {gain}"


def checked(r: Recommended) -> str:
    """What the replay on the table's own rows found, or why there is none, in one sentence."""
    return r.unchecked or "not checked" if r.check is None else str(r.check.line())


def backtested(r: Recommended) -> str:
    """The error of each way of training on the table's own later rows, in time order."""
    names = {"recommended": "recommended mix", **WAYS}
    found = [(name, *r.backtest[key]) for key, name in names.items() if key in r.backtest]
    said = [f"{name} {short(mean)} +- {error:.2g}" for name, mean, error in found]
    return f"mean squared error on the labelled rows of the next {r.step or 'step'}: {'; '.join(said)}"


def the_mix(r: Recommended) -> str:
    """Numbers of the mix, with 90% intervals in brackets where there are any, and how likely its verdict is."""
    known, when = r.intervals, horizon(r.generations, step(r))
    said = [f"real weight w {sure(r.real_weight, known.get('real_weight'))}"]
    if r.schedule is not None:
        said = [f"real weights of generations 1 to {len(r.schedule)} {schedule(r.schedule)}"]
    if r.row_weight != 1.0:
        said.append(f"row weight {short(r.row_weight)}")
    if "penalty" in known and r.penalty > 0:
        alpha = sure(r.alpha, tuple(end * r.alpha / r.penalty for end in known["penalty"]))
    else:
        alpha = short(r.alpha)
    said.append(f"alpha {alpha}, {short(r.penalty)} per row")
    risk = f"error above the unavoidable noise (excess risk) {sure(r.risk, known.get('risk'))} {when}"
    # Told already where the horizon is the long run.
    if r.generations is not None and r.long_run_risk is not None:
        risk += f", {short(r.long_run_risk)} in the long run"
    said.append(risk + ("" if r.attained else ", approached only"))
    likely = _verdicts(r)
    return "; ".join([*said, *([f"for other values that fit the table: {likely}"] if likely else [])])


def _verdicts(r: Recommended) -> str:
    """What the verdict would be for other values that fit the table, where they do not agree."""
    shares = [(word, share) for word, share in r.verdict_probabilities.items() if share >= _LEAST_SHARE]
    # A loop that equals real labels only does so under any draw; there they differ by the penalty alone.
    if r.verdict == "holds" or not shares or shares[0][1] > 1 - _LEAST_SHARE:
        return ""
    return ", ".join(f"{word} {100 * share:.0f}%" for word, share in shares)


def estimates(r: Recommended) -> str:
    """What was estimated from the table, with 90% intervals in brackets where there are any."""
    generation = r.step or "generation"
    aspect = "" if r.aspect is None else f" ({short(r.aspect)} per row of a {generation})"
    noise = sure(r.noise_variance, r.intervals.get("noise_variance"))
    signal = sure(r.signal_to_noise_ratio, r.intervals.get("signal_to_noise_ratio"))
    return f"{r.rows} rows, {r.features} features{aspect}; noise variance {noise}; signal-to-noise ratio {signal}"
