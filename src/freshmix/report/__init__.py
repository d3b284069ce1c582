"""A Recommendation -> one file: a self-contained HTML page, or its pictures as PNG or PDF.

The wording of numbers and tables lives here too, so that the page and the command line say the same.
"""

import io
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..files import checked_path, picture, replace_file
from ..loop import Loop
from ..recommendation import Recommendation
from ..version import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".html", ".png", ".pdf")
TITLE = "Real weight and ridge penalty for a retraining loop"
# Weights of a schedule that are printed; of a longer one the middle is left out.
_MOST_WEIGHTS = 12
# Verdicts of a smaller share of the posterior draws are not told.
_LEAST_SHARE = 0.01

_ERRORS = "prediction error is excess risk plus noise variance; change is that of the prediction error against the first line"
_RIVALS = {
    "real_only": "real labels only",
    "keep_all_labels": "keep all real labels",
    "today": "today's setting",
    "synthetic_only": "synthetic labels only",
    "constant_weight": "best constant weight",
}


@dataclass(frozen=True)
class Rival:
    """Another way of training: excess risk and prediction error (squared label units), and how much worse it is.

    ``change`` is 100 (E / E_recommended - 1), the change in prediction error in percent; NaN where it has no meaning.
    """

    name: str
    risk: float
    prediction_error: float
    change: float


def figures(value: float) -> str:
    """A number with 4 significant digits; ``unbounded`` for infinity."""
    if math.isnan(value):
        return "-"
    return "unbounded" if math.isinf(value) else f"{value:.4g}"


def percent(value: float) -> str:
    """A signed change in percent with 4 significant digits; ``-`` where it has no meaning."""
    if not math.isfinite(value):
        return "-"
    return "0%" if abs(value) < 1e-6 else f"{value:+.4g}%"


def horizon(recommendation: Recommendation) -> str:
    """The horizon in words."""
    t = recommendation.generations
    return "in the long run" if t is None else f"at generation {t}"


def rivals(recommendation: Recommendation) -> list[Rival]:
    """The baselines that are known, with R + sigma^2 and the change in percent against the recommendation."""
    found = []
    for key, name in _RIVALS.items():
        risk = recommendation.baselines.get(key)
        if risk is None:
            continue
        error, best = risk + recommendation.noise_variance, recommendation.prediction_error
        change = 100 * (error / best - 1) if math.isfinite(error) and 0 < best < math.inf else math.nan
        found.append(Rival(name, risk, error, change))
    return found


def recipe(recommendation: Recommendation) -> str:
    """What to do, in a sentence or three."""
    r = recommendation
    mix = f"fit {'each generation' if r.schedule is None else 'generation t'} {_training(r)}, with {_learner(r)}."
    if r.check is not None and not r.check.fits:
        return f"On theory alone, which is not to be relied on here: {mix}"
    if r.advice == "keep_all_labels" and r.rows_per_generation is not None:
        return f"Keep all real labels ever seen and fit on them: no mix is better. Where old rows cannot be kept, {mix}"
    if r.advice == "keep_all_labels":
        return (
            f"Keep all real labels ever drawn and fit on their averages: no mix is better. Where old ones cannot be kept, {mix}"
        )
    return mix[0].upper() + mix[1:]


def _training(r: Recommendation) -> str:
    """Which labels a generation is fitted on."""
    if r.schedule is not None:
        labels = "w_t x real label + (1 - w_t) x synthetic label"
        where = f", where w_1, w_2, ... = {schedule(r.schedule)}"
        return _rows(r, labels) + where
    if r.real_weight == 1.0:
        labels = "the real labels alone" if r.labelled == 1 else "the real label"
    elif r.real_weight == 0.0:
        labels = "the synthetic labels alone"
    else:
        labels = f"{figures(r.real_weight)} x real label + {figures(1 - r.real_weight)} x synthetic label"
    return _rows(r, labels)


def _rows(r: Recommendation, labels: str) -> str:
    """Which rows get these labels, and what becomes of the others."""
    if r.labelled == 1:
        return f"on {labels}"
    if r.row_weight == 0:
        return f"on the labelled rows alone, on {labels}"
    return f"with labelled rows on {labels}, other rows on the synthetic label at row weight {figures(r.row_weight)}"


