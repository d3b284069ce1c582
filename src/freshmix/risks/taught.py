"""New rows some of which an outside teacher labels: the general step with three sources (mathematics.md section 5)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..arguments import Floats
from ..loop import Group, Loop
from ..population import Population
from ..teacher import Teacher
from .fit import Fit, Sizes, fits, solved_at
from .fresh import FreshSetting
from .generation import first_generation
from .verdict import Limit, judge

# The sources: coefficients, the model before, the teacher.
_BETA, _MODEL, _TEACHER = range(3)
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Gram:
    """Inner products per atom: <bhat, beta>, <bhat, phi>, |bhat|^2, and those of the teacher, <phi, beta> and |phi|^2."""

    energy: Floats
    with_beta: Floats
    with_teacher: Floats
    square: Floats
    alignment: Floats
    teacher: Floats

    def product(self, a: Floats, b: Floats) -> Floats:
        """(atoms,) <a, b> of two combinations (atoms, 3) of the sources."""
        own = a[:, 0] * b[:, 0] * self.energy + a[:, 1] * b[:, 1] * self.square + a[:, 2] * b[:, 2] * self.teacher
        across = (a[:, 0] * b[:, 1] + a[:, 1] * b[:, 0]) * self.with_beta
        across = across + (a[:, 0] * b[:, 2] + a[:, 2] * b[:, 0]) * self.alignment
        return np.asarray(own + across + (a[:, 1] * b[:, 2] + a[:, 2] * b[:, 1]) * self.with_teacher)

    def drifted(self, c: float) -> "Gram":
        """The same models beside the next coefficients."""
        return Gram(self.energy, c * self.with_beta, self.with_teacher, self.square, c * self.alignment, self.teacher)

    def risk(self, tau: Floats) -> float:
        """sum_j tau_j |bhat - beta|_j^2."""
        return float(tau @ (self.square - 2 * self.with_beta + self.energy))


@dataclass(frozen=True, eq=False)
class Step:
    """One generation: bbar (atoms, 3) and sources theta (groups, 3) as combinations of beta, the model before and the teacher.

    N = sum_k (p_k^2/f_k) (s_k + r_k) / rest,  r_k = sum_j tau_j |theta_k - bbar|_j^2,  |bhat|_j^2 = |bbar|_j^2 + N noise_j
    """

    tau: Floats
    mean: Floats
    theta: Floats
    mixture: Floats
    label_noise: Floats
    noise: Floats
    rest: float

    @classmethod
    def of(cls, population: Population, loop: Loop, teacher: Teacher) -> "Step | None":
        """Of a loop's groups; None at the interpolation threshold."""
        groups = [group for group in loop.groups_at(1) if group.share * group.row_weight > 0]
        part = math.fsum(group.share for group in groups)
        f, a, w = (np.array([[getattr(group, name) for group in groups]]) for name in ("share", "row_weight", "real_weight"))
        taught = np.array([[group.labels_from == "teacher" for group in groups]])
        sizes = Sizes.of(population)
        assert loop.aspect is not None
        solved = solved_at(population, loop.aspect / part)
        fit = fits(solved, np.array([loop.penalty / part]), sizes.shares(f / part), sizes.weights(a))
        if fit is None:
            return None
        made = np.where(taught, teacher.noise_variance, loop.synthetic_noise_ratio * population.noise_variance)
        shared = np.where(taught, 2 * w * (1 - w) * teacher.noise_covariance, 0.0)
        noise = sizes.label_noise(w**2 * population.noise_variance + (1 - w) ** 2 * made + shared)[0]
        w, taught = sizes.repeated(w)[0], sizes.repeated(taught)[0]
        theta = np.stack([w, np.where(taught, 0.0, 1 - w), np.where(taught, 1 - w, 0.0)], axis=1)
        return cls.from_fit(fit, theta, noise, loop.anchor)

    @classmethod
    def from_fit(cls, fit: Fit, theta: Floats, label_noise: Floats, anchor: float) -> "Step":
        """bbar_j = d_j anchor bhat + (1 - d_j) sum_k p_k theta_k."""
        mean = np.outer(fit.taken[0], fit.p[0] @ theta)
        mean[:, _MODEL] += anchor * fit.d[0]
        return cls(fit.tau, mean, theta, fit.mixture[0], label_noise, fit.noise[0], float(fit.rest[0]))

    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, gram: Gram) -> Gram:
        """What the next model is beside the sources."""
        return self._made(gram, self.level(gram, self.label_noise))

    def level(self, gram: Gram, label_noise: Floats | float) -> float:
        """N."""
        apart = [float(self.tau @ gram.product(each - self.mean, each - self.mean)) for each in self.theta]
        return float(self.mixture @ (label_noise + np.array(apart))) / self.rest

    def _made(self, gram: Gram, level: float) -> Gram:
        beta, teacher = (np.broadcast_to(np.eye(3)[source], self.mean.shape) for source in (_BETA, _TEACHER))
        square = gram.product(self.mean, self.mean) + level * self.noise
        with_beta, with_teacher = gram.product(self.mean, beta), gram.product(self.mean, teacher)
        return Gram(gram.energy, with_beta, with_teacher, square, gram.alignment, gram.teacher)

    @cached_property
    def _kept(self) -> Floats:
        """(atoms,) how much of the model before is in the next one."""
        return self.mean[:, _MODEL]

    def fixed_point(self, start: Gram) -> Gram | None:
        """What the loop tends to, coefficients standing still; None where it diverges. One scalar unknown, N."""
        c = self._kept
        if np.any(c >= 1 - _ROUNDING):
            return None
        zero = np.zeros_like(c)
        # Products with the model follow from those of the others, atom by atom.
        alone = self._made(Gram(start.energy, zero, zero, zero, start.alignment, start.teacher), 0.0)
        still = Gram(
            start.energy, alone.with_beta / (1 - c), alone.with_teacher / (1 - c), zero, start.alignment, start.teacher
        )
        base = self._made(still, 0.0).square / (1 - c**2)
        gain = self.noise / (1 - c**2)
        with_base, with_gain = (Gram(**{**vars(still), "square": each}) for each in (base, base + gain))
        own, more = self.level(with_base, self.label_noise), self.level(with_gain, self.label_noise)
        if not more - own < 1 - _ROUNDING:
            return None
        level = own / (1 - (more - own))
        return Gram(**{**vars(still), "square": base + level * gain})


