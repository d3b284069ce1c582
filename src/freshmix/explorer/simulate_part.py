"""The part of the page that simulates: batch after batch, each asked for by the browser once the one before has come."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from ..words import simulating as words
from . import answers, simulating
from . import state as states
from .controls import explained
from .pictures import drawn

# The picture that the points are in.
PICTURE = "risk_by_generation"


def part() -> Any:
    """Numbers of rows and runs, the buttons, and how far a simulation is."""
    start = dmc.Button(words.SIMULATE, id="run-start", size="xs")
    stop = dmc.Button(words.CANCEL, id="run-stop", size="xs", variant="default", disabled=True)
    return html.Div(
        [
            _number("run-rows", words.ROWS, words.ROWS_MEANING, simulating.ROWS, 10, simulating.MOST_ROWS),
            _number(
                "run-replicates",
                words.REPLICATES,
                words.REPLICATES_MEANING,
                simulating.REPLICATES,
                2,
                simulating.MOST_REPLICATES,
            ),
            html.Div([start, stop], className="buttons"),
            html.Div(id="run-said", role="status", className="why"),
            # What is asked for next, and all that is done.
            dcc.Store(id="run"),
            dcc.Store(id="runs"),
        ],
        className="simulate",
    )


def _number(name: str, label: str, meaning: str, value: int, low: int, high: int) -> Any:
    typed = dmc.NumberInput(
        id=name, value=value, min=low, max=high, allowDecimal=False, hideControls=True, size="xs", w=72, **{"aria-label": label}
    )
    return html.Div([explained(label, meaning), typed], className="buttons")


def register(app: Dash) -> None:
    """Tell the app of what happens here."""

    def script(name: str, *wires: Any) -> None:
        app.clientside_callback(ClientsideFunction("simulate", name), *wires, prevent_initial_call=True)

    given = [State("state", "data"), State("run-rows", "value"), State("run-replicates", "value")]
    script("start", Output("run", "data"), Output("run-stop", "disabled"), Input("run-start", "n_clicks"), *given)
    script(
        "stop",
        Output("run-said", "children"),
        Output("run-stop", "disabled", allow_duplicate=True),
        Input("run-stop", "n_clicks"),
    )
    script("onwards", Input("runs", "data"))
    app.callback(Output("runs", "data"), Input("run", "data"), State("scheme", "data"), prevent_initial_call=True)(batch)


def batch(run: Mapping[str, Any] | None, scheme: str) -> Any:
    """A run one batch further, with the picture that has its points, and what is said of it."""
    if not run:
        return no_update
    try:
        found = simulating.next_of(run)
        state = states.State.from_query(found["query"])
        table = answers.DATA[PICTURE](state)
        picture = drawn(PICTURE, table, "dark" if scheme == "dark" else "light", points=simulating.points(found["runs"]))
    except (ValueError, ArithmeticError) as problem:
        return {**run, "refused": str(problem)}
    done = len(found["runs"])
    # Those that are done: of a simulation that was stopped, too, these are its points.
    simulation = simulating.Simulation(state, found["rows"], found["replicates"])
    said = words.progress(done, found["replicates"], found["rows"], simulation.features)
    return {
        **found,
        "said": " ".join([said, *found["told"]]),
        "picture": picture.to_plotly_json(),
        "code": answers.lines(state) + simulation.lines(done),
    }