def _learner(r: Recommendation) -> str:
    linear = r.population is not None
    if r.penalty == 0.0:
        return "minimum-norm least squares" if linear else "kernel regression without a penalty"
    name = "Ridge" if linear else "KernelRidge"
    return f"scikit-learn's {name}(alpha={figures(r.alpha)})" + ("" if linear else " on a centred kernel and centred labels")


def schedule(weights: Sequence[float]) -> str:
    """Weights of a schedule, with the middle of a long one left out."""
    shown = [f"{w:.3g}" for w in weights]
    if len(shown) > _MOST_WEIGHTS:
        shown = [*shown[: _MOST_WEIGHTS - 3], "...", *shown[-2:]]
    return ", ".join(shown)


def remarks(recommendation: Recommendation) -> tuple[str, ...]:
    """What the table of rivals cannot say by itself."""
    r = recommendation
    last = r.generations if r.generations is not None else len(r.risk_by_generation["recommended"]) - 1
    if r.rows_per_generation is not None:
        kept = f"keeping all real labels fits ridge on the labelled rows of generations 0 to {last}, where they may be stored"
    elif r.loop.labels == "frozen":
        kept = "no further real labels come, so that keeping all of them is training on real labels only"
    else:
        kept = f"keeping all real labels averages those of generations 0 to {last}, where old ones may be stored"
    today = () if r.baselines.get("today") is not None else ("today's setting is compared where its real weight is given",)
    return (kept, *today, _ERRORS)


def checked(recommendation: Recommendation) -> str:
    """What the replay on the table's own rows found, or why there is none, in one sentence."""
    check = recommendation.check
    return recommendation.unchecked or "not checked" if check is None else check.line()


def backtested(recommendation: Recommendation) -> list[tuple[str, str]]:
    """Name and error of each way of training on the table's own later rows, in time order; empty without a time column."""
    names = {"recommended": "recommended mix", **_RIVALS}
    tested = recommendation.backtest or {}
    return [(names[key], f"{figures(tested[key][0])} +- {figures(tested[key][1])}") for key in names if key in tested]


def settings(recommendation: Recommendation) -> list[tuple[str, str]]:
    """Name and value of what to set, and what to expect of it, with 90% intervals in brackets where there are any."""
    r = recommendation
    weights = [("real weight", _with_interval(r, "real_weight", r.real_weight))]
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
        ("penalty lambda", _with_interval(r, "penalty", r.penalty)),
        ("scikit-learn's alpha", figures(r.alpha)),
        (f"excess risk {horizon(r)}", _with_interval(r, "risk", r.risk) + ("" if r.attained else ", approached only")),
        (f"prediction error {horizon(r)}", _with_interval(r, "prediction_error", r.prediction_error)),
        *([] if later is None else [("excess risk in the long run", figures(later))]),
        *_verdicts(r),
    ]


def _verdicts(r: Recommendation) -> list[tuple[str, str]]:
    """What the verdict would be for other values that fit the table, where they do not agree."""
    shares = [(word, share) for word, share in r.verdict_probabilities.items() if share >= _LEAST_SHARE]
    # A loop that equals real labels only does so under any draw; there they differ by the penalty alone.
    if r.verdict == "holds" or not shares or shares[0][1] > 1 - _LEAST_SHARE:
        return []
    return [("verdict of posterior draws", ", ".join(f"{word} {100 * share:.0f}%" for word, share in shares))]


def estimates(recommendation: Recommendation) -> list[tuple[str, str]]:
    """Name and value of what was estimated from the table, with 90% intervals in brackets where there are any."""
    r = recommendation
    aspect = [] if r.aspect is None else [("aspect ratio (features / rows)", figures(r.aspect))]
    return [
        ("rows, features", f"{r.rows}, {r.features}"),
        *aspect,
        ("noise variance", _with_interval(r, "noise_variance", r.noise_variance)),
        ("signal-to-noise ratio", _with_interval(r, "signal_to_noise_ratio", r.signal_to_noise_ratio)),
    ]


def _with_interval(recommendation: Recommendation, key: str, value: float) -> str:
    if key not in recommendation.intervals:
        return figures(value)
    low, high = recommendation.intervals[key]
    return f"{figures(value)} ({figures(low)} to {figures(high)})"


