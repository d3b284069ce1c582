"""Repeats of a replay with any model: each splits the rows, draws, and runs the loop at every real weight on the same draws."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from .learners import AnyModel
from .run import Learner, Turn, fitted, models, rows_of

Index = NDArray[np.intp]
Fit = tuple[Index, Floats, Floats]
# Folds whose residuals are the noise of sampled labels.
_FOLDS = 5
# The least probability that a log loss counts.
_LEAST = 1e-15


@dataclass(frozen=True)
class Plan:
    """What is asked of a replay; parameters are those of ``fm.replay``."""

    generations: int
    labelled: float
    fresh: bool
    rows: int | None
    row_weight: float
    sampled: bool
    soft: bool
    threshold: float
    mixing: str
    workflow: str
    kept: int | None
    forgetting: float
    anchor: float
    anchoring: str
    test_share: float
    seed: int


def mixing_of(estimator: Any, mixing: str) -> str:
    """How rows with two labels are used; ``auto``: labels for regressors, rows for trees and classifiers with weights."""
    from sklearn.base import is_classifier

    if mixing == "labels" and is_classifier(estimator):
        raise ValueError("mixing must be rows or draws for a classifier: classes have no mean; got labels")
    if mixing != "auto":
        return mixing
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    if not is_classifier(estimator) and not any(part in type(last).__module__ for part in ("tree", "ensemble")):
        return "labels"
    return "rows" if AnyModel(estimator).weight_name else "draws"


@dataclass(frozen=True, eq=False)
class ModelTurn(Turn):
    """A generation of any model: ``real`` labels of its rows (NaN: none), and the numbers that decide those that are made.

    ``uniform`` decides sampled labels, with ``residuals`` for a regressor's, and ``coin`` which label of a row is used.
    ``kept`` are earlier rows with real labels and their weights. ``past`` is shared by the turns of a run, and grows with each
    fit that later ones take up; ``seed`` picks among them.
    """

    plan: Plan = field(kw_only=True)
    uniform: Floats = field(kw_only=True)
    coin: Floats = field(kw_only=True)
    residuals: Floats = field(kw_only=True)
    kept: Fit = field(kw_only=True)
    past: list[Fit] = field(kw_only=True)
    seed: int = field(kw_only=True)

    def training(self, X: Any, model: Learner | None, counts: Floats | None) -> tuple[Any, Floats, Floats]:
        """Rows, labels and weights of the fit."""
        fit = self._own(X, model)
        if self.plan.workflow != "replace":
            self.past.append(fit)
            size = fit[0].size
            fit = _joined(self.past)
            if self.plan.workflow == "accumulate-subsample":
                some = np.random.default_rng(self.seed).permutation(fit[0].size)[:size]
                fit = fit[0][some], fit[1][some], fit[2][some]
        index, labels, weights = _joined([fit, self.kept])
        return rows_of(X, index), labels, weights

    def fitted(self, model: Any, X: Any, labels: Floats, weights: Floats | float) -> Learner:
        """A fit, to what the anchor leaves."""
        plan = self.plan
        before = model if plan.anchoring != "none" else None
        return fitted(
            replace(self._learner, seed=self.seed, anchor=plan.anchor, anchoring=plan.anchoring, before=before),
            X,
            labels,
            weights,
        )

    @property
    def _learner(self) -> AnyModel:
        assert isinstance(self.learner, AnyModel)
        return self.learner

    def _own(self, X: Any, model: Learner | None) -> Fit:
        """This generation's rows: real and synthetic labels mixed, or each in a row of its own."""
        index, w = np.asarray(self.rows), float(self.real_weight)
        if model is None:
            return index, self.real, np.ones(index.size)
        assert isinstance(model, AnyModel)
        known = np.isfinite(self.real)
        if self.plan.soft:
            return self._soft(index, known, w, model.probabilities(rows_of(X, index)))
        synthetic, sure = self._synthetic(rows_of(X, index), model)
        alone = np.where(sure, self.plan.row_weight, 0.0)
        if self.plan.mixing == "rows":
            both = index[known], synthetic[known], np.full(int(known.sum()), 1 - w)
            first = index, np.where(known, self.real, synthetic), np.where(known, w, alone)
            return _joined([first, both])
        real = np.where(known, self.real, 0.0)
        mixed = w * real + (1 - w) * synthetic if self.plan.mixing == "labels" else np.where(self.coin < w, real, synthetic)
        return index, np.where(known, mixed, synthetic), np.where(known, 1.0, alone)

    def _soft(self, index: Index, known: NDArray[np.bool_], w: float, chances: Floats) -> Fit:
        """Each row once for every class, counting its probability, and labelled ones once more with their own."""
        sure = chances.max(axis=1) >= self.plan.threshold
        counts = np.where(known, 1 - w, np.where(sure, self.plan.row_weight, 0.0))
        rows, classes = np.divmod(np.arange(chances.size), chances.shape[1])
        first = index[known], self.real[known], np.full(int(known.sum()), w)
        return _joined([first, (index[rows], classes + 0.0, (counts[:, None] * chances).ravel())])

    def _synthetic(self, X: Any, model: AnyModel) -> tuple[Floats, NDArray[np.bool_]]:
        """Labels of the model, and which of them it is sure enough of."""
        sure = np.ones(self.uniform.size, dtype=bool)
        if not model.classes:
            noise: Floats | float = 0.0
            if self.plan.sampled:
                noise = self.residuals[(self.uniform * self.residuals.size).astype(np.intp)]
            return model.predict(X) + noise, sure
        if not self.plan.sampled and self.plan.threshold == 0:
            return model.predict(X), sure
        chances = model.probabilities(X)
        if self.plan.threshold > 0:
            sure = chances.max(axis=1) >= self.plan.threshold
        if not self.plan.sampled:
            return model.predict(X), sure
        # The last class takes what rounding leaves.
        return (np.cumsum(chances, axis=1)[:, :-1] <= self.uniform[:, None]).sum(axis=1) + 0.0, sure


