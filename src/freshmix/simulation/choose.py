"""Which engine covers a setting, and what users are told about it."""

import warnings
from types import ModuleType

import numpy as np

from ..loop import Loop
from ..sampling import Diagonal
from . import exact_law, redraw, spectral
from .namespace import Arrays
from .setting import Setting

MODULES: dict[str, ModuleType] = {"spectral": spectral, "redraw": redraw, "exact-law": exact_law}
ENGINES = ("auto", *MODULES)
# Numbers in a design beyond which the exact law takes over where it can (2 GB).
_DENSE = 2.5e8


def engine_of(setting: Setting, asked: str, noise: str) -> str:
    """The engine asked for, if it covers the setting; otherwise the cheapest one that does."""
    reasons = {
        "spectral": _not_spectral(setting),
        "exact-law": _not_exact_law(setting, noise),
        "redraw": "noise='expected' needs frozen covariates on one group of rows" if noise == "expected" else "",
    }
    if asked != "auto":
        if reasons[asked]:
            raise ValueError(f"engine={asked!r} does not cover this: {reasons[asked]}")
        return asked
    size = setting.source.features * max(setting.rows)
    if size > _DENSE and not reasons["exact-law"]:
        return "exact-law"
    for name in ("spectral", "redraw"):
        if not reasons[name]:
            return name
    raise ValueError(f"no engine covers this: {reasons['redraw']}")


def _not_spectral(setting: Setting) -> str:
    loop = setting.loops[0]
    if loop.covariates == "fresh":
        return "it is for frozen covariates"
    if setting.workflow != "replace":
        return f"workflow {setting.workflow!r} needs engine='redraw'"
    if not _all_alike(loop):
        return "rows of different weights need engine='redraw'"
    return ""


def _all_alike(loop: Loop) -> bool:
    """Whether all rows have one real weight and row weight 1."""
    groups = loop.groups or ()
    return all(group.row_weight == 1 and group.real_weight == groups[0].real_weight for group in groups)


def _not_exact_law(setting: Setting, noise: str) -> str:
    if not isinstance(setting.source, Diagonal):
        return "it is for a Population"
    if noise == "expected":
        return "it gives runs with drawn labels (noise='sampled')"
    if setting.arrays != Arrays():
        return "it runs on the CPU in float64"
    if setting.entries.name != "gaussian" or setting.label_noise.name != "gaussian":
        return "it is for gaussian entries and noise"
    if setting.workflow != "replace":
        return f"workflow {setting.workflow!r} needs engine='redraw'"
    if not all(map(_all_alike, setting.loops)):
        return "rows of different weights need engine='redraw'"
    if min(setting.source.features, *setting.rows) < 2:
        return "it needs at least two rows and two features"
    return exact_law.not_covered(setting)


def warn(setting: Setting, stacklevel: int) -> None:
    """Tell of weights that change nothing, and of risks without a mean, where a model without a penalty interpolates."""
    if not any(np.any(setting.penalty(t) == 0) for t in range(setting.generations + 1)):
        return
    rank, trained = setting.source.rank, _trained_on(setting)
    for t in range(1, setting.generations + 1):
        groups = setting.groups(t)
        weighted = len({group.row_weight for group in groups}) > 1 or (_separate(setting) and trained[t] > setting.rows[t])
        if weighted and rank >= trained[t]:
            warnings.warn(
                "row weights are inert without a penalty where features are at least as many as rows: the model fits every "
                "row exactly, whatever its weight; mix labels, or use a penalty",
                stacklevel=stacklevel,
            )
            break
    if any(abs(rank - rows) <= 1 for rows in trained):
        warnings.warn(
            "at the interpolation threshold (features = rows or one apart, no penalty) risks have no finite mean: use a "
            "penalty, or more or fewer features",
            stacklevel=stacklevel,
        )


def _separate(setting: Setting) -> bool:
    """Whether real and synthetic rows are different rows of a design: copies of the same rows are label mixing."""
    return setting.workflow == "stack" and setting.loops[0].covariates == "fresh"


def _trained_on(setting: Setting) -> list[int]:
    """Different rows that generations 0 ... T are trained on."""
    rows = list(setting.rows)
    if setting.loops[0].covariates == "frozen":
        return rows
    if setting.workflow == "accumulate":
        return [int(total) for total in np.cumsum(rows)]
    if setting.workflow == "stack":
        for t in range(1, len(rows)):
            mixed = setting.real_weights(t)
            rows[t] *= 2 if np.any((mixed > 0) & (mixed < 1)) else 1
    return rows
