"""Ways to remember between retrainings: names, a table, and the lines of scikit-learn that carry each of them out."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .figures import figures, span

NAMES = {
    "real_only": "real labels only",
    "mixed": "mixed with the last model's labels",
    "anchored": "anchored to the last model",
    "anchored_mixed": "anchored and mixed",
    "keep_all": "all labelled rows kept",
    "forgetting": "kept with forgetting",
    "window": "a window of generations kept",
}
_STORED = {"nothing": "nothing", "model": "the last model", "moments": "X'X and X'y", "rows": "rows"}
# Differences below this part of the prediction error are rounding.
_SAME = 1e-6
COLUMNS = ("way", "keeps", "settings", "prediction error", "above the best (90% interval)")
WAYS = Mapping[str, Mapping[str, Any]]


def rows(ways: WAYS, best: str) -> list[Sequence[str]]:
    """Each way under ``COLUMNS``, the least prediction error first; what may not be kept is said."""
    order = sorted(ways, key=lambda name: (name != best, ways[name]["prediction_error"]))
    return [_row(name, ways[name], name == best) for name in order]


def _row(name: str, way: Mapping[str, Any], best: bool) -> Sequence[str]:
    keeps = _STORED[way["stored"]] + ("" if way["allowed"] else " (not allowed)")
    gap = "the best" if best else f"{figures(way['difference'])} ({span(*way['difference_interval'])})"
    if not best and max(map(abs, way["difference_interval"])) <= _SAME * way["prediction_error"]:
        gap = "as good"
    return NAMES[name], keeps, settings(way), figures(way["prediction_error"]), gap


def settings(way: Mapping[str, Any]) -> str:
    """What to set, and nothing that is as in plain ridge."""
    said = [f"penalty {figures(way['penalty'])}"]
    if way["anchor"] > 0:
        said.append(f"anchor {figures(way['anchor'])}")
    if way["real_weight"] != 1:
        said.append(f"real weight {figures(way['real_weight'])}")
    if way["row_weight"] not in (0, 1):
        said.append(f"row weight {figures(way['row_weight'])}")
    if way["forgetting"] < 1:
        said.append(f"forgetting {figures(way['forgetting'])}")
    if way["kept_generations"]:
        said.append(f"{way['kept_generations']} generations")
    return ", ".join(said)


def drift(persistence: tuple[float, tuple[float, float]]) -> str:
    """How long coefficients last."""
    c, (low, high) = persistence
    half = "they do not drift" if c == 1 else f"a half of what they are is left after {figures(_half_life(c))} steps"
    return f"from one step to the next coefficients keep {figures(c)} of what they are (90% interval {span(low, high)}): {half}"


def _half_life(c: float) -> float:
    return math.log(0.5) / math.log(c) if c > 0 else 0.0


def code(way: Mapping[str, Any], timed: bool, averaged: bool) -> str:
    """scikit-learn's lines for one generation after the first, of plain ridge that was fitted in the same way.

    ``timed``: the intercept is a feature. ``averaged``: rows stay, and what is kept of them are their labels.
    """
    mixes = way["real_weight"] != 1 or way["row_weight"] > 0
    said = ["import numpy as np", "from sklearn.linear_model import Ridge", ""]
    said += ["# X, y: the new rows, scaled as the table was; y is NaN where a row has no real label."]
    if timed:
        said += ["# The first column of X is one everywhere; the mean of the table's labels is taken off y."]
    remembers = ["model: the last one, of rows that were scaled alike"] if mixes or way["anchor"] > 0 else []
    if way["kept_generations"] != 0:
        remembers.append(
            "past: the labels of each generation" if averaged else "past: [(X, y), ...] of labelled rows, the last one first"
        )
    said += [f"# {each}." for each in remembers]
    said += [*_labels(way, mixes), *_kept(way, averaged)]
    ridge = f"Ridge(alpha={way['penalty']!r} * len(y){', fit_intercept=False' if timed else ''})"
    if way["anchor"] == 0:
        return "\n".join([*said, f"model = {ridge}.fit(X, y, sample_weight=weight)", ""])
    return "\n".join(
        [
            *said,
            f"last = {way['anchor']!r} * model.coef_, {way['anchor']!r} * model.intercept_",
            f"model = {ridge}.fit(X, y - X @ last[0] - last[1], sample_weight=weight)",
            "model.coef_, model.intercept_ = model.coef_ + last[0], model.intercept_ + last[1]",
            "",
        ]
    )


def _labels(way: Mapping[str, Any], mixes: bool) -> list[str]:
    if not mixes or (way["real_weight"] == 1 and way["row_weight"] == 0):
        return ["real = np.isfinite(y)", "X, y, weight = X[real], y[real], np.ones(real.sum())"]
    w = way["real_weight"]
    said = ["real, guess = np.isfinite(y), model.predict(X)"]
    said += [
        f"y = np.where(real, {w!r} * y + {1 - w!r} * guess, guess)",
        f"weight = np.where(real, 1.0, {way['row_weight']!r})",
    ]
    return said if way["row_weight"] > 0 else [*said, "X, y, weight = X[real], y[real], weight[real]"]


def _kept(way: Mapping[str, Any], averaged: bool) -> list[str]:
    if way["kept_generations"] == 0:
        return []
    if averaged:
        return ["y = np.mean([y, *past], axis=0)"]
    kept = "past" if way["kept_generations"] is None else f"past[:{way['kept_generations']}]"
    return [
        f"kept = [(X, y), *{kept}]",
        f"weight = np.concatenate([np.full(len(old), {way['forgetting']!r} ** age) for age, (_, old) in enumerate(kept)])",
        "X, y = np.vstack([rows for rows, _ in kept]), np.concatenate([old for _, old in kept])",
    ]
