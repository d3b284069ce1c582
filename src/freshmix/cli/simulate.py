"""``freshmix simulate``: finite samples of a loop, beside theory."""

import json
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import freshmix as fm
from freshmix.files import checked_path, picture, replace_file
from freshmix.simulation import ENGINES, WORKFLOWS

from . import loop_options as options
from .printing import block, lines

if TYPE_CHECKING:
    import xarray as xr

PICTURES = (".png", ".svg", ".pdf")
SUFFIXES = (".nc", ".csv", ".json", *PICTURES)

Rows = Annotated[int, typer.Option(metavar="N", help="Rows of generation 0.")]
Replicates = Annotated[int, typer.Option(metavar="R", help="Independent repetitions.")]
Generations = Annotated[int, typer.Option(metavar="T", help="Last generation.")]
Weights = Annotated[str | None, typer.Option(metavar="W1,W2,...", help="Grid of real weights on the same designs and noise.")]
Penalties = Annotated[str | None, typer.Option(metavar="L1,L2,...", help="Grid of penalties on the same designs and noise.")]
_LAW = "gaussian, rademacher, uniform, t5 ...; or a .txt or .csv file of numbers to resample, one a line."
Entries = Annotated[str, typer.Option(metavar="NAME", help=f"Law of feature entries: {_LAW}")]
LabelNoise = Annotated[str, typer.Option(metavar="NAME", help=f"Law of label noise: {_LAW}")]
Noise = Annotated[
    str,
    typer.Option(metavar="auto|expected|sampled", help="Expectation over label noise given the rows, or drawn labels."),
]
Engine = Annotated[str, typer.Option(metavar="NAME", help=f"auto, {', '.join(ENGINES[:-1])} or {ENGINES[-1]}.")]
Workflow = Annotated[str, typer.Option(metavar="NAME", help=f"{', '.join(WORKFLOWS[:-1])} or {WORKFLOWS[-1]}.")]
Device = Annotated[str, typer.Option(metavar="cpu|cuda", help="Where linear algebra runs; cuda needs torch.")]
Precision = Annotated[str, typer.Option("--dtype", metavar="float64|float32", help="Precision of linear algebra.")]
Workers = Annotated[int, typer.Option(metavar="K", help="Processes.")]
Seed = Annotated[int, typer.Option(metavar="S", help="Seed: the same numbers for any number of workers.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; unbounded values are null.")]
Save = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help=".nc (all replicates), .csv and .json (means and errors), .png .svg .pdf; repeat."),
]


def simulate(
    population: options.PopulationName = "isotropic",
    parameter: options.Parameters = None,
    aspect: options.Aspect = None,
    rows: Rows = 200,
    replicates: Replicates = 20,
    generations: Generations = 10,
    penalty: options.Penalty = 0.0,
    real_weight: options.RealWeight = None,
    schedule: options.Schedule = None,
    covariates: options.Covariates = "frozen",
    labels: options.Labels = "fresh",
    synthetic_noise: options.SyntheticNoise = 1.0,
    labelled: options.Labelled = None,
    row_weight: options.RowWeight = 1.0,
    group: options.Groups = None,
    weights: Weights = None,
    penalties: Penalties = None,
    entries: Entries = "gaussian",
    label_noise: LabelNoise = "gaussian",
    noise: Noise = "auto",
    engine: Engine = "auto",
    workflow: Workflow = "replace",
    device: Device = "cpu",
    dtype: Precision = "float64",
    workers: Workers = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
    save: Save = None,
) -> None:
    """Excess risk by generation of finite samples, beside theory."""
    targets = [checked_path(path, "--save", SUFFIXES) for path in save or ()]
    data = options.population_of(population, parameter)
    loop = options.loop_of(
        aspect, penalty, real_weight, schedule, covariates, labels, synthetic_noise, labelled, row_weight, group
    )
    if loop.aspect is None:
        raise ValueError("--aspect is needed: features / rows per generation")
    grids: dict[str, Any] = {
        "real_weight": None if weights is None else options.numbers(weights, "--weights"),
        "penalty": None if penalties is None else options.numbers(penalties, "--penalties"),
    }
    along = _along(generations, grids)
    if along is None and any(path.suffix.lower() in PICTURES for path in targets):
        raise ValueError("--save of a picture needs at most six curves: give fewer --weights or --penalties")
    filled_in = weights is None and loop.groups is None and loop.schedule is None
    if filled_in:
        loop = fm.optimal_weight(data, loop).loop
    words = options.in_words(loop, weight_grid=weights is not None, penalty_grid=penalties is not None)
    words += " The real weight is the best one in the long run." if filled_in else ""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        found = fm.simulate(
            data,
            loop,
            generations,
            rows=rows,
            replicates=replicates,
            seed=seed,
            entries=_law(entries, "--entries"),
            label_noise=_law(label_noise, "--label-noise"),
            noise=noise,
            engine=engine,
            workflow=workflow,
            device=device,
            dtype=dtype,
            workers=workers,
            partial=True,
            **grids,
        )
    if found.sizes["replicate"] == 0:
        raise KeyboardInterrupt
    theory = _theory(data, loop, found) if workflow == "replace" else None
    summary = fm.mean_and_error(found)
    if theory is not None:
        summary["theory"] = theory
    for path in targets:
        replace_file(path, _content(found, summary, path.suffix.lower()[1:], along))
    if as_json:
        typer.echo(_json(summary))
    else:
        _print(words, summary, found.sizes["replicate"], [str(each.message) for each in told], targets)
    if found.attrs["partial"]:
        raise typer.Exit(130)


