"""A result on the screen and in files: text, JSON, CSV, pictures."""

import contextlib
import dataclasses
import json
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, cast

import typer

from freshmix.files import picture, replace_file
from freshmix.words.signs import visible
from freshmix.words.waiting import STARTING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = (".png", ".svg", ".pdf")

AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON for programs, by the keys in docs/keys.md; unbounded values are null.")
]


@dataclasses.dataclass(frozen=True)
class Output:
    """A result in every form that a command gives it; each is made when it is asked for.

    ``show`` prints it as text, ``content`` is what JSON holds, ``draw`` makes its picture, and ``makers`` the content of files
    of other suffixes.
    """

    show: Callable[[], None]
    content: Any
    draw: "Callable[[], Figure]"
    makers: Mapping[str, Callable[[], bytes]]
    indent: int | None = None

    def deliver(self, as_json: bool, targets: Sequence[Path], said: str) -> None:
        """Print and write, whatever becomes of the other: a full disk must not lose the answer, nor a closed pipe the files."""
        try:
            if as_json:
                say(self._json())
            else:
                self.show()
        finally:
            for path in targets:
                replace_file(path, self._content(path.suffix.lower()))
        if targets and not as_json:
            say(f"\n{said}")

    def _json(self) -> str:
        from pydantic_core import to_jsonable_python

        # JSON has no number for what is unbounded; arrays are lists.
        plain = to_jsonable_python(self.content, inf_nan_mode="null", fallback=lambda value: value.tolist())
        return json.dumps(plain, allow_nan=False, indent=self.indent)

    def _content(self, suffix: str) -> bytes:
        if suffix in self.makers:
            return self.makers[suffix]()
        return f"{self._json()}\n".encode() if suffix == ".json" else picture(self.draw(), suffix[1:])


def printed(found: Any) -> Callable[[], None]:
    """What prints a result in plain words."""
    return lambda: printing(found.answer())


def printing(answer: Any) -> None:
    """Print an answer, wrapped at the terminal's width."""
    from freshmix.words.layout import plain_console, show

    show(answer, plain_console())


def say(text: str, *, error: bool = False) -> None:
    """Print lines; nothing in them is for a terminal to obey."""
    print(visible(text), file=sys.stderr if error else sys.stdout)


def csv(columns: Mapping[str, Any], nan: str = "nan") -> bytes:
    """Columns of numbers as CSV, with all their digits."""
    import polars as pl

    frame = pl.DataFrame({visible(name): values for name, values in columns.items()})
    texts = pl.col(pl.String).map_elements(visible, return_dtype=pl.String)
    return frame.with_columns(texts).fill_nan(None).write_csv(null_value=nan).encode()


def grid_csv(table: Any, nan: str = "nan") -> bytes:
    """An xarray.Dataset as CSV: a row for each point of the grid, its coordinates first."""
    frame = table.to_dataframe().reset_index()
    return csv({str(name): frame[name].to_numpy() for name in frame}, nan)


@contextlib.contextmanager
def waiting() -> Iterator[None]:
    """On a terminal, a line that says what is being done and for how long, gone when it is done; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from freshmix.simulation.progress import Patient
    from freshmix.stages import told_to

    console = Console(file=cast(TextIO, Patient(sys.stderr)))
    columns = SpinnerColumn(), TextColumn("{task.description} ..."), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(STARTING, total=None)
        with told_to(lambda stage: shown.update(task, description=stage)):
            yield


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What a user should know is in the result; stderr is for errors."""
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        yield
