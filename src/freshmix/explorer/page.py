"""The layout of the page."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from ..words import explorer as words
from ..words import verdict as verdict_words
from . import controls, simulate_part, table_part
from .state import PICTURES

# Pixels of a picture that says nothing else.
HEIGHT = 480
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
            *[dcc.Store(id=name) for name in ("address", "state", "axes", "moved", "settled", "answered", "advice", "scheme")],
            dcc.Download(id="download"),
            _header(),
            html.Div(
                [
                    html.Aside(controls.parts(table_part.part()), className="controls", **{"aria-label": words.CONTROLS}),
                    html.Main(_main(), className="main"),
                ],
                className="page",
            ),
        ]
    )
    # A blue that can be read on white, and white on it: 4.5 to 1 and more.
    look = {"fontFamily": "system-ui, sans-serif", "primaryShade": {"light": 8, "dark": 8}}
    return dmc.MantineProvider(body, id="theme", forceColorScheme="light", theme=look)


def _header() -> Any:
    buttons = [
        dmc.Button(words.RESET, id="reset", size="xs", variant="default"),
        dmc.Button(words.SCHEME, id="scheme-toggle", size="xs", variant="default"),
    ]
    title = html.Div([html.H1(words.TITLE), html.P(words.SUBTITLE)])
    return html.Header([title, html.Div(buttons, className="buttons")], className="header")


def _main() -> list[Any]:
    copy = dmc.CopyButton(id="copy", value="", children=words.COPY, copiedChildren=words.COPIED, size="xs", variant="default")
    # One picture at a time, below: the tabs' own panels hold nothing.
    panels = [dmc.TabsPanel("", value=name, keepMounted=True) for name in PICTURES]
    tabs = [dmc.TabsList([dmc.TabsTab(words.PICTURES[name], value=name) for name in PICTURES]), *panels]
    return [
        html.Div([html.Div(id="notices", role="status"), _answer()], className="answer"),
        table_part.answer(),
        html.Div(
            [_card(_figure("risk_by_generation"), simulate_part.part()), _card(_figure("risk_by_weight"))], className="pictures"
        ),
        _card(dmc.Tabs(tabs, id="picture", value=PICTURES[0]), _figure("chosen")),
        _card(html.Div([html.H2(words.CODE), copy], className="line"), html.Pre(id="code", tabIndex=0)),
    ]


def _answer() -> Any:
    use = dmc.Button(words.USE, id="use", size="xs", disabled=True)
    said = html.Div([html.P(id="best"), html.P(id="best-weight")])
    return _card(_verdict(), html.Div([said, use], className="best"))


def _card(*children: Any) -> Any:
    return html.Section(list(children), className="card")


def verdict(found: Any) -> dict[str, dict[str, Any]]:
    """What is said of a ``freshmix.Limit``, by place: the word, why, and the figures behind it.

    These places stay: new ones at every move take longer than the pictures.
    """
    values = dict(verdict_words.facts(found))
    word = {"children": found.verdict, "className": f"term word {found.verdict}", "data-meaning": words.VERDICTS[found.verdict]}
    said: dict[str, dict[str, Any]] = {"verdict-word": word, "verdict-why": {"children": f": {found.reason}"}}
    for i, name in enumerate(words.TERMS):
        said[f"fact-{i}"] = {"children": values.get(name, "")}
        said[f"fact-{i}-row"] = {"style": {} if name in values else {"display": "none"}}
    return said


def _verdict() -> Any:
    word = controls.explained("", "", "word")
    word.id = "verdict-word"
    facts = [
        html.Div([controls.explained(name, words.TERMS[name]), html.Strong(id=f"fact-{i}")], id=f"fact-{i}-row")
        for i, name in enumerate(words.TERMS)
    ]
    said = [html.P([word, html.Span(id="verdict-why")]), html.Div(facts, className="facts")]
    return html.Div(said, id="verdict", className="verdict", **{"aria-live": "polite"})


def _figure(name: str) -> Any:
    files = [
        dmc.Button(kind.upper(), id=f"{name}-{kind}", size="compact-xs", variant="subtle") for kind in ("png", "svg", "csv")
    ]
    graph = dcc.Graph(id=f"{name}-graph", config=_GRAPH, style={"height": f"{HEIGHT}px"}, figure={"layout": {"autosize": True}})
    if name == "chosen":
        faint = {"visibility": "visible", "opacity": 0.5}
        graph = html.Div(
            dcc.Loading(graph, delay_show=300, overlay_style=faint, custom_spinner=dmc.Loader()), id=f"{name}-place"
        )
    return html.Div(
        [graph, html.Div(id=f"{name}-figure-why", className="why", role="status"), html.Div(files, className="files")],
        className="figure",
    )
