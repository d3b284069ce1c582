"""Files to write: checked before the work, whole or not there at all."""

import io
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def checked_path(path: str | os.PathLike[str], parameter: str, suffixes: Sequence[str]) -> Path:
    """The path of a file to write, once its suffix and its folder will do.

    Raises
    ------
    ValueError
        If the suffix is none of ``suffixes``.
    OSError
        If the folder does not exist or cannot be written to, or the path is a folder.
    """
    result = Path(path)
    if result.suffix.lower() not in suffixes:
        raise ValueError(f"{parameter} must end in {', '.join(suffixes[:-1])} or {suffixes[-1]}, got {result.name!r}")
    folder = result.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"{parameter} must lie in a folder that exists, got {str(result)!r}")
    if result.is_dir():
        raise IsADirectoryError(f"{parameter} must be a file, got the folder {str(result)!r}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{parameter} must lie in a folder that can be written to, got {str(result)!r}")
    return result


def replace_file(target: Path, content: bytes, *, durable: bool = False) -> None:
    """Write beside the target, then put in its place, so that no reader ever sees half a file.

    ``durable``: on disk when this returns, even if the power fails.
    """
    beside = target.with_name(f".freshmix-{secrets.token_hex(8)}{target.suffix}")
    try:
        with open(beside, "xb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(beside, target)
        if durable:
            sync_folder(target.parent)
    except OSError as problem:
        beside.unlink(missing_ok=True)
        # Named by the target: nobody knows the file beside it.
        raise OSError(problem.errno, problem.strerror or str(problem), str(target)) from problem
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Names of new and replaced files in a folder on disk, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def picture(figure: "Figure", kind: str) -> bytes:
    """A figure as png, pdf or svg; the same bytes every time."""
    from matplotlib import rc_context

    # Dates would make two runs differ.
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind, {})
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "freshmix"}):
        figure.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()
