"""What theory says of one population and one loop, as tables: for the command line, pictures and the web page."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import xarray as xr

from .arguments import Floats, generations_in_a_row, whole
from .loop import Group, Loop, takes_labels
from .optima import Memory, Optimum, collapse_boundary, improving_weights, optimal_loop, optimal_weight
from .population import Population
from .risks import Limit, limit, risk
from .risks.fresh import varied
from .risks.setting import kind_of, setting_of
from .risks.surface import limit_surface
from .version import __version__
from .views import Pictured, plain

# How far from where risks jump a grid has points.
_NEXT_TO_A_JUMP = (2e-3, 1e-2, 3e-2)

RISK = {"long_name": "excess risk", "units": "squared label units"}


@dataclass(frozen=True, repr=False)
class Theory(Pictured):
    """The long run of a loop, its best rivals, and where it collapses.

    Attributes
    ----------
    population : Population
        The data.
    loop : Loop
        The loop; where it came without real weights, the best one is filled in.
    filled_in : bool
        Whether that happened.
    generations : int
        T, the last generation of ``by_generation``.
    by_generation : xarray.Dataset
        Excess risks over ``generation``: ``loop``, ``best_weight``, ``best_loop`` (those that are attained), ``real_only``,
        ``synthetic_only``.
    limit : Limit
        Long run, with verdict and reason.
    best_weight, best_loop : Optimum or None
        Over the real weight at this penalty; over weight, penalty and the row weight of rows without a real label. None for a
        loop that keeps rows: they go with real labels alone.
    improving_weights : list of (low, high)
        Real weights whose long run is better than real labels only.
    collapse_boundary : list of (low, high) or None
        Aspects at which a loop on fresh covariates diverges; None for frozen covariates.
    """

    _words = "theory"

    population: Population
    loop: Loop
    filled_in: bool
    generations: int
    by_generation: xr.Dataset
    limit: Limit
    best_weight: Optimum | None
    best_loop: Optimum | None
    improving_weights: list[tuple[float, float]]
    collapse_boundary: list[tuple[float, float]] | None

    @property
    def stop_at(self) -> int:
        """The generation up to the last of ``by_generation`` at which the loop's excess risk is least: more of them hurt."""
        return int(np.argmin(self.by_generation.loop.values))

    def to_frame(self) -> Any:
        """Excess risks ``by_generation`` as a pandas data frame: a row for each generation."""
        return self.by_generation.to_dataframe()

    def to_dict(self) -> dict[str, Any]:
        """Everything, by the keys of ``--json`` (docs/keys.md): plain numbers, text, lists and dicts; inf where unbounded."""
        courses = {str(name): course for name, course in self.by_generation.data_vars.items()}
        content = {
            "version": __version__,
            **{field.name: getattr(self, field.name) for field in fields(self) if field.name != "by_generation"},
            "risk_by_generation": {name: course.values for name, course in courses.items()},
            "long_run": {name: course.attrs["limit"] for name, course in courses.items()},
            "null_risk": self.population.null_risk,
            "signal_to_noise_ratio": self.population.signal_to_noise_ratio,
        }
        found: dict[str, Any] = plain(content)
        return found


def theory(population: Population, loop: Loop, generations: int = 20) -> Theory:
    """Everything theory says of a loop (mathematics.md sections 3 to 6).

    Parameters
    ----------
    population : Population
        The data.
    loop : Loop
        A loop with an aspect; without real weights the best one is taken, 1 where rows are kept.
    generations : int
        T of the table by generation.

    Returns
    -------
    Theory
        Numbers and tables.

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range.

    Examples
    --------
    >>> found = theory(Population.isotropic(), Loop(aspect=2.0), generations=5)
    >>> round(found.loop.real_weight, 6), found.limit.verdict
    (0.618034, 'improves')
    >>> [(round(low, 6), high) for low, high in found.improving_weights]
    [(0.333333, 1.0)]
    """
    generations = whole("generations", generations, low=0)
    filled_in = loop.groups is None and loop.schedule is None
    mixes = loop.kept_generations == 0
    best = {"best_weight": optimal_weight(population, loop), "best_loop": optimal_loop(population, loop)} if mixes else {}
    if filled_in:
        loop = best["best_weight"].loop if mixes else loop.replace(real_weight=1.0)
    # A best loop that is approached only has no course of its own: at w = 0 itself the risk is another.
    others = {name: optimum.loop for name, optimum in best.items() if optimum.attained}
    return Theory(
        population,
        loop,
        filled_in,
        generations,
        by_generation(population, loop, generations, others),
        limit(population, loop),
        best.get("best_weight"),
        best.get("best_loop"),
        improving_weights(population, loop) if mixes else [],
        collapse_boundary(population, loop) if mixes and kind_of(loop).partly_labelled else None,
    )


