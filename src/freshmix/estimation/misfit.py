"""What a linear model cannot fit, told apart from noise: squares of features that residuals follow."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from ..arguments import Floats
from ..prepared import Prepared

# Beside fewer rows for each feature residuals are too much of the fit's own making.
_ROWS_PER_FEATURE = 4
_FEWEST_ROWS = 60
# Chance that any of the features is named without reason.
_LEVEL = 1e-3
# Features whose squares are fitted together, and the least part of the noise that is worth a word.
_MOST, _LEAST = 10, 0.05
# A square that is, to so much of it, a linear function of the features says nothing: two values, for one.
_OWN = 1e-6
_MOST_ROWS = 20_000


@dataclass(frozen=True)
class Misfit:
    """Columns whose squares explain residuals beyond chance, the clearest first, and their share of the noise variance."""

    columns: tuple[int, ...]
    share: float

    @classmethod
    def of(cls, table: Prepared) -> "Misfit | None":
        """From the labelled rows at hand; None where they show nothing, or cannot: kernels, few rows, rows in blocks.

        Residuals r = y - H y of least squares are held against each square u = (1 - H) x_j^2 by
        ``t = u'r / sqrt(sum_i u_i^2 (r_i / (1 - h_i))^2)``, whose standard error makes nothing of even noise (HC3).
        """
        if table.kernel != "linear" or table.rows is None:
            return None
        X, y, precision = table.rows.labelled()
        # Rows are in an order of their own, which has nothing to do with how they were given.
        X, y = X[:_MOST_ROWS], y[:_MOST_ROWS]
        n, p = X.shape
        if n < _FEWEST_ROWS or n < _ROWS_PER_FEATURE * (p + 1):
            return None
        root = np.ones(n) if precision is None else np.sqrt(precision[:n])
        basis = _orthonormal(root[:, None] * np.column_stack([np.ones(n), X]))
        r = _rest(basis, root * y)
        free = np.maximum(1 - np.einsum("ij,ij->i", basis, basis), 1e-3)
        squares = root[:, None] * (X - X.mean(axis=0)) ** 2
        u = _rest(basis, squares)
        size, spread = np.linalg.norm(u, axis=0), np.sqrt(u.T**2 @ (r / free) ** 2)
        curved = (size > _OWN * np.linalg.norm(squares, axis=0)) & (spread > 0)
        t = np.abs(np.divide(u.T @ r, spread, out=np.zeros(p), where=curved))
        found = np.argsort(-t, kind="stable")[:_MOST]
        found = found[t[found] > norm.isf(_LEVEL / (2 * p))]
        if found.size == 0:
            return None
        left = _rest(_orthonormal(u[:, found]), r)
        freedom = n - basis.shape[1]
        share = 1 - (left @ left / (freedom - found.size)) / (r @ r / freedom)
        return cls(tuple(found.tolist()), float(share)) if share >= _LEAST else None


def _orthonormal(A: Floats) -> Floats:
    """An orthonormal basis of the columns of A, without directions that are rounding."""
    U, s, _ = np.linalg.svd(A, full_matrices=False)
    return np.asarray(U[:, s > max(A.shape) * np.finfo(np.float64).eps * s[0]])


def _rest(basis: Floats, A: Floats) -> Floats:
    """(1 - H) A."""
    return np.asarray(A - basis @ (basis.T @ A))
