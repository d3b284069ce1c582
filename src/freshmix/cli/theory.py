"""``freshmix theory``: what theory says of a population and a loop."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freshmix.files import checked_path, picture, replace_file
from freshmix.version import __version__

from . import loop_options as options
from .printing import block, lines, pairs, plain

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

    from freshmix.theory import Theory

PLOTS = ("generation", "weight", "surface", "phase")
SUFFIXES = (".json", ".csv", ".png", ".svg", ".pdf")

Generations = Annotated[int, typer.Option(metavar="T", help="Last generation of the table.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; unbounded values are null.")]
Plot = Annotated[
    str | None,
    typer.Option(metavar="|".join(PLOTS), help="What to draw: risk by generation or weight, (weight, penalty), phase diagram."),
]
Save = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help=".json, .csv (the data of the plot) or a picture: .png .svg .pdf; repeat."),
]


def theory(
    population: options.PopulationName = "isotropic",
    parameter: options.Parameters = None,
    aspect: options.Aspect = None,
    penalty: options.Penalty = 0.0,
    real_weight: options.RealWeight = None,
    schedule: options.Schedule = None,
    covariates: options.Covariates = "frozen",
    labels: options.Labels = "fresh",
    synthetic_noise: options.SyntheticNoise = 1.0,
    labelled: options.Labelled = None,
    row_weight: options.RowWeight = 1.0,
    group: options.Groups = None,
    generations: Generations = 20,
    as_json: AsJson = False,
    plot: Plot = None,
    save: Save = None,
) -> None:
    """Risk by generation, long run, verdict, best loop and collapse boundary of a population."""
    targets = [checked_path(path, "--save", SUFFIXES) for path in save or ()]
    if plot is not None and plot not in PLOTS:
        raise ValueError(f"--plot must be one of {', '.join(PLOTS)}, got {plot!r}")
    if plot is not None and not targets:
        targets = [checked_path(f"theory-{plot}.png", "--plot", SUFFIXES)]
    data = options.population_of(population, parameter)
    loop = options.loop_of(
        aspect, penalty, real_weight, schedule, covariates, labels, synthetic_noise, labelled, row_weight, group
    )
    if loop.aspect is None:
        raise ValueError("--aspect is needed: features / rows per generation")
    from freshmix.theory import theory as everything

    found = everything(data, loop, generations)
    table = _table(found, plot or "generation") if any(path.suffix.lower() != ".json" for path in targets) else None
    for path in targets:
        replace_file(path, _content(found, table, plot or "generation", path.suffix.lower()[1:]))
    if as_json:
        typer.echo(_json(found))
    else:
        _print(found, targets)


def _table(found: "Theory", plot: str) -> "xr.Dataset":
    """The data of a picture."""
    from freshmix import theory as tables

    if plot == "weight":
        return tables.by_weight(found.population, found.loop, found.generations)
    if plot == "surface":
        return tables.weight_penalty(found.population, found.loop)
    if plot == "phase":
        return tables.phase_diagram(found.population, found.loop)
    return found.by_generation


def _content(found: "Theory", table: "xr.Dataset | None", plot: str, kind: str) -> bytes:
    if kind == "json":
        return (_json(found) + "\n").encode()
    assert table is not None
    if kind == "csv":
        return _csv(table).encode()
    from freshmix import plots

    draw = {
        "generation": plots.risk_by_generation,
        "weight": plots.risk_by_weight,
        "surface": plots.risk_surface,
        "phase": plots.phase_diagram,
    }[plot]
    return picture(draw(table), kind)


def _csv(table: "xr.Dataset") -> str:
    """One row for each point of the grid: its coordinates, then its values."""
    import numpy as np

    names = [str(name) for name in table.sizes] + [str(name) for name in table.data_vars]
    whole = table.broadcast_like(table)
    columns = [values.ravel().tolist() for values in np.meshgrid(*(table[d].values for d in table.sizes), indexing="ij")]
    columns += [whole[name].transpose(*table.sizes).values.ravel().tolist() for name in table.data_vars]
    rows = (",".join(repr(value) for value in row) for row in zip(*columns, strict=True))
    return "\n".join((",".join(names), *rows)) + "\n"


def _json(found: "Theory") -> str:
    import numpy as np

    boundary = found.collapse_boundary
    content: dict[str, Any] = {
        "version": __version__,
        "population": found.population,
        "loop": found.loop,
        "generations": found.generations,
        "risk_by_generation": {str(name): found.by_generation[name].values for name in found.by_generation.data_vars},
        "long_run": {str(name): found.by_generation[name].attrs["limit"] for name in found.by_generation.data_vars},
        "limit": found.limit,
        "best_weight": found.best_weight,
        "best_loop": found.best_loop,
        "improving_weights": found.improving_weights,
        "collapse_boundary": None if boundary is None else [list(each) for each in boundary],
        "null_risk": found.population.null_risk,
        "signal_to_noise_ratio": np.float64(found.population.signal_to_noise_ratio),
    }
    return json.dumps(plain(content), allow_nan=False, indent=2)


def _print(found: "Theory", targets: list[Path]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)
    console.print(options.in_words(found.loop) + (" The real weight is the best one." if found.filled_in else ""))
    population = found.population
    ratio = _figure(population.signal_to_noise_ratio)
    console.print(f"Population: {_spectrum(found)}; null risk {population.null_risk:.4g}, signal-to-noise ratio {ratio}.")
    console.print()
    console.print(Text.assemble((found.limit.verdict, "bold"), f": {found.limit.reason}"))
    _by_generation(console, found)
    _best(console, found)
    lines(console, "Where it turns", tuple(_turns(found)))
    for path in targets:
        console.print()
        console.print(f"Written to {path}", soft_wrap=True)


def _spectrum(found: "Theory") -> str:
    tau = found.population.eigenvalues
    if tau.size == 1:
        return f"all eigenvalues {tau[0]:.4g}"
    return f"{tau.size} eigenvalues from {tau.min():.4g} to {tau.max():.4g}"


def _figure(value: float) -> str:
    return "unbounded" if math.isinf(value) else f"{value:.4g}"


_NAMES = {
    "loop": "this loop",
    "best_weight": "best weight",
    "best_loop": "best loop",
    "real_only": "real only",
    "synthetic_only": "synthetic only",
}


def _by_generation(console: "Console", found: "Theory") -> None:
    from rich.table import Table

    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
    grid.add_column("t", justify="right")
    names = [name for name in _NAMES if name in found.by_generation]
    for name in names:
        grid.add_column(_NAMES[name], justify="right")
    courses = [found.by_generation[name] for name in names]
    T = found.generations
    # All of them in a file; on screen the early ones, then fewer and fewer.
    ranges = (range(6), range(10, 21, 5), range(30, 101, 10), range(200, 1001, 100), range(2000, T, 1000), [T])
    shown = sorted({t for each in ranges for t in each if t <= T})
    for t in shown:
        grid.add_row(str(t), *(_figure(float(course[t])) for course in courses))
    grid.add_row("long run", *(_figure(course.attrs["limit"]) for course in courses))
    block(console, "Excess risk by generation (squared label units)", grid)


def _best(console: "Console", found: "Theory") -> None:
    rows = []
    for name, best in (("best real weight at this penalty", found.best_weight), ("best weight and penalty", found.best_loop)):
        text = f"w = {best.real_weight:.6g}, penalty {best.loop.penalty:.4g}, excess risk {_figure(best.risk)}"
        unlabelled = [g.row_weight for g in best.loop.groups or () if not g.labelled]
        if len(best.loop.groups or ()) > 1:
            weight = unlabelled[0] if unlabelled else 0.0
            text += f", row weight {weight:.4g} without a real label"
        rows.append((name, text + ("" if best.attained else " (approached, not attained)")))
    pairs(console, "Best in the long run", rows)


def _turns(found: "Theory") -> list[str]:
    if found.improving_weights:
        spans = " and ".join(f"{low:.4g} < w < {high:.4g}" for low, high in found.improving_weights)
        said = [f"better than real labels only in the long run for {spans}"]
    else:
        said = ["no real weight is better than real labels only in the long run at this penalty"]
    boundary = found.collapse_boundary
    if boundary is None:
        silent = found.loop.synthetic_noise_ratio * found.population.noise_variance == 0
        if math.isinf(found.limit.first):
            said.append("unbounded at every real weight: without a penalty this aspect is the interpolation threshold")
        elif found.loop.penalty > 0 or silent:
            said.append("bounded at every real weight")
        else:
            said.append("bounded at every real weight above 0; at 0 the risk grows linearly")
    elif boundary:
        spans = " and ".join(f"{low:.4g} to {_figure(high)}" for low, high in boundary)
        said.append(f"diverges at aspects {spans} (collapse number of 1 or more)")
    else:
        said.append("diverges at no aspect ratio (collapse number below 1)")
    if found.limit.collapse_number is not None:
        said.append(f"collapse number at this aspect: {_figure(found.limit.collapse_number)}")
    return said
