"""The layout of the page."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from ..words import explorer as words
from . import controls
from .state import PICTURES

_GRAPH: dict[str, Any] = {
    "displaylogo": False,
    "responsive": True,
    "displayModeBar": False,
    "showSendToCloud": False,
    "showEditInChartStudio": False,
    "plotlyServerURL": "",
    "topojsonURL": "",
}


def page() -> Any:
    """All of it."""
    body = html.Div(
        [
            *controls.stores(),
            dcc.Store(id="address"),
            dcc.Store(id="state"),
            dcc.Store(id="axes"),
            dcc.Store(id="settled"),
            dcc.Store(id="answered"),
            dcc.Store(id="advice"),
            dcc.Store(id="scheme", storage_type="local"),
            dcc.Download(id="download"),
            _header(),
            html.Div(
                [html.Aside(controls.parts(), className="controls"), html.Main(_main(), className="main")], className="page"
            ),
        ]
    )
    return dmc.MantineProvider(body, id="theme", forceColorScheme="light", theme={"fontFamily": "system-ui, sans-serif"})


def _header() -> Any:
    buttons = [
        dmc.Button(words.RESET, id="reset", size="xs", variant="default"),
        dmc.Button(words.SCHEME, id="scheme-toggle", size="xs", variant="default"),
    ]
    return html.Header([html.H1(words.TITLE), html.Div(buttons, className="buttons")], className="header")


def _main() -> list[Any]:
    copy = dmc.CopyButton(id="copy", value="", children=words.COPY, copiedChildren=words.COPIED)
    return [
        html.Div(id="notices", role="status"),
        html.Section(
            [
                html.Div(id="verdict", className="verdict", **{"aria-live": "polite"}),
                html.Div(
                    [
                        html.Div(id="best"),
                        dmc.Button(words.USE, id="use", size="xs", disabled=True),
                    ],
                    className="best",
                ),
            ],
            className="card answer",
        ),
        html.Div([card("risk_by_generation"), card("risk_by_weight")], className="pictures"),
        html.Section(
            [
                dmc.Tabs(
                    dmc.TabsList([dmc.TabsTab(words.PICTURES[name], value=name) for name in PICTURES]),
                    id="picture",
                    value=PICTURES[0],
                ),
                _figure("chosen"),
            ],
            className="card",
        ),
        html.Section(
            [
                html.Div([html.H2(words.CODE), copy], className="line"),
                html.Pre(id="code", tabIndex=0),
            ],
            className="card",
        ),
    ]


def card(name: str) -> Any:
    """A picture that is always shown."""
    return html.Section(_figure(name), className="card")


def _figure(name: str) -> Any:
    files = [
        dmc.Button(kind.upper(), id=f"{name}-{kind}", size="compact-xs", variant="subtle") for kind in ("png", "svg", "csv")
    ]
    graph = dcc.Graph(
        id=f"{name}-graph", config=_GRAPH, className="graph", style={"height": "380px"}, figure={"layout": {"autosize": True}}
    )
    return html.Div(
        [graph, html.Div(id=f"{name}-figure-why", className="why", role="status"), html.Div(files, className="files")],
        className="figure",
    )
