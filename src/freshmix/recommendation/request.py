"""What a recommendation is asked for, checked once; and what of it needs the table to be known."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import HORIZON, MOST_PENALTY, choice, flag, horizon, number, number_or_auto, whole
from ..loop import Loop, noise_ratio
from ..optima.memory import RULES
from ..prepared import Kernel, Prepared
from ..prepared.kernels import checked_kernel
from ..tables import are_files

# Options that mean new rows in each generation.
FRESH = ("time", "rows_per_generation", "labelled", "predictions")


@dataclass(frozen=True)
class Today:
    """What is said of the loop in use; the table says the rest."""

    covariates: str | None = None
    labels: str | None = None
    label_renewal: float | None = None
    synthetic_noise_ratio: float | None = None
    real_weight: float | None = None
    row_weight: float | None = None

    def __post_init__(self) -> None:
        # Whatever is wrong without the table is said before it is read.
        self.loop(stream=False)

    def loop(self, stream: bool, labelled: float = 1.0) -> Loop:
        """The practitioner's loop where the table or an option shows a stream of new rows, or else the paper's.

        ``labelled`` is the share of new rows that get a real label, where a row weight is said.
        """
        covariates = self.covariates or ("fresh" if stream or self.row_weight is not None else "frozen")
        # New rows come with plain predictions unless said otherwise.
        ratio = float(covariates != "fresh") if self.synthetic_noise_ratio is None else self.synthetic_noise_ratio
        # Labels that are said to be fresh are, whatever the target looks like.
        said = self.labels == "fresh" and self.label_renewal is None and covariates == "frozen"
        loop = Loop(
            covariates=covariates,
            labels="fresh" if self.labels is None else self.labels,
            label_renewal=1.0 if said else self.label_renewal,
            synthetic_noise_ratio=ratio,
            real_weight=self.real_weight,
        )
        if self.row_weight is None:
            return loop
        w, row_weight = 1.0 if self.real_weight is None else self.real_weight, (1.0, self.row_weight)
        return loop.replace(groups=Loop.partially_labelled(labelled=labelled, real_weight=w, row_weight=row_weight).groups)


# Options that say what a loop says.
_OF_LOOP = ("covariates", "labels", "label_renewal", "synthetic_labels", "synthetic_noise_ratio", "real_weight", "row_weight")


@dataclass(frozen=True, eq=False)
class Request:
    """The options of ``recommend`` beside the table; ``options`` are those not left at their defaults."""

    loop: Loop | None
    today: Today
    generations: int | float | None
    kernel: Kernel
    penalty: float | None
    standardize: bool
    rows_per_generation: int | None
    labelled: float | None
    schedule: bool
    may_keep: str
    seed: int
    options: dict[str, Any]

    @classmethod
    def of(cls, asked: Mapping[str, Any], defaults: Mapping[str, Any]) -> "Request":
        """Check everything that can be checked without the table; ``asked`` are the arguments of ``recommend``."""
        options = options_of(asked, defaults)
        loop, labelled, rows_per_generation = (asked[name] for name in ("loop", "labelled", "rows_per_generation"))
        if loop is not None:
            _check_loop(loop)
            twice = [name for name in _OF_LOOP if name in options]
            if twice:
                raise ValueError(f"{twice[0]}= says what loop says: give one of them")
            if labelled is not None and len(loop.groups or ()) > 1:
                raise ValueError(f"labelled says what the loop's groups say already, got {labelled!r} beside groups")
            _check_asked(loop, [name for name in FRESH if name in options])
        if "predictions" in options:
            _check_beside_predictions(options, weighted="sample_weight" in options)
        return cls(
            loop,
            Today(
                asked["covariates"],
                asked["labels"],
                asked["label_renewal"],
                noise_ratio(asked["synthetic_labels"], asked["synthetic_noise_ratio"]),
                asked["real_weight"],
                asked["row_weight"],
            ),
            asked["generations"],
            checked_kernel(asked["kernel"]),
            number_or_auto("penalty", asked["penalty"], low=0.0, high=MOST_PENALTY),
            flag("standardize", asked["standardize"]),
            None if rows_per_generation is None else whole("rows_per_generation", rows_per_generation, low=3),
            None if labelled is None else number("labelled", labelled, above=0.0, high=1.0),
            flag("schedule", asked["schedule"]),
            choice("may_keep", asked["may_keep"], RULES),
            whole("seed", asked["seed"], low=0),
            options,
        )

    def known(self, table: Prepared) -> Loop:
        """The loop: the one given, or the practitioner's where the table or an option shows it, or the paper's.

        Raises
        ------
        ValueError
            If the table or an option is none that it can have.
        """
        stream = table.stream
        seen = (stream.steps is not None, stream.asked, self.labelled is not None, table.predictions is not None)
        asked = [name for name, there in zip(FRESH, seen, strict=True) if there]
        loop = self.loop
        if loop is None:
            loop = self.today.loop(table.partly or bool(asked), table.share if self.labelled is None else self.labelled)
        _check_asked(loop, asked)
        if table.predictions is not None:
            _check_beside_predictions(self.options, weighted=table.rows is not None and table.rows.precision is not None)
        if loop.covariates == "fresh":
            if table.kernel != "linear":
                raise ValueError(f"kernel must be linear for fresh covariates, got {table.kernel!r}")
        elif table.partly:
            raise ValueError(
                "loop must have covariates='fresh' where rows have no real label, got none in "
                f"{stream.rows - stream.labelled} of {stream.rows} rows: frozen covariates with only some rows labelled have "
                "no closed form (simulations run them)"
            )
        return loop

    def horizon(self, loop: Loop) -> int | None:
        """T, or None for the long run: asked for by inf, and the default of frozen covariates without a schedule."""
        T = horizon(self.generations, HORIZON if loop.covariates == "fresh" or self.schedule else None)
        if T is None and self.schedule:
            raise ValueError(
                "generations must be a whole number for a schedule, got inf: in the long run only its last weight counts"
            )
        return T


def options_of(asked: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are not at their defaults, as they can be written down."""
    return {name: _short(name, value) for name, value in asked.items() if not _same(value, defaults[name])}


