"""What models of a loop have in common: mixed labels, settings that are found, generations (mathematics.md section 1)."""

import hashlib
import math
import os
from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, check_is_fitted, validate_data

from ..arguments import Floats, choice, number, number_or_auto, whole
from .expected import Expected, filled
from .keeping import load, save
from .randomness import generator
from .settings import Asked, Rows, Settings, noise_of

# The best real weight where nothing is known but that synthetic labels are sampled.
GOLDEN = (math.sqrt(5) - 1) / 2
# In one order, so that a frame and its array give the same bits.
_READ_X = {"dtype": np.float64, "order": "C"}
_READ_Y = {"ensure_2d": False, "ensure_all_finite": "allow-nan", "dtype": np.float64}


class Mixed(MultiOutputMixin, RegressorMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """A model that is fitted again and again; what it is fitted with is left to its kinds."""

    alpha: float | str
    real_weight: float | str
    row_weight: float | str
    anchor: float
    kept_generations: int | None
    forgetting: float
    synthetic_noise: str | float
    random_state: Any
    generation_: int
    noise_variance_: float | Floats | None
    _history: list[dict[str, float | int | None]]
    _found: Settings | None
    _first: Rows | None
    _seen: bytes
    _expected: Expected | None

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Generation 0, on the rows that have a real label; what came before is forgotten.

        Parameters
        ----------
        X : (n, p) array or data frame
        y : (n,) or (n, m) array
            Real labels; rows with NaN have none and are left out.
        sample_weight : (n,) array, optional
            At least 0; a weight of 2 counts a row twice.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data cannot be used, or no row has a real label.
        """
        self._check_settings()
        X, y, weights = self._read(X, y, sample_weight, reset=True)
        real = np.isfinite(y[:, 0]) & (weights > 0)
        if not real.any():
            raise ValueError("y must hold a real label of positive sample_weight, got none")
        self._begin(y.shape[1], fingerprint(X))
        rows = X[real], y[real], weights[real]
        if self.synthetic_noise == "sampled":
            self.noise_variance_ = noise_of(rows, self._kernel())
        if self.alpha == "auto":
            self._found = self._asked().first(rows)
        if self._finds:
            self._first = rows
        else:
            self._expected = self._expecting(rows)
        self._generation(rows, rows, None, float(weights[real].sum()))
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One more generation; the first call is ``fit``.

        Rows with a real label are fitted to ``w * real + (1 - w) * synthetic``, those with NaN in y to a synthetic label, which
        is the prediction of the generation before (and noise, where it is ``sampled``). Parameters, what is returned and what
        is raised are those of ``fit``; a generation may be without any real label.
        """
        if not hasattr(self, "generation_"):
            return self.fit(X, y, sample_weight)
        self._check_settings()
        X, y, weights = self._read(X, y, sample_weight, reset=False)
        real = np.isfinite(y[:, 0]) & (weights > 0)
        seen = fingerprint(X)
        again, self._seen = self._seen == seen, seen
        if again or np.any(weights != 1):
            # Theory of rows that come back is another one, and rows of several weights have none here.
            self._expected = None
        if self._first is not None:
            asked = self._asked()
            self._found = asked.same_rows(self._first) if again else asked.new_rows(self._first, (X, y, weights))
            self._first = None
        w, a = self._weights_now()
        guess = self._predict(X)
        error = None if again or not real.any() else mean_square(y[real] - guess[real], weights[real])
        synthetic = guess + self._noise(len(X))
        labels = np.where(real[:, None], w * np.where(real[:, None], y, 0.0) + (1 - w) * synthetic, synthetic)
        counts = weights * np.where(real, 1.0, a)
        used = counts > 0
        if not used.any():
            raise ValueError("X must hold a row that counts: none has a real label of positive weight, and row_weight is 0")
        fit = X[used], labels[used], counts[used]
        self._generation(fit, (X[real], y[real], weights[real]), error, float(weights[used].sum()))
        return self

    def predict(self, X: Any) -> Floats:
        """(k,) or (k, m) predictions of (k, p) rows; raises NotFittedError before ``fit``, ValueError for other columns."""
        check_is_fitted(self)
        predicted = self._predict(validate_data(self, X, reset=False, **_READ_X))
        return predicted[:, 0] if self._flat else predicted

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to a file (.npz) of numbers and text, from which ``load`` goes on as if nothing had been.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        TypeError
            If a setting is neither a number nor text (a kernel that is a function).
        ValueError, OSError
            If the file's name ends otherwise, or it cannot be written.
        """
        check_is_fitted(self)
        save(dict(vars(self)), type(self).__name__, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The model that ``save`` wrote; nothing in the file is run. Raises ValueError for any other file, OSError without one.

        >>> import tempfile, os, numpy as np
        >>> from freshmix.estimators import MixedRidge
        >>> model = MixedRidge().fit(np.eye(3), [1.0, 2.0, 3.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(os.path.join(folder, "march.npz"))
        ...     again = MixedRidge.load(os.path.join(folder, "march.npz"))
        >>> again.generation_, np.array_equal(again.coef_, model.coef_)
        (0, True)
        """
        model = cls.__new__(cls)
        for name, value in load(cls.__name__, path).items():
            setattr(model, name, value)
        if isinstance(model.random_state, np.random.Generator):
            # It is drawn from itself, as before it was saved.
            model._rng = model.random_state
        return model

    @property
    def history_(self) -> list[dict[str, float | int | None]]:
        """A dict for each generation.

        ``generation``; ``rows`` in its fit but for those kept, ``labelled`` of them; ``alpha`` and ``real_weight`` of the
        fit; ``error_before``, the mean squared error of the generation before on its real labels (None where there are
        none, or rows come back that it was fitted on); ``predicted_error``, what theory expects that to be, for the population
        behind the first generation's rows (behind those that ``auto`` found its settings from): None where it has no word,
        as for kernels, several outputs, rows that come back, uneven ``sample_weight`` or kept rows beside synthetic labels.
        """
        check_is_fitted(self)
        filled(self._history, self._expected)
        return [dict(entry) for entry in self._history]

    @abstractmethod
    def _predict(self, X: Floats) -> Floats:
        """(k, m) predictions."""

    @abstractmethod
    def _fit_rows(self, X: Floats, labels: Floats, weights: Floats, alpha: float) -> None:
        """The model of rows with their labels and weights, and of those kept, pulled towards the anchor."""

    @abstractmethod
    def _keep(self, X: Floats, y: Floats, weights: Floats) -> None:
        """Rows with real labels are kept; those that were are a generation older."""

    @abstractmethod
    def _kept_weight(self) -> float:
        """Sum of the weights of the rows kept."""

    @abstractmethod
    def _clear(self) -> None:
        """No model, nothing kept."""

    def _expecting(self, rows: Rows) -> Expected | None:
        """What theory will expect, from the first generation's rows; None where it cannot."""
        return None

    def _kernel(self) -> Any:
        """What ``recommend`` takes for it."""
        return "linear"

    def _asked(self) -> Asked:
        return Asked(self._kernel(), self.synthetic_noise, None if isinstance(self.alpha, str) else float(self.alpha))

    @property
    def _finds(self) -> bool:
        return "auto" in (self.alpha, self.real_weight, self.row_weight)

    def _check_settings(self) -> None:
        number_or_auto("alpha", self.alpha, low=0.0)
        number_or_auto("real_weight", self.real_weight, low=-math.inf)
        number_or_auto("row_weight", self.row_weight, low=0.0)
        number("anchor", self.anchor, low=0.0, high=1.0)
        if self.kept_generations is not None:
            whole("kept_generations", self.kept_generations, low=0)
        number("forgetting", self.forgetting, above=0.0, high=1.0)
        if isinstance(self.synthetic_noise, str):
            choice("synthetic_noise", self.synthetic_noise, ("none", "sampled"))
        else:
            number("synthetic_noise", self.synthetic_noise, low=0.0)
        if self._finds and (self.anchor > 0 or self.kept_generations != 0):
            raise ValueError(
                "auto finds settings of a loop without anchor and kept rows; fm.recommend(...).rivals has those of other ways"
            )

    def _read(self, X: Any, y: Any, sample_weight: Any, reset: bool) -> Rows:
        """(n, p) rows, (n, m) labels that are NaN in all outputs of a row or in none, and (n,) weights."""
        if y is None:
            # Says what is missing.
            validate_data(self, X, y, reset=reset)
        X, y = validate_data(self, X, y, reset=reset, validate_separately=(_READ_X, _READ_Y))
        check_consistent_length(X, y)
        flat = y.ndim == 1
        y = y.reshape(len(y), -1)
        if reset:
            self._flat = flat
        elif y.shape[1] != self._outputs:
            raise ValueError(f"y must hold {self._outputs} outputs as in fit, got {y.shape[1]}")
        missing = np.isnan(y)
        if (missing.any(axis=1) != missing.all(axis=1)).any():
            raise ValueError("y must hold all outputs of a row or none of them, got rows with some")
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        return X, y, weights

    def _begin(self, outputs: int, seen: bytes) -> None:
        self._outputs, self._seen = outputs, seen
        self.generation_ = -1
        self.noise_variance_ = None
        self._history = []
        self._found = None
        self._first = None
        self._expected = None
        self._rng = generator(self.random_state)
        self._clear()

    def _weights_now(self) -> tuple[float, float]:
        """Real weight and row weight, given or found."""
        w = self._found.real_weight if self.real_weight == "auto" and self._found else self.real_weight
        a = self._found.row_weight if self.row_weight == "auto" and self._found else self.row_weight
        return float(w), float(a)

    def _noise(self, rows: int) -> Floats:
        variance = self._noise_variance()
        if not np.any(variance):
            return np.zeros((rows, self._outputs))
        return np.asarray(np.sqrt(variance) * self._rng.standard_normal((rows, self._outputs)))

    def _noise_variance(self) -> float | Floats:
        """Of synthetic labels, in each output."""
        if isinstance(self.synthetic_noise, str):
            return 0.0 if self.noise_variance_ is None or self.synthetic_noise == "none" else self.noise_variance_
        return self.synthetic_noise

    def _generation(self, rows: Rows, labelled: Rows, error: float | None, size: float) -> None:
        """Fit, count and write down one generation: rows with mixed labels, those of them with real ones, the error before.

        ``size`` is the number of rows, each counting its ``sample_weight``, whatever its loss weight.
        """
        self.alpha_ = float(self.alpha) if not isinstance(self.alpha, str) else self._found_alpha(size)
        self._fit_rows(*rows, self.alpha_)
        self._keep(*labelled)
        self.generation_ += 1
        self.real_weight_, self.row_weight_ = (1.0, 1.0) if self.generation_ == 0 else self._weights_now()
        expected = None if self._found is None or error is None else self._found.expected(self.generation_ - 1)
        entry: dict[str, float | int | None] = {
            "generation": self.generation_,
            "rows": len(rows[0]),
            "labelled": len(labelled[0]),
        }
        fitted = {"alpha": self.alpha_, "real_weight": self.real_weight_}
        self._history.append(entry | fitted | {"error_before": error, "predicted_error": expected})
        if self._expected is not None:
            weights, variance = (self.real_weight_, self.row_weight_), float(np.max(self._noise_variance()))
            memory = self.anchor, self.kept_generations, self.forgetting
            self._expected.add(len(rows[0]), len(labelled[0]), self.alpha_, weights, variance, *memory)

    def _found_alpha(self, size: float) -> float:
        """A penalty per row, over all rows of the fit: theory's multiplies rows, not their loss weights."""
        assert self._found is not None
        return self._found.penalty * (size + self._kept_weight())


def fingerprint(X: NDArray[Any]) -> bytes:
    """What tells the same rows when they come back."""
    return hashlib.sha256(np.ascontiguousarray(X).tobytes()).digest()


def mean_square(errors: Floats, weights: Floats) -> float:
    """Weighted mean over rows, plain mean over outputs."""
    return float(np.mean(np.average(errors**2, axis=0, weights=weights)))
