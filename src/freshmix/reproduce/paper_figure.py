"""One figure: its sweeps run, its panels drawn, its data and its verdict written."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl

from ..files import picture, replace_file
from ..plots.panels import Panel, Series, panels
from .part import Part
from .scores import threshold

Changes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper.

    ``sweeps`` holds, for each sweep file of this package, what a quick run changes in it; ``content`` makes the panels.
    """

    name: str
    title: str
    sweeps: Changes
    content: Callable[[Mapping[str, Part]], Sequence[Panel]]
    columns: int


@dataclass(frozen=True)
class Verdict:
    """How far theory and simulation of a figure are apart.

    ``worst`` is the largest |z| of ``points`` comparisons, found at ``where``; ``limit`` is what it must stay under.
    ``error`` is the median standard error over theory's value: what ``worst`` is measured with.
    """

    figure: str
    worst: float
    points: int
    limit: float
    where: str
    error: float
    files: tuple[Path, ...]

    @property
    def agrees(self) -> bool:
        """Whether theory and simulation agree."""
        return self.worst < self.limit

    def __str__(self) -> str:
        word = "agree" if self.agrees else "DISAGREE"
        return (
            f"{self.figure}: worst z {self.worst:.2f} of {self.points} points (must stay under {self.limit:.2f}), at "
            f"{self.where}; median standard error {100 * self.error:.2g}%: theory and simulation {word}"
        )


def produce(figure: PaperFigure, out: Path, store: Path, changes: Changes, workers: int, executor: Executor) -> Verdict:
    """Run what the stores lack, and write NAME.png, NAME.svg and NAME.csv; ``changes`` are those of the sweep files."""
    parts = {name: Part.run(name, changes.get(name, {}), store / f"{name}.zarr", workers, executor) for name in figure.sweeps}
    content = figure.content(parts)
    drawn = panels(content, figure.columns, figure.title, _footnote(list(parts.values()), content))
    written = []
    for kind, data in (("png", picture(drawn, "png")), ("svg", picture(drawn, "svg")), ("csv", _table(content))):
        written.append(out / f"{figure.name}.{kind}")
        replace_file(written[-1], data)
    return _verdict(figure.name, content, tuple(written))


def _verdict(name: str, content: Sequence[Panel], written: tuple[Path, ...]) -> Verdict:
    # Points that two panels share are one.
    found = {
        (float(x), value, z): (abs(z), f"{panel.title}, {each.label}, {panel.x_label} = {x:.4g}", abs(error / theory))
        for panel in content
        for each in panel.series
        if each.marks is not None
        for x, value, error, theory, z in each.marks.points()
        if not math.isnan(z)
    }
    worst, where, _ = max(found.values(), default=(0.0, "no point", 0.0))
    error = median(error for *_, error in found.values()) if found else 0.0
    return Verdict(name, worst, len(found), threshold(len(found)), where, error, written)


def _footnote(parts: Sequence[Part], content: Sequence[Panel]) -> str:
    rows = sorted({part.rows for part in parts})
    replicates = sorted({part.replicates for part in parts})
    best = ", stars: its best" if any(each.best for panel in content for each in panel.series) else ""
    runs = f"mean of {_span(replicates)} runs of {_span(rows)} rows, bars: two standard errors"
    return f"Lines: theory{best}. Markers: {runs}."


def _span(numbers: Sequence[int]) -> str:
    words = [f"{number:,}" for number in numbers]
    return " to ".join(dict.fromkeys([words[0], words[-1]]))


def _table(content: Sequence[Panel]) -> bytes:
    """Lines and points of all panels, one a row."""
    names = ("panel", "curve", "kind", "x_name", "x", "y_name", "y", "standard_error", "theory", "z")
    rows = [(panel.title, each.label, *row) for panel in content for each in panel.series for row in _rows(panel, each)]
    schema = {name: pl.Float64 if name in ("x", *names[6:]) else pl.String for name in names}
    return pl.DataFrame(rows, schema, orient="row").fill_nan(None).write_csv().encode()


def _rows(panel: Panel, series: Series) -> Iterator[tuple[str | float, ...]]:
    lines = [] if series.line is None else [("theory", *each) for each in zip(*series.line, strict=True)]
    for kind, x, y in (*lines, *(() if series.best is None else (("best of theory", *series.best),))):
        yield kind, panel.x_label, float(x), panel.y_label, float(y), math.nan, math.nan, math.nan
    for x, y, *rest in () if series.marks is None else series.marks.points():
        yield "simulation", panel.x_label, x, panel.y_label, y, *rest
