"""Features and labels -> the estimate that a recommendation rests on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats, choice, vector
from ..estimation import Estimate, banded, factorise, factorise_gram
from ..tables.arrays import LARGEST, is_constant, to_vector

Kernel = str | Callable[..., Any]
PAIRWISE_KERNELS = ("linear", "rbf", "laplacian", "polynomial", "poly", "cosine", "sigmoid", "additive_chi2", "chi2")
# Sample weights whose scaled rows count like a smaller share of them than this are told of.
_ALIKE = 0.9


def scaled_features(
    X: Floats, names: tuple[str, ...] | None, standardize: bool
) -> tuple[Floats, tuple[str, ...] | None, tuple[str, ...]]:
    """Columns that vary, scaled to unit variance if asked; every fit has an intercept, so all are centred later.

    Returns the columns, their names and notes of what was done; ValueError if none varies.
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
        names = tuple(names[i] for i in np.flatnonzero(kept)) if names else None
    if not standardize:
        if size.max() > LARGEST or size.max() < 1 / LARGEST:
            raise ValueError(f"X must be between {1 / LARGEST:g} and {LARGEST:g} in size to keep its scales: standardise it")
        return X, names, (*notes, "features centred, not scaled")
    # Over the largest entry first: squares of 1e200 overflow.
    centred /= size
    centred /= np.sqrt(np.einsum("ij,ij->j", centred, centred) / X.shape[0])
    return centred, names, (*notes, "features standardised to mean 0 and variance 1")


@dataclass(frozen=True, eq=False)
class Weights:
    """Sample weights as they are used: rows of positive weight, precisions of mean 1 over the labelled ones, what to say.

    ``precision`` is that of the labelled rows, ``every`` that of all kept ones; None where all labels count alike.
    ``warnings`` hold where theory takes rows for alike.
    """

    kept: NDArray[np.bool_]
    precision: Floats | None
    every: Floats | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def checked_weights(sample_weight: Any, y: Floats) -> Weights | None:
    """Weights of at least 0, one a row; None where there are none.

    Raises
    ------
    TypeError, ValueError
        If they are not finite numbers of at least 0, or leave fewer than 3 labelled rows or labels that do not vary.
    """
    if sample_weight is None:
        return None
    weights = vector("sample_weight", to_vector(sample_weight), low=0.0)
    if weights.size != y.size:
        raise ValueError(f"sample_weight must hold one weight for each of the {y.size} rows, got {weights.size}")
    kept = np.asarray(weights > 0)
    real = kept & ~np.isnan(y)
    if real.sum() < 3 or is_constant(y[real]):
        raise ValueError(f"sample_weight must leave 3 labelled rows of different labels, got {real.sum()} of positive weight")
    dropped = int(kept.size - kept.sum())
    notes = () if not dropped else (f"{dropped} of {y.size} rows of weight 0 left out",)
    used = weights[real]
    if used.min() == used.max():
        # The unweighted sums, to the bit.
        return Weights(kept, None, None, notes)
    largest = used.max()
    used = used / largest
    scale = float(used.mean())
    used = used / scale
    alike = 1 / float(np.mean(used**2))
    uneven = (
        f"sample weights are uneven: {used.size} rows count like {alike * used.size:.0f} of one weight; theory takes rows for "
        "alike here and puts the risk too low (where they count like half, by a third to a half): trust a replay or a backtest"
    )
    note = (
        "sample weights are precisions of the labels, used at mean 1: the noise variance is that of a row of mean weight, and "
        "a fit with weights of another mean m needs m x alpha"
    )
    every = weights[kept] / largest / scale
    return Weights(kept, used, every, (*notes, note), (uneven,) if alike < _ALIKE else ())


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


def estimate_from(
    X: Floats, y: Floats, kernel: Kernel, penalty: float | None, rng: np.random.Generator, weights: Floats | None = None
) -> Estimate:
    """The banded estimate from X itself, or from its kernel matrix; ValueError where neither can be used."""
    if kernel == "linear":
        at_threshold(penalty, *X.shape)
        return banded(factorise(X, y, weights), rng)
    return banded(factorise_gram(gram_of(X, kernel), y, weights), rng)


def at_threshold(penalty: float | None, n: int, p: int) -> None:
    """Refuse to interpolate exactly at the threshold."""
    if penalty == 0 and p in (n - 1, n):
        raise ValueError(
            f"penalty must be positive here, got 0: with an intercept, {n} rows and {p} features are at the interpolation "
            "threshold, where the variance without a penalty is unbounded"
        )


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