def _joined(fits: list[Fit]) -> Fit:
    index, labels, weights = (np.concatenate(each) for each in zip(*fits, strict=True))
    return index, labels, weights


@dataclass(frozen=True, eq=False)
class Repeats:
    """Repeat r of a replay of a model on rows X with (n,) labels, as a call of r: (weights, T + 1, measures)."""

    model: AnyModel
    X: Any
    labels: Floats
    weights: tuple[float, ...]
    plan: Plan
    _last: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def known(self) -> Index:
        """Rows that have a label."""
        return np.flatnonzero(np.isfinite(self.labels))

    @property
    def tested(self) -> int:
        """Rows that judge."""
        return round(self.plan.test_share * self.known.size)

    @property
    def pool(self) -> int:
        """Rows that do not."""
        return self.labels.size - self.tested

    @property
    def size(self) -> int:
        """Rows of a generation."""
        if self.plan.rows is not None:
            return self.plan.rows
        return self.pool // (self.plan.generations + 1) if self.plan.fresh else self.pool

    @property
    def rows_come_again(self) -> bool:
        """Whether there are too few for each generation to have its own."""
        return self.plan.fresh and self.size * (self.plan.generations + 1) > self.pool

    @property
    def measures(self) -> tuple[str, ...]:
        """What generations are judged by."""
        if not self.model.classes:
            return ("squared_error",)
        return ("accuracy", "log_loss") if self.model.gives_probabilities else ("accuracy",)

    def check(self) -> None:
        """Raise ValueError where what is asked for cannot be done with this model or on this table."""
        plan, count = self.plan, self.known.size
        if self.tested < 2 or count - self.tested < 2:
            raise ValueError(f"test_share must leave two labelled rows on either side, got {self.tested} of {count} that judge")
        if not 2 <= self.size <= self.pool:
            raise ValueError(
                f"rows_per_generation must be 2 to {self.pool}, the rows that do not judge, got {self.size}"
                + ("" if plan.rows else f" ({plan.generations + 1} generations share them)")
            )
        if plan.anchoring == "offset" and self.model.classes:
            raise ValueError(f"anchor needs a regressor: predictions of a classifier cannot be added; got {plan.anchor!r}")
        if plan.anchoring in ("warm_start", "init") and not self.model.has(plan.anchoring):
            raise ValueError(
                f"anchoring must be a setting of the estimator, got {plan.anchoring!r} and {self.model.estimator!r}"
            )
        if plan.soft and not (self.model.classes and self.model.gives_probabilities):
            raise ValueError("synthetic_labels='probabilities' needs a classifier with predict_proba")
        if plan.soft and plan.mixing != "rows":
            raise ValueError("synthetic_labels='probabilities' needs mixing='rows', a row for each class")
        if plan.threshold > 0 and not (self.model.classes and self.model.gives_probabilities):
            raise ValueError(f"threshold needs a classifier with predict_proba, got {plan.threshold!r}")
        if plan.sampled and self.model.classes and not self.model.gives_probabilities:
            raise ValueError("synthetic_labels='sampled' needs predict_proba, which the estimator does not have")
        unequal = [
            name
            for name, uneven in (
                ("mixing='rows'", plan.mixing == "rows"),
                (f"row_weight={plan.row_weight!r}", plan.row_weight not in (0, 1)),
                (f"forgetting={plan.forgetting!r}", plan.forgetting < 1 and plan.kept != 0),
            )
            if uneven
        ]
        if unequal and self.model.weight_name is None:
            raise ValueError(f"{unequal[0]} needs an estimator whose fit takes sample_weight, got {self.model.estimator!r}")

    def __call__(self, repeat: int) -> Floats:
        """Errors of every real weight and generation, on rows that no fit has seen."""
        return self.errors(repeat, self.weights)

    def errors(self, repeat: int, weights: Sequence[float]) -> Floats:
        """Those of some weights; raises ArithmeticError where a model predicts what is no number."""
        test, turns = self._drawn(repeat)
        judged, target = rows_of(self.X, test), self.labels[test]
        errors = []
        for w in weights:
            past: list[Fit] = []
            run = models(self.X, [replace(turn, real_weight=w, past=past) for turn in turns])
            errors.append([self._judged(model, judged, target) for _, model in run])
        if np.isnan(errors).any():
            raise ArithmeticError(f"the model predicts NaN (repeat {repeat})")
        return np.array(errors)

    def _drawn(self, repeat: int) -> tuple[Index, list[ModelTurn]]:
        """Rows that judge, and the generations of a repeat; the last one drawn is at hand for another weight."""
        if self._last.get("repeat") != repeat:
            rng = np.random.default_rng([self.plan.seed, repeat])
            test, rows = self._split(rng)
            self._last.update(repeat=repeat, test=test, turns=self._turns(rows, test, rng))
        return self._last["test"], self._last["turns"]

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_last": {}}

    def _split(self, rng: np.random.Generator) -> tuple[Index, list[Index]]:
        """Rows that judge, and those of each generation, the first of which have labels."""
        known = rng.permutation(self.known)
        test, known = known[: self.tested], known[self.tested :]
        # Of a table that is labelled in part the first generation has its share: later ones need labels, too.
        first = known[: max(round(self.size * known.size / self.pool), 2) if self.plan.fresh else self.size]
        if not self.plan.fresh:
            return test, [first] * (self.plan.generations + 1)
        rest = rng.permutation(np.setdiff1d(np.arange(self.labels.size), np.concatenate([test, first])))
        rows, queue = [first], rest
        for _ in range(self.plan.generations):
            if queue.size < self.size:
                # Every row has had its turn: all come again in another order.
                again = rng.permutation(np.setdiff1d(np.concatenate([first, rest]), queue))
                queue = np.concatenate([queue, again])
            rows.append(queue[: self.size])
            queue = queue[self.size :]
        return test, rows

    def _turns(self, rows: list[Index], test: Index, rng: np.random.Generator) -> list[ModelTurn]:
        """Generations with all that is drawn for them."""
        plan, none = self.plan, (np.empty(0, dtype=np.intp), np.empty(0), np.empty(0))
        seeds = rng.integers(2**31, size=plan.generations + 1)
        residuals = self._residuals(rows[0], int(seeds[0])) if plan.sampled and not self.model.classes else np.zeros(1)
        shown = rng.random(self.labels.size) < plan.labelled
        turns: list[ModelTurn] = []
        older: list[Fit] = []
        for t, index in enumerate(rows):
            real = self.labels[index].copy()
            if t > 0:
                # The same rows have the same labels, or none, each time.
                real[~(rng.random(index.size) < plan.labelled if plan.fresh else shown[index])] = np.nan
            kept = [(i, y, a * plan.forgetting**age) for age, (i, y, a) in enumerate(older[: plan.kept], 1)]
            known = np.isfinite(real)
            older.insert(0, (index[known], real[known], np.ones(int(known.sum()))))
            turns.append(
                ModelTurn(
                    self.model,
                    index,
                    test,
                    real,
                    anchor=plan.anchor,
                    plan=plan,
                    uniform=rng.random(index.size),
                    coin=rng.random(index.size),
                    residuals=residuals,
                    kept=_joined(kept) if kept else none,
                    past=[],
                    seed=int(seeds[t]),
                )
            )
        return turns

    def _residuals(self, index: Index, seed: int) -> Floats:
        """Residuals of generation 0 on rows that it was not fitted on."""
        labels, model = self.labels[index], replace(self.model, seed=seed)
        predicted = np.empty(index.size)
        for fold in np.array_split(np.arange(index.size), min(_FOLDS, index.size)):
            others = np.setdiff1d(np.arange(index.size), fold)
            fit = fitted(model, rows_of(self.X, index[others]), labels[others])
            predicted[fold] = fit.predict(rows_of(self.X, index[fold]))
        return labels - predicted

    def _judged(self, model: Learner, X: Any, target: Floats) -> list[float]:
        assert isinstance(model, AnyModel)
        if not model.classes:
            return [float(np.mean((model.predict(X) - target) ** 2))]
        measures = [float(np.mean(model.predict(X) == target))]
        if model.gives_probabilities:
            chance = model.probabilities(X)[np.arange(target.size), target.astype(np.intp)]
            measures.append(float(-np.mean(np.log(np.maximum(chance, _LEAST)))))
        return measures
