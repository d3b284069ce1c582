"""``freshmix simulate``: finite samples of a loop, beside theory."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import freshmix as fm
from freshmix import plots
from freshmix.files import checked_path
from freshmix.words import simulation as words

from . import loop_options as options
from .output import PICTURES, AsJson, Output, grid_csv, printing

if TYPE_CHECKING:
    import xarray as xr

SUFFIXES = (".nc", ".csv", ".json", *PICTURES)

Rows = Annotated[int, typer.Option(metavar="N", help="Rows of generation 0, such as --rows 400.")]
Replicates = Annotated[int, typer.Option(metavar="R", help="Independent repetitions, such as --replicates 100.")]
Generations = Annotated[int, typer.Option(metavar="T", help="Last generation, such as --generations 20.")]
Weights = Annotated[
    str | None,
    typer.Option(metavar="W1,W2,...", help="Several real weights on the same rows and noise, such as --weights 0.3,0.6,1."),
]
Penalties = Annotated[
    str | None,
    typer.Option(metavar="L1,L2,...", help="Several penalties on the same rows and noise, such as --penalties 0.01,0.1,1."),
]
_LAW = "gaussian, rademacher, uniform, t5 ...; or a .txt or .csv file of numbers to resample, one a line."
Entries = Annotated[
    str, typer.Option(metavar="NAME", help=f"Distribution of the features' entries, such as --entries t5: {_LAW}")
]
LabelNoise = Annotated[
    str, typer.Option(metavar="NAME", help=f"Distribution of the label noise, such as --label-noise t5: {_LAW}")
]
Noise = Annotated[
    str,
    typer.Option(
        metavar="auto|expected|sampled",
        help="Average over the label noise given the rows (expected), or draw labels (sampled).",
    ),
]
Engine = Annotated[str, typer.Option(metavar="NAME", help="How it is computed, such as --engine redraw: auto, {engines}.")]
Workflow = Annotated[
    str, typer.Option(metavar="NAME", help="What becomes of earlier labels, such as --workflow accumulate: {workflows}.")
]
Device = Annotated[
    str, typer.Option(metavar="cpu|cuda", help="Where linear algebra runs, such as --device cuda, which needs torch.")
]
Precision = Annotated[
    str, typer.Option("--dtype", metavar="float64|float32", help="Precision of linear algebra, such as --dtype float32.")
]
Judged = Annotated[
    str,
    typer.Option(
        metavar="now|next", help="Whether a model is judged on its own generation's coefficients (now) or on the next one's."
    ),
]
Workers = Annotated[int, typer.Option(metavar="K", help="Worker processes, such as --workers 4.")]
Seed = Annotated[int, typer.Option(metavar="S", help="Seed, such as --seed 1: the same numbers for any number of workers.")]
Save = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help=(
            "Write the results, such as --save runs.nc: .nc (all replicates), .csv and .json (means and errors), "
            ".png .svg .pdf; repeat for more."
        ),
    ),
]

EXAMPLES = (
    "freshmix simulate --aspect 0.5 --penalty 0.1 --real-weight 0.6 --rows 200",
    "freshmix simulate --aspect 0.5 --penalty 0.1 --weights 0.3,0.6,1 --save weights.csv",
)


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
    synthetic_noise_ratio: options.SyntheticNoise = 1.0,
    labelled: options.Labelled = None,
    row_weight: options.RowWeight = 1.0,
    group: options.Groups = None,
    label_renewal: options.LabelRenewal = None,
    anchor: options.Anchor = 0.0,
    kept_generations: options.KeptGenerations = "0",
    forgetting: options.Forgetting = 1.0,
    first_rows: options.FirstRows = 1.0,
    persistence: options.Persistence = None,
    row_sizes: options.RowSizes = None,
    weights: Weights = None,
    penalties: Penalties = None,
    entries: Entries = "gaussian",
    label_noise: LabelNoise = "gaussian",
    noise: Noise = "auto",
    engine: Engine = "auto",
    workflow: Workflow = "replace",
    device: Device = "cpu",
    dtype: Precision = "float64",
    judged: Judged = "now",
    workers: Workers = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
    save: Save = None,
) -> None:
    """Runs of a loop on drawn rows, beside what theory says."""
    given: dict[str, Any]
    grids: dict[str, Any]
    targets = [checked_path(path, "--save", SUFFIXES) for path in save or ()]
    data = options.population_of(population, parameter, persistence, row_sizes)
    memory = (label_renewal, anchor, kept_generations, forgetting, first_rows)
    loop = options.loop_of(
        aspect, penalty, real_weight, schedule, covariates, labels, synthetic_noise_ratio, labelled, row_weight, group, *memory
    )
    grids = {"real_weight": options.grid(weights, "--weights"), "penalty": options.grid(penalties, "--penalties")}
    along = _along(generations, grids) if any(path.suffix.lower() in PICTURES for path in targets) else ""
    filled_in = weights is None and loop.groups is None and loop.schedule is None
    if filled_in and loop.kept_generations != 0:
        # Kept rows go with real labels alone.
        loop, filled_in = loop.replace(real_weight=1.0), False
    elif filled_in:
        loop = fm.optimal_weight(data, loop).loop
    given = {"rows": rows, "replicates": replicates, "seed": seed, "noise": noise, "engine": engine}
    given |= {"workflow": workflow, "device": device, "dtype": dtype, "workers": workers, "judged": judged}
    given |= {"entries": _law(entries, "--entries"), "label_noise": _law(label_noise, "--label-noise")}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        found = fm.simulate(data, loop, generations, partial=True, **given, **grids)
    if found.sizes["replicate"] == 0:
        raise KeyboardInterrupt
    said = words.assumption(loop, weights is not None, penalties is not None, filled_in)
    output = _output(said, found, _summary(data, loop, found), told, along)
    output.deliver(as_json, targets, "\n\n".join(f"Written to {path}" for path in targets))
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


def _along(generations: int, grids: Mapping[str, Any]) -> str:
    """The dimension on the x axis of the picture."""
    from freshmix.plots.comparison import axis_of

    along = axis_of(generations, {name: len(values) for name, values in grids.items() if values is not None})
    if along is None:
        raise ValueError("--save of a picture needs at most six curves: give fewer --weights or --penalties")
    return along


def _summary(population: "fm.Population", loop: "fm.Loop", found: "xr.Dataset") -> "xr.Dataset":
    """Means and standard errors, and theory where there is one."""
    from freshmix.theory import beside

    summary = fm.mean_and_error(found)
    theory = beside(population, loop, found) if found.attrs["workflow"] == "replace" else None
    return summary if theory is None else summary.assign(theory=theory)


def _output(said: str, found: "xr.Dataset", summary: "xr.Dataset", told: list[warnings.WarningMessage], along: str) -> Output:
    content = {
        "attributes": dict(summary.attrs),
        "dimensions": [str(name) for name in summary["mean"].dims],
        "coordinates": {str(name): summary[name].values for name in summary["mean"].dims},
        **{str(name): summary[name].values for name in summary.data_vars},
    }
    return Output(
        lambda: printing(words.answer(said, summary, found.sizes["replicate"], [str(each.message) for each in told])),
        content,
        lambda: plots.compare(summary.get("theory"), found, along),
        {".nc": lambda: bytes(found.to_netcdf(engine="scipy")), ".csv": lambda: grid_csv(summary, nan="")},
        indent=2,
    )
