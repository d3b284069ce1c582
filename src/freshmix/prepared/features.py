"""Features and sample weights as they are used."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats, vector
from ..tables.arrays import LARGEST, is_constant, to_vector
from ..words import table as words

# Sample weights whose scaled rows count like a smaller share of them than this are told of.
_ALIKE = 0.9
# Sums of features overflow beyond it.
_MOST = 1e300


def scaled_features(
    X: Floats, names: tuple[str, ...] | None, standardize: bool, labelled: NDArray[np.bool_] | None = None
) -> tuple[Floats, tuple[str, ...] | None, tuple[str, ...]]:
    """Columns that vary, scaled to unit variance if asked; every fit has an intercept, so all are centred later.

    A column has to vary on the rows that are ``labelled`` (None: all are). Returns the columns, their names and notes of what
    was done; ValueError if none varies. X is overwritten: a second large array costs as much time as the scaling.
    """
    mean, size = _mean_and_size(X)
    kept = alone = size > 0
    if not kept.any():
        raise ValueError("X must have a column that varies, got only constant ones")
    if labelled is not None and not labelled.all():
        kept = _mean_and_size(X[labelled])[1] > 0
        if not kept.any():
            varies = [names[i] if names else str(i) for i in np.flatnonzero(alone)]
            raise ValueError(words.none_varies(varies))
    elsewhere = [names[i] if names else str(i) for i in np.flatnonzero(alone & ~kept)]
    names, notes = varying_names(names, kept, ~alone)
    notes += [words.left_out_elsewhere(elsewhere)] if elsewhere else []
    if not kept.all():
        X, mean, size = X[:, kept], mean[kept], size[kept]
    if not standardize:
        if size.max() > LARGEST or size.max() < 1 / LARGEST:
            raise ValueError(
                f"X must vary by {1 / LARGEST:g} to {LARGEST:g} to keep its scales, where fourth powers are numbers, got "
                f"{size.max():.3g}: rescale or standardise it"
            )
        return X, names, (*notes, words.CENTRED)
    # Over the largest entry first: squares of 1e200 overflow.
    X -= mean
    X /= size
    X /= np.sqrt(np.einsum("ij,ij->j", X, X) / X.shape[0])
    return X, names, (*notes, words.STANDARDISED)


def _mean_and_size(X: Floats) -> tuple[Floats, Floats]:
    """(p,) means of columns, and their largest distance from them; 0 where that is rounding."""
    high, low = X.max(axis=0), X.min(axis=0)
    largest = np.maximum(high, -low)
    most = float(largest.max())
    if most > _MOST:
        raise ValueError(f"X must be at most {_MOST:g} in size, where sums are numbers, got {most:.3g}: rescale it")
    mean = X.mean(axis=0)
    size = np.maximum(high - mean, mean - low)
    return mean, np.where(size > 1e-13 * largest, size, 0.0)


def varying_names(
    names: tuple[str, ...] | None, kept: NDArray[np.bool_], constant: NDArray[np.bool_] | None = None
) -> tuple[tuple[str, ...] | None, list[str]]:
    """The names of the columns that are kept, and a note of those that are ``constant`` (by default the others)."""
    still = [names[i] if names else str(i) for i in np.flatnonzero(~kept if constant is None else constant)]
    left = None if names is None else tuple(names[i] for i in np.flatnonzero(kept))
    return left, [words.constant_columns(still, 5)] if still else []


@dataclass(frozen=True, eq=False)
class Weights:
    """Sample weights as they are used: ``kept`` rows of positive weight, their precisions, what to say.

    ``precision`` has mean 1 over the labelled rows; None where all labels count alike. ``uneven`` is a warning for where theory
    takes rows for alike.
    """

    kept: NDArray[np.bool_] | slice
    precision: Floats | None = None
    notes: tuple[str, ...] = ()
    uneven: str | None = None


def checked_weights(sample_weight: Any, y: Floats) -> Weights:
    """Weights of at least 0, one a row; all rows count alike where there are none.

    Raises
    ------
    TypeError, ValueError
        If they are not finite numbers of at least 0, or leave fewer than 3 labelled rows or labels that do not vary.
    """
    if sample_weight is None:
        return Weights(slice(None))
    weights = vector("sample_weight", to_vector(sample_weight), low=0.0)
    if weights.size != y.size:
        raise ValueError(f"sample_weight must hold one weight for each of the {y.size} rows, got {weights.size}")
    dropped = int((weights == 0).sum())
    kept = weights > 0 if dropped else slice(None)
    weights, real = weights[kept], ~np.isnan(y[kept])
    if real.sum() < 3 or is_constant(y[kept][real]):
        raise ValueError(f"sample_weight must leave 3 labelled rows of different labels, got {real.sum()} of positive weight")
    notes = (words.left_out(dropped, y.size, "of weight 0"),) if dropped else ()
    used = weights[real]
    if used.min() == used.max():
        # The unweighted sums, to the bit.
        return Weights(kept, None, notes)
    # Over the largest first: their sum may overflow. Sorted: the same bits in any order.
    largest = used.max()
    weights = weights / largest / np.sort(used / largest).mean()
    used = weights[real]
    alike = 1 / float(np.mean(np.sort(used**2)))
    uneven = words.uneven_weights(used.size, alike * used.size) if alike < _ALIKE else None
    return Weights(kept, weights, (*notes, words.PRECISIONS), uneven)
