"""Where dense linear algebra runs: NumPy, or another array library on a device of its own.

The engines are written against the array API standard. What the standard lacks, or SciPy does better for NumPy arrays, is here.
"""

import importlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_numpy_array, is_torch_array
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg import eigh as symmetric_eigh

from ..arguments import Floats, choice
from ..extras import extra

Array = Any
# Eigenvalues of a Gram matrix of n rows below this times sqrt(n) units of rounding of the largest one count as 0.
_RANK = 4.0
# A Cholesky factor with a pivot below this share of the largest one is of a matrix that counts as singular.
_PIVOT = 1e-7
# Systems up to this size are solved by one call for all replicates.
_TINY = 32


@dataclass(frozen=True)
class Arrays:
    """An array library, by the name of its module, with a device and a type of numbers."""

    library: str = "array_api_compat.numpy"
    device: str | None = None
    dtype: str = "float64"

    def load(self, values: Floats) -> Array:
        """NumPy numbers on the device."""
        xp = importlib.import_module(self.library)
        return xp.asarray(values, dtype=getattr(xp, self.dtype), device=self.device)


def arrays_of(device: str | None, dtype: str) -> Arrays:
    """NumPy for the CPU, torch for a graphics card.

    Raises ValueError if the device is unknown or not there, or torch is not installed.
    """
    choice("dtype", dtype, ("float64", "float32"))
    if device in (None, "cpu"):
        return Arrays(dtype=dtype)
    if not isinstance(device, str) or not (device == "cuda" or device.removeprefix("cuda:").isdecimal()):
        raise ValueError(f"device must be 'cpu', 'cuda' or 'cuda:' and a number, got {device!r}")
    torch = extra("torch", "torch", f"device {device!r}")
    count = torch.cuda.device_count()
    if count <= int(device.partition(":")[2] or 0):
        raise ValueError(f"device {device!r} must be a graphics card that torch sees, got {count} of them")
    return Arrays("array_api_compat.torch", device, dtype)


def to_numpy(array: Array) -> Floats:
    """A NumPy array of float64."""
    return np.asarray(array.cpu() if is_torch_array(array) else array, dtype=np.float64)


def eigh(matrix: Array) -> tuple[Array, Array]:
    """Positive eigenvalues, ascending, and their vectors, of a positive semi-definite matrix, which may be overwritten."""
    if is_numpy_array(matrix):
        s, vectors = symmetric_eigh(matrix, driver="evd", overwrite_a=True, check_finite=False)
    else:
        s, vectors = array_namespace(matrix).linalg.eigh(matrix)
    xp = array_namespace(s)
    rounding = xp.finfo(s.dtype)
    least = max(_RANK * math.sqrt(s.shape[0]) * rounding.eps * float(s[-1]), rounding.smallest_normal)
    null = int(xp.count_nonzero(s <= least))
    return s[null:], vectors[:, null:]


def solve(gram: Array, penalty: float, right: Array) -> Array:
    """(gram + penalty)^-1 right of each replicate, on the range of gram where there is no penalty and it is singular."""
    if is_numpy_array(gram) and gram.shape[-1] <= _TINY:
        return _solve_tiny(gram, penalty, right)
    return array_namespace(gram).stack([_solve(gram[r, ...], penalty, right[r, ...]) for r in range(gram.shape[0])])


def _solve_tiny(gram: Floats, penalty: float, right: Floats) -> Floats:
    """All replicates in one call, which gives each the same bits as by itself."""
    shifted = gram + penalty * np.eye(gram.shape[-1], dtype=gram.dtype)
    try:
        pivots = np.diagonal(np.linalg.cholesky(shifted), axis1=1, axis2=2)
        sound = (pivots.min(axis=1) > _PIVOT * pivots.max(axis=1)) | (penalty > 0)
    except LinAlgError:
        # Which it is that failed is not told.
        if gram.shape[0] > 1:
            return np.concatenate([_solve_tiny(gram[[r]], penalty, right[[r]]) for r in range(gram.shape[0])])
        sound = np.array([False])
    found = np.empty(right.shape, dtype=gram.dtype)
    found[sound] = np.linalg.solve(shifted[sound], right[sound])
    for r in np.flatnonzero(~sound):
        found[r] = _solve(gram[r], penalty, right[r])
    return found


def _solve(gram: Array, penalty: float, right: Array) -> Array:
    """(k, c) solution of one (k, k) system."""
    xp = array_namespace(gram)
    if is_numpy_array(gram):
        shifted = gram.copy()
        shifted.flat[:: gram.shape[0] + 1] += penalty
        try:
            factor = cho_factor(shifted, lower=True, overwrite_a=True, check_finite=False)
            pivots = np.diagonal(factor[0])
            if penalty > 0 or pivots.min() > _PIVOT * pivots.max():
                return cho_solve(factor, right, check_finite=False)
        except LinAlgError:
            pass
    elif penalty > 0:
        return xp.linalg.solve(gram + penalty * xp.eye(gram.shape[0], dtype=gram.dtype, device=gram.device), right)
    s, U = eigh(xp.asarray(gram, copy=True))
    return (U / (s + penalty)) @ (U.T @ right)
