"""What a label plan says, in parts: how many labels to buy and why, what if less may be kept, the ways, the curve."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from . import remembering
from .doubts import few_labels
from .figures import UNBOUNDED, percent, short, sure
from .layout import Answer, Code, Grid, Leads, Lines, Verdict
from .loop import RETRAININGS, horizon, synthetic_labels

_NEVER = "out of reach"
# Rows of the curve on screen; a file has all of them.
_SHOWN = 9


# A ``freshmix.Plan``: it stands above this room, and is read by its fields alone.
Planned = Any
Way = Mapping[str, Any]


def answer(found: Planned) -> Answer:
    """All of it: what to buy, what if less may be kept, the ways and the curve, and how sure that is."""
    return (
        Leads(headline(found)),
        Lines("What is assumed", (found.assumption,)),
        Grid(_ways_heading(found), ways_columns(found), ways(found), left=2),
        Lines(None, (legend(found),)),
        Grid(_curve_heading(found), CURVE, curve(found)),
        Code(f"{_name(found.best)} in scikit-learn, once for each new {step(found)}", found.code()),
        Leads(evidence(found), "How sure (90% intervals in brackets)"),
        Verdict(found.verdict, f"mixing labels alone, {found.reason}"),
        Lines("What would help the mix", found.changes),
        Lines("Warnings", (*found.warnings, *_few(found))),
        Lines("Notes", found.notes),
    )


def step(found: Planned) -> str:
    """What a generation is called."""
    return found.advice.step or "generation"


def _when(found: Planned) -> str:
    on = f", judged on the next {found.advice.step}" if found.advice.persistence is not None else ""
    return f"{horizon(found.advice.compared_at, found.advice.step or RETRAININGS)}{on}"


def _name(way: str) -> str:
    return remembering.NAMES[way][0].upper() + remembering.NAMES[way][1:]


def headline(found: Planned) -> list[tuple[str, str]]:
    """What to buy and why, what there is now, what if less may be kept, and what remembering saves."""
    return [_buy(found), _why(found), *_less(found), _how(found), *_asked(found), _now(found), _saves(found)]


def _buy(found: Planned) -> tuple[str, str]:
    way, rows, known = found.ways[found.best], found.rows_per_generation, found.advice.best_intervals
    error = sure(way["prediction_error"], known["prediction_error"])
    reached = f"mean squared prediction error {error}, its root {sure(way['rmse'], known['rmse'])}, {_when(found)}"
    if math.isinf(way["labels"]):
        return "Out of reach", f"{_labels(rows)} a {step(found)}, all there are, bring a {reached}"
    return "Buy", f"{_labels(way['labels'])} for {rows} rows a {step(found)} (cost {short(way['cost'])}): {reached}"


def _how(found: Planned) -> tuple[str, str]:
    do = remembering.instruction(found.best, found.ways[found.best], step(found), False, _learner)
    return "How", f"{do[0].upper()}{do[1:]}"


def _asked(found: Planned) -> list[tuple[str, str]]:
    """The mix at a row weight that was asked for, of which the ways have their own; and whether a penalty makes it collapse."""
    if "row_weight" not in found.options and ("penalty" not in found.options or found.verdict == "feasible"):
        return []
    if found.verdict != "feasible":
        return [("Mixing labels alone, as asked for", f"{found.verdict}, {found.reason}")]
    return [("Mixing labels alone, as asked for", f"{recipe(found)} Excess risk {short(found.risk)}")]


def _few(found: Planned) -> list[str]:
    """A warning where theory is rough for so few labels, unless it is there already."""
    said = few_labels(found.ways[found.best]["labels"])
    return [] if said is None or said in found.warnings else [said]


def _labels(count: float) -> str:
    return f"{count:g} label{'' if count == 1 else 's'}"


def _why(found: Planned) -> tuple[str, str]:
    way, at = found.ways[found.best], step(found)
    rows = f"{found.rows_per_generation} rows"
    all_of_them = math.sqrt(way["all_labelled"])
    more = f"labelling all {rows} reaches a root of {short(all_of_them)}"
    if found.advice.aim == "target":
        if math.isinf(way["labels"]):
            return "Why", f"the target is a root of {short(math.sqrt(found.advice.goal))}, {more}"
        span = found.advice.best_intervals["labels"]
        return "Why", f"the fewest that reach it (90% interval {_count(span[0])} to {_count(span[1])}); {more}"
    if found.advice.aim == "budget":
        return "Why", f"what {short(found.budget)} a {at} pays for; {more}"
    if found.advice.aim == "value":
        return "Why", f"worth the most where one unit less of the root is worth {short(found.advice.value)} a {at}; {more}"
    if way["labels"] == found.rows_per_generation:
        return "Why", "with half of them the root is over 1% higher, and there are no more rows"
    change = percent(100 * (all_of_them / way["rmse"] - 1), 2)
    return "Why", f"twice as many would lower the root by less than 1%; {more} ({change})"


def _count(labels: float) -> str:
    return "never" if math.isinf(labels) else f"{labels:g}"


def _now(found: Planned) -> tuple[str, str]:
    way, at = found.ways[found.best], step(found)
    gain = short(found.advice.label_gain)
    said = f"the table has {found.advice.labels_now:.3g} labels a {at}, which reach a root of {short(math.sqrt(way['now']))}"
    if found.advice.label_gain <= 0:
        return "Now", said
    worth = f"which pays where a unit of it is worth more than {short(found.advice.break_even)} a {at}"
    buy = "" if found.advice.aim == "value" else " (give the value to buy by it)"
    return "Now", f"{said}. One label more than advised lowers the root by {gain}, {worth}{buy}"


def _less(found: Planned) -> list[tuple[str, str]]:
    """The best ways that need less to be kept than the best one."""
    said = []
    for most, text in (("model", "If only the last model may be kept"), ("nothing", "If nothing may be kept")):
        stored = remembering.STORED.index(found.ways[found.best]["stored"])
        if remembering.STORED.index(most) >= stored:
            continue
        names = [name for name, way in found.ways.items() if way["stored"] == most]
        name = min(names, key=lambda each: (found.ways[each]["labels"], found.ways[each]["rmse"]))
        way = found.ways[name]
        if math.isinf(way["labels"]):
            said.append(
                (text, f"{_NEVER}; {remembering.NAMES[name]} has a root of {short(way['rmse'])} with all rows labelled")
            )
        else:
            said.append((text, f"buy {way['labels']:g}: {remembering.NAMES[name]}, root {short(way['rmse'])}"))
    return said


def _saves(found: Planned) -> tuple[str, str]:
    """By how much each way lowers the need."""
    alone = found.ways["real_only"]["as_much_as_alone"]
    needs = [(found.ways[name]["as_much_as_alone"], words) for name, words in _WITH.items()]
    said = ", ".join(f"{need:g} with {words}" for need, words in needs if math.isfinite(need))
    never = "labels alone do not reach the target"
    if not said:
        return "What remembering saves", f"no way reaches the target; {never}"
    if math.isinf(alone):
        return "What remembering saves", f"{never}; it takes {said}"
    return "What remembering saves", f"{alone:g} labels a {step(found)} alone do as much as {said}"


_WITH = {
    "mixed": "the last model's labels mixed in",
    "anchored": "the last model in the penalty",
    "anchored_mixed": "both",
    "keep_all": "all old rows kept",
    "forgetting": "old rows kept that count less with age",
}


def _learner(alpha: float) -> str:
    return f"Ridge(alpha={short(alpha)})" if alpha else "minimum-norm least squares"


def _ways_heading(found: Planned) -> str:
    return f"Ways to train, each at its best, {_when(found)}"


def ways_columns(found: Planned) -> tuple[str, ...]:
    """Names over ``ways``."""
    alone = found.ways["real_only"]["as_much_as_alone"]
    do = "to the target" if found.advice.aim == "target" or math.isinf(alone) else f"do as {alone:g} alone"
    return ("way", "keeps", "labels", "cost", "error", "root", f"root, all {found.rows_per_generation}", do)


def ways(found: Planned) -> list[Sequence[str]]:
    """Each way: labels and cost, what they reach, what all rows labelled reach, and the labels that do what others do alone."""
    order = sorted(found.ways, key=lambda name: (name != found.best, found.ways[name]["labels"], found.ways[name]["rmse"]))
    rows: list[Sequence[str]] = []
    for name in order:
        way = found.ways[name]
        label = remembering.IN_TABLE[name] + ("" if way["allowed"] else " (not allowed)")
        count, cost = ("-", "-") if math.isinf(way["labels"]) else (f"{way['labels']:g}", short(way["cost"]))
        error = short(way["prediction_error"], zeros=True), short(way["rmse"], zeros=True)
        last = short(math.sqrt(way["all_labelled"]), zeros=True), _count(way["as_much_as_alone"])
        rows.append((label, _KEEPS[way["stored"]], count, cost, *error, *last))
    return rows


_KEEPS = {"nothing": "nothing", "model": "last model", "moments": "X'X, X'y", "rows": "rows"}


def legend(found: Planned) -> str:
    """What the columns mean."""
    never = (
        "; -: out of reach, with what all rows labelled reach"
        if any(math.isinf(w["labels"]) for w in found.ways.values())
        else ""
    )
    return f"error: mean squared prediction error, noise included; root: of that, in units of the label{never}"


CURVE = ("labels", "cost", "error", "90% interval", "root", "one more lowers it by", "alone: root")


def _curve_heading(found: Planned) -> str:
    return f"{_name(found.best)}, by labels a {step(found)}"


def curve(found: Planned) -> list[Sequence[str]]:
    """Some rows of the best way's curve, under the names in ``CURVE``."""
    rows: list[Sequence[str]] = []
    size = len(found.curves["labels"])
    for i in sorted({round(k * (size - 1) / (_SHOWN - 1)) for k in range(_SHOWN)}):
        at = {name: float(values[i]) for name, values in found.curves.items()}
        error = at[found.best]
        span = sure(error, (at["low"], at["high"])).partition(" (")[2].rstrip(")")
        cells = f"{at['labels']:.3g}", short(at["cost"]), short(error, zeros=True), span, short(math.sqrt(error), zeros=True)
        rows.append((*cells, short(at["label_gain"]), short(math.sqrt(at["real_only"]), zeros=True)))
    return rows


