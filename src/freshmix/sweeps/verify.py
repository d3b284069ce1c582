"""A check of a store: everything that is on disk, against its checksums and against each other."""

from pathlib import Path
from typing import Any

import numpy as np
import zarr

from .reading import array_of, changed_metadata, coordinates_of, damages, in_words, marks_of, open_read_only, sealed


def verify(store: str | Path) -> list[str]:
    """What is wrong with a store; nothing if the list is empty. It may be in use.

    The same sweep run again computes what is lost, bit for bit.

    Raises
    ------
    ValueError
        If there is no store.

    Examples
    --------
    >>> import tempfile, freshmix
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     spec = {"generations": 1, "rows": 20, "loop": {"real_weight": 0.5, "aspect": 0.5}}
    ...     _ = freshmix.sweep(spec, folder + "/store", workers=0)
    ...     verify(folder + "/store")
    []
    """
    root = Path(store)
    content = sealed(root / "zarr.json")
    if content is None and (root / "zarr.json").exists():
        return ["zarr.json: damaged"]
    group = open_read_only(root)
    assert content is not None
    faults = [f"{path.relative_to(root)}: damaged" for path, _ in changed_metadata(root, content)]
    if faults:
        return faults
    risk, marks = array_of(group, "risk"), array_of(group, "done")
    done, unreadable = marks_of(risk, marks)
    faults += [unreadable] if unreadable else []
    for name, values in coordinates_of(group).items():
        if said := wrong_coordinate(group, name, values):
            faults.append(said)
    return faults + [reason for _, _, reason in damages(risk, done)]


def wrong_coordinate(group: zarr.Group, name: str, values: list[Any]) -> str:
    """What is wrong with a coordinate on disk, or nothing."""
    try:
        found = np.asarray(array_of(group, name)[...]).tolist()
    except Exception as error:
        return f"{name}: {in_words(error)}"
    return "" if found == values else f"{name}: not the coordinate of the description"
