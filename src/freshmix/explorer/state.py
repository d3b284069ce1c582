"""All that is set on the page, as one value: what its address says, and the population and the loop that it means."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode

from ..loop import Group, Loop
from ..population import Population
from ..population_file import MODELS as NAMED
from ..words import explorer as words
from .coded import decoded, encoded
from .fields import Choice, Coded, Field, Numbers, Numeric

# What each population is made of, by the names of its parameters.
MODELS: Mapping[str, tuple[str, ...]] = {
    "isotropic": (),
    "random-effects": ("eigenvalues", "shares"),
    "spiked": ("strength", "alignment"),
    "two-level": ("ratio", "share"),
    "autoregressive": ("correlation", "features"),
    "equicorrelated": ("correlation", "features"),
    "power-law": ("decay", "source", "features"),
    "table": ("table",),
}
PICTURES = ("weight_penalty", "phase", "ways", "spectrum")
# Numbers of kept generations that can be chosen; None: all.
KEPT = (*range(13), 18, 24, 36, 60, None)


def _of(kind: Field) -> Any:
    return field(default=kind.default, metadata={"kind": kind})


def _one_of(*names: str) -> Any:
    return _of(Choice(names[0], {name: name for name in names}))


@dataclass(frozen=True)
class State:
    """Everything that is set on the page.

    Settings that do not go with the others keep their value and are not used: ``unused`` says which, and why. So every
    state has a loop and a population.

    Raises
    ------
    ValueError
        If a value is none that its field allows, or there are not as many eigenvalues as shares.

    Examples
    --------
    >>> state = State(model="spiked", penalty=0.1)
    >>> state.to_query()
    'model=spiked&penalty=0.1'
    >>> State.from_query("?model=spiked&penalty=0.1") == state
    True
    >>> state.loop().penalty, state.population().eigenvalues.tolist()
    (0.1, [1.0, 11.0])
    """

    model: str = _one_of(*MODELS)
    eigenvalues: tuple[float, ...] = _of(Numbers((1.0, 10.0)))
    shares: tuple[float, ...] = _of(Numbers((0.8, 0.2)))
    strength: float = _of(Numeric(10.0, 0.0, 1e4, (0.1, 1000.0), log=True))
    alignment: float = _of(Numeric(0.7, 0.0, 1.0, (0.0, 1.0)))
    ratio: float = _of(Numeric(10.0, 1e-4, 1e4, (0.01, 100.0), log=True))
    share: float = _of(Numeric(0.2, 0.0, 1.0, (0.0, 1.0)))
    correlation: float = _of(Numeric(0.7, 0.0, 0.99, (0.0, 0.99)))
    decay: float = _of(Numeric(1.0, 0.0, 3.0, (0.0, 3.0)))
    source: float | None = _of(Numeric(None, 0.0, 5.0, (0.0, 2.0), optional=True))
    features: int = _of(Numeric(200, 2, 1000, (2, 1000), log=True, whole=True))
    table: str = _of(Coded("", decoded))
    signal_to_noise: float = _of(Numeric(2.0, 1e-4, 1e6, (0.01, 100.0), log=True))
    persistence: float = _of(Numeric(1.0, 0.0, 1.0, (0.5, 1.0)))
    covariates: str = _one_of("frozen", "fresh")
    label_renewal: float = _of(Numeric(1.0, 0.0, 1.0, (0.0, 1.0)))
    labelled: float = _of(Numeric(1.0, 0.001, 1.0, (0.01, 1.0)))
    first_rows: float = _of(Numeric(1.0, 0.01, 100.0, (0.1, 10.0), log=True))
    aspect: float = _of(Numeric(2.0, 0.001, 1000.0, (0.05, 20.0), log=True))
    penalty: float = _of(Numeric(0.0, 0.0, 1e6, (1e-4, 100.0), log=True, zero=True))
    real_weight: float = _of(Numeric(0.5, 0.0, 1.0, (0.0, 1.0)))
    synthetic_noise_ratio: float = _of(Numeric(1.0, 0.0, 100.0, (0.0, 2.0)))
    row_weight: float = _of(Numeric(1.0, 0.0, 1000.0, (0.0, 2.0)))
    anchor: float = _of(Numeric(0.0, 0.0, 1.0, (0.0, 1.0)))
    kept_generations: int | None = _of(Choice(0, {"all" if kept is None else str(kept): kept for kept in KEPT}))
    forgetting: float = _of(Numeric(1.0, 0.01, 1.0, (0.1, 1.0)))
    generations: int = _of(Numeric(20, 1, 200, (1, 100), whole=True))
    picture: str = _one_of(*PICTURES)

    def __post_init__(self) -> None:
        for name, kind in FIELDS.items():
            object.__setattr__(self, name, kind.checked(name, getattr(self, name)))
        if len(self.eigenvalues) != len(self.shares):
            raise ValueError(words.not_paired(len(self.eigenvalues), len(self.shares)))
        if not any(tau * h > 0 for tau, h in zip(self.eigenvalues, self.shares, strict=True)):
            raise ValueError(words.NO_SIGNAL)

    def to_query(self) -> str:
        """What is not at its default, for an address."""
        said = {name: kind.write(getattr(self, name)) for name, kind in FIELDS.items() if getattr(self, name) != kind.default}
        return urlencode(said, safe=",")

    @classmethod
    def from_query(cls, query: str) -> "State":
        """The state of an address; what cannot be used is left at its default, see ``read``."""
        return read(query)[0]

    def replace(self, **changes: Any) -> "State":
        """This state with some settings changed."""
        return replace(self, **changes)

    def of_population(self, population: Population) -> "State":
        """This state with a population that was estimated from a table."""
        settings = {"signal_to_noise": population.signal_to_noise_ratio, "persistence": population.persistence}
        return self.replace(model="table", table=encoded(population), **nearest(settings))

    def population(self) -> Population:
        """The data: noise of variance 1, or that of the table, and as much signal as ``signal_to_noise`` says."""
        return self._population

    # A request asks for it several times.
    @cached_property
    def _population(self) -> Population:
        if self.model == "table" and self.table:
            found = self._of_table(decoded(self.table))
        else:
            made, options = self.constructor()
            found = made(**options)
        return found.replace(persistence=self.persistence) if self.drifts else found

    def constructor(self) -> tuple[Callable[..., Population], dict[str, Any]]:
        """What makes a named population, and what it is given."""
        made, options = self._constructor
        return made, dict(options)

    @cached_property
    def _constructor(self) -> tuple[Callable[..., Population], dict[str, Any]]:
        model = "isotropic" if self.model == "table" else self.model
        options = {name: getattr(self, name) for name in MODELS[model]}
        if "shares" in options:
            total = math.fsum(self.shares)
            options["shares"] = tuple(h / total for h in self.shares)
        return NAMED[model], options | {"signal": self.signal_to_noise / NAMED[model](**options).null_risk}

    def _of_table(self, found: Population) -> Population:
        noise, null = found.noise_variance, found.null_risk
        if null > 0 and noise > 0:
            return found.replace(signal=found.signal * (self.signal_to_noise * noise / null))
        return found.replace(noise_variance=null / self.signal_to_noise) if null > 0 else found

    @property
    def lacks_table(self) -> bool:
        """Whether the population is to be that of a table, and none was given: isotropic features stand for it."""
        return self.model == "table" and not self.table

    @property
    def drifts(self) -> bool:
        """Whether coefficients change from one generation to the next."""
        return self.covariates == "fresh" and self.persistence < 1

    def loop(self) -> Loop:
        """The loop, of the settings that go together."""
        common: dict[str, Any] = {"aspect": self.aspect, "penalty": self.penalty}
        noise: dict[str, Any] = {"synthetic_noise_ratio": self.synthetic_noise_ratio}
        if self.covariates == "frozen":
            mix: dict[str, Any] = {"real_weight": self.real_weight, "anchor": self.anchor}
            renewal: dict[str, Any] = {} if self.label_renewal == 1 else {"label_renewal": self.label_renewal}
            return Loop(**common, **noise, **mix, **renewal)
        groups = [Group(self.labelled, 1.0, 1.0 if self.keeps else self.real_weight, labelled=True)]
        if self.labelled < 1:
            groups.append(Group(1 - self.labelled, 0.0 if self.keeps else self.row_weight, 0.0))
        memory: dict[str, Any] = {"anchor": self.anchor, **noise}
        if self.keeps:
            memory = {"kept_generations": self.kept_generations, "forgetting": self.forgetting}
        return Loop(**common, **memory, groups=groups, covariates="fresh", first_rows=self.first_rows)

    @property
    def keeps(self) -> bool:
        """Whether labelled rows of earlier generations stay in the fit."""
        return self.covariates == "fresh" and self.kept_generations != 0

    def unused(self) -> dict[str, str]:
        """Settings that this loop does not have, and the reason in a sentence."""
        said: dict[str, str] = {}
        if self.covariates == "frozen":
            said |= dict.fromkeys(_NEW_ROWS, words.NEEDS_NEW_ROWS)
        else:
            said["label_renewal"] = words.NEEDS_SAME_ROWS
            if self.labelled == 1:
                said["row_weight"] = words.NEEDS_UNLABELLED
            if self.keeps:
                said |= dict.fromkeys(("real_weight", "row_weight", "anchor", "synthetic_noise_ratio"), words.KEEPS_ROWS)
            else:
                said["forgetting"] = words.NEEDS_KEPT_ROWS
        return said


_NEW_ROWS = ("labelled", "row_weight", "kept_generations", "forgetting", "first_rows", "persistence")
FIELDS: Mapping[str, Field] = {each.name: each.metadata["kind"] for each in fields(State)}


def nearest(settings: Mapping[str, float], digits: int = 6) -> dict[str, Any]:
    """Numbers that will do, each the nearest to what is asked for, with so many digits."""
    kinds = {name: kind for name in settings if isinstance(kind := FIELDS[name], Numeric)}
    return {name: kind.nearest(settings[name], digits) for name, kind in kinds.items()}


def read(query: str) -> tuple[State, list[str]]:
    """The state of an address, and a sentence for each part of it that could not be used.

    >>> read("aspect=0.5&penalty=-1&colour=red")[1]
    ['penalty must be a number from 0 to 1e+06, got -1: its default stands.', 'There is no setting called colour.']
    """
    values: dict[str, Any] = {}
    said: list[str] = []
    try:
        pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return State(), [words.NOT_AN_ADDRESS]
    for name, text in pairs:
        if name not in FIELDS:
            said.append(words.unknown(name))
            continue
        try:
            values[name] = FIELDS[name].read(name, text)
        except ValueError as error:
            said.append(words.default_stands(str(error)))
    try:
        return State(**values), said
    except ValueError as error:
        # Two that do not go together.
        left = {name: value for name, value in values.items() if name not in ("eigenvalues", "shares")}
        return State(**left), [*said, words.default_stands(str(error))]
