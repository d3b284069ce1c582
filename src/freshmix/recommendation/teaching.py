"""A teacher's labels beside the real ones of a table: how wrong they are, what they are worth (mathematics.md section 5)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..arguments import Floats
from ..estimation import Seen, TeacherEstimate
from ..loop import Group, Loop
from ..optima.teaching import WORTH, Teaching, optimal_teaching
from ..population import Population
from ..prepared import Prepared
from ..replays.taught import Taught, TaughtCheck
from ..risks.taught_fits import Shares, TaughtFits
from ..teacher import Teacher
from ..views import View, frame
from ..words import teacher_labels as words

# What a teacher's labels are worth.
HELPS, MAY_HELP, NO_USE, NOT_BORNE_OUT, SEEN = "helps", "may help", "no use", "not borne out", "has seen the labels"
# A teacher that errs by less than this part of what the features leave unexplained knows more than they do, or too much.
_TOO_GOOD = 0.25
_ROUNDING = 1e-12
# Of 90% of a normal law, from its middle.
_NORMAL = 1.645
# Real labels of a target that is no class and that the teacher repeats to the digit: this part of them is too many.
_REPEATED = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class TeacherLabels(View):
    """How far to trust a teacher's labels on this table, in one fit to the rows of a generation, and what they bring.

    Attributes
    ----------
    verdict, reason : str
        ``helps``; ``may help`` where the interval of the difference holds 0; ``no use``; ``not borne out`` where theory says
        that they help and held-out real labels that they do harm; ``has seen the labels`` where the teacher seems to have been
        fitted on the labels that it is judged by. And why.
    real_weight, row_weight : float
        Rows with both labels are fitted on ``w * real + (1 - w) * teacher``; rows with the teacher's alone have this
        ``sample_weight``, others 1. Real labels only (1 and 0) unless they help or may help.
    penalty, alpha : float
        lambda per row of the fit, and that times its rows.
    risk, prediction_error : float
        Expected excess risk of that fit, and that plus the noise variance; squared units of the label.
    difference, difference_interval : float, (low, high)
        Prediction error with the teacher's labels, used at their best, less that without; negative where they help. And its 90%
        interval: that of posterior draws, widened to that of the difference on held-out labels.
    ways : dict
        ``with_teacher``, ``real_only``, ``teacher_alone`` -> ``penalty``, ``alpha``, ``real_weight``, ``row_weight``, ``risk``,
        ``prediction_error`` and its 90% ``prediction_error_interval``.
    offset : float
        By how much the teacher's labels are above the real ones on average: subtract it first, as ``code()`` does.
    gain : float or None
        Of its linear part along the real one: 1 where it neither shrinks nor exaggerates; None where the real one is nothing.
    bias : float
        Variance of what it is off by along the features.
    noise_variance, noise_covariance : float
        Of its labels about its own linear part, and with the noise of the real labels.
    intervals : dict
        ``offset``, ``gain``, ``bias``, ``noise_variance`` -> (low, high), 90%.
    tolerable, most_bias : float
        How many times its bias the teacher might have before its labels lower the excess risk by less than 1%, and that bias;
        0 where they never do, inf where it may have ten thousand times.
    rows : dict
        Rows of the table that have ``both`` labels, the ``real`` one alone, the ``teacher``'s alone, ``neither``.
    fitted : float
        Rows of the fit.
    check : TaughtCheck
        Fits with and without the teacher's labels on the table's own rows, judged on real labels held out.
    warnings : tuple of str
        Where this is on thin ice.
    teacher : Teacher
        As estimated, on features as used.
    """

    _words = "teacher_labels"

    verdict: str
    reason: str
    real_weight: float
    row_weight: float
    penalty: float
    alpha: float
    risk: float
    prediction_error: float
    difference: float
    difference_interval: tuple[float, float]
    ways: Mapping[str, Mapping[str, Any]]
    offset: float
    gain: float | None
    bias: float
    noise_variance: float
    noise_covariance: float
    intervals: Mapping[str, tuple[float, float]]
    tolerable: float
    most_bias: float
    rows: Mapping[str, int]
    fitted: float
    check: TaughtCheck
    warnings: tuple[str, ...]
    teacher: Teacher
    standardized: bool

    @property
    def used(self) -> bool:
        """Whether it is advised to fit on the teacher's labels."""
        return self.verdict in (HELPS, MAY_HELP)

    def code(self) -> str:
        """Lines of scikit-learn that fit what is advised."""
        return words.code(self)

    def to_frame(self) -> Any:
        """The ways as a pandas data frame, a row for each."""
        names = list(self.ways)
        return frame({key: [self.ways[name][key] for name in names] for key in self.ways[names[0]]}, names)


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a table says of a teacher, put together.

    ``rows`` of a generation, of which a share ``labelled`` has a real label.
    """

    table: Prepared
    rows: int
    labelled: float
    standardized: bool
    seed: int

    @cached_property
    def answer(self) -> TeacherLabels:
        """All of it."""
        taught, (X, y, said), both = self.taught, self.at_hand, self.masks["both"]
        penalty = taught.real_only_penalty
        check = self.check
        seen = Seen.of(X[both], y[both], said[both], X[self.masks["teacher"]], said[self.masks["teacher"]])
        verdict, reason = self._verdict(check, seen)
        used = verdict in (HELPS, MAY_HELP)
        noise = self.found.real.noise_variance
        fitted = self.fitted if used else self.fitted * self.share
        off_by = said[both] - y[both]
        offset = self.table.sign * float(off_by.mean())
        # Least squares that were fitted on these labels leave rounding.
        offset = 0.0 if abs(offset) < _ROUNDING * float(off_by.std()) else offset
        alone, spread = float(off_by.var(ddof=1)), _NORMAL / math.sqrt(off_by.size)
        around = spread * float(np.std((off_by - off_by.mean()) ** 2, ddof=1))
        bias = self.found.apart.null_risk
        drawn = {name: noise_of + risks for name, (risks, noise_of) in self._drawn.items()}
        apart = taught.risk - taught.real_only
        ways = {
            "with_teacher": self._way(taught.penalty, self.fitted, taught.real_weight, taught.row_weight, taught.risk),
            "real_only": self._way(penalty, self.fitted * self.share, 1.0, 0.0, taught.real_only),
            "teacher_alone": self._way(None, None, None, None, alone - noise),
        }
        for name, way in ways.items():
            error = way["risk"] + noise
            interval = (max(alone - around, 0.0), alone + around) if name == "teacher_alone" else _interval(drawn[name], error)
            way |= {"prediction_error": error, "prediction_error_interval": interval}
        advised = ways["with_teacher" if used else "real_only"]
        return TeacherLabels(
            verdict=verdict,
            reason=reason,
            **{name: advised[name] for name in ("real_weight", "row_weight", "penalty", "alpha", "risk", "prediction_error")},
            difference=apart,
            difference_interval=self._difference,
            ways=ways,
            offset=offset,
            gain=self._gain(self.found.population.signal, self.found.teacher),
            bias=bias,
            noise_variance=self.found.teacher.noise_variance,
            noise_covariance=self.found.teacher.noise_covariance,
            intervals=self._intervals(offset, spread * float(off_by.std(ddof=1))),
            tolerable=taught.tolerable,
            most_bias=taught.tolerable * bias if taught.tolerable < math.inf else math.inf,
            rows={name: int(mask.sum()) for name, mask in self.masks.items()},
            fitted=fitted,
            check=check,
            warnings=self._warnings(seen, alone, y[both], said[both]),
            teacher=self.found.teacher,
            standardized=self.standardized,
        )

    @cached_property
    def at_hand(self) -> tuple[Floats, Floats, Floats]:
        """(n, p) rows, real labels and the teacher's, NaN where there are none."""
        assert self.table.rows is not None
        assert self.table.predictions is not None
        return self.table.rows.X, self.table.rows.y, self.table.predictions

    @cached_property
    def masks(self) -> dict[str, np.ndarray[Any, np.dtype[np.bool_]]]:
        """Which rows have which labels."""
        _, y, said = self.at_hand
        real, told = ~np.isnan(y), ~np.isnan(said)
        return {"both": real & told, "real": real & ~told, "teacher": ~real & told, "neither": ~real & ~told}

    @cached_property
    def found(self) -> TeacherEstimate:
        """The estimates behind it, from the rows with both labels."""
        (X, y, said), both = self.at_hand, self.masks["both"]
        return TeacherEstimate.of(X[both], y[both], said[both], self.seed)

    @cached_property
    def parts(self) -> dict[str, float]:
        """Shares of a generation's rows, by their labels."""
        count = {name: int(mask.sum()) for name, mask in self.masks.items()}
        others = count["teacher"] + count["neither"]
        predicted = count["both"] / (count["both"] + count["real"])
        # A table whose rows all have a real label shows of the teacher how many of those it labels.
        told = count["teacher"] / others if others else predicted
        L = self.labelled
        both, teacher = L * predicted, (1 - L) * told
        return {"both": both, "real": L - both, "teacher": teacher, "neither": 1 - L - teacher}

    @property
    def fitted(self) -> float:
        """Rows of a generation with a label of either kind."""
        return self.rows * (1 - self.parts["neither"])

    @property
    def share(self) -> float:
        """Of these, those with a real label."""
        return self.labelled / (1 - self.parts["neither"])

    @property
    def shares(self) -> Shares:
        """Of these, by their labels."""
        return Shares(*(self.parts[name] / (1 - self.parts["neither"]) for name in ("both", "real", "teacher")))

    @property
    def aspect(self) -> float:
        """Features per row of the fit."""
        return self.table.features / self.fitted

    @cached_property
    def taught(self) -> Teaching:
        """The best use of the teacher's labels; the best of them also where that is of no use."""
        predicted = self.shares.both / self.share
        loop = Loop.partially_labelled(aspect=self.aspect, labelled=min(self.share, 1.0))
        return optimal_teaching(self.found.population, loop, self.found.teacher, predicted=predicted)

    @cached_property
    def check(self) -> TaughtCheck:
        """On the table's own rows."""
        taught, real = self.taught, Taught(1.0, 0.0, self.taught.real_only_penalty)
        advised = Taught(taught.real_weight, taught.row_weight, taught.penalty) if taught.used else real
        return TaughtCheck.of(*self.at_hand, advised, real, np.random.default_rng([self.seed, 5]))

    def loop(self) -> Loop:
        """The fit as a loop of a generation's rows, those without any label too."""
        groups = [
            Group(group.share * (1 - self.parts["neither"]), group.row_weight, group.real_weight, group.labelled, "teacher")
            for group in self.taught.loop.groups or ()
        ]
        groups += [Group(self.parts["neither"], 0.0, 0.0)] if self.parts["neither"] > 0 else []
        penalty = self.taught.penalty * (1 - self.parts["neither"])
        return self.taught.loop.replace(aspect=self.table.features / self.rows, penalty=penalty, groups=groups)

    @cached_property
    def _pairs(self) -> list[tuple[Population, Teacher]]:
        return list(self.found.draws(np.random.default_rng([self.seed, 6])))

    @cached_property
    def _drawn(self) -> dict[str, tuple[Floats, Floats]]:
        """Way -> risks and noise variances of draws."""
        taught, found = self.taught, self.found.population
        w, alone = taught.real_weight, Shares(0.0, 1.0, 0.0)
        where = np.array([taught.penalty]), np.array([taught.row_weight])
        real_only = self.aspect / self.share, alone, np.array([taught.real_only_penalty]), np.ones(1)
        plain = TaughtFits.of(found, *real_only)
        mixed = TaughtFits.of(found, self.aspect, self.shares, *where) if taught.used else plain
        kept, risks = found.eigenvalues > 0, []
        for population, teacher in self._pairs:
            g = population.signal[kept]
            apart = np.maximum(teacher.signal - 2 * teacher.alignment + population.signal, 0.0)[kept]
            about = teacher, apart, teacher.alignment[kept] - g
            noise = population.noise_variance
            risks.append([*(fits.under(g, noise).risks(w, *about)[0] for fits in (mixed, plain)), noise])
        first, second, noises = np.array(risks).T
        return {"with_teacher": (first, noises), "real_only": (second, noises)}

    def gained(self, count: int) -> Floats:
        """(1 + count,) the excess risk with the teacher's labels over that without: as expected, and draws."""
        (first, _), (second, _) = self._drawn["with_teacher"], self._drawn["real_only"]
        expected = self.taught.risk / self.taught.real_only
        return np.append(expected, (first / second)[np.linspace(0, first.size - 1, count).astype(int)])

    def _verdict(self, check: TaughtCheck, seen: Seen) -> tuple[str, str]:
        if seen.sign is not None:
            return SEEN, words.seen(seen.sign, seen.along, seen.spread)
        if not self.taught.used:
            return NO_USE, words.no_use(WORTH)
        if check.contradicts:
            return NOT_BORNE_OUT, words.not_borne_out(check)
        gain = 1 - self.taught.risk / self.taught.real_only
        return (HELPS if self._difference[1] < 0 else MAY_HELP), words.gain(gain)

    @property
    def _difference(self) -> tuple[float, float]:
        """What the teacher's labels change, of draws; widened to what they changed on the labels held out."""
        taught, check = self.taught, self.check
        draws = self._drawn["with_teacher"][0] - self._drawn["real_only"][0]
        low, high = _interval(draws, taught.risk - taught.real_only)
        around = _NORMAL * check.standard_error
        return min(low, check.difference - around), max(high, check.difference + around)

    def _way(self, penalty: Any, rows: Any, w: Any, row_weight: Any, risk: float) -> dict[str, Any]:
        alpha = None if penalty is None else penalty * rows
        return {"penalty": penalty, "alpha": alpha, "real_weight": w, "row_weight": row_weight, "risk": risk}

    def _gain(self, g: Floats, teacher: Teacher) -> float | None:
        tau = self.found.population.eigenvalues
        signal = float(tau @ g)
        return float(tau @ teacher.alignment) / signal if signal > 0 else None

    def _intervals(self, offset: float, around: float) -> dict[str, tuple[float, float]]:
        intervals = {
            "offset": (offset - around, offset + around),
            "bias": self.found.apart.intervals["null_risk"],
            "noise_variance": self.found.taught.intervals["noise_variance"],
        }
        gain = self._gain(self.found.population.signal, self.found.teacher)
        if gain is None:
            return intervals
        drawn = [self._gain(population.signal, teacher) for population, teacher in self._pairs]
        return intervals | {"gain": _interval(np.array([each for each in drawn if each is not None]), gain)}

    def _warnings(self, seen: Seen, alone: float, y: Floats, said: Floats) -> tuple[str, ...]:
        left = self.found.real.intervals["noise_variance"][0]
        classes = bool((y == np.round(y)).all())
        same = int((y == said).sum())
        return tuple(
            each
            for each in (
                words.few_rows(y.size),
                None if self.table.stream.steps is None else words.standing(self.table.stream.step),
                words.too_good(alone, left) if seen.sign is None and alone < _TOO_GOOD * left else None,
                words.repeated(same, y.size) if not classes and same > _REPEATED * y.size else None,
            )
            if each is not None
        )


def _interval(draws: Floats, value: float) -> tuple[float, float]:
    """90% of draws, and the value."""
    low, high = np.quantile(draws, [0.05, 0.95]).tolist()
    return min(low, value), max(high, value)
