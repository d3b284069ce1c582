"""A Recommendation or a Plan -> one file: a self-contained HTML page, or its pictures as PNG or PDF."""

import os
from typing import TYPE_CHECKING

from ..files import checked_path, picture, replace_file
from .drawings import is_plan

if TYPE_CHECKING:
    from ..plans import Plan
    from ..recommendation import Recommendation

SUFFIXES = (".html", ".png", ".pdf")
TITLE = "How to retrain on this table"
PLAN_TITLE = "How many labels to buy for a retraining loop"


def write_report(
    result: "Recommendation | Plan", path: str | os.PathLike[str], *, title: str | None = None, command: str | None = None
) -> None:
    """Write a recommendation or a plan to one file: a page that needs no network (.html), or its pictures (.png, .pdf).

    Parameters
    ----------
    result : Recommendation or Plan
        What ``freshmix.recommend`` or ``freshmix.plan`` returned.
    path : str or path
        File to write; an existing one is replaced. It is whole or not there at all.
    title : str, optional
        Heading of the page.
    command : str, optional
        The lines that reproduce the result, shown on the page; by default a call in Python.

    Raises
    ------
    ValueError
        If the suffix is none of .html, .png and .pdf.
    OSError
        If the folder does not exist or cannot be written to.
    """
    target = checked_path(path, "path", SUFFIXES)
    if target.suffix.lower() == ".html":
        from .page import page

        content = page(result, title or (PLAN_TITLE if is_plan(result) else TITLE), command).encode()
    else:
        from ..plots import all_pictures, plan_picture

        drawn = plan_picture(result) if is_plan(result) else all_pictures(result)  # type: ignore[arg-type]
        content = picture(drawn, target.suffix.lower()[1:])
    replace_file(target, content)