def evidence(found: Planned) -> list[tuple[str, str]]:
    """What the plan rests on: the start, the curve, the drift, the mix's own numbers, the estimates."""
    held = f"the first model is fitted on {found.advice.labels_owned:.3g} labels; more that are owned already can be counted"
    reading = (
        f"numbers of labels but those asked for are read between points, to {_percent(found.advice.reading_error)} of the error"
    )
    drift = (
        [("Drift", remembering.drift(found.advice.persistence, found.advice.step))]
        if found.advice.persistence is not None
        else []
    )
    known, when = found.intervals, horizon(found.generations, found.advice.step or RETRAININGS)
    mix = f"{recipe(found)} Error above the unavoidable noise (excess risk) {sure(found.risk, known.get('risk'))} {when}"
    noise = sure(found.noise_variance, known.get("noise_variance"))
    table = f"{found.rows_per_generation} rows a {step(found)}, {found.features} features, noise variance {noise}"
    ratio = f"{table}, signal-to-noise ratio {short(found.signal_to_noise_ratio)}"
    return [
        ("Start", held),
        ("The curve", reading),
        *drift,
        ("Mixing alone", mix),
        ("The table", ratio),
    ]


def _percent(part: float) -> str:
    return f"{max(100 * part, 0.01):.1g}%"


