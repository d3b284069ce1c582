"""``fm.Watch``: tells from a fixed hold-out of real labels whether a live loop is collapsing, and since when."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from .arguments import Floats, number, vector, whole
from .files import checked_path, replace_file
from .views import View

# The last generations whose mean is held against the reference: a single model is worse by chance now and then.
WINDOWS = (4, 8, 16)
# How evenly the level is shared out: a half of it goes to as many tests at first.
_HALF = 10
_FORMAT = 1


@dataclass(frozen=True, repr=False)
class Watched(View):
    """What is known after a generation.

    Attributes
    ----------
    generation : int
        Of the model that was shown last, from 0.
    verdict : str
        ``learning`` while the reference is being made, ``healthy``, or ``collapsing``, which stays once it was said.
    since : int or None
        The generation at which the error most likely began to rise, where it is collapsing.
    error : float
        Mean squared error of the last model on the hold-out.
    reference : float
        That of the reference.
    rise : float
        Mean error of the generations that speak most clearly, less that of the reference.
    bound : float
        Lower confidence bound of the rise, over rows like those held out, at the stated level for all generations together,
        past and to come. ``collapsing`` is said where it passes ``tolerance`` times the reference.
    """

    generation: int
    verdict: str
    since: int | None
    error: float
    reference: float
    rise: float
    bound: float

    _words = "watch"


class Watch:
    """Whether a live loop is collapsing, from the errors of its models on real rows that none of them is fitted on.

    Parameters
    ----------
    y : (n,) array
        Real labels of the hold-out, at least 30.
    X : (n, p) array or data frame, optional
        Its rows, for ``update`` to ask models for their predictions.
    level : float
        Chance, at most, that a healthy loop is ever called collapsing, however long it is watched and however often one looks.
    tolerance : float
        Part of the reference's mean squared error that a model may be worse before it counts.
    reference : int
        How many generations, the first ones that are shown, make the reference.
    sample_weight : (n,) array, optional
        How much each row counts.

    Raises
    ------
    TypeError, ValueError
        If a value is out of range.

    Notes
    -----
    Each row's squared errors are compared with its own in the reference, so that its label's noise cancels. The mean
    difference of the last 4, 8 and 16 generations is tested at a share of the level that falls as 10/((t + 9)(t + 10)), which
    sums to 1: the union over generations holds although all of them meet the same rows, which would break a product of
    e-values. A mean over rows is taken for a Student t: with rows of heavy tails hold out more of them. What models differ by
    themselves, from one generation to the next, is for ``tolerance`` to cover: a loop with a long memory wanders, and needs
    more of it.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((500, 3))
    >>> watch = Watch(X.sum(axis=1) + rng.standard_normal(500), reference=2)
    >>> for error in [0.1] * 6 + [0.8] * 4:
    ...     state = watch.update(X.sum(axis=1) + error * X[:, 0])
    >>> state.verdict, state.since
    ('collapsing', 6)
    """

    def __init__(
        self,
        y: ArrayLike,
        X: Any = None,
        *,
        level: float = 0.01,
        tolerance: float = 0.05,
        reference: int = 5,
        sample_weight: ArrayLike | None = None,
    ) -> None:
        self.y = vector("y", y)
        if self.y.size < 30:
            raise ValueError(f"y must hold at least 30 real labels, got {self.y.size}")
        self.X = X
        if X is not None and len(X) != self.y.size:
            raise ValueError(f"X must hold a row for each of the {self.y.size} labels, got {len(X)}")
        self.level = number("level", level, above=0.0, high=0.5)
        self.tolerance = number("tolerance", tolerance, low=0.0)
        self.reference = whole("reference", reference, low=1)
        weights = np.ones(self.y.size) if sample_weight is None else vector("sample_weight", sample_weight, low=0.0)
        if weights.size != self.y.size or not weights.any():
            raise ValueError(f"sample_weight must hold {self.y.size} numbers, not all 0, got {weights.size}")
        self._weights: Floats = weights / weights.sum()
        self._reference: Floats = np.zeros(self.y.size)
        self._last: list[Floats] = []
        self._rises: list[float] = []
        self._states: list[Watched] = []

    @property
    def history(self) -> tuple[Watched, ...]:
        """What was known after each generation."""
        return tuple(self._states)

    @property
    def state(self) -> Watched:
        """What is known now; raises ValueError before a generation was shown."""
        if not self._states:
            raise ValueError("no generation was shown yet: call update")
        return self._states[-1]

    def update(self, model: Any) -> Watched:
        """Show a generation: a model with ``predict`` (where ``X`` was given), or its (n,) predictions of the hold-out.

        Raises
        ------
        TypeError, ValueError
            If there is neither, or predictions are not n finite numbers; nothing is counted then.
        """
        if hasattr(model, "predict"):
            if self.X is None:
                raise ValueError("X must be given to Watch for a model to be asked; or show its predictions")
            model = np.asarray(model.predict(self.X), dtype=np.float64).ravel()
        predictions = vector("predictions", model)
        if predictions.size != self.y.size:
            raise ValueError(f"predictions must be {self.y.size}, one for each row held out, got {predictions.size}")
        self._states.append(self._judged((self.y - predictions) ** 2))
        return self.state

    def _judged(self, losses: Floats) -> Watched:
        t, error = len(self._states), float(self._weights @ losses)
        if t < self.reference:
            self._reference = self._reference + (losses - self._reference) / (t + 1)
            return Watched(t, "learning", None, error, float(self._weights @ self._reference), 0.0, -math.inf)
        allowed = (1 + self.tolerance) * self._reference
        apart = losses - allowed
        self._last = [apart, *self._last][: WINDOWS[-1]]
        self._rises.append(float(self._weights @ apart))
        test = t - self.reference + 1
        share = self.level * (_HALF / ((test + _HALF - 1) * (test + _HALF)))
        seen = [width for width in WINDOWS if width <= len(self._last)] or [len(self._last)]
        tested = [self._bound(width, share / len(seen)) for width in seen]
        rise, bound = max(tested, key=lambda pair: pair[1])
        if len(self._last) < WINDOWS[0]:
            bound = -math.inf
        before = self._states[-1]
        reference = float(self._weights @ self._reference)
        verdict = "collapsing" if bound > 0 or before.verdict == "collapsing" else "healthy"
        since = before.since if before.verdict == "collapsing" else self._since() if verdict == "collapsing" else None
        slack = self.tolerance * reference
        return Watched(t, verdict, since, error, reference, rise + slack, bound + slack)

    def _bound(self, width: int, level: float) -> tuple[float, float]:
        """Mean over the last generations of what errors are above the allowed ones, and its lower bound."""
        apart = np.mean(self._last[:width], axis=0)
        mean = float(self._weights @ apart)
        squares = float((self._weights**2) @ (apart - mean) ** 2)
        rows = 1 / float(self._weights @ self._weights)
        error = math.sqrt(squares * rows / (rows - 1))
        return mean, mean - float(student.isf(level, rows - 1)) * error

    def _since(self) -> int:
        """Where a step up explains the mean errors best: the least sum of squares of a mean before and one after."""
        rises = np.array([0.0] * self.reference + self._rises)
        n = rises.size
        before, at = np.cumsum(rises)[:-1], np.arange(1, n)
        gain = before**2 / at + (rises.sum() - before) ** 2 / (n - at)
        return int(at[np.argmax(gain)])

    def to_dict(self) -> dict[str, Any]:
        """All that it knows but for ``X``, as numbers, text, lists and dicts, for JSON; ``from_dict`` goes on from there."""
        return {
            "format": _FORMAT,
            "y": self.y.tolist(),
            "level": self.level,
            "tolerance": self.tolerance,
            "reference": self.reference,
            "weights": self._weights.tolist(),
            "reference_losses": self._reference.tolist(),
            "last": [each.tolist() for each in self._last],
            "rises": self._rises,
            "states": [asdict(each) for each in self._states],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], X: Any = None) -> Self:
        """The watch that ``to_dict`` wrote, to the bit; rows are not in it. Raises ValueError for anything else."""
        try:
            if content["format"] != _FORMAT:
                raise KeyError("format")
            watch = cls(
                content["y"],
                X,
                level=content["level"],
                tolerance=content["tolerance"],
                reference=content["reference"],
            )
            watch._weights = np.array(content["weights"], dtype=np.float64)
            watch._reference = np.array(content["reference_losses"], dtype=np.float64)
            watch._last = [np.array(each, dtype=np.float64) for each in content["last"]]
            watch._rises = [float(each) for each in content["rises"]]
            watch._states = [Watched(**each) for each in content["states"]]
            if any(each.shape != watch.y.shape for each in (watch._weights, watch._reference, *watch._last)):
                raise KeyError("rows")
        except (KeyError, TypeError) as problem:
            raise ValueError("content must be what Watch.to_dict gave") from problem
        return watch

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a JSON file, whole or not at all; raises ValueError for another suffix, OSError where it cannot."""
        replace_file(checked_path(path, "path", (".json",)), json.dumps(self.to_dict()).encode(), durable=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str], X: Any = None) -> Self:
        """The watch that ``save`` wrote; nothing in the file is run. Raises ValueError for any other file."""
        try:
            content = json.loads(Path(path).read_bytes())
        except ValueError as problem:
            raise ValueError(f"path must be a JSON file that Watch.save wrote, got {Path(path).name!r}") from problem
        if not isinstance(content, dict):
            raise ValueError(f"path must be a JSON file that Watch.save wrote, got {Path(path).name!r}")
        return cls.from_dict(content, X)
