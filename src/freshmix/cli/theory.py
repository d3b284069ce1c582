"""``freshmix theory``: what theory says of a population and a loop."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freshmix.files import checked_path
from freshmix.plots import of_theory
from freshmix.version import __version__
from freshmix.words import theory as words

from . import loop_options as options
from .output import PICTURES, AsJson, Output, grid_csv
from .printing import grid, lines, pairs, plain_console, verdict

if TYPE_CHECKING:
    from freshmix.theory import Theory

SUFFIXES = (".json", ".csv", *PICTURES)

Generations = Annotated[int, typer.Option(metavar="T", help="Last generation of the table.")]
Plot = Annotated[
    str | None,
    typer.Option(metavar="|".join(of_theory.NAMES), help=f"What to draw: {', '.join(of_theory.NAMES.values())}."),
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
    synthetic_noise_ratio: options.SyntheticNoise = 1.0,
    labelled: options.Labelled = None,
    row_weight: options.RowWeight = 1.0,
    group: options.Groups = None,
    generations: Generations = 20,
    as_json: AsJson = False,
    plot: Plot = None,
    save: Save = None,
) -> None:
    """Risk by generation, long run, verdict, best loop and collapse boundary of a population."""
    from freshmix.arguments import choice

    targets = [checked_path(path, "--save", SUFFIXES) for path in save or ()]
    name = choice("--plot", plot or "generation", of_theory.NAMES)
    if plot is not None and not targets:
        targets = [checked_path(f"theory-{plot}.png", "--plot", SUFFIXES)]
    data = options.population_of(population, parameter)
    loop = options.loop_of(
        aspect, penalty, real_weight, schedule, covariates, labels, synthetic_noise_ratio, labelled, row_weight, group
    )
    from freshmix.theory import theory as everything

    found = everything(data, loop, generations)
    # Before anything is printed: not every loop has every picture.
    table: Any = of_theory.table(name, found) if any(path.suffix.lower() != ".json" for path in targets) else None
    makers = {".csv": lambda: grid_csv(table)}
    output = Output(partial(_print, found), _content(found), lambda: of_theory.draw(name, table), makers, indent=2)
    output.deliver(as_json, targets, "\n\n".join(f"Written to {path}" for path in targets))


def _content(found: "Theory") -> dict[str, Any]:
    """What JSON holds."""
    courses = {str(name): course for name, course in found.by_generation.data_vars.items()}
    return {
        "version": __version__,
        "population": found.population,
        "loop": found.loop,
        "generations": found.generations,
        "risk_by_generation": {name: course.values for name, course in courses.items()},
        "long_run": {name: course.attrs["limit"] for name, course in courses.items()},
        "limit": found.limit,
        "best_weight": found.best_weight,
        "best_loop": found.best_loop,
        "improving_weights": found.improving_weights,
        "collapse_boundary": found.collapse_boundary,
        "null_risk": found.population.null_risk,
        "signal_to_noise_ratio": found.population.signal_to_noise_ratio,
    }


def _print(found: "Theory") -> None:
    """All of it in plain words."""
    console = plain_console()
    console.print(words.assumption(found))
    console.print(words.population(found))
    verdict(console, found.limit.verdict, found.limit.reason)
    grid(console, "Excess risk by generation (squared label units)", *words.courses(found))
    pairs(console, "Best in the long run", words.best(found))
    lines(console, "Where it turns", words.turns(found))
