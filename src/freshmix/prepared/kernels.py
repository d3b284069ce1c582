"""Kernels: which are known, and the matrix of all pairs of rows."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import Floats, choice

Kernel = str | Callable[..., Any]
PAIRWISE_KERNELS = ("linear", "rbf", "laplacian", "polynomial", "poly", "cosine", "sigmoid", "additive_chi2", "chi2")


def checked_kernel(kernel: Kernel) -> Kernel:
    """The name of a kernel that is known, or a function."""
    return kernel if callable(kernel) else choice("kernel", kernel, (*PAIRWISE_KERNELS, "precomputed"))


def precomputed(gram: Floats) -> Floats:
    """A kernel matrix given as X, once it is square and symmetric; whether it is positive its eigenvalues tell."""
    if gram.shape[0] != gram.shape[1]:
        raise ValueError(f"X must be the (n, n) kernel matrix with kernel='precomputed', got shape {gram.shape}")
    size, apart = float(np.abs(gram).max()), float(np.abs(gram - gram.T).max())
    if apart > 1e-8 * size:
        raise ValueError(f"X must be symmetric with kernel='precomputed', got entries apart by {apart:.3g}")
    return gram


def gram_of(X: Floats, kernel: Kernel) -> Floats:
    """The (n, n) kernel matrix of the rows of X, or X itself where it is that."""
    if kernel == "precomputed":
        return X
    if not isinstance(kernel, str):
        gram = np.asarray(kernel(X, X), dtype=np.float64)
        if gram.shape != (len(X), len(X)) or not np.isfinite(gram).all():
            raise ValueError(
                f"kernel must return the finite ({len(X)}, {len(X)}) matrix of all pairs of rows, got shape {gram.shape}"
            )
        return gram
    # scikit-learn is slow to import, and linear loops do without it.
    from sklearn.metrics.pairwise import pairwise_kernels

    try:
        return np.asarray(pairwise_kernels(X, metric=kernel), dtype=np.float64)
    except ValueError as problem:
        raise ValueError(f"kernel {kernel!r} cannot be used on this table: {str(problem).splitlines()[0]}") from None
