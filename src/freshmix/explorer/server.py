"""The page served: on a server made for it, on this machine alone unless told otherwise."""

import ctypes
import errno
import gc
import os
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dash import Dash
from flask import request

from ..words import explorer as words
from .callbacks import failed, quick, register
from .page import page

# Bytes of a request: what a table that is uploaded may take, coded as text.
MOST_BYTES = 16 * 2**20
_INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>{%metas%}<title>{%title%}</title><link rel="icon" href="/assets/icon.svg" type="image/svg+xml">{%css%}</head>
    <body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>"""


def make_app() -> Dash:
    """The page as an app; ``make_app().server`` is its WSGI application."""
    app = Dash(
        __name__,
        assets_folder=str(Path(__file__).parent / "assets"),
        index_string=_INDEX,
        title=words.TITLE,
        update_title="",
        serve_locally=True,
        add_log_handler=False,
        on_error=failed,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = page()
    register(app)
    app.server.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    headers, give_back = _headers(app), _giver()

    def strict(response: Any) -> Any:
        response.headers.update(headers)
        if give_back and request.method == "POST":
            response.call_on_close(give_back)
        return response

    app.server.after_request(strict)
    # The page's scripts are known once it was asked for: in every process, whichever is asked first.
    app.server.test_client().get("/").close()
    return app


def _headers(app: Dash) -> dict[str, str]:
    """Nothing comes from or goes to anywhere else, and no other page may show this one."""
    scripts = " ".join(["'self'", *app.csp_hashes()])
    policy = {
        "default-src": "'none'",
        "script-src": scripts,
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }


def serve(
    host: str = "127.0.0.1",
    port: int = 8321,
    workers: int = 2,
    start: Callable[[], str] = str,
    ready: Callable[[str], None] = print,
    open_browser: bool = False,
) -> None:
    """Serve the page until interrupted.

    Parameters
    ----------
    host, port
        Where; a ``port`` of 0 is any that is free.
    workers : int
        Processes that answer.
    start
        Gives the query of the state that the page starts with; called once the port is had.
    ready
        Told the page's address once it is there.
    open_browser : bool
        Whether to open it.

    Raises
    ------
    ValueError
        If the port cannot be had.
    """
    listener = _listener(host, port)
    query = start()
    at = f"http://{_name(host)}:{listener.getsockname()[1]}/" + (f"?{query}" if query else "")

    def started() -> None:
        ready(at)
        if open_browser:
            webbrowser.open(at)

    app = make_app().server
    # What is loaded when it is first used, is so before processes part.
    quick("", "light")
    # What there is now stays: no process looks through it for what could go, nor makes a copy of its own by that.
    gc.collect()
    gc.freeze()
    if os.name == "nt":
        _waitress(app, listener, workers, started)
    else:
        _gunicorn(app, listener, workers, started)


def _giver() -> Callable[[], object] | None:
    """Gives the memory that an answer took back to the system, in half a millisecond.

    Left to itself glibc keeps it in heaps that grow for hours, to twice what a process needs. Other systems have other
    allocators.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return lambda: trim(0)


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name != "nt":
        # On Windows this would share a port that somebody else has.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ValueError(words.no_port(host, port, error.errno == errno.EADDRINUSE, str(error.strerror))) from None
    listener.listen(128)
    return listener


def _name(host: str) -> str:
    """The host as an address has it; one that stands for all is reached at this machine's own name."""
    if host in ("", "0.0.0.0", "::"):
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _gunicorn(app: Any, listener: socket.socket, workers: int, started: Callable[[], None]) -> None:
    from gunicorn.app.base import BaseApplication

    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            listener.set_inheritable(True)
            settings = {
                "bind": f"fd://{listener.fileno()}",
                "workers": workers,
                # Browsers keep connections open, on which a worker without threads would wait.
                "worker_class": "gthread",
                "threads": 4,
                "preload_app": True,
                "timeout": 120,
                "keepalive": 30,
                "limit_request_line": 8190,
                "loglevel": "error",
                "when_ready": lambda server: started(),
            }
            for name, value in settings.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return app

    Application().run()


def _waitress(app: Any, listener: socket.socket, workers: int, started: Callable[[], None]) -> None:
    from waitress.server import create_server

    server = create_server(app, sockets=[listener], threads=4 * workers, ident=None)
    started()
    server.run()
