"""The command line: parse, call, print. One command a file; what computes is imported when a command runs."""

import contextlib
import errno
import io
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from freshmix.version import __version__

from .command import HELP, Command, Refused, examples
from .output import say
from .usage import usage

app = typer.Typer(
    name="freshmix",
    help="Retraining on real and self-generated labels: does the loop collapse, and which mix keeps it best?",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    # Plain help: importing rich takes longer than everything else in it.
    rich_markup_mode=None,
    context_settings=HELP,
)
# Each is a function in the file of its name, with examples beside it.
for _name in ("recommend", "plan", "theory", "simulate", "sweep", "reproduce", "replay", "find_weight", "explore"):
    _file = import_module(f".{_name}", __name__)
    _examples = examples(getattr(_file, "EXAMPLES", ()))
    app.command(_name.replace("_", "-"), cls=Command, context_settings=HELP, epilog=_examples)(getattr(_file, _name))

# The class of "no such option" and its like: its own place differs between versions of typer, this subclass's does not.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]
_INTERRUPTED = 130


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"freshmix {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for an error (one line on stderr), 130 if interrupted.

    ``arguments`` are those of the process by default.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A column name that the terminal's encoding lacks is no reason to stop.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _run(arguments)
    finally:
        if arguments is None:
            # The work is done or given up: an interruption from here on would only garble the exit.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    terminal = _at_a_terminal()
    try:
        code = app(args=arguments, prog_name="freshmix", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except Exception as error:
        if isinstance(error, _UsageError):
            return _fail(usage(error))
        # A line may find its terminal gone before the signal of that comes.
        gone = isinstance(error, OSError) and error.errno == errno.EIO and terminal and not _at_a_terminal()
        if gone or _comes_from_interruption(error):
            code = _INTERRUPTED
        elif isinstance(error, Refused):
            return _fail(str(error))
        else:
            raise
    if code == _INTERRUPTED:
        # Nobody may be there to read it: a closed terminal interrupts, too.
        with contextlib.suppress(OSError):
            print("freshmix: interrupted", file=sys.stderr, flush=True)
    return code if isinstance(code, int) else 0


def _at_a_terminal() -> bool:
    """Whether somebody may read what is printed; a terminal that was closed is none."""
    return any(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr))


def _comes_from_interruption(error: BaseException | None) -> bool:
    """Whether some library's import turned a KeyboardInterrupt into an error of its own."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _fail(message: str) -> int:
    say(f"freshmix: error: {' '.join(message.split())}", error=True)
    return 2
