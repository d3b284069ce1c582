"""The description of the training loop: which rows are real, how labels are mixed, how the model is fitted.

Validation and meaning only; the mathematics is in ``risk`` and ``simulate`` (mathematics.md sections 1 and 5).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from .arguments import Floats, choice, flag, number, vector, whole

_SHARES_SUM = 1e-9
# Any penalty beyond this predicts 0, and its square would overflow.
_MOST = 1e100


@dataclass(frozen=True)
class Group:
    """A group of rows that are treated alike in each generation (mathematics.md section 5).

    Parameters
    ----------
    share : float
        Share of the rows, in [0, 1]; the shares of a loop's groups sum to 1.
    row_weight : float
        Weight of these rows in the loss, at least 0 (inert when the model interpolates).
    real_weight : float
        w in the mixed label ``w * real + (1 - w) * synthetic``; 0 for rows without a real label, and within [0, 1] where
        covariates are fresh.
    labelled : bool, optional
        Whether these rows have a real label, whatever its weight; by default where ``real_weight`` is not 0.
    labels_from : "model" or "teacher"
        Who makes the synthetic labels: the generation before, or an outside ``Teacher``.

    Raises
    ------
    TypeError, ValueError
        If a value is not a number in its range, or rows without a real label have a real weight.

    Examples
    --------
    >>> Group(0.25, row_weight=2.0)
    Group(share=0.25, row_weight=2.0, real_weight=1.0, labelled=True)
    """

    share: float
    row_weight: float = 1.0
    real_weight: float = 1.0
    labelled: bool | None = None
    labels_from: str = field(default="model", repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", number("share", self.share, low=0.0, high=1.0))
        object.__setattr__(self, "row_weight", number("row_weight", self.row_weight, low=0.0))
        object.__setattr__(self, "real_weight", number("real_weight", self.real_weight))
        labelled = self.real_weight != 0 if self.labelled is None else flag("labelled", self.labelled)
        if self.real_weight != 0 and not labelled:
            raise ValueError(f"real_weight must be 0 for rows without a real label, got {self.real_weight!r}")
        object.__setattr__(self, "labelled", labelled)
        object.__setattr__(self, "labels_from", choice("labels_from", self.labels_from, ("model", "teacher")))


@dataclass(frozen=True, init=False)
class Loop:
    """One training loop: generation t >= 1 is fitted on ``w_t * real + (1 - w_t) * synthetic`` labels.

    Parameters
    ----------
    aspect : float, optional
        gamma = features / rows per generation. Theory needs it; ``recommend`` fills it in from the table.
    penalty : float
        lambda of ridge, ``(X'X/n + lambda I)^-1 X'y/n``; 0 means min-norm interpolation (least squares if aspect < 1).
    real_weight : float, optional
        w, the same in every generation and row; in [0, 1] where covariates are fresh. Left out where it is to be found.
    schedule : sequence of float, optional
        w_1, w_2, ... instead of a constant; the last one is kept on.
    covariates : "frozen" or "fresh"
        Whether the same rows are relabelled in each generation or new rows arrive.
    labels : "fresh" or "frozen"
        Whether real labels are drawn anew in each generation or only the first generation's are ever seen.
    synthetic_noise_ratio : float
        rho: noise variance of the synthetic labels over that of the real ones (1: sampled; 0: predictions).
    groups : sequence of Group, optional
        Groups of rows (in place of ``real_weight``), kept as a tuple.
    label_renewal : float, optional
        kappa in [0, 1], frozen covariates: the share of the noise variance that is drawn anew when a row is labelled again.
        ``labels`` says 1 (fresh) or 0 (frozen) where it is left out.
    anchor : float
        alpha in [0, 1]: the penalty pulls towards alpha times the previous model.
    kept_generations : int or None
        Fresh covariates: of how many earlier generations the labelled rows stay in the fit; None for all.
    forgetting : float
        In (0, 1]: kept rows of age a count forgetting^a in the loss.
    first_rows : float
        Fresh covariates: rows that generation 0 is fitted on over the rows of any other, above 0; all with a real label.

    Raises
    ------
    TypeError, ValueError
        If a value is out of range, two ways of giving the weights are combined, fresh covariates come with frozen
        labels, frozen ones with kept rows, or frozen labels with a renewal above 0.

    Notes
    -----
    Source: mathematics.md sections 1, 3, 4 and 5. A ``real_weight`` is kept as one group that holds all rows. Weights beyond
    [0, 1] are for frozen covariates alone.

    Examples
    --------
    >>> loop = Loop(aspect=2.0, real_weight=0.6)
    >>> loop.groups
    (Group(share=1.0, row_weight=1.0, real_weight=0.6, labelled=True),)
    >>> loop.replace(real_weight=0.5).real_weight
    0.5
    >>> Loop(aspect=2.0, schedule=[0.5, 0.4]).weights(4).tolist()
    [0.5, 0.4, 0.4, 0.4]
    """

    aspect: float | None
    penalty: float
    groups: tuple[Group, ...] | None
    schedule: tuple[float, ...] | None
    covariates: str
    labels: str
    synthetic_noise_ratio: float
    label_renewal: float | None
    anchor: float
    kept_generations: int | None
    forgetting: float
    first_rows: float

    def __init__(
        self,
        *,
        aspect: float | None = None,
        penalty: float = 0.0,
        real_weight: float | None = None,
        schedule: Iterable[float] | None = None,
        covariates: str = "frozen",
        labels: str = "fresh",
        synthetic_noise_ratio: float = 1.0,
        groups: Iterable[Group] | None = None,
        label_renewal: float | None = None,
        anchor: float = 0.0,
        kept_generations: int | None = 0,
        forgetting: float = 1.0,
        first_rows: float = 1.0,
    ) -> None:
        given = [
            name
            for name, value in (("real_weight", real_weight), ("schedule", schedule), ("groups", groups))
            if value is not None
        ]
        if len(given) > 1:
            raise ValueError(f"a loop takes one of real_weight, schedule and groups, got {' and '.join(given)}")
        covariates = choice("covariates", covariates, ("frozen", "fresh"))
        labels = choice("labels", labels, ("fresh", "frozen"))
        if real_weight is not None:
            groups = (Group(1.0, 1.0, real_weight, labelled=True),)
        self._set("aspect", None if aspect is None else number("aspect", aspect, above=0.0))
        self._set("penalty", number("penalty", penalty, low=0.0, high=_MOST))
        self._set("groups", None if groups is None else _groups(groups))
        self._set("schedule", None if schedule is None else _schedule(schedule))
        self._set("covariates", covariates)
        self._set("labels", labels)
        self._set("synthetic_noise_ratio", number("synthetic_noise_ratio", synthetic_noise_ratio, low=0.0))
        renewal = None if label_renewal is None else number("label_renewal", label_renewal, low=0.0, high=1.0)
        self._set("label_renewal", renewal)
        self._set("anchor", number("anchor", anchor, low=0.0, high=1.0))
        kept = None if kept_generations is None else whole("kept_generations", kept_generations, low=0)
        self._set("kept_generations", kept)
        self._set("forgetting", number("forgetting", forgetting, above=0.0, high=1.0))
        self._set("first_rows", number("first_rows", first_rows, above=0.0))
        self._agree()

    def _agree(self) -> None:
        """Raise ValueError where two parameters contradict each other."""
        if self.labels == "frozen" and self.label_renewal:
            raise ValueError(f"label_renewal must be 0 with labels='frozen', got {self.label_renewal!r}")
        if self.covariates == "fresh":
            for name, value in (("labels", self.labels), ("label_renewal", self.label_renewal)):
                if value not in ("fresh", None, 1.0):
                    raise ValueError(f"{name}={value!r} needs covariates='frozen': new rows come with labels of their own")
            beyond = [w for w in self.schedule or () if not 0 <= w <= 1]
            beyond += [group.real_weight for group in self.groups or () if not 0 <= group.real_weight <= 1]
            if beyond:
                raise ValueError(f"real_weight must be a number between 0 and 1 with covariates='fresh', got {beyond[0]!r}")
            return
        for name, none in (("kept_generations", 0), ("forgetting", 1.0), ("first_rows", 1.0)):
            if getattr(self, name) != none:
                raise ValueError(f"{name} needs covariates='fresh', got {getattr(self, name)!r} with frozen ones")

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @classmethod
    def partially_labelled(
        cls,
        *,
        aspect: float | None = None,
        labelled: float,
        real_weight: float = 1.0,
        penalty: float = 0.0,
        row_weight: Sequence[float] = (1.0, 1.0),
        covariates: str = "fresh",
        labels: str = "fresh",
        synthetic_noise_ratio: float = 1.0,
    ) -> "Loop":
        """A share ``labelled`` of the new rows gets a real label, the rest synthetic labels only (setting iii).

        ``row_weight`` holds the loss weights of the labelled and of the other rows. Raises as ``Loop`` does.

        >>> Loop.partially_labelled(aspect=1.2, labelled=0.5).groups[1]
        Group(share=0.5, row_weight=1.0, real_weight=0.0, labelled=False)
        """
        share = number("labelled", labelled, low=0.0, high=1.0)
        weights = vector("row_weight", row_weight, low=0.0)
        if weights.size != 2:
            raise ValueError(f"row_weight must hold two numbers (labelled rows, other rows), got {weights.size}")
        both = (Group(share, weights[0], real_weight, labelled=True), Group(1.0 - share, weights[1], 0.0))
        return cls(
            aspect=aspect,
            penalty=penalty,
            covariates=covariates,
            labels=labels,
            synthetic_noise_ratio=synthetic_noise_ratio,
            groups=[group for group in both if group.share > 0],
        )

    @property
    def real_weight(self) -> float | None:
        """w, where all rows share one constant weight; None otherwise."""
        if self.groups is not None and len({group.real_weight for group in self.groups}) == 1:
            return self.groups[0].real_weight
        return None

    @property
    def renewal(self) -> float:
        """kappa: ``label_renewal``, or what ``labels`` stands for (1 fresh, 0 frozen)."""
        return float(self.labels == "fresh") if self.label_renewal is None else self.label_renewal

    @property
    def labelled(self) -> float:
        """Share of the rows that have a real label; 1 where no weight is given yet."""
        if self.groups is None:
            return 1.0
        return math.fsum(group.share for group in self.groups if group.labelled)

    def weights(self, generations: int) -> Floats:
        """(generations,) real weights w_1 ... w_T shared by all rows; raises ValueError if there are none."""
        if self.schedule is not None:
            head = self.schedule[:generations]
            return np.array(head + self.schedule[-1:] * (generations - len(head)), dtype=np.float64)
        if self.real_weight is None:
            raise ValueError("the loop needs a real_weight or a schedule that all rows share, got neither")
        return np.full(generations, self.real_weight)

    def at_weight(self, real_weight: float) -> "Loop":
        """This loop with one real weight on all rows that have a real label (on all rows, where none has).

        >>> Loop.partially_labelled(labelled=0.25).at_weight(0.5).groups[0]
        Group(share=0.25, row_weight=1.0, real_weight=0.5, labelled=True)
        """
        if self.groups is None:
            return self.replace(real_weight=real_weight)
        return self.replace(
            groups=[
                replace(group, real_weight=real_weight, labelled=True) if real else group
                for group, real in zip(self.groups, takes_labels(self.groups), strict=True)
            ]
        )

    def groups_at(self, t: int) -> tuple[Group, ...]:
        """The groups of generation t >= 1; a scheduled weight is that of all rows."""
        if self.groups is not None:
            return self.groups
        return (Group(1.0, 1.0, float(self.weights(t)[-1]), labelled=True),)

    def replace(self, **changes: Any) -> "Loop":
        """This loop with some parameters changed; a new way of giving the weights replaces the old one.

        Raises as ``Loop`` does.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if {"real_weight", "schedule", "groups"} & changes.keys():
            values |= {"groups": None, "schedule": None}
        return Loop(**(values | changes))


def noise_ratio(synthetic_labels: Any, synthetic_noise_ratio: Any) -> float | None:
    """rho from either way of saying it: ``predictions`` or ``sampled``, or the number itself; None where neither is said.

    >>> noise_ratio("sampled", None)
    1.0
    """
    if synthetic_noise_ratio is not None:
        if synthetic_labels is not None:
            raise ValueError("synthetic_labels= and synthetic_noise_ratio= say the same: give one of them")
        return number("synthetic_noise_ratio", synthetic_noise_ratio, low=0.0)
    if synthetic_labels is None:
        return None
    return {"predictions": 0.0, "sampled": 1.0}[choice("synthetic_labels", synthetic_labels, ("predictions", "sampled"))]


def takes_labels(groups: Sequence[Group]) -> tuple[bool, ...]:
    """Of each group, whether a real weight is for its rows: those with a real label, or all rows where none has one."""
    none = not any(group.labelled for group in groups)
    return tuple(none or bool(group.labelled) for group in groups)


def _groups(groups: Iterable[Group]) -> tuple[Group, ...]:
    if not isinstance(groups, Iterable):
        raise TypeError(f"groups must be a sequence of Group objects, got {type(groups).__name__}")
    kept = tuple(groups)
    for group in kept:
        if not isinstance(group, Group):
            raise TypeError(f"groups must hold Group objects, got {type(group).__name__}")
    total = math.fsum(group.share for group in kept)
    if abs(total - 1.0) > _SHARES_SUM:
        raise ValueError(f"the shares of groups must sum to 1, got {total!r}")
    if not any(group.share * group.row_weight > 0 for group in kept):
        raise ValueError("groups must hold one with a positive share and row_weight, got none")
    return kept


def _schedule(schedule: Iterable[float]) -> tuple[float, ...]:
    if isinstance(schedule, str) or not isinstance(schedule, Iterable):
        raise TypeError(f"schedule must be a sequence of weights, got {schedule!r}")
    return tuple(vector("schedule", list(schedule)).tolist())