def by_generation(population: Population, loop: Loop, generations: int, others: Mapping[str, Loop] | None = None) -> xr.Dataset:
    """Excess risks of generations 0 to T of a loop, of ``others``, of real labels only and of synthetic labels only.

    Each variable has its long-run value as the attribute ``limit``; ``null`` is the risk of predicting the mean. Raises as
    ``risk`` does.

    >>> found = by_generation(Population.isotropic(), Loop(aspect=2.0, real_weight=0.5), 3)
    >>> found.loop.values.round(4).tolist(), round(found.loop.limit, 4)
    ([1.5, 1.25, 1.1875, 1.1719], 1.1667)
    """
    generations, setting = generations_in_a_row(generations), setting_of(population, loop)
    courses = {"loop": loop, **(others or {})}
    if loop.kept_generations == 0:
        courses["synthetic_only"] = varied(loop, real_weight=0.0)
    found = limit(population, loop)
    # Of the others no verdict is asked for.
    long_run = {name: found.risk if name == "loop" else setting.with_loops(each).risk() for name, each in courses.items()}
    risks = setting.courses(list(courses.values()), generations)
    table: dict[str, tuple[str, Floats, dict[str, object]]] = {
        name: ("generation", values, {**RISK, "limit": long_run[name]}) for name, values in zip(courses, risks, strict=True)
    }
    real_only = found.real_only
    # Generation 0 has real labels on all rows.
    flat = np.full(generations + 1, real_only)
    flat[0] = table["loop"][1][0]
    table["real_only"] = ("generation", flat, {**RISK, "limit": real_only})
    return xr.Dataset(table, {"generation": np.arange(generations + 1)}, {"null": population.null_risk})


def by_weight(
    population: Population, loop: Loop, generations: int | None = None, points: int = 101, best: Optimum | None = None
) -> xr.Dataset:
    """Excess risk against the real weight: in the long run and, where given, at generation T.

    The attributes hold the best weight and whether it is ``attained``, the rivals, and as ``current`` the loop's own real
    weight and long run, None where it has no single one. ``best`` is ``optimal_weight(population, loop)`` where it is known.

    >>> found = by_weight(Population.isotropic(), Loop(aspect=2.0), points=3)
    >>> found.long_run.values.round(4).tolist()
    [inf, 1.1667, 1.5]
    """
    weights = np.linspace(0.0, 1.0, whole("points", points, low=2))
    found = limit_surface(population, loop, real_weight=weights).rename(risk="long_run")
    best = optimal_weight(population, loop) if best is None else best
    weight = _labelled_weight(loop)
    long_run = limit(population, best.loop if weight is None else loop)
    if generations is not None:
        horizon, setting = generations_in_a_row(generations), setting_of(population, varied(loop, real_weight=1.0))
        # Generation 0 has real labels on all rows.
        values = setting.risks(horizon, real_weight=weights) if horizon else np.full(weights.size, setting.risk(0))
        found["at_horizon"] = ("real_weight", values, RISK)
    current = None if weight is None else (weight, long_run.risk)
    facts = {"best_weight": best.real_weight, "best_risk": best.risk, "generations": generations, "current": current}
    facts["attained"] = best.attained
    return found.assign_attrs(facts | {"real_only": long_run.real_only, "null": population.null_risk})


def _labelled_weight(loop: Loop) -> float | None:
    """The constant real weight of the rows with a real label; None where there is no single one."""
    if loop.groups is None:
        return None
    weights = {g.real_weight for g, takes in zip(loop.groups, takes_labels(loop.groups), strict=True) if takes}
    return weights.pop() if len(weights) == 1 else None


