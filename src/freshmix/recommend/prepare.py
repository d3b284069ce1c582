"""Features and labels -> the estimate that a recommendation rests on."""

import numpy as np

from .._checks import Floats
from ..estimate import Estimate, banded, factorise, factorise_gram

PAIRWISE_KERNELS = ("linear", "rbf", "laplacian", "polynomial", "poly", "cosine", "sigmoid", "additive_chi2", "chi2")


def scaled_features(X: Floats, names: tuple[str, ...] | None, standardize: bool) -> tuple[Floats, tuple[str, ...]]:
    """Columns that vary, scaled to unit variance if asked; every fit has an intercept, so all are centred later.

    Returns the columns and notes of what was done; ValueError if none varies.
    """
    centred = X - X.mean(axis=0)
    size = np.maximum(centred.max(axis=0), -centred.min(axis=0))
    kept = size > 1e-13 * np.maximum(X.max(axis=0), -X.min(axis=0))
    if not kept.any():
        raise ValueError("X must have a column that varies, got only constant ones")
    notes = []
    if not kept.all():
        labels = [names[i] if names else str(i) for i in np.flatnonzero(~kept)]
        more = f" and {len(labels) - 5} more" if len(labels) > 5 else ""
        notes.append(f"constant columns left out: {', '.join(labels[:5])}{more}")
        X, centred, size = X[:, kept], centred[:, kept], size[kept]
    if not standardize:
        return X, (*notes, "features centred, not scaled")
    # Over the largest entry first: squares of 1e200 overflow.
    centred /= size
    centred /= np.sqrt(np.einsum("ij,ij->j", centred, centred) / X.shape[0])
    return centred, (*notes, "features standardised to mean 0 and variance 1")


def estimate_from(X: Floats, y: Floats, kernel: str, penalty: float | None, rng: np.random.Generator) -> Estimate:
    """The banded estimate from X itself, or from its kernel matrix; ValueError where neither can be used."""
    n, p = X.shape
    if kernel == "linear":
        if penalty == 0 and p in (n - 1, n):
            raise ValueError(
                f"penalty must be positive here, got 0: with an intercept, {n} rows and {p} features are at the interpolation "
                "threshold, where the variance without a penalty is unbounded"
            )
        return banded(factorise(X, y), rng)
    # scikit-learn is slow to import, and linear loops do without it.
    from sklearn.metrics.pairwise import pairwise_kernels

    try:
        gram = pairwise_kernels(X, metric=kernel)
    except ValueError as problem:
        raise ValueError(f"kernel {kernel!r} cannot be used on this table: {str(problem).splitlines()[0]}") from None
    return banded(factorise_gram(np.asarray(gram, dtype=np.float64), y), rng)
