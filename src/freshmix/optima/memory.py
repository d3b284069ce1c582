"""What to remember between retrainings: ways to do so, each at its own best (mathematics.md sections 3, 5 and 6)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..arguments import choice, generations_in_a_row
from ..loop import Group, Loop
from ..population import Population
from ..risks.fresh import FreshSetting
from ..risks.frozen import FrozenSetting
from ..risks.setting import Setting, setting_of
from ..views import Pictured, frame
from .fresh_memory import FreshWays
from .frozen_memory import FrozenWays

# What may be kept, each more than the one before.
RULES = ("nothing", "model", "moments", "rows")
# Risks that differ by less are those of one optimum.
_SAME = 1e-6


@dataclass(frozen=True)
class Way:
    """A way to remember at its best.

    Attributes
    ----------
    loop : Loop
        The loop that does it; with fresh covariates its rows without a real label have row weight 0 where they are left out.
    risk : float
        Excess risk at the horizon.
    prediction_error : float
        This plus the noise variance.
    stored : str
        What has to be kept from one generation to the next: ``nothing``, the last ``model``, ``moments`` X'X and X'y of the
        past (p^2 numbers), or ``rows``.
    """

    loop: Loop
    risk: float
    prediction_error: float
    stored: str

    @property
    def settings(self) -> dict[str, float | None]:
        """Penalty, real weight of labelled rows, row weight of the others, anchor, kept generations (None: all), forgetting."""
        groups = self.loop.groups or ()
        labelled = [group for group in groups if group.labelled]
        others = [group.row_weight for group in groups if not group.labelled]
        return {
            "penalty": self.loop.penalty,
            "real_weight": labelled[0].real_weight,
            "row_weight": others[0] / labelled[0].row_weight if others else 1.0,
            "anchor": self.loop.anchor,
            "kept_generations": self.loop.kept_generations,
            "forgetting": self.loop.forgetting,
        }


@dataclass(frozen=True, repr=False)
class Memory(Pictured):
    """Ways to remember, each at its own best.

    Attributes
    ----------
    ways : dict
        Name to ``Way``: ``real_only``, ``mixed``, ``anchored``, ``anchored_mixed``, ``keep_all``; with fresh covariates also
        ``forgetting`` and, where it is better than any other, ``window``.
    may_keep : str
        The rule that ``best`` obeys.
    generations : int
        The horizon.
    judged : str
        Whether models are judged on the coefficients of their own generation or on the next ones.
    """

    _words = "memory"

    ways: Mapping[str, Way]
    may_keep: str
    generations: int
    judged: str

    def to_frame(self) -> Any:
        """The ways as a pandas data frame, a row for each, the least risk first.

        ``risk`` and ``prediction_error`` (squared label units), what has to be ``stored``, whether that is ``allowed``, and the
        settings of the way (``kept_generations``: None for all).
        """
        # Ways that differ by less than the search can tell stand in the order of what they keep.
        names = sorted(self.ways, key=lambda name: float(f"{self.ways[name].risk:.9g}"))
        ways = [self.ways[name] for name in names]
        allowed = [RULES.index(way.stored) <= RULES.index(self.may_keep) for way in ways]
        columns = {key: [getattr(way, key) for way in ways] for key in ("risk", "prediction_error", "stored")}
        settings = {key: [way.settings[key] for way in ways] for key in ways[0].settings}
        return frame({**columns, "allowed": allowed, **settings}, names)

    def to_dict(self) -> dict[str, Any]:
        """Everything: plain numbers, text, lists and dicts; inf where unbounded."""
        return super().to_dict() | {"best": self.best, "best_under": self.best_under}

    @property
    def best(self) -> str:
        """The name of the best way that may be carried out."""
        return self.best_under[self.may_keep]

    @property
    def best_under(self) -> dict[str, str]:
        """The best way under each rule; the one that keeps less where two are equally good."""
        return {rule: self._best(RULES.index(rule)) for rule in RULES}

    def _best(self, most: int) -> str:
        allowed = [name for name, way in self.ways.items() if RULES.index(way.stored) <= most]
        least = min(self.ways[name].risk for name in allowed)
        near = [name for name in allowed if self.ways[name].risk <= least * (1 + 1e-6)]
        return min(near, key=lambda name: RULES.index(self.ways[name].stored))


def optimal_memory(
    population: Population, loop: Loop, generations: int = 12, may_keep: str = "rows", *, judged: str = "next"
) -> Memory:
    """Ways to remember the past between retrainings, each at its own best, and which is best.

    Parameters
    ----------
    population : Population
        The data; its persistence says how coefficients drift.
    loop : Loop
        Aspect, covariates, share of labelled rows, first rows and synthetic noise. Its weights, penalty, anchor and kept rows
        are ignored.
    generations : int
        The horizon T, at least 1.
    may_keep : "nothing", "model", "moments" or "rows"
        What may be kept from one generation to the next: nothing but the new rows; the last model; also X'X and X'y of the past
        (p^2 numbers); also rows.
    judged : "next" or "now"
        On the coefficients of the next generation, which a model meets in use, or on those it was fitted under.

    Returns
    -------
    Memory
        ``.ways`` (name to loop, risk, prediction error and what has to be stored) and ``.best``.

    Raises
    ------
    TypeError, ValueError
        If a parameter is missing or out of range, or no row has a real label.

    Notes
    -----
    Source: mathematics.md sections 3, 5 and 6. With fresh covariates the ways are: real labels of each generation alone; mixed
    with the last model's labels; anchored to the last model by the penalty; both; all labelled rows kept; kept with forgetting;
    a window of generations.

    Examples
    --------
    >>> from freshmix import Loop, Population
    >>> drifting = Population.isotropic(signal=2.0).replace(persistence=0.9)
    >>> found = optimal_memory(drifting, Loop(aspect=0.5, covariates="fresh", synthetic_noise_ratio=0.0))
    >>> found.best, found.best_under["model"]
    ('anchored_mixed', 'anchored_mixed')
    """
    if not isinstance(loop, Loop):
        raise TypeError(f"loop must be a Loop, got {type(loop).__name__}")
    horizon = generations_in_a_row(generations)
    if horizon < 1:
        raise ValueError(f"generations must be at least 1, got {generations!r}")
    may_keep, judged = choice("may_keep", may_keep, RULES), choice("judged", judged, ("next", "now"))
    if loop.labelled == 0:
        raise ValueError("optimal_memory needs rows with a real label, got a labelled share of 0")
    return memory_of(setting_of(population, bare(loop)), horizon, may_keep, judged)


def memory_of(
    setting: Setting,
    generations: int,
    may_keep: str,
    judged: str,
    penalty: float | None = None,
    known: Mapping[str, Loop] | None = None,
) -> Memory:
    """``optimal_memory`` of a loop on given data.

    With a ``penalty`` all ways have that one, per row of a fit. ``known`` holds loops of ways that are told elsewhere: they
    stay where no other is really better.
    """
    setting = setting.with_loops(bare(setting.loop))
    if isinstance(setting, FreshSetting):
        setting = replace(setting, judged=judged)
        ways = FreshWays(setting, generations, judged, penalty=penalty).ways()
    else:
        assert isinstance(setting, FrozenSetting)
        ways = FrozenWays(setting, generations, penalty).ways()
    for name, loop in (known or {}).items():
        risk = setting.with_loops(loop).risk(generations)
        if risk <= ways[name][1] * (1 + _SAME):
            ways[name] = loop, risk, ways[name][2]
    made = {name: Way(loop, risk, risk + setting.noise_variance, stored) for name, (loop, risk, stored) in ways.items()}
    return Memory(made, may_keep, generations, judged)


def bare(loop: Loop) -> Loop:
    """The loop with real labels alone and nothing remembered: one labelled group and, it may be, one without labels."""
    loop = loop.replace(anchor=0.0, penalty=0.0)
    if loop.covariates == "frozen":
        return loop.replace(real_weight=1.0)
    share = loop.labelled
    groups = [Group(share, 1.0, 1.0, labelled=True)] + ([Group(1 - share, 0.0, 0.0)] if share < 1 else [])
    return loop.replace(groups=groups, kept_generations=0, forgetting=1.0)
