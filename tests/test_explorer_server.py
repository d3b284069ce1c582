"""The explorer's server without a browser: what it sends, what it refuses, and how the command starts and ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from freshmix.explorer import callbacks
from freshmix.explorer.server import MOST_BYTES, make_app
from freshmix.explorer.state import MODELS, PICTURES, State


@pytest.fixture(scope="module")
def client():
    return make_app().server.test_client()


def status(client, path):
    with client.get(path) as response:
        return response.status_code


def test_headers_are_strict_and_there_are_no_cookies(client):
    for path in ("/", "/_dash-layout", "/assets/explorer.css", "/nowhere"):
        with client.get(path) as response:
            headers = response.headers
        assert "Set-Cookie" not in headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "unsafe-eval" not in policy


def test_everything_is_served_by_the_page_itself(client):
    page = client.get("/").text
    asked = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(asked) > 5
    assert [url for url in asked if not url.startswith("/")] == []
    assert all(status(client, url) == 200 for url in asked)


def test_every_process_knows_the_scripts():
    """Also one that was never asked for the page."""
    page = make_app().server.test_client().get("/").text
    scripts = re.findall(r'src="([^"]+)"', page)
    other = make_app().server.test_client()
    assert all(status(other, url) == 200 for url in scripts)


def test_no_callback_takes_the_place_of_another(client):
    """Dash says nothing where two without an output have the same inputs: the page then waits for an answer it has."""
    known = [each["output"] for each in client.get("/_dash-dependencies").json]
    assert sorted(set(known)) == sorted(known)


def test_a_request_that_is_too_large_is_refused(client):
    large = {"data": b"x" * (MOST_BYTES + 1), "content_type": "application/json"}
    assert client.post("/_dash-update-component", **large).status_code == 413


def test_what_is_said_has_its_place(client):
    page = json.dumps(client.get("/_dash-layout").json)
    for query in ("", State(covariates="fresh", kept_generations=None).to_query()):
        for name in callbacks.quick(query, "light")[-1]["said"]:
            assert f'"id": "{name}"' in page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("covariates", ["frozen", "fresh"])
def test_every_state_is_answered(covariates, scheme):
    query = State(covariates=covariates, model="spiked").to_query()
    by_generation, by_weight, answer = callbacks.quick(query, scheme)
    said = answer["said"]
    assert answer["query"] == query
    assert said["code"]["children"] == said["copy"]["value"]
    assert "real weight" in said["best-weight"]["children"]
    assert said["verdict-word"]["children"]
    assert len(by_generation["data"]) > 2
    assert len(by_weight["data"]) > 2
    for name in PICTURES:
        figure, why, style, place = callbacks.chosen(State(covariates=covariates, picture=name).to_query(), scheme)
        assert (why != "") == (name == "phase" and covariates == "frozen")
        assert bool(place) == bool(why)
        assert why or int(style["height"].removesuffix("px")) >= 300
        assert json.loads(json.dumps(figure))


def test_only_what_is_not_set_already_is_advised():
    query = State(model="two-level").to_query()
    text, disabled, advice = callbacks.advised(query, None)
    assert not disabled
    again = State(model="two-level").replace(**advice["settings"]).to_query()
    assert callbacks.advised(again, advice) == (callbacks.no_update,) * 3
    assert callbacks.advised(State().to_query(), advice)[0] != text


@pytest.mark.parametrize("model", MODELS)
def test_what_a_loop_lacks_is_said(model):
    given = callbacks.limited(State(model=model).to_query())
    assert sum(isinstance(each, str) and each.endswith(".") for each in given) == len(State().unused()) + (model == "table")


@pytest.mark.parametrize(
    ("picture", "click", "settings"),
    [
        ("phase", {"x": 0.12345678, "y": 0.5}, {"aspect": 0.1235, "labelled": 0.5}),
        ("phase", {"x": 5, "y": 0}, {"aspect": 5.0, "labelled": 0.001}),
        ("weight_penalty", {"x": 0.25, "y": 1e9}, {"real_weight": 0.25, "penalty": 1e6}),
        ("ways", {"x": 0.3, "y": "mixed"}, {}),
    ],
)
def test_a_click_moves_to_its_place(picture, click, settings):
    state = State(covariates="fresh", picture=picture)
    assert callbacks.pointed(state, picture, {"points": [click]}) == state.replace(**settings)
    assert callbacks.pointed(state, picture, None) == state


def explore(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "freshmix", "explore", *arguments], stdout=subprocess.PIPE, text=True, **options
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_ended(end):
    with explore("--port", "0", start_new_session=True) as process:
        address = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())[0]
        assert b"_dash-config" in urllib.request.urlopen(address, timeout=60).read()
        process.send_signal(end)
        assert process.wait(timeout=60) in (0, 130)


def test_a_port_in_use_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with explore("--port", port, stderr=subprocess.PIPE) as process:
            _, said = process.communicate(timeout=120)
    assert process.returncode == 2
    assert said == f"freshmix: error: port {port} of 127.0.0.1 is in use: take another one, or 0 for any that is free\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["t.csv"], "--target is needed with a table, such as --target price: the column with the real labels"),
        (["--target", "y"], "--target and --time go with a table, got none"),
    ],
)
def test_a_table_and_its_target_go_together(arguments, said):
    with explore(*arguments, stderr=subprocess.PIPE) as process:
        _, error = process.communicate(timeout=120)
    assert (process.returncode, error) == (2, f"freshmix: error: {said}\n")
