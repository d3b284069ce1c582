"""``freshmix simulate``: finite samples of a loop, beside theory."""

import json
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import freshmix as fm
from freshmix.files import checked_path, picture, replace_file

from . import loop_options as options
from .printing import block, lines

if TYPE_CHECKING:
    import xarray as xr

SUFFIXES = (".nc", ".csv", ".json", ".png", ".svg", ".pdf")

Rows = Annotated[int, typer.Option(metavar="N", help="Rows of generation 0.")]
Replicates = Annotated[int, typer.Option(metavar="R", help="Independent repetitions.")]
Generations = Annotated[int, typer.Option(metavar="T", help="Last generation.")]
Weights = Annotated[str | None, typer.Option(metavar="W1,W2,...", help="Grid of real weights on the same designs and noise.")]
Penalties = Annotated[str | None, typer.Option(metavar="L1,L2,...", help="Grid of penalties on the same designs and noise.")]
Entries = Annotated[str, typer.Option(metavar="NAME", help="Law of feature entries: gaussian, rademacher, uniform, t5 ...")]
LabelNoise = Annotated[str, typer.Option(metavar="NAME", help="Law of label noise: gaussian, rademacher, uniform, t5 ...")]
Noise = Annotated[
    str,
    typer.Option(metavar="auto|expected|sampled", help="Expectation over label noise given the rows, or drawn labels."),
]
Engine = Annotated[str, typer.Option(metavar="NAME", help="auto, spectral, redraw or exact-law.")]
Workflow = Annotated[str, typer.Option(metavar="NAME", help="replace, accumulate, accumulate-subsample or stack.")]
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
    if weights is None and loop.groups is None and loop.schedule is None:
        loop = fm.optimal_weight(data, loop).loop
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        found = fm.simulate(
            data,
            loop,
            generations,
            rows=rows,
            replicates=replicates,
            seed=seed,
            entries=entries,
            label_noise=label_noise,
            noise=noise,
            engine=engine,
            workflow=workflow,
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
        replace_file(path, _content(found, summary, path.suffix.lower()[1:]))
    if as_json:
        typer.echo(_json(summary))
    else:
        _print(loop, summary, [str(each.message) for each in told], targets)
    if found.attrs["partial"]:
        print(f"freshmix: interrupted after {found.sizes['replicate']} of {replicates} replicates", file=sys.stderr)
        raise typer.Exit(130)


def _theory(population: "fm.Population", loop: "fm.Loop", found: "xr.Dataset") -> "xr.DataArray | None":
    """The theory of each point of the grid, or None where there is none."""
    import numpy as np
    import xarray as xr

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


def _content(found: "xr.Dataset", summary: "xr.Dataset", kind: str) -> bytes:
    if kind == "nc":
        return bytes(found.to_netcdf(engine="scipy"))
    if kind == "json":
        return (_json(summary) + "\n").encode()
    if kind == "csv":
        frame = summary.to_dataframe().reset_index()
        return bytes(frame.to_csv(index=False).encode())
    from freshmix import plots

    along = "generation" if found.sizes["generation"] > 1 else "real_weight"
    for name in ("real_weight", "penalty"):
        if found.sizes.get(name, 1) > 6:
            along = name
    return picture(plots.compare(summary.get("theory"), found, along), kind)


def _json(summary: "xr.Dataset") -> str:
    from .printing import plain

    content: dict[str, Any] = {
        "attributes": dict(summary.attrs),
        "dimensions": [str(name) for name in summary["mean"].dims],
        "coordinates": {str(name): summary[name].values for name in summary["mean"].dims},
        **{str(name): summary[name].values for name in summary.data_vars},
    }
    return json.dumps(plain(content), allow_nan=False, indent=2)


def _print(loop: "fm.Loop", summary: "xr.Dataset", told: list[str], targets: list[Path]) -> None:
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False, emoji=False)
    facts = summary.attrs
    console.print(options.in_words(loop))
    console.print(
        f"Simulated by the {facts['engine']} engine: {json.loads(facts['rows'])[0]} rows, {facts['features']} features, "
        f"{facts['replicates']} replicates, {facts['noise']} label noise, workflow {facts['workflow']}, seed {facts['seed']}."
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
