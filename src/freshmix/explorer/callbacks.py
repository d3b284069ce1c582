"""What happens when something on the page is changed: each callback is a function of what it is sent, and of nothing else."""

import logging
import time
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update, set_props

from ..words import explorer as words
from . import answers, controls, simulate_part, table_part
from . import state as states
from .page import HEIGHT, verdict
from .pictures import sent
from .state import FIELDS

_VALUES = [controls.value_of(name) for name in FIELDS]
# Pictures that are always shown; "chosen" is the one of the tab.
_SHOWN = ("risk_by_generation", "risk_by_weight")
_PLACES = (*_SHOWN, "chosen")
# Where there is no picture, its place is low. The graph keeps its height: plotly fails where one shrinks below its margins.
_LOW = {"height": "80px", "overflow": "hidden"}
_BLANK: dict[str, Any] = {
    "data": [],
    "layout": {
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "xaxis": {"visible": False},
        "yaxis": {"visible": False},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    },
}


def register(app: Dash) -> None:
    """Tell the app of all of them."""
    _scripts(app)
    table_part.register(app)
    simulate_part.register(app)
    app.callback(
        *[Output(*value) for value in _VALUES],
        Output("notices", "children"),
        Output("moved", "data"),
        Input("address", "data"),
        Input("use", "n_clicks"),
        Input("reset", "n_clicks"),
        Input("risk_by_weight-graph", "clickData"),
        Input("chosen-graph", "clickData"),
        State("advice", "data"),
        State("state", "data"),
        prevent_initial_call=True,
    )(moved)
    app.callback(
        *[Output(f"{name}-row", "style") for name in controls.OF_MODELS],
        *[Output(f"{name}-why", "children") for name in ("model", *controls.LIMITED)],
        *[Output(name, "disabled") for name in controls.LIMITED],
        *[Output(f"{name}-slider", "disabled") for name in controls.LIMITED if controls.has_slider(name)],
        Input("axes", "data"),
        prevent_initial_call=True,
    )(limited)
    app.callback(
        *[Output(f"{name}-graph", "figure") for name in _SHOWN],
        Output("answered", "data"),
        Input("state", "data"),
        Input("scheme", "data"),
        prevent_initial_call=True,
    )(quick)
    app.callback(
        Output("best", "children"),
        Output("use", "disabled"),
        Output("advice", "data"),
        Input("settled", "data"),
        State("advice", "data"),
        prevent_initial_call=True,
    )(advised)
    app.callback(
        Output("chosen-graph", "figure"),
        Output("chosen-figure-why", "children"),
        Output("chosen-graph", "style"),
        Output("chosen-place", "style"),
        Input("settled", "data"),
        Input("scheme", "data"),
        prevent_initial_call=True,
    )(chosen)
    app.callback(
        Output("download", "data"),
        *[Input(f"{name}-csv", "n_clicks") for name in _PLACES],
        State("state", "data"),
        prevent_initial_call=True,
    )(downloaded)


def _scripts(app: Dash) -> None:
    """Those that run in the browser: assets/explorer.js."""

    def script(name: str, *wires: Any, later: bool = True) -> None:
        app.clientside_callback(ClientsideFunction("explorer", name), *wires, prevent_initial_call=later)

    script("address", Output("address", "data"), Input("known", "data"), later=False)
    # Dash passes each script's part through the whole page: one script does what a move of a slider needs.
    script(
        "state",
        Output("state", "data"),
        Output("axes", "data"),
        Output("settled", "data"),
        *[Input(*value) for value in _VALUES],
        *[Input(f"{name}-slider", "value") for name in FIELDS if controls.has_slider(name)],
        Input("moved", "data"),
        State("known", "data"),
    )
    script("answered", Output("run", "data", allow_duplicate=True), Input("answered", "data"))
    script(
        "scheme",
        Output("scheme", "data"),
        Output("theme", "forceColorScheme"),
        Input("scheme-toggle", "n_clicks"),
        later=False,
    )
    for name in _PLACES:
        buttons = [Input(f"{name}-{kind}", "n_clicks") for kind in ("png", "svg")]
        script("image", *buttons)


def failed(error: Exception) -> None:
    """A fault of ours is told to whoever runs the server, and the page goes on."""
    logging.getLogger(__name__).error("the explorer failed", exc_info=error)
    set_props("notices", {"children": html.P(words.FAILED, className="notice")})


