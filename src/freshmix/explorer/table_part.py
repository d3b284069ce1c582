"""The part of the page that takes a table: where it is dropped, menus for its columns, and what comes of it."""

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from ..words import uploading as words
from . import blocks, uploaded
from . import state as states
from .controls import explained

_MENUS = ("file-target", "file-time", "file-drop", "file-gaps", "file-keep")
_SHOWN: dict[str, str] = {}
_HIDDEN = {"display": "none"}


def part() -> list[Any]:
    """Where a table is dropped, and its menus."""
    menus = [
        _menu("file-target", words.TARGET, words.TARGET_MEANING, searchable=True, allowDeselect=False),
        _menu("file-time", words.TIME, words.TIME_MEANING, searchable=True, clearable=True, placeholder=words.NO_TIME),
        html.Div(
            [
                explained(words.LEFT_OUT, words.LEFT_OUT_MEANING),
                dmc.MultiSelect(id="file-drop", data=[], value=[], searchable=True, size="xs", **_over(words.LEFT_OUT)),
            ],
            className="setting",
        ),
        _menu("file-gaps", words.GAPS, words.GAPS_MEANING, words.HOW, allowDeselect=False),
        _menu("file-keep", words.MAY_KEEP, words.MAY_KEEP_MEANING, words.KEPT, allowDeselect=False),
        html.Div(
            [
                dmc.Button(words.RECOMMEND, id="recommend", size="xs"),
                dmc.Button(words.FORGET, id="forget", size="xs", variant="default"),
            ],
            className="buttons",
        ),
    ]
    return [
        dcc.Upload(
            html.Button(words.DROP, type="button", className="drop"),
            id="file",
            multiple=False,
            # The button inside is reached by the keyboard.
            style={},
            style_active={},
            style_reject={},
        ),
        html.P(uploaded.LIMITS, className="why"),
        html.Div(id="file-said", role="status", className="said"),
        html.Div(menus, id="file-menus", style=_HIDDEN),
        html.Div(words.WORKING, id="working", role="status", className="why", style=_HIDDEN),
        dcc.Store(
            id="file-limits",
            data={
                "most": uploaded.MOST_BYTES,
                "said": words.too_large("{name}", None, uploaded.MOST_BYTES),
                "label": words.DROP,
            },
        ),
    ]


def _over(label: str) -> dict[str, Any]:
    return {"aria-label": label, "comboboxProps": {"zIndex": 400}}


def _menu(name: str, label: str, meaning: str, values: dict[str, str] | None = None, **options: Any) -> Any:
    data = [{"value": value, "label": said} for value, said in (values or {}).items()]
    chosen = dmc.Select(
        id=name, data=data, value=data[0]["value"] if data else None, size="xs", w=150, **_over(label), **options
    )
    return html.Div([explained(label, meaning), chosen], className="setting")


def answer() -> Any:
    """Where the recommendation is shown; nothing before there is one."""
    return html.Section(id="recommendation", className="card recommendation", style=_HIDDEN, **{"aria-live": "polite"})


def register(app: Dash) -> None:
    """Tell the app of what happens here."""
    app.callback(
        Output("file-said", "children"),
        *[Output(name, "data") for name in _MENUS[:3]],
        *[Output(name, "value") for name in _MENUS[:3]],
        Output("file-menus", "style"),
        Input("file", "contents"),
        State("file", "filename"),
        prevent_initial_call=True,
        running=[(Output("working", "style"), _SHOWN, _HIDDEN)],
    )(came)
    app.callback(
        Output("file-said", "children", allow_duplicate=True),
        Output("recommendation", "children"),
        Output("recommendation", "style"),
        Output("address", "data", allow_duplicate=True),
        Input("recommend", "n_clicks"),
        State("file", "contents"),
        State("file", "filename"),
        *[State(name, "value") for name in _MENUS],
        State("state", "data"),
        prevent_initial_call=True,
        running=[
            (Output("working", "style"), _SHOWN, _HIDDEN),
            (Output("recommend", "disabled"), True, False),
        ],
    )(answered)
    app.clientside_callback(
        ClientsideFunction("table", "forgotten"),
        Output("file", "contents"),
        Output("file", "filename"),
        Output("file-said", "children", allow_duplicate=True),
        Output("file-menus", "style", allow_duplicate=True),
        Output("recommendation", "children", allow_duplicate=True),
        Output("recommendation", "style", allow_duplicate=True),
        Input("forget", "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(ClientsideFunction("table", "bounded"), Input("file-limits", "data"))


def came(contents: str | None, name: str | None) -> list[Any]:
    """The menus for a table that was dropped, or why it cannot be used."""
    if contents is None:
        return [no_update] * 8
    try:
        file = uploaded.received(name, contents)
        columns = uploaded.columns_of(file)
    except ValueError as problem:
        return [_notice(problem), [], [], [], None, None, [], _HIDDEN]
    target, time = uploaded.likely(columns)
    listed = [[{"value": column, "label": column} for column in columns]] * 3
    return [html.P(words.came(file.name, len(columns))), *listed, target, time, [], _SHOWN]


def answered(
    clicks: int | None,
    contents: str | None,
    name: str | None,
    target: str | None,
    time: str | None,
    drop: list[str] | None,
    gaps: str,
    keep: str,
    query: str | None,
) -> list[Any]:
    """The recommendation for the table, and the page set to its population; or why there is none."""
    try:
        file = uploaded.received(name, contents)
        if not target:
            raise ValueError(words.NO_TARGET)
        found = uploaded.recommended(file, uploaded.Asked(target, time or None, tuple(drop or ()), gaps, keep))
        state, beyond = uploaded.set_to(states.State.from_query(query or ""), found)
    except ValueError as problem:
        return [_notice(problem), [], _HIDDEN, no_update]
    heading = [html.H2(words.for_table(file.name)), html.P(" ".join([words.SET, *beyond]))]
    lines = [html.H3(words.IN_PYTHON), html.Pre(found.lines, tabIndex=0)]
    # Each is an entry of its own, also where the state is the same again.
    address = {"search": state.to_query(), "entry": f"table {clicks}"}
    return [[], [*heading, *blocks.shown(found.said), *lines], _SHOWN, address]


def _notice(problem: ValueError) -> Any:
    return html.P(str(problem), className="notice")
