"""Ways to remember between retrainings: names, what to do, a table, and the lines of scikit-learn that carry each out."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import teacher_labels
from .figures import UNBOUNDED, short, supported, sure
from .loop import RETRAININGS

NAMES = {
    "real_only": "real labels only",
    "mixed": "mixed with the last model's labels",
    "anchored": "anchored to the last model",
    "anchored_mixed": "anchored and mixed",
    "keep_all": "all real labels kept",
    "forgetting": "kept with forgetting",
    "window": "a window kept",
    "taught": "with the teacher's labels",
    "today": "today's setting",
}
# In a table of ways, which says below what they mean.
IN_TABLE = NAMES | {
    "mixed": "mixed",
    "anchored": "anchored",
    "keep_all": "all labels kept",
    "forgetting": "kept, forgetting",
    "taught": "teacher's labels",
}
# What needs to be kept, each more than the one before.
STORED = ("nothing", "model", "moments", "rows")
# Ways that do the same with less to set.
_SIMPLER = {"anchored_mixed": ("anchored", "mixed"), "forgetting": ("keep_all",), "window": ("keep_all",)}
# Differences below this part of the prediction error are rounding; a way within the second is about as good; one whose interval
# is within so many percent is as good.
_SAME, _ABOUT, _AS_GOOD = 1e-6, 0.01, 0.1
COLUMNS = ("way", "settings", "error", "worse by")
Way = Mapping[str, Any]
Ways = Mapping[str, Way]


def this(step: str) -> str:
    """What a generation's labels are called."""
    return "the newest" if step == RETRAININGS else f"this {step}'s"


def last(step: str) -> str:
    """What the previous model is called."""
    return "the last model" if step in (RETRAININGS, "step") else f"last {step}'s model"


def instruction(name: str, way: Way, step: str, averaged: bool, learner: Callable[[float], str]) -> str:
    """What to do, with its numbers; ``averaged``: rows stay, and what is kept of them are their labels."""
    fit = learner(way["alpha"])
    labels = _labels_in_words(way)
    pooled = f"{fit[:-1]}, {short(way['penalty'])} per row)" if fit.endswith(")") and way["kept_generations"] != 0 else fit
    if name == "today":
        return f"{settings(way)}"
    if name == "taught":
        return f"{teacher_labels.labels(way['real_weight'], way['row_weight'])}, {fit}"
    if name == "real_only":
        return f"{this(step)} real labels alone, {fit}"
    if way["kept_generations"] is None and averaged:
        return f"average all real labels that a row has had, {fit}"
    if way["kept_generations"] is None and way["forgetting"] < 1:
        of = "generations" if step == RETRAININGS else f"{step}s"
        return f"pool all labelled rows so far, sample_weight {short(way['forgetting'])}^age (in {of}), {pooled}"
    if way["kept_generations"] is None:
        return f"pool all labelled rows so far, {pooled}"
    if way["kept_generations"]:
        of = "generation" if step == RETRAININGS else step
        return f"pool the labelled rows of the last {way['kept_generations'] + 1} {of}s, {pooled}"
    if way["anchor"] == 0:
        return f"mix in labels of {last(step)}: {labels}, {fit}"
    part = "its predictions" if short(way["anchor"]) == "1" else f"{short(way['anchor'])} x its predictions"
    pull = f"fit {fit} to the labels less {part}, and add that back"
    anchor = f"anchor to {last(step)}"
    return f"{anchor}: {pull}" if labels == "" else f"{anchor} and mix in its labels: {labels}; {pull}"


def _labels_in_words(way: Way) -> str:
    """Which labels rows get; nothing where they are the real ones."""
    w, said = way["real_weight"], []
    if w != 1:
        said.append(f"label = {short(w)} x real + {short(1 - w)} x predicted")
    if way["row_weight"] > 0:
        said.append(f"rows without a real label get the predicted one at sample_weight (row weight) {short(way['row_weight'])}")
    return "; ".join(said)


def simpler(ways: Ways, best: str) -> str | None:
    """A way with less to set or to keep that is about as good as the best, and no worse where both were tried."""
    fewer = [name for name in ("real_only", *_SIMPLER.get(best, ())) if name in ways and name != best]
    near = [ways[name]["difference"] / ways[name]["prediction_error"] for name in fewer]
    found = [
        name
        for name, gap in zip(fewer, near, strict=True)
        if ways[name]["allowed"] and gap < _ABOUT and not _worse_when_tried(ways[name], ways[best])
    ]
    return "real_only" if "real_only" in found else min(found, key=lambda name: float(ways[name]["difference"]), default=None)


def _worse_when_tried(way: Way, best: Way) -> bool:
    """Whether a way did worse than the best on the table's own steps, by a standard error more than what is about as good."""
    if way["backtest"] is None:
        return False
    behind, error = way["backtest_difference"]
    return bool(behind - error > _ABOUT * best["backtest"][0])


