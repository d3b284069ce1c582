"""Populations by name and from a file, as the command line and sweep files take them."""

import inspect
import json
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from .arguments import choice, listed
from .population import Population

MODELS: dict[str, Callable[..., Population]] = {
    "isotropic": Population.isotropic,
    "random-effects": Population.random_effects,
    "spiked": Population.spiked,
    "two-level": Population.two_level,
    "autoregressive": Population.autoregressive,
    "equicorrelated": Population.equicorrelated,
    "power-law": Population.power_law,
    "covariance": Population.from_covariance,
    "atoms": Population,
}
SUFFIXES = (".json", ".toml")
# What any population may have, whatever its model.
COMMON = ("row_sizes", "persistence")


def parameters_of(model: str) -> dict[str, inspect.Parameter]:
    """The parameters of a named model, with those that any population has; none of an unknown model."""
    make = MODELS.get(model.replace("_", "-"))
    if make is None:
        return {}
    shared = inspect.signature(Population).parameters
    return {**inspect.signature(make).parameters, **{name: shared[name] for name in COMMON}}


def lacking(model: str, parameters: Mapping[str, Any]) -> list[str]:
    """What a named model needs and is not given."""
    return [name for name, each in parameters_of(model).items() if each.default is each.empty and name not in parameters]


def named_population(model: str, parameters: Mapping[str, Any]) -> Population:
    """The population of a named model, with that constructor's parameters.

    Parameters
    ----------
    model : str
        One of ``MODELS``; ``atoms`` is ``Population`` itself, ``covariance`` its ``from_covariance``.
    parameters : mapping
        Keyword arguments of the model, and ``row_sizes`` and ``persistence`` of any population.

    Raises
    ------
    TypeError, ValueError
        If the model or a parameter is unknown, missing, or out of range.

    Examples
    --------
    >>> named_population("spiked", {"strength": 10.0, "alignment": 0.7})
    Population(2 atoms in 1..11, null_risk=5.9, noise_variance=1)
    """
    make = MODELS[choice("population", str(model).replace("_", "-"), MODELS)]
    known = parameters_of(model)
    for name in parameters:
        if name not in known:
            near = get_close_matches(str(name), known, n=1, cutoff=0.4)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"population {model} takes {', '.join(known)}, got {name!r}{hint}")
    if missing := lacking(model, parameters):
        raise ValueError(f"population {model} needs {listed(missing)}")
    own = {name: value for name, value in parameters.items() if name not in COMMON}
    shared = {name: value for name, value in parameters.items() if name in COMMON}
    return make(**own).replace(**shared) if shared else make(**own)


def read_population(path: str | Path) -> Population:
    """A population from a JSON or TOML file.

    The file holds the parameters of a named model, and its name under ``model``; without one, ``eigenvalues``, ``shares``,
    ``signal`` (and ``noise_variance``) are the atoms, or ``covariance`` and ``coefficients`` a dense description. A
    ``population`` table around them, as ``freshmix theory --json`` prints, is read too.

    Raises
    ------
    OSError
        If the file cannot be read.
    TypeError, ValueError
        If it is not JSON or TOML, or what it holds does not make a population; the message names the file.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ValueError(f"a population file must end in {' or '.join(SUFFIXES)}, got {path.name!r}")
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: not {path.suffix[1:].upper()}: {error}") from None
    if isinstance(content, dict) and isinstance(content.get("population"), dict):
        content = content["population"]
    if not isinstance(content, dict):
        raise ValueError(f"{path}: must hold the parameters of a population by name, got {type(content).__name__}")
    parameters = dict(content)
    model = parameters.pop("model", "covariance" if "covariance" in parameters else "atoms")
    try:
        return named_population(model, parameters)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{path}: {error}") from None
