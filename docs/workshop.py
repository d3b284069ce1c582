"""Where the commands and lines of a page run while the documentation is built: a folder and a Python for each page."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
# As many columns as a page has room for beside its two bars.
ENVIRONMENT = {"COLUMNS": "86", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "Agg"}

_open: dict[str, "Workshop"] = {}


class Workshop:
    """A folder that holds ``examples`` as a clone of the repository does, and a Python that remembers what ran before."""

    def __init__(self) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="freshmix-docs-", ignore_cleanup_errors=True)
        self.folder = Path(self._place.name)
        (self.folder / "examples").symlink_to(EXAMPLES)
        self._python: subprocess.Popen[str] | None = None

    def run(self, code: str, pictures: Path, name: str) -> dict[str, Any]:
        """What the lines print, the pictures they draw (files NAME-1.png, ... of a folder) and the error that ends them."""
        if self._python is None:
            # The tests are here for the page that shows their figures.
            path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
            self._python = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("worker.py"))],
                cwd=self.folder,
                env={**os.environ, **ENVIRONMENT, "PYTHONPATH": path, "PYTHONWARNINGS": "error"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._python.stdin is not None
        assert self._python.stdout is not None
        print(json.dumps({"code": code, "pictures": str(pictures), "name": name}), file=self._python.stdin, flush=True)
        answer = self._python.stdout.readline()
        if not answer:
            return {"error": f"Python ended with exit code {self._python.wait()}"}
        reply: dict[str, Any] = json.loads(answer)
        return reply

    def close(self) -> None:
        """End the Python and remove the folder."""
        if self._python is not None:
            self._python.communicate()
        self._place.cleanup()


def of_page(page: str) -> Workshop:
    """The one of a page, made when it is first asked for."""
    if page not in _open:
        _open[page] = Workshop()
    return _open[page]


def close(page: str) -> None:
    """A page has been read."""
    if page in _open:
        _open.pop(page).close()
