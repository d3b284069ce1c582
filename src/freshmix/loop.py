"""The description of the training loop: which rows are real, how labels are mixed, how the model is fitted.

Validation and meaning only; the mathematics is in ``risk`` and ``simulate`` (mathematics.md sections 1 and 5).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from .arguments import Floats, choice, flag, number, vector

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
        w in the mixed label ``w * real + (1 - w) * synthetic``, in [0, 1]; 0 for rows without a real label.
    labelled : bool, optional
        Whether these rows have a real label, whatever its weight; by default where ``real_weight`` is above 0.

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

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", number("share", self.share, low=0.0, high=1.0))
        object.__setattr__(self, "row_weight", number("row_weight", self.row_weight, low=0.0))
        object.__setattr__(self, "real_weight", number("real_weight", self.real_weight, low=0.0, high=1.0))
        labelled = self.real_weight > 0 if self.labelled is None else flag("labelled", self.labelled)
        if self.real_weight > 0 and not labelled:
            raise ValueError(f"real_weight must be 0 for rows without a real label, got {self.real_weight!r}")
        object.__setattr__(self, "labelled", labelled)


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
        w in [0, 1], the same in every generation and row. Left out where it is to be found.
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

    Raises
    ------
    TypeError, ValueError
        If a value is out of range, two ways of giving the weights are combined, or fresh covariates come with frozen
        labels.

    Notes
    -----
    Source: mathematics.md sections 1 and 5. A ``real_weight`` is kept as one group that holds all rows.

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
        if covariates == "fresh" and labels == "frozen":
            raise ValueError("labels='frozen' needs covariates='frozen': new rows come with labels of their own")
        if real_weight is not None:
            groups = (Group(1.0, 1.0, real_weight, labelled=True),)
        self._set("aspect", None if aspect is None else number("aspect", aspect, above=0.0))
        self._set("penalty", number("penalty", penalty, low=0.0, high=_MOST))
        self._set("groups", None if groups is None else _groups(groups))
        self._set("schedule", None if schedule is None else _schedule(schedule))
        self._set("covariates", covariates)
        self._set("labels", labels)
        self._set("synthetic_noise_ratio", number("synthetic_noise_ratio", synthetic_noise_ratio, low=0.0))

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
    values = vector("schedule", list(schedule), low=0.0)
    if values.max() > 1:
        raise ValueError(f"schedule must hold weights between 0 and 1, got {float(values.max())!r}")
    return tuple(values.tolist())
