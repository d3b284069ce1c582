"""A check of a store: everything that is on disk, against its checksums and against each other."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from .grid import SweepError
from .reading import array_of, checksum, damages, in_words, marks_of, open_read_only


def verify(store: str | Path) -> list[str]:
    """What is wrong with a store; nothing if the list is empty. It may be in use.

    The same sweep run again computes what is lost, bit for bit.

    Raises
    ------
    OSError
        If there is no such folder.

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
    try:
        group = open_read_only(root)
        names = [*coordinates_of(group), "risk", "done"]
        faults = [] if group.attrs["checksum"] == checksum(group.attrs.asdict()) else ["attributes: changed since written"]
        faults += _metadata(root, names)
        risk, marks = array_of(group, "risk"), array_of(group, "done")
    except SweepError:
        raise
    except Exception as error:
        return [f"zarr.json: {in_words(error)}"]
    done, unreadable = marks_of(risk, marks)
    faults += [unreadable] if unreadable else []
    for name, values in coordinates_of(group).items():
        if said := wrong_coordinate(group, name, values):
            faults.append(said)
    return faults + [reason for _, _, reason in damages(risk, done)]


def coordinates_of(group: zarr.Group) -> dict[str, list[Any]]:
    """The coordinates that a store must have, from its description."""
    content = json.loads(str(group.attrs["sweep"]))
    named = {"population": list(content["populations"]), "loop": list(content["loops"])}
    ends = {"replicate": list(range(content["replicates"])), "generation": list(range(content["generations"] + 1))}
    axes = {name: values for name, values in named.items() if values != [""]}
    return {**axes, **content["grid"], **ends}


def wrong_coordinate(group: zarr.Group, name: str, values: list[Any]) -> str:
    """What is wrong with a coordinate on disk, or nothing."""
    try:
        found = np.asarray(array_of(group, name)[...]).tolist()
    except Exception as error:
        return f"{name}: {in_words(error)}"
    return "" if found == values else f"{name}: not the coordinate of the description"


def _metadata(root: Path, names: list[str]) -> list[str]:
    """Arrays whose own metadata and the group's copy of it are not the same."""
    copies = json.loads((root / "zarr.json").read_bytes())["consolidated_metadata"]["metadata"]
    wrong = []
    for name in names:
        own = json.loads((root / name / "zarr.json").read_bytes())
        if own != copies.get(name):
            wrong.append(f"{name}/zarr.json: not the metadata that the group has a copy of")
    return wrong