def moved(address: Any, use: Any, reset: Any, weight: Any, chosen: Any, advice: Any, query: str | None) -> list[Any]:
    """Settings that come from elsewhere than their controls: the address, a button, a place in a picture."""
    said: list[str] = []
    trigger = ctx.triggered_id
    # The page comes with all settings as they are at first.
    first = trigger == "address" and address["entry"] == 0
    before = state = states.State() if first else states.State.from_query(query or "")
    if trigger == "address":
        state, said = states.read(address["search"])
    elif trigger == "use" and advice:
        state = state.replace(**advice["settings"])
    elif trigger == "reset":
        state = states.State()
    elif trigger == "risk_by_weight-graph":
        state = pointed(state, "risk_by_weight", weight)
    elif trigger == "chosen-graph":
        state = pointed(state, state.picture, chosen)
    # What is as it was is not sent, except where a control may hold what could not be used.
    sure = first or trigger not in ("address", "reset")
    values = [
        no_update if sure and getattr(state, name) == getattr(before, name) else controls.shown(name, getattr(state, name))
        for name in FIELDS
    ]
    return [*values, [html.P(each, className="notice") for each in said], time.monotonic_ns()]


# What the axes of a picture are.
_AXES = {"risk_by_weight": ("real_weight", None), "weight_penalty": ("real_weight", "penalty"), "phase": ("aspect", "labelled")}


def pointed(state: states.State, picture: str, click: Any) -> states.State:
    """The state at a place in a picture; what lies beyond a setting's range is its end."""
    if picture not in _AXES or not click or not click.get("points"):
        return state
    point = click["points"][0]
    named = {name: point.get(axis) for name, axis in zip(_AXES[picture], "xy", strict=True) if name is not None}
    numbers = {name: value for name, value in named.items() if isinstance(value, int | float)}
    return state.replace(**states.nearest(numbers, 4))


def limited(query: str) -> list[Any]:
    """Which settings are shown, which are not used, and why."""
    state = states.State.from_query(query)
    unused = state.unused()
    shown = [controls.style(name, state) for name in controls.OF_MODELS]
    why = [words.NO_TABLE if state.lacks_table else "", *[unused.get(name, "") for name in controls.LIMITED]]
    disabled = [name in unused for name in controls.LIMITED]
    sliders = [name in unused for name in controls.LIMITED if controls.has_slider(name)]
    return [*shown, *why, *disabled, *sliders]


def quick(query: str, scheme: str) -> list[Any]:
    """The pictures that are always shown, and what is said beside them, by place: it is put there once they are drawn."""
    state = states.State.from_query(query)
    try:
        best = answers.best_at_penalty(state)
    except (ValueError, ArithmeticError):
        # Each picture says why by itself.
        best = None
    tables = {name: _table(name, state, best) for name in _SHOWN}
    figures = {name: _picture(name, table, scheme) for name, table in tables.items()}
    by_weight, lines = tables["risk_by_weight"], answers.lines(state)
    said = verdict(answers.verdict(state)) | {
        "best-weight": {"children": "" if isinstance(by_weight, str) else answers.best_weight(by_weight)},
        **{f"{name}-figure-why": {"children": why} for name, (_, why) in figures.items()},
        "code": {"children": lines},
        "copy": {"value": lines},
    }
    return [*(figure for figure, _ in figures.values()), {"query": query, "said": said}]


def chosen(query: str, scheme: str) -> tuple[Any, str, Any, dict[str, str]]:
    """The picture of the tab, which may be higher than others."""
    state = states.State.from_query(query)
    figure, why = _picture(state.picture, _table(state.picture, state), scheme)
    if why:
        return figure, why, no_update, _LOW
    return figure, why, {"height": f"{figure['layout'].get('height', HEIGHT)}px"}, {}


def _table(name: str, state: states.State, *known: Any) -> Any:
    """The data of a picture, or why there are none."""
    try:
        return answers.DATA[name](state, *known)
    except (ValueError, ArithmeticError) as error:
        return str(error)


def _picture(name: str, table: Any, scheme: str) -> tuple[Any, str]:
    if isinstance(table, str):
        return _BLANK, table
    return sent(name, table, "dark" if scheme == "dark" else "light"), ""


def advised(query: str, before: Any) -> tuple[Any, Any, Any]:
    """The best weight and penalty; nothing new where they are those from before."""
    state = states.State.from_query(query)
    about = answers.about(state)
    if before and before["about"] == about:
        return no_update, no_update, no_update
    best = answers.advice(state)
    if best is None:
        return words.NO_WEIGHT, True, {"about": about}
    settings = answers.advised(best)
    text = words.best(best.real_weight, best.loop.penalty, best.risk, best.attained)
    return text, False, {"about": about, "settings": settings}


def downloaded(*given: Any) -> Any:
    """The data of a picture as CSV."""
    state = states.State.from_query(given[-1])
    place = str(ctx.triggered_id).removesuffix("-csv")
    name = state.picture if place == "chosen" else place
    try:
        text = answers.csv(name, state)
    except (ValueError, ArithmeticError):
        return no_update
    return dcc.send_string(text, f"freshmix-{name}.csv")