def gap(way: Way, best: Way) -> str:
    """How far behind the best way, in percent of its error, with the interval of the difference."""
    unit = best["prediction_error"] / 100
    if not unit > 0:
        return "as good" if way["difference"] == 0 else UNBOUNDED
    low, high = (end / unit for end in way["difference_interval"])
    if max(abs(low), abs(high)) <= _AS_GOOD:
        return "as good"
    value, low_end, high_end = supported(way["difference"] / unit, low, high)
    return f"{value}% ({low_end} to {high_end})"


def beside(way: Way, best: Way, step: str) -> str:
    """How much worse or better than the best way, in words."""
    if way["difference"] >= 0:
        behind = gap(way, best)
        return behind if behind == "as good" else f"{behind} worse"
    low, high = way["difference_interval"]
    ahead = gap({**way, "difference": -way["difference"], "difference_interval": (-high, -low)}, best)
    if way["backtest"] is None:
        return ahead if ahead == "as good" else f"{ahead} better"
    # Theory's best, which the table's own steps do not bear out.
    said = ahead if ahead == "as good" else f"{ahead} better"
    tried, by_best = (short(each["backtest"][0], zeros=True) for each in (way, best))
    return f"{said} by theory; on the table's own {_many(step)} {tried}, the best way {by_best}"


def error(ways: Ways, name: str) -> str:
    """The prediction error, with a fourth digit where ways are within 1% of each other."""
    errors = sorted(way["prediction_error"] for way in ways.values())
    close = len(errors) > 1 and errors[1] - errors[0] < 0.01 * errors[0]
    return short(ways[name]["prediction_error"], zeros=True, digits=4 if close else 3)


def rows(ways: Ways, best: str) -> list[Sequence[str]]:
    """Each way under ``COLUMNS``, and on the table's own steps; the best first, then the least prediction error."""
    order = sorted(ways, key=lambda name: (name != best, ways[name]["prediction_error"]))
    return [_row(name, ways, best) for name in order]


def _row(name: str, ways: Ways, best: str) -> Sequence[str]:
    way = ways[name]
    label = IN_TABLE[name] if way["allowed"] else f"({IN_TABLE[name]})"
    tried = () if way["backtest"] is None else (short(way["backtest"][0], zeros=True),)
    behind = "best" if name == best else gap(way, ways[best])
    return label, settings(way), error(ways, name), behind, *tried


def settings(way: Way) -> str:
    """What to set, and nothing that is as in plain ridge."""
    said = [f"alpha {short(way['alpha'])}"]
    if way["anchor"] > 0:
        said.append(f"anchor {short(way['anchor'])}")
    if way["real_weight"] != 1:
        said.append(f"w {short(way['real_weight'])}")
    if way["row_weight"] not in (0, 1):
        said.append(f"row weight {short(way['row_weight'])}")
    if way["forgetting"] < 1:
        said.append(f"forgetting {short(way['forgetting'])}")
    if way["kept_generations"]:
        said.append(f"last {way['kept_generations'] + 1} kept")
    return ", ".join(said)


def legend(ways: Ways, step: str, tried: bool) -> str:
    """What the settings in the table mean, of those that some way has."""
    said = []
    by_teacher = " (or by the teacher)" if "taught" in ways else ""
    if any(way["real_weight"] != 1 for way in ways.values()):
        said.append("w (real weight): label = w x real + (1 - w) x predicted by the last model" + by_teacher)
    if any(way["row_weight"] not in (0, 1) for way in ways.values()):
        said.append("row weight: sample_weight of rows without a real label")
    if any(way["anchor"] > 0 for way in ways.values()):
        said.append("anchor: share of the last model that the penalty pulls towards")
    if any(way["forgetting"] < 1 for way in ways.values()):
        said.append(f"forgetting: sample_weight of a kept row, to the power of its age in {_many(step)}")
    if not all(way["allowed"] for way in ways.values()):
        said.append("in brackets: needs more to be kept than is allowed")
    if tried and by_theory(ways) is not None:
        said.append(f"the best one is chosen by the table's own {_many(step)}, which outweigh theory")
    if tried:
        said.append(f"tried: mean squared error on the table's own next {_many(step)}")
    return "; ".join(said)


def by_theory(ways: Ways) -> str | None:
    """The way that theory puts before the best one, where there is one that may be carried out."""
    allowed = [name for name, way in ways.items() if way["allowed"] and name != "today"]
    first = min(allowed, key=lambda name: float(ways[name]["difference"]), default=None)
    return first if first and ways[first]["difference"] < -_SAME * ways[first]["prediction_error"] else None


def against_theory(ways: Ways, first: str, best: str, step: str) -> str:
    """Why the ``first`` way by theory is not the best one: it need not have done worse, where others did better than it."""
    name, tried = NAMES[first], [ways[each]["backtest"] for each in (first, best)]
    if None not in tried and tried[0][0] > tried[1][0]:
        return f"Theory puts another way first ({name}), which did worse on the table's own {_many(step)}."
    return f"Theory puts another way first ({name}); the table's own {_many(step)}, which outweigh it, do not."


