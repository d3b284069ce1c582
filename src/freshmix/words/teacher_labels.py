"""What a table says of a teacher's labels: what to do with them, how wrong they are, how sure that is, lines that run."""

import math
from collections.abc import Sequence
from typing import Any

from .doubts import FEW_ROWS
from .figures import percent, short, supported, sure
from .layout import Answer, Code, Grid, Leads, Lines, Verdict

# A ``freshmix.TeacherLabels`` and its check: they stand above this room, and are read by their fields alone.
TeacherLabels = Any
Check = Any

NAMES = {"with_teacher": "with the teacher's labels", "real_only": "real labels only", "teacher_alone": "the teacher alone"}
HEADING = "The teacher's labels: mean squared prediction error of one fit"
# Of settings that weigh so little nothing is said.
_NONE = 1e-9
# A ratio that needs no figure.
_HARDLY = 0.01


def answer(t: TeacherLabels) -> Answer:
    """All of it."""
    return (Leads(leads(t)), Verdict(t.verdict, t.reason), *details(t), Lines("Warnings", t.warnings))


def leads(t: TeacherLabels) -> list[tuple[str, str]]:
    """What to do, and how far the teacher is to be trusted."""
    said = [("The teacher's labels", _do(t))]
    if t.verdict == "has seen the labels":
        return said
    said.append(("How far to trust them", _trust(t)))
    better = _alone(t)
    return [*said, *([("The teacher itself", better)] if better else [])]


def verdict(t: TeacherLabels) -> tuple[str, str]:
    """Where another verdict is the answer's own."""
    return "What they are worth", f"{t.verdict}: {t.reason}."


def details(t: TeacherLabels) -> list[Grid | Code | Lines | Leads]:
    """The ways beside each other, the lines that carry the advised one out, and what that rests on."""
    grid = Grid(HEADING, ("way", "settings", "error", "90% interval", "held out"), [_row(t, name) for name in t.ways], left=2)
    code = [Code("With the teacher's labels, in scikit-learn", t.code())] if t.used else []
    return [grid, *code, Leads([("Held out", checked(t.check)), ("The teacher", estimates(t))], "How sure, of the teacher")]


def _row(t: TeacherLabels, name: str) -> Sequence[str]:
    way, low_high = t.ways[name], t.ways[name]["prediction_error_interval"]
    error, low, high = supported(way["prediction_error"], *low_high)
    tried = {"with_teacher": t.check.with_teacher, "real_only": t.check.real_only, "teacher_alone": t.check.teacher_alone}
    return NAMES[name], _settings(way), error, f"{low} to {high}", short(tried[name], zeros=True)


def _settings(way: Any) -> str:
    if way["alpha"] is None:
        return "nothing is fitted"
    said = [f"alpha {short(way['alpha'])}"]
    if way["real_weight"] != 1:
        said.append(f"w {short(way['real_weight'])}")
    if way["row_weight"] not in (0, 1):
        said.append(f"row weight {short(way['row_weight'])}")
    return ", ".join(said)


def _do(t: TeacherLabels) -> str:
    """What to do, with its numbers, and what it brings."""
    error = sure(t.prediction_error, t.ways["with_teacher" if t.used else "real_only"]["prediction_error_interval"])
    if not t.used:
        why = {
            "no use": "leave them out, they bring nothing",
            "not borne out": "leave them out, they do harm on held-out real labels",
        }.get(t.verdict, "they cannot be judged: the teacher seems to have seen the real labels, so leave them out")
        return f"{why}. {learner(t.alpha)} on the real labels alone: mean squared prediction error {error}."
    without = short(t.ways["real_only"]["prediction_error"])
    apart, low, high = supported(t.difference, *t.difference_interval)
    lead, doubt = ("use them", "") if t.verdict == "helps" else ("they may be worth using", ": they may also do harm")
    return (
        f"{lead}. {instruction(t)}, with {learner(t.alpha)}: mean squared prediction error {error}, where real labels only "
        f"have {without} (difference {apart}, 90% interval {low} to {high}{doubt}). That is one fit to {round(t.fitted)} rows; "
        "a loop remembers more than that."
    )


def instruction(t: TeacherLabels) -> str:
    """Which labels rows get."""
    shift = "Subtract their mean error first" + (f" ({short(t.offset)})" if t.offset else "")
    return f"{shift}; {labels(t.real_weight, t.row_weight if t.rows['teacher'] or t.row_weight != 1 else 0.0)}"


def labels(w: float, row_weight: float) -> str:
    """The labels of rows with both, and of rows with the teacher's alone."""
    said = []
    if w < 1 - _NONE:
        said.append(f"fit rows with both labels to {short(w)} x real + {short(1 - w)} x teacher's")
    else:
        said.append("fit rows with a real label to that alone")
    if row_weight > 0:
        said.append(f"rows without a real label to the teacher's, at sample_weight (row weight) {short(row_weight)}")
    return " and ".join(said)


def learner(alpha: float) -> str:
    """What is fitted."""
    return "minimum-norm least squares" if alpha == 0 else f"Ridge(alpha={short(alpha)})"


def _trust(t: TeacherLabels) -> str:
    """How wrong the teacher is, and how wrong it may be."""
    bias = math.sqrt(max(t.bias, 0.0))
    said = f"along the features they are off by {sure(bias, _roots(t.intervals['bias']))} (root mean square, label units)"
    if t.tolerable == 0:
        return f"{said}; no error would be small enough for them to help."
    if math.isinf(t.tolerable):
        return f"{said}; they would help even were that a hundred times as much."
    limit = short(math.sqrt(t.most_bias))
    verb = "they help while that stays below" if t.tolerable >= 1 else "they would help below"
    return f"{said}; {verb} {limit}, with the same noise."