def taught(loop: Loop | Sequence[Loop]) -> bool:
    """Whether a teacher labels any rows."""
    loops = [loop] if isinstance(loop, Loop) else list(loop)
    return any(group.labels_from == "teacher" for each in loops for group in each.groups or ())


def checked(loop: Loop | Sequence[Loop]) -> list[Loop]:
    """Loops that a teacher can take part in; raises ValueError for others."""
    loops = [loop] if isinstance(loop, Loop) else list(loop)
    for each in loops:
        if each.covariates != "fresh":
            raise ValueError("a teacher needs covariates='fresh', got 'frozen'")
        if each.aspect is None:
            raise ValueError("the loop needs an aspect, got None")
        if each.kept_generations != 0:
            raise ValueError(f"there is no theory of a teacher beside kept rows, got kept_generations={each.kept_generations}")
    if not taught(loops):
        raise ValueError("teacher is given, but no group has labels_from='teacher'")
    return loops


def by_generation(
    population: Population, loop: Loop | Sequence[Loop], generations: int, judged: str, teacher: Teacher
) -> Floats:
    """(T + 1,) excess risk; generation 0 is fitted on real labels alone."""
    loops = checked(loop)
    risks = np.full(generations + 1, math.inf)
    start, tau = _start(population, loops[0], teacher)
    gram: Gram | None = start
    c = population.persistence
    for t in range(generations + 1):
        if t > 0:
            step = Step.of(population, loops[min(t, len(loops)) - 1], teacher)
            gram = None if step is None or gram is None else step(gram.drifted(c))
        if gram is None or not np.isfinite(gram.square).all():
            break
        risks[t] = (gram.drifted(c) if judged == "next" else gram).risk(tau)
    return risks


def limit(population: Population, loop: Loop | Sequence[Loop], teacher: Teacher) -> Limit:
    """The long run of the last loop, with its verdict; coefficients have to stand still."""
    loop = checked(loop)[-1]
    if population.persistence < 1:
        raise ValueError("coefficients that drift leave a teacher behind: there is no long run; ask for generations")
    gram, tau = _start(population, loop, teacher)
    step = Step.of(population, loop, teacher)
    end = None if step is None else step.fixed_point(gram)
    risk = math.inf if end is None else end.risk(tau)
    # Real labels alone, and the first generation, know of no teacher.
    alone = FreshSetting(population, (loop.replace(groups=[replace(each, labels_from="model") for each in loop.groups or ()]),))
    known = alone.limit()
    verdict, reason = judge(risk, known.real_only, known.null, by="the teacher's labels")
    return Limit(risk, verdict, reason, known.first, known.real_only, known.null, None)


def _start(population: Population, loop: Loop, teacher: Teacher) -> tuple[Gram, Floats]:
    """Generation 0 beside the teacher, on atoms of positive eigenvalue, and these."""
    signal, alignment = teacher.beside(population)
    first, (A, Q) = first_generation(population, loop.replace(groups=[Group(1.0)]))
    kept = population.eigenvalues > 0
    tau, g = population.eigenvalues[kept], population.signal[kept]
    if first is None:
        # The model is of no use to a generation that does not take it up.
        A, Q = np.full(tau.size, math.inf), np.full(tau.size, math.inf)
    # bbar = (1 - D) beta: the model of real labels meets the teacher through the coefficients alone.
    share = 1 + np.divide(A, g, out=np.zeros_like(g), where=g > 0)
    o = alignment[kept]
    return Gram(g, g + A, share * o, Q + 2 * A + g, o, signal[kept]), tau
