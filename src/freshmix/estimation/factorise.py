"""One eigendecomposition of the smaller of X'X and XX': eigenvalues and rotated responses (mathematics.md section 7)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from ..arguments import Floats
from ..equivalents import RowClasses
from ..equivalents.weights import RowWeights, WeightedSampleEquivalents
from ..prepared import Products
from ..prepared.copies import Copies
from .left_out import LeaveOneOut, Piece

# Of the mean eigenvalue: penalties at which ridge moves from interpolation to no fit at all.
_PENALTIES = np.geomspace(1e-2, 1e2, 30)
# Of the labels' variance: labels of six digits or single precision have as much rounding, and no posterior tells less from 0.
_DUST = 1e-12
# Rows of eigenvectors that are made at once.
_ROWS = 4096


@dataclass(frozen=True, eq=False)
class Factorisation:
    """Eigenvalues of XX'/n and the responses in their directions, after centring.

    Attributes
    ----------
    eigenvalues, responses : (r,) arrays
        s > 0 in descending order, and c = u'y for each unit eigenvector u.
    zeros, zero_energy : int, float
        Number of directions with s = 0 (n - 1 - r; the intercept takes one), and their total c^2.
    rows, features : int
        n and p; ``features`` is None for a kernel.
    condition : float
        Largest over smallest eigenvalue of the min(n - 1, p) that could differ from 0; inf if some are 0.
    tail_error : float
        Standard error that heavy tails add to the mean of the squared noise (squared label units): sqrt(excess kurtosis / n)
        of its variance; 0 where the rows are not at hand.
    exact : bool
        Whether the features determine the labels: fewer than rows, they leave nothing but rounding.
    row_weights : RowWeights or None
        Weights by whose roots the rows were scaled; None where all are alike, or too uneven for theory to tell them apart.
    sizes : RowWeights or None
        Sizes of the rows, which count as weights do, where they are estimated; ``row_weights`` too then.
    classes : RowClasses or None
        Leverages of the rows; None where the rows are not at hand.
    left_out : LeaveOneOut or None
        Leave-one-out errors on the labels themselves; None likewise.
    independent : float or None
        How many different rows there are, in effect; None likewise.
    """

    eigenvalues: Floats
    responses: Floats
    zeros: int
    zero_energy: float
    rows: int
    features: int | None
    condition: float
    tail_error: float = 0.0
    exact: bool = False
    row_weights: RowWeights | None = None
    sizes: RowWeights | None = None
    classes: RowClasses | None = None
    left_out: LeaveOneOut | None = None
    independent: float | None = None

    @property
    def directions(self) -> int:
        """n - 1: centred rows behave like one independent row less."""
        return self.rows - 1

    @property
    def aspect(self) -> float:
        """gamma: features per direction; for a kernel, the rank of the Gram matrix in its place."""
        return (self.features if self.features is not None else self.eigenvalues.size) / self.directions


def factorise(X: Floats, y: Floats, weights: Floats | None = None) -> Factorisation:
    """Centre (n, p) X and (n,) y and decompose the smaller Gram matrix.

    ``weights`` are (n,) precisions of the labels with mean 1: weighted means are taken off, then each row is scaled by the
    root of its weight, so that the labels of all rows have the same noise.
    """
    again = Copies.of(X, weights)
    if weights is not None:
        return _weighted(_centred(*weighted_rows(X, y, weights), weights, again), weights)
    return _centred(X - X.mean(axis=0), y - y.mean(), None, again)


def _centred(X: Floats, y: Floats, weights: Floats | None, again: Copies | None) -> Factorisation:
    n, p = X.shape
    gram = X @ X.T if p >= n else X.T @ X
    gram /= n
    if p >= n:
        return _outer(gram, y, p, weights, again)
    found, scaled = _inner(gram, X.T @ y, float(y @ y), n)
    left = y - X @ (scaled @ found.responses)
    # Once more, as what is all but collinear leaves rounding of the first fit.
    left -= X @ (scaled @ (scaled.T @ (X.T @ left)))
    found = replace(found, exact=_determined(found, float(left @ left), _DUST))
    return _with_rows(found, lambda part: X[part] @ scaled, y, weights, again)


def weighted_rows(X: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Rows of (n, p) X and (n,) y less their weighted means, times the root of their weight: labels of equal noise."""
    root, total = np.sqrt(weights), weights.sum()
    return (X - weights @ X / total) * root[:, None], (y - weights @ y / total) * root