def _alone(t: TeacherLabels) -> str | None:
    """Where the teacher's own predictions are better than any fit."""
    alone, best = t.ways["teacher_alone"], min(t.ways[name]["prediction_error"] for name in ("with_teacher", "real_only"))
    if not alone["prediction_error_interval"][1] < best:
        return None
    error = sure(alone["prediction_error"], alone["prediction_error_interval"])
    return f"errs less than any linear fit here, by {error}: where it can be asked about new rows, use its predictions."


def checked(check: Check) -> str:
    """What the replay with held-out real labels showed."""
    plus = f"{short(check.difference)} +- {check.standard_error:.2g}"
    return (
        f"{check.rows} rows with both labels, each held out in turn from fits to {check.labels} real labels: mean squared "
        f"error {short(check.with_teacher)} with the teacher's labels, {short(check.real_only)} without (difference {plus})"
    )


def estimates(t: TeacherLabels) -> str:
    """Its error in parts."""
    rows = t.rows
    counts = f"rows with both labels {rows['both']}, the real one alone {rows['real']}, the teacher's alone {rows['teacher']}"
    if rows["neither"]:
        counts += f", neither {rows['neither']} (left out)"
    gain = "" if t.gain is None else f"; gain {sure(t.gain, t.intervals['gain'])}"
    return (
        f"{counts}; above the real labels by {sure(t.offset, t.intervals['offset'])} on average{gain}; variance of its error "
        f"along the features {sure(t.bias, t.intervals['bias'])}, of its noise "
        f"{sure(t.noise_variance, t.intervals['noise_variance'])}, of which {short(t.noise_covariance)} is shared with the "
        "noise of the real labels"
    )


def _roots(interval: tuple[float, float]) -> tuple[float, float]:
    low, high = interval
    return math.sqrt(max(low, 0.0)), math.sqrt(max(high, 0.0))


def gain(part: float) -> str:
    """Why they help: what they take off the excess risk."""
    return f"used at their best they change the error above the unavoidable noise by {percent(-100 * part, 2)}"


def no_use(worth: float) -> str:
    """Why they do not."""
    return f"even at their best weight they lower the error above the unavoidable noise by less than {100 * worth:g}%"


def not_borne_out(check: Check) -> str:
    """Where theory and held-out labels disagree."""
    return (
        f"theory would use them, but on held-out real labels the error rises by {short(check.difference)} "
        f"+- {check.standard_error:.2g}: the teacher's errors may not be alike over the table"
    )


def seen(sign: str, along: float, spread: float) -> str:
    """Why the teacher cannot be judged."""
    if sign == "spread":
        what = f"its labels scatter {short(spread)} times as much (variance) where there is a real label as where there is none"
    else:
        how = "hardly at all" if along < _HARDLY else f"only {short(along)} times as much as across them"
        what = f"what it is off by varies along the features {how}"
    return (
        f"{what}: it seems to have been fitted on these real labels. Leave its predictions of such rows empty, or have it "
        "predict them from folds that they are not in"
    )


def too_good(alone: float, left: float) -> str:
    """A warning of a teacher that errs by very little."""
    return (
        f"the teacher's mean squared error on rows with a real label is {short(alone)}, where the features leave at least "
        f"{short(left)} unexplained: it knows more than they do, or was fitted on these labels, and then nothing here holds"
    )


def repeated(same: int, rows: int) -> str:
    """A warning of labels that are the real ones."""
    return f"the teacher's label is the real one to the digit in {same} of {rows} rows: it may have been fitted on these"


def few_rows(rows: int) -> str | None:
    """A warning of few rows with both labels."""
    if rows >= FEW_ROWS:
        return None
    return f"only {rows} rows have both labels: what is said of the teacher is rough below {FEW_ROWS}"


def standing(step: str) -> str:
    """A warning of a table with times."""
    return f"the teacher is judged on all {step}s at once, and as if no coefficient drifted"


def code(t: TeacherLabels) -> str:
    """scikit-learn's lines of what is advised."""
    scaler = f"StandardScaler({'' if t.standardized else 'with_std=False'})"
    said = [
        "import numpy as np",
        "from sklearn.linear_model import Ridge",
        "from sklearn.pipeline import make_pipeline",
        "from sklearn.preprocessing import StandardScaler",
        "",
        "# X: features of all rows. y, teacher: real labels and the teacher's, NaN where there is none.",
    ]
    if not t.used:
        fit = f"model = make_pipeline({scaler}, Ridge(alpha={t.penalty:.4g} * fit.sum()))"
        return "\n".join([*said, "fit = np.isfinite(y)", fit, "model.fit(X[fit], y[fit])", ""])
    w = t.real_weight
    mixed = "y" if w > 1 - _NONE else f"{w:.4g} * y + {1 - w:.4g} * teacher"
    return "\n".join(
        [
            *said,
            "real, told = np.isfinite(y), np.isfinite(teacher)",
            "teacher = teacher - np.mean((teacher - y)[real & told])",
            f"label = np.where(real & told, {mixed}, np.where(real, y, teacher))",
            f"weight = np.where(real, 1.0, {t.row_weight:.4g})",
            "fit = real | told",
            f"model = make_pipeline({scaler}, Ridge(alpha={t.penalty:.4g} * fit.sum()))",
            "model.fit(X[fit], label[fit], ridge__sample_weight=weight[fit])",
            "",
        ]
    )