def weight_penalty(population: Population, loop: Loop, points: int | None = None) -> xr.Dataset:
    """Long-run excess risk over real weights and penalties, with the best weight at each penalty, ``best_at``.

    The best pair is in the attributes, and as ``current`` the loop's own; None where it has no single weight.

    >>> found = weight_penalty(Population.isotropic(), Loop(aspect=2.0), points=5)
    >>> dict(found.risk.sizes), round(found.best_weight, 4)
    ({'real_weight': 5, 'penalty': 5}, 0.7154)
    """
    size = whole("points", points if points is not None else kind_of(loop).points, low=2)
    best = optimal_loop(population, loop)
    scale = float(population.eigenvalues.max())
    # From hardly any shrinkage to hardly any signal left, and the best penalty with room around it.
    low, high = 1e-3 * scale, 1e2 * scale
    if best.loop.penalty > 0:
        low, high = min(low, best.loop.penalty / 10), max(high, min(best.loop.penalty * 10, 1e4 * scale))
    found = limit_surface(population, loop, real_weight=np.linspace(0, 1, size), penalty=np.geomspace(low, high, size))
    found["best_at"] = ("penalty", _least_along(found.real_weight.values, found.risk.values))
    weight = _labelled_weight(loop)
    current = None if weight is None else (weight, loop.penalty)
    facts = {"best_weight": best.real_weight, "best_penalty": best.loop.penalty, "best_risk": best.risk, "current": current}
    return found.assign_attrs(facts | {"null": population.null_risk})


