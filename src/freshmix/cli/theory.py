"""``freshmix theory``: what theory says of a population and a loop."""

from pathlib import Path
from typing import Annotated, Any

import typer

from freshmix.files import checked_path
from freshmix.plots import of_theory

from . import loop_options as options
from .output import PICTURES, AsJson, Output, grid_csv, printed

SUFFIXES = (".json", ".csv", *PICTURES)

Generations = Annotated[int, typer.Option(metavar="T", help="Last generation in the table, such as --generations 50.")]
Plot = Annotated[
    str | None,
    typer.Option(metavar="|".join(of_theory.NAMES), help=f"What to draw: {', '.join(of_theory.NAMES.values())}."),
]
Save = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help=(
            "Write what was found, such as --save theory.csv: .json, .csv (the data of the plot) or a picture, "
            ".png .svg .pdf; repeat for more."
        ),
    ),
]

EXAMPLES = (
    "freshmix theory --aspect 0.5 --penalty 0.1 --real-weight 0.6",
    "freshmix theory spiked -p strength=10 -p alignment=0.7 --aspect 2 --penalty 0.1",
    "freshmix theory --aspect 1.2 --labelled 0.5 --plot phase --save phase.png",
)


def theory(
    population: options.PopulationName = "isotropic",
    parameter: options.Parameters = None,
    aspect: options.Aspect = None,
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
    generations: Generations = 20,
    as_json: AsJson = False,
    plot: Plot = None,
    save: Save = None,
) -> None:
    """What theory says of a loop: error by generation, long run, best loop, collapse."""
    from freshmix.arguments import choice

    targets = [checked_path(path, "--save", SUFFIXES) for path in save or ()]
    name = choice("--plot", plot or "generation", of_theory.NAMES)
    if plot is not None and not targets:
        targets = [checked_path(f"theory-{plot}.png", "--plot", SUFFIXES)]
    data = options.population_of(population, parameter, persistence, row_sizes)
    memory = (label_renewal, anchor, kept_generations, forgetting, first_rows)
    loop = options.loop_of(
        aspect, penalty, real_weight, schedule, covariates, labels, synthetic_noise_ratio, labelled, row_weight, group, *memory
    )
    from freshmix.theory import theory as everything

    found = everything(data, loop, generations)
    # Before anything is printed: not every loop has every picture.
    table: Any = of_theory.table(name, found) if any(path.suffix.lower() != ".json" for path in targets) else None
    makers = {".csv": lambda: grid_csv(table)}
    output = Output(printed(found), found.to_dict(), lambda: of_theory.draw(name, table), makers, indent=2)
    output.deliver(as_json, targets, "\n\n".join(f"Written to {path}" for path in targets))