def _short(name: str, value: Any) -> Any:
    """An option as it can be written down: the names of files and columns as such, True for arrays and data frames."""
    if name in ("X", "drop") and isinstance(value, list | tuple) and value and are_files(value):
        return [os.fspath(each) for each in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    plain = value is None or callable(value) or isinstance(value, str | int | float | Loop | np.generic)
    return value if plain else True


def _same(value: Any, default: Any) -> bool:
    # Arrays, which are no option at all, compare entry by entry.
    return value is default or (isinstance(value, type(default)) and bool(value == default))


def _check_asked(loop: Loop, asked: list[str]) -> None:
    if asked and loop.covariates == "frozen":
        raise ValueError(f"{asked[0]} needs a loop with covariates='fresh': frozen rows are the same each time")


def _check_beside_predictions(options: Mapping[str, Any], weighted: bool) -> None:
    for name, needed in (("kernel", "linear"), ("penalty", "auto")):
        if name in options:
            raise ValueError(f"{name} must be {needed} beside predictions, got {options[name]!r}")
    if weighted:
        raise ValueError("sample_weight must be left out beside predictions: a teacher is judged by labels that count alike")


def _check_loop(loop: Any) -> None:
    if not isinstance(loop, Loop):
        raise TypeError(f"loop must be a Loop, got {type(loop).__name__}")
    if loop.schedule is not None:
        raise ValueError("loop must have one real_weight or groups, or neither: schedule=True finds a schedule")
    if loop.covariates == "frozen" and loop.groups is not None and loop.real_weight is None:
        raise ValueError("loop must have one real_weight or none with frozen covariates: groups need covariates='fresh'")
    for group in loop.groups or ():
        if group.row_weight != 1 and (group.labelled or group.share == 1):
            raise ValueError(
                f"loop must have row_weight 1 on rows with a real label, got {group.row_weight:g}: they count alike in what is "
                "searched; divide all row weights and the penalty by a common one"
            )
    if len(loop.groups or ()) > 1 and loop.labelled == 0:
        raise ValueError("loop must have a group of rows with a real label, got none")
    if loop.aspect is not None:
        raise ValueError(f"loop must leave aspect out, since the table gives it, got {loop.aspect!r}")
