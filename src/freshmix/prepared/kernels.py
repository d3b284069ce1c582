"""Kernels: which are known, and the matrix of all pairs of rows."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import Floats, choice
from ..tables.arrays import LARGEST

Kernel = str | Callable[..., Any]
# Less than this part of the largest entry is rounding.
_SAME = 1e-12
PAIRWISE_KERNELS = ("linear", "rbf", "laplacian", "polynomial", "poly", "cosine", "sigmoid", "additive_chi2", "chi2")


def checked_kernel(kernel: Kernel) -> Kernel:
    """The name of a kernel that is known, or a function."""
    return kernel if callable(kernel) else choice("kernel", kernel, (*PAIRWISE_KERNELS, "precomputed"))


def precomputed(gram: Floats) -> Floats:
    """A kernel matrix given as X, once it is one; whether it is positive its eigenvalues tell."""
    if gram.shape[0] != gram.shape[1]:
        raise ValueError(f"X must be the (n, n) kernel matrix with kernel='precomputed', got shape {gram.shape}")
    return _checked(gram, "X must be {} with kernel='precomputed', got {}")


def gram_of(X: Floats, kernel: Kernel) -> Floats:
    """The (n, n) kernel matrix of the rows of X, or X itself where it is that."""
    if kernel == "precomputed":
        return X
    if not isinstance(kernel, str):
        said = "kernel must return {}, got {}"
        whole = f"the finite ({len(X)}, {len(X)}) matrix of all pairs of rows"
        # What it may warn of is refused below.
        with np.errstate(all="ignore"):
            returned = kernel(X, X)
        try:
            gram = np.asarray(returned)
            real = gram.dtype.kind in "biuf" or (gram.dtype == object and not any(map(np.iscomplex, gram.ravel().tolist())))
            gram = gram.astype(np.float64) if real else gram
        except (TypeError, ValueError):
            raise ValueError(said.format(whole, f"{type(returned).__name__} that is not one")) from None
        if not real:
            raise ValueError(said.format(f"{whole}, of real numbers", gram.dtype))
        if gram.shape != (len(X), len(X)):
            raise ValueError(said.format(whole, f"shape {gram.shape}"))
        if not np.isfinite(gram).all():
            raise ValueError(said.format(whole, f"{int((~np.isfinite(gram)).sum())} missing or infinite values"))
        return _checked(gram, "kernel must return a matrix that is {}, got {}")
    # scikit-learn is slow to import, and linear loops do without it.
    from sklearn.metrics.pairwise import pairwise_kernels

    try:
        with np.errstate(all="ignore"):
            gram = np.asarray(pairwise_kernels(X, metric=kernel), dtype=np.float64)
    except ValueError as problem:
        raise ValueError(f"kernel {kernel!r} cannot be used on this table: {str(problem).splitlines()[0]}") from None
    if not np.isfinite(gram).all():
        raise ValueError(f"kernel {kernel!r} cannot be used on this table: it overflows")
    return _checked(gram, f"kernel {kernel!r} must give {{}}, got {{}}")


def _checked(gram: Floats, said: str) -> Floats:
    """A square matrix of finite numbers, once it is symmetric and tells rows apart; ``said`` holds what is wanted and found."""
    size = float(np.abs(gram).max())
    if not 1 / LARGEST <= size <= LARGEST:
        wanted = f"between {1 / LARGEST:g} and {LARGEST:g} in size"
        raise ValueError(said.format(wanted, "zeros only" if size == 0 else f"{size:.3g}: rescale it"))
    apart = float(np.abs(gram - gram.T).max())
    if apart > 1e-8 * size:
        raise ValueError(said.format("symmetric", f"entries apart by {apart:.3g}"))
    means = gram.mean(axis=0)
    if np.abs(gram - means - means[:, None] + means.mean()).max() <= _SAME * size:
        raise ValueError(said.format("of several values once centred", "one"))
    return gram
