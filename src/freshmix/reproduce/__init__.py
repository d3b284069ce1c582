"""The paper's figures: one file each, a sweep and a plot."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ..arguments import process_count

if TYPE_CHECKING:
    from .paper_figure import PaperFigure, Verdict

# In the paper's order: figure 1 is the first. Its file has the same name.
NAMES = (
    "min-norm-weight",
    "min-norm-generations",
    "ridge-best-weight",
    "ridge-weight",
    "frozen-labels",
    "fresh-covariates",
    "partial-labels",
    "beyond",
    "memory-worth",
)


def named(names: Sequence[str] = ()) -> list[str]:
    """Figures by name or number, in the order of ``NAMES`` and once each; all of them by default.

    Raises
    ------
    ValueError
        If there is no such figure; the nearest one is named, or all.

    Examples
    --------
    >>> named(["beyond", "1"])
    ['min-norm-weight', 'beyond']
    """
    wanted = set()
    for name in names:
        known = name.strip().lower().replace("_", "-")
        # As a paper calls it.
        known = re.sub(r"^fig(ure)?[-. ]*(?=\d)", "", known)
        if known.isdecimal() and 1 <= int(known) <= len(NAMES):
            known = NAMES[int(known) - 1]
        if known not in NAMES:
            near = get_close_matches(known, NAMES, n=1, cutoff=0.4)
            advice = f"did you mean {near[0]}?" if near else f"names: {', '.join(NAMES)}"
            raise ValueError(f"figure must be a name or a number from 1 to {len(NAMES)}, got {name!r} ({advice})")
        wanted.add(known)
    return [name for name in NAMES if name in wanted or not names]


def figure(name: str) -> "PaperFigure":
    """One of ``NAMES``."""
    found: PaperFigure = import_module(f".{name.replace('-', '_')}", __name__).FIGURE
    return found


def reproduce(
    names: Sequence[str] = (),
    out: str | Path = "figures",
    *,
    store: str | Path | None = None,
    quick: bool = False,
    workers: int | None = None,
) -> Iterator["Verdict"]:
    """Produce figures one after another: NAME.png, NAME.svg and NAME.csv each, and a verdict.

    Parameters
    ----------
    names : sequence of str
        Names or numbers of figures; all by default.
    out : path
        Folder of the files, made where there is none.
    store : path, optional
        Folder of the sweeps' results, from which an interrupted run goes on; ``OUT/store`` by default.
    quick : bool
        Fewer and smaller runs: minutes for all figures.
    workers : int, optional
        Processes of the sweeps; by default one for each core. 0: in this process.

    Yields
    ------
    Verdict
        ``.figure .worst .points .limit .agrees .files``

    Raises
    ------
    ValueError
        If there is no such figure.
    OSError
        If files cannot be written.
    """
    chosen = named(names)
    if workers is not None:
        process_count(workers, low=0)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    results = (folder / "store" if store is None else Path(store)) / ("quick" if quick else "full")
    results.mkdir(parents=True, exist_ok=True)
    return _each(chosen, folder, results, quick, workers)


def _each(names: Sequence[str], out: Path, store: Path, quick: bool, workers: int | None) -> Iterator["Verdict"]:
    from ..processes import Here, Processes
    from ..sweeps.complete import processors
    from .paper_figure import produce

    count = processors() if workers is None else workers
    # The same processes for all sweeps: they load their libraries once.
    with Processes(count, "freshmix.sweeps.task") if count else Here() as executor:
        for name in names:
            each = figure(name)
            yield produce(each, out, store, each.sweeps if quick else {}, count, executor)
