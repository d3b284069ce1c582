"""``MixedKernelRidge``: kernel ridge regression in the loop (mathematics.md sections 1 and 3)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
from sklearn.metrics.pairwise import pairwise_kernels

from ..arguments import Floats
from .mixed import GOLDEN, Mixed
from .settings import Rows


class MixedKernelRidge(Mixed):
    """Kernel ridge regression in a loop: ``fit`` is generation 0, each ``partial_fit`` one more, NaN in y is no real label.

    Generation t minimises ``sum_i a_i (label_i - f(x_i))^2 + alpha |f - anchor * f_(t-1)|^2`` over functions f of the kernel's
    space; labels are those of ``MixedRidge``, and so are the parameters that are not said here. There is no intercept, as in
    scikit-learn's ``KernelRidge``.

    Parameters
    ----------
    kernel : str or callable
        A pairwise kernel of scikit-learn, or a function of two rows that returns a number.
    gamma, degree, coef0 : optional
        As in scikit-learn's ``KernelRidge``.
    kernel_params : dict, optional
        More parameters of a callable.

    Attributes
    ----------
    X_fit_ : (k, p) array
        The rows that the model stands on: those of the last fit, of kept ones and, with an anchor, of all generations.
    dual_coef_ : (k,) or (k, m) array
    generation_, alpha_, real_weight_, row_weight_, noise_variance_, history_
        As in ``MixedRidge``.

    Notes
    -----
    ``auto`` is for linear models or for rows that come back: new rows have no theory for kernels yet. Kept rows are kept as
    they are.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-2, 2, (80, 1))
    >>> y = np.sin(2 * X[:, 0]) + rng.standard_normal(80) / 5
    >>> model = MixedKernelRidge(alpha=0.1, kernel="rbf", real_weight=0.5).fit(X, y)
    >>> model.partial_fit(X, y).dual_coef_.shape
    (80,)
    """

    def __init__(
        self,
        alpha: float | str = 1.0,
        *,
        kernel: str | Callable[..., float] = "linear",
        gamma: float | None = None,
        degree: float = 3,
        coef0: float = 1,
        kernel_params: dict[str, Any] | None = None,
        real_weight: float | str = GOLDEN,
        row_weight: float | str = 1.0,
        anchor: float = 0.0,
        kept_generations: int | None = 0,
        forgetting: float = 1.0,
        synthetic_noise: str | float = "none",
        random_state: Any = None,
    ) -> None:
        self.alpha = alpha
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.kernel_params = kernel_params
        self.real_weight = real_weight
        self.row_weight = row_weight
        self.anchor = anchor
        self.kept_generations = kept_generations
        self.forgetting = forgetting
        self.synthetic_noise = synthetic_noise
        self.random_state = random_state

    @property
    def dual_coef_(self) -> Floats:
        """(k,) dual coefficients, (k, m) of several outputs."""
        return np.asarray(self._dual[:, 0] if self._flat else self._dual)

    def _clear(self) -> None:
        self.X_fit_: Floats = np.zeros((0, 0))
        self._dual: Floats = np.zeros((0, 0))
        self._past: list[Rows] = []

    def _kernel(self) -> Any:
        return self._between

    def _between(self, X: Floats, Y: Floats) -> Floats:
        """(n, m) kernel of all pairs of rows."""
        if callable(self.kernel):
            options = self.kernel_params or {}
        else:
            options = {"gamma": self.gamma, "degree": self.degree, "coef0": self.coef0}
        return np.asarray(pairwise_kernels(X, Y, metric=self.kernel, filter_params=True, **options))

    def _predict(self, X: Floats) -> Floats:
        return np.asarray(self._between(X, self.X_fit_) @ self._dual)

    def _fit_rows(self, X: Floats, labels: Floats, weights: Floats, alpha: float) -> None:
        X = np.vstack([X, *(rows for rows, _, _ in self._past)])
        labels = np.vstack([labels, *(old for _, old, _ in self._past)])
        weights = np.concatenate([weights, *(old for _, _, old in self._past)])
        pulled = self.anchor > 0 and self.X_fit_.size > 0
        apart = labels - self.anchor * self._predict(X) if pulled else labels
        # f = sum_i c_i k(x_i, .) with (A^(1/2) K A^(1/2) + alpha I) A^(-1/2) c = A^(1/2) apart.
        root = np.sqrt(weights)
        gram = root[:, None] * self._between(X, X) * root
        if alpha > 0:
            gram.flat[:: len(X) + 1] += alpha
            dual = scipy.linalg.solve(gram, root[:, None] * apart, assume_a="sym")
        else:
            dual = scipy.linalg.pinvh(gram) @ (root[:, None] * apart)
        dual = root[:, None] * dual
        if pulled:
            X, dual = np.vstack([X, self.X_fit_]), np.vstack([dual, self.anchor * self._dual])
        self.X_fit_, self._dual = X, dual

    def _keep(self, X: Floats, y: Floats, weights: Floats) -> None:
        if self.kept_generations == 0:
            self._past = []
            return
        past = [(rows, old, self.forgetting * counts) for rows, old, counts in [(X, y, weights), *self._past]]
        self._past = past[: self.kept_generations]

    def _kept_weight(self) -> float:
        return float(sum(counts.sum() for _, _, counts in self._past))