def assumption(rows: int, noise_ratio: float, when: str, first_rows: float | None, step: str) -> str:
    """The loop that is assumed, in one sentence; ``first_rows`` of the first generation over ``rows``, None: as any other."""
    first = "the first time too"
    if first_rows is not None:
        count = max(round(first_rows * rows), 1)
        first = f"{count} the first time"
    synthetic = synthetic_labels(noise_ratio, "plain predictions", "labels sampled from the previous model")
    return (
        f"Assumed loop: {rows} new rows in each {step}, the same number of them labelled each time ({first}), "
        f"{synthetic} for the others where labels are mixed; the mix is judged {when}."
    )


def reason(
    verdict: str,
    labels: int,
    risk: float,
    least: tuple[int, float],
    rows: int,
    aspect: float,
    target: float | None,
    null: float,
) -> str:
    """Why the verdict: ``labels`` of ``rows`` bring ``risk``; ``least`` holds the labels and the risk where that is lowest."""
    figure = f"{least[1]:.4g} with {least[0]} labels" if math.isfinite(least[1]) else UNBOUNDED
    if verdict == "collapses":
        return (
            f"no share of labels prevents collapse at aspect ratio {aspect:.4g}: the least excess risk is "
            f"{figure}, above {null:.4g} for predicting the mean"
        )
    if verdict == "out of reach":
        return f"the least excess risk in {rows} rows is {figure}, above the target {target:.4g}"
    return (
        f"excess risk {risk:.4g} with {labels} labels per generation; the least is {figure}, "
        f"and predicting the mean has {null:.4g}"
    )


def free_penalty(penalty: float, risk: float) -> str:
    """What the best penalty would bring in place of a given one."""
    return f"the best penalty in place of {penalty:g}: excess risk {risk:.4g} with all rows labelled"


def free_row_weight(labels: int, risk: float) -> str:
    """What a row weight of its own would bring."""
    return f"a free row weight for rows without a label: excess risk {risk:.4g} with {labels} labels"


def no_help(most: float) -> str:
    """More rows bring nothing."""
    return f"more rows alone do not help, up to {most:g} times as many"


def more_rows(rows: int, instead_of: int) -> str:
    """As many rows as would do."""
    return f"{rows} rows per generation instead of {instead_of}, all labelled"


def fewer_features(features: int, instead_of: int) -> str:
    """As few features as would do."""
    return f"{features} features instead of {instead_of}, if they carry the signal"


def worse_than_mean(labels: int, risk: float) -> str:
    """A loop that a plan's labels leave above the null risk, and the labels with the least."""
    return f"with these labels the loop is worse than predicting the mean; {labels} labels have {risk:.4g}"


def recipe(found: Planned) -> str:
    """What to do, in a sentence."""
    loop = found.loop
    rest = next((group.row_weight for group in loop.groups or () if not group.labelled), None)
    others = "" if rest is None else f", other rows at row weight {short(rest)}" if rest else ", other rows left out"
    mine = max(group.real_weight for group in loop.groups or ())
    return (
        f"Label {found.labels:g} of {found.rows_per_generation} rows in each generation; real weight {short(mine)} on them"
        f"{others}; penalty {short(loop.penalty)} (scikit-learn alpha = {short(loop.penalty * found.rows_per_generation)})."
    )