def factorise_gram(gram: Floats, y: Floats, weights: Floats | None = None) -> Factorisation:
    """The same from an (n, n) kernel matrix, centred (and weighted) in its feature space."""
    n = y.size
    means = gram.mean(axis=0) if weights is None else weights @ gram / n
    centre = means.mean() if weights is None else weights @ means / n
    centred = (gram - means - means[:, None] + centre) / n
    y = y - (y.mean() if weights is None else weights @ y / n)
    if weights is not None:
        root = np.sqrt(weights)
        centred, y = centred * np.multiply.outer(root, root), y * root
    found = _outer((centred + centred.T) / 2, y, None, weights)
    return found if weights is None else _weighted(found, weights)


def factorise_products(products: Products, some: tuple[Floats, Floats] | None = None) -> Factorisation:
    """The same where not all rows are at hand, but ``some`` of them with their labels: leverages are those of these."""
    gram = products.gram.copy()
    if products.by_columns:
        return _outer(gram, products.labels, products.features)
    found, scaled = _inner(gram, products.labels, products.energy, products.rows)
    if some is None:
        return found
    X, y = some[0] - some[0].mean(axis=0), some[1] - some[1].mean()
    return _with_rows(found, lambda part: X[part] @ scaled, y, None)


def _inner(gram: Floats, labels: Floats, energy: float, n: int) -> tuple[Factorisation, Floats]:
    """From X'X/n (overwritten), X'y and y'y of centred rows; and the (p, r) matrix from X to U, coordinates to coefficients."""
    p = labels.size
    s, directions = _eigh(gram)
    c = (directions.T @ labels)[::-1]
    kept, s = _positive(s[::-1], n, p)
    scale = np.sqrt(n * s)
    found = _factorisation(s, c[kept] / scale, energy, n, p, min(n - 1, p))
    # Errors of the responses grow as the root of the condition number.
    dust = _DUST + 8 * np.finfo(np.float64).eps * math.sqrt(s[0] / s[-1])
    return replace(found, exact=_determined(found, found.zero_energy, dust)), directions[:, ::-1][:, kept] / scale


def _outer(
    gram: Floats, y: Floats, features: int | None, weights: Floats | None = None, again: Copies | None = None
) -> Factorisation:
    """From XX'/n of centred rows or, ``features`` None, a centred kernel matrix over n (overwritten), and centred labels."""
    n = y.size
    s, directions = _eigh(gram)
    if features is None and s[0] < -1e-8 * s[-1]:
        raise ValueError(
            f"kernel must be positive semi-definite on this table, got an eigenvalue of {s[0]:.3g} beside {s[-1]:.3g}"
        )
    c = (directions.T @ y)[::-1]
    kept, s = _positive(s[::-1], n, features or n)
    found = _factorisation(s, c[kept], float(y @ y), n, features, min(n - 1, features or n))
    U = directions[:, ::-1][:, kept]
    return _with_rows(found, lambda part: U[part], y, weights, again)


