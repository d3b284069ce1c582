"""What a state has to show: datasets of the front door and of ``theory``, and lines that reproduce them."""

from collections.abc import Callable, Mapping

import xarray as xr

from .. import theory
from ..optima import Optimum, optimal_loop, optimal_memory, optimal_weight
from ..risks import Limit, limit
from ..threads import on_one_blas_thread
from ..words import code
from ..words import explorer as words
from .state import PICTURES, State, nearest

# Weights, and penalties, of the surface: beside lines of equal risk more of them are not seen, and take time to send.
POINTS = {"frozen": 81, "fresh": 41}


class NotShown(ValueError):
    """A picture that a loop does not have; why not, in a sentence."""


@on_one_blas_thread
def verdict(state: State) -> Limit:
    """The long run, with its verdict and reason."""
    return limit(state.population(), state.loop())


@on_one_blas_thread
def best_at_penalty(state: State) -> Optimum | None:
    """The best weight at the penalty that is set; None where there is none to choose."""
    return None if state.keeps else optimal_weight(state.population(), state.loop())


def risk_by_generation(state: State, best: Optimum | None = None) -> xr.Dataset:
    """Excess risk by generation, with the best weight beside the loop's own where there is one to choose.

    ``best`` is ``best_at_penalty``, where it is known already.
    """
    best = best or best_at_penalty(state)
    others = {"best_weight": best.loop} if best is not None and best.attained else {}
    return theory.by_generation(state.population(), state.loop(), state.generations, others)


def risk_by_weight(state: State, best: Optimum | None = None) -> xr.Dataset:
    """Excess risk against the real weight, ``best`` as above. Raises NotShown where there is none to choose."""
    if state.keeps:
        raise NotShown(words.NO_WEIGHT)
    return theory.by_weight(state.population(), state.loop(), best=best)


def weight_penalty(state: State) -> xr.Dataset:
    """Long-run excess risk over weights and penalties. Raises NotShown where there is no weight to choose."""
    if state.keeps:
        raise NotShown(words.NO_WEIGHT)
    return theory.weight_penalty(state.population(), state.loop(), POINTS[state.covariates])


def no_phase(state: State) -> str:
    """Why a state has no phase diagram; nothing where it has one."""
    if state.covariates == "frozen":
        return words.NO_PHASE
    return words.KEEPS_ROWS if state.keeps else ""


def phase(state: State) -> xr.Dataset:
    """Long-run excess risk over aspects and labelled shares. Raises NotShown for the same rows, and where rows are kept."""
    why = no_phase(state)
    if why:
        raise NotShown(why)
    return theory.phase_diagram(state.population(), state.loop())


def ways(state: State) -> xr.Dataset:
    """Ways to remember, each at its best."""
    population = state.population()
    return theory.ways(population, optimal_memory(population, state.loop()))


def spectrum(state: State) -> xr.Dataset:
    """Where the directions and the signal lie."""
    return theory.spectrum(state.population())


# Each picture's data.
DATA: Mapping[str, Callable[..., xr.Dataset]] = {
    function.__name__: on_one_blas_thread(function)
    for function in (risk_by_generation, risk_by_weight, weight_penalty, phase, ways, spectrum)
}


@on_one_blas_thread
def advice(state: State) -> Optimum | None:
    """The best weight and penalty, and the best row weight of rows without a label; None where rows are kept."""
    return None if state.keeps else optimal_loop(state.population(), state.loop())


def best_weight(by_weight: xr.Dataset) -> str:
    """The best weight at the penalty that is set, in a sentence."""
    facts = by_weight.attrs
    return words.best_weight(facts["best_weight"], facts["best_risk"], facts["attained"])


def advised(best: Optimum) -> dict[str, float]:
    """The settings of the best loop."""
    groups = best.loop.groups or ()
    others = [group.row_weight for group in groups if not group.labelled]
    settings = {"real_weight": best.real_weight, "penalty": best.loop.penalty} | ({"row_weight": others[0]} if others else {})
    return nearest(settings)


def about(state: State) -> str:
    """What ``advice`` depends on: states with the same text have the same advice."""
    return state.replace(real_weight=0.5, penalty=0.0, row_weight=1.0, generations=20, picture=PICTURES[0]).to_query()


def lines(state: State) -> str:
    """The Python lines that reproduce what is shown."""
    if state.model == "table" and state.table:
        population = code.call_code("fm.Population", state.population().as_dict())
    else:
        made, options = state.constructor()
        population = code.call_code(f"fm.Population.{made.__name__}", options)
        if state.drifts:
            population += f".replace(persistence={state.persistence!r})"
    calls = words.by_generation(state.generations, not state.keeps)
    if not state.keeps:
        calls.append(words.BY_WEIGHT)
    missing = (state.picture == "weight_penalty" and state.keeps) or (state.picture == "phase" and no_phase(state))
    if not missing:
        calls.append(words.CALLS[state.picture].format(points=POINTS[state.covariates]))
    return words.lines(population, code.loop_code(state.loop()), not state.keeps, calls)


def csv(name: str, state: State) -> str:
    """A picture's data as text, with all digits. Raises as its function in ``DATA`` does."""
    return str(DATA[name](state).to_dataframe().to_csv())