def _law(text: str, option: str) -> Any:
    """The name of a law, or the numbers of a file."""
    import numpy as np

    if not text.endswith((".txt", ".csv")):
        return text
    try:
        return np.loadtxt(text, ndmin=1)
    except ValueError as error:
        raise ValueError(f"{option} must be a file of numbers, one a line, got {text!r}: {error}") from None


def _along(generations: int, grids: dict[str, Any]) -> str | None:
    """The dimension on the x axis that leaves at most six curves, or None."""
    sizes = {name: len(values) for name, values in grids.items() if values is not None}
    curves = math.prod(sizes.values())
    if curves <= 6 and (generations > 0 or not sizes):
        return "generation"
    longest = sorted(sizes, key=lambda name: -sizes[name])
    return next((name for name in longest if curves // sizes[name] <= 6), None)


def _theory(population: "fm.Population", loop: "fm.Loop", found: "xr.Dataset") -> "xr.DataArray | None":
    """The theory of each point of the grid, or None where there is none."""
    import numpy as np
    import xarray as xr

    # Features are a whole number.
    loop = loop.replace(aspect=found.attrs["features"] / json.loads(found.attrs["rows"])[0])
    shape = found.risk.isel(replicate=0)
    values = np.empty(shape.shape)
    T = shape.sizes["generation"] - 1
    for index in np.ndindex(shape.shape[:-1]):
        point = {str(name): float(shape[name][i]) for name, i in zip(shape.dims, index, strict=False)}
        each = loop if "penalty" not in point else loop.replace(penalty=point["penalty"])
        each = each if "real_weight" not in point else each.at_weight(point["real_weight"])
        try:
            values[index] = fm.risk(population, each, T)
        except ValueError:
            # Frozen covariates with rows of different weights have no closed form.
            return None
    return xr.DataArray(values, shape.coords, shape.dims).drop_vars("replicate")


def _content(found: "xr.Dataset", summary: "xr.Dataset", kind: str, along: str | None) -> bytes:
    if kind == "nc":
        return bytes(found.to_netcdf(engine="scipy"))
    if kind == "json":
        return (_json(summary) + "\n").encode()
    if kind == "csv":
        frame = summary.to_dataframe().reset_index()
        return bytes(frame.to_csv(index=False).encode())
    from freshmix import plots

    return picture(plots.compare(summary.get("theory"), found, along or "generation"), kind)


def _json(summary: "xr.Dataset") -> str:
    from .printing import plain

    content: dict[str, Any] = {
        "attributes": dict(summary.attrs),
        "dimensions": [str(name) for name in summary["mean"].dims],
        "coordinates": {str(name): summary[name].values for name in summary["mean"].dims},
        **{str(name): summary[name].values for name in summary.data_vars},
    }
    return json.dumps(plain(content), allow_nan=False, indent=2)


def _print(words: str, summary: "xr.Dataset", done: int, told: list[str], targets: list[Path]) -> None:
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False, emoji=False)
    facts = summary.attrs
    console.print(words)
    replicates = f"{done} of {facts['replicates']}" if facts["partial"] else facts["replicates"]
    console.print(
        f"Simulated by the {facts['engine']} engine: {json.loads(facts['rows'])[0]} rows, {facts['features']} features, "
        f"{replicates} replicates, {facts['noise']} label noise, workflow {facts['workflow']}, seed {facts['seed']}."
    )
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
    last = summary.isel(generation=-1)
    grid = [str(name) for name in last["mean"].dims]
    shown = last if grid else summary
    dims = [str(name) for name in shown["mean"].dims]
    for name in (*dims, "mean", "standard error", *(("theory", "z") if "theory" in summary else ())):
        table.add_column(name.replace("_", " "), justify="right")
    for index in np.ndindex(shown["mean"].shape):
        place = [f"{shown[name].values[i]:.4g}" for name, i in zip(dims, index, strict=True)]
        mean, error = float(shown["mean"].values[index]), float(shown.standard_error.values[index])
        row = [*place, f"{mean:.5g}", "-" if np.isnan(error) else f"{error:.2g}"]
        if "theory" in summary:
            theory = float(shown.theory.values[index])
            known = error > 0 and np.isfinite(theory)
            row += ["unbounded" if np.isinf(theory) else f"{theory:.5g}", f"{(mean - theory) / error:.1f}" if known else "-"]
        table.add_row(*row)
    when = f" at generation {int(summary.generation[-1])}" if grid else " by generation"
    block(console, f"Excess risk{when} (squared label units)", table)
    if told:
        lines(console, "Warnings", tuple(dict.fromkeys(told)))
    for path in targets:
        console.print()
        console.print(f"Written to {path}", soft_wrap=True)