def _eigh(gram: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues and eigenvectors of a symmetric matrix, which is overwritten: numpy's without its copies of a large one."""
    s, directions = eigh(gram.T, driver="evd", overwrite_a=True, check_finite=False)
    return s, directions


def _determined(f: Factorisation, left: float, dust: float) -> bool:
    """Whether what is ``left`` of the labels' energy in the directions to spare is rounding; as many features fit anything."""
    spare = f.features is not None and f.features < f.directions
    return spare and left * f.directions <= dust * (float(f.responses @ f.responses) + left) * f.zeros


def _positive(s: Floats, n: int, p: int) -> tuple[NDArray[np.bool_], Floats]:
    """Which descending eigenvalues of a Gram matrix are above rounding, and those; a centred one has rank n - 1 at most."""
    kept = np.asarray(s > 4 * max(n, p) * np.finfo(np.float64).eps * s[0])
    kept[n - 1 :] = False
    return kept, s[kept]


def _factorisation(s: Floats, c: Floats, energy: float, n: int, features: int | None, possible: int) -> Factorisation:
    """From positive eigenvalues, their responses, the labels' energy y'y, and how many eigenvalues could be positive."""
    condition = float(s[0] / s[-1]) if s.size == possible else np.inf
    return Factorisation(s, c, n - 1 - s.size, max(energy - float(c @ c), 0.0), n, features, condition)


def _with_rows(
    f: Factorisation, U: Callable[[slice], Floats], y: Floats, weights: Floats | None, again: Copies | None = None
) -> Factorisation:
    """With what only the rows show: their leverages, leave-one-out errors, and the tails of the noise.

    ``U`` gives rows of the unit eigenvectors, as many as there are labels y; ``weights`` are those by whose roots the rows were
    scaled, ``again`` records that are there several times, all of which are left out together.
    """
    a = np.ones(y.size) if weights is None else weights
    times, mean = np.ones(y.size), y
    if again is not None:
        root = np.sqrt(a)
        times, mean = again.times, root * again.means(y / root, a)
    parts = [slice(start, start + _ROWS) for start in range(0, y.size, _ROWS)]
    classes = RowClasses.of(lambda: ((U(part), a[part], times[part]) for part in parts), f.eigenvalues, f.rows)
    pieces = (Piece(U(part), a[part], mean[part], times[part], y[part] - mean[part]) for part in parts)
    found = LeaveOneOut.of(pieces, f.eigenvalues, f.responses, f.rows)
    independent = f.rows / float(times.mean())
    tails = _tail_error(f, U, parts, y)
    return replace(f, classes=classes, left_out=found, tail_error=tails, independent=independent)


def _tail_error(f: Factorisation, U: Callable[[slice], Floats], parts: Sequence[slice], y: Floats) -> float:
    """``tail_error`` from the residuals of the ridge fit that generalised cross-validation picks.

    They are the leave-one-out ones up to a factor (nearly) the same for all rows: noise, and an error of prediction that is
    nearly gaussian.
    """
    s, c = f.eigenvalues, f.responses
    z = float(s.mean()) * _PENALTIES
    kept = z[:, None] / np.add.outer(z, s)
    free = (kept.sum(axis=1) + f.zeros) / f.directions
    error = (kept**2 @ c**2 + f.zero_energy) / f.directions / free**2
    best = int(np.argmin(error))
    apart = np.abs(np.concatenate([y[part] - U(part) @ ((1 - kept[best]) * c) for part in parts]))
    largest = float(apart.max())
    if largest == 0:
        return 0.0
    squares = (apart / largest) ** 2
    kurtosis = float(np.mean(squares**2) / np.mean(squares) ** 2) - 3
    # Below two standard errors it is what gaussian noise shows.
    return 0.0 if kurtosis < 2 * math.sqrt(24 / y.size) else math.sqrt(kurtosis / f.rows) * float(error[best])


def _weighted(f: Factorisation, weights: Floats) -> Factorisation:
    """With its row weights, where theory can count them."""
    found = RowWeights.of(weights)
    return replace(f, row_weights=found) if countable(f, found) else f


def countable(f: Factorisation, found: RowWeights) -> bool:
    """Whether the eigenvalues tell rows of these weights, or sizes, apart."""
    s, count = np.append(f.eigenvalues, 0.0), np.append(np.ones(f.eigenvalues.size), f.zeros)
    s, count = s[count > 0], count[count > 0]
    try:
        return WeightedSampleEquivalents(s, np.ones(s.size), count, 0.0, found).reliable
    except ArithmeticError:
        return False