def _least_along(x: Floats, table: Floats) -> Floats:
    """Where each column of ``table`` is least: the vertex of the parabola through its least value and that one's neighbours."""
    at = np.argmin(table, axis=0)
    inner = np.clip(at, 1, x.size - 2)
    left, middle, right = (np.take_along_axis(table, (inner + k)[None], 0)[0] for k in (-1, 0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = (left - right) / (left - 2 * middle + right) / 2
    proper = (at == inner) & np.isfinite(shift)
    return np.asarray(np.where(proper, x[inner] + shift * (x[1] - x[0]), x[at]))


def phase_diagram(population: Population, loop: Loop, points: int = 81) -> xr.Dataset:
    """Long-run excess risk and collapse number over (aspect, labelled share) for fresh covariates.

    Aspects from 0.1 to 10, shares from 0 to 1 (half as many); without a penalty also some next to the interpolation threshold
    and next to share 0, where risks jump. The real weight and row weights are those of the loop; one
    without real weights has real labels alone on its labelled rows. Raises ValueError for frozen covariates.

    >>> found = phase_diagram(Population.isotropic(), Loop(covariates="fresh", penalty=0.1), points=9)
    >>> dict(found.risk.sizes)
    {'aspect': 9, 'labelled': 5}
    """
    if not kind_of(loop).partly_labelled:
        raise ValueError(f"the phase diagram over labelled shares needs covariates='fresh', got covariates={loop.covariates!r}")
    size = whole("points", points, low=3)
    if loop.groups is None:
        loop = loop.replace(groups=[Group(1.0)])
    aspects, shares = np.geomspace(0.1, 10.0, size), np.linspace(0.0, 1.0, size // 2 + 1)
    if loop.penalty == 0:
        threshold = 1 / math.fsum(population.shares[population.eigenvalues > 0])
        near = threshold * (1 + np.outer([-1, 1], _NEXT_TO_A_JUMP).ravel())
        aspects = np.union1d(aspects, near[(near > aspects[0]) & (near < aspects[-1])])
        shares = np.union1d(shares, _NEXT_TO_A_JUMP[0])
    found = limit_surface(population, loop, aspect=aspects, labelled=shares)
    return found.assign_attrs(null=population.null_risk, penalty=loop.penalty, current=(loop.aspect, loop.labelled))


def ways(population: Population, found: Memory) -> xr.Dataset:
    """Excess risk of generations 0 to T of each way to remember, as ``optimal_memory`` found it: the least risk first.

    ``stored`` is what a way keeps, ``allowed`` whether it may, ``at_horizon`` what it was chosen for. A way starts as it goes
    on, with its own penalty.

    >>> from freshmix import optimal_memory
    >>> population = Population.isotropic()
    >>> table = ways(population, optimal_memory(population, Loop(aspect=0.5, covariates="fresh"), 3, judged="now"))
    >>> table.way.values[:2].tolist(), table.at_horizon.values[:2].round(4).tolist()
    (['keep_all', 'forgetting'], [0.1231, 0.1231])
    """
    known = found.to_frame()
    courses = [_course(population, name, found) for name in known.index]
    table = {name: ("way", known[name].to_numpy(dtype=str if name == "stored" else None)) for name in ("stored", "allowed")}
    return xr.Dataset(
        {"risk": (("way", "generation"), np.array(courses), RISK), "at_horizon": ("way", known.risk.to_numpy(), RISK), **table},
        {"way": known.index.to_numpy(dtype=str), "generation": np.arange(found.generations + 1)},
        {"generations": found.generations, "judged": found.judged, "best": found.best, "may_keep": found.may_keep},
    )


def _course(population: Population, name: str, found: Memory) -> Floats:
    loop = found.ways[name].loop
    if name == "keep_all" and loop.covariates == "frozen":
        # The rows stay, and what is kept of their labels is the average.
        setting = setting_of(population, loop)
        return np.array([float(setting.keep_all(t).risk(loop.penalty)) for t in range(found.generations + 1)])
    return risk(population, loop, found.generations, found.judged)


def spectrum(population: Population, most: int = 48) -> xr.Dataset:
    """Where the directions of a population and its signal lie, by eigenvalue: at most so many rows, from the smallest up.

    ``share`` of all directions, and ``signal``, the share of the null risk sum tau g; ``share_above`` and ``signal_above`` are
    those of all eigenvalues from this one up. Of more distinct eigenvalues than ``most``, those within bands of equal width in
    log tau are put together. The share of directions with eigenvalue 0 is the attribute ``null_share``.

    >>> table = spectrum(Population.spiked(10.0, 0.7, features=100))
    >>> table.eigenvalue.values.tolist(), table.share.values.round(2).tolist(), table.signal.values.round(3).tolist()
    ([1.0, 11.0], [0.99, 0.01], [0.086, 0.914])
    """
    most = whole("most", most, low=2)
    positive = population.eigenvalues > 0
    tau, place = np.unique(population.eigenvalues[positive], return_inverse=True)
    bands = tau.size > most
    if bands:
        edges = np.linspace(math.log(tau[0]), math.log(tau[-1]), most + 1)[1:-1]
        place = np.searchsorted(edges, np.log(population.eigenvalues[positive]), side="right")
    # Spikes have no share in the limit: a band of them alone is at their plain mean.
    h, values = population.shares[positive], population.eigenvalues[positive]
    weights = (h, values * population.signal[positive], np.ones(values.size), h * values, values)
    share, energy, count, total, plain_total = (np.bincount(place, each)[np.unique(place)] for each in weights)
    mean = np.where(share > 0, total / np.where(share > 0, share, 1.0), plain_total / count)
    columns: dict[str, Any] = {"share": share, "signal": energy / (population.null_risk or 1.0)}
    columns |= {f"{name}_above": np.cumsum(each[::-1])[::-1] for name, each in columns.items()}
    facts = {"bands": int(bands), "null_share": math.fsum(population.shares[~positive]), "null": population.null_risk}
    return xr.Dataset(
        {name: ("eigenvalue", each) for name, each in columns.items()}, {"eigenvalue": mean if bands else tau}, facts
    )


def beside(population: Population, loop: Loop, simulated: xr.Dataset) -> xr.DataArray | None:
    """The excess risk of theory at each point of a simulation's grid, or None where there is no closed form.

    ``simulated`` is what ``simulate`` returned for this population and this loop.
    """
    # Features and rows are whole numbers.
    features, (first, *later) = simulated.attrs["features"], json.loads(simulated.attrs["rows"])
    if loop.covariates == "fresh" and later:
        loop = loop.replace(aspect=features / later[0], first_rows=first / later[0])
    else:
        loop = loop.replace(aspect=features * loop.first_rows / first)
    grid = simulated.risk.isel(replicate=0, drop=True)
    values = np.empty(grid.shape)
    for index in np.ndindex(grid.shape[:-1]):
        point = {str(name): float(grid[name][i]) for name, i in zip(grid.dims, index, strict=False)}
        each = loop.replace(penalty=point.get("penalty", loop.penalty))
        each = each if "real_weight" not in point else each.at_weight(point["real_weight"])
        try:
            values[index] = risk(population, each, grid.sizes["generation"] - 1, simulated.attrs["judged"])
        except ValueError:
            # Frozen covariates with rows of different weights have no closed form, nor have rows kept beside synthetic labels.
            return None
    return xr.DataArray(values, grid.coords, grid.dims)