def write_report(
    recommendation: Recommendation, path: str | os.PathLike[str], *, title: str = TITLE, command: str | None = None
) -> None:
    """Write a recommendation to one file: a page that needs no network (.html), or its pictures (.png, .pdf).

    Parameters
    ----------
    recommendation : Recommendation
        What ``freshmix.recommend`` returned.
    path : str or path
        File to write; an existing one is replaced. It is whole or not there at all.
    title : str
        Heading of the page.
    command : str, optional
        The lines that reproduce the recommendation, shown on the page; by default a call of ``freshmix.recommend``.

    Raises
    ------
    ValueError
        If the suffix is none of .html, .png and .pdf.
    OSError
        If the folder does not exist or cannot be written to.
    """
    from .. import plots

    target = checked_path(path, "path", SUFFIXES)
    makers: dict[str, Callable[[], bytes]] = {
        ".html": lambda: _page(recommendation, title, command).encode(),
        ".png": lambda: picture(plots.all_pictures(recommendation), "png"),
        ".pdf": lambda: picture(plots.all_pictures(recommendation), "pdf"),
    }
    replace_file(target, makers[target.suffix.lower()]())


def _page(recommendation: Recommendation, title: str, command: str | None) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    shelf = Environment(
        loader=PackageLoader("freshmix"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    shelf.filters.update(figures=figures, percent=percent)
    return shelf.get_template("report.html.j2").render(
        r=recommendation,
        title=title,
        command=command if command is not None else _call(recommendation),
        recipe=recipe(recommendation),
        settings=settings(recommendation),
        rivals=rivals(recommendation),
        remarks=remarks(recommendation),
        backtested=backtested(recommendation),
        estimates=estimates(recommendation),
        horizon=horizon(recommendation),
        checked=checked(recommendation),
        pictures=[(alt, Markup(_svg(draw(recommendation), name))) for name, alt, draw in _pictures(recommendation)],
        version=__version__,
    )


def _svg(figure: "Figure", prefix: str) -> str:
    """The figure as an inline SVG: the same bytes every time, text in the page's colour, ids of its own."""
    from matplotlib import rc_context

    from ..plots import INK

    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with rc_context({"svg.hashsalt": "freshmix", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    # Glyphs have the same ids in every SVG; two on one page would clash.
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", text)


def _pictures(r: Recommendation) -> list[tuple[str, str, "Callable[[Recommendation], Figure]"]]:
    """Name, description and maker of each picture on the page."""
    from .. import plots

    found: list[tuple[str, str, Callable[[Recommendation], Figure]]] = [
        ("weights", f"Excess risk against the real weight; recommended: {figures(r.real_weight)}", plots.weight_picture),
        ("generations", "Excess risk by generation for the recommendation and its rivals", plots.generation_picture),
        ("ways", "Prediction error of each way of training, with the recommendation's interval", plots.ways_picture),
    ]
    if r.check is not None:
        found.append(("check", "Excess risk by generation: predicted, and replayed on the table's rows", plots.check_picture))
    return found


def _call(recommendation: Recommendation) -> str:
    """The call of ``recommend`` behind a recommendation that was made in Python, of what was not left at its default."""
    options = dict(recommendation.options)
    known = options.pop("loop", None)
    said = ["X, y"]
    if isinstance(known, Loop):
        said.append(f"loop={loop_code(known)}")
    if options.pop("time", False):
        said.append("time=time")
    if options.pop("sample_weight", False):
        said.append("sample_weight=sample_weight")
    if options:
        said.append(keywords(options))
    return f"import freshmix as fm\n\nrecommendation = fm.recommend({', '.join(said)})\n"


def loop_code(loop: Loop) -> str:
    """A loop as Python code."""
    said: dict[str, object] = {"covariates": loop.covariates, "synthetic_noise_ratio": loop.synthetic_noise_ratio}
    if loop.labels != "fresh":
        said["labels"] = loop.labels
    if loop.penalty:
        said["penalty"] = loop.penalty
    if loop.real_weight is not None:
        said["real_weight"] = loop.real_weight
    groups = ""
    if loop.groups is not None and loop.real_weight is None:
        groups = f", groups=[{', '.join(f'fm.{group!r}' for group in loop.groups)}]"
    return f"fm.Loop({keywords(said)}{groups})"


def keywords(values: Mapping[str, object]) -> str:
    """Keyword arguments as Python code."""
    return ", ".join(f"{name}={_code(value)}" for name, value in values.items())


def _code(value: object) -> str:
    if callable(value):
        return str(getattr(value, "__name__", "kernel"))
    value = value.item() if hasattr(value, "item") else value
    return 'float("inf")' if value == math.inf else repr(value)
