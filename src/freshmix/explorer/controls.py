"""The controls of the page: one for each setting, with its name, what it means, and why it may not be used."""

import math
from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from ..words import explorer as words
from ..words import uploading
from .fields import Choice, Field, Numbers, Numeric
from .state import FIELDS, MODELS, State

PARTS: Mapping[str, tuple[str, ...]] = {
    "population": (
        "model",
        *dict.fromkeys(name for names in MODELS.values() for name in names if name != "table"),
        "signal_to_noise",
        "persistence",
    ),
    "loop": ("covariates", "aspect", "label_renewal", "labelled", "first_rows"),
    "learner": ("real_weight", "penalty", "synthetic_noise_ratio", "row_weight"),
    "memory": ("anchor", "kept_generations", "forgetting"),
    "picture": ("generations",),
}
# What the page shows before it knows its address.
_START = State()
# Settings that are shown where their population is chosen.
OF_MODELS = tuple(dict.fromkeys(name for names in MODELS.values() for name in names if name != "table"))
# Settings that some loops do not have.
LIMITED = (
    "persistence",
    "label_renewal",
    "labelled",
    "first_rows",
    "real_weight",
    "synthetic_noise_ratio",
    "row_weight",
    "anchor",
    "kept_generations",
    "forgetting",
)


def value_of(name: str) -> tuple[str, str]:
    """The component and its property that hold a setting."""
    return name, "data" if name == "table" else "value"


def has_slider(name: str) -> bool:
    """Whether a setting can be dragged."""
    kind = FIELDS[name]
    return isinstance(kind, Numeric) and kind.slides is not None


def shown(name: str, value: Any) -> Any:
    """A setting as its control has it."""
    kind = FIELDS[name]
    if isinstance(kind, Choice | Numbers):
        return kind.write(value)
    return "" if value is None else value


def parts(table: list[Any]) -> list[Any]:
    """All controls, in parts that can be folded; ``table`` is the part that takes a table, folded at first."""
    folds = [_fold(words.PARTS[part], [control(name) for name in names]) for part, names in PARTS.items()]
    return [*folds, _fold(uploading.TITLE, table, open=False)]


def _fold(title: str, inside: list[Any], **options: Any) -> Any:
    return html.Details([html.Summary(html.H2(title)), *inside], className="part", **({"open": True} | options))


def control(name: str) -> Any:
    """One setting: name and value on a line, its slider below and what its ends stand for, and a line for why it is not used.

    As few components as this takes, none deeper than need be: Dash looks at each of them whenever anything on the page changes.
    """
    kind = FIELDS[name]
    if isinstance(kind, Numeric):
        inside = [_typed(name, kind), *_slider(name, kind)]
    elif isinstance(kind, Numbers):
        inside = [dmc.TextInput(id=name, value=kind.write(kind.default), size="xs", debounce=400, **_named(name))]
    else:
        assert isinstance(kind, Choice)
        inside = [_chosen(name, kind)]
    told = name == "model" or name in LIMITED
    why = [html.Div(_START.unused().get(name, ""), id=f"{name}-why", className="why")] if told else []
    ends = dict(zip(("data-low", "data-high"), words.ENDS.get(name, ()), strict=False))
    return html.Div([term(name), *inside, *why], id=f"{name}-row", className="setting", style=style(name, _START), **ends)


def style(name: str, state: State) -> dict[str, str]:
    """Whether a setting is shown: those of a population where it is chosen."""
    return {"display": "none"} if name in OF_MODELS and name not in MODELS[state.model] else {}


def term(name: str) -> Any:
    """The name of a setting, which says what it means when it is pointed at or reached by the keyboard."""
    label, meaning = words.SETTINGS[name]
    return explained(label, meaning)


def explained(label: str, meaning: str, kind: str = "") -> Any:
    """A term with its explanation, which assets/terms.js shows."""
    return html.Button(label, type="button", className=f"term {kind}".strip(), **{"data-meaning": meaning})


def _named(name: str) -> dict[str, Any]:
    return {"aria-label": words.label(name)}


def _typed(name: str, kind: Numeric) -> Any:
    return dmc.NumberInput(
        id=name,
        value="" if kind.default is None else kind.default,
        min=kind.low,
        max=kind.high,
        step=1 if kind.whole else 0.05,
        allowDecimal=not kind.whole,
        decimalScale=0 if kind.whole else 8,
        clampBehavior="blur",
        size="xs",
        w=96,
        hideControls=True,
        debounce=300,
        disabled=name in _START.unused(),
        **_named(name),
    )


def _slider(name: str, kind: Numeric) -> list[Any]:
    if not has_slider(name):
        return []
    way = slide(kind)
    return [
        dmc.Slider(
            id=f"{name}-slider",
            min=way["start"],
            max=way["end"],
            step=way["step"],
            precision=6,
            value=way["at"],
            disabled=name in _START.unused(),
            label=None,
            size="sm",
            updatemode="drag",
            thumbLabel=words.label(name),
        )
    ]


def slide(kind: Numeric) -> dict[str, Any]:
    """Where a slider starts and ends, and its steps: in logarithms to base 10 where it is logarithmic."""
    assert kind.slides is not None
    low, high = (math.log10(end) if kind.log else end for end in kind.slides)
    step = 1.0 if kind.whole and not kind.log else (high - low) / 200
    # The leftmost place of a logarithmic slider may stand for 0.
    start = low - 10 * step if kind.zero else low
    at = kind.default if kind.default is not None else low
    if kind.log:
        at = math.log10(at) if at > 0 else start
    return {"first": low, "start": start, "end": high, "step": step, "at": at}


def _chosen(name: str, kind: Choice) -> Any:
    names = {"model": words.MODELS, "covariates": words.COVARIATES, "kept_generations": {"0": words.NONE}}[name]
    data = [{"value": value, "label": names.get(value, value)} for value in kind.meant]
    if name == "covariates":
        return dmc.SegmentedControl(id=name, data=data, value=kind.write(kind.default), size="xs", **_named(name))
    return dmc.Select(
        id=name,
        data=data,
        value=kind.write(kind.default),
        size="xs",
        w=150,
        allowDeselect=False,
        checkIconPosition="right",
        disabled=name in _START.unused(),
        comboboxProps={"zIndex": 400},
        **_named(name),
    )


def stores() -> list[Any]:
    """What holds settings without a control of their own, and what the page's scripts need to know."""
    defaults = {name: _default(kind) for name, kind in FIELDS.items()}
    sliders = {
        name: {
            **{key: getattr(kind, key) for key in ("log", "zero", "whole", "optional", "low", "high")},
            **(slide(kind) if kind.slides else {}),
        }
        for name, kind in FIELDS.items()
        if isinstance(kind, Numeric)
    }
    return [dcc.Store(id="table", data=""), dcc.Store(id="known", data={"defaults": defaults, "sliders": sliders})]


def _default(kind: Field) -> str:
    value: Any = kind.default
    return kind.write(value)
