"""``MixedRidge``: ridge regression that is fitted again on real labels and on its own (mathematics.md sections 1, 3 and 5)."""

from typing import Any

import numpy as np

from ..arguments import Floats
from .expected import Expected
from .mixed import GOLDEN, Mixed
from .moments import Moments, solve_rows
from .settings import Rows


class MixedRidge(Mixed):
    """Ridge regression in a loop: ``fit`` is generation 0, each ``partial_fit`` one more, NaN in y is no real label.

    Generation t minimises ``sum_i a_i |label_i - x_i b|^2 + alpha |b - anchor * b_(t-1)|^2`` over its rows and those kept,
    where the label of a row is ``w * real + (1 - w) * synthetic``, and synthetic where no real one is known.

    Parameters
    ----------
    alpha : float or "auto"
        Penalty of the sum over rows, as in scikit-learn's ``Ridge``; 0: least squares of least norm. ``auto`` finds the best
        penalty per row, and multiplies it by the rows of the fit.
    real_weight : float or "auto"
        w. The default, 1/phi, is best for sampled synthetic labels and no penalty.
    row_weight : float or "auto"
        Factor of the ``sample_weight`` of rows without a real label; 0 leaves them out.
    anchor : float
        In [0, 1]: the share of the last coefficients that the penalty pulls towards. The intercept is never penalised.
    kept_generations : int or None
        Of how many earlier generations the rows with real labels stay in the fit, by their moments; None for all.
    forgetting : float
        In (0, 1]: what a kept row counts for each generation that it is old.
    synthetic_noise : "none", "sampled" or float
        Noise of synthetic labels: none, of the variance that ``fm.estimate`` finds in the first generation, or of this one. Of
        several outputs each has its own variance, and their noise is independent: no error depends on what they share.
    fit_intercept : bool
        Whether to fit one.
    random_state : int, Generator or RandomState, optional
        For the noise of synthetic labels.

    Attributes
    ----------
    coef_ : (p,) or (m, p) array
    intercept_ : float or (m,) array
    generation_ : int
        Of the last fit, from 0.
    alpha_, real_weight_, row_weight_ : float
        Those of the last fit.
    noise_variance_ : float, (m,) array or None
        Estimated for ``sampled``; an array for several outputs.
    history_ : list of dict
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn; other columns are refused by name.

    Notes
    -----
    ``auto`` takes what ``fm.recommend`` says: of alpha in ``fit``, of all in the first ``partial_fit``, from the rows of both
    generations, as they are scaled. Features are not standardised here. Settings of other ways to remember are in
    ``fm.recommend(...).rivals``. Moments of kept rows, p^2 numbers a generation (or once, where all are kept), give the fit on
    all these rows to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((3, 100, 5))
    >>> y = X @ np.arange(5.0) + rng.standard_normal((3, 100))
    >>> y[1:, 30:] = np.nan
    >>> model = MixedRidge(alpha=1.0, real_weight=0.5, anchor=0.0).fit(X[0], y[0])
    >>> model.partial_fit(X[1], y[1]).partial_fit(X[2], y[2]).generation_
    2
    >>> [entry["labelled"] for entry in model.history_]
    [100, 30, 30]
    """

    def __init__(
        self,
        alpha: float | str = 1.0,
        *,
        real_weight: float | str = GOLDEN,
        row_weight: float | str = 1.0,
        anchor: float = 0.0,
        kept_generations: int | None = 0,
        forgetting: float = 1.0,
        synthetic_noise: str | float = "none",
        fit_intercept: bool = True,
        random_state: Any = None,
    ) -> None:
        self.alpha = alpha
        self.real_weight = real_weight
        self.row_weight = row_weight
        self.anchor = anchor
        self.kept_generations = kept_generations
        self.forgetting = forgetting
        self.synthetic_noise = synthetic_noise
        self.fit_intercept = fit_intercept
        self.random_state = random_state

    _intercept: Floats

    @property
    def coef_(self) -> Floats:
        """(p,) coefficients, (m, p) of several outputs."""
        return np.asarray(self._coefficients[:, 0] if self._flat else self._coefficients.T)

    @property
    def intercept_(self) -> float | Floats:
        """Intercept, (m,) of several outputs."""
        return float(self._intercept[0]) if self._flat else self._intercept

    def _clear(self) -> None:
        self._coefficients: Floats = np.zeros((0, 0))
        # Of each generation, the last one first; of all of them together where all are kept.
        self._past: list[Moments] = []

    def _expecting(self, rows: Rows) -> Expected | None:
        return Expected.of(*rows, self.fit_intercept)

    def _predict(self, X: Floats) -> Floats:
        return np.asarray(X @ self._coefficients + self._intercept)

    def _fit_rows(self, X: Floats, labels: Floats, weights: Floats, alpha: float) -> None:
        towards = np.zeros((X.shape[1], labels.shape[1]))
        if self._coefficients.size:
            towards = self.anchor * self._coefficients
        if not self._past:
            self._coefficients, self._intercept = solve_rows(X, labels, weights, alpha, towards, self.fit_intercept)
            return
        whole = Moments.of(X, labels, weights, self.fit_intercept)
        for older in self._past:
            whole = whole + older
        self._coefficients = whole.solve(alpha, towards)
        self._intercept = whole.intercept(self._coefficients)

    def _keep(self, X: Floats, y: Floats, weights: Floats) -> None:
        if self.kept_generations == 0:
            self._past = []
            return
        newest = Moments.of(X, y, weights, self.fit_intercept)
        older = self._past
        if self.kept_generations is None and older:
            newest, older = newest + older[0], []
        self._past = [each.times(self.forgetting) for each in [newest, *older]][: self.kept_generations]

    def _kept_weight(self) -> float:
        return sum(each.weight for each in self._past)
