"""A Recommendation -> one file: a self-contained HTML page, or its pictures as PNG or PDF."""

import os
from typing import TYPE_CHECKING

from ..files import checked_path, picture, replace_file

if TYPE_CHECKING:
    from ..recommendation import Recommendation

SUFFIXES = (".html", ".png", ".pdf")
TITLE = "Real weight and ridge penalty for a retraining loop"


def write_report(
    recommendation: "Recommendation", path: str | os.PathLike[str], *, title: str = TITLE, command: str | None = None
) -> None:
    """Write a recommendation to one file: a page that needs no network (.html), or its pictures (.png, .pdf).

    Parameters
    ----------
    recommendation : Recommendation
        What ``freshmix.recommend`` returned.
    path : str or path
        File to write; an existing one is replaced. It is whole or not there at all.
    title : str
        Heading of the page.
    command : str, optional
        The lines that reproduce the recommendation, shown on the page; by default a call of ``freshmix.recommend``.

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

        content = page(recommendation, title, command).encode()
    else:
        from ..plots import all_pictures

        content = picture(all_pictures(recommendation), target.suffix.lower()[1:])
    replace_file(target, content)
