"""One figure: its sweeps run, its panels drawn, its data and its verdict written."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..files import picture, replace_file
from ..plots.panels import Panel, panels
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

    ``worst`` is the largest |z| of ``points`` comparisons, ``limit`` what it must stay under.
    """

    figure: str
    worst: float
    points: int
    limit: float
    where: str
    files: tuple[Path, ...]

    @property
    def agrees(self) -> bool:
        """Whether theory and simulation agree."""
        return self.worst < self.limit

    def __str__(self) -> str:
        word = "agree" if self.agrees else "DISAGREE"
        return (
            f"{self.figure}: worst z {self.worst:.2f} of {self.points} points (must stay under {self.limit:.2f}), at "
            f"{self.where}: theory and simulation {word}"
        )


def produce(figure: PaperFigure, out: Path, store: Path, changes: Changes, workers: int | None) -> Verdict:
    """Run what the stores lack, and write NAME.png, NAME.svg and NAME.csv; ``changes`` are those of the sweep files."""
    parts = {name: Part.run(name, changes.get(name, {}), store / f"{name}.zarr", workers) for name in figure.sweeps}
    content = figure.content(parts)
    drawn = panels(content, figure.columns, figure.title, _footnote(parts.values()))
    written = []
    for kind, data in (("png", picture(drawn, "png")), ("svg", picture(drawn, "svg")), ("csv", _table(content))):
        written.append(out / f"{figure.name}.{kind}")
        replace_file(written[-1], data)
    return _verdict(figure.name, content, tuple(written))


def _verdict(name: str, content: Sequence[Panel], written: tuple[Path, ...]) -> Verdict:
    scored = [
        (abs(float(z)), f"{panel.title}, {each.label}, x = {float(x):.4g}")
        for panel in content
        for each in panel.series
        if each.marks is not None
        for x, z in zip(each.marks.x, each.marks.z, strict=True)
        if not np.isnan(z)
    ]
    worst, where = max(scored, default=(0.0, "no point"))
    return Verdict(name, worst, len(scored), threshold(len(scored)), where, written)


def _footnote(parts: Any) -> str:
    rows = sorted({part.rows for part in parts})
    replicates = sorted({part.replicates for part in parts})
    return (
        f"Lines: theory, stars: its best. Markers: mean of {_span(replicates)} runs of {_span(rows)} rows, bars: two standard errors."
    )


def _span(numbers: Sequence[int]) -> str:
    words = [f"{number:,}" for number in numbers]
    return " to ".join(dict.fromkeys([words[0], words[-1]]))


def _table(content: Sequence[Panel]) -> bytes:
    """Lines and points of all panels, one a row."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("panel", "curve", "kind", "x_name", "x", "y_name", "y", "standard_error", "theory", "z"))
    for row in _rows(content):
        writer.writerow("" if isinstance(each, float) and np.isnan(each) else each for each in row)
    return buffer.getvalue().encode()


def _rows(content: Sequence[Panel]) -> Iterator[tuple[str | float, ...]]:
    for panel in content:
        for each in panel.series:
            named = (panel.title, each.label)
            if each.line is not None:
                for x, y in zip(*each.line, strict=True):
                    yield *named, "theory", panel.x_label, float(x), panel.y_label, float(y), np.nan, np.nan, np.nan
            if each.best is not None:
                x, y = map(float, each.best)
                yield *named, "best of theory", panel.x_label, x, panel.y_label, y, np.nan, np.nan, np.nan
            if each.marks is not None:
                m = each.marks
                for x, *rest in zip(m.x, m.value, m.error, m.theory, m.z, strict=True):
                    y, error, theory, z = map(float, rest)
                    yield *named, "simulation", panel.x_label, float(x), panel.y_label, y, error, theory, z
