"""Settings that a model finds by itself: those that ``recommend`` names for the rows that it has seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import Floats
from ..estimation import estimate
from ..loop import Loop
from ..population import Population
from ..recommendation import Recommendation, recommend
from ..risks import risk

Rows = tuple[Floats, Floats, Floats]


@dataclass(frozen=True)
class Settings:
    """Penalty per row, real weight and row weight; and the population and the loops that theory's expectation is of."""

    penalty: float
    real_weight: float = 1.0
    row_weight: float = 1.0
    population: Population | None = None
    loops: Sequence[Loop] = ()

    def expected(self, t: int) -> float | None:
        """Prediction error of generation t on rows of the next one; None where theory has no population."""
        if self.population is None or not self.loops:
            return None
        return float(risk(self.population, self.loops, t, judged="next")[t]) + self.population.noise_variance


@dataclass(frozen=True)
class Asked:
    """What settings are to be found for: a kernel, noise (``none``, ``sampled`` or its variance), alpha where it is given."""

    kernel: Any
    synthetic_noise: str | float
    alpha: float | None

    def first(self, rows: Rows) -> Settings:
        """For rows with real labels alone."""
        found = self._recommended(rows, {})
        return Settings(float(found.rivals["real_only"]["penalty"]))

    def same_rows(self, rows: Rows) -> Settings:
        """For rows that are labelled again."""
        return self._settings(self._recommended(rows, {"loop": Loop(synthetic_noise_ratio=self._ratio(rows))}))

    def new_rows(self, first: Rows, new: Rows) -> Settings:
        """For generations of rows of their own, of which the first two are known."""
        rows: Rows = tuple(np.concatenate(each) for each in zip(first, new, strict=True))  # type: ignore[assignment]
        step = np.repeat([0, 1], [len(first[0]), len(new[0])])
        return self._settings(self._recommended(rows, {"time": step, "synthetic_noise_ratio": self._ratio(first)}))

    def _recommended(self, rows: Rows, options: dict[str, Any]) -> Recommendation:
        X, y, weights = rows
        if y.shape[1] > 1:
            raise ValueError(f"settings can be found for one output only (auto), got {y.shape[1]}")
        if np.ptp(weights) > 0:
            options = options | {"sample_weight": weights}
        if self.alpha is not None:
            options = options | {"penalty": self.alpha / len(X)}
        return recommend(X, y[:, 0], standardize=False, kernel=self.kernel, **options)

    @staticmethod
    def _settings(found: Recommendation) -> Settings:
        assert found.real_weight is not None
        return Settings(found.penalty, found.real_weight, found.row_weight, found.population, found.loops)

    def _ratio(self, rows: Rows) -> float:
        if isinstance(self.synthetic_noise, str):
            return float(self.synthetic_noise == "sampled")
        return float(self.synthetic_noise) / float(noise_of(rows, self.kernel)) if self.synthetic_noise > 0 else 0.0


def noise_of(rows: Rows, kernel: Any) -> float | Floats:
    """Noise variance of (n, 1) labels; (m,) of several outputs."""
    X, y, weights = rows
    if y.shape[1] > 1:
        return np.array([noise_of((X, column[:, None], weights), kernel) for column in y.T])
    if kernel != "linear":
        return float(recommend(X, y[:, 0], standardize=False, kernel=kernel).noise_variance)
    return float(estimate(X, y[:, 0]).noise_variance)