def _many(step: str) -> str:
    return "generations" if step == RETRAININGS else f"{step}s"


def drift(persistence: tuple[float, tuple[float, float]], step: str) -> str:
    """How long coefficients last."""
    c, interval = persistence
    kept = sure(100 * c, (100 * interval[0], 100 * interval[1]))
    said = f"from one {step} to the next the coefficients keep {kept}% of what they are"
    return f"{said}: they do not drift" if c == 1 else f"{said}, half of it after {short(_half_life(c))} {step}s"


def _half_life(c: float) -> float:
    return math.log(0.5) / math.log(c) if c > 0 else 0.0


def code(way: Way, timed: bool, averaged: bool, noise: float = 0.0, scaled: bool = True) -> str:
    """scikit-learn's lines for one generation after the first, of plain ridge that was fitted in the same way.

    ``timed``: the intercept is a feature. ``averaged``: rows stay, and what is kept of them are their labels. ``noise``: the
    standard deviation of what is added to predictions that serve as labels. ``scaled``: features have unit variance.
    """
    mixes = way["real_weight"] != 1 or way["row_weight"] > 0
    remembers = mixes or way["anchor"] > 0
    alpha = f"alpha={_number(way['penalty'])} * len(y)" + (", fit_intercept=False" if timed else "")
    weight = ", sample_weight=weight" if way["row_weight"] > 0 or way["forgetting"] < 1 else ""
    said = [*_once(timed, way["kept_generations"] != 0, scaled), "", *_given(timed, averaged)]
    if remembers:
        said.append("# model: the last one, slopes and intercept in the units of X below;")
        said.append("# the first is the Ridge below on labelled rows alone.")
    said += [*_labels(way, mixes, averaged, noise), *_kept(way, averaged)]
    if way["anchor"] == 0:
        return "\n".join([*said, f"model = Ridge({alpha}).fit(X, y{weight})", ""])
    pull = _number(way["anchor"])
    times = "" if pull == "1" else f"{pull} * "
    return "\n".join(
        [
            *said,
            f"new = Ridge({alpha})",
            f"new.fit(X, y - {times}model.predict(X){weight})",
            f"new.coef_ += {times}model.coef_",
            f"new.intercept_ += {times}model.intercept_",
            "model = new",
            "",
        ]
    )


def _number(value: float) -> str:
    """With the digits that matter."""
    return f"{value:.4g}"


def _once(timed: bool, keeps: bool, scaled: bool) -> list[str]:
    """What is done once."""
    said = [
        "import numpy as np",
        "from sklearn.linear_model import Ridge",
        "from sklearn.preprocessing import StandardScaler",
        "",
    ]
    said += ["# Once. table, labels: the rows so far, NaN where a row has no real label."]
    said += ["# It stays as it is, and refuses data frames with new or missing columns by name."]
    said += [f"scaler = StandardScaler({'' if scaled else 'with_std=False'}).fit(table)"]
    said += ["level = np.nanmean(labels)"] if timed else []
    return said + (["past = []"] if keeps else [])


def _given(timed: bool, averaged: bool) -> list[str]:
    """What each generation starts from."""
    rows = "the table's rows and their new labels" if averaged else "the new rows, y NaN where one has no real label"
    if not timed:
        return [f"# Each time. X, y: {rows}.", "X = scaler.transform(X)"]
    return [
        f"# Each time. X, y: {rows}.",
        "# A prediction is model.predict(X) + level, with X made as here.",
        "X = np.column_stack([np.ones(len(X)), scaler.transform(X)])",
        "y = y - level",
    ]


def _labels(way: Way, mixes: bool, averaged: bool, noise: float) -> list[str]:
    if not mixes:
        return [] if averaged else ["real = np.isfinite(y)", "X, y = X[real], y[real]"]
    w, others = way["real_weight"], way["row_weight"]
    said = ["real, guess = np.isfinite(y), model.predict(X)"]
    if noise > 0:
        said.append(f"guess += np.random.default_rng().normal(0, {_number(noise)}, len(y))")
    label = "y" if w == 1 else f"{_number(w)} * y + {_number(1 - w)} * guess"
    said.append(f"y = np.where(real, {label}, guess)")
    if others > 0:
        return [*said, f"weight = np.where(real, 1.0, {_number(others)})"]
    return said if averaged else [*said, "X, y = X[real], y[real]"]


def _kept(way: Way, averaged: bool) -> list[str]:
    if way["kept_generations"] == 0:
        return []
    if averaged:
        return ["past.append(y)", "y = np.mean(past, axis=0)"]
    said = ["past.insert(0, (X, y))"]
    if way["kept_generations"] is not None:
        said.append(f"past = past[:{way['kept_generations'] + 1}]")
    if way["forgetting"] < 1:
        said.append("age = np.repeat(np.arange(len(past)), [len(old) for _, old in past])")
        said.append(f"weight = {_number(way['forgetting'])} ** age")
    return [*said, "X = np.vstack([rows for rows, _ in past])", "y = np.concatenate([old for _, old in past])"]
