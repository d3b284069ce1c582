"""What every kind of loop must answer, and the only place that asks which kind it is (mathematics.md sections 3 to 6)."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, Self

from numpy.typing import ArrayLike

from ..arguments import Floats
from ..equivalents import Equivalents
from ..loop import Loop
from ..population import Population
from .fresh import FreshSetting, varied
from .frozen import FrozenSetting
from .plain import PlainRidge
from .verdict import Limit

__all__ = ["Schedules", "Setting", "check_loops", "kind_of", "sample_setting", "setting_of", "varied"]


class Schedules(Protocol):
    """A loop at any real weights w_1 ... w_T of the rows with a real label: solved once for all of them."""

    @property
    def exact(self) -> bool:
        """Whether ``greedy`` is the best at every horizon."""

    def greedy(self, generations: int) -> Floats:
        """Each w_t at the least R_t given the weights before it."""

    def risk(self, weights: Floats) -> float:
        """R_T."""

    def value_and_gradient(self, weights: Floats) -> tuple[float, Floats]:
        """R_T and dR_T/dw_t."""


class Setting(Protocol):
    """A kind of loop on given data: everything that searches, tables and recommendations ask of theory.

    ``loops`` are those of t = 1, 2, ..., the last one kept on; a horizon is a generation T, or None for the long run. Risks are
    excess risks, inf where they are unbounded.

    Attributes
    ----------
    partly_labelled : bool
        Whether there is theory for rows of which only some have a real label, and a collapse number.
    points : int
        How many points along an axis a surface of this kind can afford.
    """

    partly_labelled: ClassVar[bool]
    points: ClassVar[int]

    @classmethod
    def of(cls, population: Population, loops: tuple[Loop, ...]) -> Self:
        """The setting of loops that were checked."""

    @staticmethod
    def check(loops: Sequence[Loop]) -> None:
        """Raise ValueError where this kind has no theory."""

    @classmethod
    def surface(cls, population: Population, loop: Loop, grid: dict[str, Floats]) -> dict[str, Floats]:
        """Long-run ``risk``, and ``collapse_number`` where there is one, over a grid of coordinates."""

    @property
    def loops(self) -> tuple[Loop, ...]:
        """Those of t = 1, 2, ..."""

    @property
    def loop(self) -> Loop:
        """The loop that is kept on."""

    @property
    def noise_variance(self) -> float:
        """sigma^2."""

    @property
    def null_risk(self) -> float:
        """Excess risk of predicting 0."""

    @property
    def bulk(self) -> tuple[float, float]:
        """Ends of an interval that holds the positive eigenvalues of the sample covariance."""

    @property
    def scale(self) -> float:
        """The unit of penalties: the largest eigenvalue of the sample covariance."""

    @property
    def coordinates(self) -> tuple[str, ...]:
        """What a search may vary: ``real_weight``, ``penalty``, and the ``row_weight`` of rows without a real label."""

    def with_loops(self, loops: Loop | Sequence[Loop]) -> Self:
        """Other loops of this kind on the same data; not checked."""

    def under(self, found: Any, noise_variance: float, signal: Floats, tops: Floats) -> Self:
        """The data of an estimate, were these sigma^2, g and the signal of outlying directions; risks are affine in them."""

    def by_generation(self, generations: int, judged: str | None = None) -> Floats:
        """(T + 1,) risks of generations 0 ... T; ``judged`` "next": on the next generation's coefficients (R_next)."""

    def courses(self, loops: Sequence[Loop], generations: int) -> list[Floats]:
        """(T + 1,) risks by generation of each of these loops of this kind on the same data; not checked."""

    def risk(self, generations: int | None = None) -> float:
        """Of generation T, or in the long run."""

    def risks(self, generations: int | None = None, judged: str | None = None, **coordinates: ArrayLike) -> Floats:
        """Of many constant loops at once: the loop at arrays of coordinates, which broadcast."""

    def schedules(self, generations: int) -> Schedules | None:
        """The loop at any real weights of up to T generations; None where every risk is infinite."""

    def limit(self) -> Limit:
        """The long run, with a verdict."""

    def collapse_number(self) -> float | None:
        """Psi of the loop that is kept on; None for a kind without one."""

    def real_only(self) -> PlainRidge:
        """The rival with real labels alone: the rows of one generation that have one."""

    def keep_all(self, generations: int) -> PlainRidge:
        """The rival that keeps all real labels of generations 0 ... t."""


_KINDS: dict[str, type[Setting]] = {"frozen": FrozenSetting, "fresh": FreshSetting}


def kind_of(loop: Loop) -> type[Setting]:
    """The class of this kind of loop, for what does not depend on the data."""
    if not isinstance(loop, Loop):
        raise TypeError(f"loop must be a Loop, got {type(loop).__name__}")
    return _KINDS[loop.covariates]


def setting_of(population: Population, loop: Loop | Sequence[Loop]) -> Setting:
    """The setting of a loop, or of loops for t = 1, 2, ..., on a population. Raises as ``check_loops`` does."""
    loops = check_loops(population, loop)
    return kind_of(loops[-1]).of(population, loops)


def sample_setting(equivalents: Equivalents, loop: Loop) -> Setting:
    """The setting of a loop on the very rows of a table, or on any equivalents: frozen covariates."""
    kind_of(loop).check((loop,))
    return FrozenSetting(equivalents, (loop,))


def check_loops(population: Population, loop: Loop | Sequence[Loop], taught: bool = False) -> tuple[Loop, ...]:
    """The loops of t = 1, 2, ..., once they are known to have what theory needs; weights are checked where used."""
    if not isinstance(population, Population):
        raise TypeError(f"population must be a Population, got {type(population).__name__}")
    loops = (loop,) if isinstance(loop, Loop) else tuple(loop) if isinstance(loop, Sequence) else ()
    if not loops or not all(isinstance(each, Loop) for each in loops):
        raise TypeError(f"loop must be a Loop or a sequence of at least one Loop, got {type(loop).__name__}")
    for each in loops:
        if each.aspect is None:
            raise ValueError("the loop needs an aspect (features / rows per generation), got none")
        if each.covariates == "frozen" and population.persistence < 1:
            raise ValueError(f"persistence below 1 needs covariates='fresh', got {population.persistence:g} with frozen ones")
        if not taught and any(group.labels_from == "teacher" for group in each.groups or ()):
            raise ValueError("groups with labels_from='teacher' need teacher=, which fm.risk and fm.limit take")
        kind_of(each).check(loops)
    return loops
