"""A check of a store: everything that is on disk, against its checksums and against each other."""

from pathlib import Path
from typing import Any

import numpy as np
import zarr

from .reading import Chunks, array_of, changed_metadata, coordinates_of, description, in_words, open_read_only


def verify(store: str | Path) -> list[str]:
    """What is wrong with a store; nothing if the list is empty. It may be in use.

    The same sweep run again computes what is lost, bit for bit.

    Raises
    ------
    ValueError
        If there is no store, or its description is lost together with the copy.

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
    content, faults = description(root)
    group = open_read_only(root)
    faults += [f"{path.relative_to(root)}: damaged" for path, _ in changed_metadata(root, content)]
    chunks = Chunks(root, group)
    done, lost_marks = chunks.done()
    faults += lost_marks
    for name, values in coordinates_of(group).items():
        if said := wrong_coordinate(group, name, values):
            faults.append(said)
    return faults + [reason for _, _, reason in chunks.damages(done)]


def wrong_coordinate(group: zarr.Group, name: str, values: list[Any]) -> str:
    """What is wrong with a coordinate on disk, or nothing."""
    try:
        found = np.asarray(array_of(group, name)[...]).tolist()
    except Exception as error:
        return f"{name}: {in_words(error)}"
    return "" if found == values else f"{name}: not the coordinate of the description"
